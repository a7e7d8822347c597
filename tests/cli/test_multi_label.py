"""Several relations of one pair, from documents to predictions, through the real command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import torch

from relcon.config import resolve
from relcon.data.labels import LabelSet
from relcon.interfaces import Stage
from relcon.stages.threshold import chosen, gold_relations
from relcon.testing import tiny_split

CONFIG = Path(__file__).parent / "data" / "multi_label.cfg"


def record(number: int) -> Dict[str, Any]:
    """A document of three entities: abirol both binds and blocks KAP2; in every third document it is duvate, which only binds it."""
    head = "duvate" if number % 3 == 2 else "abirol"
    words = [head, "was", "seen", "in", "cells", ".", *["the"] * (number % 4), "KAP2", "fell", "."]
    spans = [[0, 1], [4, 5], [words.index("KAP2"), words.index("KAP2") + 1]]
    labels = ["binds"] if head == "duvate" else ["binds", "blocks"]
    return {
        "id": f"d{number}",
        "words": words,
        "sentences": {"words": [[0, 6], [6, len(words)]]},
        "entities": [{"mentions": [{"words": span}]} for span in spans],
        "relations": [{"head": 0, "tail": 2, "label": label} for label in labels],
    }


@pytest.fixture
def files(tmp_path: Path, encoder: Path) -> List[str]:
    """The words that give the config its data and its encoder."""
    words = ["--paths.encoder", str(encoder)]
    for name, numbers in (("train", range(12)), ("dev", range(12, 18)), ("test", range(18, 24))):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(record(number)) + "\n" for number in numbers), encoding="utf-8")
        words += [f"--paths.{name}", str(path)]
    return words


def predicted(path: Path) -> Dict[str, List[str]]:
    """Document and pair -> the labels predicted, in the order written."""
    found: Dict[str, List[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        each = json.loads(line)
        assert (each["probability"] is None) == (each["label"] == "Na")
        found.setdefault(f"{each['document']}: {each['head']['text']} {each['tail']['text']}", []).append(each["label"])
    return found


def test_train_choose_evaluate_and_predict_several_labels_of_a_pair(relcon: Callable[..., Any], files: List[str], tmp_path: Path) -> None:
    ended = relcon("train", CONFIG, "--output", tmp_path / "run", *files)
    assert ended.code == 0, ended.err
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert figures["threshold"].keys() == {"threshold", "f1"} and figures["threshold"]["f1"] == 1.0
    about = json.loads((tmp_path / "run" / "model" / "model.json").read_text())
    assert about["threshold"] == figures["threshold"]["threshold"] and about["stage"] == "threshold"
    assert "No threshold was chosen" not in ended.err and figures["evaluate"]["scores.f1"] > 0
    test, out = tmp_path / "test.jsonl", tmp_path / "predictions.jsonl"
    ended = relcon("predict", tmp_path / "run", test, "--output", out, "--positive-only")
    assert ended.code == 0, ended.err
    found = predicted(out)
    records = {f"{each['id']}: {each['words'][0]} KAP2": each for each in map(record, range(18, 24))}
    assert found.keys() == records.keys(), "all other pairs are left out"
    assert all(set(labels) <= {each["label"] for each in records[pair]["relations"]} for pair, labels in found.items())
    several = [pair for pair, labels in found.items() if sorted(labels) == ["binds", "blocks"]]
    assert several, "a score just below the least one of dev may lose a label, not all of them"
    ended = relcon("predict", tmp_path / "run", test, "--output", out, "--overwrite")
    found = predicted(out)
    assert len(found) == 36 and all(sorted(found[pair]) == ["binds", "blocks"] for pair in several)
    assert [found[pair] for pair in sorted(found.keys() - records.keys())] == [["Na"]] * 30
    assert relcon("evaluate", tmp_path / "run").code == 0


def test_mistakes_are_said_before_anything_is_trained(relcon: Callable[..., Any], files: List[str], tmp_path: Path) -> None:
    ended = relcon("check", CONFIG, *files, "--stages.threshold.model", "finetun")
    assert ended.code != 0 and "'finetun' is no earlier stage" in ended.out + ended.err
    (tmp_path / "dev.jsonl").write_text(json.dumps({**record(0), "relations": []}) + "\n")
    ended = relcon("train", CONFIG, "--output", tmp_path / "run", *files)
    assert "[stages.threshold] chooses a threshold on the split 'dev', which has 6 candidate pairs and 0 relations" in ended.err
    ended = relcon("train", CONFIG, "--output", tmp_path / "run", *files, "--stages.threshold.split", "held")
    assert "chooses on the split 'held', but [data] has none" in ended.err and not (tmp_path / "run").exists()


def test_a_model_with_one_label_per_pair_has_no_threshold(relcon: Callable[..., Any], files: List[str], tmp_path: Path) -> None:
    text = CONFIG.read_text().replace('"relcon.MultiLabelClassification.v1"', '"relcon.Classification.v1"\nreads = "pairs"')
    (tmp_path / "one.cfg").write_text(text)
    ended = relcon("train", tmp_path / "one.cfg", "--output", tmp_path / "run", *files, "--stages.finetune.max_steps", "2")
    assert "[stages.threshold] model: stage 'finetune' trains a model that gives a pair exactly one label" in ended.err


def test_a_dry_run_goes_through(relcon: Callable[..., Any], files: List[str], tmp_path: Path) -> None:
    ended = relcon("train", CONFIG, "--output", tmp_path / "run", *files, "--dry-run")
    assert ended.code == 0 and "relcon.ChooseThreshold.v1" in ended.out, ended


class Fixed:
    """Scores as given, of the tiny corpus' labels none, activates, inhibits."""

    def __init__(self, scores: Any):
        self.scores, self.labels = scores, LabelSet(("none", "activates", "inhibits"), frozenset(["none"]))

    def probabilities(self, instances: Any) -> Any:
        return self.scores


def test_the_threshold_maximises_f1_over_the_documents_relations_by_hand() -> None:
    """Labels inhibits, activates, none, inhibits; the score of the negative label is not looked at; the fourth is no candidate."""
    data = tiny_split(4)
    scores = torch.tensor([[0.9, 0.1, 0.7], [0.9, 0.8, 0.3], [0.9, 0.5, 0.2]])
    best = chosen(Fixed(scores), replace(data, instances=data.instances[:3]))  # type: ignore[arg-type]
    assert gold_relations(data) == 3 and best == pytest.approx((0.7, 0.8)), "two of two right, of three"
    stage = resolve({"@stages": "relcon.ChooseThreshold.v1", "model": "finetune"}, "[stages.threshold]")
    assert isinstance(stage, Stage) and stage.measures({}) == ["threshold", "f1"] and (stage.model, stage.split) == ("finetune", "dev")
