"""Errors for people: what is wrong, where, what was expected and what to do.

Every mistake that a user can make ends in a `RelconError`. The command line prints its message without a traceback and
exits with code 2; anything else that escapes is a defect of relcon.
"""

import difflib
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union


class RelconError(Exception):
    """A mistake that the user can mend. The message says what, where and what to do."""


class WriteError(RelconError):
    """The disk refused a file: it is full, say. The message names the file and the reason.

    kept: whether the run's folder holds something that `--resume` goes on with.
    """

    kept: bool = False


class Interrupted(BaseException):
    """SIGINT or SIGTERM asked the command to end; no mistake, so no `except Exception` may swallow it.

    signal: its number. place: where it was ("at step 120 of stage pretrain"), "" while nothing ran yet.
    kept: whether the run's folder holds something that `--resume` goes on with.
    """

    def __init__(self, signal: int, place: str = ""):
        super().__init__(signal, place)
        self.signal, self.place, self.kept = signal, place, False

    def __str__(self) -> str:
        return f"Interrupted {self.place}".strip() + "."


class Problem(NamedTuple):
    """One mistake in an input, with its place.

    where: file and line (`train.jsonl:12`), config line (`run.cfg:9`) or override (`--training.seed`).
    message: what is wrong, what was expected, what to do; one sentence or two.
    """

    where: str
    message: str

    def __str__(self) -> str:
        said = shortened(self.message)
        return f"{self.where}: {said}" if self.where else said


class ProblemsError(RelconError):
    """Several mistakes found in one pass, reported together.

    problems: all of them, in the order in which they stand in the input.
    heading: one line above the list.
    most: how many are printed; the count of all is always said.
    """

    def __init__(self, problems: Sequence[Problem], heading: str = "", most: int = 10):
        self.problems: List[Problem] = list(problems)
        lines = [heading] if heading else []
        lines += [str(problem) for problem in self.problems[:most]]
        if len(self.problems) > most:
            lines.append(f"... and {len(self.problems) - most} more ({len(self.problems)} in all).")
        super().__init__("\n".join(lines))
        self.heading, self.most = heading, most

    def __reduce__(self) -> Tuple[Any, ...]:
        """An error of another process arrives as it was."""
        return type(self), (self.problems, self.heading, self.most)


class ConfigError(ProblemsError):
    """The config has mistakes; all of them are listed, each with its line or override."""


class DataError(ProblemsError):
    """Records of a data file are wrong; the first ten are listed with file and line, and the count of all."""


class RecordError(RelconError):
    """One record of a data file is wrong. Whoever reads the file adds the place and reports it with the others as a DataError.

    where: the exact place where it differs from that of the record (`relations.tsv:12` of an abstract's annotations).
    """

    def __init__(self, message: str, where: str = ""):
        super().__init__(message)
        self.where = where


def place(path: Union[str, Path], line: Optional[int] = None) -> str:
    """`path:line` as editors and terminals understand it; `path` alone where the line is unknown."""
    return f"{path}" if line is None else f"{path}:{line}"


def shortened(message: str, most: int = 1000) -> str:
    """A message without its middle where it is longer than `most` characters: what it quotes of the input may be megabytes."""
    return message if len(message) <= most else f"{message[: most // 2]} [...] {message[-most // 2 :]}"


@contextmanager
def naming(where: str) -> Iterator[None]:
    """What goes wrong inside is said with its place in front: a section of the config, `[stages.evaluate.evaluators.scores]`."""
    try:
        yield
    except RelconError as error:
        raise RelconError(f"{where} {error}") from error


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest valid names as the end of a message, ' Did you mean 'x'?', or the valid names where few, or ''."""
    known = sorted(set(known))
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f" Did you mean '{near[0]}'?"
    if known and len(known) <= 12:
        return " Valid: " + ", ".join(f"'{each}'" for each in known) + "."
    return ""
