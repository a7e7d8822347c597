"""The same two names in two splits: what a model may know by heart."""

from itertools import combinations
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Set, Tuple

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.data.document import Document, Entity

Names = FrozenSet[str]


class Fact(NamedTuple):
    """A relation by the names of its arguments, and the place of its document."""

    heads: Names
    tails: Names
    label: str
    place: int


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
        known = {name: _known(facts) for name, facts in self.facts.items()}
        for first, second in combinations(self.facts, 2):
            cases, same = Cases(), 0
            for fact in self.facts[second]:
                labels = {label for head in fact.heads for tail in fact.tails for label in known[first].get((head, tail), ())}
                same += fact.label in labels
                if labels:
                    said = f"{min(fact.heads)} | {fact.label} | {min(fact.tails)}; in {first}: {', '.join(sorted(labels))}"
                    cases.add(second, self.subject.document(second, fact.place), said)
            count, of = cases.counts[second], len(self.facts[second])
            if count:
                yield Finding(
                    "entity pairs in two splits",
                    "note",
                    f"{first}, {second}",
                    f"{number(count, 'relation')} of the {of:,} of {second} ({count / of:.1%}) {'is' if count == 1 else 'are'} between two "
                    f"names that are related in {first} too, {same:,} of them ({same / of:.1%}) with the same label.",
                    count,
                    cases.examples(),
                    "relcon.DocumentScores.v1 measures without those that train has with the same label (ign_f1).",
                )


def names_of(document: Document, entity: Entity) -> Names:
    """What the mentions of an entity are called, whatever the case."""
    return frozenset(document.mention_text(mention).casefold() for mention in entity.mentions)


def _known(facts: List[Fact]) -> Dict[Tuple[str, str], Set[str]]:
    """The labels of each two names."""
    known: Dict[Tuple[str, str], Set[str]] = {}
    for fact in facts:
        for head in fact.heads:
            for tail in fact.tails:
                known.setdefault((head, tail), set()).add(fact.label)
    return known
