"""Ids that are numbers."""

import re
from typing import Union

NUMBER = re.compile("0|[1-9][0-9]{0,14}")


def is_number(name: str) -> bool:
    """Whether an id is a whole number as it is usually written, such that the number becomes the same text again."""
    return NUMBER.fullmatch(name) is not None


def number_or_text(name: str) -> Union[int, str]:
    """An id as JSON has it: a number where it is one."""
    return int(name) if is_number(name) else name
