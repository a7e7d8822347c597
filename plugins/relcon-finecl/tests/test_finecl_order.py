"""Learning orders: bookkeeping, the minimum share, comparison, files, and what they say of corrupted labels."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from relcon_finecl import denoising
from relcon_finecl.order import (
    accuracy_by_class,
    as_learned,
    cumulative_jaccard,
    difficult,
    lacking,
    load_order,
    minimum_share,
    newly_learned,
    newly_learned_by_class,
    read_order,
    rows_by_class,
    span,
    tuples_of,
    write_order,
)
from relcon_finecl.recorder import OrderRecorder
from relcon_finecl.weights import order_weight

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Split

LABELS = LabelSet(("NA", "A", "B", "C"), frozenset(["NA"]))
CLASSES = ["A"] * 4 + ["B"] * 4 + ["C"] * 2
PREDICTED = ["A B - - A - - - C -", "B A - - A - - - C C", "A A A - B - A - - C", "A A A B - - A C C C"]
TOWER = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "sentence"}
BLOCK = {
    "@stages": "finecl.LearningOrder.v1",
    "encoders": {},
    "poolers": {},
    "streams": {},
    "tasks": {"relation": {"@tasks": "relcon.Classification.v1", "stream": "train", "tower": TOWER}},
    "classifier": "relation",
    "epochs": 4,
}
CONTEXT = SimpleNamespace(seed=3, name="order", block={"encoders": {"text": "tiny"}})


def related(number, *relations, metadata=None):
    """A document with three entities and these (head, tail, label[, id])."""
    entities = tuple(Entity((Mention(at, at + 1),)) for at in range(3))
    return Document(f"{number}", ("x", "y", "z"), entities, tuple(Relation(*each) for each in relations), metadata=metadata or {})


def split_of(documents, name="train"):
    rule = resolve({"@candidates": "relcon.EntityPairs.v1", "scope": "document", "directed": True, "several": "kept"}, "[candidates]")
    return Split(name, documents, [each for document in documents for each in rule.instances(document, LABELS)[0]], LABELS)


def numbers(uids):
    return [int(uid.partition("#")[0]) for uid in uids]


def stage_after(epochs, k=None):
    """The stage with the predictions of these epochs, of the instances 1#0-1 ... 10#0-1, in its recorder. k: epochs, if not so many."""
    stage = resolve({**BLOCK, "epochs": k or len(epochs)}, "[stages.order]")
    data = split_of([related(number, (0, 1, label)) for number, label in enumerate(CLASSES, start=1)])
    stage.tuples = tuples_of(data)
    stage.recorder = OrderRecorder(stage.tuples, LABELS, stage.recordings, stage.policy)
    gold = torch.tensor([LABELS.number(label) for label in CLASSES])
    for epoch, row in enumerate(epochs):
        stage.recorder.epoch = epoch
        guesses = [LABELS.number("NA" if guess == "-" else guess) for guess in row.split()]
        logits = torch.nn.functional.one_hot(torch.tensor(guesses), len(LABELS)).float()
        stage.recorder(stage.tuples.uids, logits, gold)
    return stage


# ---- what is recorded ------------------------------------------------------------------------------------------------------


def test_finecl_a06_bookkeeping():
    stage = stage_after(PREDICTED)
    recorded = stage.recorded["batch"]
    order = dict(zip(numbers(stage.tuples.uids), recorded.first_right.tolist(), strict=True))
    assert {uid: epoch for uid, epoch in order.items() if epoch >= 0} == {1: 0, 9: 0, 2: 1, 10: 1, 3: 2, 5: 2}
    assert np.cumsum(newly_learned(recorded.first_right, 4)).tolist() == pytest.approx([0.2, 0.4, 0.6, 0.6])
    by_class = newly_learned_by_class(recorded.first_right, CLASSES, 4)
    assert {label: shares.tolist() for label, shares in by_class.items()} == {
        "A": [0.25, 0.25, 0.25, 0.0],
        "B": [0.0, 0.0, 0.25, 0.0],
        "C": [0.5, 0.5, 0.0, 0.0],
    }
    accuracy = accuracy_by_class(recorded.last_right == 3, recorded.last_shown == 3, CLASSES)
    assert accuracy == {"A": 0.75, "B": 0.0, "C": 1.0}
    ever = {label: float(shares.sum()) for label, shares in by_class.items()}
    assert ever == {"A": 0.75, "B": 0.25, "C": 1.0}
    assert difficult(accuracy) == difficult(ever) == ["A", "B"]


