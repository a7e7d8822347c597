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


def test_predict_and_evaluate_take_one_of_the_folds(folds, relcon, data, tmp_path):
    one, two = folds / "folds/fold_01", folds / "folds/fold_02"
    for words in (["predict", folds, data / "dev.jsonl", "-o", tmp_path / "out.jsonl"], ["evaluate", folds, "--data", data / "dev.jsonl"]):
        ended = relcon(*words)
        assert (ended.code, ended.out) == (2, "")
        assert f"{folds} is a run over 2 folds; give one of them: {one}, {two}." in ended.err
    assert relcon("predict", one, data / "dev.jsonl", "-o", tmp_path / "out.jsonl").code == 0
    assert relcon("evaluate", two, "--data", data / "dev.jsonl").code == 0


def test_a_fold_is_evaluated_on_its_own_part_of_the_data(folds, relcon, data, tmp_path, change):
    for number in (1, 2):
        fold = folds / f"folds/fold_0{number}"
        ended = relcon("evaluate", fold, "--split", "test", "-o", tmp_path / str(number))
        assert ended.code == 0, ended.err
        assert (tmp_path / str(number) / "scores/predictions.jsonl").read_bytes() == (fold / "predictions.jsonl").read_bytes()
        assert [look["stage"] for look in read(fold / "run.json")["test_reads"]] == ["evaluate", "relcon evaluate"]
    change("train", lambda record: record["relations"][0].update(label="none"), 0)
    ended = relcon("evaluate", folds / "folds/fold_01", "--split", "test")
    assert ended.code == 2 and "the data of [data] have changed since" in ended.err


def test_resuming_with_fewer_folds_or_none_leaves_none_of_the_others(folds, train):
    assert train(folds, "--resume", *FOLDS, "--stages.evaluate", "null", "--training.seed", "3").code == 0
    assert not (folds / "pooled.json").exists() and list(read(folds / "metrics.json")) == ["finetune"]
    for fold in (folds / "folds/fold_01", folds / "folds/fold_02"):
        assert list(read(fold / "metrics.json")) == list(read(fold / "run.json")["stages"]) == ["finetune"]
        assert not (fold / "predictions.jsonl").exists() and (fold / "model/model.json").exists()
        assert (read(fold / "run.json")["seed"], read(fold / "run.json")["resumed"][0]["before"]["seed"]) == (3, 0)
    assert train(folds, "--resume", *FOLDS, "--protocol.folds", "3").code == 0
    assert sorted(each.name for each in (folds / "folds").iterdir()) == ["fold_01", "fold_02", "fold_03"]
    assert train(folds, "--resume", *FOLDS).code == 0
    assert sorted(each.name for each in (folds / "folds").iterdir()) == ["fold_01", "fold_02"]
    assert read(folds / "metrics.json")["evaluate"]["scores.f1"]["runs"] == 2 and (folds / "pooled.json").exists()
    assert train(folds, "--resume").code == 0
    assert not (folds / "folds").exists() and not (folds / "pooled.json").exists()
    assert {"dev", "test", "train"} == set(read(folds / "run.json")["data"]) and (folds / "model/model.json").exists()
    assert train(folds, "--resume", *FOLDS).code == 0
    left = {each.name for each in folds.iterdir()}
    assert left.isdisjoint({"model", "predictions.jsonl", "scores.json"}) and not list((folds / "stages").iterdir())
    assert read(folds / "run.json")["stages"] == {} and read(folds / "metrics.json")["evaluate"]["scores.f1"]["runs"] == 2


def test_one_fold_alone_is_that_fold_of_all(folds, train, tmp_path):
    ended = train(tmp_path / "alone", *FOLDS, "--protocol.only", "[2]")
    assert ended.code == 0, ended.err
    assert [each.name for each in (tmp_path / "alone/folds").iterdir()] == ["fold_02"]
    one, two = folds / "folds/fold_02", tmp_path / "alone/folds/fold_02"
    assert read(tmp_path / "alone/metrics.json") == read(two / "metrics.json") == read(one / "metrics.json")
    assert (two / "predictions.jsonl").read_bytes() == (one / "predictions.jsonl").read_bytes()


def test_folds_of_a_file_are_tested_on_what_it_says(train, data, tmp_path):
    names = [json.loads(line)["id"] for line in (data / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    sides = {"b2": (names[2:7], names[8:]), "b10": (names[9:], names[:8])}
    file = tmp_path / "folds.json"
    file.write_text(json.dumps({name: {"train set": train, "test set": test} for name, (train, test) in sides.items()}))
    given = ["--protocol.@protocols", "relcon.GivenFolds.v1", "--protocol.file", file, "--paths.test", "null"]
    ended = train(tmp_path / "run", *given)
    assert ended.code == 0, ended.err
    told = (tmp_path / "run/folds/fold_02/predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"].split("#")[0] for line in told] == names[:8]
