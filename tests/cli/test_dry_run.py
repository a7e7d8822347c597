"""`relcon train --dry-run` through the real command line: the plan of a run, and that nothing of it stays."""

import json
import os
import re
import tempfile
from pathlib import Path

import pytest

from relcon.config import load_config
from relcon.dry_run import dry_run

TINY = Path(__file__).parent / "data" / "tiny.cfg"

PRETRAIN = """
[stages.pretrain]
@stages = "relcon.Pretrain.v1"
epochs = 2
accumulate = 2
snapshots = [1, 2]
encoders = ${stages.finetune.encoders}
poolers = ${stages.finetune.poolers}

[stages.pretrain.streams.views]
@samplers = "relcon.TwoViews.v1"
batch_size = 4
renderer = ${stages.finetune.streams.train.renderer}

[stages.pretrain.streams.views.augmenter]
@augmenters = "relcon.RandomDeletion.v1"

[stages.pretrain.tasks.contrast]
@tasks = "relcon.Contrastive.v1"
stream = "views"

[stages.pretrain.tasks.contrast.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "sentence"

[stages.pretrain.tasks.contrast.objective]
@objectives = "relcon.NTXent.v1"

[stages.again]
@stages = "relcon.Finetune.v1"
epochs = 1
classifier = "relation"
choose_snapshot = true
encoders = {"text": "pretrain.text"}
poolers = {"sentence": "pretrain.sentence"}
streams = ${stages.finetune.streams}
tasks = ${stages.finetune.tasks}

[stages.again.selection]
@evaluators = "relcon.Scores.v1"
profile = "micro"

"""
"""Stages that hand on and take up."""


@pytest.fixture
def two_stages(tmp_path):
    """The tiny config with pre-training whose encoder is taken up, before its evaluation."""
    text = TINY.read_text(encoding="utf-8").replace("[stages.evaluate]\n", PRETRAIN + "[stages.evaluate]\n")
    path = tmp_path / "two.cfg"
    path.write_text(text.replace('model = "finetune"', 'model = "again"'), encoding="utf-8")
    return path


@pytest.fixture
def words(data, encoder):
    """The overrides that give the tiny config its files."""
    files = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", str(data / f"{name}.jsonl"))]
    return [*files, "--paths.encoder", str(encoder)]


@pytest.fixture
def quiet_place(tmp_path, monkeypatch):
    """A working directory, a home and a place for temporary files of the test's own; what is in all of them."""
    for name in ("work", "home", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RELCON_CACHE", str(tmp_path / "home" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return lambda: sorted(str(path) for name in ("work", "home", "temporary") for path in (tmp_path / name).rglob("*"))


def table(out):
    """The rows of the plan: label -> the cells of the stages."""
    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in out.splitlines() if line[:1] in "│┃" and line]
    return {cells[0]: cells[1:] for cells in rows}


def test_counts_are_those_of_the_run_and_nothing_stays(relcon, train, words, two_stages, quiet_place, tmp_path):
    cache = ["--data.cache", "null"]
    planned = relcon("train", two_stages, *words, "--dry-run", *cache)
    assert planned.code == 0, planned.err
    left = [each for each in quiet_place() if "/home/cache" not in each]
    assert left == [], "something was written beside the cache"
    plan = table(planned.out)
    assert plan[""] == ["finetune", "pretrain", "again", "evaluate"]
    ended = train(tmp_path / "run", config=two_stages)
    assert ended.code == 0, ended.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert plan["steps"] == [f"{metrics[name]['steps']:.0f}" for name in ("finetune", "pretrain", "again")] + ["-"]
    assert plan["batches and steps of an epoch"] == ["2, 2", "4, 2", "2, 2", "-"]
    assert plan["documents, instances, labels"] == ["16, 16, 3", "16, 16, 3", "16, 16, 3", "4, 4, 3"]
    assert plan["split"] == ["train", "train", "train", "test"]
    assert plan["views and texts of a step"] == ["8, 8", "16, 16", "8, 8", "-"]
    assert plan["kind"][3] == "relcon.Evaluate.v1" and float(plan["instances per second"][3]) > 0
    assert "again: trains once from each of 2 snapshots" in planned.out
    assert "estimated time on cpu: " in planned.out and "peak memory so far" in planned.out


