"""CasRel's JSON: sentences with triples of strings, without offsets (NYT, WebNLG)."""

from typing import Any, Dict, Iterator, Literal, Optional, Tuple

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.fields import may, need, of_kind
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import split_at_spaces
from relcon.errors import RecordError, RelconError
from relcon.readers.records import JSONReader, OnError, Record, object_of

Repeated = Literal["all", "first", "refuse"]

Words = Tuple[str, ...]


class CasRel(JSONReader):
    """Reads CasRel's JSON, labelled or not: one array, or JSON-lines.

    A record is `{"text": "...", "triple_list": [[head, relation, tail], ...]}`; `triple_list` may be absent, and a relation that is to
    be predicted is null. Other keys are not read. The text is tokenised already: words are what white space separates. There are no
    positions: a head or tail is found by its words, and one that the text does not have as whole words is a bad record. So are the "star"
    editions read, in which each string is the last word of an entity. One document per record, named after the file and the line, or
    the number in an array; one entity, without a type, for each different string, all its places being mentions of it.
    A candidate rule that goes with it is `relcon.EntityPairs.v1` with `several = "kept"`: a pair may have several relations.

    repeated: what becomes of a string that the text has more than once: "all" makes every place a mention of the entity, "first" takes
        the first one, "refuse" makes it a bad record.
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Wei et al., A Novel Cascade Binary Tagging Framework for Relational Triple Extraction, ACL 2020.

    Config::

        [reader]
        @readers = "relcon.CasRel.v1"
        repeated = "all"
    """

    expected = 'a CasRel file, an array or lines of {"text": "...", "triple_list": [["head", "relation", "tail"], ...]}'

    def __init__(self, repeated: Repeated = "all", on_error: OnError = "raise"):
        super().__init__(on_error)
        if repeated not in ("all", "first", "refuse"):
            raise RelconError(f"repeated must be 'all', 'first' or 'refuse', not '{repeated}'")
        self.repeated = repeated

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Records with 'text' and 'triple_list'."""
        return "records with 'text' and 'triple_list', as CasRel has them" if glimpse.has("text", "triple_list") else None

    def document(self, record: Record) -> Document:
        """One sentence."""
        value = object_of(record)
        text = need(value, "text", str)
        words, offsets = split_at_spaces(text)
        triples = [_triple(each, f"triple {number}") for number, each in enumerate(may(value, "triple_list", list, []))]
        numbers: Dict[Words, int] = {}
        for head, _, tail in triples:
            for name in (head, tail):
                numbers.setdefault(name, len(numbers))
        return Document(
            id=record.name,
            words=words,
            entities=tuple(Entity(self._mentions(name, words)) for name in numbers),
            relations=tuple(Relation(numbers[head], numbers[tail], label) for head, label, tail in triples),
            text=text,
            offsets=offsets,
            source=record.source,
        )

    def _mentions(self, name: Words, words: Words) -> Tuple[Mention, ...]:
        """Where a string stands. RecordError where it does not, or more often than it may."""
        found = tuple(_occurrences(name, words))
        shown = " ".join(name)
        if not found:
            raise RecordError(f"{shown!r} does not stand in 'text' as whole words; words are what white space separates")
        if len(found) > 1 and self.repeated == "refuse":
            raise RecordError(f"{shown!r} stands {len(found)} times in 'text', which repeated = \"refuse\" does not allow; see `repeated`")
        return found[:1] if self.repeated == "first" else found


def _triple(value: Any, what: str) -> Tuple[Words, Optional[str], Words]:
    """`[head, relation, tail]`, head and tail as words."""
    fields = of_kind(value, list, what)
    if len(fields) != 3:
        raise RecordError(f"{what} must be [head, relation, tail], here it has {len(fields)} values")
    head, tail = (_words(each, f"the {side} of {what}") for side, each in (("head", fields[0]), ("tail", fields[2])))
    label = None if fields[1] is None else of_kind(fields[1], str, f"the relation of {what}")
    if label == "":
        raise RecordError(f"the relation of {what} is empty; expected its name, or null where it is to be predicted")
    return head, label, tail


def _words(value: Any, what: str) -> Words:
    found = tuple(of_kind(value, str, what).split())
    if not found:
        raise RecordError(f"{what} is empty")
    return found


def _occurrences(name: Words, words: Words) -> Iterator[Mention]:
    """Where these words follow each other."""
    size = len(name)
    return (Mention(start, start + size) for start in range(len(words) - size + 1) if words[start : start + size] == name)