def test_finecl_a06_minimum_share():
    stage = stage_after(PREDICTED)
    orders = stage.order_of(CONTEXT, 4)
    changed = np.flatnonzero(orders != stage.recorded["batch"].first_right)
    assert len(changed) == 1 and numbers(stage.tuples.uids)[changed[0]] in {6, 7, 8} and 0 <= orders[changed[0]] <= 3
    manifest = stage.manifest(CONTEXT, orders, 4)
    assert [manifest[key] for key in ("k", "k_min", "k_max", "instances", "upsampled")] == [4, 0, 4, 10, 1]
    assert [round(order_weight(order, 0, 4, math.e), 6) for order in range(5)] == [2.718282, 2.117, 1.648721, 1.284025, 1.0]
    assert [lacking(*each, 50.0) for each in ((7, 2), (1, 0), (10, 5), (9, 4))] == [2, 1, 0, 1]
    assert stage.order_figures(CONTEXT) == pytest.approx(
        {"upsampled": 1, "batch.learned_1": 0.2, "batch.learned_3": 0.6, "batch.learned": 0.6, "batch.unseen": 0}
    )


def test_the_order_is_that_of_a_run_that_ended_there():
    whole, short = stage_after(PREDICTED), stage_after(PREDICTED[:2])
    assert whole.order_of(CONTEXT, 2).tolist() == short.order_of(CONTEXT, 2).tolist()
    assert span(short.order_of(CONTEXT, 2), 2) == (0, 2)
    assert as_learned(np.array([0, 1, 2, -1]), 2).tolist() == [0, 1, -1, -1]
    assert span(np.array([1, 3]), 4) == (1, 3) and span(np.array([1, -1]), 4) == (1, 4)


def test_where_the_minimum_share_puts_instances():
    orders, labels = np.array([0, -1, -1, -1, -1, -1]), ["A"] * 6
    draw = torch.Generator().manual_seed(1)
    late = minimum_share(orders, labels, 7, 50.0, "last", draw)
    assert sorted(late.tolist()) == [-1, -1, -1, 0, 6, 6] and orders.tolist().count(-1) == 5, "the order that was given stays as it is"
    many = minimum_share(np.full(4000, -1), ["A"] * 4000, 4, 100.0, "uniform", draw)
    assert np.bincount(many, minlength=4) == pytest.approx([1000] * 4, abs=120)
    again = [minimum_share(orders, labels, 7, 50.0, "uniform", torch.Generator().manual_seed(5)).tolist() for _ in range(2)]
    assert again[0] == again[1]
    assert minimum_share(orders, labels, 7, 0.0, "uniform", draw).tolist() == orders.tolist()


def test_what_was_never_shown_has_no_part_in_the_minimum_share():
    stage, unseen = stage_after([], k=1), 4  # the first four instances, all of A, are never shown
    gold = torch.tensor([LABELS.number(label) for label in CLASSES])[unseen:]
    stage.recorder(stage.tuples.uids[unseen:], torch.zeros(6, 4), gold)
    assert stage.order_of(CONTEXT, 1).tolist().count(0) == 3 and set(stage.order_of(CONTEXT, 1)[:unseen]) == {-1}
    found = stage.summary(stage.recorded["batch"])
    assert (found["unseen"], found["not_learned"]) == (4, 6) and found["accuracy_by_relation"]["A"] is None
    assert difficult(found["accuracy_by_relation"]) == ["B", "C"]


