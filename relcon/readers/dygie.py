"""DyGIE's JSON-lines, also those of PURE and SciERC: tokenised documents with entities and relations of each sentence."""

from collections import Counter
from dataclasses import replace
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, WordSpan
from relcon.data.fields import items, may, need, of_kind
from relcon.data.glimpse import Glimpse
from relcon.data.reading import WHOLE, Part
from relcon.data.relations import LEFT_OUT
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import LineReader, OnError, Record, json_object


class Item(NamedTuple):
    """What becomes one document.

    id: its id. key: the `doc_key`. what: what to call it in messages. sentences: the tokens of each. start: the number of its first
    token in the file's document. entities, relations, clusters: as the file has them.
    """

    id: str
    key: str
    what: str
    sentences: List[Any]
    start: int
    entities: List[Any]
    relations: List[Any]
    clusters: List[Any] = []


class DyGIE(LineReader):
    """Reads DyGIE's JSON-lines, labelled or not: SciERC, ACE05 and others as they are used for joint extraction.

    A line is `{"doc_key": "...", "sentences": [["..."]], "ner": [[[start, end, type]]], "relations": [[[s1, e1, s2, e2, type]]]}`, with a
    list of `ner` and of `relations` for each sentence: positions count the tokens of the whole document, ends are **inclusive**. `ner`
    and `relations` may be absent. `clusters` are read where `coreference` says so, other keys (`dataset`) are not.

    A relation names its arguments by their spans, and each must be annotated in `ner`; where a span has several types, all of them are
    entities and its relations are those of the first. Entities that overlap are kept. Tokens stay as they are (`-LRB-`).

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    unit: "sentence": a document for each sentence, with the id `DOC_KEY.sN` (N from 0) and the `doc_key` as `metadata["document"]`, so that
        the sentences of a document stay on one side of a division; a relation between sentences is then a bad record. "document": whole
        documents, with the `doc_key` as id.
    coreference: with unit = "document", entities of one of the `clusters`, `[[[start, end], ...], ...]`, are one entity with several
        mentions, of the type of the first mention of the cluster. Mentions that `ner` has not, that stand in two clusters or twice in one,
        and types other than the first are counted in `metadata["left_out"]`.

    Source: Wadden et al., Entity, Relation, and Event Extraction with Contextualized Span Representations, EMNLP-IJCNLP 2019.

    Config::

        [reader]
        @readers = "relcon.DyGIE.v1"
        unit = "sentence"
    """

    expected = 'a DyGIE file, each line {"doc_key": ..., "sentences": [[...]], "ner": [[...]], "relations": [[...]]}'

    def __init__(self, on_error: OnError = "raise", unit: Literal["sentence", "document"] = "sentence", coreference: bool = False):
        super().__init__(on_error)
        if unit not in ("sentence", "document"):
            raise RelconError(f"unit must be 'sentence' or 'document', not '{unit}'")
        if coreference and unit != "document":
            raise RelconError('coreference = true joins mentions of a whole document; it needs unit = "document"')
        self.unit, self.coreference = unit, coreference

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines with 'doc_key' and 'sentences'."""
        known = not glimpse.is_array and glimpse.has("doc_key", "sentences")
        return "JSON-lines with 'doc_key' and 'sentences', as DyGIE, PURE and SciERC have them" if known else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences, or documents, of all lines."""
        return self.part_records(path, WHOLE)

    def part_records(self, path: Path, part: Part) -> Iterator[Union[Record, Problem]]:
        """The sentences, or documents, of the lines of a stretch."""
        for line in super().part_records(path, part):
            yield from [line] if isinstance(line, Problem) else self._records_of(line)

    def _records_of(self, line: Record) -> List[Union[Record, Problem]]:
        """What a line holds."""
        try:
            value = json_object(line.value)
            whole = _whole(value)
            clusters = may(value, "clusters", list, []) if self.coreference else []
        except RecordError as error:
            return [Problem(line.place, str(error))]
        items_of_line = _by_sentence(*whole) if self.unit == "sentence" else [_joined(*whole)._replace(clusters=clusters)]
        return [Record(item, line.source) for item in items_of_line]

    def document(self, record: Record) -> Document:
        """One sentence, or one document."""
        item: Item = record.value
        try:
            words, sentences = _words(item.sentences)
            entities = [_entity(each, f"entity {number}", item.start, len(words)) for number, each in enumerate(item.entities)]
            joined = _coreferent(item, entities, tuple(_relations(item, entities)), len(words))
        except RecordError as error:
            raise RecordError(f"{item.what}: {error}") from error
        return Document(
            id=item.id,
            words=words,
            entities=joined.entities,
            relations=joined.relations,
            sentences=sentences,
            source=record.source,
            metadata={"document": item.key, **({LEFT_OUT: joined.left_out} if joined.left_out else {})},
        )


