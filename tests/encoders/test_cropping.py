"""Which words survive."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.encoders.cropping import survivors
from relcon.encoders.transformer import Transformer
from relcon.errors import RelconError


def test_what_fits_stays():
    assert survivors([1, 2, 3], 6, [(0, 1)]) == [0, 1, 2]


def test_without_words_to_keep_the_end_goes():
    assert survivors([1, 2, 3, 1], 4) == [0, 1]


def test_the_words_nearest_to_the_kept_ones_go_along():
    assert survivors([1] * 10, 5, [(4, 6)]) == [2, 3, 4, 5, 6]


def test_between_two_far_apart_spans_the_middle_goes():
    assert survivors([1] * 20, 6, [(2, 3), (17, 18)]) == [1, 2, 3, 16, 17, 18]


def test_words_to_keep_that_do_not_fit_lose_everything():
    assert survivors([3, 3, 3], 5, [(0, 1), (2, 3)]) == []


@given(st.lists(st.integers(1, 4), min_size=1, max_size=15), st.integers(0, 30), st.data())
@settings(max_examples=100, deadline=None)
def test_survivors_fit_in_order_and_hold_the_kept_words(lengths, room, data):
    start = data.draw(st.integers(0, len(lengths) - 1))
    end = data.draw(st.integers(start + 1, len(lengths)))
    kept = survivors(lengths, room, [(start, end)])
    assert kept == sorted(set(kept)) and sum(lengths[word] for word in kept) <= room
    assert set(range(start, end)) <= set(kept) or (not kept and sum(lengths[start:end]) > room)


def test_an_encoder_without_a_path_does_not_say_how_it_cuts():
    with pytest.raises(RelconError, match="has no path yet"):
        Transformer.cutting({"max_length": 8})
