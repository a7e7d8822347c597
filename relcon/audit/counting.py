"""How much of what is in each split."""

from collections import Counter
from typing import Dict, Tuple

from relcon.audit.check import Seen, Subject
from relcon.audit.finding import SplitCounts, TypePair
from relcon.data.relations import LEFT_OUT


class Counting:
    """Counts of every split, document by document."""

    def __init__(self, subject: Subject):
        self.splits = {name: SplitCounts(name) for name in subject.splits}
        self.entities: Dict[str, Counter[str]] = {name: Counter() for name in subject.splits}
        self.relations: Dict[str, Counter[str]] = {name: Counter() for name in subject.splits}
        self.labels: Dict[str, Counter[str]] = {name: Counter() for name in subject.splits}
        self.left_out: Dict[str, Counter[str]] = {name: Counter() for name in subject.splits}
        self.type_pairs: Dict[str, Dict[Tuple[str, str], TypePair]] = {name: {} for name in subject.splits}
        self.lost = {name: Counter(each.cause for each in split.lost) for name, split in subject.splits.items()}

    def see(self, seen: Seen) -> None:
        """One more document."""
        counts, document = self.splits[seen.split], seen.document
        counts.documents += 1
        counts.sentences += len(document.sentences)
        counts.words += len(document.words)
        self.entities[seen.split].update(entity.type for entity in document.entities)
        self.relations[seen.split].update(each.label for each in document.relations if each.label is not None)
        self.left_out[seen.split].update(document.metadata.get(LEFT_OUT, {}))
        self._pairs(seen)

    def _pairs(self, seen: Seen) -> None:
        counts, type_pairs, entities = self.splits[seen.split], self.type_pairs[seen.split], seen.document.entities
        counts.pairs += len(seen.pairs)
        for head, tail, label in seen.pairs:
            types = entities[head].type, entities[tail].type
            of_types = type_pairs.setdefault(types, TypePair(*types))
            of_types.pairs += 1
            if label is None:
                counts.unlabelled += 1
            else:
                self.labels[seen.split][label] += 1
                of_types.labels[label] = of_types.labels.get(label, 0) + 1

    def counts(self) -> Dict[str, SplitCounts]:
        """The counts of all splits by name, the largest first within each."""
        for name, counts in self.splits.items():
            counts.entities, counts.relations = dict(self.entities[name].most_common()), dict(self.relations[name].most_common())
            counts.labels, counts.lost = dict(self.labels[name].most_common()), dict(self.lost[name].most_common())
            counts.left_out = dict(self.left_out[name].most_common())
            counts.type_pairs = sorted(self.type_pairs[name].values(), key=lambda each: -each.pairs)
        return self.splits
