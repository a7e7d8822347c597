"""What one evaluation left, whatever it measured: questions that it answered, with the right answers."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Callable, ClassVar, Dict, List, Literal, Mapping, NamedTuple, Sequence, Tuple, TypeVar

from relcon.errors import DataError, Problem, RelconError, place
from relcon.significance import Cells

PREDICTIONS, SCORES = "predictions.jsonl", "scores.json"
Metric = Literal["f1", "precision", "recall"]
Line = TypeVar("Line")


class Example(NamedTuple):
    """A question that A and B answer differently. run: the fold or seed, or ""."""

    run: str
    id: str
    gold: str
    a: str
    b: str
    text: str

    @property
    def group(self) -> str:
        """Who is right: `only A`, `only B` or `neither`."""
        return "only A" if self.a == self.gold else "only B" if self.b == self.gold else "neither"


class Results(ABC):
    """What one evaluation left in its folder.

    evaluator: the component that wrote it. asked: what its ids stand for. profiles: what it can be scored with, the usual one first.
    one_answer: whether an id has one answer, right or wrong, so that these can be counted.
    folder: where it lies. profile: what it was scored with.
    """

    evaluator: ClassVar[str]
    asked: ClassVar[str]
    profiles: ClassVar[Sequence[str]]
    one_answer: ClassVar[bool]
    folder: Path
    profile: str

    @property
    @abstractmethod
    def gold(self) -> Mapping[str, Any]:
        """The right answer by id."""

    @abstractmethod
    def require_same_task(self, other: Any) -> None:
        """RelconError where another one of the same kind was measured in another way."""

    @classmethod
    @abstractmethod
    def cells(cls, pairs: Sequence[Tuple[Any, Any]], profile: str, metric: Metric) -> Cells:
        """What the tests work on. pairs: of each fold or seed A's and B's results, both of this kind."""

    @abstractmethod
    def examples(self, run: str, other: Any, profile: str) -> List[Example]:
        """Where this one, A, and the other one, B, differ."""

    def require_same_gold(self, other: "Results") -> None:
        """RelconError where the two did not answer the same questions."""
        where, mine, theirs = unlike(self, other), self.gold, other.gold
        alone = [[uid for uid in first if uid not in second] for first, second in ((mine, theirs), (theirs, mine))]
        if any(alone):
            parts = [f"{len(ids)} only in {'AB'[side]}, the first is {ids[0]}" for side, ids in enumerate(alone) if ids]
            advice = "Evaluate both on the same data and candidates."
            raise RelconError(f"{where}: they have different {self.asked} ({'; '.join(parts)}). {advice}")
        changed = [uid for uid, answer in mine.items() if answer != theirs[uid]]
        if changed:
            raise RelconError(f"{where}: {self.changed(changed, other)}.")

    def changed(self, ids: Sequence[str], other: "Results") -> str:
        """What to say where the gold answers to some questions differ."""
        first = ids[0]
        return f"{len(ids)} gold labels differ ({first} is '{self.gold[first]}' in A and '{other.gold[first]}' in B)"


def unlike(one: Results, other: Results) -> str:
    """How a message begins."""
    return f"{one.folder} and {other.folder} cannot be compared"


def read_lines(path: Path, expected: Callable[[bytes], Tuple[str, Line]], asked: str) -> Dict[str, Line]:
    """The lines of `predictions.jsonl` by id. expected: id and content of a line, or RelconError. asked: what the ids stand for.

    DataError for lines that are none or whose id occurs twice; RelconError where there are none.
    """
    found: Dict[str, Line] = {}
    problems = []
    with path.open("rb") as file:
        lines = list(file)  # not splitlines(), which also cuts at characters that may stand in a sentence
    for number, line in enumerate(lines, start=1):
        try:
            uid, content = expected(line)
            if uid in found:
                raise RelconError(f"the id {uid} occurs twice")
            found[uid] = content
        except RelconError as error:
            problems.append(Problem(place(path, number), str(error)))
    if problems:
        raise DataError(problems, f"{path} holds no predictions that can be compared:")
    if not found:
        raise RelconError(f"{path} is empty: the evaluation had no {asked}.")
    return found


def record_of(line: bytes) -> Mapping[str, Any]:
    """The object of a line; an empty one where it holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        return {}
    return record if isinstance(record, dict) else {}


def not_written_by(evaluator: str, folder: Path, error: Exception) -> RelconError:
    """What to say of a `scores.json` that cannot be understood."""
    return RelconError(f"{folder / SCORES} is not what {evaluator} writes ({error}). Evaluate the run again.")
