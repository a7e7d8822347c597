"""Learning orders: the epoch in which a classifier first predicted the label of each relation instance, and what follows from it.

An order is a column [N] beside the tuples of a split: the number of the epoch from 0, or `NOT_LEARNED`. On disk it is a JSON object
`{uid: order}` in which what is missing was not learned. Hogan, Li and Shang, "Fine-grained Contrastive Learning for Relation Extraction",
EMNLP 2022, section 4.1.
"""

import hashlib
import logging
import math
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np
import torch

from relcon.data.relations import relation_instances
from relcon.data.sequences import hashes_of
from relcon.errors import RelconError
from relcon.files import PathLike, read_object, write_json
from relcon.interfaces import Split
from relcon.samplers.document_pairs import Asked

logger = logging.getLogger(__name__)

NOT_LEARNED = -1
"""The order of an instance whose label was never predicted."""

CORRUPTED = "corrupted"
"""The key of a document's metadata under which instances with a label that was changed on purpose stand: `{uid: true label or null}`."""

MANIFEST = "manifest.json"
"""What says, beside an order, how it was recorded."""

SHOWN = 10
"""Unknown instances that a message names."""

Keys = Literal["uid", "id"]
"""What the keys of an order file are: identities of instances, or the ids that the corpus itself gives its relations."""

Placement = Literal["uniform", "last"]
Mode = Literal["sum", "union", "pooled"]


class Tuples(NamedTuple):
    """The labelled tuples of the pairs that a split asks about, one row each.

    uids: [N] identity of each. labels: [N] its relation. gold: [N] how many relations its pair has. corrupted: [N] bool, whether its label
    was changed on purpose; None where no document says so of any. data: the `hash_of` their split.
    """

    uids: List[str]
    labels: List[str]
    gold: List[int]
    corrupted: Optional[np.ndarray]
    data: str


class Recorded(NamedTuple):
    """When each instance was shown to a classifier and predicted rightly, for the first and the last time: [N] epochs from 0, -1 for
    never. `first_right` is the learning order."""

    first_shown: np.ndarray
    last_shown: np.ndarray
    first_right: np.ndarray
    last_right: np.ndarray


def tuples_of(data: Split) -> Tuples:
    """The labelled tuples of the pairs that a split asks about, document by document."""
    asked = Asked(data)
    uids: List[str] = []
    labels: List[str] = []
    gold: List[int] = []
    corrupted: List[bool] = []
    for place in asked.documents:
        document, pairs = data.documents[place], set(asked.pairs(place, asked.related))
        found = [each for each in relation_instances(document, data.labels.negative) if (each.head, each.tail) in pairs]
        relations = Counter((each.head, each.tail) for each in found)
        changed = document.metadata.get(CORRUPTED, {})
        uids += [each.uid for each in found]
        labels += [each.label for each in found]
        gold += [relations[each.head, each.tail] for each in found]
        corrupted += [each.uid in changed for each in found]
    return Tuples(uids, labels, gold, np.array(corrupted) if any(corrupted) else None, hash_of(data))


def hash_of(data: Split) -> str:
    """A hash of all documents of a split with their relations, from what is stored of each, so that none is decoded."""
    digest = hashlib.sha256(repr(sorted(data.labels.negative)).encode())
    digest.update(b"".join(hashes_of(data.documents)))
    return digest.hexdigest()[:16]


# ---- files ---------------------------------------------------------------------------------------------------------------


def write_order(path: PathLike, uids: Sequence[str], orders: np.ndarray) -> None:
    """`{uid: order}` of the instances that were learned. orders: [N]."""
    write_json(path, {uid: order for uid, order in zip(uids, orders.tolist(), strict=True) if order != NOT_LEARNED})


