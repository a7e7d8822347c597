"""Classification of relations: a tower with a linear layer, cross-entropy."""

from typing import Any, Callable, Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from relcon import processes
from relcon.contrast import Labelled, View
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Parts, Request, Task, Tower, TowerPlan
from relcon.tasks.precision import full_precision

Recorder = Callable[[Sequence[Any], Tensor, Tensor], None]
"""What is told every prediction made in training: uids, predicted class numbers [n], true class numbers [n]."""


class Classification(Task):
    """Cross-entropy over the labels of the data.

    stream: the sampler that feeds it. reads: which value of its batches. weight: its factor in the stage's loss.
    tower: encoder, pooler and head; a linear layer to as many classes as the label set has is put on top.
    class_weights: label -> factor of its instances' loss, 1 for labels that are not named. The loss stays divided by the
    number of instances, not by their weights.
    label_smoothing: share of the target that is spread evenly over all labels, in [0, 1).

    After `build`, `tower` gives logits. `recorders` is a list of functions that are told every prediction made in training
    (uids, predicted, labels); of several processes each is told of its own share. The log gets `accuracy` since it last asked.
    RelconError where `class_weights` names a label that the data do not have.

    Config::

        [task]
        @tasks = "relcon.Classification.v1"
        stream = "instances"
        [task.tower]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "sentence"
    """

    joint = False

    def __init__(
        self,
        stream: str,
        tower: TowerPlan,
        reads: str = "instances",
        weight: float = 1.0,
        class_weights: Optional[Dict[str, float]] = None,
        label_smoothing: float = 0.0,
    ):
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and below 1, not {label_smoothing}")
        for label, factor in (class_weights or {}).items():
            if factor < 0:
                raise ValueError(f"class_weights must not be below 0, not {factor} for '{label}'")
        self.stream, self.reads, self.weight = stream, reads, weight
        self.plan, self.class_weights, self.label_smoothing = tower, class_weights or {}, label_smoothing
        self.recorders: List[Recorder] = []
        self.tower: Tower
        self.factors: Tensor
        self._right = self._all = 0

    def build(self, parts: Parts) -> None:
        """Make the tower with one output per label."""
        self.tower = self.plan.build(parts, out=len(parts.labels))
        self.register_buffer("factors", self._factors(parts.labels), persistent=False)

    def classifier(self) -> Tower:
        """The tower with one output per label."""
        return self.tower

    def _factors(self, labels: LabelSet) -> Tensor:
        factors = torch.ones(len(labels))
        for label, factor in self.class_weights.items():
            factors[labels.number(label)] = factor
        return factors

    def requests(self, value: Labelled) -> Dict[str, Request]:
        """`views`, unless there are none."""
        return {"views": Request(self.tower, value.views)} if value.views else {}

    def part(self, value: Labelled, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """The summed cross-entropy of some views. vectors: their logits [n, labels]; numbers [n]: which views."""
        if value.labels is None:
            raise RelconError(f"The value '{self.reads}' of stream '{self.stream}' has no labels, but a classifier is trained on it.")
        labels = value.labels[numbers.to(value.labels.device)].to(vectors.device)
        self._record(value, vectors.detach().argmax(1), labels, numbers)
        with full_precision(vectors) as full:
            logits = full(vectors)
            return F.cross_entropy(logits, labels, weight=self.factors.to(logits), reduction="sum", label_smoothing=self.label_smoothing)

    def _record(self, value: Labelled, predicted: Tensor, labels: Tensor, numbers: Tensor) -> None:
        self._right += int((predicted == labels).sum())
        self._all += len(labels)
        if self.training and self.recorders and value.uids is not None:
            uids = [value.uids[number] for number in numbers.tolist()]
            for recorder in self.recorders:
                recorder(uids, predicted, labels)

    def figures(self) -> Dict[str, float]:
        """`accuracy` on the training batches since the last call, in all processes."""
        right, every = processes.summed(torch.tensor([self._right, self._all])).tolist()
        self._right = self._all = 0
        return {"accuracy": right / every} if every else {}
