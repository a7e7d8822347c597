"""The pairwise objectives against slow loops written from their formulas."""

import math

import pytest
import torch

from relcon.contrast import Pairing
from relcon.interfaces import ContrastiveObjective

DOUBLE = torch.float64


def objective(name, **arguments):
    return ContrastiveObjective.registry.get(f"relcon.{name}.v1")(**arguments)


def draw(seed):
    g = torch.Generator().manual_seed(seed)
    random = torch.rand(5, 6, generator=g, dtype=DOUBLE)
    zero = torch.zeros((), dtype=DOUBLE)
    positives, negatives = torch.where(random < 0.3, random + 0.5, zero), torch.where(random > 0.5, random, zero)
    weights = torch.tensor([0.5, 2.0, 0.0, 1.0], dtype=DOUBLE)
    a, c = (torch.randn(n, 3, generator=g, dtype=DOUBLE, requires_grad=True) for n in (5, 6))
    return a, c, Pairing.of(positives, negatives, weights, torch.tensor([0, 1, 2, 3, 1]))


def slow(a, c, pairing, pull, push):
    """The weighted mean over pairs, pair by pair."""
    total, pairs = torch.zeros((), dtype=DOUBLE), 0
    for i in range(len(a)):
        weight = float(pairing.weights[pairing.groups[i]])
        for j in range(len(c)):
            p, n = float(pairing.positives[i, j]), float(pairing.negatives[i, j])
            if weight and (p or n):
                pairs += 1
                total = total + weight * (p * pull(a[i], c[j]) if p else n * push(a[i], c[j]))
    return total / pairs


def cosine_distance(a, c):
    return 1 - a @ c / (a.norm() * c.norm())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bce_equals_its_formula(seed):
    a, c, pairing = draw(seed)
    fast = objective("PairwiseBCE")(a, c, pairing)
    plain = slow(a, c, pairing, lambda x, y: -torch.sigmoid(x @ y).log(), lambda x, y: -(1 - torch.sigmoid(x @ y)).log())
    torch.testing.assert_close(fast, plain)
    torch.testing.assert_close(torch.autograd.grad(fast, (a, c)), torch.autograd.grad(plain, (a, c)))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_margin_equals_its_formula(seed, half):
    a, c, pairing = draw(seed)
    fast = objective("MarginPairs", margin=0.8, half_positive=half)(a, c, pairing)
    plain = slow(
        a,
        c,
        pairing,
        lambda x, y: (0.5 if half else 1.0) * cosine_distance(x, y) ** 2,
        lambda x, y: 0.5 * torch.clamp(0.8 - cosine_distance(x, y), min=0) ** 2,
    )
    torch.testing.assert_close(fast, plain)
    torch.testing.assert_close(torch.autograd.grad(fast, (a, c)), torch.autograd.grad(plain, (a, c)))


def test_a_trainable_margin_starts_where_asked_and_only_shrinks():
    a = draw(0)[0]
    loss = objective("MarginPairs", margin=0.5, trainable=True)
    assert loss.rho.item() == pytest.approx(math.log(math.exp(0.4) - 1), abs=1e-6)
    assert loss.margin.item() == pytest.approx(0.5)
    loss(a, a.detach(), Pairing.of(torch.zeros(5, 5), torch.ones(5, 5))).backward()
    assert float(loss.rho.grad) > 0
    with torch.no_grad():
        loss.rho.fill_(-50.0)
    assert loss.margin.item() == pytest.approx(0.1)
    with torch.no_grad():
        loss.rho.fill_(50.0)
    assert loss.margin.item() == 2.0


def test_a_fixed_margin_has_no_parameter():
    assert list(objective("MarginPairs").parameters()) == []


def test_figures_of_the_margin():
    a = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    c = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    figures = objective("MarginPairs").figures(a, c, Pairing.of(torch.tensor([[1.0, 0], [0, 0]]), torch.tensor([[0.0, 1], [1, 1]])))
    assert figures["margin"] == 0.5 and figures["positive_similarity"] == 1.0
    assert figures["beyond_margin"] == pytest.approx(2 / 3)
    assert figures["positive_distance"] == 0.0 and figures["negative_distance"] == pytest.approx(2 / 3)


def test_a_regulariser_pulls_the_margin_back():
    a, none = draw(0)[0], Pairing.of(torch.zeros(5, 5), torch.zeros(5, 5))
    loss = objective("MarginPairs", margin=0.5, trainable=True, reg=2.0)
    assert float(loss(a, a, none).detach()) == pytest.approx(0.0, abs=1e-12)
    with torch.no_grad():
        loss.rho.fill_(-50.0)
    assert float(loss(a, a, none).detach()) == pytest.approx(2.0 * 0.4**2, abs=1e-6)
    with torch.no_grad():
        loss.rho.fill_(-1.0)
    loss(a, a, none).backward()
    assert float(loss.rho.grad) < 0, "descent lets it grow"


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"margin": 0.0}, "margin must be above 0 and at most 2"),
        ({"margin": 0.5, "trainable": True, "smallest": 0.5}, "smallest must lie between 0 and margin"),
        ({"trainable": True, "reg": -1.0}, "reg must be finite and not below 0"),
        ({"reg": 1.0}, "set trainable = true"),
    ],
)
def test_margins_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        objective("MarginPairs", **arguments)


def test_pairs_of_one_kind_are_not_idle_here_but_terms_without_pairs_are():
    pairing = Pairing.of(torch.diag(torch.tensor([1.0, 0, 0])), torch.diag(torch.tensor([0, 1.0, 0])))
    assert objective("MarginPairs").idle(pairing) == objective("PairwiseBCE").idle(pairing) == 1
    assert objective("InfoNCE").idle(pairing) == 3