def read_order(path: PathLike, data: Split, keys: Keys = "uid") -> Dict[str, int]:
    """uid -> order of the instances of a split that were learned.

    keys: `uid`, as `finecl.LearningOrder.v1` writes them; `id`: the relations' own ids, as in the file that the authors released.
    A warning where the manifest beside the file says that it was recorded on other data, although they have all of its instances: ids of
    two corpora may coincide, or the one be a part of the other. RelconError where the file is no order, or names instances that the split
    does not have: it was learned on another corpus.
    """
    order = load_order(path)
    if keys == "uid" and sum(uid in order for uid in _uids(data)) == len(order):  # counted, not kept: a large corpus has millions
        _tell_other_data(Path(path), data)
        return order
    known = uids_by_id(data) if keys == "id" else {uid: uid for uid in _uids(data)}
    unknown = [key for key in order if key not in known]
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise RelconError(
            f"{path}: {len(unknown)} of its {len(order)} instances are not in the split '{data.name}': {', '.join(unknown[:SHOWN])}{more}. "
            f'Give the order of the very corpus that is trained on; its keys were taken for keys = "{keys}".'
        )
    _tell_other_data(Path(path), data)
    return {known[key]: value for key, value in order.items()}


def _tell_other_data(path: Path, data: Split) -> None:
    manifest = path.parent / MANIFEST
    recorded = read_object(manifest).get("data") if manifest.exists() else None
    if recorded is not None and recorded != hash_of(data):
        logger.warning(
            "[%s] %s was recorded on other data than these, although they have all of its ids. Where they are not a larger or changed form "
            "of the same documents, its orders belong to other instances: record it again.",
            data.name,
            path,
        )


def load_order(path: PathLike) -> Dict[str, int]:
    """What an order file says, by its own keys. RelconError where it is no JSON object of whole numbers from 0."""
    found = read_object(path, 'an order file, {"UID": ORDER, ...}')
    wrong = [key for key, value in found.items() if not _is_order(value)]
    if wrong:
        first = f"'{wrong[0]}' has the order {found[wrong[0]]!r}"
        raise RelconError(f"{path}: {first}, expected a whole number from 0 ({len(wrong)} of {len(found)} are none).")
    return found