def recorder(documents, policy, recordings=("batch",)):
    return OrderRecorder(tuples_of(split_of(documents)), LABELS, recordings, policy)


def test_of_a_pair_with_several_labels_one_is_asked_or_all():
    documents = [related(1, (0, 1, "A"), (0, 1, "B"), (1, 2, "C"))]
    uids = tuples_of(split_of(documents)).uids
    assert uids == ["1#0-1:A", "1#0-1:B", "1#1-2"] and tuples_of(split_of(documents)).gold == [2, 2, 1]
    logits = torch.tensor([[0.0, 1, 3, 2], [0, 1, 2, 3], [0, 1, 3, 2]])  # B has the second place or the first, C the second
    gold = torch.tensor([2, 2, 3])
    drawn = recorder(documents, "sample_one")
    drawn([uids[1], uids[1], uids[2]], logits, gold)
    assert drawn.recordings["batch"].columns().first_right.tolist() == [-1, 0, -1], "B was right at one of its two visits"
    only_second = recorder(documents, "any_gold")
    only_second([uids[1], uids[2]], logits[1:], gold[1:])
    assert only_second.recordings["batch"].columns().first_right.tolist() == [-1, 0, -1], "the second of two, but not the second of one"
    below = recorder(documents, "any_gold")
    below([uids[1]], torch.tensor([[2.0, 0, 1, 0]]), gold[:1])
    assert below.recordings["batch"].columns().first_right.tolist() == [-1, -1, -1], "no relation has the higher logit"


def test_pairs_without_a_relation_are_not_recorded_and_strangers_are_refused():
    made = recorder([related(1, (0, 1, "A"), (1, 0, "NA"))], "sample_one")
    made([None, "1#1-0", "1#0-1"], torch.eye(4)[[0, 0, 1]], torch.tensor([0, 0, 1]))
    assert made.recordings["batch"].columns().first_right.tolist() == [0]
    with pytest.raises(RelconError, match=r"'1#0-1~1' is none of the 1 relation instances.*copies = 0"):
        made(["1#0-1~1"], torch.eye(4)[:1], torch.tensor([1]))


def test_a_recorder_keeps_what_it_knows_and_hears_of_batches_only_where_it_records_them():
    documents = [related(1, (0, 1, "A"))]
    made = recorder(documents, "sample_one", ("epoch",))
    made(["1#0-1"], torch.eye(4)[[1]], torch.tensor([1]))
    assert made.recordings["epoch"].columns().last_shown.tolist() == [-1]
    made.epoch = 2
    made.note("epoch", ["1#0-1"], torch.eye(4)[[1]], torch.tensor([1]))
    other = recorder(documents, "sample_one", ("epoch",))
    other.load_state_dict(made.state_dict())
    assert [column.tolist() for column in other.recordings["epoch"].columns()] == [[2]] * 4
    assert "gold" not in made.state_dict()


# ---- comparing and files -----------------------------------------------------------------------------------------------------


def test_finecl_a07_cumulative_jaccard():
    one = {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1, "6": 1, "7": 2}
    other = {"1": 0, "2": 0, "5": 0, "3": 1, "6": 1, "8": 1, "7": 2, "9": 2}
    assert cumulative_jaccard(one, other, 3, "sum") == pytest.approx([0.4, 0.65, 1.15])
    assert cumulative_jaccard(one, other, 3, "union") == pytest.approx([0.4, 0.714286, 0.666667], abs=1e-6)
    assert cumulative_jaccard(one, other, 3, "pooled") == pytest.approx([0.4, 0.333333, 0.363636], abs=1e-6)
    for mode in ("sum", "union", "pooled"):
        assert cumulative_jaccard({}, {}, 2, mode) == [0.0, 0.0]
    assert cumulative_jaccard(one, one, 5, "sum")[-1] == 3.0, "epochs in which nothing is learned add nothing"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-1, 4)), max_size=30), st.floats(0, 100))
