"""Whether labels hold in one direction or in both."""

from collections import Counter
from typing import Dict, Iterator, Set

from relcon.audit.check import Cases, Check, Seen, Subject, listed
from relcon.audit.finding import Finding

FEW = 10
"""From so many relations on their order in the text says something about a label."""

BOTH = 0.9
"""A label of which such a share is said in both directions is symmetric, but for slips."""


class Directions(Check):
    """Labels that are annotated in one direction while the other is a negative example, and labels that hold in both."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.of: Counter[str] = Counter()
        self.both: Counter[str] = Counter()
        self.backward: Counter[str] = Counter()
        self.opposed: Counter[str] = Counter()
        self.cases = Cases()
        self.splits: Dict[str, None] = {}

    def see(self, seen: Seen) -> None:
        """Look at every labelled pair of two entities of one type, and at its opposite."""
        document, entities = seen.document, seen.document.entities
        answers = {(head, tail): label for head, tail, label in seen.pairs}
        related: Set[str] = set()
        for (head, tail), label in answers.items():
            if label is None or label in self._settled() or entities[head].type != entities[tail].type:
                continue
            opposite = answers.get((tail, head))
            related.add(label)
            self.of[label] += 1
            self.both[label] += opposite == label
            self.backward[label] += entities[tail].first < entities[head].first
            if opposite in self.subject.negative:
                self.opposed[label] += 1
                names = [document.mention_text(entities[number].mentions[0]) for number in (head, tail)]
                self.cases.add(seen.split, document, f"{names[0]} | {label} | {names[1]}, and {opposite} from {names[1]} to {names[0]}")
        if related:
            self.splits[seen.split] = None

    def _settled(self) -> Set[str]:
        """Labels of which nothing is to be found out."""
        return {*self.subject.negative, *self.subject.labels.symmetric}

    def findings(self) -> Iterator[Finding]:
        """What speaks for symmetric labels, and what is trained as a negative."""
        where = ", ".join(self.splits)
        both = {label: count for label, count in self.both.items() if count >= BOTH * self.of[label]}
        forward = self._forward(both)
        opposed = {label: count for label, count in self.opposed.items() if count and label not in both}
        if both:
            yield Finding(
                "labels that hold in both directions",
                "warning",
                where,
                f"These labels are annotated from a to b and from b to a: {listed(both)}. They look symmetric.",
                sum(both.values()),
                (),
                self._symmetric(both),
            )
        if forward:
            yield Finding(
                "labels in text order alone",
                "warning",
                where,
                f"These labels always go from the entity that stands first to the later one, which others do not: {listed(forward)}. "
                "They may be symmetric.",
                sum(forward.values()),
                (),
                self._symmetric(forward),
            )
        if opposed:
            yield Finding(
                "one-sided labels",
                "note",
                where,
                f"Annotated from a to b, while b to a, of the same types, is a negative example: {listed(opposed)}. This is right where "
                "the label has a direction, and costs a model much where it has none.",
                sum(opposed.values()),
                self.cases.examples(),
                f"Ask each pair once: {self.subject.lines.candidates('directed', False)}; or name the labels without a direction: "
                f"{self.subject.lines.key('symmetric')}",
            )

    def _forward(self, both: Dict[str, int]) -> Dict[str, int]:
        """Labels that are never annotated against the order of the text, where others are."""
        if not any(self.backward.values()):
            return {}
        return {label: count for label, count in self.of.items() if count >= FEW and not self.backward[label] and label not in both}

    def _symmetric(self, more: Dict[str, int]) -> str:
        """The line that declares these labels symmetric, beside those that are."""
        return self.subject.lines.data("symmetric", sorted({*self.subject.labels.symmetric, *more}))
