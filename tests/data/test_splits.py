"""Divisions of a split: disjoint, complete, stratified, and never a document on two sides."""

from collections import Counter
from dataclasses import replace
from typing import List, Sequence

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.joining import joined
from relcon.data.labels import LabelSet
from relcon.data.splits import (
    By,
    Fold,
    asked_relations,
    complete_folds,
    deal,
    exact_share,
    given_folds,
    group_of,
    hold_out,
    hold_out_sample,
    k_folds,
    k_shot,
    k_shots_in_turn,
    sampled,
    share,
)
from relcon.errors import RelconError
from relcon.interfaces import Lost, Split

NAMES = ("none", "A", "B", "C")
LABELS = LabelSet(NAMES, frozenset(["none"]))
BYS = ("document", "sentence", "instance")


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def split_of(documents: Sequence[Sequence[str]], groups: Sequence[int] = (), lost: Sequence[int] = ()) -> Split:
    """A split from the labels of each document's instances ("" for none); groups: the abstract that each belongs to."""
    made, instances = [], []
    for number, labels in enumerate(documents):
        metadata = {"document": f"g{groups[number]}"} if groups else {}
        document = Document(f"d{number}", ("w",) * 9, (Entity((Mention(0, 1),)),) * (len(labels) + 1), metadata=metadata)
        made.append(document)
        instances += [Instance(document, 0, tail, label or None, f"d{number}#0-{tail}") for tail, label in enumerate(labels, start=1)]
    return Split("train", made, instances, LABELS, [Lost(f"d{number}", 0, 0, "A", "cause") for number in lost], bool(groups))


def of(label: str, split: Split) -> int:
    return sum(instance.label == label for instance in split.instances)


def uids(split: Split) -> List[str]:
    return [instance.uid for instance in split.instances]


splits = st.builds(
    lambda rows: split_of([labels for labels, _ in rows], [group for _, group in rows], range(len(rows))),
    st.lists(st.tuples(st.lists(st.sampled_from([*NAMES, ""]), max_size=5), st.integers(0, 8)), min_size=8, max_size=25),
)
sentences = st.lists(st.sampled_from(NAMES), min_size=12, max_size=60).map(lambda labels: split_of([[label] for label in labels]))


def assert_divided(whole: Split, parts: Sequence[Split], by: By) -> None:
    """The parts hold every instance, document and lost relation of the whole once, in order."""
    assert Counter(uid for part in parts for uid in uids(part)) == Counter(uids(whole))
    assert Counter(lost for part in parts for lost in part.lost) == Counter(whole.lost)
    order = {uid: number for number, uid in enumerate(uids(whole))}
    for part in parts:
        assert part.complete_annotation == whole.complete_annotation
        places = [order[uid] for uid in uids(part)]
        assert places == sorted(places)
        ids = {document.id for document in part.documents}
        assert {instance.document.id for instance in part.instances} | {lost.document for lost in part.lost} <= ids
    assert {document.id for part in parts for document in part.documents} == {document.id for document in whole.documents}
    if by == "document":
        sides = [{group_of(document) for document in part.documents} for part in parts]
        assert sum(map(len, sides)) == len(set().union(*sides))


