"""Who is told what a classifier predicts while it is trained: the beginning of learning orders."""

from abc import ABC, abstractmethod
from typing import Any, Sequence

from torch import Tensor, nn


class Recorder(nn.Module, ABC):
    """Is told every prediction that a classification task makes in training; the task keeps it in its `recorders`.

    What it remembers stands in buffers: checkpoints keep them, saved models do not. It must change nothing of the training: it draws no
    random numbers and leaves what it is given as it is.
    """

    @abstractmethod
    def forward(self, uids: Sequence[Any], logits: Tensor, labels: Tensor) -> None:
        """Predictions of a step, made before its update, with dropout on.

        uids: [n] whose they are; None for what is not to be recorded. logits: [n, labels] without a graph. labels: [n] class numbers.
        Of several processes each is told of its own share; views that were cropped away are not told.
        """
