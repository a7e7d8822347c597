"""Optimizers: their groups, and the update without bias correction against a slow loop."""

import math

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective, Encoder, OptimizerPlan
from relcon.testing import tiny_encoder


def plan(name, **arguments):
    return OptimizerPlan.registry.get(f"relcon.{name}.v1")(**arguments)


class Bert(Encoder):
    width = 8

    def __init__(self):
        super().__init__()
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        self.model = BertModel(BertConfig(vocab_size=20, max_position_embeddings=16, **sizes))

    def prepare(self, inputs):
        raise NotImplementedError

    def forward(self, prepared, depth=None):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError


def model():
    margin = ContrastiveObjective.registry.get("relcon.MarginPairs.v1")(trainable=True)
    return nn.ModuleDict({"encoder": Bert(), "head": nn.Linear(8, 3), "objective": margin})


@pytest.mark.parametrize("name", ["AdamW", "BertAdamW"])
def test_no_decay_on_biases_norms_and_the_margin(name):
    module = model()
    groups = plan(name, weight_decay=0.1).build(module).param_groups
    decay = {id(weight): group["weight_decay"] for group in groups for weight in group["params"]}
    for key, weight in module.named_parameters():
        spared = key.endswith("bias") or "LayerNorm" in key or key == "objective.rho"
        assert decay.pop(id(weight)) == (0.0 if spared else 0.1), key
    assert not decay


@pytest.mark.parametrize("name", ["AdamW", "BertAdamW"])
def test_heads_may_have_a_rate_of_their_own(name):
    module = model()
    groups = plan(name, lr=1e-5, head_lr=1e-3).build(module).param_groups
    rate = {id(weight): group["lr"] for group in groups for weight in group["params"]}
    for key, weight in module.named_parameters():
        assert rate[id(weight)] == (1e-5 if key.startswith("encoder") else 1e-3)


@pytest.mark.parametrize("name", ["AdamW", "BertAdamW"])
def test_only_trainable_parameters_each_once_in_the_modules_order(name):
    module = model()
    module["again"] = module["encoder"]
    for weight in module["encoder"].model.embeddings.parameters():
        weight.requires_grad_(False)
    groups = plan(name).build(module).param_groups
    place = {id(weight): n for n, weight in enumerate(module.parameters())}
    order = [[place[id(weight)] for weight in group["params"]] for group in groups]
    assert all(numbers == sorted(numbers) for numbers in order)
    trainable = [weight for weight in module.parameters() if weight.requires_grad]
    assert sum(map(len, order)) == len(trainable) < len(place)


@pytest.mark.parametrize("name", ["AdamW", "BertAdamW"])
def test_nothing_to_train_is_refused(name):
    with pytest.raises(RelconError, match=r"frozen"):
        plan(name).build(nn.Linear(2, 2).requires_grad_(False))


@pytest.mark.parametrize("name", ["AdamW", "BertAdamW"])
@pytest.mark.parametrize(
    "arguments", [{"lr": -1.0}, {"weight_decay": -1.0}, {"betas": [0.9]}, {"betas": [0.9, 1.0]}, {"eps": -1.0}, {"head_lr": -1.0}]
)
def test_arguments_out_of_range_are_refused_by_name(name, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        plan(name, **arguments)


def slow(weight, gradients, lr, decay, first, second, eps, corrected):
    """One number, step by step, from the formula."""
    mean = square = 0.0
    for step, gradient in enumerate(gradients, 1):
        mean, square = first * mean + (1 - first) * gradient, second * square + (1 - second) * gradient**2
        m, v = (mean / (1 - first**step), square / (1 - second**step)) if corrected else (mean, square)
        weight -= lr * (m / (math.sqrt(v) + eps) + decay * weight)
    return weight


@pytest.mark.parametrize(("name", "corrected"), [("AdamW", True), ("BertAdamW", False)])
def test_updates_equal_the_formula(name, corrected):
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(3, 2).double()
    start = [weight.detach().clone() for weight in layer.parameters()]
    gradients = [[torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in layer.parameters()] for _ in range(5)]
    optimizer = plan(name, lr=0.01, weight_decay=0.1, betas=[0.8, 0.95], eps=1e-3).build(layer)
    for turn in gradients:
        for weight, gradient in zip(layer.parameters(), turn, strict=True):
            weight.grad = gradient.clone()
        optimizer.step()
    for number, weight in enumerate(layer.parameters()):
        decay = 0.1 if weight.dim() > 1 else 0.0
        want = [
            slow(float(value), [float(turn[number].flatten()[at]) for turn in gradients], 0.01, decay, 0.8, 0.95, 1e-3, corrected)
            for at, value in enumerate(start[number].flatten())
        ]
        assert weight.detach().flatten().tolist() == pytest.approx(want, rel=1e-9)


def test_first_step_without_bias_correction_is_about_three_times_as_long():
    steps = []
    for name in ("AdamW", "BertAdamW"):
        layer = nn.Linear(1, 1, bias=False)
        before = layer.weight.item()
        layer.weight.grad = torch.ones(1, 1)
        plan(name, lr=0.01, weight_decay=0.0).build(layer).step()
        steps.append(before - layer.weight.item())
    assert steps[1] / steps[0] == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-3)