class Joined(NamedTuple):
    """Entities with all their mentions, relations between them, and what of the clusters was left out, by cause."""

    entities: Tuple[Entity, ...]
    relations: Tuple[Relation, ...]
    left_out: Dict[str, int]


Whole = Tuple[str, List[Any], List[Any], List[Any]]
"""The `doc_key` of a line, and its sentences, `ner` and `relations`, a list for each sentence."""


def _whole(value: Dict[str, Any]) -> Whole:
    """RecordError where there is not a list of annotations for each sentence."""
    key, sentences = need(value, "doc_key", str), items(need(value, "sentences", list), list, "'sentences'")
    if not sentences:
        raise RecordError(f"document '{key}' has no sentence")
    return key, sentences, *(_per_sentence(value, name, len(sentences)) for name in ("ner", "relations"))  # type: ignore[return-value]


def _per_sentence(value: Dict[str, Any], name: str, count: int) -> List[Any]:
    """The annotations of each sentence; none where the key is absent."""
    found = items(may(value, name, list, [[]] * count), list, f"'{name}'")
    if len(found) != count:
        raise RecordError(f"'{name}' has {len(found)} lists for {count} sentences; expected one for each sentence, empty where it has none")
    return found


def _by_sentence(key: str, sentences: List[Any], entities: List[Any], relations: List[Any]) -> Iterator[Item]:
    starts = accumulate(map(len, sentences), initial=0)
    for number, (tokens, start, found, related) in enumerate(zip(sentences, starts, entities, relations, strict=False)):
        yield Item(f"{key}.s{number}", key, f"sentence {number} of document '{key}'", [tokens], start, found, related)


def _joined(key: str, sentences: List[Any], entities: List[Any], relations: List[Any]) -> Item:
    return Item(key, key, f"document '{key}'", sentences, 0, list(chain(*entities)), list(chain(*relations)))


def _words(sentences: List[Any]) -> Tuple[Tuple[str, ...], Tuple[WordSpan, ...]]:
    """The tokens, none of them white space, and where sentences begin and end, none of them empty."""
    for number, tokens in enumerate(sentences):
        if not tokens:
            raise RecordError(f"'sentences' has an empty list at place {number}; expected at least one token")
        for place, token in enumerate(items(tokens, str, "'sentences'")):
            if not token.strip():
                raise RecordError(f"token {place} of 'sentences' is empty or white space")
    return tuple(chain(*sentences)), tuple(pairwise(accumulate(map(len, sentences), initial=0)))


def _entity(value: Any, what: str, start: int, size: int) -> Entity:
    """An entity of `ner`. start: the number of the first token. size: how many there are."""
    first, last, kind = _fields(value, what, "[start, end, type]")
    return Entity((Mention(*_span(first, last, start, size, what)),), of_kind(kind, str, f"the type of {what}"))


