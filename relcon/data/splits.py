"""Dividing a split into parts: held-out shares, folds, shots. Pure functions; all randomness comes from the generator or seed.

Three ways to divide: by "document" no document is on two sides (the unit is `group_of`: sentences of one abstract stay
together); by "sentence" each document as it was read goes its own way, so that sentences of one abstract may part; by "instance"
each candidate pair does, so that the sides may share sentences. What is drawn by a generator keeps the proportions of the labels as
well as the units allow.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch

from relcon.data.document import group_of as group_of
from relcon.data.relations import RelationInstance, relation_instances
from relcon.data.sequences import groups_of, ids_of, labels_of, pairs_of, take
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Split

By = Literal["document", "sentence", "instance"]
OnRare = Literal["error", "keep"]

UNLABELLED = ""
"""The stratum of instances without label and of documents without instances."""


@dataclass(slots=True)
class Unit:
    """What moves as a whole: places of documents, instances and lost relations in their split, and the examples per label."""

    documents: List[int] = field(default_factory=list)
    instances: List[int] = field(default_factory=list)
    lost: List[int] = field(default_factory=list)
    labels: "Counter[str]" = field(default_factory=Counter)


class Fold(NamedTuple):
    """The documents (`group_of`) that one fold trains on and tests on, by name, in the order of whoever prescribes the fold."""

    train: List[str]
    test: List[str]


# ---- divisions ---------------------------------------------------------------------------------------------------------


def hold_out(
    split: Split, fraction: float, generator: torch.Generator, by: By = "document", names: Tuple[str, str] = ("train", "dev")
) -> Tuple[Split, Split]:
    """(rest, held out): about `fraction` of the examples of each label are held out. A label too rare to divide stays in the rest.

    ValueError where fraction is not between 0 and 1; RelconError where one side would have no instance.
    """
    taken, left = _two(split, fraction, generator, by)
    return _rest_and_held(split, left, taken, fraction, by, names)


def hold_out_sample(split: Split, fraction: float, seed: int, order: Sequence[str]) -> Tuple[Split, Split]:
    """(train, dev): `int(fraction * n)` of the n documents (`group_of`) are held out, as Python's own `random` draws them.

    Labels are not looked at. For figures of authors who drew their development part so: the positions of the documents in `order`,
    which names each once, are those of `sampled`. Errors as of `hold_out`.
    """
    _refuse_no_share(fraction)
    chosen = {order[place] for place in sampled(len(order), fraction, seed)}
    all_units = units(split, "document")
    rest, held = _sides(all_units, [name in chosen for name in _names(split, all_units)])
    return _rest_and_held(split, rest, held, fraction, "document")


def sampled(count: int, fraction: float, seed: int) -> List[int]:
    """`int(fraction * count)` different numbers from 0 to below `count`, in the order in which they are drawn.

    Source: the released code of CLDR (Theodoropoulos et al., Imposing Relation Structure in Language-Model Embeddings Using
    Contrastive Learning, CoNLL 2021), which draws its validation set with `random.seed(42)` and `random.sample`.
    """
    return random.Random(seed).sample(range(count), int(fraction * count))


def share(split: Split, fraction: float, generator: torch.Generator, by: By = "instance") -> Split:
    """About `fraction` of the examples of each label, at least one of every label that the split has. The name is kept."""
    taken, rest = _two(split, fraction, generator, by)
    seen = {label for unit in taken for label in unit.labels}
    for unit in rest:
        if any(label not in seen for label in unit.labels):
            taken.append(unit)
            seen |= set(unit.labels)
    return assemble(split, taken, split.name)


def exact_share(split: Split, fraction: float, generator: torch.Generator, by: By = "instance") -> Split:
    """By instance `ceil(fraction * n)` of the n instances of each label; by document or sentence `int(fraction * n)` of the n units,
    whatever their labels. The name is kept. With one state of the generator, a smaller share is contained in a larger one.

    The low-resource subsets of ERICA and FineCL (Qin et al., ACL 2021; Hogan, Li and Shang, EMNLP 2022). RelconError where that is no
    document.
    """
    _refuse_no_share(fraction)
    strata: Dict[object, List[Unit]] = {}
    for unit in units(split, by):
        strata.setdefault(next(iter(unit.labels)) if by == "instance" else None, []).append(unit)
    rule = math.ceil if by == "instance" else math.floor
    chosen = [
        stratum[number]
        for stratum in strata.values()
        for number in torch.randperm(len(stratum), generator=generator)[: rule(round(fraction * len(stratum), 9))].tolist()  # 0.07 * 100
    ]
    if not chosen:
        raise RelconError(f"A share of {fraction:g} of split '{split.name}' is none of its {len(split.documents)} documents. Take more.")
    return assemble(split, chosen, split.name)


def k_folds(
    split: Split, folds: int, generator: torch.Generator, by: By = "document", on_rare: OnRare = "error"
) -> List[Tuple[Split, Split]]:
    """`folds` pairs (train, test): every unit is in the test part of exactly one fold.

    on_rare: "error" raises RelconError where a label is in fewer units than there are folds (it names label and count); "keep"
    lets some folds go without it. Fewer units than folds is always an error.
    """
    if folds < 2:
        raise ValueError(f"folds: {folds} is below 2")
    all_units = units(split, by)
    if len(all_units) < folds:
        raise RelconError(f"{folds} folds need at least {folds} {by}s, but split '{split.name}' has {len(all_units)}. Use fewer folds.")
    if on_rare == "error":
        carriers = Counter(label for unit in all_units for label in unit.labels if label != UNLABELLED)
        _refuse_rare(carriers, carriers, folds, f"{folds} folds by {by} need every label in at least {folds} {by}s", "Use fewer folds,")
    parts = deal([unit.labels for unit in all_units], [1 / folds] * folds, generator)
    return [_fold(split, *_sides(all_units, [part == number for part in parts])) for number in range(folds)]


def given_folds(split: Split, folds: Mapping[str, Fold]) -> Dict[str, Tuple[Split, Split]]:
    """Folds that the data prescribes: name -> (train, test). Documents without candidate pairs go along.

    RelconError where a document is tested in no fold or in two, or a fold names one that the split does not have, names one more than
    once, or has nothing to train or to test on.
    """
    all_units = units(split, "document")
    named = dict(zip(_names(split, all_units), all_units, strict=True))
    for name, fold in folds.items():
        _refuse_bad_names(split, named, name, fold)
    _refuse_bad_folds(list(named), folds)
    return {name: _fold(split, [named[each] for each in fold.train], [named[each] for each in fold.test]) for name, fold in folds.items()}


def complete_folds(split: Split, test_groups: Mapping[str, Iterable[str]]) -> Dict[str, Fold]:
    """Folds of which it is said what they test on: each trains on all other documents. All in the order of the split.

    test_groups: fold name -> the documents (`group_of`) it tests on; those that the split does not have are passed over.
    """
    names = list(dict.fromkeys(groups_of(split.documents)))
    tested = {fold: set(groups) for fold, groups in test_groups.items()}
    return {
        fold: Fold([name for name in names if name not in groups], [name for name in names if name in groups])
        for fold, groups in tested.items()
    }


def k_shot(split: Split, shots: int, generator: torch.Generator, on_rare: OnRare = "error") -> Split:
    """`shots` instances of every label of the label set, negative ones included; instances without label are left out.

    on_rare: "error" raises RelconError where a label has fewer (it names label and count); "keep" takes what there is.
    """
    by_label = _by_label(split, range(len(split.instances)), shots, on_rare)
    chosen = [found[n] for found in by_label.values() for n in torch.randperm(len(found), generator=generator)[:shots].tolist()]
    return pick(split, sorted(chosen), split.name)


def k_shots_in_turn(split: Split, shots: int, seeds: Sequence[int], on_rare: OnRare = "error") -> Iterator[Split]:
    """A few-shot split for each seed, as published ones are drawn: one list of all instances is shuffled, with the seed, and the first
    `shots` of every label are taken; the next seed shuffles the list as it then stands. So a split depends on the seeds in front of it.

    on_rare: as of `k_shot`, whose errors it has too. Source: the released code of KnowPrompt (Chen et al., WWW 2022), which shuffles with
    NumPy's `random.seed` and `random.shuffle`; the stream of `RandomState` is frozen (NumPy's NEP 19), so this gives the same instances.
    """
    order = list(range(len(split.instances)))
    for seed in seeds:
        np.random.RandomState(seed).shuffle(order)
        by_label = _by_label(split, order, shots, on_rare)
        yield pick(split, sorted(number for found in by_label.values() for number in found[:shots]), split.name)


def asked_relations(split: Split) -> Iterator[Tuple[int, RelationInstance]]:
    """The labelled tuples of which a split asks, or which it has lost, each with the place of its document.

    Those are all that its documents have, unless it is a part of them (`Split.partial`): the other tuples belong to another part, and
    count neither for nor against a model here.
    """
    if not split.partial:
        yield from ((place, fact) for place, each in enumerate(split.documents) for fact in relation_instances(each, split.labels.negative))
        return
    pairs = pairs_of(split.instances, split.documents)
    asked = set(zip(pairs.document.tolist(), pairs.head.tolist(), pairs.tail.tolist(), strict=True))
    lost = {(each.document, each.head, each.tail, each.label) for each in split.lost}
    for place, document in enumerate(split.documents):
        for fact in relation_instances(document, split.labels.negative):
            ways = [(place, fact.head, fact.tail)]
            if fact.label in split.labels.symmetric:  # either order may be the candidate
                ways.append((place, fact.tail, fact.head))
            if not asked.isdisjoint(ways) or (document.id, fact.head, fact.tail, fact.label) in lost:
                yield place, fact


# ---- their parts -------------------------------------------------------------------------------------------------------


def units(split: Split, by: By) -> List[Unit]:
    """The split cut into what may be moved, in order.

    By instance, a document's lost relations go with its first instance; a document without instances is a unit of its own.
    """
    if by not in ("document", "sentence", "instance"):
        raise ValueError(f"by: '{by}' is none of 'document', 'sentence' and 'instance'")
    names = ids_of(split.documents)
    pairs = pairs_of(split.instances, split.documents)
    found: Dict[object, Unit] = {}
    home: Dict[int, Unit] = {}  # a document's first unit
    if by != "instance":
        for number, group in enumerate(groups_of(split.documents) if by == "document" else names):
            home[number] = found.setdefault(group, Unit())
            home[number].documents.append(number)
    strata = [*pairs.labels, UNLABELLED]  # -1, no label, is the last
    for number, (at, label) in enumerate(zip(pairs.document.tolist(), pairs.label.tolist(), strict=True)):
        unit = found.setdefault(number, Unit(documents=[at])) if by == "instance" else home[at]
        home.setdefault(at, unit)
        unit.instances.append(number)
        unit.labels[strata[label]] += 1
    for number, name in enumerate(names):
        if number not in home:
            home[number] = found.setdefault(name, Unit(documents=[number]))
    place = {name: number for number, name in enumerate(names)} if split.lost else {}
    for number, lost in enumerate(split.lost):
        home[place[lost.document]].lost.append(number)
    for unit in found.values():
        unit.labels = unit.labels or Counter({UNLABELLED: 1})
    return list(found.values())


def assemble(split: Split, chosen: Sequence[Unit], name: str) -> Split:
    """The part of a split that these units make, in the split's order."""
    documents = sorted({number for unit in chosen for number in unit.documents})
    instances = sorted(number for unit in chosen for number in unit.instances)
    lost = sorted(number for unit in chosen for number in unit.lost)
    pairs_of_documents = np.bincount(pairs_of(split.instances, split.documents).document, minlength=len(split.documents))[documents]
    return Split(
        name,
        take(split.documents, documents),
        take(split.instances, instances),
        split.labels,
        take(split.lost, lost),
        split.complete_annotation,
        partial=split.partial or len(instances) < int(pairs_of_documents.sum()),
    )


