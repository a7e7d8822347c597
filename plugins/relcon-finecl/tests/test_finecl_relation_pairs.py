"""Relation discrimination: weights of learning orders, rows, couples, negatives, and the sampler made of them."""

import json
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from relcon_finecl.documents import halved, permuted
from relcon_finecl.rows import UNRELATED, Rows, at_most, at_most_by_document, couples_of, opponents, relation_pairing
from relcon_finecl.weights import OrderRule, by_order, order_weight

from relcon.config import resolve
from relcon.contrast import Pairing
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Artifacts, Draw, Parts, Split
from relcon.poolers.spans import SpanPool
from relcon.testing import check_sampler, check_step, tiny_encoder

LABELS = LabelSet.of(["P17", "P19", "P50"], ["Na"])


def document(name, relations, entities=3, ignored=()):
    """Entities of one word each, every one of them mentioned twice, among other words. relations: (head, tail, label)."""
    words = [f"{name}e{n}" for n in range(entities)] + [f"{name}w{n}" for n in range(entities)] + [f"{name}e{n}" for n in range(entities)]
    made = tuple(Entity((Mention(n, n + 1), Mention(2 * entities + n, 2 * entities + n + 1)), id=f"{name}{n}") for n in range(entities))
    metadata = {"ignored": [list(pair) for pair in ignored]}
    return Document(name, tuple(words), made, tuple(Relation(*relation) for relation in relations), metadata=metadata)


def split(*documents, name="train"):
    return Split(name, list(documents), [], LABELS)


def sampler(**arguments):
    return resolve({"@samplers": "finecl.RelationPairs.v1", "renderer": {"@renderers": "relcon.Plain.v1"}, **arguments}, "[sampler]")


def objective(temperature, **arguments):
    block = {"@objectives": "relcon.InfoNCE.v1", "temperature": temperature, "denominator": "own", **arguments}
    return resolve(block, "[objective]")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def order_file(folder, order, **manifest):
    folder.mkdir(exist_ok=True)
    (folder / "order.json").write_text(json.dumps(order))
    if manifest:
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return str(folder / "order.json")


def epoch(sampler, data, number=0, vocabulary=None):
    sampler.prepare(data)
    return list(sampler.batches(data, Draw(number, generator(number), vocabulary)))


# ---- weights -------------------------------------------------------------------------------------------------------------


def test_finecl_a01_weight_function():
    found = [order_weight(k, 0, 15, math.e) for k in (0, 1, 5, 7, 10, 14, 15)]
    assert found == pytest.approx([2.718282, 2.542972, 1.947734, 1.704605, 1.395612, 1.068939, 1], abs=1e-6)
    assert [order_weight(k, 0, 14, math.e) for k in (7, 14)] == pytest.approx([1.648721, 1], abs=1e-6)
    assert order_weight(5, 0, 15, 2.0) == pytest.approx(1.587401, abs=1e-6)
    assert order_weight(3, 3, 3, math.e) == 1


def test_finecl_a01_weights_of_a_sampler(tmp_path):
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19")]), document("b", [(0, 1, "P17"), (1, 2, "P50")]))
    path = order_file(tmp_path, {"a#0-1": 4, "a#1-2": 5, "b#0-1": 14}, k=15)
    made = sampler(weighting="learning_order", order_file=path, order_cutoff=5, k_range=[0, 15])
    made.prepare(data)
    assert [made.weights(uid) for uid in ("a#0-1", "a#1-2", "b#0-1", "b#1-2")] == pytest.approx([2.082009, 1, 1, 1], abs=1e-6)
    assert made.weights.unrelated == pytest.approx(1.648721, abs=1e-6)
    made = sampler(weighting="learning_order", order_file=path, unlearned="drop", alpha=2.0, na_exponent=1.0)
    made.prepare(data)
    assert [made.weights(uid) for uid in ("a#0-1", "a#1-2", "b#0-1", "b#1-2")] == [2, pytest.approx(2**0.9), 1, None]
    assert made.weights.unrelated == 2


