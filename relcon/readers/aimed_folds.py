"""AIMed as pairs in the ten document-level folds of the unified corpora (`folds_json/test_*.json`)."""

import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Relation, Source
from relcon.data.fields import items, may, need, pair
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import CharSpan, annotate
from relcon.errors import Problem, RecordError, RelconError, place
from relcon.readers.records import OnError, Record, RecordReader, json_object, lines
from relcon.readers.standoff import label_of

ID = re.compile(r"(?P<sentence>(?P<document>\w+\.d\d+)\.s\d+)_(?P<pair>[\w.]+)")
FOLD = re.compile(r"test_(\d+)")

TYPES: Dict[str, str] = {"protein": "PROTEIN"}

Mentioned = Tuple[Tuple[CharSpan, ...], str]
"""Spans and type of an entity."""


class Pair(NamedTuple):
    """A pair of entities; label None where the data has none."""

    id: str
    head: Mentioned
    tail: Mentioned
    label: Optional[str]


class Line(NamedTuple):
    """A line of a fold: a sentence and a pair in it (several where `relation` lists several)."""

    document: str
    sentence: str
    text: str
    pairs: List[Pair]
    source: Source

    @property
    def place(self) -> str:
        """`file:line` for messages."""
        return place(self.source.path, self.source.line)


class AIMedFolds(RecordReader):
    """Reads AIMed's pairs in the unified JSON form: the folder of `test_0.json` to `test_9.json`, or one of them, labelled or not.

    The files are JSON-lines, one pair a line, and the test parts of ten folds that share no abstract. One document per sentence,
    its id the sentence's (`AIMed.d193.s1641`), with all its pairs as relations `positive` or `negative` (None where the line has
    no `relation_type`), `metadata["document"]` its abstract and `metadata["fold"]` the fold. Entities are the distinct
    `entity_k_idx` of a sentence (characters, exclusive ends, discontinuous ones too); the names beside them are not read, as tags
    have leaked into some.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them. A record is a
        sentence with all its pairs.
    types: corpus type -> entity type; types that are not named are kept.

    Source: Pyysalo et al., Comparative analysis of five protein-protein interaction corpora, BMC Bioinformatics 9, 2008.

    Config::

        [reader]
        @readers = "relcon.AIMedFolds.v1"
        on_error = "raise"
    """

    expected = "the folder of AIMed's folds (test_0.json to test_9.json, a pair a line), or one of the files"
    takes = "either"

    def __init__(self, on_error: OnError = "raise", types: Dict[str, str] = TYPES):
        super().__init__(on_error)
        self.types = types

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines with 'relation' and its 'entity_1_idx'."""
        first = glimpse.first("test_*.json")
        relations = None if first.is_array else first.objects("relation")
        known = relations and all("entity_1_idx" in each for each in relations)
        return "JSON-lines with 'relation' and its 'entity_1_idx', as the folds of AIMed have them" if known else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences, each with its lines; folds in the order of their numbers."""
        files = sorted(path.glob("test_*.json"), key=lambda file: (len(file.name), file.name)) if path.is_dir() else [path]
        if not files:
            raise RelconError(f"{path} has no file 'test_*.json'; expected {self.expected}.")
        for file in files:
            sentences: Dict[str, List[Line]] = {}
            for record in lines(file):
                line = record if isinstance(record, Problem) else _line(record)
                if isinstance(line, Problem):
                    yield line
                else:
                    sentences.setdefault(line.sentence, []).append(line)
            yield from (Record(found, found[0].source) for found in sentences.values())

    def document(self, record: Record) -> Document:
        """One sentence with all its pairs."""
        first, *others = record.value
        for line in others:
            if line.text != first.text:
                raise RecordError(f"the text differs from that of the same sentence at {first.place}", line.place)
        pairs = [pair for line in record.value for pair in line.pairs]
        numbers = {entity: number for number, entity in enumerate(sorted({side for pair in pairs for side in (pair.head, pair.tail)}))}
        words, offsets, mentions = annotate(first.text, [(f"the entity at {list(spans)}", spans) for spans, _ in numbers])
        fold = FOLD.search(Path(record.source.path).stem)
        return Document(
            id=first.sentence,
            words=words,
            entities=tuple(Entity((mention,), self.types.get(kind, kind)) for mention, (_, kind) in zip(mentions, numbers, strict=True)),
            relations=tuple(Relation(numbers[pair.head], numbers[pair.tail], pair.label, pair.id) for pair in pairs),
            text=first.text,
            offsets=offsets,
            source=record.source,
            metadata={"document": first.document, **({"fold": int(fold.group(1))} if fold else {})},
        )


def _line(record: Record) -> Union[Line, Problem]:
    """What a line says, or what is wrong with it."""
    try:
        value = json_object(record.value)
        name = ID.fullmatch(need(value, "id", str))
        if not name:
            raise RecordError(f"expected an id such as 'AIMed.d193.s1641_AIMed.d193.s1641.p0', here it is '{value['id']}'")
        relations = items(need(value, "relation", list), dict, "'relation'")
        names = [name["pair"]] if len(relations) == 1 else [f"{name['pair']}.{number}" for number in range(len(relations))]
        pairs = [
            Pair(each, _mentioned(relation, 1), _mentioned(relation, 2), label_of(relation, "relation_type", "the record"))
            for each, relation in zip(names, relations, strict=True)
        ]
        return Line(name["document"], name["sentence"], need(value, "text", str), pairs, record.source)
    except RecordError as error:
        return Problem(record.place, str(error))


def _mentioned(relation: Dict[str, Any], side: int) -> Mentioned:
    spans = items(need(relation, f"entity_{side}_idx", list, "'relation'"), list, f"'entity_{side}_idx'")
    if not spans:
        raise RecordError(f"'entity_{side}_idx' is empty; expected [[start, end], ...] in characters")
    return tuple(pair(span, f"a span of 'entity_{side}_idx'") for span in spans), may(relation, f"entity_{side}_type", str, "")
