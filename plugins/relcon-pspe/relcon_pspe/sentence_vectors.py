"""The vector of a whole sentence, as PSPE's attention reads it."""

from typing import Literal

from torch import Tensor

from relcon.contrast import Encoded, Spans
from relcon.interfaces import Pooler

Source = Literal["pooler", "first"]


class SentenceVector(Pooler):
    """The encoder's vector of the unit's input: its pooled output, or the state of its first position.

    The paper's sentence vector is the output of the first token (Wang et al. 2020); the released code takes BERT's pooled
    output.

    vector: `pooler`: the pooled output of an encoder that has one, the state of the first position of any other; `first`: that state
        always.

    Config::

        [pooler]
        @poolers = "pspe.Sentence.v1"
        vector = "pooler"
    """

    def __init__(self, vector: Source = "pooler"):
        super().__init__()
        self.vector = checked(vector)

    def width(self, state: int) -> int:
        """That of a state."""
        return state

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, H]."""
        return sentence_vectors(encoded, spans.home, self.vector)


def checked(vector: Source) -> Source:
    """The source of sentence vectors, or ValueError where it is none."""
    if vector not in ("pooler", "first"):
        raise ValueError(f"vector must be 'pooler' or 'first', not '{vector}'")
    return vector


def sentence_vectors(encoded: Encoded, rows: Tensor, vector: Source) -> Tensor:
    """[N, H] of rows [N]; vector: as of `SentenceVector`."""
    pooled = encoded.summary if vector == "pooler" else None
    return encoded.states[rows, 0] if pooled is None else pooled[rows]
