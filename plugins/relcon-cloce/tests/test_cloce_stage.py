"""The alternation of classification and contrast, in whole runs: what trains when, what is logged, that it can be interrupted."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import torch
from relcon_cloce.errors import Predictions
from relcon_cloce.stage import Alternation
from safetensors.torch import load_file

import relcon.stages.training
import relcon.training.predicting
from relcon.checking import check_config
from relcon.config import load_config
from relcon.data.json import document_to_json
from relcon.dry_run import dry_run
from relcon.errors import Interrupted, RelconError
from relcon.pipeline import train
from relcon.testing import tiny_corpus, tiny_encoder_folder
from relcon.training.loop import Loop

START = """
[paths]
train = null
dev = null
encoder = null
[training]
seed = 3
device = "cpu"
log_every = 1
checkpoint_every = 2
keep_last = 3

[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
dev = ${paths.dev}
negative = ["none"]
cache = "none"
[data.reader]
@readers = "relcon.JSONLines.v1"
[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[stages.tune]
@stages = "STAGE"
epochs = 3
classifier = "relation"
accumulate = 2
[stages.tune.encoders.text]
@encoders = "relcon.Transformer.v1"
path = ${paths.encoder}
max_length = 60
[stages.tune.optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 0.005
[stages.tune.selection]
@evaluators = "relcon.Scores.v1"
profile = "micro"
[stages.tune.streams.train]
@samplers = "relcon.Instances.v1"
batch_size = 4
"""
KI = START.replace("STAGE", "relcon.Finetune.v1")
ALTERNATION = START.replace("STAGE", "cloce.Alternation.v1").replace("accumulate", 'after = ["errors"]\naccumulate')

SOFT_LABELS = """
[stages.tune.streams.train.renderer]
@renderers = "cloce.Prompt.v1"
types = "none"
[stages.tune.poolers.mask]
@poolers = "relcon.SpanPool.v1"
inside = "first"
slots = 1
[stages.tune.tasks.relation]
@tasks = "cloce.SoftLabels.v1"
stream = "train"
transform = "fresh"
"""

MARKERS = """
[stages.tune.streams.train.renderer]
@renderers = "relcon.EntityMarkers.v1"
[stages.tune.poolers.pair]
@poolers = "relcon.SpanPool.v1"
inside = "first"
[stages.tune.tasks.relation]
@tasks = "relcon.Classification.v1"
stream = "train"
[stages.tune.tasks.relation.tower]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "pair"
"""

AFTER = """
[stages.tune.after_optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 0.001
weight_decay = 0.0
"""

ERRORS = """
[stages.tune.streams.errors]
@samplers = "cloce.ErrorPairs.v1"
batch_size = 3
"""

SAME_LABEL = """
[stages.tune.streams.errors]
@samplers = "relcon.SameLabel.v1"
batch_size = 8
negative = "own"
"""

CONTRAST = """
[stages.tune.streams.errors.renderer]
@renderers = "cloce.Prompt.v1"
types = "none"
unit = "sentence"
[stages.tune.poolers.mean]
@poolers = "relcon.SpanPool.v1"
slots = 1
[stages.tune.tasks.contrast]
@tasks = "relcon.Contrastive.v1"
stream = "errors"
[stages.tune.tasks.contrast.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "mean"
[stages.tune.tasks.contrast.objective]
@objectives = "relcon.MarginPairs.v1"
trainable = true
"""

CONFIG = ALTERNATION + SOFT_LABELS + AFTER + ERRORS + CONTRAST


def read(path: Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def log_of(run: Path) -> List[Dict[str, Any]]:
    """The lines of a log without their times."""
    aside = ("time", "seconds", "peak_memory_bytes")
    return [{k: v for k, v in json.loads(line).items() if k not in aside} for line in (run / "log.jsonl").read_text().splitlines()]


def weights(run: Path) -> Dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "stages/tune/model").rglob("*.safetensors")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and an encoder."""
    folder = tmp_path_factory.mktemp("alternation")
    records = [{k: v for k, v in document_to_json(each).items() if k != "source"} for each in tiny_corpus(24)]
    for name, part in (("train", records[:18]), ("dev", records[18:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in part), encoding="utf-8")
    tiny_encoder_folder(folder / "bert", layers=1)
    return folder


@pytest.fixture(scope="module")
def config(place: Path) -> Callable[..., Any]:
    """`config(*overrides, text=CONFIG)`."""

    def load(*words: Any, text: str = CONFIG) -> Any:
        path = place / "tune.cfg"
        path.write_text(text, encoding="utf-8")
        paths = ["--paths.train", place / "train.jsonl", "--paths.dev", place / "dev.jsonl", "--paths.encoder", place / "bert"]
        return load_config(path, [str(word) for word in [*paths, *words]])

    return load


@pytest.fixture(scope="module")
def whole(place: Path, config: Callable[..., Any]) -> Path:
    """A run that nobody interrupts."""
    train(config(), place / "whole")
    return place / "whole"


# ---- what happens in an epoch ------------------------------------------------------------------------------------------------


def test_the_phases_follow_each_other_and_the_look_comes_last(whole: Path) -> None:
    kinds = [(line["event"], line.get("phase")) for line in log_of(whole)]
    epochs = [kind for kind in kinds if kind[0] in ("epoch", "dev", "left_out")]
    assert epochs == [("epoch", None), ("epoch", "after"), ("dev", None)] * 3
    lines = [line for line in log_of(whole) if line["event"] == "step"]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    figures = read(whole / "metrics.json")["tune"]
    after = [line for line in lines if line.get("phase") == "after"]
    assert figures["steps"] == 3 * 3 and figures["after_steps"] == len(after) > 0
    assert set(figures) <= set(Alternation.measures({"selection": {}}) or [])
    assert {line["rate"] for line in after} == {0.001} and all(set(line["parts"]) == {"contrast"} for line in after)
    assert all(set(line["parts"]) == {"relation"} for line in lines if "phase" not in line)


def test_an_epochs_line_says_what_was_paired(whole: Path) -> None:
    for line in log_of(whole):
        if line["event"] == "epoch" and line.get("phase") == "after":
            figures = line["figures"]
            assert figures["errors.errors"] + figures["errors.correct"] == 18
            pairs, steps = figures["errors.pairs"], [each for each in log_of(whole) if each.get("phase") and each["event"] == "step"]
            assert sum(each["epoch"] == line["epoch"] for each in steps) == math.ceil(math.ceil(pairs / 3) / 2), "3 a batch, 2 a step"
            lacking = figures["errors.without_true_partner"] + figures["errors.without_mistaken_partner"]
            assert pairs == 2 * figures["errors.errors"] - lacking
            assert 0.1 < figures["contrast.margin"] <= 0.5
            assert {"contrast.positive_distance", "contrast.negative_distance"} & set(figures), "of the last batch of a step"


ONE = ["--stages.tune.epochs", 1, "--stages.tune.selection", "null"]
"""A single epoch."""


def watched_run(folder: Path, loaded: Any) -> Dict[str, Dict[str, torch.Tensor]]:
    """The weights before and after the first step of each turn of an epoch, by `before LOOP` and `after LOOP`."""
    seen: Dict[str, Dict[str, torch.Tensor]] = {}
    real = Loop.update

    def update(self: Loop, *given: Any) -> Any:
        seen.setdefault(f"before {self.name}", weights_now(self))
        record = real(self, *given)
        seen.setdefault(f"after {self.name}", weights_now(self))
        return record

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "update", update)
        train(loaded, folder / "run")
    return seen


def weights_now(loop: Loop) -> Dict[str, torch.Tensor]:
    """Copies of all weights; shared ones under one name."""
    return {name: weight.detach().clone() for name, weight in loop.modules.named_parameters()}


def changed(seen: Dict[str, Dict[str, torch.Tensor]], one: str, other: str) -> List[str]:
    """The weights that differ."""
    return [name for name, weight in seen[one].items() if not torch.equal(weight, seen[other][name])]


RHO = "tasks.contrast.objective.rho"


@pytest.mark.parametrize("variant, depth", [("S", "0"), ("D", "null")])
@pytest.mark.parametrize("classifier", [SOFT_LABELS, MARKERS], ids=["soft labels", "markers"])
def test_cloce_g12_what_trains(tmp_path: Path, config: Callable[..., Any], variant: str, depth: str, classifier: str) -> None:
    text = ALTERNATION + classifier + AFTER + ERRORS + CONTRAST
    seen = watched_run(tmp_path, config("--stages.tune.tasks.contrast.anchors.depth", depth, *ONE, text=text))
    assert RHO not in changed(seen, "before tune", "before tune.after"), "the classifier's optimizer does not hold the margin"
    found = changed(seen, "before tune.after", "after tune.after")
    assert RHO in found and any("embeddings" in name for name in found)
    layers = [name for name in found if "embeddings" not in name and name != RHO]
    assert all(name.startswith("encoders.text") for name in layers), layers
    assert bool(layers) == (variant == "D")


def test_cloce_g12_without_a_near_negative_the_margin_stays(tmp_path: Path, config: Callable[..., Any]) -> None:
    """A margin that is below every distance."""
    words = ["--stages.tune.tasks.contrast.objective.margin", "2e-6", "--stages.tune.tasks.contrast.objective.smallest", "1e-6"]
    seen = watched_run(tmp_path, config(*words, *ONE))
    found = changed(seen, "before tune.after", "after tune.after")
    assert found and RHO not in found


def test_cloce_g12_without_contrast_nothing_has_a_margin(ki: Path) -> None:
    assert "after_steps" not in read(ki / "metrics.json")["tune"]
    assert not any("rho" in name for path in (ki / "stages/tune/model").rglob("*.safetensors") for name in load_file(path))


@pytest.fixture(scope="module")
def ki(place: Path, config: Callable[..., Any]) -> Path:
    """A run of the same classifier without contrast."""
    train(config(text=KI + SOFT_LABELS), place / "ki")
    return place / "ki"


def test_the_first_epoch_is_that_of_plain_fine_tuning(ki: Path, whole: Path) -> None:
    losses = [line["loss"] for line in log_of(ki) if line["event"] == "step"]
    ours = [line["loss"] for line in log_of(whole) if line["event"] == "step" and "phase" not in line]
    assert losses[:3] == ours[:3] and losses[3:] != ours[3:]


def test_another_methods_sampler_in_the_phase(place: Path, config: Callable[..., Any]) -> None:
    text = ALTERNATION + SOFT_LABELS + AFTER + SAME_LABEL + CONTRAST
    train(config(text=text), place / "same label")
    assert read(place / "same label/metrics.json")["tune"]["after_steps"] == 3 * 2, "18 instances in batches of 8, two a step"
    plan = dry_run(config(text=text)).stages["tune"]
    assert plan.steps == 9 and plan.figures["after_steps"] == 6 and "6 steps more, of 'after' after the epochs" in plan.notes


def test_a_dry_run_says_that_the_number_of_pairs_is_not_known(config: Callable[..., Any]) -> None:
    plan = dry_run(config()).stages["tune"]
    assert plan.steps == 9 and any("whose number follows from its predictions" in note for note in plan.notes)


def test_skip_last_leaves_the_last_phase_out(place: Path, config: Callable[..., Any], whole: Path) -> None:
    train(config("--stages.tune.skip_last", "true"), place / "skip")
    ours, theirs = ([line for line in log_of(run) if line["event"] == "step"] for run in (place / "skip", whole))
    assert ours == theirs[: len(ours)] and len(ours) < len(theirs)
    left_out = [line["why"] for line in log_of(place / "skip") if line["event"] == "left_out"]
    assert left_out == ["skip_last leaves it out after the last epoch"]


@pytest.mark.parametrize(
    "shift, why", [(1, "none of 18 predictions was right, so no error has a partner"), (0, "none of 18 predictions was wrong")]
)
def test_an_epoch_with_nothing_to_pair_has_no_phase(
    tmp_path: Path, config: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shift: int, why: str
) -> None:
    real = Predictions.forward

    def told(self: Predictions, uids: Any, logits: torch.Tensor, labels: torch.Tensor) -> None:
        real(self, uids, torch.eye(3)[(labels + shift) % 3], labels)

    monkeypatch.setattr(Predictions, "forward", told)
    train(config("--stages.tune.epochs", 1), tmp_path / "run")
    (line,) = [line for line in log_of(tmp_path / "run") if line["event"] == "left_out"]
    assert line["why"] == why and line["phase"] == "after" and line["figures"]["errors.pairs"] == 0
    assert f"[stages.tune] has nothing to train in the phase 'tune.after' of epoch 1: {why}." in caplog.text
    assert read(tmp_path / "run/metrics.json")["tune"]["after_steps"] == 0


def test_predictions_of_a_pass_after_the_epoch(place: Path, config: Callable[..., Any], whole: Path) -> None:
    train(config("--stages.tune.collect", "post_epoch"), place / "post")
    lines = [[line for line in log_of(run) if line["event"] == "epoch" and line.get("phase")] for run in (place / "post", whole)]
    errors = [[line["figures"]["errors.errors"] for line in of_run] for of_run in lines]
    assert errors[0] != errors[1] and all(line["figures"]["errors.errors"] + line["figures"]["errors.correct"] == 18 for line in lines[0])


# ---- interruptions --------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nobody catches this. (A run that ends so before it has trained anything leaves nothing.)"""


@pytest.mark.parametrize("how", ["asked", "killed"])
def test_an_interrupted_run_ends_with_the_same_files(place: Path, config: Callable[..., Any], whole: Path, how: str) -> None:
    """Again and again, in both phases, at their borders and in front of a look."""
    figures, output, stopped = read(whole / "metrics.json")["tune"], place / how, 0
    last = int(figures["steps"] + figures["after_steps"])
    for step in (1, 3, 4, 5, last // 2, last // 2 + 1, last):
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, step, how)
            try:
                train(config(), output, resume=output.exists())
            except (Interrupted, Killed):
                stopped += 1
    train(config(), output, resume=True)
    assert stopped == 7
    assert weights(output) == weights(whole) and log_of(output) == log_of(whole)
    assert read(output / "metrics.json") == read(whole / "metrics.json")


def stop_at(patch: pytest.MonkeyPatch, step: int, how: str) -> None:
    """A signal at this step of all, or a death in it."""
    running: List[Loop] = []
    begin, update = relcon.stages.training.TrainingStage.train, Loop.update

    def train_and_tell(self: Any, context: Any, trained: Any, loop: Loop) -> Any:
        running.append(loop)
        return begin(self, context, trained, loop)

    def dying(self: Loop, *given: Any) -> Any:
        if running and running[0].all_done == step - 1:
            raise Killed
        return update(self, *given)

    patch.setattr(relcon.stages.training.TrainingStage, "train", train_and_tell)
    if how == "killed":
        patch.setattr(Loop, "update", dying)
    else:
        patch.setattr(relcon.stages.training, "asked", lambda: signal.SIGTERM if running and running[0].all_done == step else None)


def test_two_processes_pair_what_one_does(place: Path, config: Callable[..., Any]) -> None:
    """An input at a time, since dropout is drawn for each micro-batch."""
    words = ["--training.micro_batch_tokens", "40", "--stages.tune.epochs", "2", "--training.gradient_caching", "true"]
    train(config(*words), place / "alone")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "relcon", "train"]
    paths = ["--paths.train", place / "train.jsonl", "--paths.dev", place / "dev.jsonl", "--paths.encoder", place / "bert"]
    command = [str(word) for word in [*launch, place / "tune.cfg", "-o", place / "both", *paths, *words]]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert finished.returncode == 0, finished.stderr[-3000:]
    for one, other in zip(log_of(place / "alone"), log_of(place / "both"), strict=True):
        assert [one.get(key) for key in ("event", "step", "phase")] == [other.get(key) for key in ("event", "step", "phase")]
        if "loss" in one:
            assert other["loss"] == pytest.approx(one["loss"], abs=1e-4)
    for path in (place / "alone/stages/tune/model").rglob("*.safetensors"):
        other_weights = load_file(place / "both" / path.relative_to(place / "alone"))
        assert all(torch.allclose(weight, other_weights[name], atol=1e-4) for name, weight in load_file(path).items())


# ---- mistakes -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, message",
    [
        (CONFIG.replace('["errors"]', '["erors"]'), "after names 'erors', which is none of the streams. Did you mean 'errors'?"),
        (CONFIG.replace('["errors"]', "[]"), "after must name a stream"),
        (CONFIG.replace('["errors"]', '["train"]'), "after names 'train', the stream of the classifier"),
        (
            CONFIG.replace('@tasks = "relcon.Contrastive.v1"\nstream = "errors"', '@tasks = "relcon.Contrastive.v1"\nstream = "train"'),
            r"\[stages.tune\] after: no task reads the stream 'errors'",
        ),
        (KI + SOFT_LABELS + ERRORS + CONTRAST, r"streams.errors\] draws from what the classifier predicts in an epoch.*a phase of its own"),
        (
            CONFIG.replace(SOFT_LABELS, MARKERS.replace("Classification", "MultiLabelClassification")),
            r"\[stages.tune\] after: the stream 'errors' asks whether the predicted label of a pair is its true one",
        ),
    ],
)
def test_mistakes_are_found_before_training(place: Path, config: Callable[..., Any], text: str, message: str) -> None:
    with pytest.raises(RelconError, match=message):
        train(config(text=text), place / "wrong")
    assert not (place / "wrong").exists()


def test_softmax_objectives_need_rows_of_anchors(tmp_path: Path, config: Callable[..., Any]) -> None:
    text = CONFIG.replace('@objectives = "relcon.MarginPairs.v1"\ntrainable = true', '@objectives = "relcon.InfoNCE.v1"')
    (problem,) = [str(each) for each in check_config(config(text=text))]
    assert "gives an anchor no negative" in problem and 'Set rows = "anchors" there.' in problem
    loaded = config("--stages.tune.streams.errors.rows", "anchors", *ONE, text=text)
    assert check_config(loaded) == []
    train(loaded, tmp_path / "run")
    assert read(tmp_path / "run/metrics.json")["tune"]["after_steps"] > 0
