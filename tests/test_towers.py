"""Towers over a stage's shared parts."""

import pytest
import torch
from torch import nn

from relcon.config.building import resolve
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Parts, Pooler
from relcon.testing import tiny_encoder


class Given(Pooler):
    """Width 3, whatever the states."""

    def width(self, state):
        return 3

    def forward(self, encoded, spans):
        return encoded


@pytest.fixture(scope="module")
def parts():
    return Parts({"text": tiny_encoder()}, {"three": Given()}, LabelSet(("a", "b")))


def tower(parts, out=None, **arguments):
    plan = resolve({"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "three", **arguments}, "tower")
    return plan.build(parts, out)


def test_clre_fact_05(parts):
    made = tower(parts, head=[3, 3], bias=False)
    first, second = (layer for layer in made.head if isinstance(layer, nn.Linear))
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0, 2], [0, 1, 0], [-1, -1, 1]]))
        second.weight.copy_(torch.tensor([[1.0, 1, 0], [0, -1, 2], [0.5, 0, -1]]))
    assert made.pool(torch.tensor([[1, -2, 0.5]]), None).tolist() == [[2, 3, -0.5]]


def test_parts_are_shared_and_the_head_is_not(parts):
    one, two = tower(parts, head=[4]), tower(parts, head=[4])
    assert one.encoder is two.encoder is parts.encoders["text"] and one.pooler is two.pooler
    assert one.head[0] is not two.head[0]
    assert tower(parts).head is None and tower(parts, depth=0).depth == 0


def test_initial_weights(parts):
    torch.manual_seed(0)
    made = tower(parts, out=50, head=[600, 200], activation="tanh", dropout=0.3)
    kinds = [type(layer).__name__ for layer in made.head]
    assert kinds == ["Linear", "Tanh", "Linear", "Tanh", "Dropout", "Linear"] and made.head[4].p == 0.3
    first, last = made.head[2].requires_grad_(False), made.head[5].requires_grad_(False)
    assert torch.count_nonzero(first.bias) == 0 and torch.count_nonzero(last.bias) == 0
    limit = (6 / (600 + 200)) ** 0.5  # Glorot and Bengio (2010), equation 16
    assert 0.95 * limit < float(first.weight.abs().max()) <= limit
    assert float(last.weight.abs().max()) <= 0.04 and 0.016 < float(last.weight.std()) < 0.019


def test_a_classifier_without_a_projection(parts):
    assert [type(layer).__name__ for layer in tower(parts, out=2).head] == ["Dropout", "Linear"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"encoder": "txt"}, "encoder 'txt'.*Did you mean 'text'"),
        ({"pooler": "four"}, "pooler 'four'.*Valid: 'three'"),
        ({"activation": "rel"}, "Did you mean 'relu'"),
        ({"head": [0]}, "head"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_mistakes(parts, arguments, message):
    with pytest.raises(RelconError, match=message):
        tower(parts, **arguments)
