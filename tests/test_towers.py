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


# ---- the momentum tower --------------------------------------------------------------------------------------------------


class Learnt(Pooler):
    """The first position, scaled by a learnt vector."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        self.register_buffer("seen", torch.zeros(()))

    def width(self, state):
        return 3

    def forward(self, encoded, spans):
        return self.scale * encoded.states[:, 0, :3]


def follower(dropout=True, momentum=0.999, **arguments):
    """A stage's parts, the anchors' tower with a head, and the one that follows it."""
    shared = Parts({"text": tiny_encoder()}, {"three": Learnt()}, LabelSet(("a", "b")))
    leader = tower(shared, head=[3])
    plan = resolve({"@towers": "relcon.Momentum.v1", "momentum": momentum, "dropout": dropout, **arguments}, "candidates")
    return shared, leader, plan.build_beside(shared, leader)


def test_pspe_fact_04():
    _, leader, twin = follower()
    theta = twin.pooler.scale
    assert torch.equal(theta, leader.pooler.scale) and theta is not leader.pooler.scale
    with torch.no_grad():
        leader.pooler.scale.copy_(torch.tensor([3.0, 0, 0.5]))
    for step in range(1, 1001):
        twin.after_step()
        wanted = {1: [1.002, -1.998, 0.5], 2: [1.003998, -1.996002, 0.5], 1000: [2.264609, -0.735391, 0.5]}.get(step)
        assert wanted is None or theta.tolist() == pytest.approx(wanted, abs=2e-5 if step == 1000 else 1e-6)
    assert leader.pooler.scale.tolist() == [3, 0, 0.5]


def test_a_follower_is_a_copy_of_encoder_pooler_and_head_that_moves_and_is_not_trained():
    _, leader, twin = follower(momentum=0.9)
    mine, theirs = dict(twin.named_parameters()), dict(leader.named_parameters())
    assert mine.keys() == theirs.keys() and {name.split(".")[0] for name in mine} == {"encoder", "pooler", "head"}
    assert not any(each.requires_grad for each in mine.values()) and all(each.requires_grad for each in theirs.values())
    assert not {id(each) for each in mine.values()} & {id(each) for each in theirs.values()}
    before = {name: each.detach().clone() for name, each in mine.items()}
    assert all(torch.equal(before[name], theirs[name]) for name in mine)
    with torch.no_grad():
        for each in theirs.values():
            each.add_(torch.randn_like(each))
        leader.pooler.seen.fill_(5)
    twin.after_step()
    for name in mine:
        torch.testing.assert_close(mine[name].detach(), 0.9 * before[name] + 0.1 * theirs[name].detach())
    assert float(twin.pooler.seen) == 0, "buffers are its own"


def test_a_followers_parts_join_those_of_the_stage():
    shared, leader, twin = follower()
    assert shared.encoders["text_momentum"] is twin.encoder and shared.poolers["three_momentum"] is twin.pooler
    assert shared.copies == {"text_momentum": "text", "three_momentum": "three"}
    plan = resolve({"@towers": "relcon.Momentum.v1"}, "candidates")
    with pytest.raises(RelconError, match=r"'text_momentum', which this stage has. Set another suffix"):
        plan.build_beside(shared, leader)
    resolve({"@towers": "relcon.Momentum.v1", "suffix": "slow"}, "candidates").build_beside(shared, leader)
    assert list(shared.encoders) == ["text", "text_momentum", "text_slow"]


def test_a_follower_runs_with_dropout_unless_told_otherwise():
    for dropout in (True, False):
        shared, leader, twin = follower(dropout)
        modules = nn.ModuleDict({"encoders": nn.ModuleDict(shared.encoders), "tasks": nn.ModuleList([leader, twin])})
        modules.train()
        assert {module.training for module in twin.modules()} == {dropout} and leader.encoder.training
        modules.eval()
        assert not any(module.training for module in modules.modules())


def test_a_follower_needs_a_tower_to_follow(parts):
    with pytest.raises(RelconError, match="for `candidates` of relcon"):
        resolve({"@towers": "relcon.Momentum.v1"}, "tower").build(parts)
    block = {"@tasks": "relcon.Contrastive.v1", "stream": "s", "anchors": {"@towers": "relcon.Momentum.v1"}}
    with pytest.raises(RelconError, match="anchors: a Momentum tower follows"):
        resolve({**block, "objective": {"@objectives": "relcon.NTXent.v1"}}, "task")


@pytest.mark.parametrize("wrong", [{"momentum": 1.5}, {"momentum": -0.1}, {"suffix": "a/b"}, {"suffix": ""}])
def test_momentum_settings_out_of_range(wrong):
    with pytest.raises(RelconError, match="must"):
        resolve({"@towers": "relcon.Momentum.v1", **wrong}, "candidates")


def test_an_activation_behind_the_head_or_the_pooler(parts):
    assert tower(parts, output="relu").pool(torch.tensor([[1.0, -2.0, 3.0]]), None).tolist() == [[1, 0, 3]]
    kinds = [type(layer).__name__ for layer in tower(parts, head=[4, 2], output="tanh").head]
    assert kinds == ["Linear", "ReLU", "Linear", "Tanh"]
    kinds = [type(layer).__name__ for layer in tower(parts, out=2, head=[4], output="gelu").head]
    assert kinds == ["Linear", "GELU", "Dropout", "Linear"]
    with pytest.raises(RelconError, match="output 'rely' is unknown"):
        tower(parts, output="rely")
