"""What a classifier gets right and wrong while it trains, and which pairs that makes."""

from typing import Any, Dict, List, Literal, NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor

from relcon import processes
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Recorder

PairRule = Literal["corrected", "literal"]

UNSEEN = -1
"""The prediction for an instance that the epoch has not shown."""


class Predictions(Recorder):
    """The class that was predicted last in the running epoch for each of N instances; those of their changed copies are passed over.

    uids: [N] the instances. RelconError where somebody else is told of.
    """

    predicted: Tensor

    def __init__(self, uids: Sequence[str]):
        super().__init__()
        self.rows: Dict[str, int] = {uid: row for row, uid in enumerate(uids)}
        self.register_buffer("predicted", torch.full((len(uids),), UNSEEN, dtype=torch.int32))

    def forward(self, uids: Sequence[Any], logits: Tensor, labels: Tensor) -> None:
        """Note the class of the highest logit [n, classes]."""
        rows = [self.row(uid) for uid in uids]
        kept = [at for at, row in enumerate(rows) if row >= 0]
        places = torch.tensor([rows[at] for at in kept], dtype=torch.long, device=self.predicted.device)
        self.predicted[places] = logits.detach()[kept].argmax(1).to(self.predicted)

    def row(self, uid: Any) -> int:
        """Where an instance stands; -1 for a changed copy, and for what is not to be recorded."""
        if uid is None:
            return -1
        if uid not in self.rows:
            if str(uid).rpartition("~")[0] in self.rows:
                return -1
            raise RelconError(
                f"The classifier predicts '{uid}', which is none of the {len(self.rows)} instances whose errors are to be paired. Let its "
                "stream draw from the same data (relcon.Instances.v1)."
            )
        return self.rows[uid]

    def begin_epoch(self) -> None:
        """Forget all."""
        self.predicted.fill_(UNSEEN)

    def merge(self) -> None:
        """Take over what other processes were told: each instance is shown to one of them in an epoch."""
        self.predicted.copy_(processes.largest(self.predicted))

    def classes(self) -> np.ndarray:
        """[N] the predictions, -1 where there is none."""
        return self.predicted.cpu().numpy().astype(np.int64)


class Pair(NamedTuple):
    """An error and an instance that was predicted rightly, by their numbers. is_negative: it repels the error; otherwise it attracts."""

    error: int
    partner: int
    is_negative: bool


class Judged:
    """The instances of a split by what was predicted for them, and the pairs that follow.

    An error is pulled towards instances of its true relation and pushed away from those of the relation that it was taken for, all of them
    predicted rightly (CLoCE, anonymous submission, section on contrastive learning; the printed condition is the same for both sides,
    which is the rule `literal`).

    gold: [N] class numbers. predicted: [N] likewise, -1 where the epoch has shown nothing. usable: [N] bool, which can be partners.
    rule: `literal` takes the partners of both sides from the relation that the error was taken for. most: partners of an error on each
    side. barred: class numbers that partners must not have.
    """

    def __init__(
        self, gold: np.ndarray, predicted: np.ndarray, usable: np.ndarray, rule: PairRule, most: int, barred: Sequence[int] = ()
    ):
        right = predicted == gold
        self.gold, self.most = gold, most
        self.errors = np.flatnonzero((predicted != UNSEEN) & ~right)
        self.correct = np.flatnonzero(right)
        partners = np.flatnonzero(right & usable & ~np.isin(gold, list(barred)))
        order = np.argsort(gold[partners], kind="stable")
        self.partners, self.sorted = partners[order], gold[partners][order]
        mistaken = predicted[self.errors]
        self.sides = (mistaken if rule == "literal" else gold[self.errors], mistaken)

    def pools(self, is_negative: bool) -> np.ndarray:
        """[E, 2] for each error where its partners of a side begin and end in `partners`."""
        classes = self.sides[is_negative]
        return np.stack([np.searchsorted(self.sorted, classes, side) for side in ("left", "right")], axis=1)  # type: ignore[call-overload]

    def counts(self) -> np.ndarray:
        """[E, 2] how many positive and how many negative partners each error gets."""
        return np.stack([np.minimum(np.diff(self.pools(side), axis=1)[:, 0], self.most) for side in (False, True)], axis=1)

    def draw(self, generator: torch.Generator) -> List[List[Pair]]:
        """The pairs of each error, [] where it has none; partners of a side are distinct, each as likely as the others."""
        found: List[List[Pair]] = [[] for _ in self.errors]
        for is_negative in (False, True):
            for pairs, error, (begin, end) in zip(found, self.errors.tolist(), self.pools(is_negative).tolist(), strict=True):
                drawn = torch.randperm(end - begin, generator=generator)[: self.most].tolist()
                pairs.extend(Pair(error, int(self.partners[begin + place]), is_negative) for place in drawn)
        return found


def negative_classes(labels: LabelSet) -> List[int]:
    """The numbers of the labels that mean 'no relation'."""
    return [labels.number(name) for name in labels.negative]
