"""Documents with their related pairs and some unrelated ones."""

from collections import Counter
from dataclasses import replace

import pytest

from relcon.config import resolve
from relcon.data.document import Document, Entity, Instance, Mention, Relation, instance_uid
from relcon.data.labels import LabelSet
from relcon.data.relations import pair_labels, relation_instances, unrelated_pairs
from relcon.errors import RelconError
from relcon.interfaces import Split
from relcon.testing import check_sampler

LABELS = LabelSet(("Na", "born", "lives"), frozenset(["Na"]))


def document(name, relations, entities=4, **metadata):
    """A document of so many one-word entities, with (head, tail, label) relations."""
    words = tuple(f"{name}{number}" for number in range(entities))
    mentions = tuple(Entity((Mention(number, number + 1),)) for number in range(entities))
    return Document(name, words, mentions, tuple(Relation(*each) for each in relations), metadata=metadata)


def split(*documents, annotated=False):
    """All ordered pairs of them that are not ignored; annotated: the related ones alone."""
    instances = []
    for each in documents:
        labels = pair_labels(each)
        pairs = [*labels, *([] if annotated else unrelated_pairs(each))]
        instances += [Instance(each, *pair, labels.get(pair, ("Na",))[0], instance_uid(each, *pair)) for pair in pairs]
    return Split("train", list(documents), instances, LABELS)


ONE = document("one", [(0, 1, "born"), (0, 1, "lives"), (2, 1, "lives")])
TWO = document("two", [(0, 1, "born")], 3, ignored=[[1, 0]])
EMPTY = document("empty", [])


def sampler(**arguments):
    return resolve({"@samplers": "relcon.DocumentPairs.v1", "renderer": {"@renderers": "relcon.Plain.v1"}, **arguments}, "[sampler]")


def rows(value):
    """(document's first word, head, tail, label number, targets, uid) of each pair of a batch."""
    numbers = zip(value.views, value.labels.tolist(), value.extra["targets"].tolist(), value.uids, strict=True)
    return [(view.input.words[0][:-1], view.unit[0][0].start, view.unit[1][0].start, *rest) for view, *rest in numbers]


def drawn(data, draw, **arguments):
    return [row for batch in sampler(**arguments).batches(data, draw) for row in rows(batch["pairs"])]


def test_all_related_pairs_with_all_labels_and_three_unrelated_each(parts):
    data = split(ONE, TWO, EMPTY)
    seen = drawn(data, parts.draw())
    related = {row[:3]: row for row in seen if row[5] is not None}
    assert related.keys() == {("one", 0, 1), ("one", 2, 1), ("two", 0, 1)}
    assert [related[key][4] for key in sorted(related)] == [[0, 1, 1], [0, 0, 1], [0, 1, 0]]
    assert related["one", 2, 1][5] == "one#2-1" and related["two", 0, 1][5] == "two#0-1"
    unrelated = [row for row in seen if row[5] is None]
    assert all(row[3:5] == (0, [1, 0, 0]) for row in unrelated)
    assert Counter(row[0] for row in unrelated) == {"one": 6, "two": 3}, "3 for each related pair"
    assert len({row[:3] for row in seen}) == len(seen) and ("two", 1, 0) not in {row[:3] for row in seen}


def test_the_drawn_label_and_the_unrelated_pairs_change_from_visit_to_visit(parts):
    visits = [drawn(split(ONE), parts.draw(epoch)) for epoch in range(20)]
    labels = {row[5]: row[3] for visit in visits for row in visit if row[:3] == ("one", 0, 1)}
    assert labels == {"one#0-1:born": 1, "one#0-1:lives": 2}, "each has the uid of its own tuple"
    assert {fact.uid for fact in relation_instances(ONE)} == {*labels, "one#2-1"}
    unrelated = [{row[:3] for row in visit if row[5] is None} for visit in visits]
    assert set.union(*unrelated) == {("one", h, t) for h in range(4) for t in range(4) if h != t} - {("one", 0, 1), ("one", 2, 1)}
    assert drawn(split(ONE), parts.draw(3)) == visits[3] and len({frozenset(each) for each in unrelated}) > 5


