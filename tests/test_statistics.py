"""Means and intervals over runs."""

import json

import pytest

from relcon.statistics import estimate, estimates, in_percent


def test_student_interval() -> None:
    """By hand: mean 3, deviation sqrt(2.5), t(0.975, 4 degrees of freedom) = 2.776445."""
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.776445 * (2.5 / 5) ** 0.5
    assert found[:2] == pytest.approx((3.0, 2.5**0.5))
    assert (found.low, found.high, found.runs) == (pytest.approx(3 - half, abs=1e-5), pytest.approx(3 + half, abs=1e-5), 5)
    assert found.sum == 15


def test_two_runs_have_a_wide_interval_and_equal_runs_none() -> None:
    assert estimate([0.0, 1.0]).high == pytest.approx(0.5 + 12.706205 * 0.5, abs=1e-5)
    assert estimate([0.7, 0.7, 0.7])[1:4] == pytest.approx((0.0, 0.7, 0.7))


def test_one_run_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two values"):
        estimate([0.5])


def test_figures_that_only_one_run_has_are_left_out() -> None:
    found = estimates([{"f1": 0.5, "rare": 1.0}, {"f1": 0.7, "loss": 2.0}, {"f1": 0.6, "loss": 4.0}])
    assert {name: (each.mean, each.runs) for name, each in found.items()} == {"f1": (pytest.approx(0.6), 3), "loss": (3.0, 2)}
    json.dumps({name: each._asdict() for name, each in found.items()}, allow_nan=False)


def test_percentages_of_a_table() -> None:
    assert [in_percent(values) for values in ([], [0.7186], [0.0, 1.0])] == ["", "71.9", "50.0 [-585.3, 685.3]"]