def test_state_goes_on_after_saving():
    def run(save):
        torch.manual_seed(0)
        layer = nn.Linear(3, 2)
        optimizer = plan("BertAdamW", lr=0.01).build(layer)
        for turn in range(4):
            if save and turn == 2:
                state = optimizer.state_dict()
                optimizer = plan("BertAdamW", lr=0.01).build(layer)
                optimizer.load_state_dict(state)
            layer.weight.grad, layer.bias.grad = torch.full((2, 3), turn + 1.0), torch.ones(2)
            optimizer.step()
        return layer.weight.detach()

    assert torch.equal(run(True), run(False))


def test_parameters_without_gradient_stay():
    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    plan("BertAdamW").build(layer).step()
    assert torch.equal(layer.weight, before)


def test_adams_decay_is_part_of_the_gradient_of_every_parameter():
    """Its first step is the learning rate in the direction of the gradient's sign, the penalty included: without a gradient of the loss
    it is the penalty's alone, which `AdamW` would scale by the weight."""
    module = nn.Linear(2, 2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, -2.0], [3.0, -4.0]]))
        module.bias.copy_(torch.tensor([5.0, -6.0]))
    before = [weight.clone() for weight in module.parameters()]
    optimizer = plan("Adam", lr=0.1, weight_decay=0.01).build(module)
    for weight in module.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for weight, was in zip(module.parameters(), before, strict=True):
        torch.testing.assert_close(weight.detach(), was - 0.1 * was.sign())


# ---- rates that fall from layer to layer ---------------------------------------------------------------------------------


def stacked():
    """Two layers, embeddings below, BERT's pooler above, and a head."""
    return nn.ModuleDict({"encoder": tiny_encoder(), "head": nn.Linear(32, 3)})


def rates(module, name, **arguments):
    """Name of each parameter -> its rate."""
    groups = plan(name, **arguments).build(module).param_groups
    rate = {id(weight): group["lr"] for group in groups for weight in group["params"]}
    return {key: rate[id(weight)] for key, weight in module.named_parameters()}


@pytest.mark.parametrize("name", ["Adam", "AdamW", "BertAdamW"])
@pytest.mark.parametrize(("arguments", "head"), [({}, 1e-3), ({"head_lr": 0.2}, 0.2)])
@pytest.mark.parametrize(("embeddings", "lowest"), [(False, 1e-3), (True, 0.25e-3)])
def test_the_rates_of_layers_fall_towards_the_embeddings(name, arguments, head, embeddings, lowest):
    expected = {"layer.1.": 1e-3, "layer.0.": 0.5e-3, "embeddings.": lowest, "pooler.": 1e-3, "head.": head}
    found = rates(stacked(), name, lr=1e-3, layer_decay=0.5, decay_embeddings=embeddings, **arguments)
    for key, rate in found.items():
        (part,) = [part for part in expected if part in key]
        assert rate == pytest.approx(expected[part], rel=1e-12), key


def test_without_layer_decay_there_are_the_groups_that_there_were():
    module = stacked()
    (matrices, others) = plan("AdamW", lr=1e-3, layer_decay=1.0, decay_embeddings=True).build(module).param_groups
    assert (matrices["lr"], matrices["weight_decay"], others["lr"], others["weight_decay"]) == (1e-3, 0.01, 1e-3, 0.0)
    assert [id(w) for w in matrices["params"]] == [id(w) for w in module.parameters() if w.dim() > 1]
    assert [id(w) for w in others["params"]] == [id(w) for w in module.parameters() if w.dim() < 2]


def test_an_encoder_that_is_not_built_of_layers_keeps_its_rate():
    assert set(rates(model(), "AdamW", lr=1e-3, layer_decay=0.5, decay_embeddings=True).values()) == {1e-3}


@pytest.mark.parametrize("name", ["AdamW", "BertAdamW"])
def test_decay_may_be_of_everything(name):
    groups = plan(name, weight_decay=0.1, decay_all=True).build(model()).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1]


@pytest.mark.parametrize("name", ["Adam", "AdamW", "BertAdamW"])
@pytest.mark.parametrize("wrong", [0.0, -0.5, 1.1, math.nan])
def test_a_layer_decay_out_of_range_is_refused(name, wrong):
    with pytest.raises(ValueError, match="layer_decay"):
        plan(name, layer_decay=wrong)
