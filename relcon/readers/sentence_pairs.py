"""XML of sentences with entities and pairs of them: the form of the DDI corpus and of the five corpora of protein interactions."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Dict, Iterator, List, Optional, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.tokens import CharSpan
from relcon.errors import Problem, RecordError, did_you_mean
from relcon.readers.elements import Element, elements
from relcon.readers.marks import DIGITS, SHOWN, Mark, place_marks
from relcon.readers.records import OnError, Record, RecordReader


class SentencePairs(RecordReader):
    """A reader of XML files, or of a folder with all XML files below it: a document per <sentence>, an entity per <entity>, a relation
    per <pair> from `e1` to `e2`. A format says how positions are written and what the label of a pair is.

    types: type of the file -> entity type; types that are not named are kept.
    """

    takes = "either"

    between: ClassVar[str]
    """What stands between the parts of a discontinuous `charOffset`."""

    def __init__(self, on_error: OnError, types: Dict[str, str]):
        super().__init__(on_error)
        self.types = types

    @abstractmethod
    def label(self, pair: Element) -> Optional[str]:
        """The label of a pair, None where the file does not say it. RecordError where it says something else."""

    def offset(self, entity: Element) -> str:
        """The `charOffset` of an entity."""
        return entity.get("charOffset")

    @property
    def inclusive(self) -> bool:
        """Whether the last character of a part belongs to it."""
        return True

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences of all files, files in the order of their names."""
        for file in sorted(path.rglob("*.xml")) if path.is_dir() else [path]:
            for each in elements(file, "sentence"):
                yield each if isinstance(each, Problem) else Record(each, each.source)

    def document(self, record: Record) -> Document:
        """One sentence."""
        sentence: Element = record.value
        text, written = sentence.get("text"), sentence.all("entity")
        names = [entity.get("id") for entity in written]
        placed = place_marks(text, [self._mark(entity) for entity in written])
        entities = tuple(
            Entity((mention,), self.types.get(element.get("type"), element.get("type")), name)
            for mention, element, name in zip(placed.mentions, written, names, strict=True)
        )
        return Document(
            id=sentence.get("id"),
            words=placed.words,
            entities=entities,
            relations=tuple(self._relation(pair, names) for pair in sentence.all("pair")),
            text=text,
            offsets=placed.offsets,
            source=record.source,
            metadata={"document": sentence.parent.attributes.get("id", "") if sentence.parent else ""},
        )

    def _relation(self, pair: Element, names: List[str]) -> Relation:
        for name in (pair.get("e1"), pair.get("e2")):
            if names.count(name) != 1:
                raise RecordError(f"the pair names '{name}', which is no entity of the sentence.{did_you_mean(name, names)}", pair.place)
        return Relation(names.index(pair.get("e1")), names.index(pair.get("e2")), self.label(pair), pair.get("id"))

    def _mark(self, entity: Element) -> Mark:
        """An entity with its characters: `a-b;c-d` -> [(a, b + 1), (c, d + 1)] where ends are inclusive."""
        written, ends = self.offset(entity), "inclusive" if self.inclusive else "exclusive"
        parts = [self._part(part, written, entity) for part in written.split(self.between)]
        return Mark(f"the entity with charOffset {written} ({ends} ends)", parts, entity.get("text"), entity.place)

    def _part(self, part: str, written: str, entity: Element) -> CharSpan:
        numbers = part.split("-")
        if len(numbers) != 2 or not all(each.isdecimal() and len(each) <= DIGITS for each in numbers):
            wanted = f"'a-b' or 'a-b{self.between}c-d' with character numbers"
            raise RecordError(f"'charOffset' must be {wanted}, here it is {SHOWN.repr(written)}", entity.place)
        return int(numbers[0]), int(numbers[1]) + self.inclusive
