"""What evaluators leave in their folders, under every profile."""

import pytest

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.evaluators.documents import SUBMISSION, DocumentScores
from relcon.evaluators.extracted import Extracted
from relcon.evaluators.extraction import Extraction
from relcon.evaluators.scoring import score
from relcon.evaluators.tables import write_lines, write_scores
from relcon.files import write_json
from relcon.interfaces import Lost
from relcon.score import of_run

LABELS = LabelSet(("0", "1"), frozenset({"0"}))


def shown(lines):
    return {line.profile.name: line.figures for line in lines if line.figures is not None}


@pytest.fixture
def folder(tmp_path):
    """What `relcon.Scores.v1` leaves: two of three pairs right, one relation lost."""
    gold, predicted, lost = "110", "100", [Lost("d", 0, 1, "1", "too far")]
    write_lines(tmp_path / "predictions.jsonl", (
        {"id": f"d#{n}-9", "gold": a, "predicted": b} for n, (a, b) in enumerate(zip(gold, predicted, strict=True))
    ))  # fmt: skip
    write_scores(tmp_path / "scores.json", "micro", LABELS, score(gold, predicted, LABELS, "micro", lost), lost)
    return tmp_path


def test_pairs(folder):
    """1 right of 1 predicted and 3 gold, the lost one included: F 1/2. Right answers: 2 of 4."""
    found = of_run(folder)
    lines = found.side_by_side("micro")
    assert {name: figures["f1"] for name, figures in shown(lines).items()} == {"micro": 0.5, "macro": 0.5, "accuracy": 0.5}
    reasons = {line.profile.name: line.why for line in lines if line.figures is None}
    assert reasons["ppi.cv10"] == "is the mean over 10 folds, and there are none"
    assert "which is no relation of this task" in reasons["chemprot.cpr5"]
    assert reasons["docred.f1"] == "scores facts of documents with given entities, and these are one label for each given pair"


def test_the_selected_profile_of_folds_is_shown_of_one_fold(folder):
    (line,) = [each for each in of_run(folder).side_by_side("ppi.cv10") if each.profile.name == "ppi.cv10"]
    assert line.figures["f1"] == 0.5 and line.why == "of these data alone; the profile is the mean over 10 folds"


def test_extractions(tmp_path):
    entities = (Entity((Mention(0, 1),), "Drug"), Entity((Mention(2, 3),), "Gene"))
    gold = Document("d", ("Zorvane", "blocks", "KLR2"), entities, (Relation(0, 1, "blocks"),))
    other = Document("d", gold.words, (entities[0], Entity((Mention(2, 3),), "Cell")), gold.relations)
    write_lines(tmp_path / "predictions.jsonl", [Extracted.of(gold, other).record()])
    write_json(tmp_path / "scores.json", {"measures": "extraction", "overlapping": "count", "undirected": [], "figures": {}})
    found = shown(of_run(tmp_path).side_by_side(Extraction().profile))
    assert {name: figures["f1"] for name, figures in found.items()} == {
        "e2e.strict.micro": 0.0, "e2e.strict.macro": 0.0, "e2e.boundaries": 1.0,
    }  # fmt: skip


def test_facts_and_episodes_have_figures_alone(tmp_path):
    figures = {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "max_f1": 0.9}
    ignoring = {"ign_precision": 0.0, "ign_f1": 0.0}
    for name, more, expected in (("without", {}, ["docred.f1"]), ("with", ignoring, ["docred.f1", "docred.ign_f1"])):
        write_json(tmp_path / name / "scores.json", {"labels": ["1"], "figures": {**figures, **more}})
        write_json(tmp_path / name / SUBMISSION, [])
        assert list(shown(of_run(tmp_path / name).side_by_side())) == expected
    about = {"measures": "episodes", "profile": "fewrel.3way2shot", "figures": {"accuracy": 0.7}}
    write_json(tmp_path / "episodes" / "scores.json", about)
    assert shown(of_run(tmp_path / "episodes").side_by_side("fewrel.3way2shot")) == {"fewrel.3way2shot": {"accuracy": 0.7}}
    assert of_run(tmp_path) is None, "a folder without scores"


def test_what_evaluators_select():
    assert [Extraction(each).profile for each in ("strict", "relation", "entity")] == ["e2e.strict.micro", "e2e.boundaries", None]
    assert [DocumentScores(each).profile for each in ("f1", "ign_f1", "max_f1")] == ["docred.f1", "docred.ign_f1", None]
    assert Extraction("strict", overlapping="drop").profile is None, "no profile of undivided data leaves sentences out"
