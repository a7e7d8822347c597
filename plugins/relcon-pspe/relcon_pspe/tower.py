"""Towers whose head is built of PSPE's MLP blocks."""

from itertools import pairwise
from typing import List, Optional

from torch import nn

from relcon.errors import RelconError
from relcon.interfaces import Parts, Tower, TowerPlan
from relcon.towers import part_named
from relcon_pspe.blocks import Block, linear


class BlockTower(TowerPlan):
    """An encoder and a pooler of the stage, by name, with a head of MLP blocks of the task's own.

    A block is a linear layer, GELU, layer normalisation and dropout; weights begin as N(0, 0.02), biases as 0. PSPE contrasts behind two
    blocks of 768, and classifies relations behind blocks of 300 and 128 (the released code of Wang et al. 2020). A classification task
    appends a linear layer to its classes.

    encoder, pooler: names in the stage's `encoders` and `poolers`. head: the output width of each block; empty: none (the paper's ablation
    "w/o MLP head"). dropout: of each block. depth: how many encoder layers to run; 0: embeddings alone, null: all.

    RelconError where a width is below 1 or the dropout is none; building raises it where a name is unknown.

    Config::

        [anchors]
        @towers = "pspe.Tower.v1"
        encoder = "text"
        pooler = "spans"
        head = [768, 768]
    """

    def __init__(
        self,
        encoder: str,
        pooler: str,
        head: List[int] = [],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        dropout: float = 0.1,
        depth: Optional[int] = None,
    ):
        if any(width < 1 for width in head):
            raise RelconError(f"head must be a list of widths of at least 1, got {head}.")
        if not 0 <= dropout < 1:
            raise RelconError(f"dropout must lie in [0, 1), got {dropout}.")
        self.encoder, self.pooler, self.head, self.dropout, self.depth = encoder, pooler, list(head), dropout, depth

    def build(self, parts: Parts, out: Optional[int] = None) -> Tower:
        """The tower. out: append a linear layer to so many classes."""
        encoder = part_named(parts.encoders, self.encoder, "encoder")
        pooler = part_named(parts.poolers, self.pooler, "pooler")
        widths = [pooler.width(encoder.width), *self.head]
        layers: List[nn.Module] = [Block(into, to, self.dropout) for into, to in pairwise(widths)]
        if out is not None:
            layers.append(linear(widths[-1], out))
        head = nn.Sequential(*layers).to(next(encoder.parameters())) if layers else None
        return Tower(encoder, pooler, head, self.depth)