def test_what_was_not_learned_has_the_order_behind_the_last_epoch(tmp_path):
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19")]))
    for folder, manifest, of_zero in (("with", {"k": 15}, math.e), ("without", {}, math.e)):
        path = order_file(tmp_path / folder, {"a#0-1": 0}, **manifest)
        made = sampler(weighting="learning_order", order_file=path)
        made.prepare(data)
        assert (made.weights("a#0-1"), made.weights("a#1-2")) == (pytest.approx(of_zero), 1)
    order = {"a": 0, "b": 7}
    assert by_order(order, 15, 1, OrderRule(math.e))("b") == pytest.approx(order_weight(7, 0, 15, math.e))  # the manifest's k
    assert by_order(order, 15, 0, OrderRule(math.e))("b") == 1  # all were learned: the largest order present


def test_an_order_of_another_corpus_or_outside_of_the_range_is_refused(tmp_path):
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19")]))
    strange = order_file(tmp_path / "strange", {"z#0-1": 1})
    with pytest.raises(RelconError, match=r"z#0-1"):
        sampler(weighting="learning_order", order_file=strange).check(data)
    late = order_file(tmp_path / "late", {"a#0-1": 9})
    with pytest.raises(RelconError, match=r"leaves out the order 9"):
        sampler(weighting="learning_order", order_file=late, k_range=[0, 5], unlearned="drop").check(data)
    with pytest.raises(RelconError, match="leaves none"):
        sampler(weighting="learning_order", order_file=order_file(tmp_path / "none", {}), unlearned="drop").check(data)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"weighting": "learning_order"}, "needs order or order_file"),
        ({"weighting": "learning_order", "order": "one", "order_file": "two"}, "one of them"),
        ({"order": "one"}, 'order is for weighting = "learning_order", not "none"'),
        ({"weighting": "confidence", "order": "one", "confidence": "two"}, "order is for weighting"),
        ({"alpha": 1.0}, "alpha must be above 1"),
        ({"k_range": [3]}, "smallest and the largest"),
        ({"pairs": 0}, "pairs must be at least 1"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, message):
    with pytest.raises(RelconError, match=message):
        sampler(**arguments)


def test_an_earlier_stage_hands_the_order_over(tmp_path):
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19")]))
    order_file(tmp_path, {"a#0-1": 0, "a#1-2": 3}, k=4)
    made = sampler(weighting="learning_order", order="denoise")
    made.check(data)  # before the run nothing is there yet
    with pytest.raises(RelconError, match="handed on nothing yet"):
        made.prepare(data)
    with pytest.raises(RelconError, match=r"'denoise' is no earlier stage.*Did you mean 'denoised'"):
        made.hand_over({"denoised": Artifacts(tmp_path)})
    made.hand_over({"denoise": Artifacts(tmp_path)})
    made.prepare(data)
    assert (made.weights("a#0-1"), made.weights("a#1-2")) == (pytest.approx(math.e), 1)
    assert type(made).takes == ("order", "confidence")


def test_confidences_weigh_and_must_cover_the_corpus(tmp_path):
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19")]))
    (tmp_path / "confidence.json").write_text(json.dumps({"a#0-1": 0.25, "a#1-2": 0.0}))
    for transform, expected in (("none", (0.25, 0.0)), ("exp", (math.exp(0.25), 1.0))):
        made = sampler(weighting="confidence", confidence="gold", weight_transform=transform)
        made.hand_over({"gold": Artifacts(tmp_path)})
        made.prepare(data)
        found = (made.weights("a#0-1"), made.weights("a#1-2"), made.weights.unrelated)
        assert found == (pytest.approx(expected[0]), expected[1], 1)
    wrongs = (({"a#0-1": 0.5}, "1 instances of the split 'train' are not in it"), ({"a#0-1": 1.5}, r"expected a number in \[0, 1\]"))
    for wrong, message in wrongs:
        (tmp_path / "confidence.json").write_text(json.dumps(wrong))
        with pytest.raises(RelconError, match=message):
            sampler(weighting="confidence", confidence_file=str(tmp_path / "confidence.json")).check(data)


# ---- rows ----------------------------------------------------------------------------------------------------------------

A3 = [(0, 0, 1, 0), (1, 0, 1, 3), (2, 0, 1, 2), (3, 0, 1, 15), (4, 0, 1, 7)]
A3_VECTORS = [(1, 0, 1, 0), (1, 0.2, 0.9, 0.1), (0.9, 0.5, 0.8, 0.3), (0, 1, 0.5, 0.5), (1, 0.3, 0.4, 0.2)]


