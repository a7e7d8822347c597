"""The folder of a sweep.

sweep.cfg              the file as it was, overrides in its first line
cells.json             of each cell how it ended, and why where it failed
cells/CELL/            a run like any other
logs/CELL.log          what it said
table.md  table.json   one row per cell
"""

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, NamedTuple, Optional

from relcon.errors import RelconError
from relcon.files import LEFTOVER, atomic, read_object, write_json
from relcon.runs import is_run, refuse_unwritable

DONE, FAILED, INTERRUPTED = "done", "failed", "interrupted"
"""How a cell may have ended."""

OWN = ("sweep.cfg", "sweep.yaml", "sweep.yml", "cells.json", "cells", "logs", "table.md", "table.json")
"""All that a sweep puts into its folder."""


class Ended(NamedTuple):
    """How a cell ended: one of `DONE`, `FAILED`, `INTERRUPTED`. message: why it failed."""

    state: str
    message: str = ""


class SweepFolder:
    """One sweep's folder; `ended` mirrors `cells.json`.

    path: the folder, which may not be there yet. RelconError where it holds something else.
    """

    def __init__(self, path: Path):
        if path.exists() and not path.is_dir():
            raise RelconError(f"--output {path} is a file; a folder is needed.")
        refuse_unwritable(path)
        foreign = sorted(each.name for each in path.glob("*") if each.name not in OWN and not LEFTOVER.fullmatch(each.name))
        if foreign:
            raise RelconError(f"--output {path} holds files that are no sweep ({', '.join(foreign[:5])}). Choose an empty or new folder.")
        self.path = path
        known = path / "cells.json"
        self.ended: Dict[str, Ended] = _read_ended(known) if known.exists() else {}

    def cell(self, name: str) -> Path:
        """Where a cell's run lies."""
        return self.path / "cells" / name

    def log(self, name: str) -> Path:
        """The file for what a cell says."""
        return self.path / "logs" / f"{name}.log"

    def is_done(self, name: str) -> bool:
        """Whether a cell was run to its end."""
        return name in self.ended and self.ended[name].state == DONE and is_run(self.cell(name))

    def note(self, name: str, ended: Optional[Ended]) -> None:
        """Write down how a cell ended; None: it begins anew."""
        self.ended.pop(name, None)
        if ended is not None:
            self.ended[name] = ended
        write_json(self.path / "cells.json", {each: found._asdict() for each, found in self.ended.items()})

    def keep_file(self, path: Path, text: str, overrides: str) -> None:
        """Keep the sweep file as it was written. overrides: those of the command line."""
        with atomic(self.path / f"sweep{path.suffix}") as file:
            file.write((f"# overrides: {overrides}\n" if overrides else "") + text)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder, and be the only sweep at work in it. RelconError where another one is, or what a killed one started still
        ends."""
        for folder in (self.path / "cells", self.path / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        with _opened(self.path / "cells") as number:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                why = f"Another sweep is at work in {self.path}, or a cell of one that was killed still saves"
                raise RelconError(f"{why}. Wait for it, or choose another --output.") from None
            fcntl.flock(number, fcntl.LOCK_SH)
            yield


def _read_ended(file: Path) -> Dict[str, Ended]:
    """How each cell ended. RelconError where the file does not say it."""
    try:
        return {name: Ended(**each) for name, each in read_object(file).items()}
    except TypeError as error:
        raise RelconError(f"{file} is not what a sweep writes ({error}). Remove it: what the cells finished is kept.") from error


@contextmanager
def at_work(cells: Path) -> Iterator[None]:
    """What a cell's process works in: no sweep begins in a folder before the cells of another one have left it."""
    with _opened(cells) as number:
        fcntl.flock(number, fcntl.LOCK_SH)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    number = os.open(folder, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)
