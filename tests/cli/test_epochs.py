"""The number of epochs is found on held-out data and then trained for on all of them, through the real command line."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from safetensors.torch import load_file

HERE = Path(__file__).parent / "data"
CONFIG, CODE = HERE / "epochs.cfg", ("--code", HERE / "scripted.py")


@pytest.fixture
def run(train: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """`run("name", "--a.b", 1)`: the folder of a run of the config."""

    def go(name: str, *words: Any) -> Path:
        ended = train(tmp_path / name, *CODE, *words, config=CONFIG)
        assert ended.code == 0, ended.err
        return tmp_path / name

    return go


def figures(output: Path) -> Dict[str, Dict[str, float]]:
    found: Dict[str, Dict[str, float]] = json.loads((output / "metrics.json").read_text())
    return found


def looks(output: Path) -> List[Dict[str, Any]]:
    """The validations in the log."""
    lines = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "validation"]


def weights(model: Path) -> Dict[str, Any]:
    """Of the encoder."""
    return {name: tensor.tolist() for name, tensor in load_file(model / "text/model.safetensors").items()}


def test_tuning_finds_the_epoch_and_the_final_stage_trains_for_it(run: Callable[..., Path]) -> None:
    output = run("run")
    found = figures(output)
    assert [line["epoch"] for line in looks(output)] == [1, 2, 3, 4, 5, 6], "two epochs after the best one training ends"
    assert [line["loss"] for line in looks(output)] == pytest.approx([0.5, 0.3, 0.4, 0.3, 0.6, 0.7])
    assert all(line["stage"] == "tuning" and line["parts"] == {"contrast": line["loss"]} for line in looks(output))
    assert found["tuning"] == {"steps": 24, "validation": pytest.approx(0.3), "epoch": 4}, "an equal loss counts as better"
    assert found["final"] == {"steps": 4 * 5}, "four epochs over the 16 documents of train and the 4 of dev, by 4"
    assert weights(output / "stages/final/model") != weights(output / "stages/tuning/model")


LAST = ("--stages.final.epochs", 1)
"""A final stage that asks nothing of tuning."""


def test_the_weights_of_the_best_epoch_are_handed_on(run: Callable[..., Path]) -> None:
    output = run("run")
    four = run("four", "--stages.tuning.validation", "null", "--stages.tuning.patience", 0, "--stages.tuning.epochs", 4, *LAST)
    assert weights(output / "stages/tuning/model") == weights(four / "stages/tuning/model")
    kept = {path.name: weights(path) for path in (output / "stages/tuning/best").iterdir()}
    assert sorted(kept) == ["epoch-2", "epoch-4"], "keep_best = 2"
    assert kept["epoch-4"] == weights(output / "stages/tuning/model") != kept["epoch-2"]


def test_without_patience_every_epoch_comes(run: Callable[..., Path]) -> None:
    output = run("run", "--stages.tuning.patience", 0, "--stages.tuning.epochs", 6, *LAST)
    assert figures(output)["tuning"]["steps"] == 24 and len(looks(output)) == 6


def test_another_number_of_epochs_in_tuning_makes_the_final_stage_anew(run: Callable[..., Path]) -> None:
    run("run")
    found = figures(run("run", "--stages.tuning.epochs", 2, "--resume"))
    assert found["tuning"] == {"steps": 8, "validation": pytest.approx(0.3), "epoch": 2} and found["final"]["steps"] == 2 * 5


def test_the_plan_takes_the_most_epochs_that_tuning_can_find(relcon: Callable[..., Any], data: Path, encoder: Path) -> None:
    files = [word for name in ("train", "dev") for word in (f"--paths.{name}", data / f"{name}.jsonl")]
    ended = relcon("train", CONFIG, *CODE, *files, "--paths.encoder", encoder, "--dry-run", "--stages.tuning.epochs", 3)
    assert ended.code == 0, ended.err
    assert "tuning: ends earlier where 2 epochs bring nothing better" in ended.out
    assert "final: 3 epochs at most: as many as tuning.epoch will be" in ended.out


# ---- mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, message",
    [
        (("validation", "dve"), "[stages.tuning] validation: [data] has no split 'dve'. Did you mean 'dev'?"),
        (("validation", "train"), "[stages.tuning] validation = 'train' measures on 'train', on which split = 'train' trains."),
        (("validation", "test"), "[stages.tuning] validation on 'test' would choose the model by the data that results are measured on."),
        (("validation", "null"), "[stages.tuning] patience needs a validation: a split of held-out data"),
        (("patience", -1), "[stages.tuning] patience must be at least 0, got -1"),
        (("streams.views.batch_size", 5), "[stages.tuning] validation: The split 'dev' has 4 instances, fewer than one batch of 5"),
        (("split", "train+dve"), "[stages.tuning] split: [data] has no split 'dve'. Did you mean 'dev'?"),
        (("epochs", "final.steps"), "'final.steps': stage 'final' comes later."),
    ],
)
def test_mistakes_are_said_before_anything_is_trained(refused: Callable[..., str], words: Any, message: str) -> None:
    key, value = words
    final = LAST if value in ("null", "final.steps") else ()
    assert message in refused(*CODE, f"--stages.tuning.{key}", value, *final, config=CONFIG)


def test_snapshots_need_a_known_number_of_epochs(refused: Callable[..., str]) -> None:
    said = refused(*CODE, "--stages.final.snapshots", "[1]", config=CONFIG)
    assert "[stages.final] snapshots [1] need a known number of epochs, not that of tuning.epoch" in said


def test_documents_that_two_splits_share(refused: Callable[..., str], data: Path) -> None:
    (data / "dev.jsonl").write_text("".join((data / "train.jsonl").read_text().splitlines(keepends=True)[:4]))
    said = refused(*CODE, config=CONFIG)
    assert "[stages.final] split: The splits 'train' and 'dev' cannot be joined: 4 documents are in both, the first is 'tiny-0'." in said


def test_a_figure_that_is_no_number_of_epochs(train: Callable[..., Any], tmp_path: Path) -> None:
    words = ["--stages.tuning.tasks.contrast.objective.losses", "[-2.0]", "--stages.tuning.epochs", 1]
    ended = train(tmp_path / "run", *CODE, *words, "--stages.final.epochs", "tuning.validation", config=CONFIG)
    assert ended.code == 2 and "[stages.final] epochs: tuning.validation is -2.0, which is no number of epochs." in ended.err
