"""A run that was killed and resumed is the run that was not: weights, figures, predictions, logs.

Real processes get a real SIGKILL. A chain of kills goes through one run: each is resumed until the next one comes.
"""

import json
import random
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.training.checkpoint import checkpoints, fault, newest_checkpoint

SEED = 1


ONE = ["--protocol", "null"]
"""A single run instead of one per seed."""


@pytest.fixture(scope="module")
def whole(workshop: Any) -> Path:
    """The run that nobody interrupts, without a checkpoint within an epoch."""
    output = workshop.folder / "whole"
    workshop.finish(output, *ONE, "--training.checkpoint_every", 0)
    return output


@pytest.fixture
def same(workshop: Any, whole: Path) -> Callable[[Path], None]:
    """`same(output)`: resume to the end; the run is the uninterrupted one, and nothing half-written is left."""

    def check(output: Path) -> None:
        workshop.finish(output, *ONE)
        assert workshop.differences(output, whole) == []
        assert left(output) == []

    return check


def left(output: Path) -> List[Path]:
    """What must not be there in the end."""
    return [path for path in output.rglob("*") if path.name.endswith(".part") or path.name.startswith("step-")]


def read(path: Path) -> Any:
    """A JSON file that is written while we look; {} where it is not there yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def state(output: Path, stage: str) -> str:
    """The state of a stage of a run."""
    return read(output / "run.json").get("stages", {}).get(stage, {}).get("state", "")


def log_lines(output: Path) -> List[Dict[str, Any]]:
    """The whole lines of a log that may be written while we look."""
    text = (output / "log.jsonl").read_text(encoding="utf-8") if (output / "log.jsonl").exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def resumed(output: Path) -> List[Dict[str, Any]]:
    """From where stages were gone on with, in every resumption."""
    return [stage for each in read(output / "run.json").get("resumed", []) for stage in each["stages"]]


def test_the_run_has_what_a_resumed_one_could_lose(workshop: Any, whole: Path) -> None:
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    looks = [line["f1"] for line in lines if line["event"] == "dev"]
    assert 0 < looks.index(max(looks)) < len(looks) - 1, "the best model is neither the first nor the last"
    assert len(looks) < 6, "training stops early"
    assert read(whole / "metrics.json")["finetune"]["epoch"] == looks.index(max(looks)) + 1


def test_killed_after_some_lines_of_the_log(workshop: Any, same: Callable[[Path], None]) -> None:
    output, draw = workshop.folder / "lines", random.Random(SEED)
    for _ in range(7):
        aim = workshop.log_lines(output) + draw.randint(2, 7)
        if not workshop.train(output, *ONE).kill_when(lambda aim=aim: workshop.log_lines(output) >= aim):
            break
    assert len({stage["checkpoint"] for stage in resumed(output)}) > 2, "it went on from several checkpoints"
    same(output)


def test_killed_at_any_time(workshop: Any, same: Callable[[Path], None]) -> None:
    output, draw = workshop.folder / "times", random.Random(SEED)
    for _ in range(2):
        command, pause = workshop.train(output, *ONE), draw.uniform(0, 2)
        command.wait_until(lambda: (output / "run.json").exists())
        began = time.monotonic()
        command.kill_when(lambda began=began, pause=pause: time.monotonic() - began >= pause)
    same(output)


def test_killed_inside_a_checkpoint(workshop: Any, same: Callable[[Path], None]) -> None:
    output, killed = workshop.folder / "writes", 0
    places = ["pretrain/.step-2.*", "pretrain/.step-3.*/model/model.json", "finetune/.step-2.*/training.json", "finetune/.step-6.*/man*"]
    for place in places:
        killed += workshop.train(output, *ONE).kill_when(lambda place=place: any(output.glob(f"checkpoints/{place}")))
    assert killed >= 2, "a write may be over before we look, but not all of them"
    same(output)


def test_killed_between_stages(workshop: Any, same: Callable[[Path], None]) -> None:
    output = workshop.folder / "between"
    moments: List[Callable[[], bool]] = [
        lambda: (output / "stages/pretrain/model").exists(),
        lambda: state(output, "pretrain") == "done",
        lambda: (output / "stages/finetune/model").exists(),
        lambda: (output / "stages/evaluate/scores/predictions.jsonl").exists(),
        lambda: state(output, "evaluate") == "done",
    ]
    assert all([workshop.train(output, *ONE).kill_when(moment) for moment in moments])
    same(output)
    looks = read(output / "run.json")["test_reads"]
    assert 1 <= len(looks) <= 3 and len({look["fingerprint"] for look in looks}) == 1, "every look is listed, a repeated one too"


def test_killed_between_runs_of_a_protocol(workshop: Any) -> None:
    whole, output = workshop.folder / "seeds whole", workshop.folder / "seeds"
    short = ["--stages.pretrain.max_steps", 2, "--stages.finetune.epochs", 1]
    workshop.finish(whole, *short)
    moments: List[Callable[[], bool]] = [
        lambda: state(output / "seeds/seed_1", "evaluate") == "done",
        lambda: (output / "seeds/seed_2/run.json").exists(),
        lambda: workshop.log_lines(output / "seeds/seed_2") > 3,
    ]
    assert all([workshop.train(output, *short).kill_when(moment) for moment in moments])
    workshop.finish(output, *short)
    assert workshop.differences(output, whole) == [] and left(output) == []


def test_killed_while_it_chooses_a_snapshot(workshop: Any) -> None:
    whole, output = workshop.folder / "chosen whole", workshop.folder / "chosen"
    words = [*ONE, "--stages.pretrain.snapshots", "[1, 2]", "--stages.finetune.choose_snapshot", "true"]
    words += ["--stages.finetune.epochs", 2, "--training.keep_best", 2]
    workshop.finish(whole, *words)
    assert sorted(path.name for path in whole.glob("stages/finetune/snapshot_1/best/*")) == ["epoch-1", "epoch-2"]
    moments: List[Callable[[], bool]] = [
        lambda: any(output.glob("checkpoints/finetune/snapshot_1/step-2")),
        lambda: (output / "stages/finetune/snapshot_1/done.json").exists(),
        lambda: any(output.glob("checkpoints/finetune/snapshot_2/step-4")),
    ]
    assert all([workshop.train(output, *words).kill_when(moment) for moment in moments])
    workshop.finish(output, *words)
    assert workshop.differences(output, whole) == [] and left(output) == []


def test_killed_while_it_validates(workshop: Any) -> None:
    """And in the stage behind it, which trains on all data for as many epochs as were best."""
    whole, output = workshop.folder / "validated whole", workshop.folder / "validated"
    words = [*ONE, "--stages.pretrain.validation", "dev", "--stages.pretrain.epochs", 4, "--training.keep_best", 2]
    words += ["--stages.finetune.epochs", "pretrain.epoch", "--stages.finetune.split", "train+dev"]
    words += ["--stages.finetune.selection", "null", "--stages.finetune.patience", 0]
    workshop.finish(whole, *words)
    assert [line["event"] for line in log_lines(whole)].count("validation") == 4

    def validated(epochs: int) -> bool:
        """So many looks stand in the log, the last one perhaps without a checkpoint behind it."""
        return sum(line["event"] == "validation" for line in log_lines(output)) >= epochs

    moments: List[Callable[[], bool]] = [
        lambda: validated(1),
        lambda: validated(3),
        lambda: any(output.glob("checkpoints/finetune/step-*")),
    ]
    assert all([workshop.train(output, *words).kill_when(moment) for moment in moments])
    workshop.finish(output, *words)
    assert workshop.differences(output, whole) == [] and left(output) == []


# ---- damaged checkpoints -------------------------------------------------------------------------------------------------


def flip(path: Path) -> None:
    """One bit of the middle byte."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: Dict[str, Callable[[Path], None]] = {
    "training.safetensors has 1000 bytes instead of ": lambda path: (path / "training.safetensors").write_bytes(b"x" * 1000),
    "model/text/model.safetensors is not what was written": lambda path: flip(path / "model/text/model.safetensors"),
    "it has no manifest.json": lambda path: (path / "manifest.json").unlink(),
    "manifest.json cannot be read": lambda path: (path / "manifest.json").write_text("{"),
    "training.json is missing": lambda path: (path / "training.json").unlink(),
    "of its best/epoch-3: model/parts.safetensors is missing": lambda path: (path.parent / "best/epoch-3/model/parts.safetensors").unlink(),
}


