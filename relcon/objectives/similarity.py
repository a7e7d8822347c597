"""How alike two vectors are, and what the log shows of it."""

from typing import Dict, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from relcon.contrast import Pairing

Similarity = Literal["cosine", "dot"]


def similarities(kind: Similarity, anchors: Tensor, candidates: Tensor) -> Tensor:
    """[A, C] similarity of every anchor [A, D] with every candidate [C, D]: cosine, or plain dot product."""
    if kind == "cosine":
        anchors, candidates = F.normalize(anchors, dim=-1), F.normalize(candidates, dim=-1)
    return anchors @ candidates.T


@torch.no_grad()
def similarity_figures(similarity: Tensor, pairing: Pairing) -> Dict[str, float]:
    """Mean similarity of positive and of negative pairs, and how often a positive is the nearest.

    similarity: [A, C], not divided by a temperature. Returned: `positive_similarity`, `negative_similarity`, and `nearest`,
    the share of positive pairs that are more alike than every negative pair of their term. A figure without pairs is left out.
    """
    pairing = pairing.to(similarity)
    positive, negative = pairing.positives > 0, pairing.negatives > 0
    figures = {}
    if positive.any():
        figures["positive_similarity"] = float(similarity[positive].mean())
    if negative.any():
        figures["negative_similarity"] = float(similarity[negative].mean())
    if positive.any() and negative.any():
        lowest = torch.finfo(similarity.dtype).min
        hardest = similarity.masked_fill(~negative, lowest).amax(1)
        of_term = hardest.new_full((len(pairing.weights),), lowest).scatter_reduce(0, pairing.groups, hardest, "amax")
        figures["nearest"] = float((similarity > of_term[pairing.groups][:, None])[positive].float().mean())
    return figures
