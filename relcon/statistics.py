"""What several runs say together: mean, spread, interval and sum of each figure."""

from math import fsum
from statistics import fmean, stdev
from typing import Dict, List, Mapping, NamedTuple, Sequence

from scipy.special import stdtrit  # its quantile of Student's t; scipy.stats has it too, and takes a second to import


class Estimate(NamedTuple):
    """A figure over several runs.

    mean. deviation: the sample standard deviation (divisor n - 1). low, high: the ends of the confidence interval of the mean.
    runs: how many had the figure. sum: over the runs, for what is counted; over folds, each of which tests other instances, it is
    the count of all of them.
    """

    mean: float
    deviation: float
    low: float
    high: float
    runs: int
    sum: float


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean, Student's t interval and sum of a figure. ValueError for fewer than two values, which say nothing about the spread."""
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, not {len(values)}")
    mean, deviation = fmean(values), stdev(values)
    half = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * deviation / len(values) ** 0.5
    return Estimate(mean, deviation, mean - half, mean + half, len(values), fsum(values))


def in_percent(values: Sequence[float]) -> str:
    """Values in percent, as a table shows them: "71.9" of one run, "71.9 [70.3, 73.5]" (mean and 95 % interval) of several, "" of none."""
    if len(values) < 2:
        return "".join(f"{100 * value:.1f}" for value in values)
    found = estimate(values)
    return f"{100 * found.mean:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def estimates(runs: Sequence[Mapping[str, float]], confidence: float = 0.95) -> Dict[str, Estimate]:
    """An estimate of every figure that at least two of the runs have, in the order in which the figures first come."""
    values: Dict[str, List[float]] = {}
    for run in runs:
        for name, value in run.items():
            values.setdefault(name, []).append(value)
    return {name: estimate(found, confidence) for name, found in values.items() if len(found) > 1}
