"""How much a relation instance weighs: by the order in which it was learned, or by the confidence of a classifier."""

import logging
from pathlib import Path
from typing import Dict, Literal, Mapping, NamedTuple, Optional, Tuple

import torch

from relcon.data.relations import relation_instances
from relcon.errors import RelconError
from relcon.files import read_object
from relcon.interfaces import Split
from relcon_finecl.order import MANIFEST, Keys, read_order

logger = logging.getLogger(__name__)

ORDER, CONFIDENCE = "order.json", "confidence.json"
"""What the stages write that weights are made of."""


class Weights(NamedTuple):
    """What weighs how much.

    of: uid -> weight of a relation instance, or its order where there is a table. absent: the weight of an instance that is not named
    there; None: such an instance takes no part. unrelated: of a pair without a relation. table: order -> weight, so that the orders of
    millions of instances are not held a second time as weights.
    """

    of: Mapping[str, float]
    absent: Optional[float]
    unrelated: float
    table: Optional[Mapping[float, float]] = None

    def __call__(self, uid: str) -> Optional[float]:
        """The weight of a relation instance; None where it takes no part."""
        known = self.of.get(uid)
        if known is None:
            return self.absent
        return known if self.table is None else self.table[known]


EQUAL = Weights({}, 1.0, 1.0)
"""ERICA: every pair weighs the same."""


class OrderRule(NamedTuple):
    """How a learning order becomes weights.

    alpha: the weight of what was learned first, above 1. k_range: the orders that weigh alpha and 1; None: the smallest and the largest
    of the corpus. unlearned: an instance that was not learned has the order after the last epoch, or takes no part. cutoff: from this
    order on an instance weighs as if it had the largest. na_exponent: a pair without a relation weighs alpha to this power.
    """

    alpha: float
    k_range: Optional[Tuple[int, int]] = None
    unlearned: Literal["max_order", "drop"] = "max_order"
    cutoff: Optional[int] = None
    na_exponent: float = 0.5


def order_weight(order: int, k_min: int, k_max: int, alpha: float) -> float:
    """alpha ^ ((k_max - k) / (k_max - k_min)) of the order k: alpha for k_min, 1 for k_max, and 1 where all orders are one (Hogan et al.,
    EMNLP 2022, equation 6)."""
    return 1.0 if k_max == k_min else alpha ** ((k_max - order) / (k_max - k_min))


def by_order(order: Mapping[str, int], k: int, missing: int, rule: OrderRule) -> Weights:
    """The weights that follow from a learning order.

    order: uid -> order of what was learned. k: what stands for 'not learned'. missing: how many instances of the corpus were not.
    RelconError where an order lies outside of `rule.k_range`, or nothing is left to weigh.
    """
    ordered = missing > 0 and rule.unlearned == "max_order"
    present = {*order.values(), *([k] if ordered else [])}
    if not present:
        raise RelconError('the learning order names no instance, so that unlearned = "drop" leaves none.')
    k_min, k_max = rule.k_range or (min(present), max(present))
    outside = [each for each in present if not k_min <= each <= k_max]
    if outside:
        raise RelconError(f"k_range = [{k_min}, {k_max}] leaves out the order {outside[0]}, which the corpus has. Widen it, or take null.")
    table: Dict[float, float] = {each: order_weight(k_max if _is_cut(each, rule) else each, k_min, k_max, rule.alpha) for each in present}
    return Weights(order, table[k] if ordered else None, rule.alpha**rule.na_exponent, table)


def _is_cut(order: int, rule: OrderRule) -> bool:
    return rule.cutoff is not None and order >= rule.cutoff


def weights_from_order(path: Path, data: Split, keys: Keys, instances: int, rule: OrderRule) -> Weights:
    """The weights of a split by an order file.

    keys: as of `read_order`. instances: how many the split has. What was not learned has the order k of the `manifest.json` beside the
    file; where there is none, the largest order of the file plus one. RelconError as of `read_order` and `by_order`.
    """
    order = read_order(path, data, keys)
    manifest = path.parent / MANIFEST
    k = _recorded_epochs(manifest) if manifest.exists() else max(order.values(), default=-1) + 1
    missing = instances - len(order)
    logger.info("[%s] %s: %d instances, %d of them not learned (order %d: %s)", data.name, path, instances, missing, k, rule.unlearned)
    return by_order(order, k, missing, rule)


def _recorded_epochs(manifest: Path) -> int:
    """The k of a `manifest.json`. RelconError where it has none."""
    k = read_object(manifest).get("k")
    if not isinstance(k, int):
        raise RelconError(f"{manifest}: expected the number of recorded epochs under 'k', here it is {k!r}. Record the order again.")
    return k


def weights_from_confidence(path: Path, data: Split, exponential: bool) -> Weights:
    """The weights of a split by a confidence file; a pair without a relation weighs 1.

    exponential: e^w in place of w. RelconError where the file is none, or does not know an instance of the split.
    """
    found = read_object(path, 'a confidence file, {"UID": CONFIDENCE, ...}')
    wrong = [uid for uid, value in found.items() if not isinstance(value, (int, float)) or not 0 <= value <= 1]
    if wrong:
        raise RelconError(f"{path}: '{wrong[0]}' has the confidence {found[wrong[0]]!r}, expected a number in [0, 1].")
    instances = (each.uid for document in data.documents for each in relation_instances(document, data.labels.negative))
    unknown = [uid for uid in instances if uid not in found]
    if unknown:
        raise RelconError(
            f"{path}: {len(unknown)} instances of the split '{data.name}' are not in it (the first is '{unknown[0]}'). "
            "Give the confidences of the very corpus that is trained on."
        )
    values = torch.tensor(list(found.values()), dtype=torch.float64)
    return Weights(dict(zip(found, (values.exp() if exponential else values).tolist(), strict=True)), None, 1.0)
