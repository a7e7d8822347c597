"""One threshold for the scores of all labels: what is predicted above each, and where micro-F1 is highest."""

from typing import NamedTuple, Sequence, Union

import numpy as np

from relcon.evaluators.scoring import ratio

Column = Union[np.ndarray, Sequence[float], Sequence[bool]]
"""One value per candidate fact."""


class Prefixes(NamedTuple):
    """What is predicted as the threshold falls, one entry per different score [P], the highest first.

    threshold: the score; what has it or more is predicted. predicted, right: how many facts, and how many of them are correct.
    """

    threshold: np.ndarray
    predicted: np.ndarray
    right: np.ndarray

    def f1(self, gold: int) -> np.ndarray:
        """Micro-F1 [P] at each threshold. gold: how many facts there are to find."""
        return ratio(2 * self.right, self.predicted + gold)


class Best(NamedTuple):
    """The threshold at which F1 is highest, and that F1. Predicted is what scores at least the threshold."""

    threshold: float
    f1: float


def prefixes(scores: Column, correct: Column) -> Prefixes:
    """The prefixes of candidate facts in falling order of score; facts with one score go in together.

    scores: [N]. correct: [N] whether each is a fact. ValueError where their numbers differ.
    """
    values, truth = np.asarray(scores), np.asarray(correct, dtype=bool)
    if values.shape != truth.shape:
        raise ValueError(f"there are {len(values)} scores, but {len(truth)} answers")
    order = np.argsort(-values, kind="stable")
    values, truth = values[order], truth[order]
    last = np.flatnonzero(np.append(np.diff(values) != 0, True)) if len(values) else np.zeros(0, dtype=int)  # of each score
    return Prefixes(values[last], last + 1, truth.cumsum()[last])


def best_threshold(scores: Column, correct: Column, gold: int) -> Best:
    """The threshold with the highest micro-F1; of several the highest one.

    scores: [N] of all candidate facts. correct: [N] whether each is one. gold: how many facts there are, those that are no candidates
    included. So are thresholds of DocRED's systems chosen on development data (Yao et al. 2019, arXiv 1906.06127).

    ValueError where there is no candidate.
    """
    return best_of(prefixes(scores, correct), gold)


def best_of(found: Prefixes, gold: int) -> Best:
    """The best of these thresholds, as of `best_threshold`. ValueError where there is none."""
    if not len(found.threshold):
        raise ValueError("there is no candidate to choose a threshold for")
    f1 = found.f1(gold)
    best = int(f1.argmax())
    return Best(float(found.threshold[best]), float(f1[best]))
