"""How a training stage chooses the epoch whose model it hands on."""

import math
from dataclasses import dataclass
from typing import Any, List, Literal, Sequence


@dataclass(frozen=True)
class Choice:
    """By one figure of the model after each epoch.

    figure: its name in `metrics.json`. higher_is_better: its direction. ties: which of equally good epochs is the best one, and so
    whether an equal figure counts as better for `patience`. patience: end training after so many epochs without a better one, 0 for
    never; ValueError where it is below 0.
    """

    figure: str
    higher_is_better: bool
    ties: Literal["first", "last"] = "first"
    patience: int = 0

    def __post_init__(self) -> None:
        if self.patience < 0:
            raise ValueError(f"patience must be at least 0, got {self.patience}")

    def best_first(self, looks: Sequence[List[Any]]) -> List[List[Any]]:
        """[figure, epoch] in order of merit, NaN last."""
        sign, later = -1 if self.higher_is_better else 1, 1 if self.ties == "first" else -1
        return sorted(looks, key=lambda look: (math.isnan(look[0]), 0.0 if math.isnan(look[0]) else sign * look[0], later * look[1]))

    def ends(self, epoch: int, best: int) -> bool:
        """Whether training ends after an epoch, since the best one is so long ago."""
        return bool(self.patience) and epoch - best >= self.patience


def best_name(epoch: int) -> str:
    """Where the model of an epoch is kept while it is among the best, in the folder of the checkpoints."""
    return f"best/epoch-{epoch}"
