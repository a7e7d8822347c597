"""Fields of a JSON record: the value of the wanted type, or a RecordError that says what was expected and what stands there."""

import math
from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence, Tuple, Type

from relcon.errors import RecordError, did_you_mean

KINDS: Dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def described(value: Any) -> str:
    """A value for a message: its kind, and itself where short ("a whole number, 7")."""
    kind, shown = KINDS.get(type(value), type(value).__name__), repr(value)
    return f"{kind}, {shown}" if len(shown) <= 40 and value is not None else kind


def of_kind(value: Any, kind: Type, what: str) -> Any:
    """The value itself where it is of this JSON kind (`float` takes whole numbers too); RecordError naming `what` otherwise."""
    good = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))
    if not good or (kind is float and not math.isfinite(value)):  # NaN is Python's, not JSON's
        raise RecordError(f"{what} must be {KINDS[kind]}, here it is {described(value)}")
    return value


def need(record: Mapping[str, Any], key: str, kind: Type, owner: str = "the record") -> Any:
    """The value under a key that must be there, of this kind."""
    if key not in record:
        raise RecordError(f"'{key}' is missing in {owner}; expected {KINDS[kind]}")
    return of_kind(record[key], kind, f"'{key}' of {owner}")


def may(record: Mapping[str, Any], key: str, kind: Type, default: Any = None, owner: str = "the record") -> Any:
    """The value under a key, of this kind; the default where the key is absent or null."""
    return default if record.get(key) is None else need(record, key, kind, owner)


def items(values: Any, kind: Type, what: str) -> List[Any]:
    """A list whose items are all of one kind."""
    return [of_kind(item, kind, f"item {number} of {what}") for number, item in enumerate(of_kind(values, list, what))]


def digits(text: str) -> Optional[int]:
    """The number that a text writes in digits; None where it writes none, or one longer than any position is."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def whole(value: Any, what: str) -> int:
    """A whole number, which some releases of a format write as a string."""
    found = digits(value) if isinstance(value, str) else None
    number: int = of_kind(value if found is None else found, int, what)
    return number


def pair(value: Any, what: str) -> Tuple[int, int]:
    """`[start, end]` as two whole numbers."""
    numbers = items(value, int, what)
    if len(numbers) != 2:
        raise RecordError(f"{what} must be [start, end], here it has {len(numbers)} numbers")
    return numbers[0], numbers[1]


def inside(span: Sequence[int], size: int, unit: str, what: str) -> Tuple[int, int]:
    """The span [start, end) where it is not empty and lies inside `size` words or characters; RecordError otherwise."""
    start, end = span
    if start >= end:
        raise RecordError(f"{what} has the span [{start}, {end}), which is empty or reversed; the end is exclusive and above the start")
    if start < 0 or end > size:
        raise RecordError(f"{what} has the span [{start}, {end}) outside the {size} {unit} that there are")
    return start, end


def only(record: Mapping[str, Any], known: Collection[str], owner: str = "the record") -> None:
    """RecordError where the record has a key that is not known, with the nearest one."""
    strange: Optional[str] = next((key for key in record if key not in known), None)
    if strange is not None:
        raise RecordError(f"{owner} has an unknown key '{strange}'.{did_you_mean(strange, known)}")
