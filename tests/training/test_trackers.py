"""Trackers: refused where they are missing; what the log says, once, at steps that grow."""

import json
from typing import Any, Dict, List, get_args

import pytest
from accelerate.utils import LoggerType

from relcon.errors import RelconError
from relcon.runs import RunFolder
from relcon.settings import Tracker, Training
from relcon.training import trackers
from relcon.training.trackers import Tracked, flat, require_trackers, scalars, tracking


class Heard:
    """A tracker that notes what it is given."""

    def __init__(self) -> None:
        self.calls: List[Any] = []

    def log(self, values: Dict[str, float], step: int) -> None:
        self.calls.append((step, values))


@pytest.fixture
def heard():
    return Heard()


def opened(path, heard, resume=False):
    run = RunFolder.open(path, seed=1, resume=resume)
    (path / "trackers").mkdir(exist_ok=True)
    run.listeners.append(Tracked(run, [heard]))
    return run


def test_the_names_are_those_of_accelerate():
    assert set(get_args(Tracker)) == {str(name) for name in LoggerType.list()} - {"all"}


def test_none_and_tensorboard_are_there():
    require_trackers(Training())
    require_trackers(Training(trackers=["tensorboard"]))


@pytest.mark.parametrize("name, install", [("wandb", "pip install wandb"), ("comet_ml", "pip install comet-ml")])
def test_a_missing_package_is_refused_with_what_to_install(name, install, monkeypatch):
    monkeypatch.setattr(trackers, "get_available_trackers", lambda: [])
    with pytest.raises(RelconError, match=f"'{name}' is not installed. Install it with: {install}"):
        require_trackers(Training(trackers=[name]))


def test_one_that_this_accelerate_does_not_know(monkeypatch):
    monkeypatch.delitem(trackers.LOGGER_TYPE_TO_CLASS, "trackio")
    with pytest.raises(RelconError, match="does not know 'trackio'"):
        require_trackers(Training(trackers=["trackio"]))


def test_scalars_are_named_by_stage_and_key():
    step = {"event": "step", "stage": "finetune", "step": 3, "loss": 1.5, "parts": {"relation": 1.5}}
    assert scalars(step) == {"finetune/step": 3, "finetune/loss": 1.5, "finetune/parts.relation": 1.5}
    final = {"event": "final", "stage": "evaluate", "figures": {"scores.f1": 0.5, "note": "text", "odd": None}}
    assert scalars(final) == {"evaluate/final.figures.scores.f1": 0.5}


def test_a_config_as_one_level_of_names():
    assert flat({"training": {"seed": 0, "trackers": ["a"]}, "a": 1}) == {"training.seed": 0, "training.trackers": "['a']", "a": 1}


def steps(heard):
    return [step for step, _ in heard.calls]


def train(run, stage, numbers, fingerprint="f"):
    run.start_stage(stage, fingerprint)
    for number in numbers:
        run.log(event="step", stage=stage, step=number, epoch=1, loss=0.5)
    (run.path / "checkpoints" / stage / "step-1").mkdir(parents=True, exist_ok=True)  # what an interrupted stage goes on from


def test_steps_grow_from_stage_to_stage(tmp_path, heard):
    run = opened(tmp_path, heard)
    train(run, "pretrain", [1, 2, 3])
    run.log(event="epoch", stage="pretrain", step=4, epoch=1, loss=0.5)
    run.log(event="dev", stage="pretrain", epoch=1, f1=0.5)
    run.finish_stage("pretrain", {"steps": 4}, 1)
    train(run, "finetune", [1, 2])
    run.start_stage("evaluate", "f")
    run.finish_stage("evaluate", {"f1": 0.5}, 1)
    assert steps(heard) == [1, 2, 3, 4, 4, 4, 5, 6, 6]
    assert heard.calls[-1] == (6, {"evaluate/final.figures.f1": 0.5})


def test_a_resumed_stage_says_nothing_twice(tmp_path, heard):
    run = opened(tmp_path, heard)
    train(run, "pretrain", [1, 2])
    run.finish_stage("pretrain", {}, 1)
    train(run, "finetune", [1, 2, 3])
    heard.calls.clear()
    again = opened(tmp_path, heard, resume=True)  # from a checkpoint after step 1
    train(again, "finetune", [2, 3, 4])
    assert heard.calls == [(6, {"finetune/step": 4, "finetune/epoch": 1, "finetune/loss": 0.5})]


def test_a_stage_that_begins_anew_is_said_again_at_later_steps(tmp_path, heard):
    run = opened(tmp_path, heard)
    train(run, "finetune", [1, 2])
    again = opened(tmp_path, heard, resume=True)
    train(again, "finetune", [1, 2], fingerprint="other")
    third = opened(tmp_path, heard, resume=True)
    train(third, "finetune", [2, 3], fingerprint="other")
    assert steps(heard) == [1, 2, 3, 4, 5]


def test_a_log_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path, heard):
    run = opened(tmp_path, heard)
    train(run, "finetune", [1, 2])
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "st')
    again = opened(tmp_path, heard, resume=True)
    assert again.listeners[0].last == 2


def test_trackers_are_closed_and_forgotten_when_a_run_stops(tmp_path):
    run = RunFolder.open(tmp_path, seed=1)
    with pytest.raises(RelconError), tracking(run, Training(trackers=["tensorboard"]), {}):
        assert len(run.listeners) == 1
        raise RelconError("stop")
    assert run.listeners == []


def test_no_tracker_writes_nothing(tmp_path):
    run = RunFolder.open(tmp_path, seed=1)
    with tracking(run, Training(), {}):
        train(run, "finetune", [1])
    assert not (tmp_path / "trackers").exists()
    assert json.loads((tmp_path / "log.jsonl").read_text())["step"] == 1
