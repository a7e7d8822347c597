"""Entities that no relation names."""

from collections import Counter
from typing import Iterator

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding


class Unrelated(Check):
    """Entities that are in no relation of their document, in splits that have relations."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.cases, self.entities, self.relations = Cases(), Counter[str](), Counter[str]()

    def see(self, seen: Seen) -> None:
        """Look which entities relations name."""
        document = seen.document
        relations = [each for each in document.relations if each.label is not None and each.label not in self.subject.negative]
        related = {entity for each in relations for entity in (each.head, each.tail)}
        self.entities[seen.split] += len(document.entities)
        self.relations[seen.split] += len(relations)
        for place, entity in enumerate(document.entities):
            if place not in related:
                name = document.mention_text(entity.mentions[0])
                self.cases.add(seen.split, document, f"{name} ({entity.type})" if entity.type else name)

    def findings(self) -> Iterator[Finding]:
        """One for each split."""
        for split, count in self.cases.counts.items():
            if self.relations[split]:
                told = f"{number(count, 'entity', 'entities')} of {self.entities[split]:,} in no relation."
                yield Finding("entities without a relation", "note", split, told, count, self.cases.examples([split]))
