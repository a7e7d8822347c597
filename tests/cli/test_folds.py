"""A run over folds or seeds: what its top folder says, and how it is replaced."""

import json

import pytest

FOLDS = ["--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "2", "--paths.test", "null"]


def read(file):
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture
def folds(train, tmp_path):
    """A finished run over two folds in `tmp_path/run`."""
    ended = train(tmp_path / "run", *FOLDS)
    assert ended.code == 0, ended.err
    return tmp_path / "run"


def test_figures_over_the_folds_have_mean_and_sum(folds):
    found = read(folds / "metrics.json")["evaluate"]["scores.instances"]
    each = [read(folds / f"folds/fold_0{number}/metrics.json")["evaluate"]["scores.instances"] for number in (1, 2)]
    assert (found["mean"], found["sum"], found["runs"]) == (sum(each) / 2, sum(each), 2) and found["sum"] == 16


def test_a_run_over_folds_is_replaced(folds, train):
    assert (folds / "pooled.json").exists()
    ended = train(folds, "--overwrite")
    assert ended.code == 0, ended.err
    assert not (folds / "folds").exists() and not (folds / "pooled.json").exists()
