"""`relcon.Scores.v1`, built from a config: its figures and the files it leaves."""

import json

import pytest

from relcon.config import load_config, resolve
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.profiles import DIRECTED
from relcon.evaluators.tables import shown
from relcon.testing import check_evaluator, tiny_split

LABELS = LabelSet(("none", "a", "b"), frozenset({"none"}))
GOLD = ["a", "a", "b", "none", "none"]
PREDICTED = ["a", "b", "b", "a", "none"]


@pytest.fixture
def build(tmp_path):
    """`build("macro", also=["accuracy"])`: the evaluator as a config builds it."""

    def made(profile="micro", **arguments):
        lines = [f"{key} = {json.dumps(value)}" for key, value in {"profile": profile, **arguments}.items()]
        (tmp_path / "run.cfg").write_text("\n".join(["[evaluator]", '@evaluators = "relcon.Scores.v1"', *lines]))
        return resolve(load_config(tmp_path / "run.cfg").tree["evaluator"], "[evaluator]")

    return made


@pytest.fixture
def answered(model):
    return model(LABELS, {f"i{number}": label for number, label in enumerate(PREDICTED)})


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_figures(build, answered, split):
    figures = build(also=["macro", "accuracy"]).evaluate(answered, split(GOLD, LABELS, lost=["b"]))
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)
    assert (figures["instances"], figures["lost"], figures["support/b"]) == (5.0, 1.0, 2.0)
    assert figures["macro.f1"] == figures["f1/a"] == figures["f1/b"] == 0.5
    assert figures["accuracy.f1"] == figures["accuracy"] == 0.5
    assert all(isinstance(value, float) for value in figures.values())
    assert answered.asked == 1, "the model is asked once, whatever the number of profiles"


def test_files(build, answered, split, tmp_path):
    evaluator, folder = build(), tmp_path / "scores"
    figures = evaluator.evaluate(answered, split(GOLD, LABELS, lost=["b", "a", "b"]), folder)
    assert {file.name for file in folder.iterdir()} == {
        "predictions.jsonl", "scores.json", "per_class.json", "per_class.tsv", "confusion.tsv", "lost.jsonl",
    }  # fmt: skip
    predictions = lines(folder / "predictions.jsonl")
    assert [line["id"] for line in predictions] == ["i0", "i1", "i2", "i3", "i4"]
    assert [line["gold"] for line in predictions] == GOLD and [line["predicted"] for line in predictions] == PREDICTED
    assert predictions[1]["scores"] == {"none": 0.1, "a": 0.1, "b": 0.7}
    assert predictions[1]["text"] == "The [e1 drug1] stops [e2 the pump1] ."
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["figures"] == figures and scores["profile"] == "micro"
    assert (scores["labels"], scores["negative"]) == (["none", "a", "b"], ["none"])
    assert scores["lost_by_cause"] == {"head and tail in different sentences": 3}
    assert [each["label"] for each in scores["lost"]] == [line["label"] for line in lines(folder / "lost.jsonl")] == ["b", "a", "b"]
    per_class = json.loads((folder / "per_class.json").read_text())
    assert per_class["a"] == {"precision": 0.5, "recall": 1 / 3, "f1": 0.4, "support": 3.0, "predicted": 2.0}
    assert (folder / "per_class.tsv").read_text().splitlines()[1] == "a\t0.5000\t0.3333\t0.4000\t3\t2"
    assert [row.split("\t") for row in (folder / "confusion.tsv").read_text().splitlines()] == [
        ["gold \\ predicted", "none", "a", "b", "(lost)"],
        ["none", "1", "1", "0", "0"],
        ["a", "0", "1", "1", "1"],
        ["b", "0", "0", "1", "2"],
    ]


def test_no_confusion_table_where_none_is_wanted(build, answered, split, tmp_path):
    build(confusion=False).evaluate(answered, split(GOLD, LABELS), tmp_path / "scores")
    assert not (tmp_path / "scores" / "confusion.tsv").exists()


def test_the_official_report_lies_beside_the_scores(build, model, split, tmp_path):
    labels = LabelSet(("Other", *DIRECTED), frozenset({"Other"}))
    answers = model(labels, {"i0": DIRECTED[1], "i1": "Other"})
    build("semeval2010.official").evaluate(answers, split([DIRECTED[0], "Other"], labels, lost=[DIRECTED[2]]), tmp_path / "scores")
    report = (tmp_path / "scores" / "semeval2010.txt").read_text()
    assert "Coverage = 2/3" in report, "a lost relation is what the scorer calls skipped"
    assert "The official score is the macro-averaged F1" in report


def test_refusals(build, answered, split, model):
    with pytest.raises(RelconError, match=r"'chemprot.cpr5' counts CPR:3"):
        build("chemprot.cpr5").evaluate(answered, split(GOLD, LABELS))
    assert answered.asked == 0, "before the model runs"
    with pytest.raises(RelconError, match=r"split 'test' has 1 pairs without a label \(the first is i1\).*relcon predict"):
        build().evaluate(answered, split(["a", None], LABELS))
    with pytest.raises(RelconError, match="split 'test' has no candidate pair"):
        build().evaluate(answered, split([], LABELS))


def test_all_relations_lost(build, answered, split, tmp_path):
    """Not one candidate, but relations: recall is 0, and that is said, not hidden."""
    figures = build().evaluate(answered, split([], LABELS, lost=["a"]), tmp_path / "scores")
    assert (figures["f1"], figures["recall"], figures["lost"], figures["instances"]) == (0.0, 0.0, 1.0, 0.0)
    assert (tmp_path / "scores" / "predictions.jsonl").read_text() == ""


@pytest.mark.parametrize("profile", ["micro", "macro", "accuracy"])
def test_it_keeps_the_contract_of_evaluators(build, profile):
    check_evaluator(lambda: build(profile), tiny_split())


def test_shown_with_several_sentences_and_nested_arguments():
    document = Document(
        "d", ("One", "two", ".", "Three", "four", ".", "Five"),
        (Entity((Mention(1, 2),)), Entity((Mention(4, 5),)), Entity((Mention(3, 5),))), sentences=((0, 3), (3, 6), (6, 7)),
    )  # fmt: skip
    assert shown(Instance(document, 1, 0)) == "One [e2 two] . Three [e1 four] ."
    assert shown(Instance(document, 1, 2)) == "[e2 Three [e1 four]] ."