@given(whole=splits, folds=st.integers(2, 4), by=st.sampled_from(["document", "instance"]), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_folds_are_disjoint_and_complete(whole: Split, folds: int, by: By, seed: int) -> None:
    try:
        made = k_folds(whole, folds, draw(seed), by, on_rare="keep")
    except RelconError as error:
        assert "need at least" in str(error) or "no candidate pair" in str(error)
        return
    assert len(made) == folds
    assert_divided(whole, [test for _, test in made], by)
    for train, test in made:
        assert_divided(whole, [train, test], by)
        assert (train.name, test.name) == ("train", "test") and train.instances and test.instances


@given(whole=sentences, folds=st.integers(2, 5), by=st.sampled_from(["document", "instance"]), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_folds_of_single_sentences_are_stratified_within_one(whole: Split, folds: int, by: By, seed: int) -> None:
    tests = [test for _, test in k_folds(whole, folds, draw(seed), by, on_rare="keep")]
    for label in NAMES:
        counts = [of(label, test) for test in tests]
        assert max(counts) - min(counts) <= 1
    sizes = [len(test.instances) for test in tests]
    assert max(sizes) - min(sizes) <= 1


@given(whole=sentences, fraction=st.sampled_from([0.1, 0.2, 0.5]), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_held_out_share_is_stratified_within_one(whole: Split, fraction: float, seed: int) -> None:
    try:
        rest, held = hold_out(whole, fraction, draw(seed))
    except RelconError as error:  # a share of every label so small that nothing is left over is refused, never rounded up in silence
        assert "leaves one side without any candidate pair" in str(error)
        assert all(fraction * of(label, whole) < 1 for label in NAMES)
        return
    assert (rest.name, held.name) == ("train", "dev")
    assert_divided(whole, [rest, held], "document")
    for label in NAMES:
        assert abs(of(label, held) - fraction * of(label, whole)) <= 1


@given(whole=splits, fraction=st.sampled_from([0.1, 0.3]), by=st.sampled_from(BYS), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_share_has_every_label(whole: Split, fraction: float, by: By, seed: int) -> None:
    part = share(whole, fraction, draw(seed), by)
    assert {each.label for each in part.instances} - {None} == {each.label for each in whole.instances} - {None}
    assert set(uids(part)) <= set(uids(whole)) and part.name == "train"


@given(whole=splits, by=st.sampled_from(BYS), seed=st.integers(0, 99), shares=st.data())
@settings(max_examples=100, deadline=None)
def test_exact_shares_of_one_seed_are_nested(whole: Split, by: By, seed: int, shares: st.DataObject) -> None:
    """Whatever the data: each share has everything of the smaller one, documents, pairs and lost relations."""
    small, large = sorted(shares.draw(st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99))))
    try:
        inner = exact_share(whole, small, draw(seed), by)
    except RelconError as error:
        assert "is none of its" in str(error) and by != "instance"
        return
    outer = exact_share(whole, large, draw(seed), by)
    assert set(uids(inner)) <= set(uids(outer)) and set(inner.lost) <= set(outer.lost)
    assert {each.id for each in inner.documents} <= {each.id for each in outer.documents} <= {each.id for each in whole.documents}
    again = exact_share(whole, small, draw(seed), by)
    assert (again.documents, uids(again), again.lost) == (inner.documents, uids(inner), inner.lost)


@given(whole=splits, fraction=st.floats(0.1, 0.9), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_share_by_sentence_takes_documents_as_they_were_read(whole: Split, fraction: float, seed: int) -> None:
    """So many of them, each with all its pairs, whatever abstract they belong to."""
    size = int(round(fraction * len(whole.documents), 9))
    assume(size)
    part = exact_share(whole, fraction, draw(seed), "sentence")
    kept = {each.id for each in part.documents}
    assert len(kept) == size and {each.document.id for each in part.instances} <= kept
    assert uids(part) == [each.uid for each in whole.instances if each.document.id in kept]


def test_a_share_is_close_to_its_size() -> None:
    whole = split_of([["A"]] * 300 + [["none"]] * 700)
    part = share(whole, 0.1, draw())
    assert (of("A", part), of("none", part)) == (30, 70)


def test_groups_of_different_sizes_are_dealt_evenly() -> None:
    """One hundred abstracts of one to ten pairs: folds differ by less than one abstract."""
    whole = split_of([["A"] * (1 + number % 10) + ["none"] * (number % 7) for number in range(100)])
    counts = [(of("A", test), of("none", test)) for _, test in k_folds(whole, 10, draw())]
    assert all(max(each) - min(each) <= 10 for each in zip(*counts, strict=True))


def test_large_documents_are_held_out_as_often_as_small_ones() -> None:
    """Half of the documents have one pair, half have nine: a tenth of the pairs is not a tenth of the small documents alone."""
    whole = split_of([["A"] * (1 + 8 * (number % 2)) for number in range(200)])
    large = 0
    for seed in range(20):
        _, held = hold_out(whole, 0.1, draw(seed))
        sizes = Counter(instance.document.id for instance in held.instances)
        assert 91 <= len(held.instances) <= 109
        large += sum(size == 9 for size in sizes.values())
    assert 150 <= large <= 250, "a tenth of the hundred large ones, in each of twenty draws"


PARTS = [hold_out(split_of([["A", "B"]] * 9), 0.3, draw(), by="instance")[1], k_shot(split_of([["A", "B"]]), 1, draw(), "keep")]


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_documents_say_so(part: Split) -> None:
    assert part.partial and joined([part]).partial
    assert not hold_out(split_of([["A", "B"]] * 9), 0.3, draw())[1].partial


def test_relations_of_a_part_are_those_it_asks_about_or_lost() -> None:
    labels = LabelSet(NAMES, frozenset(["none"]), frozenset(["B"]))
    relations = Relation(0, 1, "A"), Relation(0, 2, "B"), Relation(0, 3, "A")
    document = Document("d", ("w",) * 9, tuple(Entity((Mention(place, place + 1),)) for place in range(4)), relations)
    asked = Instance(document, 0, 1, "A", "d#0-1"), Instance(document, 2, 0, "B", "d#2-0")  # the latter says (0, 2) of a symmetric label
    whole = Split("dev", [document], asked, labels, [Lost("d", 0, 3, "A", "far")])
    assert [fact.tail for _, fact in asked_relations(whole)] == [1, 2, 3]
    assert [fact.tail for _, fact in asked_relations(replace(whole, partial=True))] == [1, 2, 3]
    assert [fact.tail for _, fact in asked_relations(replace(whole, partial=True, instances=asked[1:], lost=()))] == [2]
    reverse = [Instance(document, 1, 0, "none", "d#1-0")]  # another question than (0, 1), whose label has a direction
    assert [fact.tail for _, fact in asked_relations(replace(whole, partial=True, instances=reverse, lost=()))] == []


def test_one_seed_one_division() -> None:
    whole = split_of([["A"], ["none"], ["A"], ["B"]] * 10)
    one, again, other = (uids(k_folds(whole, 3, draw(seed))[0][1]) for seed in (1, 1, 2))
    assert one == again != other


def test_dealing_depends_on_nothing_global() -> None:
    strata = [Counter({"A": 1})] * 30
    torch.manual_seed(1)
    first = deal(strata, [0.5, 0.5], draw(5))
    torch.manual_seed(2)
    assert deal(strata, [0.5, 0.5], draw(5)) == first


def test_lost_relations_go_with_their_documents_first_instance() -> None:
    whole = split_of([["A", "A", "A"], ["A", "A", "A"], []], lost=[0, 1, 2])
    tests = [test for _, test in k_folds(whole, 2, draw(), "instance")]
    assert sum(len(test.lost) for test in tests) == 3
    for test in tests:
        firsts = {instance.document.id for instance in test.instances if instance.tail == 1} | {"d2"}
        assert {lost.document for lost in test.lost} <= firsts


# ---- too few ----


def test_a_rare_label_is_named_with_its_count() -> None:
    whole = split_of([["A"]] * 5 + [["B"]] + [["none", "C"]] * 3)
    with pytest.raises(RelconError, match=r"5 folds by document.*'B' has 1.*'C' has 3.*on_rare = \"keep\"") as caught:
        k_folds(whole, 5, draw())
    assert "'A'" not in str(caught.value)
    assert sum(of("B", test) for _, test in k_folds(whole, 5, draw(), on_rare="keep")) == 1


def test_a_label_in_too_few_documents_is_rare_however_often_it_occurs() -> None:
    whole = split_of([["A", "A", "A", "A"], ["none"], ["none"]])
    with pytest.raises(RelconError, match="'A' has 1"):
        k_folds(whole, 2, draw(), "document")
    assert len(k_folds(whole, 2, draw(), "instance")) == 2


def test_fewer_units_than_folds() -> None:
    with pytest.raises(RelconError, match="4 folds need at least 4 documents, but split 'train' has 3"):
        k_folds(split_of([["A"]] * 3), 4, draw(), on_rare="keep")


def test_nothing_left_to_hold_out() -> None:
    with pytest.raises(RelconError, match="without any candidate pair: it has 2 in 1 documents"):
        hold_out(split_of([["A", "B"]]), 0.5, draw())


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5])
def test_shares_lie_between_0_and_1(fraction: float) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        hold_out(split_of([["A"]] * 5), fraction, draw())


def test_a_fold_without_pairs_is_refused() -> None:
    with pytest.raises(RelconError, match="no candidate pair on one side"):
        given_folds(split_of([["A"], []]), {"one": Fold(["d1"], ["d0"]), "two": Fold(["d0"], ["d1"])})


# ---- shots ----


def test_k_shot_takes_so_many_of_every_label() -> None:
    whole = split_of([["A", "B", ""], ["C", "none"]] * 5, lost=[0])
    part = k_shot(whole, 3, draw())
    assert {label: of(label, part) for label in NAMES} == dict.fromkeys(NAMES, 3)
    assert len(part.instances) == 12 and part.lost == ()
    assert {document.id for document in part.documents} == {instance.document.id for instance in part.instances}
    assert uids(part) != uids(k_shot(whole, 3, draw(1))) and uids(part) == uids(k_shot(whole, 3, draw(0)))


def test_k_shot_names_labels_with_too_few() -> None:
    whole = split_of([["A", "B", "none"], ["A", "none"]])
    with pytest.raises(RelconError, match=r"2 shots.*'B' has 1; 'C' has 0") as caught:
        k_shot(whole, 2, draw())
    assert "'A'" not in str(caught.value)
    assert Counter(each.label for each in k_shot(whole, 2, draw(), on_rare="keep").instances) == {"none": 2, "A": 2, "B": 1}


def test_k_shots_in_turn_are_those_of_one_list_shuffled_again_and_again() -> None:
    """As published splits are drawn: `numpy.random.seed(seed); numpy.random.shuffle(lines)`, the first of each label, and on."""
    whole = split_of([[label] for label in "ABCABCABC"] + [["none"]] * 20 + [[""]])
    lines = [(instance.uid, instance.label) for instance in whole.instances]
    seeds, state = [1, 2, 3], np.random.get_state()
    try:
        published = []
        for seed in seeds:
            np.random.seed(seed)
            np.random.shuffle(lines)  # type: ignore[arg-type]
            by_label = {label: [uid for uid, other in lines if other == label] for label in NAMES}
            published.append({uid for found in by_label.values() for uid in found[:2]})
    finally:
        np.random.set_state(state)
    drawn = [set(uids(part)) for part in k_shots_in_turn(whole, 2, seeds)]
    assert drawn == published and all(len(each) == 8 for each in drawn)
    [alone] = k_shots_in_turn(whole, 2, [2])
    assert set(uids(alone)) != drawn[1], "a split depends on the seeds before"


def test_k_shots_in_turn_name_labels_with_too_few() -> None:
    whole = split_of([["A", "B", "none"], ["A", "none"]])
    with pytest.raises(RelconError, match=r"2 shots.*'B' has 1; 'C' has 0"):
        list(k_shots_in_turn(whole, 2, [1]))
    [part] = k_shots_in_turn(whole, 2, [1], on_rare="keep")
    assert Counter(each.label for each in part.instances) == {"none": 2, "A": 2, "B": 1}


# ---- given folds ----


def test_folds_by_what_they_test_on() -> None:
    whole = split_of([["A"], ["B"], ["C"], []], groups=[3, 3, 2, 1], lost=[3])
    folds = complete_folds(whole, {"one": ["g3"], "two": ["g1", "g2", "elsewhere"]})
    assert folds == {"one": Fold(["g2", "g1"], ["g3"]), "two": Fold(["g3"], ["g2", "g1"])}
    divided = given_folds(whole, folds)
    assert list(divided) == ["one", "two"]
    train, test = divided["two"]
    assert uids(test) == ["d2#0-1"] and uids(train) == ["d0#0-1", "d1#0-1"]
    assert [document.id for document in test.documents] == ["d2", "d3"] and len(test.lost) == 1
    assert_divided(whole, [test for _, test in divided.values()], "document")


def test_a_fold_trains_on_what_it_names_and_nothing_else() -> None:
    whole = split_of([["A"], ["B"], [], ["C"], []])
    folds = given_folds(whole, {"one": Fold(["d4", "d3"], ["d0", "d2"]), "two": Fold(["d0"], ["d4", "d1", "d3"])})
    sides = {name: tuple([document.id for document in side.documents] for side in fold) for name, fold in folds.items()}
    assert sides == {"one": (["d3", "d4"], ["d0", "d2"]), "two": (["d0"], ["d1", "d3", "d4"])}
    assert [uids(side) for side in folds["one"]] == [["d3#0-1"], ["d0#0-1"]]


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (Fold(["g2"], ["g1"]), Fold(["g1"], ["g1"]), "Fold 'two' names 1 documents more than once, to train on, to test on .*: 'g1'"),
        (Fold(["g2"], ["g1"]), Fold(["g1"], ["g2", "g2"]), "Fold 'two' names 1 documents more than once"),
        (Fold(["g2"], ["g1"]), Fold(["g1", "group"], ["g2"]), r"Fold 'two' names 1 documents that split 'train' does not have: 'group'\."),
        (Fold(["g2"], ["g1", "gg1"]), Fold(["g1"], ["g2"]), r"Fold 'one' names 1 documents .* 'gg1'\. Did you mean 'g1'\?"),
        (Fold(["g2"], ["g1"]), Fold(["g2"], ["g1"]), "1 are in no fold: 'g2'"),
        (Fold([], ["g1", "g2"]), Fold(["g1"], ["g2"]), "1 are in several folds: 'g2'"),
        (Fold([], ["g1", "g2"]), Fold(["g1"], []), "2 are a fold without any document on one side: 'one', 'two'"),
    ],
)
def test_faulty_given_folds(one: Fold, two: Fold, message: str) -> None:
    with pytest.raises(RelconError, match=message):
        given_folds(split_of([["A"], ["B"]], groups=[1, 2]), {"one": one, "two": two})


