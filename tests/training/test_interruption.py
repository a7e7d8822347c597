"""SIGINT and SIGTERM: the command saves and leaves with a message whose very command goes on; a second signal ends it at once."""

import shlex
import signal
import threading
import time
from pathlib import Path
from typing import Any, List

import pytest

from relcon.errors import Interrupted
from relcon.training import interruption
from relcon.training.interruption import asked, deferred, handled

STAGE = ["--protocol", "null", "--stages.pretrain.max_steps", "2"]


def printed(said: str) -> List[str]:
    """The words of the command that a message ends with."""
    assert said.count("\n") == 1 and "Traceback" not in said, said
    return shlex.split(said.partition("with: ")[2])


def log(output: Path) -> str:
    """The log of a run that may not have one yet."""
    return (output / "log.jsonl").read_text() if (output / "log.jsonl").exists() else ""


@pytest.fixture(scope="module")
def whole(workshop: Any) -> Path:
    """The run that nobody interrupts."""
    output = workshop.folder / "whole"
    workshop.finish(output, *STAGE)
    return output


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_while_training(workshop: Any, whole: Path, number: int, code: int) -> None:
    output = workshop.folder / f"while training {code}"
    command = workshop.train(output, *STAGE, "--training.checkpoint_every", "0", slow=0.2)
    command.wait_until(lambda: '"stage": "finetune", "step": 1,' in log(output))
    command.signal(number)
    assert command.ended() == code
    said = command.err.read_text()
    (checkpoint,) = (output / "checkpoints/finetune").glob("step-*")
    assert said.startswith(f"Interrupted at step {checkpoint.name[5:]} of stage finetune. Go on with: relcon train "), said
    words = printed(said)
    assert words == ["relcon", *workshop.words(output, *STAGE, "--training.checkpoint_every", "0"), "--resume"]
    assert workshop.start(words[1:]).ended() == 0
    assert workshop.differences(output, whole) == []


def test_a_second_signal_ends_at_once(workshop: Any) -> None:
    output = workshop.folder / "twice"
    command = workshop.train(output, *STAGE, slow=30)
    command.wait_until(lambda: (output / "run.json").exists() and '"running"' in (output / "run.json").read_text())
    time.sleep(0.5)  # the stage is built and its first step sleeps
    command.signal(signal.SIGTERM)
    command.signal(signal.SIGTERM)  # at the same time: the same request
    time.sleep(interruption.SAME + 0.3)
    assert command.process.is_alive()
    command.signal(signal.SIGTERM)
    began = time.monotonic()
    assert command.ended() == -signal.SIGTERM and time.monotonic() - began < 10
    assert "Traceback" not in command.err.read_text()


def test_before_anything_ran(workshop: Any) -> None:
    output = workshop.folder / "early"
    marker, code = workshop.folder / "marker", workshop.folder / "slow.py"
    code.write_text(f"import pathlib, time\npathlib.Path({str(marker)!r}).touch()\ntime.sleep(100)\n")
    words = workshop.words(output, "--code", code)
    command = workshop.start(words)
    command.wait_until(marker.exists)
    command.signal(signal.SIGINT)
    assert command.ended() == 130
    said = command.err.read_text()
    assert said.startswith("Interrupted. Nothing was kept; start again with: relcon train ") and not output.exists()
    assert sorted(printed(said)) == sorted(["relcon", *words])


# ---- in this process -----------------------------------------------------------------------------------------------------


def receive(number: int = signal.SIGTERM) -> None:
    """Get a signal, now."""
    signal.raise_signal(number)


def test_outside_of_training_it_raises_and_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as left, handled():
        receive()
    assert left.value.signal == signal.SIGTERM
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert asked() is None


def test_a_deferred_signal_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(Interrupted), handled(), deferred():
        receive()
        done.append(asked())
    assert done == [signal.SIGTERM]


def test_a_part_of_a_deferring_block_may_be_left_at_once() -> None:
    done = []
    with handled(), deferred():
        with pytest.raises(Interrupted), deferred(wait=False):
            receive()
            done.append("after")
        assert asked() == signal.SIGTERM
        interruption._request.signal = None
    assert done == []


def test_a_signal_that_came_before_such_a_part_is_not_lost() -> None:
    with handled(), deferred():
        receive()
        with pytest.raises(Interrupted), deferred(wait=False):
            raise AssertionError("must not be reached")
        interruption._request.signal = None


def test_another_thread_installs_nothing() -> None:
    found = []

    def work() -> None:
        with handled():
            found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
