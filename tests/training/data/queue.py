"""A queue of earlier candidates as further negatives (MoCo's idea, without a momentum encoder): a `--code` file with state that
outlives a step."""

from typing import Tuple

import torch
from torch import Tensor

from relcon.contrast import Contrast, Pairing
from relcon.interfaces import Adjuster


@Adjuster.register("test.Queue.v1")
class Queue(Adjuster):
    """The last rows that it saw repel every anchor. size: how many rows. width: of a vector."""

    def __init__(self, size: int = 8, width: int = 16):
        super().__init__()
        self.rows: Tensor
        self.register_buffer("rows", torch.zeros(size, width))

    def forward(self, anchors: Tensor, candidates: Tensor, contrast: Contrast, pairing: Pairing) -> Tuple[Tensor, Pairing]:
        """More candidates on the right; the batch's own go into the queue."""
        extra = self.rows.clone()
        none, all_ = torch.zeros(len(anchors), len(extra)), torch.ones(len(anchors), len(extra))
        self.rows.copy_(torch.cat([candidates.detach(), self.rows])[: len(self.rows)])
        return torch.cat([candidates, extra]), pairing.widened(none, all_)
