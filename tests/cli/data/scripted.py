"""A `--code` file: an objective that teaches as any other, and whose loss on held-out data is what a test wants it to be."""

from typing import List

import torch
from torch import Tensor

from relcon.contrast import Pairing
from relcon.interfaces import ContrastiveObjective
from relcon.objectives.infonce import NTXent


@ContrastiveObjective.register("test.Scripted.v1")
class Scripted(NTXent):
    """losses: in evaluation mode, after the first, second, ... epoch. steps: of an epoch."""

    def __init__(self, losses: List[float], steps: int):
        super().__init__()
        self.losses, self.steps = losses, steps
        self.done: Tensor
        self.register_buffer("done", torch.zeros((), dtype=torch.long))

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """NT-Xent in training, what was written otherwise."""
        if not self.training:
            return anchors.new_tensor(self.losses[int(self.done) // self.steps - 1])
        self.done += 1
        return super().forward(anchors, candidates, pairing)
