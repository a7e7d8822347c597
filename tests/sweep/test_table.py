"""The table: what is read from the folders of runs, rows, notes, Markdown."""

import json

import pytest

from relcon.compare import compare_runs
from relcon.sweep import FAILED, SweepFolder, Table
from relcon.sweep.measured import measured
from relcon.sweep.records import DONE, Ended


def step(stage="pretrain", **figures):
    return {"event": "step", "stage": stage, "figures": {name.replace("_", ".", 1): value for name, value in figures.items()}}


def epoch(memory):
    return {"event": "epoch", "stage": "pretrain", "peak_memory_bytes": memory}


@pytest.fixture
def found(sweep):
    return sweep()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return SweepFolder(tmp_path / "out")


def test_steps_pairs_time_and_memory_of_several_runs(ran, tmp_path, found):
    log = [step(contrast_positives=1.0, contrast_negatives=6.0), step(contrast_positives=2.0, contrast_negatives=3.0), epoch(7), epoch(5)]
    ran(tmp_path / "run/seeds/seed_1", {"pretrain": {"steps": 10}, "evaluate": {"scores.f1": 0.5}}, log)
    log = [step(contrast_positives=3.0, contrast_negatives=6.0, contrast_terms=4.0), step("finetune", relation_terms=2.0), epoch(6)]
    ran(tmp_path / "run/seeds/seed_2", {"pretrain": {"steps": 20, "after_steps": 3}, "evaluate": {"scores.f1": 0.7}}, log)
    got = measured(tmp_path / "run", found.figure)
    assert got.values == [0.5, 0.7] and got.known == ["evaluate.scores.f1"]
    assert got.steps == {"pretrain": {"steps": 15, "after_steps": 3}}
    assert got.pairs == {"pretrain.contrast": (2, 5)}
    assert (got.seconds, got.memory) == (8, 7)


def test_a_run_that_trained_nothing(ran, tmp_path, found):
    ran(tmp_path / "run", {"evaluate": {"scores.f1": 0.5}})
    got = measured(tmp_path / "run", found.figure)
    assert (got.values, got.steps, got.pairs, got.memory) == ([0.5], {}, {}, None)


@pytest.fixture
def table(ran, found, folder):
    """The baseline has two seeds, drop+large has other figures, swap+small failed, swap+large did not run."""
    for seed, f1 in ((1, 0.5), (2, 0.7)):
        ran(folder.cell("drop+small") / f"seeds/seed_{seed}", {"pretrain": {"steps": 4}, "evaluate": {"scores.f1": f1}})
    log = [step(contrast_positives=1, contrast_negatives=2)]
    ran(folder.cell("drop+large"), {"pretrain": {"steps": 4}, "evaluate": {"scores.f1": 0.65}}, log)
    (folder.cell("drop+small") / "run.json").write_text('{"stages": {}, "versions": {}, "seed": 0}')
    for name in ("drop+small", "drop+large"):
        folder.note(name, Ended(DONE))
    folder.note("swap+small", Ended(FAILED, "the disk\nis | full"))
    return Table.of(found, folder)


def test_mean_interval_and_difference(table):
    base, large, failed, missing = table.rows
    assert base.figure == pytest.approx(0.6) and base.difference is None
    assert base.high - base.low == pytest.approx(2 * 12.7062 * 0.1, abs=1e-3), "Student's t of one degree of freedom"
    assert large.difference == pytest.approx(0.05) and (large.low, large.p) == (None, None)
    assert (failed.state, missing.state) == ("failed", "not run") and missing.figure is None


def test_columns(table):
    base, large, failed, missing = table.columns()
    assert list(base) == [
        "cell", "evaluate.scores.f1", "difference", "p", "positives per anchor", "negatives per anchor", "steps", "time", "memory",
    ]  # fmt: skip
    assert base["cell"] == "dropping words + small" and base["evaluate.scores.f1"].startswith("0.6000 ± ")
    assert (large["difference"], large["p"], large["positives per anchor"], large["negatives per anchor"]) == ("+0.0500", None, "1", "2")
    assert large["steps"] == "pretrain 4" and large["time"] == "4 s"
    assert failed["evaluate.scores.f1"] == "failed" and missing["evaluate.scores.f1"] == "not run" and missing["time"] is None