def pick(split: Split, instances: Sequence[int], name: str) -> Split:
    """The part of a split with these instances and their documents; lost relations do not come along."""
    chosen = take(split.instances, instances)
    documents = sorted({*pairs_of(chosen, split.documents).document.tolist()})
    return replace(split, name=name, documents=take(split.documents, documents), instances=chosen, lost=(), partial=True)


def deal(strata: Sequence["Counter[str]"], shares: Sequence[float], generator: torch.Generator) -> List[int]:
    """The part of each unit, so that each part gets its share of every stratum: iterative stratification.

    The rarest stratum is dealt first, each unit to the part that wants most of it, then to the part with most room, then at random.
    Between equal parts the largest units go first, which evens them out; between unequal ones that would leave the small part nothing
    but small units, so they go as they were shuffled. Units of one example each end within one example of their share.

    strata: [units] examples per stratum. shares: [parts] adding up to 1.
    Source: Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label data, ECML PKDD 2011.
    """
    totals: Counter[str] = Counter()
    for unit in strata:
        totals.update(unit)
    wants = {stratum: [part * count for part in shares] for stratum, count in totals.items()}
    room = [part * sum(totals.values()) for part in shares]
    home: Dict[int, int] = {}
    waiting = torch.randperm(len(strata), generator=generator).tolist()
    while waiting:
        left: Counter[str] = Counter()
        for number in waiting:
            left.update(strata[number])
        stratum = min(left, key=lambda each: (left[each], each))
        dealt = [number for number in waiting if strata[number][stratum]]
        for number in sorted(dealt, key=lambda n: -strata[n][stratum]) if len(set(shares)) == 1 else dealt:
            part = _neediest(wants[stratum], room, generator)
            home[number] = part
            for each, count in strata[number].items():
                wants[each][part] -= count
                room[part] -= count
        waiting = [number for number in waiting if number not in home]
    return [home[number] for number in range(len(strata))]


