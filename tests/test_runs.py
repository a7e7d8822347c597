"""The folder of a run: who may write to it, what is done, what a failed run leaves."""

import json
import os

import pytest

from relcon.errors import Interrupted, RelconError
from relcon.runs import OWN, RunFolder, check_output, put_back, tentative


@pytest.fixture
def run(tmp_path):
    """A new run in `tmp_path/run`."""
    return RunFolder.open(tmp_path / "run", seed=7, about={"data": {"train": "abc"}})


def check(path, resume=False, overwrite=False):
    check_output(path, resume=resume, overwrite=overwrite)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


# ---- who may write -----------------------------------------------------------------------------------------------------


def test_new_and_empty_folders_are_taken(tmp_path):
    check(tmp_path)
    check(tmp_path / "deep" / "new")
    assert not (tmp_path / "deep").exists(), "a check writes nothing"


def test_another_run_needs_a_decision(run):
    with pytest.raises(RelconError, match=r"holds another run.*--resume.*--overwrite"):
        check(run.path)
    check(run.path, resume=True)
    check(run.path, overwrite=True)


def test_the_two_decisions_exclude_each_other(run):
    with pytest.raises(RelconError, match="exclude each other"):
        check(run.path, resume=True, overwrite=True)


@pytest.mark.parametrize("option", [{}, {"resume": True}, {"overwrite": True}])
@pytest.mark.parametrize("state", [None, "[]", '{"scripts": {}}'])
def test_a_folder_that_is_no_run_is_never_touched(tmp_path, option, state):
    (tmp_path / "thesis.tex").write_text("years of work")
    if state is not None:
        (tmp_path / "run.json").write_text(state)
    with pytest.raises(RelconError, match="holds files that are no relcon run"):
        check(tmp_path, **option)


def test_a_run_with_a_file_of_yours_is_not_replaced(run):
    (run.path / "notes.txt").write_text("mine")
    with pytest.raises(RelconError, match=r"did not write \(notes.txt\)"):
        check(run.path, overwrite=True)
    check(run.path, resume=True)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(RelconError, match="no run to resume"):
        check(tmp_path / "new", resume=True)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RelconError, match="is a file; a folder is needed"):
        check(tmp_path / "file")
    with pytest.raises(RelconError, match=r"cannot be made: .*file is a file, not a folder"):
        check(tmp_path / "file" / "run")


def test_a_name_that_no_folder_can_have(tmp_path):
    with pytest.raises(RelconError, match="is no possible folder: File name too long"):
        check(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RelconError, match="permission denied"):
        check(tmp_path / "run")


# ---- a run that fails before it has a result ---------------------------------------------------------------------------


def start(path, resume=False):
    run = RunFolder.open(path, seed=1, resume=resume)
    run.start_stage("finetune", "f")
    (path / "config.cfg").write_text("x")
    return run


def fail(path, *, resume=False, result=None):
    with pytest.raises(RelconError), tentative(path, resume=resume):
        start(path, resume)
        if result is not None:
            (path / result).parent.mkdir(parents=True, exist_ok=True)
            (path / result).write_text("{}")
        raise RelconError("stop")


def test_it_leaves_nothing(tmp_path):
    fail(tmp_path / "runs" / "first")
    assert contents(tmp_path) == {}


def test_an_empty_folder_stays_empty(tmp_path):
    fail(tmp_path)
    assert tmp_path.is_dir() and contents(tmp_path) == {}


def test_what_it_was_to_replace_comes_back(run):
    start(run.path)
    (run.path / "model").mkdir()
    (run.path / "model" / "model.json").write_text("weights")
    before = contents(run.path)
    fail(run.path)
    assert contents(run.path) == before


@pytest.mark.parametrize("result", ["log.jsonl", "stages/finetune/model/model.json", "folds/fold_01/metrics.json"])
def test_a_result_is_kept(tmp_path, result):
    fail(tmp_path / "run", result=result)
    assert (tmp_path / "run" / result).exists() and (tmp_path / "run" / "run.json").exists()


def test_a_resumed_run_is_kept(run):
    fail(run.path, resume=True)
    assert (run.path / "run.json").exists()


