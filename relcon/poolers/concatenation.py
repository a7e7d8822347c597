"""Several poolers side by side."""

from typing import Dict

import torch
from torch import Tensor, nn

from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.interfaces import Pooler


class Concatenation(Pooler):
    """The vectors of several poolers side by side, for instance [CLS], head and tail (Wu and He, 2019).

    poolers: by any names, in the order in which their vectors are joined.

    Config::

        [pooler]
        @poolers = "relcon.Concatenation.v1"

        [pooler.poolers]

        [pooler.poolers.sentence]
        @poolers = "relcon.CLS.v1"

        [pooler.poolers.pair]
        @poolers = "relcon.SpanPool.v1"
        inside = "mean"
    """

    def __init__(self, poolers: Dict[str, Pooler]):
        super().__init__()
        if not poolers:
            raise RelconError("relcon.Concatenation.v1 needs at least one pooler.")
        self.poolers: Dict[str, Pooler] = nn.ModuleDict(poolers)  # type: ignore[assignment]

    def width(self, state: int) -> int:
        """The sum of theirs."""
        return sum(pooler.width(state) for pooler in self.poolers.values())

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, sum of widths]."""
        return torch.cat([pooler(encoded, spans) for pooler in self.poolers.values()], 1)