def test_notes_say_what_the_table_cannot_show(table):
    differences, failed, no_p = table.notes
    assert differences.startswith("Differences to dropping words + small (drop+small)")
    assert failed == "swap+small failed: the disk is | full"
    assert no_p.startswith("No p for drop+large: ") and "is no folder" in no_p


def test_markdown_and_json(table, folder):
    table.save(folder.path)
    lines = (folder.path / "table.md").read_text().splitlines()
    assert lines[1].count("---") == 9 and lines[4].startswith("| swap + small | failed | - |")
    assert lines[6:8] == ["", f"* {table.notes[0]}"]
    kept = json.loads((folder.path / "table.json").read_text())
    assert kept["rows"][0]["measured"]["values"] == [0.5, 0.7] and kept["rows"][2]["message"] == "the disk\nis | full"


def test_without_its_baseline_there_are_no_differences(table, folder, found):
    folder.note("drop+small", Ended(FAILED, "no"))
    again = Table.of(found, folder)
    assert "difference" not in again.columns()[1]
    assert again.notes[0] == "The baseline, dropping words + small (drop+small), failed: there are no differences."


def test_a_figure_that_no_cell_measured(ran, sweep, folder):
    found = sweep(("evaluate.scores.f1", "evaluate.scores.f11"))
    ran(folder.cell("drop+small"), {"evaluate": {"scores.f1": 0.5}})
    folder.note("drop+small", Ended(DONE))
    table = Table.of(found, folder)
    assert table.columns()[0]["evaluate.scores.f11"] is None
    assert "sweep.cfg:4: no cell measured 'evaluate.scores.f11'. Did you mean 'evaluate.scores.f1'?" in table.notes[0]
    assert table.notes[1].endswith("has no such figure: there are no differences.")


def test_a_figure_that_cannot_be_paired(ran, sweep, folder):
    found = sweep(("evaluate.scores.f1", "pretrain.steps"))
    for name in ("drop+small", "drop+large"):
        ran(folder.cell(name), {"pretrain": {"steps": 4}})
        folder.note(name, Ended(DONE))
    said = "pretrain.steps is no figure that relcon compare pairs (f1, precision, recall, PROFILE.f1 and the like)."
    assert Table.of(found, folder).notes[-1] == f"No p for drop+large: {said}"


def predictions(folder, predicted):
    """What an evaluation with the profile "micro" leaves."""
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text(json.dumps({"profile": "micro", "labels": ["none", "a", "b"], "negative": ["none"], "lost": []}))
    lines = [{"id": str(number), "gold": "ab"[number % 6 == 0], "predicted": label} for number, label in enumerate(predicted)]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_figure_of_a_profile_beside_the_evaluators_own_is_paired(ran, sweep, folder):
    for name, predicted in (("drop+small", "a" * 12), ("drop+large", "bbaaaabaaaaa")):
        ran(folder.cell(name), {"evaluate": {"scores.f1": 0.5, "scores.macro.f1": 0.5, "scores.makro.f1": 0.5}})
        predictions(folder.cell(name) / "stages/evaluate/scores", predicted)
        folder.note(name, Ended(DONE))
    found = {}
    for key in ("f1", "macro.f1", "makro.f1"):
        table = Table.of(sweep(("evaluate.scores.f1", f"evaluate.scores.{key}")), folder)
        found[key] = table.rows[1].p
    runs = [folder.cell(name) for name in ("drop+large", "drop+small")]
    assert found == {"f1": 1.0, "macro.f1": compare_runs(*runs, profile="macro").p_randomisation, "makro.f1": None}
    assert found["macro.f1"] < 1 and "evaluate.scores.makro.f1 is no figure that relcon compare pairs" in table.notes[-1]