def test_a_new_run_replaces_all_of_the_former(run):
    for name in set(OWN) - {"run.json"}:
        (run.path / name).mkdir()
        (run.path / name / "old").write_text("")
    with tentative(run.path, resume=False):
        RunFolder.open(run.path, seed=2)
    assert list(contents(run.path)) == ["run.json"]
    assert json.loads((run.path / "run.json").read_text())["seed"] == 2


# ---- records -----------------------------------------------------------------------------------------------------------


def state(run):
    return json.loads((run.path / "run.json").read_text(encoding="utf-8"))


def test_what_a_new_run_notes(run):
    noted = state(run)
    assert (noted["seed"], noted["data"], noted["stages"], noted["test_reads"]) == (7, {"train": "abc"}, {}, [])
    assert {"relcon", "torch", "transformers"} <= set(noted["versions"])
    assert noted["started"].endswith("+00:00")


def test_a_stage_from_start_to_end(run):
    assert run.start_stage("finetune", "f1") is False
    assert state(run)["stages"]["finetune"]["state"] == "running"
    assert not run.is_done("finetune", "f1")
    run.finish_stage("finetune", {"dev": 0.5}, 1.234)
    assert run.is_done("finetune", "f1") and not run.is_done("finetune", "f2")
    assert run.figures("finetune") == {"dev": 0.5}
    assert state(run)["stages"]["finetune"]["seconds"] == 1.23
    assert json.loads((run.path / "metrics.json").read_text()) == {"finetune": {"dev": 0.5}}
    assert state(run)["peak_memory_bytes"] > 1e6


def test_only_an_interrupted_attempt_at_the_same_work_goes_on(run):
    def attempt(fingerprint):
        goes_on = run.start_stage("finetune", fingerprint)
        left = [(folder / "left").exists() for folder in (run.stage_folder("finetune"), run.path / "checkpoints" / "finetune")]
        for folder in (run.stage_folder("finetune"), run.path / "checkpoints" / "finetune"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "left").write_text("")
        return goes_on, left

    assert attempt("f1") == (False, [False, False])
    assert attempt("f1") == (True, [True, True])
    assert attempt("f2") == (False, [False, False]), "what other work left is removed"
    run.finish_stage("finetune", {}, 1)
    assert attempt("f2") == (False, [False, False]), "a finished stage that runs again starts afresh"


def test_reopening_keeps_what_is_done(run):
    run.start_stage("finetune", "f1")
    run.finish_stage("finetune", {"dev": 0.5}, 1)
    again = RunFolder.open(run.path, seed=7, resume=True, about={"data": {"train": "abc"}})
    assert again.is_done("finetune", "f1") and again.state["started"] == run.state["started"]
    (resumed,) = state(again)["resumed"]
    assert resumed["before"] == {} and resumed["time"].endswith("+00:00")


def test_a_reopened_run_says_what_it_now_is_and_what_it_was(run, monkeypatch):
    before = state(run)["command"]
    monkeypatch.setattr("sys.argv", ["relcon", "train", "other.cfg", "--resume"])
    RunFolder.open(run.path, seed=99, resume=True, about={"data": {"train": "xyz"}})
    noted = state(run)
    assert (noted["seed"], noted["data"], noted["command"][2]) == (99, {"train": "xyz"}, "other.cfg")
    assert noted["resumed"][0]["before"] == {"seed": 7, "data": {"train": "abc"}, "command": before}


def test_what_a_run_no_longer_makes_is_forgotten(run):
    for name in ("same", "changed", "gone"):
        run.start_stage(name, f"old {name}")
        run.finish_stage(name, {"dev": 0.5}, 1)
    for name in ("model", "pooled.json", "predictions.jsonl", "scores.json"):
        (run.path / name).write_text("old")
    (run.path / "notes.txt").write_text("mine")
    run.keep_only({"same": "old same", "changed": "new"})
    assert list(state(run)["stages"]) == ["same"] and [each.name for each in (run.path / "stages").iterdir()] == ["same"]
    assert json.loads((run.path / "metrics.json").read_text()) == {"same": {"dev": 0.5}}
    assert sorted(each.name for each in run.path.iterdir()) == ["log.jsonl", "metrics.json", "notes.txt", "run.json", "stages"]


