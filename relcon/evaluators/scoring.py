"""From gold and predicted labels to the figures of a metric profile.

Sizes in shapes: N instances, K classes that count.
"""

from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from relcon.data.labels import LabelSet
from relcon.evaluators.profiles import Averaged, PairProfile, pair_profile
from relcon.interfaces import Lost

Figures = Dict[str, float]
"""`f1`, `precision`, `recall`, `accuracy`, `instances`, `lost`, and of each class that counts `f1/CLASS`, `precision/CLASS`,
`recall/CLASS`, `support/CLASS` (gold relations), `predicted/CLASS`."""


class Counts(NamedTuple):
    """Per class [..., K]: right predictions, predictions, gold relations. Leading dimensions are free."""

    right: np.ndarray
    predicted: np.ndarray
    gold: np.ndarray


class Averages(NamedTuple):
    """Precision, recall and F1, each [...]."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def score(
    gold: Sequence[Optional[str]], predicted: Sequence[Optional[str]], labels: LabelSet, profile: str, lost: Sequence[Lost] = ()
) -> Figures:
    """All figures under a profile; the headline is `f1`.

    gold: labels of the instances [N], None where they have none. predicted: theirs [N], None where nothing was predicted. labels: the
    task's label set. profile: a name of `relcon.evaluators.profiles.PAIR_PROFILES`. lost: gold relations that were never candidates;
    each counts as missed. Under `accuracy` precision, recall and F1 are all the accuracy.

    RelconError where the profile does not fit the labels, or a label is unknown. ValueError where the lengths differ.
    """
    rule = pair_profile(profile)
    classes = rule.counted(labels)
    for name in {*gold, *predicted, *(each.label for each in lost)} - {None}:
        labels.number(str(name))
    missed = [each.label for each in lost]
    counts = count([*gold, *missed], [*predicted, *(None for _ in missed)], classes, rule)
    mean = averages(counts, rule)
    right = sum(truth == guess for truth, guess in zip(gold, predicted, strict=True))
    figures = {name: float(value) for name, value in zip(("precision", "recall", "f1"), mean, strict=True)}
    figures["accuracy"] = float(ratio(np.array(right), np.array(len(gold) + len(missed))))
    return {**figures, "instances": float(len(gold)), "lost": float(len(missed)), **per_class(counts, classes)}


def per_class(counts: Counts, classes: Sequence[str]) -> Figures:
    """The figures of each class [K]."""
    columns = {**averages_each(counts)._asdict(), "support": counts.gold, "predicted": counts.predicted}
    return {f"{kind}/{name}": float(values[number]) for number, name in enumerate(classes) for kind, values in columns.items()}


# ---- counting ------------------------------------------------------------------------------------------------------------


def count(gold: Sequence[Optional[str]], predicted: Sequence[Optional[str]], classes: Sequence[str], profile: PairProfile) -> Counts:
    """Counts [K] over instances; a prediction is right where it is the gold label."""
    truth, guess, right = memberships(gold, predicted, classes, profile)
    return Counts(right.sum(0), guess.sum(0), truth.sum(0))


def memberships(
    gold: Sequence[Optional[str]], predicted: Sequence[Optional[str]], classes: Sequence[str], profile: PairProfile
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each instance adds to gold relations, predictions and right predictions: three tables [N, K] of 0 and 1."""
    truth, guess = indicator(gold, classes, profile), indicator(predicted, classes, profile)
    same = np.array([a is not None and a == b for a, b in zip(gold, predicted, strict=True)], dtype=np.int64)
    return truth, guess, truth * same[:, None]


def indicator(values: Sequence[Optional[str]], classes: Sequence[str], profile: PairProfile) -> np.ndarray:
    """[N, K] 1 where a label belongs to a class. None belongs to none, nor does a label that does not count."""
    column = {name: number for number, name in enumerate(classes)}
    numbers = np.array([-1 if value is None else column.get(profile.class_of(value), -1) for value in values], dtype=np.int64)
    return (numbers[:, None] == np.arange(len(classes))[None, :]).astype(np.int64)


# ---- averaging -----------------------------------------------------------------------------------------------------------


def averages(counts: Counts, profile: Averaged) -> Averages:
    """Precision, recall and F1 [...] as the profile averages the classes; a ratio with nothing below is 0."""
    return AVERAGES[profile.average](counts, profile)


def averages_each(counts: Counts) -> Averages:
    """Precision, recall and F1 of each entry of the counts."""
    return Averages(
        ratio(counts.right, counts.predicted), ratio(counts.right, counts.gold), ratio(2 * counts.right, counts.predicted + counts.gold)
    )


def micro(counts: Counts, profile: Averaged) -> Averages:
    """Over the sums of all classes."""
    return averages_each(Counts(*(each.sum(-1) for each in counts)))


def macro(counts: Counts, profile: Averaged) -> Averages:
    """The means of the classes' figures; F1 is the mean of F1s, not the F1 of the means."""
    chosen = np.ones_like(counts.gold, dtype=bool) if profile.macro_over == "all" else counts.gold > 0
    return Averages(*(ratio((values * chosen).sum(-1), chosen.sum(-1)) for values in averages_each(counts)))


def accuracy(counts: Counts, profile: Averaged) -> Averages:
    """Right answers of all gold labels, three times: here every label counts, and every instance has one."""
    share = ratio(counts.right.sum(-1), counts.gold.sum(-1))
    return Averages(share, share, share)


AVERAGES = {"micro": micro, "macro": macro, "accuracy": accuracy}


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, 0 where there is nothing below."""
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)
