"""What annotation tools write beside a text: spans with ids, and relations that name them."""

from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from relcon.data.document import Mention, WordSpan
from relcon.data.fields import described, may
from relcon.data.spans import Base
from relcon.data.tokens import split_sentences
from relcon.errors import RecordError, did_you_mean


def written_id(record: Mapping[str, Any], key: str, owner: str = "the record") -> str:
    """An id as text; tools write whole numbers or strings. RecordError where it is missing, empty or neither."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise RecordError(f"'{key}' of {owner} must be an id, a whole number or a string; here it is {described(value)}")
    return str(value)


def numbers_of(ids: Sequence[str], what: str) -> Dict[str, int]:
    """Each id with its place. RecordError where two are the same. what: of what they are ids ("entities")."""
    numbers = {name: number for number, name in enumerate(ids)}
    if len(numbers) < len(ids):
        again = next(name for number, name in enumerate(ids) if numbers[name] != number)
        raise RecordError(f"two {what} have the id '{again}'; relations could not tell them apart")
    return numbers


def argument(record: Mapping[str, Any], key: str, owner: str, numbers: Mapping[str, int]) -> int:
    """The number of what a relation names by its id."""
    name = written_id(record, key, owner)
    if name not in numbers:
        raise RecordError(f"'{key}' of {owner} is '{name}', which is the id of nothing in the record.{did_you_mean(name, numbers)}")
    return numbers[name]


def label_of(record: Mapping[str, Any], key: str, owner: str) -> Optional[str]:
    """The label of a relation; None where it is to be predicted. RecordError where it is empty."""
    label: Optional[str] = may(record, key, str, owner=owner)
    if label == "":
        raise RecordError(f"'{key}' of {owner} is empty; expected a name, or null where it is to be predicted")
    return label


def sentences_of(base: Base, mentions: Sequence[Mention], find: bool) -> Tuple[WordSpan, ...]:
    """The sentences of a text of which nothing is said. find: look for them; else it is one, ()."""
    return split_sentences(base.words, [mention[:2] for mention in mentions]) if find else ()
