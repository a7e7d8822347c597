"""What the tasks that predict labels share: a tower with one logit per label, the share of right predictions, recorders."""

from abc import abstractmethod
from typing import Callable, Dict, List, Sequence

import torch
from torch import Tensor, nn

from relcon import processes
from relcon.contrast import Labelled, View
from relcon.errors import RelconError
from relcon.interfaces import Parts, Request, Task, Tower, TowerPlan
from relcon.tasks.precision import full_precision


class LabelledTask(Task):
    """Base of `Classification` and `MultiLabelClassification`: a mean over views with labels.

    After `build`, `tower` gives logits. `recorders` (`relcon.tasks.recording.Recorder`) are told every prediction made in training of views
    that have a uid.
    """

    joint = False

    def __init__(self, stream: str, tower: TowerPlan, reads: str, weight: float):
        super().__init__()
        self.stream, self.reads, self.weight, self.plan = stream, reads, weight, tower
        self.recorders = nn.ModuleList()
        self.tower: Tower
        self._right = self._all = 0

    def build(self, parts: Parts) -> None:
        """Make the tower with one output per label."""
        self.tower = self.plan.build(parts, out=len(parts.labels))

    def classifier(self) -> Tower:
        """The tower with one output per label."""
        return self.tower

    def requests(self, value: Labelled) -> Dict[str, Request]:
        """`views`, unless there are none."""
        return {"views": Request(self.tower, value.views)} if value.views else {}

    @abstractmethod
    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The loss of some views, summed over them. logits [n, labels] in full precision; labels [n]; numbers [n]: which views."""

    def part(self, value: Labelled, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """The summed loss of some views. vectors: their logits [n, labels]; numbers [n]: which views."""
        if value.labels is None:
            raise RelconError(f"The value '{self.reads}' of stream '{self.stream}' has no labels, but a classifier is trained on it.")
        labels = value.labels[numbers.to(value.labels.device)].to(vectors.device)
        self._record(value, vectors.detach(), labels, numbers)
        with full_precision(vectors) as full:
            return self.summed_loss(full(vectors), labels, value, numbers)

    def _record(self, value: Labelled, logits: Tensor, labels: Tensor, numbers: Tensor) -> None:
        self._right += int((logits.argmax(1) == labels).sum())
        self._all += len(labels)
        if self.training and value.uids is not None:
            uids = [value.uids[number] for number in numbers.tolist()]
            for recorder in self.recorders:
                recorder(uids, logits, labels)

    def figures(self) -> Dict[str, float]:
        """`accuracy` on the training batches since the last call, in all processes."""
        right, every = processes.summed(torch.tensor([self._right, self._all])).tolist()
        self._right = self._all = 0
        return {"accuracy": right / every} if every else {}

    def training_only(self) -> Sequence[nn.Module]:
        """The recorders."""
        return list(self.recorders)
