"""GLiNER's JSON with relations, and GLiREL's."""

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from relcon.data.document import Document, Entity, Mention, Relation, WordSpan
from relcon.data.fields import inside, items, may, need, of_kind, pair
from relcon.data.glimpse import Glimpse
from relcon.errors import RecordError
from relcon.readers.opennre import bare
from relcon.readers.records import JSONReader, OnError, Record, object_of
from relcon.readers.standoff import label_of
from relcon.readers.white_space import Solid

KEYS = ("tokenized_text", "ner", "relations")


class GLiNER(JSONReader):
    """Reads the training data of GLiNER's relation models and of GLiREL: one JSON array, or JSON-lines, labelled or not.

    A record is `{"tokenized_text": ["..."], "ner": [[start, end, type]], "relations": [[head, tail, type]]}`: positions count tokens, ends
    are **inclusive**, `head` and `tail` are the numbers of entities in `ner`, from 0. GLiREL writes `ner` as `[start, end, type, text]` and
    a relation as `{"head": {"mention", "position": [start, end], "type"}, "tail": {...}, "relation_text": "..."}`: its arguments are found
    by their `position`, which `ner` must have (the first entity there, where it has several), and their `type` is not read. `ner` and
    `relations` may be absent, and the type of a relation may be null. Entities that overlap are kept. Tokens of white space are left out
    and positions moved accordingly. Other keys (`ner_labels`, `rel_labels`, `rel_negatives`) go to `metadata`. One document per record,
    of one sentence, named after file and line, or after file and number in an array. Pairs without a relation are not in the data:
    `relcon.EntityPairs.v1` makes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    check_names: refuse a record whose text or `mention` of an entity differs from its tokens in a letter or digit (case, spaces and
        punctuation aside). False where names are canonical names and not those of the text.

    Source: Zaratiana et al., GLiNER: Generalist Model for Named Entity Recognition using Bidirectional Transformer, NAACL 2024; Boylan et
    al., GLiREL: Generalist Model for Zero-Shot Relation Extraction, NAACL 2025.

    Config::

        [reader]
        @readers = "relcon.GLiNER.v1"
        check_names = true
    """

    expected = 'a file of GLiNER or GLiREL, each record {"tokenized_text": [...], "ner": [[start, end, type]], "relations": [...]}'

    def __init__(self, on_error: OnError = "raise", check_names: bool = True):
        super().__init__(on_error)
        self.check_names = check_names

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Records with 'tokenized_text'."""
        return "records with 'tokenized_text', as GLiNER and GLiREL take them" if glimpse.has("tokenized_text") else None

    def document(self, record: Record) -> Document:
        """One sentence."""
        value = object_of(record)
        tokens = items(need(value, "tokenized_text", list), str, "'tokenized_text'")
        solid, spans = Solid(tokens), []
        entities: List[Entity] = []
        for number, each in enumerate(_listed(value, "ner")):
            span, kind = self._entity(each, f"entity {number}", tokens)
            spans.append(span)
            entities.append(Entity((Mention(*solid.span(*span, f"entity {number}")),), kind))
        return Document(
            id=record.name,
            words=solid.words,
            entities=tuple(entities),
            relations=tuple(self._relations(value, spans, tokens)),
            source=record.source,
            metadata={key: kept for key, kept in value.items() if key not in KEYS},
        )

    def _entity(self, value: Any, what: str, tokens: Sequence[str]) -> Tuple[WordSpan, str]:
        """The tokens [start, end) and the type of an entity."""
        fields = of_kind(value, list, what)
        if len(fields) not in (3, 4):
            raise RecordError(f"{what} must be [start, end, type] or [start, end, type, text], here it has {len(fields)} values")
        span = _span(fields[:2], what, len(tokens))
        if len(fields) == 4:
            self._compare(of_kind(fields[3], str, f"the text of {what}"), span, what, tokens)
        return span, of_kind(fields[2], str, f"the type of {what}")

    def _relations(self, value: Mapping[str, Any], spans: List[WordSpan], tokens: Sequence[str]) -> Iterator[Relation]:
        """The relations of either form."""
        for number, each in enumerate(_listed(value, "relations")):
            what = f"relation {number}"
            if isinstance(each, dict):
                head, tail = (self._argument(each, side, what, spans, tokens) for side in ("head", "tail"))
                yield Relation(head, tail, label_of(each, "relation_text", what))
            else:
                yield _numbered(each, what, len(spans))

    def _argument(self, relation: Mapping[str, Any], side: str, what: str, spans: List[WordSpan], tokens: Sequence[str]) -> int:
        """The number of the entity at the position of an argument."""
        owner = f"'{side}' of {what}"
        written: Dict[str, Any] = need(relation, side, dict, what)
        span = _span(need(written, "position", list, owner), owner, len(tokens))
        if span not in spans:
            raise RecordError(f"{owner} is at the tokens [{span[0]}, {span[1] - 1}], which 'ner' does not have as an entity")
        name = may(written, "mention", str, owner=owner)
        if name is not None:
            self._compare(name, span, owner, tokens)
        return spans.index(span)

    def _compare(self, name: str, span: WordSpan, what: str, tokens: Sequence[str]) -> None:
        """RecordError where a name is another than the tokens that it stands for."""
        there = " ".join(tokens[span[0] : span[1]])
        if self.check_names and bare(name) != bare(there):
            raise RecordError(
                f"{what} is said to be {name!r}, but its tokens are {there!r}; positions count tokens from 0 and the end is inclusive. If "
                "names are not those of the text, set check_names = false"
            )


def _listed(value: Mapping[str, Any], key: str) -> List[Any]:
    found: List[Any] = may(value, key, list, [])
    return found


def _span(value: Any, what: str, size: int) -> WordSpan:
    """An inclusive span of the file as tokens [start, end), of which there are `size`."""
    start, last = pair(value, f"the position of {what}")
    if last < start:
        raise RecordError(f"{what} has the position [{start}, {last}], which is reversed; the end is inclusive and not below the start")
    return inside((start, last + 1), size, "tokens", what)


def _numbered(value: Any, what: str, entities: int) -> Relation:
    """A relation `[head, tail, type]` between numbered entities."""
    fields = of_kind(value, list, what)
    if len(fields) != 3:
        raise RecordError(f"{what} must be [head, tail, type], here it has {len(fields)} values")
    for side, number in zip(("head", "tail"), fields, strict=False):
        if not 0 <= of_kind(number, int, f"the {side} of {what}") < entities:
            raise RecordError(f"the {side} of {what} is entity {number}, but 'ner' has {entities} entities, numbered from 0")
    return Relation(fields[0], fields[1], label_of({"type": fields[2]}, "type", what))
