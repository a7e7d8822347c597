"""`relcon plot`: the spaces of a run's model, through the real command line."""

import csv
import gzip
import json

import pytest

FOLDS = ["--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "2", "--paths.test", "null"]


def read(file):
    return json.loads(file.read_text(encoding="utf-8"))


def table(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, dialect="excel-tab"))


def looks(run):
    return [look["stage"] for look in read(run / "run.json")["test_reads"]]


@pytest.fixture
def run(train, tmp_path):
    """A finished run in `tmp_path/run`."""
    ended = train(tmp_path / "run")
    assert ended.code == 0, ended.err
    return tmp_path / "run"


def test_a_space_as_picture_table_and_figures(run, relcon, data, tmp_path, caplog):
    ended = relcon("plot", run, "--space", "relations")
    assert ended.code == 0, ended.err
    assert "t-SNE of 4 points takes a perplexity of 1.0 instead of 30." in caplog.text
    files = [run / "plots" / f"relations-test-tsne.{ending}" for ending in ("png", "tsv", "json")]
    assert all(str(file) in ended.out for file in files) and sorted(files) == sorted((run / "plots").iterdir())
    assert looks(run) == ["evaluate", "relcon plot"]
    rows, gold = table(files[1]), [json.loads(line) for line in (data / "test.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == [record["relations"][0]["label"] for record in gold]
    assert rows[0]["name"] == "abirol -> KAP2 (tiny-20)"
    figures = read(files[2])
    assert (figures["space"], figures["split"], figures["method"], figures["seed"]) == ("relations", "test", "tsne", 0)
    assert figures["points"] == {"activates": 1, "inhibits": 2, "none": 1} and -1 <= figures["silhouette"] <= 1

    ended = relcon("plot", run, "--space", "relations", "--output", tmp_path / "again")
    assert ended.code == 0, ended.err
    for name in ("relations-test-tsne.tsv", "relations-test-tsne.json"):
        assert (tmp_path / "again" / name).read_bytes() == (run / "plots" / name).read_bytes(), "the same call draws the same"

    ended = relcon("plot", run, "--space", "relations")
    assert (ended.code, ended.out) == (2, "") and "relations-test-tsne.png exists. Give another file to write, or --overwrite" in ended.err
    ended = relcon("plot", run, "--space", "relations", "--overwrite", "--limit", "2", "--method", "tsne")
    assert ended.code == 2 and "tsne needs 4 points or more, and there are 2" in ended.err
    assert len(table(files[1])) == 4, "what cannot be drawn replaces nothing"
    assert relcon("plot", run, "--space", "relations", "--overwrite", "--limit", "3", "--method", "pca").code == 0
    assert len(table(run / "plots" / "relations-test-pca.tsv")) == 3


def test_other_spaces_splits_data_and_methods(run, relcon, data):
    ended = relcon("plot", run, "--space", "entities", "--split", "train", "--method", "pca", "--seed", "7")
    assert ended.code == 0, ended.err
    figures = read(run / "plots" / "entities-train-pca.json")
    assert figures["points"] == {"CHEMICAL": 16, "PROTEIN": 16} and figures["seed"] == 7
    assert looks(run) == ["evaluate"], "only the test split is watched"
    (data / "test.jsonl.gz").write_bytes(gzip.compress((data / "test.jsonl").read_bytes()))
    assert relcon("plot", run, "--space", "relations", "--data", data / "test.jsonl.gz", "--method", "pca").code == 0
    assert relcon("plot", run, "--space", "relations", "--method", "pca").code == 0
    own, given = (table(run / "plots" / f"relations-{name}-pca.tsv") for name in ("test", "test.jsonl"))
    assert own == given and looks(run) == ["evaluate", "relcon plot"]


def test_what_is_refused_leaves_no_trace(run, relcon, data):
    """One run for all: training is the dear part."""

    def refuses(folder, *words):
        ended = relcon("plot", folder, "--space", *words)
        assert (ended.code, ended.out) == (2, "") and "Traceback" not in ended.err, ended
        assert not (run / "plots").exists() and looks(run) == ["evaluate"]
        return ended.err

    assert "The model has no space 'relation'. Its spaces: 'relations', 'entities'." in refuses(run, "relation")
    assert "no split 'tset'. Did you mean 'test'?" in refuses(run, "relations", "--split", "tset")
    assert "--data and --split exclude each other" in refuses(run, "relations", "--split", "test", "--data", "x.jsonl")
    assert "nowhere.jsonl does not exist" in refuses(run, "relations", "--data", "nowhere.jsonl")
    assert f"{data} holds no run" in refuses(data, "relations")


def test_the_pictures_belong_to_the_model_that_they_show(run, relcon, train):
    assert relcon("plot", run, "--space", "entities", "--method", "pca").code == 0
    assert train(run, "--resume").code == 0 and (run / "plots").exists(), "nothing changed"
    assert train(run, "--resume", "--training.seed", "3").code == 0 and not (run / "plots").exists()
    assert relcon("plot", run, "--space", "entities", "--method", "pca").code == 0
    assert train(run, "--overwrite").code == 0 and not (run / "plots").exists()


def test_a_run_over_folds_draws_one_of_them(train, relcon, tmp_path):
    assert train(tmp_path / "run", *FOLDS).code == 0
    fold = tmp_path / "run" / "folds" / "fold_01"
    ended = relcon("plot", tmp_path / "run", "--space", "relations")
    assert (ended.code, ended.out) == (2, "") and f"is a run over 2 folds; give one of them: {fold}" in ended.err
    ended = relcon("plot", fold, "--space", "relations", "--method", "pca")
    assert ended.code == 0, ended.err
    known = [json.loads(line)["id"].partition("#")[0] for line in (fold / "predictions.jsonl").read_text().splitlines()]
    named = [row["name"].rpartition("(")[2].rstrip(")") for row in table(fold / "plots" / "relations-test-pca.tsv")]
    assert named == known and looks(fold) == ["evaluate", "relcon plot"]
