"""The same two names on both sides of a division: what a model may know by heart."""

from itertools import combinations
from typing import Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.data.document import Document, Entity

Names = FrozenSet[str]

PairOfNames = Tuple[str, str]


class Fact(NamedTuple):
    """A relation by the names of its arguments, and the place of its document."""

    heads: Names
    tails: Names
    label: str
    place: int

    def pairs(self) -> Iterator[PairOfNames]:
        """All names of the head with all names of the tail."""
        return ((head, tail) for head in self.heads for tail in self.tails)


Known = Dict[PairOfNames, Set[str]]
"""The labels of each two names."""


class KnownByName:
    """Tested relations between names that are related in training too: how many of all, with the same label, and the first of them.

    trained, tested: what the two sides are called.
    """

    def __init__(self, trained: str, tested: str):
        self.trained, self.tested = trained, tested
        self.cases, self.of, self.same = Cases(), 0, 0

    def compare(self, part: str, facts: Iterable[Fact], known: Known, documents: Sequence[Document]) -> None:
        """Look for the tested facts of a part among what is known. documents: those that the facts count in."""
        for fact in facts:
            labels = {label for pair in fact.pairs() for label in known.get(pair, ())}
            self.of += 1
            self.same += fact.label in labels
            if labels:
                said = f"{min(fact.heads)} | {fact.label} | {min(fact.tails)}; in {self.trained}: {', '.join(sorted(labels))}"
                self.cases.add(part, documents[fact.place], said)

    def finding(self, check: str, where: str, parts: str = "") -> Finding:
        """What came of it. parts: in which parts, for the end of the sentence."""
        count = self.cases.counts.total()
        return Finding(
            check,
            "note",
            where,
            f"{number(count, 'relation')} of the {self.of:,} of {self.tested} ({count / self.of:.1%}) {'is' if count == 1 else 'are'} "
            f"between two names that are related in {self.trained} too, {self.same:,} of them ({self.same / self.of:.1%}) with the same "
            f"label{parts}.",
            count,
            self.cases.examples(),
            "relcon.DocumentScores.v1 measures without those that train has with the same label (ign_f1).",
        )


class EntityPairsOfSplits(Check):
    """Relations whose two arguments, by any of their names, are related in an earlier split too; with the same label, or any."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.facts: Dict[str, List[Fact]] = {name: [] for name in subject.splits}

    def see(self, seen: Seen) -> None:
        """Remember the names of every relation."""
        names = [names_of(seen.document, entity) for entity in seen.document.entities]
        for relation in seen.document.relations:
            if relation.label is not None and relation.label not in self.subject.negative:
                self.facts[seen.split].append(Fact(names[relation.head], names[relation.tail], relation.label, seen.place))

    def findings(self) -> Iterator[Finding]:
        """The overlap of each two splits."""
        known = {name: known_in(facts) for name, facts in self.facts.items()}
        for first, second in combinations(self.facts, 2):
            found = KnownByName(first, second)
            found.compare(second, self.facts[second], known[first], self.subject.splits[second].documents)
            if found.cases.counts:
                yield found.finding("entity pairs in two splits", f"{first}, {second}")


def names_of(document: Document, entity: Entity) -> Names:
    """What the mentions of an entity are called, whatever the case."""
    return frozenset(document.mention_text(mention).casefold() for mention in entity.mentions)


def known_in(facts: Iterable[Fact]) -> Known:
    """What facts say of each two names."""
    known: Known = {}
    for fact in facts:
        for pair in fact.pairs():
            known.setdefault(pair, set()).add(fact.label)
    return known
