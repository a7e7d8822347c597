"""What an evaluator cannot measure is said before the first stage runs, with the evaluator's section; nothing is written."""

import pytest

EVALUATOR = "--stages.evaluate.evaluators.scores"
SELECTION = "--stages.finetune.selection"
KNN, PROBE, ALIGNMENT = "relcon.NearestNeighbours.v1", "relcon.LinearProbe.v1", "relcon.AlignmentUniformity.v1"

BROKEN = '''
from pathlib import Path
from relcon.errors import RelconError
from relcon.interfaces import Evaluator

@Evaluator.register("broken.Late.v1")
class Late(Evaluator):
    """Finds out too late."""

    primary = "f1"

    def evaluate(self, model, data, folder=None, train=None):
        raise RelconError("cannot measure this.")
'''


def bare(record):
    record["relations"] = [{"head": 0, "tail": 1}]


@pytest.mark.parametrize(
    "place, section, split", [(EVALUATOR, "evaluate.evaluators.scores", "test"), (SELECTION, "finetune.selection", "dev")]
)
@pytest.mark.parametrize("name", [KNN, PROBE, ALIGNMENT])
def test_pairs_without_labels(refused, change, place, section, split, name):
    change(split, bare, 1)
    said = refused(f"{place}.@evaluators", name)
    assert f"[stages.{section}] The split '{split}' has 1 pairs without a label" in said


@pytest.mark.parametrize("place, section", [(EVALUATOR, "evaluate.evaluators.scores"), (SELECTION, "finetune.selection")])
@pytest.mark.parametrize("name", [KNN, PROBE])
def test_a_profile_that_does_not_fit_the_labels(refused, place, section, name):
    said = refused(f"{place}.@evaluators", name, f"{place}.profile", "tacred.micro")
    assert f"[stages.{section}] The metric profile 'tacred.micro' leaves out no_relation" in said


def test_one_label_cannot_be_told_apart(refused, change):
    change("train", lambda record: record["relations"][0].update(label="inhibits"))
    said = refused(f"{EVALUATOR}.@evaluators", PROBE, "--data.labels", '["none", "inhibits", "activates"]')
    assert "[stages.evaluate.evaluators.scores] The train split has the label inhibits only" in said


def test_no_two_pairs_of_one_relation(refused, change):
    change("test", lambda record: record["relations"][0].update(label="none"))
    said = refused(f"{EVALUATOR}.@evaluators", ALIGNMENT)
    assert "[stages.evaluate.evaluators.scores] Alignment needs two instances of one relation, and the split 'test' has none." in said


@pytest.mark.parametrize("place, section", [(EVALUATOR, "evaluate.evaluators.scores"), (SELECTION, "finetune.selection")])
def test_what_only_the_measurement_finds_is_said_with_its_section(train, tmp_path, place, section):
    name = section.replace(".", "_")
    code = tmp_path / f"late_{name}.py"
    code.write_text(BROKEN.replace("broken.Late", f"broken.{name}"))
    ended = train(tmp_path / "run", f"{place}.@evaluators", f"broken.{name}.v1", "--code", code)
    assert ended.code == 2 and f"error: [stages.{section}] cannot measure this." in ended.err


def test_evaluate_looks_at_the_data_before_it_writes_tables(train, relcon, change, data, tmp_path):
    words = ["--stages.evaluate.evaluators.alike.@evaluators", ALIGNMENT]
    assert train(tmp_path / "run", *words).code == 0
    change("test", lambda record: record["relations"][0].update(label="none"))
    ended = relcon("evaluate", tmp_path / "run", "--data", data / "test.jsonl", "-o", tmp_path / "tables")
    assert ended.code == 2 and "[stages.evaluate.evaluators.alike] Alignment needs two instances" in ended.err
    assert not (tmp_path / "tables").exists()
