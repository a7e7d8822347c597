"""Folds taken together."""

import json
from pathlib import Path
from typing import List

import pytest

from relcon.data.labels import LabelSet
from relcon.evaluators.pooled import pooled, pooled_stages
from relcon.evaluators.scoring import score
from relcon.evaluators.tables import write_scores
from relcon.interfaces import Lost

LABELS = LabelSet(("0", "1"), frozenset({"0"}))


def fold(folder: Path, gold: str, predicted: str, lost: List[Lost], first: int = 0) -> Path:
    """What `relcon.Scores.v1` leaves of a fold whose instances are numbered from `first`."""
    folder.mkdir(parents=True)
    rows = [{"id": str(first + n), "gold": a, "predicted": b} for n, (a, b) in enumerate(zip(gold, predicted, strict=True))]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write_scores(folder / "scores.json", "ppi.cv10", LABELS, score(gold, predicted, LABELS, "ppi.cv10", lost), lost)
    return folder


def test_clre_fact_13_pooled(tmp_path: Path) -> None:
    """F 0.75 and 0.4 in two folds: together 0.615385, which is not their mean."""
    a = fold(tmp_path / "a", "1111000000", "1110100000", [])
    b = fold(tmp_path / "b", "1100000000", "1011000000", [], 10)
    found = pooled([a, b])
    assert found is not None and found["f1"] == pytest.approx(0.615385, abs=1e-6) and found["instances"] == 20


def test_lost_relations_count_against_recall(tmp_path: Path) -> None:
    a = fold(tmp_path / "a", "11", "11", [Lost("d", 0, 1, "1", "too far")])
    b = fold(tmp_path / "b", "11", "11", [Lost("e", 0, 1, "1", "too far")], 2)
    found = pooled([a, b])
    assert found is not None and (found["recall"], found["precision"], found["lost"]) == (pytest.approx(4 / 6), 1, 2)


def test_an_instance_that_is_tested_twice_is_no_fold(tmp_path: Path) -> None:
    assert pooled([fold(tmp_path / "a", "11", "11", []), fold(tmp_path / "b", "11", "10", [], 1)]) is None


def test_evaluation_stages_by_name(tmp_path: Path) -> None:
    """Evaluators that write figures without predictions of instances (`relcon.DocumentScores.v1`) have nothing to pool."""
    parts = [tmp_path / "fold_01", tmp_path / "fold_02"]
    for number, part in enumerate(parts):
        fold(part / "stages/evaluate/scores", "10", "10", [], 2 * number)
        (part / "stages/evaluate/documents").mkdir()
        (part / "stages/evaluate/documents/scores.json").write_text('{"figures": {}}', encoding="utf-8")
    assert list(pooled_stages(parts, ["evaluate", "other"])) == ["evaluate.scores"]
