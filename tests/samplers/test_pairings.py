"""Who attracts and who repels whom."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.samplers.pairings import by_label, mask_same, numbered, partners


def test_partners_need_an_even_number_of_rows():
    with pytest.raises(ValueError, match="even"):
        partners(3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.sampled_from(["ignore", "own", "negatives"]), st.data())
def test_by_label_says_what_its_policy_says(labels, policy, data):
    keys = data.draw(st.lists(st.integers(0, 6), min_size=len(labels), max_size=len(labels)))
    pairing = by_label(labels, keys, negative=[0], policy=policy)
    for i, a in enumerate(labels):
        for j, b in enumerate(labels):
            repels = a != b and keys[i] != keys[j]
            attracts = a == b and keys[i] != keys[j]
            if policy != "own":
                attracts = attracts and a != 0
                repels = repels and a != 0 and (policy == "negatives" or b != 0)
            assert bool(pairing.positives[i, j]) == attracts
            assert bool(pairing.negatives[i, j]) == repels
        assert bool(pairing.weights[i]) == (policy == "own" or a != 0)


def test_mask_same_takes_negatives_away_and_leaves_positives():
    pairing = mask_same(partners(6), [0, 0, 1, 1, 0, 0])
    assert torch.equal(pairing.positives, partners(6).positives)
    assert pairing.negatives[0].tolist() == [0, 0, 1, 1, 0, 0]
    assert pairing.negatives[2].tolist() == [1, 1, 0, 0, 1, 1]


def test_equal_values_get_equal_numbers_and_unknown_ones_none():
    assert numbered(["a", None, "b", "a", None, 0]) == [0, 1, 2, 0, 3, 4]
    assert numbered([None, 1, (1,)]) == [0, 1, 2]
