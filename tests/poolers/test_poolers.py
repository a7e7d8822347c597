"""Poolers on states that can be read."""

import pytest
import torch

from relcon.config.building import resolve
from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.testing import check_pooler

STATES = torch.arange(2 * 5 * 2, dtype=torch.float).reshape(2, 5, 2)
ENCODED = Encoded(STATES, torch.ones(2, 5, dtype=torch.bool), torch.tensor([[7.0, 8.0], [9.0, 10.0]]))


def pooler(name, **arguments):
    return resolve({"@poolers": f"relcon.{name}.v1", **arguments}, "pooler")


def spans(*found, units, slots):
    """(row, start, end, slot) each."""
    row, start, end, slot = torch.tensor(found).T
    home = torch.arange(units) % 2
    return Spans(row, start, end, slot, units, slots, torch.ones(units, dtype=torch.bool), home)


@pytest.mark.parametrize(
    "inside, expected",
    [("mean", [3.0, 4.0]), ("max", [4.0, 5.0]), ("first", [2.0, 3.0]), ("last", [4.0, 5.0])],
)
def test_inside_a_span(inside, expected):
    vectors = pooler("SpanPool", inside=inside, slots=1)(ENCODED, spans((0, 1, 3, 0), units=1, slots=1))
    assert vectors.tolist() == [expected]


def test_the_spans_of_a_slot_are_averaged_however_long_they_are():
    vectors = pooler("SpanPool", slots=1)(ENCODED, spans((0, 0, 1, 0), (0, 1, 4, 0), units=1, slots=1))
    assert vectors.tolist() == [[2.0, 3.0]]


def test_slots_lie_side_by_side_and_a_lost_one_is_zero():
    found = spans((0, 0, 1, 0), (0, 1, 2, 1), (1, 0, 1, 3), units=2, slots=2)
    assert pooler("SpanPool")(ENCODED, found).tolist() == [[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 10.0, 11.0]]
    assert pooler("SpanPool").width(384) == 768


def test_other_slots_than_the_renderers_are_refused():
    with pytest.raises(RelconError, match=r"slots = 2, but the views have 1"):
        pooler("SpanPool")(ENCODED, spans((0, 0, 1, 0), units=1, slots=1))


def test_cls_and_summary_are_those_of_the_units_row():
    found = spans((0, 2, 3, 0), (1, 2, 3, 1), (0, 3, 4, 2), units=3, slots=1)
    assert pooler("CLS")(ENCODED, found).tolist() == [[0.0, 1.0], [10.0, 11.0], [0.0, 1.0]]
    assert pooler("BertPooler")(ENCODED, found).tolist() == [[7.0, 8.0], [9.0, 10.0], [7.0, 8.0]]


def test_an_encoder_without_a_pooled_output():
    with pytest.raises(RelconError, match=r"relcon\.CLS\.v1"):
        pooler("BertPooler")(Encoded(STATES, ENCODED.mask), spans((0, 0, 1, 0), units=1, slots=1))


def test_concatenation():
    block = {"sentence": {"@poolers": "relcon.CLS.v1"}, "pair": {"@poolers": "relcon.SpanPool.v1", "inside": "first"}}
    made = pooler("Concatenation", poolers=block)
    assert made(ENCODED, spans((0, 1, 2, 0), (0, 2, 3, 1), units=1, slots=2)).tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]
    assert made.width(8) == 24
    with pytest.raises(RelconError, match="at least one"):
        pooler("Concatenation", poolers={})


@pytest.mark.parametrize("wrong", [{"inside": "median"}, {"slots": 0}])
def test_wrong_arguments(wrong):
    with pytest.raises(RelconError, match=next(iter(wrong))):
        pooler("SpanPool", **wrong)


@pytest.mark.parametrize("inside", ["mean", "max", "first", "last"])
@pytest.mark.parametrize("slots", [1, 2])
def test_span_pool_keeps_the_contract(inside, slots):
    check_pooler(pooler("SpanPool", inside=inside, slots=slots), slots)


def test_the_others_keep_the_contract():
    check_pooler(pooler("CLS"))
    check_pooler(pooler("BertPooler"))
    check_pooler(pooler("Concatenation", poolers={"one": {"@poolers": "relcon.CLS.v1"}, "two": {"@poolers": "relcon.SpanPool.v1"}}), 2)