def _relations(item: Item, entities: Sequence[Entity]) -> Iterator[Relation]:
    """The relations, between the first entities of their spans."""
    numbers = _first_of_spans(entities)
    size = sum(map(len, item.sentences))
    for place, value in enumerate(item.relations):
        what = f"relation {place}"
        one, two, three, four, label = _fields(value, what, "[start1, end1, start2, end2, type]")
        spans = [_span(first, last, item.start, size, f"an argument of {what}") for first, last in ((one, two), (three, four))]
        for start, end in spans:
            if (start, end) not in numbers:
                raise RecordError(
                    f"an argument of {what} is the span [{start + item.start}, {end + item.start - 1}], which 'ner' does not have as an "
                    "entity; every argument must be annotated there"
                )
        if of_kind(label, str, f"the type of {what}") == "":
            raise RecordError(f"the type of {what} is empty; expected its name")
        yield Relation(numbers[spans[0]], numbers[spans[1]], label)


def _first_of_spans(entities: Sequence[Entity]) -> Dict[WordSpan, int]:
    """The number of the first entity of each span."""
    numbers: Dict[WordSpan, int] = {}
    for number, entity in enumerate(entities):
        numbers.setdefault(entity.mentions[0][:2], number)
    return numbers


def _coreferent(item: Item, entities: Sequence[Entity], relations: Sequence[Relation], size: int) -> Joined:
    """Entities of one cluster as one, at the place of the first of them, with mentions in the order of the cluster."""
    left_out = Counter[str]()
    groups = {min(group): group for group in _groups(item, entities, size, left_out)}
    merged = {number: first for first, group in groups.items() for number in group}
    kept = [number for number in range(len(entities)) if merged.get(number, number) == number]
    places = {number: place for place, number in enumerate(kept)}
    found = []
    for number in kept:
        group = groups.get(number, [number])
        left_out["type of a further mention"] += sum(entities[each].type != entities[group[0]].type for each in group)
        found.append(Entity(tuple(entities[each].mentions[0] for each in group), entities[group[0]].type))
    numbers = [places[merged.get(number, number)] for number in range(len(entities))]
    moved = (replace(each, head=numbers[each.head], tail=numbers[each.tail]) for each in relations)
    return Joined(tuple(found), tuple(moved), dict(+left_out))


def _groups(item: Item, entities: Sequence[Entity], size: int, left_out: "Counter[str]") -> Iterator[List[int]]:
    """The entities of each cluster. left_out: gets mentions that are no entity, or one that stands in a cluster already."""
    free = _first_of_spans(entities)
    for number, cluster in enumerate(items(item.clusters, list, "'clusters'")):
        what = f"a mention of cluster {number}"
        ends = [_fields(each, what, "[start, end]") for each in cluster]
        spans = [_span(first, last, item.start, size, what) for first, last in ends]
        group = [free.pop(span) for span in spans if span in free]
        left_out["mention of a cluster without an entity of its own"] += len(spans) - len(group)
        if group:
            yield group


def _fields(value: Any, what: str, form: str) -> List[Any]:
    """The values of an annotation of this form."""
    found: List[Any] = of_kind(value, list, what)
    if len(found) != form.count(",") + 1:
        raise RecordError(f"{what} must be {form}, here it has {len(found)} values")
    return found


def _span(first: Any, last: Any, start: int, size: int, what: str) -> WordSpan:
    """An inclusive span of the file's document as words of ours."""
    begin, end = (of_kind(value, int, f"a position of {what}") for value in (first, last))
    if begin > end:
        raise RecordError(f"{what} has the span [{begin}, {end}], which is reversed; the end is inclusive and not below the start")
    if begin < start or end >= start + size:
        raise RecordError(
            f"{what} has the span [{begin}, {end}] outside the tokens {start} to {start + size - 1}; positions count the tokens of the "
            'whole document, the end is inclusive, and with unit = "sentence" a span lies in its own sentence'
        )
    return begin - start, end - start + 1
