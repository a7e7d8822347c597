"""kNN and linear probe on frozen embeddings, built from configs."""

import json
from dataclasses import replace

import pytest
import torch

from relcon.config import load_config, resolve
from relcon.data.labels import LabelSet
from relcon.errors import RelconError

LABELS = LabelSet(("none", "a", "b"), frozenset({"none"}))


@pytest.fixture
def build(tmp_path):
    def made(name, **arguments):
        lines = [f"{key} = {json.dumps(value)}" for key, value in arguments.items()]
        (tmp_path / "run.cfg").write_text("\n".join(["[evaluator]", f'@evaluators = "relcon.{name}.v1"', *lines]))
        return resolve(load_config(tmp_path / "run.cfg").tree["evaluator"], "[evaluator]")

    return made


def case(model, split, train, test):
    """A model whose embeddings are given: lists of (label, vector) for both splits."""
    rows = [*train, *test]
    vectors = {f"i{number}": vector for number, (_, vector) in enumerate(rows)}
    whole = split([label for label, _ in rows], LABELS)
    fitted, asked = (replace(whole, instances=part) for part in (whole.instances[: len(train)], whole.instances[len(train) :]))
    return model(LABELS, {}, vectors), fitted, asked


def test_nearest_neighbours_by_hand(build, model, split, tmp_path):
    train = [("a", (1, 0)), ("a", (9, 1)), ("b", (0, 1)), ("none", (-1, -1))]
    test = [("a", (5, 1)), ("b", (1, 4)), ("a", (-2, -2)), ("none", (-1, -2))]
    answers, fitted, asked = case(model, split, train, test)
    figures = build("NearestNeighbours", k=1).evaluate(answers, asked, tmp_path / "knn", fitted)
    predicted = [json.loads(line)["predicted"] for line in (tmp_path / "knn" / "predictions.jsonl").read_text().splitlines()]
    assert predicted == ["a", "b", "none", "none"]
    assert (figures["precision"], figures["recall"]) == (1.0, 2 / 3)
    assert json.loads((tmp_path / "knn" / "scores.json").read_text())["profile"] == "micro"


def test_the_metric_decides(build, model, split):
    train, test = [("a", (1, 0)), ("b", (10, 9))], [("a", (10, 1))]
    answers, fitted, asked = case(model, split, train, test)
    assert build("NearestNeighbours", k=1).evaluate(answers, asked, None, fitted)["f1"] == 1.0
    assert build("NearestNeighbours", k=1, metric="euclidean").evaluate(answers, asked, None, fitted)["f1"] == 0.0


def test_the_majority_of_k_votes_and_a_tie_goes_to_the_first_label(build, model, split):
    train = [("a", (1, 0)), ("b", (1, 0.1)), ("b", (1, 0.2))]
    answers, fitted, asked = case(model, split, train, [("b", (1, 0)), ("a", (1, 0))])
    assert build("NearestNeighbours", k=1).evaluate(answers, asked, None, fitted)["recall/a"] == 1.0
    assert build("NearestNeighbours", k=3).evaluate(answers, asked, None, fitted)["recall/b"] == 1.0
    assert build("NearestNeighbours", k=2).evaluate(answers, asked, None, fitted)["recall/a"] == 1.0
    assert build("NearestNeighbours", k=50).evaluate(answers, asked, None, fitted)["recall/b"] == 1.0, "all there are"


def cloud(seed, count):
    """Three overlapping clouds of points."""
    draw = torch.Generator().manual_seed(seed)
    rows = []
    for number in range(count):
        centre = torch.tensor([[0, 0], [100, 0], [0, 1]][number % 3], dtype=torch.float32)
        rows.append((LABELS.names[number % 3], (centre + 0.1 * torch.randn(2, generator=draw) * torch.tensor([100.0, 1.0])).tolist()))
    return rows


def test_a_linear_probe_separates_what_is_linearly_separable(build, model, split, tmp_path):
    answers, fitted, asked = case(model, split, cloud(0, 60), cloud(1, 30))
    for arguments in ({}, {"C": 10.0}):
        figures = build("LinearProbe", **arguments).evaluate(answers, asked, tmp_path / "probe", fitted)
        assert figures["f1"] > 0.95
        assert figures == build("LinearProbe", **arguments).evaluate(answers, asked, None, fitted), "the same again"
    known = [each.label for each in fitted.instances]
    weak, strong = (build("LinearProbe", C=C).probabilities(answers, asked, fitted, known) for C in (10.0, 1e-6))
    assert weak.max(1).values.mean() > 0.95 and strong.max(1).values.mean() < 0.4, "a strong penalty leaves little but the shares"
    scores = json.loads((tmp_path / "probe" / "predictions.jsonl").read_text().splitlines()[0])["scores"]
    assert list(scores) == list(LABELS.names) and sum(scores.values()) == pytest.approx(1, abs=1e-5)


def test_a_label_without_a_training_instance_is_never_predicted(build, model, split):
    answers, fitted, asked = case(model, split, [("none", (0, 1)), ("a", (1, 0))], [("b", (0, 1)), ("a", (1, 0))])
    for name in ("NearestNeighbours", "LinearProbe"):
        figures = build(name, **({"k": 1} if name.startswith("N") else {})).evaluate(answers, asked, None, fitted)
        assert (figures["predicted/b"], figures["recall/a"], figures["recall/b"]) == (0.0, 1.0, 0.0)


def test_lost_relations_count(build, model, split):
    answers, fitted, asked = case(model, split, [("none", (0, 1)), ("a", (1, 0))], [("a", (1, 0))])
    lossy = replace(asked, lost=split([], LABELS, lost=["a"]).lost)
    assert build("NearestNeighbours", k=1).evaluate(answers, lossy, None, fitted)["recall"] == 0.5


def test_refusals(build, model, split):
    answers, fitted, asked = case(model, split, [("a", (0, 1)), ("a", (1, 0))], [("a", (1, 0))])
    for name in ("NearestNeighbours", "LinearProbe"):
        with pytest.raises(RelconError, match=r"fits a classifier, so it needs a train split"):
            build(name).evaluate(answers, asked)
        with pytest.raises(RelconError, match="the label a only"):
            build(name).evaluate(answers, asked, None, fitted)
        with pytest.raises(RelconError, match=r"'ddi\.micro4' counts"):
            build(name, profile="ddi.micro4").evaluate(answers, asked, None, fitted)
    for name, argument in (("NearestNeighbours", {"k": 0}), ("LinearProbe", {"C": 0.0}), ("LinearProbe", {"max_iter": 0})):
        with pytest.raises(RelconError, match=next(iter(argument))):
            build(name, **argument)
