"""Entities and relations of documents, as `relcon.Extraction.v1` leaves them."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from relcon.compare.results import PREDICTIONS, Example, Metric, Results, not_written_by, read_lines, record_of, unlike
from relcon.errors import RelconError
from relcon.evaluators.extracted import WITHOUT, Extracted, without_overlaps
from relcon.evaluators.facts import Kind, Said, Sentence, Spans, items, tally
from relcon.significance import Cells, Sums

KINDS: Tuple[Kind, ...] = ("strict", "relation", "entity", "span")
NOTHING = "-"
"""What an example shows where nothing is annotated, or found."""


class Scored(NamedTuple):
    """How a profile's name is understood. kind: what is compared. drop: without sentences in which annotated entities overlap."""

    kind: Kind
    drop: bool

    @classmethod
    def of(cls, profile: str) -> "Scored":
        """`strict` and the like, perhaps with `.without_overlaps` behind it."""
        return next(cls(kind, suffix == WITHOUT) for kind in KINDS for suffix in ("", WITHOUT) if kind + suffix == profile)


@dataclass(frozen=True)
class ExtractionResults(Results):
    """Documents by id, and how they were scored. direction_free: labels whose direction does not count."""

    evaluator: ClassVar[str] = "relcon.Extraction.v1"
    asked: ClassVar[str] = "documents"
    profiles: ClassVar[Sequence[str]] = tuple(kind + suffix for suffix in ("", WITHOUT) for kind in KINDS)
    one_answer: ClassVar[bool] = False

    folder: Path
    documents: Mapping[str, Extracted]
    profile: str
    direction_free: FrozenSet[str]

    @classmethod
    def read(cls, folder: Path, scores: Mapping[str, Any]) -> "ExtractionResults":
        """From a folder and its `scores.json`. DataError for broken lines."""
        try:
            profile, free = KINDS[0] + {"count": "", "drop": WITHOUT}[scores["overlapping"]], frozenset(map(str, scores["undirected"]))
        except (KeyError, TypeError) as error:
            raise not_written_by(cls.evaluator, folder, error) from None
        return cls(folder, read_lines(folder / PREDICTIONS, _document, cls.asked), profile, free)

    @property
    def gold(self) -> Mapping[str, Any]:
        """What is annotated."""
        return {uid: (each.sentences, each.gold) for uid, each in self.documents.items()}

    def changed(self, ids: Sequence[str], other: Results) -> str:
        """What to say where annotations differ."""
        return f"what is annotated differs in {len(ids)} documents (the first is {ids[0]})"

    def require_same_task(self, other: "ExtractionResults") -> None:
        """RelconError where the direction of other labels does not count."""
        if self.direction_free != other.direction_free:
            one, two = (", ".join(sorted(each.direction_free)) or "none" for each in (self, other))
            raise RelconError(f"{unlike(self, other)}: the labels whose direction does not count differ, {one} and {two}.")

    @classmethod
    def cells(cls, pairs: Sequence[Tuple["ExtractionResults", "ExtractionResults"]], profile: str, metric: Metric) -> Cells:
        """Cells of documents."""
        runs = [{uid: Sums(one.counts(uid, profile), other.counts(uid, profile)) for uid in one.documents} for one, other in pairs]
        return Cells.of_sums(runs, metric)

    def counts(self, uid: str, profile: str) -> Tuple[int, int, int]:
        """How much is right, found and annotated in a document."""
        right, predicted, gold = (int(column) for column in tally(self.sentences(uid, profile), Scored.of(profile).kind).total())
        return right, predicted, gold

    def sentences(self, uid: str, profile: str) -> List[Sentence]:
        """The sentences of a document that count."""
        found = self.documents[uid].parts(self.direction_free)
        return without_overlaps(found) if Scored.of(profile).drop else found

    def examples(self, run: str, other: "ExtractionResults", profile: str) -> List[Example]:
        """The mentions, or pairs of mentions, at which the two found different things."""
        return [example for uid in self.documents for example in self._of_document(run, uid, other, profile)]

    def _of_document(self, run: str, uid: str, other: "ExtractionResults", profile: str) -> Iterable[Example]:
        kind = Scored.of(profile).kind
        mine, theirs = (each.sentences(uid, profile) for each in (self, other))
        gold = _by_place((each.gold for each in mine), kind)
        a, b = (_by_place((each.predicted for each in side), kind) for side in (mine, theirs))
        names = {**other.documents[uid].names, **self.documents[uid].names}
        for place in sorted({*a, *b}):
            if a.get(place) != b.get(place):
                shown = f"{uid} ({' -> '.join(names[spans] for spans in place)})"
                truth, mine_told, theirs_told = (side.get(place, NOTHING) for side in (gold, a, b))
                yield Example(run, shown, truth, mine_told, theirs_told, self.documents[uid].text_at(place[0]))


def _by_place(said: Iterable[Said], kind: Kind) -> Dict[Tuple[Spans, ...], str]:
    """What is said of each place, in words: types of an entity, labels of a pair."""
    found: Dict[Tuple[Spans, ...], List[str]] = {}
    for item in chain.from_iterable(items(each, kind) for each in said):
        found.setdefault(item.place, []).append(str(item))
    return {place: ", ".join(sorted(labels)) for place, labels in found.items()}


def _document(line: bytes) -> Tuple[str, Extracted]:
    """The document that a line holds. RelconError where it holds none."""
    try:
        document = Extracted.from_record(record_of(line))
    except (KeyError, IndexError, TypeError, ValueError):
        parts = '{"entities": [...], "relations": [...]}'
        raise RelconError(f'expected {{"id": TEXT, "sentences": [...], "gold": {parts}, "predicted": {parts}, ...}}') from None
    return document.id, document
