"""Which negatives are worth looking at."""

from dataclasses import replace
from typing import Literal, Tuple

import torch
from torch import Tensor

from relcon.contrast import Contrast, Pairing
from relcon.interfaces import Adjuster
from relcon.objectives.similarity import similarities


class HardestNegatives(Adjuster):
    """Keeps the k negatives that are most similar to each anchor; the other negatives are ignored, positives stay.

    k: how many per anchor, at least 1; an anchor with fewer keeps all. similarity: `cosine` or `dot`, as the objective's.

    CLNER's released code has it as one way of choosing negatives (CLDR and CLNER, CoNLL 2021, arXiv 2109.00840). Anchors that share
    a term (`Pairing.groups`) keep k each. No gradient runs through the choice. Behind a queue it chooses among the queue's
    vectors too. ValueError where k is below 1.

    Config::

        [adjuster]
        @adjusters = "relcon.HardestNegatives.v1"
        k = 16
    """

    def __init__(self, k: int, similarity: Literal["cosine", "dot"] = "cosine"):
        super().__init__()
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        self.k = k
        self.similarity: Literal["cosine", "dot"] = similarity

    @torch.no_grad()
    def forward(self, anchors: Tensor, candidates: Tensor, contrast: Contrast, pairing: Pairing) -> Tuple[Tensor, Pairing]:
        """The same candidates, and the pairing [A, C] with at most k negatives per row."""
        alike = similarities(self.similarity, anchors, candidates)
        alike = alike.masked_fill(pairing.negatives.to(alike) == 0, -torch.inf)
        nearest = alike.topk(min(self.k, alike.shape[1]), dim=1).indices
        kept = torch.zeros_like(pairing.negatives).scatter(1, nearest, 1.0)
        return candidates, replace(pairing, negatives=pairing.negatives * kept)
