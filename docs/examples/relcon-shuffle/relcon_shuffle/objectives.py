"""Alignment and uniformity as an objective."""

import torch
from torch import Tensor

from relcon.contrast import Pairing
from relcon.interfaces import ContrastiveObjective
from relcon.objectives.similarity import similarities


class AlignUniform(ContrastiveObjective):
    """Positives close together, everything else spread over the sphere.

    With d the squared distance of unit vectors: mean d of the positives + uniformity * log mean e^(-2d) of the negatives
    (Wang and Isola 2020, arXiv 2005.10242). uniformity: the weight of the second part, 0 or more.

    Config::

        [objective]
        @objectives = "shuffle.AlignUniform.v1"
        uniformity = 1.0
    """

    def __init__(self, uniformity: float = 1.0):
        super().__init__()
        if uniformity < 0:
            raise ValueError(f"uniformity must be 0 or more, not {uniformity}")
        self.uniformity = uniformity

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss, a scalar. anchors [A, D], candidates [C, D], pairing [A, C]."""
        pairing = pairing.to(anchors)
        terms = pairing.weights[pairing.groups][:, None]  # [A, 1]
        distance = 2 - 2 * similarities("cosine", anchors, candidates)  # [A, C]
        loss = weighted_mean(distance, pairing.positives * terms)
        if bool(pairing.negatives.any()):
            loss = loss + self.uniformity * weighted_mean((-2 * distance).exp(), pairing.negatives * terms).clamp(min=1e-12).log()
        return loss

    def idle(self, pairing: Pairing) -> int:
        """A term with positives only, or negatives only, still teaches."""
        return pairing.empty()


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """A mean over pairs [A, C]; 0 where no pair has a weight."""
    return (values * weights).sum() / weights.sum().clamp(min=torch.finfo(values.dtype).tiny)