def loss_of_one_anchor(weights=lambda order: order_weight(order, 0, 15, math.e), rule=None, **loss):
    rows = Rows.of([(*row[:3], int(n > 1), weights(row[3])) for n, row in enumerate(A3)], torch.float64)
    pairing = relation_pairing(rows, torch.tensor([[0, 1]]), opponents(rows), **(rule or {}))
    vectors = torch.tensor(A3_VECTORS, dtype=torch.float64)
    only = pairing.keep(torch.arange(5) == 0, torch.ones(5, dtype=torch.bool))
    return objective(0.05, **loss)(vectors, vectors, only).item()


def test_finecl_a03_cosines_and_weights():
    one, *others = torch.nn.functional.normalize(torch.tensor(A3_VECTORS, dtype=torch.float64))
    assert [float(one @ other) for other in others] == pytest.approx([0.985104, 0.898478, 0.288675, 0.871602], abs=1e-6)
    weights = [order_weight(order, 0, 15, math.e) for *_, order in A3]
    assert weights == pytest.approx([2.718282, 2.225541, 2.378968, 1, 1.704605], abs=1e-6)


def test_finecl_a03_one_anchor():
    assert loss_of_one_anchor() == pytest.approx(1.272144, abs=1e-6)
    assert loss_of_one_anchor(own_weight=0.0) == pytest.approx(-1.403148, abs=1e-6)
    assert loss_of_one_anchor(rule={"positive_weight": "order"}, weigh="denominator") == pytest.approx(2.820389, abs=1e-6)
    assert loss_of_one_anchor(weights=lambda order: 1.0) == pytest.approx(0.246974, abs=1e-6)
    assert loss_of_one_anchor(rule={"weight_only": "negatives"}) == pytest.approx(0.467996, abs=1e-6)
    assert loss_of_one_anchor(rule={"weight_only": "anchors"}) == pytest.approx(math.e * 0.246974, abs=2e-6)


def permute(rows, couples, negatives, vectors, order):
    """The same batch with its rows in another order."""
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    return Rows(*(column[order] for column in rows)), place[couples], negatives[order][:, order], vectors[order]


A4 = [(0, 0, 1, 0, 0), (1, 0, 1, 0, 4), (0, 2, 1, 1, 1), (1, 2, 0, 1, 15), (1, 1, 2, 2, 9), (0, 1, 2, UNRELATED, None)]
A4_VECTORS = torch.tensor([(1, 0, 0), (0.8, 0.6, 0), (0, 1, 0), (0, 0.6, 0.8), (0.6, 0, 0.8), (0.6, 0.8, 0)], dtype=torch.float64)
A4_COUPLES = torch.tensor([[0, 1], [2, 3]])


def a4_rows(na=math.e**0.5):
    return Rows.of([(*row[:4], na if row[4] is None else order_weight(row[4], 0, 15, math.e)) for row in A4], torch.float64)


def test_finecl_a04_micro_batch():
    rows = a4_rows()
    assert rows.weight.tolist() == pytest.approx([2.718282, 2.082009, 2.542972, 1, 1.491825, 1.648721], abs=1e-6)
    allowed = opponents(rows)
    assert [allowed[anchor].nonzero().flatten().tolist() for anchor in range(4)] == [[3, 4, 5], [2, 3, 4, 5], [1, 4, 5], [0, 1, 4, 5]]
    pairing = relation_pairing(rows, A4_COUPLES, allowed)
    assert (pairing.weights > 0).tolist() == [True] * 4 + [False] * 2
    each = [
        objective(0.5)(A4_VECTORS, A4_VECTORS, pairing.keep(torch.arange(6) == anchor, torch.ones(6).bool())).item() for anchor in range(4)
    ]
    assert each == pytest.approx([3.251233, 3.790827, 4.552551, 1.795095], abs=1e-6)
    assert objective(0.5)(A4_VECTORS, A4_VECTORS, pairing).item() == pytest.approx(3.347427, abs=1e-6)
    assert objective(0.5, reduction="sum")(A4_VECTORS, A4_VECTORS, pairing).item() == pytest.approx(13.389706, abs=1e-6)
    assert objective(0.05)(A4_VECTORS, A4_VECTORS, pairing).item() == pytest.approx(5.234727, abs=1e-6)
    light = relation_pairing(a4_rows(na=1.0), A4_COUPLES, allowed)
    assert objective(0.5)(A4_VECTORS, A4_VECTORS, light).item() == pytest.approx(3.036148, abs=1e-6)


