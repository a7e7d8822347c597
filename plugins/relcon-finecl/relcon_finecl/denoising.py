"""How well a learning order tells wrong labels from right ones, where it is known which labels were changed on purpose.

Instances that were learned early mostly have right labels (Hogan, Li and Shang, EMNLP 2022, section 3); here the order of an instance is
its score as a wrong one, and one that was never learned has the highest. Columns: orders [N] whole numbers, k for 'not learned';
corrupted [N] bool.
"""

import math
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from sklearn.metrics import average_precision_score

from relcon_finecl.order import rows_by_class
from relcon_finecl.weights import order_weight


class Clean(NamedTuple):
    """Of the instances learned in the epochs 0 ... j. size: how many. precision: the share of them with a right label. recall: of all
    instances with a right label, the share that is among them. A share of nothing is 0."""

    size: int
    precision: float
    recall: float


NAMES = ("auc", "within_class_auc", "average_precision", "weight_clean", "weight_corrupted", "precision", "recall")
"""The names of `figures`."""


def figures(orders: np.ndarray, corrupted: np.ndarray, labels: Sequence[str]) -> Dict[str, float]:
    """Figures by name. `auc`: area under the ROC curve; `average_precision`; `weight_clean` and `weight_corrupted`: the mean weight that
    the orders give to right and to wrong labels (equation 6 with alpha = e); all four are left out where all labels are right or all are
    wrong. `within_class_auc`: over pairs of instances with one label; left out where no label has both kinds. `precision` and `recall` of
    the instances learned in the first epoch as those with a right label."""
    first = clean_by_epoch(orders, corrupted, 1)[0]
    found = {"precision": first.precision, "recall": first.recall}
    if _won(orders, corrupted)[1]:
        clean, wrong = mean_weights(orders, corrupted)
        found.update(auc=auc(orders, corrupted), average_precision=average_precision(orders, corrupted))
        found.update(weight_clean=clean, weight_corrupted=wrong)
    if _comparisons(orders, corrupted, labels)[1]:
        found["within_class_auc"] = within_class_auc(orders, corrupted, labels)
    return found


def auc(orders: np.ndarray, corrupted: np.ndarray) -> float:
    """The chance that a wrong label was learned later than a right one, a tie counting half: 0.5 says nothing, 1 tells all.

    ValueError where the labels are all right or all wrong.
    """
    return _share(*_won(orders, corrupted))


def within_class_auc(orders: np.ndarray, corrupted: np.ndarray, labels: Sequence[str]) -> float:
    """`auc` over the pairs of instances that have the same label, so that an easy or a frequent relation has no part in it.

    ValueError where no label has right and wrong instances.
    """
    return _share(*_comparisons(orders, corrupted, labels))


def average_precision(orders: np.ndarray, corrupted: np.ndarray) -> float:
    """The mean precision with which wrong labels are found, those learned last first, over all recalls."""
    return float(average_precision_score(corrupted, orders))


def clean_by_epoch(orders: np.ndarray, corrupted: np.ndarray, k: int) -> List[Clean]:
    """[k] what was learned by the end of each epoch."""
    right = int((~corrupted).sum())
    found = []
    for epoch in range(k):
        learned = orders <= epoch
        size, clean = int(learned.sum()), int((learned & ~corrupted).sum())
        found.append(Clean(size, clean / max(size, 1), clean / max(right, 1)))
    return found


def mean_weights(orders: np.ndarray, corrupted: np.ndarray, alpha: float = math.e) -> Tuple[float, float]:
    """The mean weight of instances with a right and of those with a wrong label. alpha: the weight of what was learned first."""
    low, high = int(orders.min()), int(orders.max())
    weights = np.array([order_weight(order, low, high, alpha) for order in orders.tolist()])
    return float(weights[~corrupted].mean()), float(weights[corrupted].mean())


def _won(orders: np.ndarray, corrupted: np.ndarray) -> Tuple[float, int]:
    """How many pairs of a wrong and a right label are in the right order (a tie counts half), and how many pairs there are."""
    clean, wrong = np.sort(orders[~corrupted]), orders[corrupted]
    won = np.searchsorted(clean, wrong, "left").sum() + np.searchsorted(clean, wrong, "right").sum()
    return float(won) / 2, len(clean) * len(wrong)


def _comparisons(orders: np.ndarray, corrupted: np.ndarray, labels: Sequence[str]) -> Tuple[float, int]:
    """`_won` of every label, added up."""
    each = [_won(orders[rows], corrupted[rows]) for rows in rows_by_class(labels).values()]
    return sum(won for won, _ in each), sum(pairs for _, pairs in each)


def _share(won: float, pairs: int) -> float:
    if not pairs:
        raise ValueError("there is no pair of an instance with a right label and one with a wrong label to compare")
    return won / pairs