def test_pairs_of_a_document_share_an_input_and_batches_count_documents(parts):
    data, made = split(ONE, TWO, EMPTY, document("three", [(1, 0, "born")])), sampler(batch_size=2)
    batches = list(made.batches(data, parts.draw()))
    assert made.length(data) == len(batches) == 2, "the one without a related pair is left out"
    assert [len({id(view.input) for view in batch["pairs"].views}) for batch in batches] == [2, 1]
    plain = sampler(batch_size=2, shuffle=False).batches(data, parts.draw())
    assert [sorted({row[0] for row in rows(batch["pairs"])}) for batch in plain] == [["one", "two"], ["three"]]


@pytest.mark.parametrize(("limit", "negatives", "sizes"), [(5, 3, (2, 3)), (1, 3, (1, 0)), (1800, 0, (2, 0)), (1800, 9, (2, 10))])
def test_limits_of_pairs_and_negatives(parts, limit, negatives, sizes):
    seen = drawn(split(ONE), parts.draw(), pairs=limit, negatives=negatives)
    assert (sum(row[5] is not None for row in seen), sum(row[5] is None for row in seen)) == sizes
    assert ("one", 0, 1) in {row[:3] for row in seen}, "the document's first pair is always there"


def test_of_a_split_that_is_divided_by_instance_the_other_side_never_comes(parts):
    whole = split(ONE)
    kept = [each for each in whole.instances if (each.head, each.tail) != (2, 1) and each.head != 3]
    pairs = {row[1:3] for epoch in range(20) for row in drawn(replace(whole, instances=kept), parts.draw(epoch), negatives=9)}
    assert pairs == {(each.head, each.tail) for each in kept}


def test_with_annotated_pairs_the_unrelated_ones_are_all_others_of_the_document(parts):
    seen = {row[1:3] for row in drawn(split(TWO, annotated=True), parts.draw(), negatives=9)}
    assert seen == {(0, 1), (0, 2), (1, 2), (2, 0), (2, 1)}, "but not the ignored one"


def test_without_complete_annotation_only_stated_negatives_are_drawn(parts):
    stated = document("stated", [(0, 1, "born"), (1, 2, "Na"), (0, 1, "Na")], 3)
    data = replace(split(TWO, stated, annotated=True), complete_annotation=False)
    assert {row[:3] for row in drawn(data, parts.draw(), negatives=9)} == {("two", 0, 1), ("stated", 0, 1), ("stated", 1, 2)}
    related = replace(data, instances=[each for each in data.instances if each.label != "Na"])
    assert {row[3] for row in drawn(related, parts.draw(), negatives=9)} == {1}, "a pair that is not asked about is none of them"
    none = replace(split(TWO, annotated=True), labels=LabelSet(("born", "lives")), complete_annotation=False)
    assert [row[1:5] for row in drawn(none, parts.draw())] == [(0, 1, 0, [1, 0])], "no negative label is needed"


def test_documents_without_related_pairs_are_counted(caplog):
    sampler().prepare(split(ONE, EMPTY))
    assert "1 of 2 documents of 'train' have no related pair" in caplog.text
    caplog.clear()
    sampler().prepare(split(ONE, TWO))
    assert not caplog.records


def test_data_that_it_cannot_draw_from_are_refused():
    with pytest.raises(RelconError, match="No document of the split 'train' has a related pair"):
        sampler().check(split(EMPTY))
    for negative in ((), ("Na", "born")):
        with pytest.raises(RelconError, match="needs the one label of unrelated pairs"):
            sampler().check(replace(split(ONE), labels=LabelSet(LABELS.names, frozenset(negative))))
    with pytest.raises(RelconError, match="negatives must be at least 0"):
        sampler(negatives=-1)


@pytest.mark.parametrize("renderer", ["relcon.Plain.v1", "relcon.EntityMarkers.v1"])
def test_contract(renderer):
    data = split(ONE, TWO, EMPTY, *(document(f"d{number}", [(0, 1, "born"), (1, 2, "lives")]) for number in range(5)))
    check_sampler(sampler(batch_size=3, renderer={"@renderers": renderer}), data, covers=False)