@pytest.fixture(scope="module")
def killed(workshop: Any) -> Path:
    """A run that was killed in its fourth epoch of fine-tuning, with two checkpoints, the older one from the third epoch."""
    output = workshop.folder / "killed"
    folder = output / "checkpoints/finetune"
    assert workshop.train(output, *ONE).kill_when(lambda: (folder / "step-9").exists() and not (folder / "step-6").exists())
    return output


@pytest.fixture
def stopped(killed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it to damage."""
    copy = killed.parent / tmp_path_factory.mktemp("stopped").name
    shutil.copytree(killed, copy)
    return copy


@pytest.mark.parametrize("words", DAMAGE)
def test_damage_is_found_and_the_checkpoint_before_is_taken(stopped: Path, words: str) -> None:
    before, newest = checkpoints(stopped / "checkpoints/finetune")
    assert fault(newest) is None and fault(before) is None
    DAMAGE[words](newest)
    assert words in (fault(newest) or "")
    assert newest_checkpoint(stopped / "checkpoints/finetune") == before


def test_a_damaged_checkpoint_is_named_and_the_run_is_the_same(workshop: Any, stopped: Path, same: Callable[[Path], None]) -> None:
    before, newest = checkpoints(stopped / "checkpoints/finetune")
    flip(newest / "training.safetensors")
    command = workshop.train(stopped, *ONE)
    assert command.ended() == 0
    words = "training.safetensors is not what was written (its SHA-256 differs)"
    assert f"Checkpoint {newest} is damaged and not used: {words}." in command.err.read_text()
    assert resumed(stopped) == [{"stage": "finetune", "checkpoint": before.name, "damaged": [f"{newest.name}: {words}"]}]
    same(stopped)


def test_without_a_good_checkpoint_the_stage_starts_anew(workshop: Any, stopped: Path, same: Callable[[Path], None]) -> None:
    for path in checkpoints(stopped / "checkpoints/finetune"):
        (path / "manifest.json").unlink()
    command = workshop.train(stopped, *ONE)
    assert command.ended() == 0
    assert command.err.read_text().count("is damaged and not used") == 2 and "the stage starts anew" in command.err.read_text()
    assert resumed(stopped)[0]["checkpoint"] is None
    same(stopped)