def test_scaling_the_vectors_and_permuting_the_rows_change_nothing():
    rows = a4_rows()
    loss = objective(0.5)(A4_VECTORS, A4_VECTORS, relation_pairing(rows, A4_COUPLES, opponents(rows))).item()
    assert objective(0.5)(3 * A4_VECTORS, 3 * A4_VECTORS, relation_pairing(rows, A4_COUPLES, opponents(rows))).item() == pytest.approx(loss)
    order = torch.tensor([1, 3, 4, 0, 2, 5])  # the other document first
    moved, couples, negatives, vectors = permute(rows, A4_COUPLES, opponents(rows), A4_VECTORS, order)
    assert torch.equal(opponents(moved), negatives)
    assert objective(0.5)(vectors, vectors, relation_pairing(moved, couples, negatives)).item() == pytest.approx(loss, abs=1e-12)


def test_partners_that_share_an_argument_are_no_positives():
    rows = Rows.of([(0, 0, 1, 0, 1.0), (0, 2, 1, 0, 1.0), (1, 0, 1, 1, 1.0)])
    couples = torch.tensor([[0, 1]])
    assert relation_pairing(rows, couples, opponents(rows)).terms() == 0
    free = relation_pairing(rows, couples, opponents(rows, shared_argument=False), shared_argument=False)
    assert free.terms() == 2 and free.positives[0, 1] == free.negatives[1, 2] == 1


def test_a_pair_in_the_anchors_relation_too_may_repel_or_not():
    rows = Rows.of([(0, 0, 1, 0, 1.0), (1, 0, 1, 0, 1.0), (1, 0, 1, 2, 1.0), (1, 1, 2, 2, 1.0), (1, 2, 0, UNRELATED, 1.0)])
    assert opponents(rows)[0].tolist() == [False, False, True, True, True]
    assert opponents(rows, conflicts=True)[0].tolist() == [False, False, False, True, True]
    assert not opponents(rows)[4].any() and not opponents(rows)[1, 2]  # unrelated rows are no anchors; one pair is one vector