def _neediest(wants: Sequence[float], room: Sequence[float], generator: torch.Generator) -> int:
    """The part with the largest want, then the most room; ties (up to rounding) are drawn."""
    keys = [(round(want, 6), round(space, 6)) for want, space in zip(wants, room, strict=True)]
    first = max(keys)
    best = [part for part, key in enumerate(keys) if key == first]
    return best[int(torch.randint(len(best), (), generator=generator))]


def _two(split: Split, fraction: float, generator: torch.Generator, by: By) -> Tuple[List[Unit], List[Unit]]:
    """(about `fraction` of the units, the rest), stratified."""
    _refuse_no_share(fraction)
    all_units = units(split, by)
    parts = deal([unit.labels for unit in all_units], [fraction, 1 - fraction], generator)
    rest, taken = _sides(all_units, [part == 0 for part in parts])
    return taken, rest


def _rest_and_held(
    split: Split, rest_units: Sequence[Unit], held_units: Sequence[Unit], fraction: float, by: By, names: Tuple[str, str] = ("train", "dev")
) -> Tuple[Split, Split]:
    rest, held = assemble(split, rest_units, names[0]), assemble(split, held_units, names[1])
    if not rest.documents or not held.documents or (split.instances and not (rest.instances and held.instances)):
        raise RelconError(
            f"Holding out {fraction:g} of split '{split.name}' leaves one side without any candidate pair: it has {len(split.instances)} "
            f"in {len(rest_units) + len(held_units)} {by}s. Give more data, another share, or a file of its own for the held-out part."
        )
    return rest, held


