"""TensorBoard through the real command line: its event files say what log.jsonl says."""

import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from relcon.training.trackers import scalars

TENSORBOARD = ("--training.trackers", '["tensorboard"]')


def read(folder):
    """Every scalar of the event files: name -> [(step, value)]."""
    events = EventAccumulator(str(folder / "trackers" / "tensorboard"))
    events.Reload()
    return {name: [(each.step, each.value) for each in events.Scalars(name)] for name in events.Tags()["scalars"]}


def logged(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def same_as_the_log(folder):
    """Every number of the log is in the event files, once, in the order of the log."""
    expected = {}
    for record in logged(folder):
        for name, value in scalars(record).items():
            expected.setdefault(name, []).append(value)
    found = {name: [value for _, value in values] for name, values in read(folder).items()}
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-6), name


def test_event_files_say_what_the_log_says(train, tmp_path):
    ended = train(tmp_path / "run", *TENSORBOARD, "--stages.finetune.epochs", 2)
    assert ended.code == 0, ended.err
    same_as_the_log(tmp_path / "run")
    found = read(tmp_path / "run")
    assert [step for step, _ in found["finetune/loss"]] == [1, 2, 3, 4]
    assert [step for step, _ in found["finetune/epoch.loss"]] == [2, 4]
    assert [step for step, _ in found["evaluate/final.figures.scores.f1"]] == [4]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert found["evaluate/final.figures.scores.accuracy"][0][1] == pytest.approx(metrics["evaluate"]["scores.accuracy"])
    assert found["finetune/epoch.peak_memory_bytes"][0][1] > 1e6


def test_every_run_of_a_protocol_has_its_own(train, tmp_path):
    protocol = ("--protocol.@protocols", "relcon.Seeds.v1", "--protocol.seeds", "[1, 2]")
    ended = train(tmp_path / "run", *TENSORBOARD, *protocol)
    assert ended.code == 0, ended.err
    for seed in (1, 2):
        same_as_the_log(tmp_path / "run" / "seeds" / f"seed_{seed}")
    assert not (tmp_path / "run" / "trackers").exists()
    assert "seeds/seed_2 finetune, epoch 1/1: step 2/2" in ended.err


def test_a_run_with_trackers_is_replaced_and_resumed_as_any_other(train, tmp_path):
    for option in ((), ("--overwrite",), ("--resume",)):
        ended = train(tmp_path / "run", *TENSORBOARD, *option)
        assert ended.code == 0, ended.err
    same_as_the_log(tmp_path / "run")


def test_a_tracker_that_joins_a_finished_run_does_not_train_it_anew(train, tmp_path):
    assert train(tmp_path / "run").code == 0
    before = len(logged(tmp_path / "run"))
    ended = train(tmp_path / "run", *TENSORBOARD, "--resume")
    assert ended.code == 0, ended.err
    assert len(logged(tmp_path / "run")) == before


def test_an_unknown_tracker_is_a_mistake_of_the_config(refused):
    said = refused("--training.trackers", '["tensorbord"]')
    assert "[training] trackers: expected one of" in said and "Did you mean 'tensorboard'?" in said


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(refused):
    said = refused("--training.trackers", '["tensorboard", "clearml"]')
    assert "'clearml' is not installed. Install it with: pip install clearml" in said
