"""The cells of a sweep, each in a process of its own, so many at once."""

import multiprocessing
import os
import shlex
import signal
import time
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from relcon.config import LoadedConfig, load_config
from relcon.config.types import shown
from relcon.config.writing import fill
from relcon.errors import ConfigError, Interrupted, RelconError
from relcon.settings import BOOKKEEPING
from relcon.sweep.cells import Cell
from relcon.sweep.reading import Sweep
from relcon.sweep.records import DONE, FAILED, INTERRUPTED, Ended, SweepFolder
from relcon.sweep.work import Job, work
from relcon.training.interruption import asked, deferred
from relcon.training.progress import duration

LOADED = ["relcon.sweep.work", "relcon.encoders.transformer"]
"""What the processes of all cells have loaded when they begin."""

LOOK = 0.2
"""Seconds between two looks whether the command is asked to end."""

ASKED_TO_END = tuple(code for number in (signal.SIGINT, signal.SIGTERM) for code in (128 + number, -number))
"""Exit codes of a process that was sent one of these, before it could listen or afterwards."""

MATTERS = ("data", "protocol", "stages", "training")
"""Sections of a config on which a result depends. The others hold what these refer to."""


def run_sweep(
    sweep: Sweep,
    folder: SweepFolder,
    *,
    only: Sequence[str] = (),
    jobs: int = 1,
    renew: bool = False,
    overrides: Sequence[str] = (),
    code: Sequence[Path] = (),
    say: Callable[[str], None] = print,
) -> Dict[str, Ended]:
    """Run every cell that is not done, `jobs` of them at once; how each ended.

    A cell that was interrupted goes on where it was, one that failed is tried again. A failure ends no other cell. SIGINT and SIGTERM let
    the running cells save and end; then `Interrupted` is raised.

    only: names of cells; all unless given. renew: bring cells up to date whose config has changed since they were done. say: gets a line
    for every cell that begins or ends. RelconError where a name is none, another sweep is at work in the folder, or a cell that is not
    brought up to date was done with another config: the table would compare what was not meant to be. ValueError where jobs are fewer
    than 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs: {jobs} is below 1")
    cells = sweep.chosen(only)
    with folder.alone():
        loaded = {cell.name: _sound(cell, sweep, overrides, code) for cell in sweep.cells}
        renewed = {cell.name for cell in cells} if renew else set()
        _refuse_changed(folder, {name: config for name, config in loaded.items() if name not in renewed})
        folder.keep_file(sweep.path, sweep.text, shlex.join(overrides))
        waiting = []
        for cell in cells:
            config = loaded[cell.name]
            if isinstance(config, ConfigError):
                folder.note(cell.name, Ended(FAILED, str(config)))
                say(f"{cell.name}: cannot run: {config.problems[0]}")
            elif folder.is_done(cell.name) and not _change(folder.cell(cell.name), config):
                say(f"{cell.name}: done before")
            else:
                waiting.append(Job(cell.name, config, list(code), folder.cell(cell.name), folder.log(cell.name)))
        _Runner(folder, jobs, say, len(waiting)).run(waiting)
    return {cell.name: folder.ended[cell.name] for cell in cells}


def _sound(cell: Cell, sweep: Sweep, overrides: Sequence[str], code: Sequence[Path]) -> "LoadedConfig | ConfigError":
    """A cell's config, or what is wrong with it."""
    try:
        return cell.sound(sweep.figure, overrides, code)
    except ConfigError as error:
        return error


# ---- cells that are done -------------------------------------------------------------------------------------------------


def _refuse_changed(folder: SweepFolder, loaded: Dict[str, "LoadedConfig | ConfigError"]) -> None:
    """RelconError where a cell was done with another config."""
    there = {name: config for name, config in loaded.items() if folder.is_done(name) and isinstance(config, LoadedConfig)}
    changes = {name: _change(folder.cell(name), config) for name, config in there.items()}
    lines = [f"{name}: {change}" for name, change in changes.items() if change]
    if lines:
        advice = "Bring them up to date (--renew: stages in front of the change are kept), undo the change, or choose another --output."
        raise RelconError("\n".join(["These cells were done with another config:", *lines, advice]))


def _change(run: Path, loaded: LoadedConfig) -> str:
    """The first difference between the config that a run was made with and one of now; "" where there is none."""
    before, now = (_results_depend_on(config) for config in (load_config(run / "config.cfg"), loaded))
    return _difference(before, now, ())


