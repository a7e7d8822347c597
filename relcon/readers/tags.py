"""Inline tags: `<e1>word</e1>` -> `word` and where the tags stood."""

import re
from typing import List, Tuple


def without_tags(text: str, pattern: re.Pattern[str]) -> Tuple[str, List[Tuple[re.Match[str], int]]]:
    """The text without all matches of the pattern, and each match with its character position in what is left."""
    kept: List[str] = []
    found: List[Tuple[re.Match[str], int]] = []
    end, length = 0, 0
    for match in pattern.finditer(text):
        kept.append(text[end : match.start()])
        length += match.start() - end
        found.append((match, length))
        end = match.end()
    return "".join([*kept, text[end:]]), found
