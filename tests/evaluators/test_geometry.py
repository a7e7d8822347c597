"""Alignment and uniformity against the formulas of Wang and Isola (2020)."""

import math

import pytest
import torch

from relcon.config import load_config, resolve
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators import geometry
from relcon.evaluators.geometry import alignment_uniformity

LABELS = LabelSet(("none", "a", "b"), frozenset({"none"}))


@pytest.fixture
def build(tmp_path):
    def made(**arguments):
        lines = [f"{key} = {str(value).lower()}" for key, value in arguments.items()]
        (tmp_path / "run.cfg").write_text("\n".join(["[evaluator]", '@evaluators = "relcon.AlignmentUniformity.v1"', *lines]))
        return resolve(load_config(tmp_path / "run.cfg").tree["evaluator"], "[evaluator]")

    return made


def by_formula(vectors, classes, alpha, t):
    """Two loops."""
    unit = [[x / math.hypot(*vector) for x in vector] for vector in vectors]
    near, potentials = [], []
    for i in range(len(unit)):
        for j in range(i):
            square = sum((x - y) ** 2 for x, y in zip(unit[i], unit[j], strict=True))
            potentials.append(math.exp(-t * square))
            if classes[i] == classes[j] >= 0:
                near.append(square ** (alpha / 2))
    return {"alignment": sum(near) / len(near), "uniformity": math.log(sum(potentials) / len(potentials)), "pairs": len(near)}


@pytest.mark.parametrize("alpha, t", [(2.0, 2.0), (1.0, 2.0), (2.0, 0.5)])
@pytest.mark.parametrize("rows", [3, 512])
def test_against_two_loops(alpha, t, rows, monkeypatch):
    monkeypatch.setattr(geometry, "ROWS", rows)
    vectors = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    classes = torch.tensor([number % 4 - 1 for number in range(20)])
    found = alignment_uniformity(vectors, classes, alpha, t)
    assert found == pytest.approx(by_formula(vectors.tolist(), classes.tolist(), alpha, t), rel=1e-9)


def test_by_hand(build, model, split):
    """Two points of `a` at a right angle (|x - y|^2 = 2), one of `b` opposite the first (4), another like the second (0)."""
    vectors = {"i0": (3, 0), "i1": (0, 1), "i2": (-2, 0), "i3": (0, 5)}
    gold = ["a", "a", "b", "none"]
    figures = build().evaluate(model(LABELS, {}, vectors), split(gold, LABELS))
    assert figures == {
        "alignment": pytest.approx(2.0), "uniformity": pytest.approx(math.log((4 * math.exp(-4) + math.exp(-8) + 1) / 6)), "pairs": 1.0,
    }  # fmt: skip
    assert build(alpha=1.0).evaluate(model(LABELS, {}, vectors), split(gold, LABELS))["alignment"] == pytest.approx(math.sqrt(2))


def test_extremes(build, model, split):
    gold = ["a", "a", "b", "b"]
    collapsed = {f"i{n}": (1, 1) for n in range(4)}
    figures = build().evaluate(model(LABELS, {}, collapsed), split(gold, LABELS))
    assert (figures["alignment"], figures["uniformity"]) == (pytest.approx(0), pytest.approx(0))
    apart = {"i0": (1, 0), "i1": (1, 0), "i2": (-1, 0), "i3": (-1, 0)}
    assert build().evaluate(model(LABELS, {}, apart), split(gold, LABELS))["uniformity"] < -1


def test_pairs_of_the_negative_label(build, model, split):
    answers, data = model(LABELS, {}, {f"i{n}": (1, n) for n in range(5)}), split(["a", "a", "none", "none", "none"], LABELS)
    assert build().evaluate(answers, data)["pairs"] == 1
    assert build(negatives=True).evaluate(answers, data)["pairs"] == 4


def test_refusals(build, model, split):
    with pytest.raises(RelconError, match=r"needs two instances of one relation, and the split 'test' has none"):
        build().evaluate(model(LABELS, {}), split(["a", "b", "none", "none"], LABELS))
    with pytest.raises(RelconError, match="alpha and t must be above 0"):
        build(t=0.0)


def test_uniformity_of_a_large_t():
    """exp(-t |x - y|^2) is less than the smallest float, its logarithm is not."""
    figures = alignment_uniformity(torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.long), t=1000.0)
    assert figures["uniformity"] == pytest.approx(-2000)


def test_a_last_block_of_one_row(monkeypatch):
    monkeypatch.setattr(geometry, "ROWS", 2)
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert alignment_uniformity(vectors, torch.tensor([0, 1, 0]))["alignment"] == pytest.approx(4)
