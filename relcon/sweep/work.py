"""One cell, in a process of its own: what a cell leaves in memory, or dies of, is no other's."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import List

from relcon.config import LoadedConfig, import_code
from relcon.errors import Interrupted, RelconError
from relcon.pipeline import train
from relcon.runs import is_run
from relcon.sweep.records import at_work
from relcon.training.interruption import handled

LONGEST = 10_000
"""Characters of a message that are passed on."""


@dataclass(frozen=True)
class Job:
    """What a process needs to run a cell. log: the file for all that it says."""

    cell: str
    loaded: LoadedConfig
    code: List[Path]
    output: Path
    log: Path


def work(job: Job, answer: Connection) -> None:
    """Run a cell, or go on with it. Sends why it failed, "" where it did not; nothing where it was interrupted."""
    speak_into(job.log)
    end_with_the_sweep()
    try:
        with handled(), at_work(job.output.parent):
            answer.send(failure(job)[:LONGEST])
    except Interrupted as left:
        sys.stderr.write(f"{left}\n")
        sys.exit(128 + left.signal)


def failure(job: Job) -> str:
    """Run the cell; why it failed, or ""."""
    try:
        import_code(job.code)
        train(job.loaded, job.output, resume=is_run(job.output))
    except RelconError as error:
        sys.stderr.write(f"error: {error}\n")
        return str(error)
    except Exception as error:  # a defect of a component is the failure of its cell alone
        traceback.print_exc()
        return f"{type(error).__name__}: {error} (where it arose: {job.log})"
    return ""


def speak_into(log: Path) -> None:
    """Standard output and standard error go to a file, those of libraries in C included."""
    with log.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)


def end_with_the_sweep() -> None:
    """A sweep that is killed outright takes its cells along: each saves and ends, as if it had been asked to."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
