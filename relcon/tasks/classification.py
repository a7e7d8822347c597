"""Classification of relations: a tower with a linear layer, cross-entropy."""

from typing import Dict, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from relcon.contrast import Labelled
from relcon.data.labels import LabelSet
from relcon.interfaces import Parts, TowerPlan
from relcon.tasks.labelled import RelationTask


class Classification(RelationTask):
    """Cross-entropy over the labels of the data.

    stream: the sampler that feeds it. reads: which value of its batches. weight: its factor in the stage's loss.
    tower: encoder, pooler and head; a linear layer to as many classes as the label set has is put on top.
    class_weights: label -> factor of its instances' loss, 1 for labels that are not named. The loss stays divided by the
    number of instances, not by their weights.
    label_smoothing: share of the target that is spread evenly over all labels, in [0, 1).

    After `build`, `tower` gives logits. `recorders` (`relcon.interfaces.Recorder`) are told every prediction made in training
    (uids, logits, labels); of several processes each is told of its own share. The log gets `accuracy` since it last asked.
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

    def __init__(
        self,
        stream: str,
        tower: TowerPlan,
        reads: str = "instances",
        weight: float = 1.0,
        class_weights: Optional[Dict[str, float]] = None,
        label_smoothing: float = 0.0,
    ):
        super().__init__(stream, tower, reads, weight)
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and below 1, not {label_smoothing}")
        for label, factor in (class_weights or {}).items():
            if factor < 0:
                raise ValueError(f"class_weights must not be below 0, not {factor} for '{label}'")
        self.class_weights, self.label_smoothing = class_weights or {}, label_smoothing
        self.factors: Tensor

    def build(self, parts: Parts) -> None:
        """Make the tower with one output per label."""
        super().build(parts)
        self.register_buffer("factors", self._factors(parts.labels), persistent=False)

    def _factors(self, labels: LabelSet) -> Tensor:
        factors = torch.ones(len(labels))
        for label, factor in self.class_weights.items():
            factors[labels.number(label)] = factor
        return factors

    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The summed cross-entropy."""
        return F.cross_entropy(logits, labels, weight=self.factors.to(logits), reduction="sum", label_smoothing=self.label_smoothing)
