"""Objectives that judge every pair by itself: no softmax, no competition among candidates."""

import math
from typing import Dict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relcon.contrast import Pairing
from relcon.interfaces import ContrastiveObjective
from relcon.objectives.similarity import similarities, similarity_figures


class PairwiseBCE(ContrastiveObjective):
    """Is this pair a pair? Binary cross-entropy on the dot product.

    loss = 1/M sum over pairs of P log(1 + e^(-a.c)) + N log(1 + e^(a.c)), with P and N the weights of positives and negatives
    (times the weight of their term) and M the number of pairs in either (Baldini Soares et al. 2019, arXiv 1906.03158,
    "matching the blanks": p = 1 / (1 + e^(-a.c))). A softmax over candidates instead is InfoNCE.

    Config::

        [objective]
        @objectives = "relcon.PairwiseBCE.v1"
    """

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss, a scalar. anchors [A, D], candidates [C, D], pairing [A, C]."""
        logits = similarities("dot", anchors, candidates)
        pairing = pairing.to(logits)
        return mean_of_pairs(F.softplus(-logits), F.softplus(logits), pairing)

    def idle(self, pairing: Pairing) -> int:
        """Terms without any pair."""
        return pairing.empty()

    def figures(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Dict[str, float]:
        """`positive_similarity`, `negative_similarity` (dot products), `nearest`."""
        return similarity_figures(similarities("dot", anchors, candidates), pairing)


class MarginPairs(ContrastiveObjective):
    """Pull positives together, push negatives apart up to a margin of cosine distance.

    With d = 1 - cosine in [0, 2]: loss = 1/M sum over pairs of P d^2 + N 1/2 max(0, margin - d)^2, with P and N the weights of
    positives and negatives (times the weight of their term) and M the number of pairs in either (Hadsell et al. 2006; in this
    form, with the half on the negatives only, CLoCE).

    margin: the distance that negatives are pushed to, at most 2. trainable: learn it, as smallest + softplus(rho) and at most
    2. Its gradient is never below 0, so it can only shrink: a bare parameter would fall to the distance of the nearest negative, and
    with it all vectors to one point, where nothing is left to learn. smallest: what keeps it from that. reg: adds
    reg * (m - margin)^2, m the margin in use, which pulls it back to where it began. half_positive: half the weight of the positives too.

    ValueError where margin, smallest or reg is out of range, or reg is given for a margin that is not trainable.

    Config::

        [objective]
        @objectives = "relcon.MarginPairs.v1"
        margin = 0.5
    """

    def __init__(self, margin: float = 0.5, trainable: bool = False, smallest: float = 0.1, half_positive: bool = False, reg: float = 0.0):
        super().__init__()
        if not 0 < margin <= 2:
            raise ValueError(f"margin must be above 0 and at most 2, the largest cosine distance, not {margin}")
        if trainable and not 0 < smallest < margin:
            raise ValueError(f"smallest must lie between 0 and margin ({margin}), not {smallest}")
        if not 0 <= reg < math.inf:
            raise ValueError(f"reg must be finite and not below 0, not {reg}")
        if reg and not trainable:
            raise ValueError("reg pulls a trainable margin back to where it began: set trainable = true, or leave reg out")
        self.start, self.smallest, self.half_positive, self.reg = margin, smallest, half_positive, reg
        self.rho = nn.Parameter(torch.tensor(margin - smallest).expm1().log()) if trainable else None

    @property
    def margin(self) -> Tensor:
        """The margin in use, a scalar."""
        if self.rho is None:
            return torch.tensor(self.start)
        return (self.smallest + F.softplus(self.rho)).clamp(max=2.0)

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss, a scalar. anchors [A, D], candidates [C, D], pairing [A, C]."""
        distance = 1 - similarities("cosine", anchors, candidates)
        pairing = pairing.to(distance)
        pull = (0.5 if self.half_positive else 1.0) * distance.square()
        margin = self.margin.to(distance)
        push = 0.5 * (margin - distance).clamp(min=0).square()
        return mean_of_pairs(pull, push, pairing) + self.reg * (margin - self.start).square()

    def idle(self, pairing: Pairing) -> int:
        """Terms without any pair."""
        return pairing.empty()

    @torch.no_grad()
    def figures(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Dict[str, float]:
        """`margin`, `beyond_margin` (the share of negatives that are far enough), `positive_distance` and `negative_distance` (means),
        and the similarities and `nearest`."""
        similarity = similarities("cosine", anchors, candidates)
        figures = {"margin": float(self.margin), **similarity_figures(similarity, pairing)}
        for side in ("positive", "negative"):
            if f"{side}_similarity" in figures:
                figures[f"{side}_distance"] = 1 - figures[f"{side}_similarity"]
        negative = pairing.negatives.to(similarity.device) > 0
        if negative.any():
            figures["beyond_margin"] = float((1 - similarity[negative] >= float(self.margin)).float().mean())
        return figures


def mean_of_pairs(attracted: Tensor, repelled: Tensor, pairing: Pairing) -> Tensor:
    """The mean over positive and negative pairs of their own loss [A, C] each, weighted by pair and term; 0 without any."""
    terms = pairing.weights[pairing.groups][:, None]
    total = ((pairing.positives * attracted + pairing.negatives * repelled) * terms).sum()
    pairs = ((pairing.positives + pairing.negatives) * terms > 0).sum()
    return total / pairs.clamp(min=1)
