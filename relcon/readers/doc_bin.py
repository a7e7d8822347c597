"""spaCy's binary files of annotated texts (`.spacy`), with relations in an attribute of their own."""

import gc
import zlib
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from relcon.data.archives import MOST_RATIO, SMALL_BYTES
from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source, WordSpan
from relcon.data.fields import described, of_kind
from relcon.data.glimpse import Glimpse
from relcon.data.relations import LEFT_OUT
from relcon.errors import Problem, RecordError, RelconError, did_you_mean
from relcon.readers.records import OnError, Record, RecordReader
from relcon.readers.white_space import Solid

ATTRIBUTES = ("rel", "relations")


class DocBin(RecordReader):
    """Reads spaCy's `.spacy` files (a DocBin, version 3), labelled or not.

    One document per Doc, named after file and number; words are its tokens, those of white space aside. Entities are those of `doc.ents`,
    with their `kb_id` as id, or the spans of a group. Relations stand in `doc._.rel` as spaCy's relation component writes them,
    `{(head, tail): {label: score}}` by the first tokens of two entities, or in `doc._.relations` as GLiREL writes them,
    `[{"head_pos": [start, end], "tail_pos": [start, end], "label", "score"}]` in tokens with exclusive ends; the file must have been saved
    with `store_user_data = True`. A score of 1 is gold and is not kept, any other is that of a predicted relation. Sentences, parse and
    tags are kept where a Doc has them, and its `cats` as `metadata["cats"]`; spans of other groups, and tags without a parse, are counted
    in `metadata["left_out"]`. Nothing is unpickled. The file is held in memory.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    spans: the name of the span group whose spans are the entities; null for `doc.ents`.
    attribute: the attribute of `doc._` that has the relations; null for `rel` or `relations`, whichever a Doc has.
    threshold: a label holds where its score is at least this.
    negative: the label of pairs that `doc._.rel` lists and for which no label holds; null leaves them out, so that a candidate rule
        (`relcon.EntityPairs.v1`) decides.

    Source: Honnibal et al., spaCy: Industrial-strength Natural Language Processing in Python, 2020 (software); its tutorial "A trainable
    component for a relation extraction model".

    Config::

        [reader]
        @readers = "relcon.DocBin.v1"
        threshold = 0.5
    """

    expected = "a .spacy file, which spaCy's DocBin has saved"

    def __init__(
        self,
        on_error: OnError = "raise",
        spans: Optional[str] = None,
        attribute: Optional[str] = None,
        threshold: float = 0.5,
        negative: Optional[str] = None,
    ):
        super().__init__(on_error)
        self.spans, self.attribute, self.threshold, self.negative = spans, attribute, threshold, negative

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A compressed map with the first key of a DocBin."""
        try:
            begins = zlib.decompressobj().decompress(glimpse.raw, 64)
        except zlib.error:
            return None
        return "the compressed form of spaCy's DocBin" if b"version" in begins and b"attrs" in begins else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The Docs, with their numbers. A Problem where one cannot be made. RelconError where the file is no DocBin."""
        from spacy.vocab import Vocab

        docs, number = _opened(path).get_docs(Vocab()) if path.stat().st_size else iter(()), 0
        while True:
            try:
                doc = next(docs)
            except StopIteration:
                return
            except Exception as error:  # spaCy raises what it meets where numbers of a Doc do not fit each other
                yield Problem(str(path), f"record {number} is damaged ({type(error).__name__}: {error}); nothing after it was read")
                return
            yield Record(doc, Source(str(path)), number)
            number += 1

    def document(self, record: Record) -> Document:
        """One Doc."""
        try:
            return self._document(record.value, record)
        except (KeyError, ValueError) as error:  # what spaCy raises where a Doc names strings or tokens that there are not
            raise RecordError(f"the Doc is damaged: {error}") from error

    def _document(self, doc: Any, record: Record) -> Document:
        solid = Solid([token.text for token in doc])
        spans = self._entities(doc)
        left_out = self._left_out(doc)
        known = not doc.has_unknown_spaces
        return Document(
            id=record.name,
            words=solid.words,
            entities=tuple(_entity(span, solid) for span in spans),
            relations=tuple(self._relations(doc, [(span.start, span.end) for span in spans])),
            sentences=_sentences(doc, solid),
            text=doc.text if known else None,
            offsets=tuple((doc[n].idx, doc[n].idx + len(doc[n].text)) for n in solid.kept) if known else None,
            parse=_parse(doc, solid),
            source=record.source,
            metadata={**({"cats": doc.cats} if doc.cats else {}), **({LEFT_OUT: left_out} if left_out else {})},
        )

    def _entities(self, doc: Any) -> List[Any]:
        """The spans that are entities."""
        if self.spans is None:
            return list(doc.ents)
        if self.spans not in doc.spans:
            raise RecordError(f"the Doc has no span group '{self.spans}'.{did_you_mean(self.spans, doc.spans)}")
        return list(doc.spans[self.spans])

    def _left_out(self, doc: Any) -> Dict[str, int]:
        """What of a Doc is not read."""
        counts = {f"span of the group '{name}'": len(group) for name, group in doc.spans.items() if name != self.spans}
        if self.spans is not None:
            counts["entity of doc.ents"] = len(doc.ents)
        if not doc.has_annotation("DEP"):
            counts["tag without a parse"] = sum(bool(token.tag_) for token in doc)
        return {cause: count for cause, count in counts.items() if count}

    def _relations(self, doc: Any, spans: Sequence[WordSpan]) -> Iterator[Relation]:
        """The relations of a Doc. spans: the tokens of its entities."""
        names = ATTRIBUTES if self.attribute is None else (self.attribute,)
        found = {name: value for name in names if (value := _user_data(doc, name))}
        if len(found) > 1:
            raise RecordError(f"the Doc has relations in {' and '.join(f'doc._.{name}' for name in found)}; name one in `attribute`")
        for name, value in found.items():
            if isinstance(value, Mapping):
                yield from self._scored(value, spans, name)
            else:
                yield from self._listed(value, spans, name)

    def _scored(self, pairs: Mapping[Any, Any], spans: Sequence[WordSpan], name: str) -> Iterator[Relation]:
        """Relations as spaCy's component writes them."""
        starts = [start for start, _ in spans]
        for pair, scores in pairs.items():
            what = f"{pair!r} in doc._.{name}"
            head, tail = (_only(starts, first, f"begins at token {first}", what) for first in _two(pair, what))
            judged = [(label, _score(value, what)) for label, value in of_kind(scores, dict, what).items()]
            held = [(label, score) for label, score in judged if score >= self.threshold]
            yield from (_relation(head, tail, label, score, what) for label, score in held)
            if not held and self.negative is not None:
                yield Relation(head, tail, self.negative)

    def _listed(self, values: Any, spans: Sequence[WordSpan], name: str) -> Iterator[Relation]:
        """Relations as GLiREL writes them."""
        if not isinstance(values, (list, tuple)):
            raise RecordError(f"doc._.{name} is {described(values)}; expected {{(head, tail): {{label: score}}}} or a list of relations")
        for number, value in enumerate(values):
            what = f"item {number} of doc._.{name}"
            written: Dict[str, Any] = of_kind(value, dict, what)
            places = [_two(written.get(key), f"'{key}' of {what}") for key in ("head_pos", "tail_pos")]
            head, tail = (_only(spans, place, f"is the tokens [{place[0]}, {place[1]})", what) for place in places)
            score = _score(written.get("score", 1), what)
            if score >= self.threshold:
                yield _relation(head, tail, written.get("label"), score, what)


