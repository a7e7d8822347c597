"""The hardest negatives, against a sort of each row."""

import pytest
import torch

from relcon.contrast import Pairing
from relcon.interfaces import Adjuster

Hardest = Adjuster.registry.get("relcon.HardestNegatives.v1")


def random_pairing(rows, columns):
    kind = torch.randint(3, (rows, columns), generator=torch.Generator().manual_seed(1))
    weight = torch.rand(rows, columns, generator=torch.Generator().manual_seed(2)) + 0.5
    return Pairing.of((kind == 1) * weight, (kind == 2) * weight)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("k", [1, 3, 50])
def test_each_anchor_keeps_its_k_most_similar_negatives(similarity, k):
    anchors, candidates = (torch.randn(n, 4, generator=torch.Generator().manual_seed(n)) for n in (7, 12))
    pairing = random_pairing(7, 12)
    same, mined = Hardest(k, similarity)(anchors, candidates, None, pairing)
    assert same is candidates and torch.equal(mined.positives, pairing.positives)
    for row in range(7):
        judged = {
            column: float(torch.cosine_similarity(anchors[row], candidates[column], dim=0))
            if similarity == "cosine"
            else float(anchors[row] @ candidates[column])
            for column in range(12)
            if pairing.negatives[row, column] > 0
        }
        kept = sorted(judged, key=judged.__getitem__, reverse=True)[:k]
        wanted = [pairing.negatives[row, column].item() if column in kept else 0.0 for column in range(12)]
        assert mined.negatives[row].tolist() == wanted


def test_the_two_similarities_choose_differently_and_no_gradient_runs_through():
    anchors = torch.tensor([[1.0, 0.0]], requires_grad=True)
    candidates = torch.tensor([[1.0, 0.1], [9.0, 9.0]], requires_grad=True)
    pairing = Pairing.of(torch.zeros(1, 2), torch.ones(1, 2))
    chosen = {kind: Hardest(1, kind)(anchors, candidates, None, pairing) for kind in ("cosine", "dot")}
    assert chosen["cosine"][1].negatives.tolist() == [[1, 0]] and chosen["dot"][1].negatives.tolist() == [[0, 1]]
    assert chosen["dot"][0].requires_grad and not chosen["dot"][1].negatives.requires_grad


def test_k_below_one():
    with pytest.raises(ValueError, match="k must be at least 1"):
        Hardest(0)
