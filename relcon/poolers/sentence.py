"""Vectors of whole inputs."""

from torch import Tensor

from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.interfaces import Pooler


class CLS(Pooler):
    """The last-layer state of the input's first position, [CLS]; the unit itself does not matter.

    Config::

        [pooler]
        @poolers = "relcon.CLS.v1"
    """

    def width(self, state: int) -> int:
        """That of a state."""
        return state

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, H]."""
        return encoded.states[spans.home, 0]


class BertPooler(Pooler):
    """The encoder's own sentence vector: BERT's pooled output, `tanh(W h_CLS + b)` with pre-trained W and b.

    RelconError where the encoder has none.

    Config::

        [pooler]
        @poolers = "relcon.BertPooler.v1"
    """

    def width(self, state: int) -> int:
        """That of a state."""
        return state

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, H]."""
        if encoded.summary is None:
            raise RelconError("relcon.BertPooler.v1 needs an encoder with a pooled output of its own (BERT). Use relcon.CLS.v1 instead.")
        return encoded.summary[spans.home]