def test_folds_that_a_run_no_longer_has_are_removed(run):
    for name in ("folds/fold_01", "folds/fold_02", "seeds/seed_1"):
        (run.path / name).mkdir(parents=True)
    run.keep_runs(["folds/fold_01"])
    assert sorted(contents(run.path)) == ["folds", "folds/fold_01", "run.json"]


def test_looks_at_the_test_split_and_the_log(run):
    run.note_test_read("evaluate", "finetune", "abc")
    (look,) = state(run)["test_reads"]
    assert (look["stage"], look["model"], look["fingerprint"]) == ("evaluate", "finetune", "abc")
    run.log(event="step", loss=1.5)
    (line,) = (run.path / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["event"] == "step" and json.loads(line)["time"] > 0


# ---- the log of a run that is resumed ----------------------------------------------------------------------------------


def finished(run, name, fingerprint, lines):
    run.start_stage(name, fingerprint)
    for number in range(lines):
        run.log(stage=name, step=number)
    run.finish_stage(name, {"steps": lines}, 1)


def logged(run):
    return [json.loads(line)["stage"] for line in (run.path / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_stage_that_starts_anew_takes_its_lines_back_and_those_of_finished_stages_stay(run):
    finished(run, "pretrain", "f1", 2)
    run.start_stage("finetune", "f1")
    run.log(stage="finetune", step=0)
    again = RunFolder.open(run.path, seed=7, resume=True)
    again.go_back(["pretrain"])
    assert again.start_stage("finetune", "f1") is False, "there is no checkpoint to go on from"
    assert logged(run) == ["pretrain"] * 3, "two lines and that of its end"


def test_another_config_takes_back_what_was_finished_too(run):
    for name, lines in (("pretrain", 2), ("finetune", 3), ("more", 1)):
        finished(run, name, "f1", lines)
    again = RunFolder.open(run.path, seed=7, resume=True)
    again.go_back(["pretrain"])
    again.start_stage("finetune", "f2")
    assert logged(run) == ["pretrain"] * 3, "two lines and that of its end"
    assert list(state(run)["stages"]) == ["pretrain", "finetune"] and not again.is_done("more", "f1")


def test_figures_are_there_before_a_stage_counts_as_done(run, monkeypatch):
    run.start_stage("finetune", "f1")
    monkeypatch.setattr(run, "write_state", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.finish_stage("finetune", {"dev": 0.5}, 1)
    assert json.loads((run.path / "metrics.json").read_text()) == {"finetune": {"dev": 0.5}}
    assert not RunFolder.open(run.path, seed=7, resume=True).is_done("finetune", "f1")


# ---- what a killed process leaves --------------------------------------------------------------------------------------


def test_half_written_files_are_not_taken_for_anybodys_and_go(tmp_path):
    for name in (".run.json.77.part", ".model.78.part"):
        (tmp_path / name).mkdir()
    check(tmp_path)
    check(tmp_path, overwrite=True)
    with tentative(tmp_path, resume=False):
        assert list(tmp_path.iterdir()) == []


def test_a_start_that_was_killed_while_it_set_a_run_aside_is_undone(run):
    start(run.path)
    before = contents(run.path)
    (run.path / ".replaced").mkdir()
    for name in ("run.json", "stages"):
        (run.path / name).rename(run.path / ".replaced" / name)
    put_back(run.path)
    assert contents(run.path) == before
    put_back(run.path / ("x" * 300))
    put_back(run.path)
    assert contents(run.path) == before


def test_whoever_ends_a_run_learns_whether_anything_was_kept(tmp_path):
    for result, kept in ((None, False), ("log.jsonl", True)):
        with pytest.raises(Interrupted) as left, tentative(tmp_path / str(kept), resume=False):
            start(tmp_path / str(kept))
            if result:
                (tmp_path / str(kept) / result).write_text("")
            raise Interrupted(15)
        assert left.value.kept is kept
