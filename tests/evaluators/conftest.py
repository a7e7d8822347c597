"""A model that is a table of answers, and a split of small documents that asks for them."""

from typing import Dict, List, Optional, Sequence

import pytest
import torch

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.interfaces import Lost, Model, Split


class Table(Model):
    """Answers by instance id, embeddings likewise."""

    def __init__(self, labels: LabelSet, answers: Dict[str, str], vectors: Optional[Dict[str, Sequence[float]]] = None):
        self.labels, self.answers, self.vectors, self.asked = labels, answers, vectors or {}, 0

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        self.asked += 1
        rows = torch.full((len(instances), len(self.labels)), 0.1)
        for row, instance in enumerate(instances):
            rows[row, self.labels.number(self.answers[instance.uid])] = 0.7
        return rows

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        return torch.tensor([self.vectors[instance.uid] for instance in instances], dtype=torch.float32)


@pytest.fixture
def model():
    """`model(labels, {"i0": "a"}, vectors)`."""
    return Table


@pytest.fixture
def split():
    """`split(gold, labels, lost, name)`: instances `i0`, `i1`, ... with these labels, and lost relations of these labels."""

    def made(gold: Sequence[Optional[str]], labels: LabelSet, lost: Sequence[str] = (), name: str = "test") -> Split:
        instances: List[Instance] = []
        for number, label in enumerate(gold):
            words = ("The", f"drug{number}", "stops", "the", f"pump{number}", ".")
            entities = (Entity((Mention(1, 2),)), Entity((Mention(3, 5),)))
            document = Document(f"d{number}", words, entities, (Relation(0, 1, label),))
            instances.append(Instance(document, 0, 1, label, f"i{number}"))
        gone = [Lost("d0", 0, 1, label, "head and tail in different sentences") for label in lost]
        return Split(name, [instance.document for instance in instances], instances, labels, gone)

    return made