def test_a_row_of_weight_0_repels_none_and_is_no_term():
    rows = Rows.of([(0, 0, 1, 0, 1.0), (1, 0, 1, 0, 0.0), (2, 0, 1, 1, 0.0), (3, 0, 1, 1, 1.0)])
    for only in ("both", "anchors", "negatives"):
        pairing = relation_pairing(rows, torch.tensor([[0, 1]]), opponents(rows), weight_only=only)
        assert pairing.weights.tolist() == [1, 0, 0, 0] and pairing.negatives[0].tolist() == [0, 0, 0, 1]


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=20), st.integers(0, 99))
def test_couples_use_every_row_at_most_once_and_leave_over_the_odd_ones(relations, seed):
    couples = couples_of(relations, generator(seed)).tolist()
    used = [row for couple in couples for row in couple]
    assert len(set(used)) == len(used)
    assert all(relations[one] == relations[other] is not None for one, other in couples)
    assert len(couples) == sum(relations.count(relation) // 2 for relation in {*relations} - {None})


def test_as_many_negatives_as_asked_for_drawn_evenly():
    allowed = torch.tensor([[True] * 6 + [False] * 2, [True] + [False] * 7, [False] * 8])
    counts = torch.zeros(3, 8)
    draw = generator()
    for _ in range(600):
        found = at_most(allowed, 2, draw)
        assert found.sum(1).tolist() == [2, 1, 0] and not (found & ~allowed).any()
        counts += found
    assert counts[0, :6].tolist() == pytest.approx([200] * 6, abs=50)
    assert torch.equal(at_most(allowed, 0, draw), allowed)


def test_as_many_negatives_as_asked_for_of_a_document():
    """Two anchors of one document, which may be compared with different rows, share what is drawn."""
    rows = Rows.of([(0, 0, 1, 0, 1.0), (0, 2, 3, 1, 1.0), (1, 0, 1, 0, 1.0), (1, 2, 3, 1, 1.0), *((2, n, 9, 2, 1.0) for n in range(6))])
    allowed = opponents(rows)
    allowed[0, 4:7] = allowed[1, 7:] = False
    seen = set()
    for seed in range(20):
        found = at_most_by_document(allowed, rows, torch.tensor([[0, 2], [1, 3]]), 4, generator(seed))
        assert not (found & ~allowed).any()
        of_two = found[0] | found[1]
        assert of_two.sum() == 4 and torch.equal(found[0], of_two & allowed[0]) and torch.equal(found[1], of_two & allowed[1])
        seen |= set(of_two.nonzero().flatten().tolist())
    assert seen == set((allowed[0] | allowed[1]).nonzero().flatten().tolist())
    assert torch.equal(at_most_by_document(allowed, rows, torch.tensor([[0, 2], [1, 3]]), 0, generator())[:4], allowed[:4])
    many_rows = at_most_by_document(allowed, rows, torch.tensor([[0, 2]]), 1, generator())
    assert many_rows[0].sum() <= 1 and not many_rows[4:].any(), "a row that is no anchor draws none"


# ---- the sampler ---------------------------------------------------------------------------------------------------------

A4_DOCUMENTS = (
    document("0", [(0, 1, "P17"), (2, 1, "P19")], ignored=[(0, 2), (1, 0), (2, 0)]),
    document("1", [(0, 1, "P17"), (2, 0, "P19"), (1, 2, "P50")], ignored=[(0, 2), (1, 0), (2, 1)]),
)
A4_ORDER = {"0#0-1": 0, "1#0-1": 4, "0#2-1": 1, "1#2-0": 15, "1#1-2": 9}
A4_PLACES = {row[:3]: vector for row, vector in zip(A4, A4_VECTORS.tolist(), strict=True)}


def a4_loss(temperature=0.5, **arguments):
    """The loss of the one batch of the two documents, each pair with its vector."""
    (batch,) = epoch(sampler(**arguments), split(*A4_DOCUMENTS))
    contrast = batch["contrast"]
    places = [(int(view.input.words[0][0]), view.unit[0][0].start, view.unit[1][0].start) for view in contrast.anchors]
    vectors = torch.tensor([A4_PLACES[place] for place in places], dtype=torch.float64)
    return objective(temperature)(vectors, vectors, contrast.pairing).item()


def test_finecl_a04_from_documents(tmp_path):
    learned = {"weighting": "learning_order", "order_file": order_file(tmp_path, A4_ORDER, k=15)}
    assert a4_loss(**learned, k_range=[0, 15]) == pytest.approx(3.347427, abs=1e-6)
    assert a4_loss(**learned) == pytest.approx(3.347427, abs=1e-6)  # orders 0 and 15 are both there
    assert a4_loss(**learned, na_exponent=0.0) == pytest.approx(3.036148, abs=1e-6)
    assert a4_loss(0.05, **learned) == pytest.approx(5.234727, abs=1e-6)
    assert a4_loss(weighting="none") == pytest.approx(1.245583, abs=1e-6)


def test_one_order_for_all_is_erica(tmp_path):
    path = order_file(tmp_path, dict.fromkeys(A4_ORDER, 3), k=15)
    assert a4_loss(weighting="learning_order", order_file=path, na_exponent=0.0) == pytest.approx(a4_loss(weighting="none"), abs=1e-12)


def many(count=9):
    """Documents with three relations each, some of them twice, and pairs without any."""
    kinds = ["P17", "P19", "P50"]
    return [
        document(f"d{n}", [(0, 1, kinds[n % 3]), (2, 3, kinds[(n + 1) % 3]), (0, 1, kinds[(n + 1) % 3])], entities=5) for n in range(count)
    ]


def test_it_keeps_the_contract_of_samplers():
    check_sampler(sampler(batch_size=5, negatives=3, na_pairs=2), split(*many()))
    check_sampler(sampler(batch_size=2, exclude_multilabel_conflicts=True), split(*many(6)))
    check_sampler(sampler(batch_size=5, negatives=3, negatives_per="document"), split(*many()))


def test_two_streams_share_out_the_documents_of_every_epoch():
    data = split(*many(), document("lonely", []))
    first, second = (sampler(batch_size=2, half=half, seed=4) for half in ("first", "second"))
    assert (first.length(data), second.length(data)) == (3, 2)
    seen = []
    for number in range(2):
        halves = [
            {view.input.words[0] for batch in epoch(each, data, number) for view in batch["contrast"].anchors} for each in (first, second)
        ]
        assert [len(half) for half in halves] == [5, 4] and not halves[0] & halves[1]
        seen.append(halves[0])
    assert seen[0] != seen[1]
    assert sorted(permuted(range(7), 1, 0)) == list(range(7)) and permuted(range(7), 1, 0) != permuted(range(7), 2, 0)
    assert [list(halved(range(5), half)) for half in ("first", "second")] == [[0, 1, 2], [3, 4]]


def test_pairs_of_a_document_are_limited_those_with_a_relation_come_first():
    data = split(document("a", [(0, 1, "P17"), (0, 1, "P19"), (1, 2, "P19"), (2, 3, "P17")], entities=4))
    for limits, rows in (({"na_pairs": 2}, 6), ({"pairs": 2}, 3), ({"pairs": 4}, 5), ({"na_pairs": 0}, 4), ({}, 13)):
        (batch,) = epoch(sampler(**limits), data)
        assert len(batch["contrast"].anchors) == rows


def test_without_complete_annotation_pairs_of_no_relation_are_those_that_the_data_name():
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19"), (2, 0, "Na")]))
    for complete, unrelated in ((True, 4), (False, 1)):
        (batch,) = epoch(sampler(), replace(data, complete_annotation=complete))
        assert len(batch["contrast"].anchors) == 2 + unrelated


def test_relations_without_a_name_are_left_out(tmp_path, caplog):
    path = tmp_path / "names.json"
    data = split(document("a", [(0, 1, "P17"), (1, 2, "P19")]), document("b", [(0, 1, "P19")]))
    for names in ({"P17": "country", "P50": "author"}, [{"id": "P17", "name": "country", "alias": []}, {"id": "P19", "name": ""}]):
        path.write_text(json.dumps(names))
        with caplog.at_level("INFO"):
            (batch,) = epoch(sampler(names=str(path), na_pairs=0), data)
        assert len(batch["contrast"].anchors) == 1
        assert caplog.text.count("1 documents have no relation") == 1
        assert caplog.text.count(f"2 of 3 relation instances are not used, because {path} has no name for their relations: P19 (2)") == 1
        caplog.clear()
    path.write_text('{"P50": "author"}')
    with pytest.raises(RelconError, match=r"None of the 2 documents of the split 'train' has a relation that .* names"):
        sampler(names=str(path)).check(data)
    path.write_text('["author"]')
    with pytest.raises(RelconError, match="expected names of relations"):
        sampler(names=str(path)).check(data)


def test_of_many_relations_without_a_name_ten_are_told_once(tmp_path, caplog):
    labels = LabelSet.of([f"P{n:02}" for n in range(13)], ["Na"])
    (tmp_path / "names.json").write_text('{"P00": "country"}')
    data = Split("train", [document("a", [(0, 1, f"P{n:02}") for n in range(13)])], [], labels)
    made = sampler(names=str(tmp_path / "names.json"))
    made.check(data)
    epoch(made, data)
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("[train] 12 of 13") and said.endswith("P09 (1), P10 (1) and 2 more")


def test_what_was_dropped_is_compared_with_none(tmp_path):
    path = order_file(tmp_path, {"0#0-1": 0, "1#0-1": 1, "1#2-0": 1}, k=15)
    made = sampler(weighting="learning_order", order_file=path, unlearned="drop")
    (batch,) = epoch(made, split(*A4_DOCUMENTS))
    pairing: Pairing = batch["contrast"].pairing
    taking_part = (pairing.positives > 0).any(0) | (pairing.negatives > 0).any(0)
    assert len(taking_part) == 6 and int(taking_part.sum()) == 4 and pairing.terms() == 2  # a couple, one left over, one unrelated


def tasks(encoder):
    """Relation discrimination and masked pieces over one encoder."""
    parts = Parts({"text": encoder}, {"pair": SpanPool("mean", slots=2)}, LABELS)
    contrast = {
        "@tasks": "relcon.Contrastive.v1",
        "stream": "documents",
        "anchors": {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "pair"},
        "objective": {"@objectives": "relcon.InfoNCE.v1", "temperature": 0.05, "denominator": "own"},
    }
    masked = {"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "documents", "encoder": "text"}
    made = {name: resolve(block, f"[tasks.{name}]") for name, block in (("contrast", contrast), ("masked", masked))}
    for task in made.values():
        task.build(parts)
    return made


def masked(rate):
    inner = {"@samplers": "finecl.RelationPairs.v1", "batch_size": 4, "na_pairs": 1, "renderer": {"@renderers": "relcon.Plain.v1"}}
    return resolve({"@samplers": "relcon.MaskedPieces.v1", "rate": rate, "sampler": inner}, "[sampler]")


def test_no_piece_of_a_mention_of_a_used_pair_is_masked():
    for batch in epoch(masked(0.9), split(*many()), vocabulary=tiny_encoder().vocabulary):
        spans = [(view.input, span) for view in batch["contrast"].anchors for slot in view.unit for span in slot]
        used = {(text, word) for text, span in spans for word in range(span.start, span.end)}
        guessed = {(view.input, view.unit[0][0].start) for view in batch["masked"].views}
        assert guessed and not used & guessed
        assert all(not used & {(text, word) for word, _, _ in text.edits} for text in {view.input for view in batch["contrast"].anchors})


def test_gradient_caching_gives_the_same_step():
    encoder = tiny_encoder(dropout=0.1)
    batch = epoch(masked(0.3), split(*many()), vocabulary=encoder.vocabulary)[0]
    check_step(tasks(encoder), batch, tokens=64)


def test_a_queue_holds_pairs_of_other_relations_and_of_none_against_an_anchor():
    first = split(document("a", [(0, 1, "P17")]), document("b", [(0, 1, "P17"), (1, 2, "P19")]))
    second = split(document("a", [(0, 1, "P17")]), document("c", [(0, 1, "P17")]))
    made, queue = sampler(batch_size=2, na_pairs=1), resolve({"@adjusters": "relcon.Queue.v1", "size": 64}, "[queue]").train()
    (before,), (after,) = epoch(made, first), epoch(made, second)
    vectors = torch.eye(len(before["contrast"].anchors), 8)
    queue(vectors, vectors, before["contrast"], before["contrast"].pairing)
    queue.after_step()
    vectors = torch.eye(len(after["contrast"].anchors), 8)
    _, widened = queue(vectors, vectors, after["contrast"], after["contrast"].pairing)
    queued = widened.negatives[:, len(vectors) :]
    held = before["contrast"].anchor_tags.label.tolist()
    assert {LABELS.names[number] for number in held if number >= 0} == {"P17", "P19"} and -1 in held
    anchors = (after["contrast"].pairing.positives > 0).any(1)
    repelled = queued[anchors]
    strangers = torch.tensor([label != LABELS.index["P17"] for label in held])
    assert len(repelled) == 2 and bool((repelled[:, : len(held)] == strangers.float()).all())


def test_an_augmenter_changes_the_documents_that_are_drawn_and_keeps_their_relations():
    data = split(*(document(name, [(0, 1, "P17")]) for name in "abcd"))
    plain, changed = sampler(), sampler(augmenter={"@augmenters": "relcon.RandomDeletion.v1", "rate": 0.5})
    changed.check(data)
    check_sampler(changed, data)
    (before,), (after,) = epoch(plain, data), epoch(changed, data)
    count = {len(view.input.words) for view in before["contrast"].anchors}
    assert count == {9}
    assert min(len(view.input.words) for view in after["contrast"].anchors) < 9
    assert int((after["contrast"].pairing.positives > 0).sum()) == int((before["contrast"].pairing.positives > 0).sum()) == 4
    for view in after["contrast"].anchors[:1]:
        (head, *_), (tail, *_) = view.unit
        assert view.input.words[head.start].endswith("e0") and view.input.words[tail.start].endswith("e1")
