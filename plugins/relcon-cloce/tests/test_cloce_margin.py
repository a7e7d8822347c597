"""The margin objective as CLoCE has it: loss, gradients, and why its margin has a floor."""

from typing import Any

import pytest
import torch

from relcon.config import resolve
from relcon.contrast import Pairing

DOUBLE = torch.float64
POSITIVES, NEGATIVES = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 1.0]])


def objective(**arguments: Any) -> Any:
    return resolve({"@objectives": "relcon.MarginPairs.v1", **arguments}, "[objective]").double()


def sentences() -> "tuple[torch.Tensor, torch.Tensor]":
    """An error, and a positive and two negative partners of it."""
    error = torch.tensor([[1.0, 0.0]], dtype=DOUBLE, requires_grad=True)
    partners = torch.tensor([[3.0, 4.0], [4.0, 3.0], [-2.0, 0.0]], dtype=DOUBLE, requires_grad=True)
    return error, partners


def loss(made: Any, weight: float = 1.0) -> torch.Tensor:
    return made(*sentences(), Pairing.of(POSITIVES, NEGATIVES, torch.tensor([weight])))


def value(made: Any, weight: float = 1.0) -> float:
    return float(loss(made, weight).detach())


def test_cloce_g01_margin_loss() -> None:
    assert value(objective(margin=0.5)) == pytest.approx(0.068333, abs=1e-6)
    assert value(objective(margin=0.5), weight=3 / 8) == pytest.approx(0.025625, abs=1e-6), "divided by 8 instances"
    assert value(objective(margin=0.5, half_positive=True)) == pytest.approx(0.041667, abs=1e-6)
    swapped = objective(margin=0.5)(*sentences(), Pairing.of(NEGATIVES, POSITIVES))
    assert float(swapped.detach()) == pytest.approx(1.348333, abs=1e-6)
    figures = objective(margin=0.5).figures(*sentences(), Pairing.of(POSITIVES, NEGATIVES))
    assert [figures[name] for name in ("positive_distance", "negative_distance", "beyond_margin")] == pytest.approx([0.4, 1.1, 0.5])


def test_cloce_g02_gradients() -> None:
    error, partners = sentences()
    objective(margin=0.5)(error, partners, Pairing.of(POSITIVES, NEGATIVES)).backward()
    assert error.grad is not None and partners.grad is not None
    assert error.grad[0].tolist() == pytest.approx([0, -0.153333], abs=1e-6)
    assert partners.grad.flatten().tolist() == pytest.approx([-0.034133, 0.025600, 0.007200, -0.009600, 0, 0], abs=1e-6)
    trained = objective(margin=0.5, trainable=True)
    loss(trained).backward()
    slope = torch.sigmoid(trained.rho.detach())
    assert float(trained.rho.grad / slope) == pytest.approx(0.1, abs=1e-6), "of the margin itself"


def test_cloce_g03_a_bare_margin_only_shrinks() -> None:
    """The gradient of a bare margin is never below 0, so it falls to the distance of the nearest negative; steps of size 1."""
    margin, found = 0.5, []
    for _ in range(40):
        trained = objective(margin=margin, trainable=True, smallest=margin / 2)
        loss(trained).backward()
        slope = float(trained.rho.grad / torch.sigmoid(trained.rho.detach()))
        assert slope >= 0
        margin -= slope
        found.append(margin)
    assert found[:5] == pytest.approx([0.400000, 0.333333, 0.288889, 0.259259, 0.239506], abs=1e-6)
    assert 0.2 < found[-1] < 0.2 + 1e-6 and found == sorted(found, reverse=True)


def test_cloce_g04_the_margin_has_a_floor() -> None:
    trained = objective(margin=0.5, trainable=True, smallest=0.1)
    assert float(trained.rho.detach()) == pytest.approx(-0.709633, abs=1e-6)
    (slope,) = torch.autograd.grad(trained.margin, trained.rho)
    assert float(slope) == pytest.approx(0.329680, abs=1e-6)
    loss(trained).backward()
    assert float(trained.rho.grad) == pytest.approx(0.032968, abs=1e-6)
    for rho in (-30.0, -5.0, 0.0, 1.0, 40.0):
        with torch.no_grad():
            trained.rho.fill_(rho)
        assert 0.1 < float(trained.margin.detach()) <= 2
