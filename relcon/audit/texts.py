"""The same text twice: in two splits, or in one; and with two answers."""

import hashlib
import unicodedata
from collections import Counter
from itertools import combinations
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Set, Tuple

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.data.document import Document, Instance
from relcon.data.relations import pair_labels
from relcon.evaluators.tables import shown

Place = Tuple[str, int]
"""Split and place of a document in it."""


class Asked(NamedTuple):
    """A candidate pair of a repeated text. labels: all that the data give it."""

    split: str
    instance: Instance
    labels: FrozenSet[str]

    def said(self) -> str:
        """`owner_of: [e1 Orsk] holds [e2 Zorvane]`."""
        return f"{' and '.join(sorted(self.labels))}: {shown(self.instance)}"


class Texts(Check):
    """Texts in several splits or several times in one, examples that come twice, and those that come with different labels.

    Only documents with a candidate pair count, unless there is no candidate rule. Two texts are the same where nothing but case, white
    space and Unicode's compatibility forms tells them apart; two examples, where head and tail stand at the same places in the same text.
    """

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.places: Dict[bytes, List[Place]] = {}
        self.shared: Counter[Tuple[str, str]] = Counter()

    def see(self, seen: Seen) -> None:
        """Remember the text."""
        if seen.document.words and (seen.pairs or self.subject.rule is None):
            self.places.setdefault(text_key(seen.document), []).append((seen.split, seen.place))

    def findings(self) -> Iterator[Finding]:
        """Overlap of splits, repeated examples, contradictions."""
        repeated = [places for places in self.places.values() if len(places) > 1]
        again, contradictions = Cases(), Cases()
        for places in repeated:
            self._compare(places, again, contradictions)
        yield from self._overlap(repeated)
        yield from self._within(repeated)
        for split, count in again.counts.items():
            yield Finding(
                "repeated examples",
                "note",
                split,
                f"{number(count, 'pair repeats', 'pairs repeat')} an earlier one: the same text, arguments and label. "
                "In training they count twice, in scores too.",
                count,
                again.examples([split]),
                f"Take them out of the file: {self.subject.lines.files([split])}",
            )
        if contradictions.counts:
            yield Finding(
                "contradictory duplicates",
                "warning",
                ", ".join(contradictions.counts),
                f"{number(contradictions.counts.total(), 'example comes', 'examples come')} with different labels for the same text and "
                "arguments: no model can get all of them right.",
                contradictions.counts.total(),
                contradictions.examples(),
                f"Correct the labels in the data: {self.subject.lines.files(list(contradictions.counts))}",
            )

    def _overlap(self, repeated: List[List[Place]]) -> Iterator[Finding]:
        """Texts of a split that an earlier split has too."""
        cases: Dict[Tuple[str, str], Cases] = {}
        for places in repeated:
            for first, second in combinations(dict.fromkeys(split for split, _ in places), 2):
                for split, place in places:
                    if split == second:
                        document = self.subject.document(split, place)
                        cases.setdefault((first, second), Cases()).add(second, document, " ".join(document.words))
        for (first, second), found in cases.items():
            count, of = found.counts[second], len(self.subject.splits[second].documents)
            yield Finding(
                "texts in two splits",
                "warning",
                f"{first}, {second}",
                f"{number(count, 'text')} of the {of:,} of {second} {'is' if count == 1 else 'are'} in {first} too; "
                f"{number(self.shared[first, second], 'labelled pair has', 'labelled pairs have')} the same text and arguments there.",
                count,
                found.examples(),
                self._apart(first, second),
            )

    def _within(self, repeated: List[List[Place]]) -> Iterator[Finding]:
        """Documents that have the text of an earlier one of their split."""
        cases = Cases()
        for places in repeated:
            known: Set[str] = set()
            for split, place in places:
                if split in known:
                    document = self.subject.document(split, place)
                    cases.add(split, document, " ".join(document.words))
                known.add(split)
        for split, count in cases.counts.items():
            told = f"{number(count, 'document has', 'documents have')} the text of an earlier one, whatever is annotated in it."
            yield Finding("texts twice in a split", "note", split, told, count, cases.examples([split]), self.subject.lines.files([split]))

    def _apart(self, first: str, second: str) -> str:
        """How to part two splits."""
        lines = self.subject.lines
        if lines.block.get("split_by") == "instance" and lines.block.get(second) is None:
            return lines.data("split_by", "document")
        return f"Take them out of one of the files: {lines.files([first, second])}"

    def _compare(self, places: List[Place], again: Cases, contradictions: Cases) -> None:
        """The pairs of the documents that have one text."""
        for asked in self._by_arguments(places).values():
            known: Set[Tuple[str, FrozenSet[str]]] = set()
            for each in asked:
                if (each.split, each.labels) in known:
                    again.add(each.split, each.instance.document, each.said())
                known.add((each.split, each.labels))
            for first, second in combinations(dict.fromkeys(each.split for each in asked), 2):
                self.shared[first, second] += sum(each.split == second for each in asked)
            if len({each.labels for each in asked}) > 1:
                for each in asked:
                    contradictions.add(each.split, each.instance.document, each.said())

    def _by_arguments(self, places: List[Place]) -> Dict[object, List[Asked]]:
        """The labelled pairs of some documents of one text, by where head and tail stand in it."""
        found: Dict[object, List[Asked]] = {}
        for split, place in places:
            document = self.subject.document(split, place)
            stated, entities = pair_labels(document), mention_keys(document)
            for head, tail, label in self.subject.pairs[split][place]:
                labels = frozenset(stated.get((head, tail), ())) or frozenset({label} if label is not None else ())
                if labels:
                    asked = Asked(split, Instance(document, head, tail, label), labels)
                    found.setdefault((entities[head], entities[tail]), []).append(asked)
        return found


def text_key(document: Document) -> bytes:
    """What two documents of one text have in common."""
    plain = "".join("".join(unicodedata.normalize("NFKC", word).casefold().split()) for word in document.words)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()[:16]


def mention_keys(document: Document) -> List[object]:
    """Of each entity where its mentions stand, counted in characters without white space, whatever the words are."""
    begins = [0]
    for word in document.words:
        begins.append(begins[-1] + len(word))
    return [
        tuple((begins[start], begins[end]) for mention in sorted(entity.mentions) for start, end in mention.spans)
        for entity in document.entities
    ]

