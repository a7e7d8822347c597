"""Labels are named, never numbered by the user: a label set declares which names mean 'no relation' and which are symmetric."""

from dataclasses import dataclass
from typing import AbstractSet, Any, Dict, FrozenSet, Iterable, Mapping, Sequence, Tuple

from relcon.errors import DataError, Problem, RelconError, did_you_mean


@dataclass(frozen=True)
class LabelSet:
    """The classes of a task, in a fixed order.

    names: all labels. negative: those that mean 'no relation' (`Other`, `no_relation`, `false`).
    symmetric: labels that hold in both directions; all others are directed from head to tail.
    """

    names: Tuple[str, ...]
    negative: FrozenSet[str] = frozenset()
    symmetric: FrozenSet[str] = frozenset()

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise RelconError("A label is named twice: " + ", ".join(sorted({n for n in self.names if self.names.count(n) > 1})))

    @classmethod
    def of(cls, seen: Iterable[str], negative: Sequence[str] = (), symmetric: Sequence[str] = ()) -> "LabelSet":
        """A label set of all names seen in the data (sorted, negatives first) and of the declared ones."""
        names = sorted(set(seen) | set(negative) | set(symmetric), key=lambda name: (name not in negative, name))
        return cls(tuple(names), frozenset(negative), frozenset(symmetric))

    @property
    def positive(self) -> Tuple[str, ...]:
        """The labels that are relations."""
        return tuple(name for name in self.names if name not in self.negative)

    @property
    def index(self) -> Dict[str, int]:
        """Name -> class number, for tensors."""
        return {name: number for number, name in enumerate(self.names)}

    def without(self, names: AbstractSet[str]) -> "LabelSet":
        """The label set without some labels."""
        return LabelSet(tuple(name for name in self.names if name not in names), self.negative - names, self.symmetric - names)

    def number(self, name: str) -> int:
        """The class number of a label; RelconError with the nearest name where it is unknown."""
        try:
            return self.names.index(name)
        except ValueError:
            raise RelconError(f"'{name}' is not a label of this task.{did_you_mean(name, self.names)}") from None

    def __len__(self) -> int:
        return len(self.names)


class UnknownLabels(DataError):
    """Relations of a split have labels that the label set lacks.

    problems: one for each of these labels, at the first of its relations. labels: the label set. counts: of each of these labels how many
    relations have it, in the order of the problems.
    """

    def __init__(self, problems: Sequence[Problem], heading: str, labels: LabelSet, counts: Mapping[str, int]):
        super().__init__(problems, heading)
        self.labels, self.counts = labels, dict(counts)

    def __reduce__(self) -> Tuple[Any, ...]:
        """An error of another process arrives as it was."""
        return type(self), (self.problems, self.heading, self.labels, self.counts)
