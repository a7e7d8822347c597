"""Records, while a classifier trains, in which epoch it first predicts the label of each relation instance."""

from typing import Any, Dict, FrozenSet, Literal, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from relcon import processes
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Recorder
from relcon_finecl.order import Recorded, Tuples

Policy = Literal["sample_one", "any_gold"]


class Recording(nn.Module):
    """When each of N instances was shown and predicted rightly, first and last: epochs from 0, -1 for never.

    All of it is in buffers, so that a checkpoint keeps it.
    """

    first_shown: Tensor
    last_shown: Tensor
    first_right: Tensor
    last_right: Tensor

    def __init__(self, count: int):
        super().__init__()
        for name in Recorded._fields:
            self.register_buffer(name, torch.full((count,), -1, dtype=torch.int32))

    def note(self, rows: Tensor, right: Tensor, epoch: int) -> None:
        """Some instances were shown in an epoch. rows: [n] which. right: [n] bool, whether the prediction was the label."""
        _mark(self.first_shown, self.last_shown, rows, epoch)
        _mark(self.first_right, self.last_right, rows[right], epoch)

    def merge(self) -> None:
        """Take over what other processes noted. Within an epoch all of them write the same number over -1 or over a smaller one."""
        for buffer in self.buffers():
            buffer.copy_(processes.largest(buffer))

    def columns(self) -> Recorded:
        """All that was noted."""
        return Recorded(*(getattr(self, name).cpu().numpy().astype(np.int64) for name in Recorded._fields))


class OrderRecorder(Recorder):
    """The learning order of a split's relation instances, by predictions of training batches, of passes after an epoch, or both.

    An instance is learned in the first epoch in which it is predicted rightly; that it is forgotten later does not matter (Hogan, Li and
    Shang, EMNLP 2022, algorithms 1 and 2). Pairs without a relation are not recorded.

    tuples: the instances. labels: the label set of the logits. recordings: of `batch` and `epoch` those that are kept. policy:
    `sample_one`: the label has the highest logit of all classes; `any_gold`: it is among the L highest, where L is the number of relations
    that the pair has, and above the classes that mean 'no relation'.

    epoch: the number of the running epoch from 0, which whoever trains has to set.
    """

    gold: Tensor

    def __init__(self, tuples: Tuples, labels: LabelSet, recordings: Sequence[str], policy: Policy = "sample_one"):
        super().__init__()
        self.rows: Dict[str, int] = {uid: row for row, uid in enumerate(tuples.uids)}
        self.negative: FrozenSet[int] = frozenset(labels.number(name) for name in labels.negative)
        self.policy, self.epoch = policy, 0
        self.register_buffer("gold", torch.tensor(tuples.gold, dtype=torch.int32), persistent=False)
        self.recordings = nn.ModuleDict({name: Recording(len(tuples.uids)) for name in recordings})

    def forward(self, uids: Sequence[Any], logits: Tensor, labels: Tensor) -> None:
        """Note predictions of a training batch, as the task tells them: before the step that follows, with dropout."""
        if "batch" in self.recordings:
            self.note("batch", uids, logits, labels)

    def note(self, recording: str, uids: Sequence[Any], logits: Tensor, labels: Tensor) -> None:
        """Note predictions. uids: [n], None for a pair without a relation. logits: [n, classes]. labels: [n] class numbers.

        RelconError where an instance is none of the split.
        """
        kept = [at for at, label in enumerate(labels.tolist()) if uids[at] is not None and label not in self.negative]
        rows = torch.tensor([self.row(uids[at]) for at in kept], dtype=torch.long, device=self.gold.device)
        right = self.right(logits[kept].detach(), labels[kept].to(logits.device), rows)
        self.recordings[recording].note(rows, right.to(rows.device), self.epoch)  # type: ignore[operator]

    def row(self, uid: str) -> int:
        """Where an instance stands."""
        if uid not in self.rows:
            raise RelconError(
                f"'{uid}' is none of the {len(self.rows)} relation instances whose learning order is recorded. Let the classifier's stream "
                "show pairs as the documents state them: no changed copies (copies = 0), in the direction of their relation, and those "
                "with several relations through relcon.DocumentPairs.v1."
            )
        return self.rows[uid]

    def right(self, logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """[n] bool: whether the label counts as predicted. logits: [n, classes]. labels, rows: [n]."""
        if self.policy == "sample_one":
            return logits.argmax(1) == labels
        own = logits.gather(1, labels[:, None])
        among = (logits > own).sum(1) < self.gold[rows].to(logits.device)
        return among & (logits[:, sorted(self.negative)] < own).all(1)

    def merge(self) -> None:
        """Take over what other processes noted; all of them have to call it."""
        for recording in self.recordings.values():
            recording.merge()  # type: ignore[operator]


def _mark(first: Tensor, last: Tensor, rows: Tensor, epoch: int) -> None:
    """Write an epoch as the last one of these rows, and as the first one of those that have none."""
    first[rows[first[rows] < 0]] = epoch
    last[rows] = epoch