def _fold(split: Split, rest: Sequence[Unit], held: Sequence[Unit]) -> Tuple[Split, Split]:
    train, test = assemble(split, rest, "train"), assemble(split, held, "test")
    if not train.instances or not test.instances:
        raise RelconError(f"A fold of split '{split.name}' has no candidate pair on one side. Use fewer folds, or give more data.")
    return train, test


def _sides(all_units: Sequence[Unit], chosen: Sequence[bool]) -> Tuple[List[Unit], List[Unit]]:
    """(the units that are not chosen, those that are)."""
    sides: Tuple[List[Unit], List[Unit]] = ([], [])
    for unit, taken in zip(all_units, chosen, strict=True):
        sides[taken].append(unit)
    return sides


def _names(split: Split, by_document: Sequence[Unit]) -> List[str]:
    """The name (`group_of`) of each unit of a division by document."""
    groups = groups_of(split.documents)
    return [groups[unit.documents[0]] for unit in by_document]


def _by_label(split: Split, order: Iterable[int], shots: int, on_rare: OnRare) -> Dict[str, List[int]]:
    """The places of the instances of every label of the label set, in this order. RelconError under "error" where one has too few."""
    if shots < 1:
        raise ValueError(f"shots: {shots} is below 1")
    labels = labels_of(split.instances)
    by_label: Dict[Optional[str], List[int]] = {name: [] for name in (*split.labels.names, None)}
    for number in order:
        by_label[labels[number]].append(number)
    found = {name: by_label[name] for name in split.labels.names}
    if on_rare == "error":
        counts = {label: len(places) for label, places in found.items()}
        _refuse_rare(found, counts, shots, f"{shots} shots need {shots} instances of every label", "Use fewer shots,")
    return found


