"""`epochs = "STAGE.FIGURE"`, sums of splits and validations as `relcon check` sees them: without data, without building anything."""

from typing import Any, Callable, List

import pytest

from relcon.checking import check_config

STAGES = """
[paths]
train = "train.jsonl"
dev = "dev.jsonl"
[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
dev = ${paths.dev}
[data.reader]
@readers = "relcon.JSONLines.v1"
[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"
[stages.tuning]
@stages = "relcon.Pretrain.v1"
epochs = 20
validation = "dev"
[stages.tuning.encoders]
[stages.tuning.poolers]
[stages.tuning.streams]
[stages.tuning.tasks]
[stages.final]
@stages = "relcon.Pretrain.v1"
epochs = "tuning.epoch"
split = "train+dev"
encoders = ${stages.tuning.encoders}
poolers = ${stages.tuning.poolers}
streams = ${stages.tuning.streams}
tasks = ${stages.tuning.tasks}
[stages.scores]
@stages = "relcon.Evaluate.v1"
model = "final"
split = "dev"
[stages.scores.evaluators]
[stages.last]
@stages = "relcon.Pretrain.v1"
epochs = 1
encoders = ${stages.tuning.encoders}
poolers = ${stages.tuning.poolers}
streams = ${stages.tuning.streams}
tasks = ${stages.tuning.tasks}
"""
CHOOSES = " ('epoch' is measured by a stage that chooses among its epochs: with a validation or a selection.)"


@pytest.fixture
def said(load: Callable[..., Any]) -> Callable[..., List[str]]:
    """`said("--stages.final.epochs", "3")`: the mistakes of the config with these overrides."""
    return lambda *words: [problem.message for problem in check_config(load(STAGES, *words))]


def test_a_sound_config(said: Callable[..., List[str]]) -> None:
    assert said() == []
    assert said("--stages.final.epochs", "tuning.steps") == []


@pytest.mark.parametrize(
    "value, message",
    [
        ("tuning", "expected a number or \"STAGE.FIGURE\", what an earlier stage measures, got 'tuning'. Did you mean 'tuning.steps'?"),
        ("tunning.epoch", "'tunning.epoch': there is no stage 'tunning'. Did you mean 'tuning.epoch'?"),
        ("last.steps", "'last.steps': stage 'last' comes later. Only what an earlier stage measures is known."),
        ("tuning.epohc", f"'tuning.epohc': stage 'tuning' measures no 'epohc'. Did you mean 'tuning.epoch'?{CHOOSES}"),
    ],
)
def test_a_figure_that_nobody_measures(said: Callable[..., List[str]], value: str, message: str) -> None:
    (found,) = said("--stages.final.epochs", value)
    assert found.startswith(f"[stages.final] epochs: {message}")


def test_without_a_validation_there_is_no_best_epoch(said: Callable[..., List[str]]) -> None:
    (message,) = said("--stages.tuning.validation", "null")
    assert "stage 'tuning' measures no 'epoch'." in message and message.endswith(CHOOSES)


def test_what_an_evaluation_measures_is_not_known_beforehand(said: Callable[..., List[str]]) -> None:
    assert said("--stages.last.epochs", "scores.anything") == []


def test_every_split_of_a_sum_and_of_a_validation_must_be_given(said: Callable[..., List[str]]) -> None:
    assert said("--paths.dev", "null", "--stages.tuning.validation", "null", "--stages.final.epochs", "2") == [
        "[data] dev: stage 'final' reads the split 'dev', which is null. Give --paths.dev FILE."
    ]
    assert said("--paths.dev", "null")[0].startswith("[data] dev: stage 'tuning' reads the split 'dev', which is null.")
    assert said("--paths.dev", "null", "--data.dev_share", "0.1") == []
