"""CLRE's acceptance facts on F1: micro average over the relations, and the mean of the folds (Su et al. 2021, section 3)."""

from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence

import pytest
import torch

from relcon.config import load_config, resolve
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.interfaces import Evaluator, Model, Split
from relcon.statistics import estimates

CHEMPROT = LabelSet(("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9", "false"), frozenset({"false"}))
AIMED = LabelSet(("0", "1"), frozenset({"0"}))
HEADLINES = ("precision", "recall", "f1")
Scored = Callable[[str, LabelSet, Sequence[str], Sequence[str]], Dict[str, float]]


class Answers(Model):
    """A classifier that gives these labels, by instance id."""

    def __init__(self, labels: LabelSet, answers: Mapping[str, str]):
        self.labels, self.answers = labels, answers

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        numbers = torch.tensor([self.labels.number(self.answers[instance.uid]) for instance in instances])
        return torch.nn.functional.one_hot(numbers, len(self.labels)).float()

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError


def split(labels: LabelSet, gold: Sequence[str]) -> Split:
    document = Document("d", ("A", "binds", "B"), (Entity((Mention(0, 1),)), Entity((Mention(2, 3),))))
    return Split("test", [document], [Instance(document, 0, 1, label, f"i{number}") for number, label in enumerate(gold)], labels)


@pytest.fixture
def scored(tmp_path: Path) -> Scored:
    """Figures of these predictions under a profile, the evaluator built from a config."""

    def figures(profile: str, labels: LabelSet, gold: Sequence[str], predicted: Sequence[str]) -> Dict[str, float]:
        path = tmp_path / "scores.cfg"
        path.write_text(f'[evaluator]\n@evaluators = "relcon.Scores.v1"\nprofile = "{profile}"\n')
        evaluator: Evaluator = resolve(load_config(path).tree["evaluator"], "[evaluator]")
        data = split(labels, gold)
        answers = {instance.uid: label for instance, label in zip(data.instances, predicted, strict=True)}
        return evaluator.evaluate(Answers(labels, answers), data)

    return figures


@pytest.mark.parametrize("profile", ["chemprot.cpr5", "micro"])
def test_clre_fact_12(scored: Scored, profile: str):
    gold = ["CPR:3", "CPR:4", "false", "CPR:9", "false", "CPR:4", "CPR:6", "false", "CPR:5", "CPR:3"]
    predicted = ["CPR:3", "CPR:3", "CPR:4", "CPR:9", "CPR:9", "CPR:4", "false", "false", "CPR:5", "CPR:4"]
    figures = scored(profile, CHEMPROT, gold, predicted)
    assert [figures[name] for name in HEADLINES] == pytest.approx([0.500000, 0.571429, 0.533333], abs=1e-6)
    sums = {kind: sum(figures[f"{kind}/{name}"] for name in CHEMPROT.positive) for kind in ("support", "predicted")}
    assert sums == {"support": 7, "predicted": 8}
    right = sum(figures[f"recall/{name}"] * figures[f"support/{name}"] for name in CHEMPROT.positive)
    assert right == pytest.approx(4)


@pytest.mark.parametrize("profile", ["ppi.cv10", "ppi.cv10.instance"])
def test_clre_fact_13(scored: Scored, profile: str):
    """What a run reports of its folds is the mean of their figures: neither the F1 of the means nor that of the pooled counts."""
    folds: List[Dict[str, float]] = [
        scored(profile, AIMED, "1111000000", "1110100000"),
        scored(profile, AIMED, "1100000000", "1011000000"),
    ]
    assert [folds[0][name] for name in HEADLINES] == [0.75, 0.75, 0.75]
    assert [folds[1][name] for name in HEADLINES] == pytest.approx([0.333333, 0.5, 0.4], abs=1e-6)
    reported = estimates(folds)
    assert [reported[name].mean for name in HEADLINES] == pytest.approx([0.541667, 0.625000, 0.575000], abs=1e-6)
    precision, recall = reported["precision"].mean, reported["recall"].mean
    assert 2 * precision * recall / (precision + recall) == pytest.approx(0.580357, abs=1e-6)
    pooled = scored(profile, AIMED, "1111000000" + "1100000000", "1110100000" + "1011000000")
    assert pooled["f1"] == pytest.approx(0.615385, abs=1e-6)