def test_batch_shapes_are_those_of_the_batches(words):
    words = [*words, "--stages.finetune.streams.train.renderer.context", "document"]  # whole documents, which differ in length
    plan = dry_run(load_config(TINY, [*words, "--training.micro_batch_tokens", "64", "--training.gradient_caching", "true"]))
    shape = plan.stages["finetune"].shape
    assert shape is not None
    assert (shape.views, shape.inputs) == (8, 8) and 2 <= shape.micro_batches <= 4
    assert 0 < shape.length <= shape.longest <= 40 and 0 <= shape.padding < 0.5
    whole = dry_run(load_config(TINY, words)).stages["finetune"].shape
    assert whole is not None and whole.micro_batches == 1 and whole.padding > shape.padding
    assert whole.length == pytest.approx(shape.length)


def test_parameters_and_the_estimate(words):
    frozen = ["--stages.finetune.encoders.text.freeze_embeddings", "true", "--stages.finetune.epochs", "50"]
    stage = dry_run(load_config(TINY, [*words, *frozen])).stages["finetune"]
    assert stage.trainable and stage.frozen and stage.trainable > 0 < stage.frozen
    assert stage.steps == 100 and stage.epochs == 50
    assert stage.seconds is not None and stage.seconds_per_step is not None
    assert stage.seconds > 90 * stage.seconds_per_step


def test_every_run_of_a_protocol_counts(words):
    plan = dry_run(load_config(TINY, [*words, "--protocol.@protocols", "relcon.Seeds.v1", "--protocol.seeds", "[3, 5, 7]"]))
    assert plan.runs == ["seeds/seed_3", "seeds/seed_5", "seeds/seed_7"]
    one = sum(stage.seconds or 0 for stage in plan.stages.values())
    assert plan.seconds == pytest.approx(plan.reading + 3 * one)


def test_a_stage_without_steps_hands_on(words):
    plan = dry_run(load_config(TINY, [*words, "--stages.finetune.epochs", "0"]))
    assert plan.stages["finetune"].steps == 0 and plan.stages["finetune"].shape is None
    assert plan.stages["evaluate"].instances_per_second


def test_stages_that_cannot_say_are_named(relcon, toy_cfg, toy_code, tmp_path):
    (tmp_path / "train.txt").write_text("a b\n")
    ended = relcon("train", toy_cfg, "--paths.train", tmp_path / "train.txt", "--code", toy_code, "--dry-run")
    if ended.code:  # toy parts have bodies for the config alone
        pytest.skip(ended.err)
    assert "not measured: this kind of stage does not say what it would do" in ended.out


@pytest.mark.parametrize(
    "options, said",
    [
        (("--paths.dev", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--training.epocs", "3"), "Did you mean '--training.epochs'?"),
        (("--training.trackers", '["clearml"]'), "not installed"),
        (("--resume",), "Leave out --resume"),
    ],
)
def test_what_train_refuses_it_refuses(relcon, words, quiet_place, options, said):
    ended = relcon("train", TINY, *words, "--dry-run", *options)
    assert ended.code == 2 and ended.err.startswith("error: ") and said in ended.err
    assert quiet_place() == []


def test_an_output_that_is_given_is_looked_at(relcon, words, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    ended = relcon("train", TINY, *words, "--dry-run", "--output", tmp_path / "thesis")
    assert ended.code == 2 and "holds files that are no relcon run" in ended.err
    assert os.listdir(tmp_path / "thesis") == ["thesis.tex"]


def test_without_a_dry_run_an_output_is_needed(relcon, words):
    ended = relcon("train", TINY, *words)
    assert ended.code == 2 and "--output is missing" in ended.err