def _is_order(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _uids(data: Split) -> Iterator[str]:
    """The identities of all relation instances."""
    return (each.uid for document in data.documents for each in relation_instances(document, data.labels.negative))


def uids_by_id(data: Split) -> Dict[str, str]:
    """The relations' own id -> uid of the instance. RelconError where an id stands twice."""
    found: Dict[str, str] = {}
    for document in data.documents:
        uids = {(each.head, each.tail, each.label): each.uid for each in relation_instances(document, data.labels.negative)}
        for relation in document.relations:
            uid = uids.get((relation.head, relation.tail, str(relation.label)))
            if relation.id and uid is not None and found.setdefault(relation.id, uid) != uid:
                raise RelconError(
                    f"The id '{relation.id}' stands for two relations of '{data.name}' ({found[relation.id]} and {uid}), so it cannot be "
                    'the key of an order. Take an order with keys = "uid".'
                )
    return found


# ---- what is done with an order --------------------------------------------------------------------------------------------


def as_learned(orders: np.ndarray, k: int) -> np.ndarray:
    """The order [N] as if learning had ended after k epochs: what was learned later is not learned."""
    return np.where(orders < k, orders, NOT_LEARNED)


def minimum_share(
    orders: np.ndarray,
    labels: Sequence[str],
    k: int,
    share: float = 50.0,
    placement: Placement = "uniform",
    generator: Optional[torch.Generator] = None,
) -> np.ndarray:
    """The order [N] in which at least a share of every class is learned, so that hard relations do not all have the least weight.

    As many instances of a class as it lacks are drawn from those that were not learned and given an order; they are not duplicated (section
    4.1, P = 50 %). The paper does not say which order they get.

    orders: [N] of the instances that the classifier was shown. labels: [N] their relations. k: epochs. share: in per cent. placement:
    `uniform` draws each one's order from 0 ... k - 1, `last` gives k - 1. generator: what is drawn from.
    """
    lifted = orders.copy()
    for rows in rows_by_class(labels).values():
        missing = rows[orders[rows] == NOT_LEARNED]
        need = lacking(len(rows), len(rows) - len(missing), share)
        chosen = missing[torch.randperm(len(missing), generator=generator)[:need].numpy()]
        lifted[chosen] = k - 1 if placement == "last" else torch.randint(k, (need,), generator=generator).numpy()
    return lifted


def order_after(
    recorded: Recorded, labels: Sequence[str], k: int, share: float, placement: Placement, generator: torch.Generator
) -> np.ndarray:
    """The order [N] after k epochs under the rule of `minimum_share`, as if learning had ended there. Instances that were not shown by then
    have no part in the rule: nothing is known of them."""
    orders = as_learned(recorded.first_right, k)
    shown = np.flatnonzero((recorded.first_shown >= 0) & (recorded.first_shown < k))
    orders[shown] = minimum_share(orders[shown], [labels[row] for row in shown.tolist()], k, share, placement, generator)
    return orders


def lacking(count: int, learned: int, share: float) -> int:
    """How many more of `count` instances must be learned for a share in per cent."""
    return max(0, math.ceil(share * count / 100) - learned)


def rows_by_class(labels: Sequence[str]) -> Dict[str, np.ndarray]:
    """label -> the rows that have it, in order; labels sorted."""
    found: Dict[str, List[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(label, []).append(row)
    return {label: np.array(found[label]) for label in sorted(found)}


def span(orders: np.ndarray, k: int) -> Tuple[int, int]:
    """`k_min` and `k_max`, the smallest and the largest order [N] of all instances, where k stands for 'not learned' (equation 6)."""
    known = np.where(orders == NOT_LEARNED, k, orders)
    return (int(known.min()), int(known.max())) if len(known) else (k, k)


# ---- what an order shows -----------------------------------------------------------------------------------------------------


def newly_learned(orders: np.ndarray, k: int) -> np.ndarray:
    """[k] the share of the instances that was learned in each epoch; zeros where there is no instance."""
    return np.bincount(orders[orders != NOT_LEARNED], minlength=k)[:k] / max(len(orders), 1)


def newly_learned_by_class(orders: np.ndarray, labels: Sequence[str], k: int) -> Dict[str, np.ndarray]:
    """label -> `newly_learned` of its instances."""
    return {label: newly_learned(orders[rows], k) for label, rows in rows_by_class(labels).items()}


def accuracy_by_class(right: np.ndarray, shown: np.ndarray, labels: Sequence[str]) -> Dict[str, Optional[float]]:
    """label -> share of the instances shown that were predicted rightly; None where none was shown. right, shown: [N] bool."""
    found = {label: (int(right[rows].sum()), int(shown[rows].sum())) for label, rows in rows_by_class(labels).items()}
    return {label: hits / count if count else None for label, (hits, count) in found.items()}


def difficult(accuracy: Mapping[str, Optional[float]], below: float = 0.8) -> List[str]:
    """The classes with an accuracy below a bound, sorted (table 7 of the paper: 80 %). A class that was never shown is none of them."""
    return sorted(label for label, value in accuracy.items() if value is not None and value < below)


def cumulative_jaccard(one: Mapping[str, int], other: Mapping[str, int], k: int, mode: Mode = "union") -> List[float]:
    """[k] how far two learning orders agree after each epoch.

    `sum`: the running sum of the ratios |A_i & B_i| / |A_i | B_i| of the sets that are learned in epoch i, as the paper's formula has it,
    which may exceed 1. `union`: the Jaccard similarity of all that either had learned by then. `pooled`: the sum of the intersections by
    the sum of the unions. A ratio of two empty sets is 0.
    """
    ours, theirs = _subsets(one, k), _subsets(other, k)
    if mode == "union":
        return [_ratio(len(a & b), len(a | b)) for a, b in zip(_unions(ours), _unions(theirs), strict=True)]
    both = [len(a & b) for a, b in zip(ours, theirs, strict=True)]
    either = [len(a | b) for a, b in zip(ours, theirs, strict=True)]
    if mode == "sum":
        return np.cumsum([_ratio(*each) for each in zip(both, either, strict=True)]).tolist()
    return [_ratio(*each) for each in zip(np.cumsum(both).tolist(), np.cumsum(either).tolist(), strict=True)]


def _subsets(order: Mapping[str, int], k: int) -> List[Set[str]]:
    """The instances learned in each of the epochs."""
    found: List[Set[str]] = [set() for _ in range(k)]
    for uid, epoch in order.items():
        if epoch < k:
            found[epoch].add(uid)
    return found


def _unions(subsets: Iterable[Set[str]]) -> List[Set[str]]:
    """Each set together with those before it."""
    found: List[Set[str]] = []
    for subset in subsets:
        found.append(found[-1] | subset if found else subset)
    return found


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