def _refuse_no_share(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"a share of {fraction:g} is not between 0 and 1")


def _refuse_rare(labels: Iterable[str], counts: Mapping[str, int], needed: int, rule: str, advice: str) -> None:
    rare = [f"'{label}' has {counts[label]}" for label in labels if counts[label] < needed]
    if rare:
        raise RelconError(
            f"{rule}, but {'; '.join(rare[:10])}{' ...' if len(rare) > 10 else ''}. {advice} merge or leave out the label, "
            'or write on_rare = "keep" to go on with what there is.'
        )


def _refuse_bad_names(split: Split, known: Mapping[str, Unit], name: str, fold: Fold) -> None:
    """RelconError where a fold names documents that there are not, or one of them more than once."""
    counts = Counter([*fold.train, *fold.test])
    strange = [each for each in counts if each not in known]
    if strange:
        raise RelconError(
            f"Fold '{name}' names {len(strange)} documents that split '{split.name}' does not have: {_listed(strange)}."
            f'{did_you_mean(strange[0], known)} Folds name documents by metadata["document"], else by id, and need the whole corpus.'
        )
    again = [each for each, count in counts.items() if count > 1]
    if again:
        raise RelconError(
            f"Fold '{name}' names {len(again)} documents more than once, to train on, to test on or for both: {_listed(again)}. "
            "A document is trained on or tested on, once."
        )


def _refuse_bad_folds(names: Sequence[str], folds: Mapping[str, Fold]) -> None:
    tested = Counter(each for fold in folds.values() for each in fold.test)
    homeless = [name for name in names if not tested[name]]
    twice = [name for name in names if tested[name] > 1]
    empty = [name for name, fold in folds.items() if not fold.train or not fold.test]
    for fault, found in (("in no fold", homeless), ("in several folds", twice), ("a fold without any document on one side", empty)):
        if found:
            raise RelconError(f"Every document must be tested in exactly one fold, but {len(found)} are {fault}: {_listed(found)}.")


def _listed(names: Sequence[str]) -> str:
    """The first ten names, for a message."""
    return ", ".join(f"'{name}'" for name in names[:10]) + (" ..." if len(names) > 10 else "")
