"""Candidates, directed labels, and how long annotation stands in for what a model says."""

import pytest
from relcon_pspe.candidates import Annotation, around, directed_labels, gold_share, overlapping, pairs_among, read_label

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet

LABELS = LabelSet(("none", "binds", "part of"), frozenset({"none"}))


def test_pspe_fact_13_scheduled_sampling() -> None:
    sampler = resolve({"@samplers": "pspe.JointSentences.v1", "warm_epochs": 5, "k": 3.0}, "[sampler]")
    assert [sampler.gold_share(epoch) for epoch in range(6)] == [1.0] * 6
    known = {6: 0.682499, 7: 0.606338, 8: 0.524633, 9: 0.441588, 10: 0.361686, 15: 0.096676, 20: 0.019813}
    assert [sampler.gold_share(epoch) for epoch in known] == pytest.approx(list(known.values()), abs=1e-6)
    assert gold_share(10**6, 5, 0.01) == 0, "no overflow"


def test_labels_have_two_directions() -> None:
    assert directed_labels(LABELS) == ["none", "binds@>", "binds@<", "part of@>", "part of@<"]
    assert read_label("part of@<") == ("part of", False) and read_label("binds@>") == ("binds", True)


def test_pairs_begin_one_after_the_other() -> None:
    assert pairs_among([(3, 4), (0, 2), (0, 1)]) == [((0, 1), (3, 4)), ((0, 2), (3, 4))]
    assert pairs_among([(0, 2), (1, 2)]) == [((0, 2), (1, 2))]


@pytest.mark.parametrize(
    "first, second, expected",
    [
        ((1, 2), (4, 6), [(0, 1), (2, 4), (6, 8)]),
        ((0, 3), (3, 8), [(0, 0), (0, 0), (0, 0)]),
        ((1, 6), (2, 3), [(0, 1), (0, 0), (6, 8)]),
    ],
)
def test_what_stands_around_two_spans(first: tuple, second: tuple, expected: list) -> None:
    assert around(first, second, 8) == expected


def test_overlapping_spans() -> None:
    assert overlapping([(4, 5), (0, 3), (2, 3)]) and not overlapping([(0, 2), (2, 3), (0, 2)])


def test_annotation_of_a_sentence() -> None:
    entities = [Entity((Mention(2, 3),), "A"), Entity((Mention(0, 1),), "B"), Entity((Mention(4, 6, ((4, 5), (5, 6))),), "C")]
    facts = [(0, 1, "binds"), (1, 2, "binds"), (1, 2, "part of"), (2, 0, "none"), (0, 0, "binds"), (0, 2, None), (2, 0, "unknown")]
    document = Document("d", tuple("abcdefg"), tuple(entities), tuple(Relation(*fact) for fact in facts))
    found = Annotation.of(document, directed_labels(LABELS))
    assert found.entities == {(2, 3): "A", (0, 1): "B", (4, 6): "C"}
    assert found.relations == {((0, 1), (2, 3)): 2, ((0, 1), (4, 6)): 3}, "the last label of a pair counts; tails may stand first"
