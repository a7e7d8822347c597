"""Which epoch is the best one, and when training ends for want of a better one."""

import pytest

from relcon.stages.choosing import Choice

NAN = float("nan")


def best(choice: Choice, *figures: float) -> list[int]:
    """The epochs, counted from 1, in order of merit."""
    return [epoch for _, epoch in choice.best_first([[figure, epoch] for epoch, figure in enumerate(figures, start=1)])]


def test_order_of_merit() -> None:
    assert best(Choice("dev", higher_is_better=True), 0.2, 0.7, NAN, 0.7, 0.5) == [2, 4, 5, 1, 3]
    assert best(Choice("validation", higher_is_better=False, ties="last"), 0.2, 0.7, NAN, 0.2, 0.5) == [4, 1, 5, 2, 3]


def test_patience_counts_from_the_best() -> None:
    choice = Choice("dev", True, patience=2)
    assert [choice.ends(epoch, best=3) for epoch in (3, 4, 5, 6)] == [False, False, True, True]
    assert not Choice("dev", True).ends(100, best=1)


def test_patience_is_not_negative() -> None:
    with pytest.raises(ValueError, match="patience must be at least 0, got -1"):
        Choice("dev", True, patience=-1)
