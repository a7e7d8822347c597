"""Entities as tags of their words: BIO, and BIOES, which marks ends and single words too."""

from typing import Iterator, List, Sequence, Tuple

from relcon.data.document import Entity, Mention
from relcon.errors import RecordError


def entities_of_tags(tags: Sequence[str]) -> List[Entity]:
    """The entities of tags `O`, `B-TYPE`, `I-TYPE`, `E-TYPE`, `S-TYPE`, each of one mention, in text order. RecordError on another tag, and
    where `I` or `E` continues nothing of its type."""
    found: List[Tuple[int, str]] = []  # where each entity begins, and its type
    ends: List[int] = []
    running = ""
    for number, (prefix, kind) in enumerate(_parts(tags)):
        if prefix in ("I", "E") and kind != running:
            raise RecordError(f"the tag '{tags[number]}' of token {number} continues no '{kind}'; an entity begins with 'B-{kind}'")
        if prefix in ("B", "S"):
            found.append((number, kind))
            ends.append(number)
        if prefix != "O":
            ends[-1] = number + 1
        running = kind if prefix in ("B", "I") else ""
    return [Entity((Mention(start, end),), kind) for (start, kind), end in zip(found, ends, strict=True)]


def _parts(tags: Sequence[str]) -> Iterator[Tuple[str, str]]:
    for number, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I", "E", "S") or not kind):
            raise RecordError(f"the tag of token {number} must be 'O', 'B-TYPE', 'I-TYPE', 'E-TYPE' or 'S-TYPE', here it is '{tag[:40]}'")
        yield prefix, kind
