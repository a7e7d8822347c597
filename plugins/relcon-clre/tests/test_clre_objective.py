"""CLRE's acceptance facts on loss, masks, steps and sizes, through registered components built from configs.

Su et al. 2021, arXiv 2104.13913. Facts 1 to 4, 11 and 15; the others stand where their parts are tested.
"""

import math

import pytest
import torch

from relcon.config import load_config, resolve
from relcon.contrast import Pairing
from relcon.data.labels import LabelSet
from relcon.interfaces import Draw, Split
from relcon.samplers.pairings import partners
from relcon.testing import tiny_split

DOUBLE = torch.float64
ROWS = torch.tensor([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0.6, 0.8]], dtype=DOUBLE)

CONFIG = """
[objective]
@objectives = "relcon.NTXent.v1"
temperature = 0.1

[views]
@samplers = "relcon.TwoViews.v1"
batch_size = 3

[views.renderer]
@renderers = "relcon.Blinded.v1"

[views.augmenter]
@augmenters = "relcon.RandomSwap.v1"

[instances]
@samplers = "relcon.Instances.v1"
batch_size = 1
copies = 3
renderer = ${views.renderer}
augmenter = ${views.augmenter}

[bert]
@schedules = "relcon.BertLinear.v1"
warmup = 0.1

[usual]
@schedules = "relcon.LinearWarmup.v1"
warmup = 0.1
"""


@pytest.fixture
def build(tmp_path):
    """`build("objective", "--objective.temperature", "0.5")`: a component of the config above, with overrides."""
    path = tmp_path / "clre.cfg"
    path.write_text(CONFIG)

    def made(section, *overrides):
        return resolve(load_config(path, overrides).tree[section], f"[{section}]")

    return made


def of(count):
    """A split with this many instances, of which only the number matters."""
    return Split("train", [], [None] * count, LabelSet(("none", "some"), frozenset(["none"])))


@pytest.mark.parametrize(
    ("temperature", "terms", "loss"),
    [(0.1, [0.000671, 0.137684, 0.694386, 0.089106], 0.230462), (0.5, [0.339178, 0.734818, 0.833428, 0.652314], 0.639934)],
)
def test_clre_fact_01_ntxent(build, temperature, terms, loss):
    objective = build("objective", "--objective.temperature", str(temperature))
    pairing = partners(4)
    assert objective(ROWS, ROWS, pairing).item() == pytest.approx(loss, abs=1e-6)
    for view, term in enumerate(terms):
        alone = Pairing(pairing.positives, pairing.negatives, torch.eye(4)[view], pairing.groups)
        assert objective(ROWS, ROWS, alone).item() == pytest.approx(term, abs=1e-6)


def test_clre_fact_01_the_authors_scaling(build):
    objective = build("objective", "--objective.scale", "0.5")  # 1 / N
    assert objective(ROWS, ROWS, partners(4)).item() == pytest.approx(0.115231, abs=1e-6)


def test_clre_fact_01_scale_invariance(build):
    scaled = ROWS * torch.tensor([2, 0.5, 3, 7], dtype=DOUBLE)[:, None]
    assert build("objective")(scaled, scaled, partners(4)).item() == pytest.approx(0.230462, abs=1e-6)


@pytest.mark.parametrize(("sentences", "loss"), [(2, 1.098612), (64, 4.844187), (128, 5.541264)])
def test_clre_fact_02_collapse(build, sentences, loss):
    same = torch.tensor([[0.3, -0.4, 0.5]], dtype=DOUBLE).repeat(2 * sentences, 1)
    value = build("objective")(same, same, partners(2 * sentences)).item()
    assert value == pytest.approx(loss, abs=1e-6) and value == pytest.approx(math.log(2 * sentences - 1))


def test_clre_fact_02_apart(build):
    z = torch.tensor([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=DOUBLE)
    assert build("objective")(z, z, partners(4)).item() == pytest.approx(0.000091, abs=1e-6)


def test_clre_fact_03_gradient(build):
    z = ROWS.clone().requires_grad_()
    build("objective")(z, z, partners(4)).backward()
    assert z.grad[0].tolist() == pytest.approx([0.000000, -0.186108, 0.005205], abs=1e-6)
    assert z.grad[1].tolist() == pytest.approx([-0.924588, 1.232785, 0.187365], abs=1e-6)


def test_clre_fact_04_masks(build):
    sampler = build("views")
    contrast = next(iter(sampler.batches(tiny_split(3), Draw(0, torch.Generator().manual_seed(0)))))["contrast"]
    positives, negatives = contrast.pairing.positives, contrast.pairing.negatives
    assert len(contrast.anchors) == 6 and contrast.candidates is None
    assert positives.sum(1).tolist() == [1] * 6 and negatives.sum(1).tolist() == [4] * 6
    assert not positives.diagonal().any() and not negatives.diagonal().any()
    assert torch.equal(positives, positives.T)


def test_clre_fact_11_steps(build):
    sampler = build("views", "--views.batch_size", "128")
    assert 2 * sampler.length(of(97_853)) == 1528


@pytest.mark.parametrize(
    ("section", "rates"),
    [
        ("bert", {0: 0.0, 76: 1.000000e-05, 151: 1.986842e-05, 152: 1.801047e-05, 764: 1.000000e-05}),
        ("usual", {0: 0.0, 76: 1.000000e-05, 151: 1.986842e-05, 152: 2.000000e-05, 764: 1.110465e-05}),
    ],
)
def test_clre_fact_11_schedules(build, section, rates):
    schedule = build(section)
    assert {step: 2e-5 * schedule.factor(step, 1528) for step in rates} == pytest.approx(rates, abs=5e-12)


@pytest.mark.parametrize(("count", "size"), [(18_035, 72_140), (22_233, 88_932), (5_251, 21_004)])
def test_clre_fact_15_sizes_of_table_4(build, count, size):
    assert build("instances").length(of(count)) == size
