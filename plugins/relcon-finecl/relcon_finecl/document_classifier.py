"""The document-level classifier of DocRED's baselines and of FineCL's stages 1 and 3: pairs with a distance, and a bilinear layer."""

from typing import Optional

import torch
from torch import Tensor, nn

from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.interfaces import Parts, Pooler, Tower, TowerPlan
from relcon.poolers.spans import SpanPool
from relcon.towers import part_named

BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""The least distance, in positions, of buckets 1 to 9; bucket 0 is the distance 0."""

ROWS, MIDDLE = 20, 10
"""Rows of the distance table; the one of distance 0 is zero and stays so."""


class PairWithDistance(Pooler):
    """Head and tail of a pair side by side, each an entity vector and an embedding of how far they are apart.

    A linear layer takes every state to `size`; an entity vector is the mean over its surviving mentions of the mean of their positions. The
    distance is the first position of the head's first surviving mention minus that of the tail's, in ten buckets by powers of two
    (0, 1, 2-3, 4-7, ..., 256 and more), signed: with the signed bucket b the head has row 10 + b of a table of 20, the tail
    row 10 - b; row 10 is zero. Yao et al. 2019 (arXiv 1906.06127); Hogan, Li and Shang, EMNLP 2022.

    state: the width of the encoder's states. size: of an entity vector. distance: of a distance embedding.

    For renderers that give two slots (relcon.Plain.v1) and finecl.BilinearTower.v1. RelconError where the encoder has states of another
    width, or units have another number of slots.

    Config::

        [pooler]
        @poolers = "finecl.PairWithDistance.v1"
        state = 768
    """

    def __init__(self, state: int = 768, size: int = 128, distance: int = 20):
        super().__init__()
        if min(state, size, distance) < 1:
            raise ValueError(f"state, size, distance: {state}, {size}, {distance} must be at least 1")
        self.linear = nn.Linear(state, size)
        self.distances = nn.Embedding(ROWS, distance, padding_idx=MIDDLE)
        self.mentions = SpanPool("mean", slots=2)

    def width(self, state: int) -> int:
        """Twice an entity vector with its distance."""
        if state != self.linear.in_features:
            raise RelconError(
                f"finecl.PairWithDistance.v1 has state = {self.linear.in_features}, but the encoder's states are {state} wide. "
                f"Write state = {state}."
            )
        return 2 * (self.linear.out_features + self.distances.embedding_dim)

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, 2 * (size + distance)]: the head's half, then the tail's."""
        reduced = Encoded(self.linear(encoded.states), encoded.mask)
        head, tail = self.mentions(reduced, spans).chunk(2, 1)
        bucket = signed_bucket(distances(spans))
        return torch.cat([head, self.distances(MIDDLE + bucket), tail, self.distances(MIDDLE - bucket)], 1)


def distances(spans: Spans) -> Tensor:
    """[U] the first position of the first slot's first span minus that of the second's; of a slot without spans the position is 0."""
    first = spans.slot.new_full((spans.units * spans.slots,), len(spans.slot))
    first = first.scatter_reduce(0, spans.slot, torch.arange(len(spans.slot), device=first.device), "amin")
    start = torch.cat([spans.start, spans.start.new_zeros(1)])[first].view(spans.units, spans.slots)
    return start[:, 0] - start[:, 1]


def signed_bucket(distance: Tensor) -> Tensor:
    """[U] the bucket of each distance, -9 to 9, with its sign."""
    bounds = torch.tensor(BUCKETS, device=distance.device)
    return torch.bucketize(distance.abs(), bounds, right=True) * distance.sign()


class BilinearTower(TowerPlan):
    """An encoder and a pooler of the stage, by name, and for each class c the score `h M_c t + b_c` of the two halves h, t of a vector.

    The head of DocRED's baselines (Yao et al. 2019, arXiv 1906.06127) and of FineCL's document-level classifier (Hogan, Li and Shang,
    EMNLP 2022): one matrix and a bias per class, uniform within 1 / sqrt(width of h) to begin with.

    encoder, pooler: names in the stage's `encoders` and `poolers`; the pooler gives two halves of one width (finecl.PairWithDistance.v1).
    depth: how many encoder layers to run; 0: embeddings alone, null: all.

    For classification tasks only. RelconError where a name is unknown, the pooler's width is odd, or no task asks for classes.

    Config::

        [tower]
        @towers = "finecl.BilinearTower.v1"
        encoder = "text"
        pooler = "pair"
    """

    def __init__(self, encoder: str, pooler: str, depth: Optional[int] = None):
        self.encoder, self.pooler, self.depth = encoder, pooler, depth

    def build(self, parts: Parts, out: Optional[int] = None) -> Tower:
        """The tower. out: the number of classes."""
        encoder = part_named(parts.encoders, self.encoder, "encoder")
        pooler = part_named(parts.poolers, self.pooler, "pooler")
        width = pooler.width(encoder.width)
        if out is None:
            raise RelconError("finecl.BilinearTower.v1 gives a score per class: for a classification task, relcon.Tower.v1 elsewhere.")
        if width % 2:
            raise RelconError(f"finecl.BilinearTower.v1 needs two halves of one width, but vectors of '{self.pooler}' are {width} wide.")
        return Tower(encoder, pooler, Halves(width // 2, out).to(next(encoder.parameters())), self.depth)


class Halves(nn.Module):
    """A bilinear layer over the two halves of a vector."""

    def __init__(self, side: int, out: int):
        super().__init__()
        self.bilinear = nn.Bilinear(side, side, out)

    def forward(self, vectors: Tensor) -> Tensor:
        """Scores [U, out] of vectors [U, 2 * side]."""
        head, tail = vectors.chunk(2, 1)
        scores: Tensor = self.bilinear(head, tail)
        return scores