def test_the_minimum_share_is_reached_and_takes_nothing_away(rows, share):
    labels, orders = [label for label, _ in rows], np.array([order for _, order in rows], dtype=np.int64)
    lifted = minimum_share(orders, labels, 5, share, "uniform", torch.Generator().manual_seed(0))
    assert ((lifted == orders) | (orders == -1)).all() and (lifted < 5).all()
    for places in rows_by_class(labels).values():
        learned, before = int((lifted[places] >= 0).sum()), int((orders[places] >= 0).sum())
        assert learned == max(before, math.ceil(share * len(places) / 100))


def test_an_order_is_read_as_it_was_written(tmp_path):
    data = split_of([related(1, (0, 1, "A"), (0, 1, "B")), related(2, (0, 1, "C"), (1, 0, "NA"))])
    uids = tuples_of(data).uids
    write_order(tmp_path / "order.json", uids, np.array([3, -1, 0]))
    assert read_order(tmp_path / "order.json", data) == {"1#0-1:A": 3, "2#0-1": 0}
    write_order(tmp_path / "other.json", [*uids, "9#0-1"], np.array([3, -1, 0, 1]))
    with pytest.raises(RelconError, match=r"1 of its 3 instances are not in the split 'train': 9#0-1\. Give"):
        read_order(tmp_path / "other.json", data)
    write_order(tmp_path / "other.json", [f"9#0-{n}" for n in range(12)], np.arange(12))
    with pytest.raises(RelconError, match=r"12 of its 12 instances .*: 9#0-0, 9#0-1, .*, 9#0-9 and 2 more\. Give"):
        read_order(tmp_path / "other.json", data)


def test_an_order_of_a_corpus_with_the_same_ids_is_told(tmp_path, caplog):
    """As files of sentences have, which are called by their lines."""
    recorded, same = ([related(number, (0, 1, "A")) for number in range(3)] for _ in range(2))
    other = [*same[:2], related(2, (0, 1, "B"))]
    stage = stage_after(PREDICTED)
    tuples = tuples_of(split_of(recorded))
    stage.tuples = stage.tuples._replace(data=tuples.data)
    write_order(tmp_path / "order.json", tuples.uids, np.zeros(3, dtype=int))
    (tmp_path / "manifest.json").write_text(json.dumps(stage.manifest(CONTEXT, stage.order_of(CONTEXT, 4), 4)))
    assert len(read_order(tmp_path / "order.json", split_of(same))) == 3 and not caplog.records
    for data in (other, [*same, related(3, (0, 1, "A"))]):  # another label; more documents
        assert len(read_order(tmp_path / "order.json", split_of(data))) == 3
        assert caplog.records.pop().getMessage().startswith(f"[train] {tmp_path / 'order.json'} was recorded on other data")
    (tmp_path / "manifest.json").unlink()
    assert len(read_order(tmp_path / "order.json", split_of(other))) == 3 and not caplog.records


def test_a_released_order_has_the_corpus_own_ids(tmp_path):
    data = split_of([related(1, (0, 1, "A", "17"), (0, 1, "B", "18")), related(2, (0, 1, "C", "19"))])
    (tmp_path / "order.json").write_text('{"17": 2, "19": 0}')
    assert read_order(tmp_path / "order.json", data, "id") == {"1#0-1:A": 2, "2#0-1": 0}
    with pytest.raises(RelconError, match="2 of its 2 instances are not in the split"):
        read_order(tmp_path / "order.json", data, "uid")
    twice = split_of([related(1, (0, 1, "A", "17")), related(2, (0, 1, "C", "17"))])
    with pytest.raises(RelconError, match="The id '17' stands for two relations"):
        read_order(tmp_path / "order.json", twice, "id")


@pytest.mark.parametrize(
    "text, message",
    [
        ("[1, 2]", "expected an order file, .*, here it is"),
        ('{"a": 1, "b": -2}', r"'b' has the order -2, expected a whole number from 0 \(1 of 2"),
        ('{"a": 1.5}', "'a' has the order 1.5"),
        ('{"a": true}', "'a' has the order True"),
        ('{"a": 1', "not valid JSON"),
    ],
)
def test_what_is_no_order_is_refused(tmp_path, text, message):
    (tmp_path / "order.json").write_text(text)
    with pytest.raises(RelconError, match=message):
        load_order(tmp_path / "order.json")


