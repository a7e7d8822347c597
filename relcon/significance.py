"""Is the difference between two models more than chance? Paired tests over the instances, or documents, that both were measured on.

Approximate randomisation (Noreen 1989; Yeh, COLING 2000) for a metric profile's figure, a bootstrap interval of the difference
(Efron 1979; Koehn, EMNLP 2004), McNemar's exact test for right and wrong answers, and a t-test over several runs.

Sizes in shapes: R runs, C cells, K classes that count, T trials.
"""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import binomtest, ttest_rel

from relcon.evaluators.profiles import PairProfile
from relcon.evaluators.scoring import Counts, averages, averages_each, indicator, memberships

AT_ONCE = 500
"""Trials that are computed together."""
ROUNDING = 1e-12
"""Differences so close to the observed one are the same: sums in another order differ in their last digits."""


class Answer(NamedTuple):
    """What is known of an instance: its gold label and the predictions of A and of B."""

    gold: str
    a: str
    b: str


class Sums(NamedTuple):
    """What is known of a document: how much of what A and what B found is right, how much they found, how much is annotated."""

    a: Tuple[int, int, int]
    b: Tuple[int, int, int]


NOTHING = Sums((0, 0, 0), (0, 0, 0))
"""Of a document that a run does not have."""


@dataclass(frozen=True)
class Cells:
    """Instances with the same gold label and the same two predictions (in every run) are one cell: no figure tells them apart,
    so that trials are drawn for cells and not for instances. So are documents in which as much is right, predicted and annotated.

    figure: counts [..., K] -> the figure [...] that is compared.
    sizes: [C] instances of each cell. lost: [R, K] gold relations that were never candidates.
    tables: of A and of B, sparse [C, 3 R K]: what an instance of the cell adds to right predictions, predictions, gold relations.
    """

    figure: Callable[[Counts], np.ndarray]
    sizes: np.ndarray
    lost: np.ndarray
    tables: Tuple[csr_array, csr_array]

    @classmethod
    def of(
        cls, runs: Sequence[Mapping[str, Answer]], lost: Sequence[Sequence[str]], classes: Sequence[str], profile: PairProfile, metric: str
    ) -> "Cells":
        """The cells of runs of answers by instance id; folds have different instances, seeds the same. lost: labels, run by run.

        profile, metric: whose figure is compared (`f1`, `precision`, `recall`).
        """
        ids = dict.fromkeys(name for run in runs for name in run)
        found = Counter(tuple(run.get(name) for run in runs) for name in ids)
        counts = np.zeros((2, len(found), 3, len(runs), len(classes)))
        for number in range(len(runs)):
            here = [cell[number] for cell in found]  # None: this run does not have the instance
            gold, *guesses = ([None if answer is None else answer[column] for answer in here] for column in range(3))
            for side, guess in enumerate(guesses):
                truth, predicted, right = memberships(gold, guess, classes, profile)
                counts[side, :, :, number] = np.stack([right, predicted, truth], axis=1)
        missed = np.array([indicator(labels, classes, profile).sum(0) for labels in lost])
        first, second = (csr_array(table.reshape(len(found), -1)) for table in counts)
        return cls(partial(_of_profile, profile=profile, metric=metric), np.array(list(found.values())), missed, (first, second))

    @classmethod
    def of_sums(cls, runs: Sequence[Mapping[str, Sums]], metric: str) -> "Cells":
        """The cells of documents that were counted as wholes, by id, run by run; the micro average is compared. metric: as of `of`."""
        ids = dict.fromkeys(name for run in runs for name in run)
        found = Counter(tuple(run.get(name, NOTHING) for run in runs) for name in ids)
        counts = np.array(list(found)).reshape(len(found), len(runs), 2, 3).transpose(2, 0, 3, 1)  # [2, C, 3, R]
        first, second = (csr_array(table.reshape(len(found), -1)) for table in counts)
        return cls(partial(_of_all, metric=metric), np.array(list(found.values())), np.zeros((len(runs), 1)), (first, second))

    def figures(self, from_a: np.ndarray, from_b: np.ndarray) -> np.ndarray:
        """[T, R] the figure where so many instances [T, C] of each cell are answered by A and so many by B."""
        counts = from_a @ self.tables[0] + from_b @ self.tables[1]
        right, predicted, gold = np.moveaxis(counts.reshape(len(from_a), 3, *self.lost.shape), 1, 0)
        return self.figure(Counts(right, predicted, gold + self.lost))

    def differences(self, from_a: np.ndarray, from_b: np.ndarray) -> np.ndarray:
        """[T] the mean over the runs of A's figure minus B's, where A's answers are mixed so and B's the other way round."""
        return (self.figures(from_a, from_b) - self.figures(from_b, from_a)).mean(1)

    def observed(self) -> np.ndarray:
        """[2, R] the figures of A and of B as they are."""
        all_of, none_of = self.sizes[None], 0 * self.sizes[None]
        return np.concatenate([self.figures(all_of, none_of), self.figures(none_of, all_of)])


def randomisation(cells: Cells, trials: int, seed: int) -> float:
    """Two-sided p of approximate randomisation: how often the difference is as large when the answers to each instance are
    exchanged between A and B with probability 1/2 (in all runs that have the instance together)."""
    a, b = cells.observed()
    observed, draw, as_large = abs((a - b).mean()), np.random.default_rng(seed), 0
    for count in _portions(trials):
        exchanged = draw.binomial(cells.sizes, 0.5, size=(count, len(cells.sizes)))
        as_large += int((np.abs(cells.differences(cells.sizes - exchanged, exchanged)) >= observed - ROUNDING).sum())
    return (as_large + 1) / (trials + 1)


def bootstrap(cells: Cells, trials: int, seed: int, confidence: float = 0.95) -> Tuple[float, float]:
    """The percentile interval of the difference over samples of instances, drawn with replacement."""
    draw, total, found = np.random.default_rng(seed), int(cells.sizes.sum()), []
    for count in _portions(trials):
        sample = draw.multinomial(total, cells.sizes / total, size=count)
        found.append(cells.differences(sample, 0 * sample))
    low, high = np.quantile(np.concatenate(found), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact p: whether A alone is right as often as B alone. 1 where they never differ in that."""
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


def paired_t(a: Sequence[float], b: Sequence[float]) -> Optional[float]:
    """Two-sided p of the paired t-test over runs; None where it says nothing: one run, or the same difference in all."""
    differences = np.subtract(a, b)
    if len(differences) < 2 or np.ptp(differences) < ROUNDING:
        return None
    return float(ttest_rel(a, b).pvalue)


def _of_profile(counts: Counts, profile: PairProfile, metric: str) -> np.ndarray:
    """A profile's figure [...] of counts [..., K]."""
    return getattr(averages(counts, profile), metric)


def _of_all(counts: Counts, metric: str) -> np.ndarray:
    """A figure [...] over all K classes of counts [..., K]."""
    return getattr(averages_each(Counts(*(each.sum(-1) for each in counts))), metric)


def _portions(trials: int) -> Iterator[int]:
    """The trials in portions."""
    for start in range(0, trials, AT_ONCE):
        yield min(AT_ONCE, trials - start)
