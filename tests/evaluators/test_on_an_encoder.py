"""All core evaluators on a real classifier: a tiny encoder with random weights behind `relcon.model.TrainedModel`."""

import math
from dataclasses import replace

import pytest
import torch

from relcon.config.building import resolve
from relcon.interfaces import Evaluator, Parts
from relcon.model import TrainedModel
from relcon.testing import tiny_encoder, tiny_split

OF_OTHERS = {"relcon.PositivesFound.v1", "relcon.Extraction.v1"}
"""Measure contrastive tasks, which a classifier does not keep (tests/evaluators/test_contrast.py), and extractors (test_extraction.py)."""

NAMES = [name for name in Evaluator.registry.names() if name.startswith("relcon.") and name not in OF_OTHERS]
ARGUMENTS = {"relcon.FewShotEpisodes.v1": {"profile": "fewrel.2way1shot", "episodes": 100}}
TOWER = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "sentence"}


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)  # the weights of the linear layer
    poolers = {"sentence": resolve({"@poolers": "relcon.CLS.v1"}, "pooler")}
    task = resolve({"@tasks": "relcon.Classification.v1", "stream": "instances", "tower": TOWER}, "task")
    task.build(Parts({"text": tiny_encoder()}, poolers, tiny_split().labels))
    return TrainedModel(task.classifier().eval(), resolve({"@renderers": "relcon.Blinded.v1"}, "renderer"), tiny_split().labels, tokens=40)


@pytest.fixture(scope="module")
def data():
    """(train, test): the first and the last twelve of the tiny corpus."""
    whole = tiny_split(24)
    return replace(whole, instances=whole.instances[:12]), replace(whole, name="test", instances=whole.instances[12:])


@pytest.mark.parametrize("name", NAMES)
def test_figures_of_a_real_classifier(classifier, data, name, tmp_path):
    train, test = data
    evaluator = resolve({"@evaluators": name, **ARGUMENTS.get(name, {})}, "evaluator")
    before = {key: value.clone() for key, value in classifier.tower.state_dict().items()}
    figures = evaluator.evaluate(classifier, test, tmp_path / "out", train)
    assert evaluator.primary in figures and all(isinstance(value, float) and math.isfinite(value) for value in figures.values())
    assert figures == evaluator.evaluate(classifier, test, None, train), "files change nothing, nor does a second time"
    backwards = [replace(split, instances=list(reversed(split.instances))) for split in (test, train)]
    assert evaluator.evaluate(classifier, backwards[0], None, backwards[1]) == pytest.approx(figures, rel=1e-3), "order changes nothing"
    after = classifier.tower.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items()), "what is measured stays as it is"
    assert all(parameter.grad is None for parameter in classifier.tower.parameters())


@pytest.mark.parametrize("name", ["relcon.NearestNeighbours.v1", "relcon.LinearProbe.v1"])
def test_the_training_instances_are_what_is_fitted(classifier, data, name):
    """Measured on what it was fitted on, a nearest neighbour and a hardly penalised probe are always right."""
    arguments = {"k": 1} if "Neighbours" in name else {"C": 1e6}
    evaluator = resolve({"@evaluators": name, "profile": "accuracy", **arguments}, "evaluator")
    assert evaluator.evaluate(classifier, data[0], None, data[0])["f1"] == 1.0
