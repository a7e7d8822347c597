"""What every check of the data audit sees: the documents of all splits, one by one, each with its candidate pairs."""

import textwrap
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from relcon.audit.finding import MOST, Example, Finding
from relcon.audit.lines import ConfigLines
from relcon.data.document import Document
from relcon.data.labels import LabelSet
from relcon.data.reading import where
from relcon.data.sequences import pairs_of
from relcon.interfaces import CandidateRule, Split
from relcon.protocols import Run

WIDTH = 160
"""So many characters of a text are shown."""


class Candidate(NamedTuple):
    """A candidate pair of a document: entity numbers, and its label or None."""

    head: int
    tail: int
    label: Optional[str]


class Seen(NamedTuple):
    """A document as checks see it. split: the name of its split. place: in the documents of that. pairs: its candidates."""

    split: str
    place: int
    document: Document
    pairs: List[Candidate]


class PairsOfDocuments:
    """The candidate pairs of a split, document by document, from columns."""

    def __init__(self, split: Split):
        columns = pairs_of(split.instances, split.documents)
        rows = np.argsort(columns.document, kind="stable")
        self._first = np.searchsorted(columns.document[rows], np.arange(len(split.documents) + 1))
        self._head, self._tail, self._label = columns.head[rows], columns.tail[rows], columns.label[rows]
        self._names: Tuple[Optional[str], ...] = (*columns.labels, None)  # -1, no label, is the last

    def __getitem__(self, place: int) -> List[Candidate]:
        """Those of the document at a place."""
        rows = slice(self._first[place], self._first[place + 1])
        columns = self._head[rows].tolist(), self._tail[rows].tolist(), self._label[rows].tolist()
        return [Candidate(head, tail, self._names[label]) for head, tail, label in zip(*columns, strict=True)]


@dataclass
class Subject:
    """What is audited.

    splits: those of a corpus that could be read, by name. lines: where the config says what. rule: the candidate rule, None where the
    corpus has none of its own. runs: those of the protocol, none where it cannot be followed. left_out: labels that are not looked at.
    """

    splits: Dict[str, Split]
    lines: ConfigLines
    rule: Optional[CandidateRule]
    runs: List[Run]
    left_out: FrozenSet[str] = frozenset()
    pairs: Dict[str, PairsOfDocuments] = field(init=False)

    def __post_init__(self) -> None:
        self.pairs = {name: PairsOfDocuments(split) for name, split in self.splits.items()}

    @property
    def labels(self) -> LabelSet:
        """The label set of all splits."""
        return next((split.labels for split in self.splits.values()), LabelSet(()))

    @property
    def negative(self) -> FrozenSet[str]:
        """The labels that mean 'no relation'."""
        return self.labels.negative

    def document(self, split: str, place: int) -> Document:
        """A document of a split, without the relations of labels that are left out."""
        return self._looked_at(self.splits[split].documents[place])

    def seen(self) -> Iterator[Seen]:
        """All documents, split by split."""
        for name, split in self.splits.items():
            for place, document in enumerate(split.documents):
                yield Seen(name, place, self._looked_at(document), self.pairs[name][place])

    def _looked_at(self, document: Document) -> Document:
        kept = tuple(each for each in document.relations if each.label not in self.left_out)
        return document if len(kept) == len(document.relations) else replace(document, relations=kept)


class Check(ABC):
    """Looks at every document once, and then says what it found."""

    def __init__(self, subject: Subject):
        self.subject = subject

    @abstractmethod
    def see(self, seen: Seen) -> None:
        """Called with every document."""

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """What it found; called once, after all documents."""


class Cases:
    """Cases of one kind, counted by split, the first few of each kept as examples."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: Dict[str, List[Example]] = {}

    def add(self, split: str, document: Document, text: str) -> None:
        """One more case."""
        self.counts[split] += 1
        first = self.first.setdefault(split, [])
        if len(first) < MOST and (case := example(document, text)) not in first:
            first.append(case)

    def examples(self, splits: Optional[Sequence[str]] = None) -> Tuple[Example, ...]:
        """The first cases of some splits, of all unless said."""
        return tuple(each for name in (self.first if splits is None else splits) for each in self.first.get(name, ()))[:MOST]


def example(document: Document, text: str) -> Example:
    """A case with the place of its document."""
    return Example(where(document), printable(text), printable(document.id))


def printable(text: str) -> str:
    """A text in one line that any terminal and file can hold, cut to `WIDTH`."""
    encoded = text.encode("utf-8", "backslashreplace").decode("utf-8")
    line = "".join(each if each.isprintable() else " " for each in encoded)
    return textwrap.shorten(line, WIDTH, placeholder=" ...")


def listed(counts: Dict[str, int], most: int = 10) -> str:
    """`CONJUNCTION 400, COMPARE 166`, the largest first, at most ten."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    rest = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(f"{name} {count}" for name, count in ordered[:most]) + rest


def number(count: int, one: str, several: str = "") -> str:
    """`1 document`, `1,200 documents`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
