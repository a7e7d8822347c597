"""`relcon sweep` through the real command line, with tiny models: what is done is kept, what failed is said, what was killed goes on."""

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from relcon.sweep.records import SweepFolder

DATA = Path(__file__).parent / "data"
SLOW = DATA / "slow_parts.py"
PATIENCE = 200

SWEEP = """
[sweep]
config = "{tiny}"
figure = "evaluate.scores.f1"
baseline = "plain"
seeds = [1, 2]

[axes.method.plain]
title = "as it is"

[axes.method.frozen]
[axes.method.frozen.stages.finetune.encoders.text]
freeze_layers = 1
freeze_embeddings = true

[axes.method.typed]
title = "with markers"
[axes.method.typed.stages.finetune.streams.train.renderer]
@renderers = "relcon.EntityMarkers.v1"
"""

PATIENT = """
[sweep]
config = "{tiny}"
figure = "evaluate.scores.f1"
baseline = "plain"

[axes.method.plain]

[axes.method.slow.stages.finetune]
epochs = 8
[axes.method.slow.stages.finetune.schedule]
@schedules = "slow.Constant.v1"

[axes.method.last.stages.finetune]
epochs = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """`file(text)`: a sweep file over the tiny config."""

    def write(text: str) -> Path:
        (tmp_path / "sweep.cfg").write_text(text.replace("{tiny}", str(DATA / "tiny.cfg")))
        return tmp_path / "sweep.cfg"

    return write


@pytest.fixture
def given(data: Path, encoder: Path) -> list:
    """The overrides that every cell needs."""
    files = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", str(data / f"{name}.jsonl"))]
    return [*files, "--paths.encoder", str(encoder)]


def rows(output: Path) -> Any:
    return json.loads((output / "table.json").read_text())["rows"]


def stamp(output: Path, cell: str) -> Any:
    """What changes whenever a run is touched."""
    return {path: path.stat().st_mtime_ns for path in (output / "cells" / cell).rglob("*.json")}


def test_a_sweep_with_a_cell_that_fails(relcon: Callable[..., Any], file: Callable[..., Path], given: list, tmp_path: Path) -> None:
    sweep, output = file(SWEEP), tmp_path / "out"
    ended = relcon("sweep", sweep, "-o", output, *given)
    assert ended.code == 1 and "1 of 3 cells failed (frozen)." in ended.err
    cells = json.loads((output / "cells.json").read_text())
    assert {name: each["state"] for name, each in cells.items()} == {"plain": "done", "frozen": "failed", "typed": "done"}
    assert cells["frozen"]["message"].startswith("[stages.finetune] has no trainable encoder parameter")
    assert "* frozen failed: [stages.finetune] has no trainable" in (output / "table.md").read_text()
    assert "no trainable encoder parameter" in (output / "logs/frozen.log").read_text()
    plain, frozen, typed = rows(output)
    assert plain["measured"]["steps"] == {"finetune": {"steps": 2}} and len(plain["measured"]["values"]) == 2
    assert plain["difference"] is None and typed["difference"] is not None and 0 < typed["p"] <= 1
    assert frozen["figure"] is None and plain["measured"]["memory"] > 0
    assert (output / "cells/typed/seeds/seed_2/model").is_dir()
    assert (output / "sweep.cfg").read_text().startswith("# overrides: --paths.train")
    assert "with markers" in ended.out and "begins" in ended.out

    # once more: what is done stays as it is, what failed is tried again
    before = stamp(output, "plain")
    again = relcon("sweep", sweep, "-o", output, *given)
    assert again.code == 1 and "plain: done before" in again.out and stamp(output, "plain") == before

    # a mended cell ends well, and alone
    mended = SWEEP.replace("freeze_layers = 1\nfreeze_embeddings = true", "freeze_layers = 0")
    file(mended)
    assert relcon("sweep", sweep, "-o", output, "--only", "frozen", *given).code == 0
    assert [row["state"] for row in rows(output)] == ["done"] * 3 and stamp(output, "plain") == before

    # a finished cell whose config is another now
    file(mended.replace('title = "as it is"', "[axes.method.plain.stages.finetune]\nepochs = 2"))
    refused = relcon("sweep", sweep, "-o", output, "--only", "plain", *given)
    assert refused.code == 2 and "plain: stages.finetune.epochs was 1 and is 2" in refused.err and "--renew" in refused.err
    assert relcon("sweep", sweep, "-o", output, "--only", "typed", "--renew", *given).code == 2, "the table would have its old figure"
    assert stamp(output, "plain") == before
    assert relcon("sweep", sweep, "-o", output, "--only", "plain", "--renew", *given).code == 0
    assert rows(output)[0]["measured"]["steps"] == {"finetune": {"steps": 4}}


def test_two_cells_at_once_and_one_that_cannot_run(
    relcon: Callable[..., Any], file: Callable[..., Path], given: list, tmp_path: Path
) -> None:
    text = SWEEP.replace("seeds = [1, 2]", "").replace("EntityMarkers", "EntityMarkes")
    text = text.replace("freeze_layers = 1\nfreeze_embeddings = true\n", "")
    ended = relcon("sweep", file(text), "-o", tmp_path / "out", "--jobs", "2", *given)
    assert ended.code == 1 and "typed: cannot run: " in ended.out
    plain, frozen, typed = rows(tmp_path / "out")
    assert plain["state"] == frozen["state"] == "done" and (frozen["difference"], frozen["p"]) == (0, 1), "they are the same run"
    assert "sweep.cfg:17: [stages.finetune.streams.train.renderer] 'relcon.EntityMarkes.v1' is not registered" in typed["message"]


def test_the_cells_as_they_stand(relcon: Callable[..., Any], file: Callable[..., Path], given: list, tmp_path: Path) -> None:
    sweep = file(SWEEP.replace("EntityMarkers", "EntityMarkes"))
    ended = relcon("sweep", sweep, "-o", tmp_path / "out", "--dry-run", *given)
    assert ended.code == 0 and "3 cells, of which 1 cannot run." in ended.out and "EntityMarkes" in ended.out
    assert not (tmp_path / "out").exists()


def test_check_says_of_every_cell_whether_it_can_run(relcon: Callable[..., Any], file: Callable[..., Path], given: list) -> None:
    sweep = file(SWEEP)
    sound = relcon("check", sweep, *given)
    assert sound.code == 0 and sound.out.startswith(f"{sweep} is sound: 3 cells (plain, frozen, typed).\nNext: relcon sweep {sweep} ")
    file(SWEEP.replace("EntityMarkers", "EntityMarkes"))
    wrong = relcon("check", sweep, *given)
    assert wrong.code == 2 and wrong.err.startswith(f"error: {sweep}: 1 of 3 cells cannot run\ntyped: {sweep}:")
    assert wrong.err.count("\n") == 2
    file(SWEEP)
    assert relcon("check", sweep).err.count("Give --paths.train FILE.") == 3


@pytest.mark.parametrize(
    "words, message",
    [
        (["--only", "plane"], "--only plane: there is no such cell. Did you mean 'plain'?"),
        (["--ouput", "x"], "there is no option --ouput. Did you mean '--output'?"),
        (["--output", "{data}"], "holds files that are no sweep (dev.jsonl, test.jsonl, train.jsonl)"),
        ([], "--output is missing."),
    ],
)
def test_what_cannot_be(
    relcon: Callable[..., Any], file: Callable[..., Path], data: Path, tmp_path: Path, words: list, message: str
) -> None:
    words = [word.format(data=data) for word in words]
    place = [] if not words or "--output" in words else ["--output", str(tmp_path / "out")]
    ended = relcon("sweep", file(SWEEP), *place, *words)
    assert ended.code == 2 and message in ended.err


def test_two_sweeps_in_one_folder(relcon: Callable[..., Any], file: Callable[..., Path], given: list, tmp_path: Path) -> None:
    with SweepFolder(tmp_path / "out").alone():
        ended = relcon("sweep", file(SWEEP), "-o", tmp_path / "out", *given)
    assert ended.code == 2 and "Another sweep is at work in" in ended.err


# ---- interrupted, killed -------------------------------------------------------------------------------------------------


def steps_of(output: Path) -> int:
    """How many steps the slow cell has logged."""
    log = output / "cells/slow/log.jsonl"
    return log.read_text().count('"event": "step"') if log.exists() else 0


def wait_for(reached: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not reached():
        assert time.monotonic() - began < PATIENCE, "it hangs"
        time.sleep(0.02)


def is_free(output: Path) -> bool:
    """Whether nobody is at work in the folder of a sweep any more."""
    number = os.open(output / "cells", os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(number)
    return True


def test_an_interrupted_sweep_keeps_what_is_done_and_goes_on(
    relcon: Callable[..., Any], file: Callable[..., Path], given: list, tmp_path: Path
) -> None:
    sweep, output = file(PATIENT), tmp_path / "out"
    over = threading.Event()

    def interrupt() -> None:
        wait_for(lambda: steps_of(output) >= 3 or over.is_set())
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    ended = relcon("sweep", sweep, "-o", output, "--code", SLOW, *given)
    over.set()
    assert ended.code == 130 and ended.err.startswith("Interrupted with 1 of 3 cells done. Go on with: relcon sweep ")
    states = {name: each["state"] for name, each in json.loads((output / "cells.json").read_text()).items()}
    assert states == {"plain": "done", "slow": "interrupted"} and is_free(output)
    before = stamp(output, "plain")
    words = shlex.split(ended.err.partition("Go on with: ")[2])
    again = relcon(*words[1:])
    assert again.code == 0 and stamp(output, "plain") == before
    (resumed,) = json.loads((output / "cells/slow/run.json").read_text())["resumed"]
    assert resumed["stages"][0]["checkpoint"].startswith("step-")
    assert [row["state"] for row in rows(output)] == ["done"] * 3 and steps_of(output) == 16


def test_a_killed_sweep_takes_its_cells_along(relcon: Callable[..., Any], file: Callable[..., Path], given: list, tmp_path: Path) -> None:
    sweep, output = file(PATIENT), tmp_path / "out"
    words = [str(word) for word in ("sweep", sweep, "-o", output, "--code", SLOW, *given)]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen([sys.executable, "-m", "relcon", *words], stdout=said, stderr=said)
        wait_for(lambda: steps_of(output) >= 3 or process.poll() is not None)
        process.kill()
        process.wait()
    assert steps_of(output) >= 3, (tmp_path / "said").read_text()
    wait_for(lambda: is_free(output))
    assert re.search(r"Interrupted at step \d+ of stage finetune", (output / "logs/slow.log").read_text())
    before, left = stamp(output, "plain"), steps_of(output)
    assert left < 16
    ended = relcon(*words)
    assert ended.code == 0 and "plain: done before" in ended.out and stamp(output, "plain") == before
    assert [row["state"] for row in rows(output)] == ["done"] * 3 and steps_of(output) == 16