def _results_depend_on(loaded: LoadedConfig) -> Dict[str, Any]:
    """What matters of a config, with every default filled in."""
    tree = fill(loaded.tree)
    tree["training"] = {key: value for key, value in tree["training"].items() if key not in BOOKKEEPING}
    return {name: tree[name] for name in MATTERS if tree.get(name) is not None}


def _difference(before: Any, now: Any, way: Sequence[str]) -> str:
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return "" if before == now else f"{'.'.join(way)} was {shown(before)} and is {shown(now)}"
    for key in dict.fromkeys([*before, *now]):
        if (key in before) != (key in now):
            return f"{'.'.join((*way, key))} is {'new' if key in now else 'gone'}"
        found = _difference(before[key], now[key], (*way, key))
        if found:
            return found
    return ""


# ---- processes -----------------------------------------------------------------------------------------------------------


class _Running(NamedTuple):
    """A cell at work. answer: where it says how it ended. began: when."""

    job: Job
    process: BaseProcess
    answer: Connection
    began: float


class _Runner:
    """Keeps so many processes busy until all jobs are done. total: how many cells there are to run."""

    def __init__(self, folder: SweepFolder, jobs: int, say: Callable[[str], None], total: int):
        self.folder, self.jobs, self.say, self.total = folder, jobs, say, total
        self.context = multiprocessing.get_context("forkserver")  # starts a process that has everything loaded, and no threads, at once
        self.context.set_forkserver_preload(LOADED)
        self.running: List[_Running] = []
        self.begun = 0

    def run(self, jobs: Sequence[Job]) -> None:
        """All of them, in this order."""
        waiting = list(jobs)
        with deferred():  # so that no signal comes between a process and the note that it runs
            try:
                while (waiting or self.running) and asked() is None:
                    while waiting and len(self.running) < self.jobs:
                        self.start(waiting.pop(0))
                    self.look()
            finally:
                self.end_all()
            if asked() is not None:
                left = sum(not self.folder.is_done(job.cell) for job in jobs)
                raise Interrupted(int(asked() or 0), f"with {self.total - left} of {self.total} cells done")

    def start(self, job: Job) -> None:
        """Begin a cell."""
        self.begun += 1
        self.folder.note(job.cell, None)
        answer, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=work, args=(job, theirs), name=f"relcon-sweep-{job.cell}")
        process.start()
        theirs.close()
        self.running.append(_Running(job, process, answer, time.monotonic()))
        self.say(f"[{self.begun}/{self.total}] {job.cell}: begins; what it says goes to {job.log}")

    def look(self) -> None:
        """Wait a moment, and note who has ended."""
        ended = wait([each.process.sentinel for each in self.running], timeout=LOOK)
        for each in [each for each in self.running if each.process.sentinel in ended]:
            self.finish(each)

    def finish(self, one: _Running) -> None:
        """Note how a cell ended."""
        self.running.remove(one)
        one.process.join()
        ended = _ended(one)
        self.folder.note(one.job.cell, ended)
        said = f": {ended.message.splitlines()[0]}" if ended.message else ""
        self.say(f"{one.job.cell}: {ended.state} after {duration(time.monotonic() - one.began)}{said}")

    def end_all(self) -> None:
        """Ask whoever still runs to save and end, and wait for it."""
        for each in self.running:
            if each.process.pid is not None and each.process.is_alive():
                os.kill(each.process.pid, signal.SIGTERM)
        for each in list(self.running):
            self.finish(each)


def _ended(one: _Running) -> Ended:
    """How a process ended: as it said, or as its exit code tells."""
    message = _message(one.answer)
    code = one.process.exitcode or 0
    if message is not None:
        return Ended(FAILED, message) if message else Ended(DONE)
    if asked() is not None or code in ASKED_TO_END:
        return Ended(INTERRUPTED)
    if code < 0:
        name = signal.Signals(-code).name
        return Ended(FAILED, f"its process was killed ({name}); SIGKILL often means that memory ran out. See {one.job.log}")
    return Ended(FAILED, f"its process ended with exit code {code}. See {one.job.log}")


def _message(answer: Connection) -> Optional[str]:
    """What a process said before it ended; None where it said nothing."""
    with answer:
        try:
            return answer.recv() if answer.poll() else None
        except EOFError:
            return None
