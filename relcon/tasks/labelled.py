"""What the tasks that predict a class of each view share: a mean over views with labels, the share of right predictions; and for those
that predict relations a tower with one logit per label, and recorders."""

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
    """Base of tasks that predict one class of each view. `build` makes `tower`.

    stream, reads, weight: as of `Task`.
    """

    joint = False

    def __init__(self, stream: str, reads: str, weight: float):
        super().__init__()
        self.stream, self.reads, self.weight = stream, reads, weight
        self.tower: Tower
        self._right = self._all = 0

    def requests(self, value: Labelled) -> Dict[str, Request]:
        """`views`, unless there are none."""
        return {"views": Request(self.tower, value.views)} if value.views else {}

    def logits(self, vectors: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """Logits [n, classes] of some views. vectors: those of the tower [n, D]; numbers [n]: which views. The vectors themselves, unless
        overridden."""
        return vectors

    @abstractmethod
    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The loss of some views, summed over them. logits [n, classes] in full precision; labels [n]; numbers [n]: which views."""

    def part(self, value: Labelled, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """The summed loss of some views. vectors: those of the tower [n, D]; numbers [n]: which views."""
        if value.labels is None:
            raise RelconError(f"The value '{self.reads}' of stream '{self.stream}' has no labels, but a classifier is trained on it.")
        labels = value.labels[numbers.to(value.labels.device)].to(vectors.device)
        logits = self.logits(vectors, value, numbers)
        self.record(value, logits.detach(), labels, numbers)
        with full_precision(logits) as full:
            return self.summed_loss(full(logits), labels, value, numbers)

    def record(self, value: Labelled, logits: Tensor, labels: Tensor, numbers: Tensor) -> None:
        """Take note of predictions. logits [n, classes]; labels [n]; numbers [n]: which views."""
        self._right += int((logits.argmax(1) == labels).sum())
        self._all += len(labels)

    def figures(self) -> Dict[str, float]:
        """`accuracy` on the training batches since the last call, in all processes."""
        right, every = processes.summed(torch.tensor([self._right, self._all])).tolist()
        self._right = self._all = 0
        return {"accuracy": right / every} if every else {}


class RelationTask(LabelledTask):
    """Base of `Classification` and `MultiLabelClassification`, which predict the labels of the data.

    After `build`, `tower` gives logits. `recorders` (`relcon.interfaces.Recorder`) are told every prediction made in training of views
    that have a uid.
    """

    def __init__(self, stream: str, tower: TowerPlan, reads: str, weight: float):
        super().__init__(stream, reads, weight)
        self.plan = tower
        self.recorders = nn.ModuleList()

    def build(self, parts: Parts) -> None:
        """Make the tower with one output per label."""
        self.tower = self.plan.build(parts, out=len(parts.labels))

    def classifier(self) -> Tower:
        """The tower with one output per label."""
        return self.tower

    def record(self, value: Labelled, logits: Tensor, labels: Tensor, numbers: Tensor) -> None:
        """Tell the recorders as well."""
        super().record(value, logits, labels, numbers)
        if self.training and value.uids is not None:
            uids = [value.uids[number] for number in numbers.tolist()]
            for recorder in self.recorders:
                recorder(uids, logits, labels)

    def training_only(self) -> Sequence[nn.Module]:
        """The recorders."""
        return list(self.recorders)