def test_only_what_a_split_asks_about_is_recorded():
    data = split_of([related(1, (0, 1, "A")), related(2, (0, 1, "B"), (1, 2, "C"))])
    part = Split("train", data.documents, [each for each in data.instances if each.label != "B"], LABELS)
    assert tuples_of(part).uids == ["1#0-1", "2#1-2"]


# ---- corrupted labels ---------------------------------------------------------------------------------------------------------

ORDERS = np.array([0, 0, 0, 1, 1, 2, 3, 4, 4, 4])
CORRUPTED = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 0], dtype=bool)


def noisy_stage():
    """The orders of the fact as predictions over four epochs: right from the epoch of the order on."""
    epochs = [" ".join(label if order <= epoch else "-" for label, order in zip(CLASSES, ORDERS, strict=True)) for epoch in range(4)]
    stage = stage_after(epochs)
    stage.tuples = stage.tuples._replace(corrupted=CORRUPTED)
    return stage


def test_finecl_a13_noise_measurement():
    stage = noisy_stage()
    found = stage.order_figures(CONTEXT)
    assert found["batch.auc"] == pytest.approx(0.666667, abs=1e-6)
    assert (found["batch.precision"], found["batch.recall"]) == pytest.approx((0.666667, 0.333333), abs=1e-6)
    curve = stage.summary(stage.recorded["batch"])["clean_by_epoch"]
    assert [each["size"] for each in curve] == [3, 5, 6, 7]
    assert curve[1] == pytest.approx({"size": 5, "precision": 0.8, "recall": 0.666667}, abs=1e-6)
    assert float((~CORRUPTED).mean()) == 0.6
    assert set(found) <= {"upsampled", *(type(stage).measures(BLOCK) or ())}


def test_auc_within_a_class_counts_pairs_of_one_label_alone():
    # A: orders 0 0 0c 1, two ties and one lost: 1 of 3 pairs; B: 1 2c 3 4c, three won: 3 of 4; C: 4c 4, a tie: 0.5 of 1
    assert denoising.within_class_auc(ORDERS, CORRUPTED, CLASSES) == pytest.approx((1.0 + 3.0 + 0.5) / (3 + 4 + 1))
    assert "within_class_auc" not in denoising.figures(ORDERS, CORRUPTED, [str(number) for number in range(10)])
    with pytest.raises(ValueError, match="no pair"):
        denoising.auc(ORDERS, np.zeros(10, dtype=bool))


def test_average_precision_takes_ties_together():
    # from the last: order 4 (2 of 3), 3 (2 of 4), 2 (3 of 5), 1 (3 of 7), 0 (4 of 10); recall rises at 4, 2 and 0
    assert denoising.average_precision(ORDERS, CORRUPTED) == pytest.approx(0.5 * 2 / 3 + 0.25 * 3 / 5 + 0.25 * 4 / 10)


def test_mean_weights_by_hand():
    orders, wrong = np.array([0, 1, 1]), np.array([False, False, True])
    assert denoising.mean_weights(orders, wrong) == pytest.approx(((math.e + 1) / 2, 1.0))


def test_flags_that_say_nothing_give_one_half():
    draw = np.random.default_rng(0)
    found = [denoising.auc(draw.integers(0, 5, 2000), draw.random(2000) < 0.3) for _ in range(5)]
    assert float(np.mean(found)) == pytest.approx(0.5, abs=0.02)


def test_corrupted_labels_are_those_that_documents_name():
    data = split_of([related(1, (0, 1, "A"), metadata={"corrupted": {"1#0-1": "B"}}), related(2, (0, 1, "B"))])
    assert tuples_of(data).corrupted.tolist() == [True, False]
    assert tuples_of(split_of([related(1, (0, 1, "A"))])).corrupted is None