# ---- held out by Python's own draw ----


def test_places_are_drawn_as_by_the_authors_of_cldr() -> None:
    """The validation part of the first and of the last fold of ADE."""
    first = sampled(3845, 0.1, 42)
    assert first[:8] == [2619, 456, 102, 3037, 1126, 1003, 914, 571]
    assert len(first) == len(set(first)) == len(sampled(3843, 0.1, 42)) == 384


def test_the_draw_goes_by_the_order_of_the_documents() -> None:
    """Documents without pairs count, and a group of two is one."""
    whole = split_of([["A"], ["B"], [], ["C"], ["A"], ["B"]], groups=[0, 1, 2, 3, 4, 4])
    order = ["g2", "g1", "g0", "g3", "g4"]
    assert sampled(5, 0.39, 7) == [2]
    train, dev = hold_out_sample(whole, 0.39, 7, order)
    assert (train.name, dev.name) == ("train", "dev")
    assert {group_of(document) for document in dev.documents} == {"g0"}
    assert_divided(whole, [train, dev], "document")
    _, dev = hold_out_sample(whole, 0.39, 7, [*order[2:], *order[:2]])
    assert [document.id for document in dev.documents] == ["d4", "d5"]


def test_a_draw_of_nothing_is_refused() -> None:
    with pytest.raises(RelconError, match=r"Holding out 0\.1 .* leaves one side without any candidate pair: it has 5 in 5 documents"):
        hold_out_sample(split_of([["A"]] * 5), 0.1, 0, [f"d{number}" for number in range(5)])
    with pytest.raises(ValueError, match="not between 0 and 1"):
        hold_out_sample(split_of([["A"]] * 5), 1.0, 0, [f"d{number}" for number in range(5)])