# ---- a file ------------------------------------------------------------------------------------------------------------


def _opened(path: Path) -> Any:
    """The DocBin that a file is. RelconError where it is none."""
    from spacy.tokens import DocBin as SpacyDocBin

    data = path.read_bytes()
    try:
        _refuse_bomb(data, path)
        return SpacyDocBin().from_bytes(data)
    except RelconError:
        raise
    except Exception as error:  # spaCy has no error of its own for bytes that are no DocBin
        raise RelconError(f"{path} is damaged, or no .spacy file ({type(error).__name__}: {error}); expected {DocBin.expected}.") from error
    finally:
        gc.enable()  # spaCy switches it off while it unpacks, and does not switch it on where that fails


def _refuse_bomb(data: bytes, path: Path) -> None:
    """RelconError where packed bytes hold far more than they are; spaCy would unpack them whatever they hold."""
    most = max(SMALL_BYTES, MOST_RATIO * len(data))
    if len(zlib.decompressobj().decompress(data, most + 1)) > most:
        raise RelconError(f"{path} unpacks to more than {most:,} bytes, far more than its own {len(data):,}; expected {DocBin.expected}.")


def _user_data(doc: Any, name: str) -> Any:
    """The value of an attribute of a Doc, whether it was set as `doc._.name` or in `doc.user_data`; None where it has none."""
    return doc.user_data.get(("._.", name, None, None)) or doc.user_data.get(name)


# ---- a Doc -------------------------------------------------------------------------------------------------------------


def _entity(span: Any, solid: Solid) -> Entity:
    return Entity((Mention(*solid.span(span.start, span.end, f"the entity '{span.text}'")),), span.label_, span.kb_id_)


def _two(value: Any, what: str) -> Tuple[int, int]:
    """Two whole numbers."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(isinstance(each, Integral) for each in value):
        raise RecordError(f"{what} must be two whole numbers, here it is {described(value)}")
    return int(value[0]), int(value[1])


def _only(places: Sequence[Any], wanted: Any, which: str, what: str) -> int:
    """The number of the entity at a place, of which there must be one. places: those of all entities."""
    found = [number for number, place in enumerate(places) if place == wanted]
    if len(found) != 1:
        raise RecordError(f"{what} names the entity that {which}; the Doc has {len(found) or 'no'} entities there, expected one")
    return found[0]


def _score(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise RecordError(f"a score of {what} must be a number, here it is {described(value)}")
    return float(value)


def _relation(head: int, tail: int, label: Any, score: float, what: str) -> Relation:
    if of_kind(label, str, f"the label of {what}") == "":
        raise RecordError(f"the label of {what} is empty; expected its name")
    return Relation(head, tail, label, score=None if score == 1 else score)


def _sentences(doc: Any, solid: Solid) -> Tuple[WordSpan, ...]:
    """The sentences that have a word; () where the Doc has none."""
    found = ((solid.place(each.start), solid.place(each.end)) for each in doc.sents) if doc.has_annotation("SENT_START") else ()
    return tuple((start, end) for start, end in found if start < end)


def _parse(doc: Any, solid: Solid) -> Optional[Parse]:
    """The dependency parse; None where the Doc has none. Words that hang on white space hang on what that hangs on."""
    if not doc.has_annotation("DEP"):
        return None
    tokens = [doc[number] for number in solid.kept]
    kept = set(solid.kept)
    heads = (next((each.i for each in (token.head, *token.head.ancestors) if each.i in kept), token.i) for token in tokens)
    tags = tuple(token.tag_ for token in tokens)
    return Parse(tuple(solid.place(head) for head in heads), tuple(token.dep_ for token in tokens), tags if all(tags) else ())
