"""The threshold with the highest F1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.evaluators.thresholds import best_threshold, prefixes

SCORES = [0.9, 0.8, 0.7, 0.6, 0.55, 0.4]
CORRECT = [True, True, True, False, True, False]


def test_f1_after_each_prefix_by_hand():
    """Five facts to find, the fourth and the sixth candidate are none."""
    assert prefixes(SCORES, CORRECT).f1(5).tolist() == pytest.approx([1 / 3, 4 / 7, 3 / 4, 2 / 3, 4 / 5, 8 / 11])
    assert best_threshold(SCORES, CORRECT, 5) == pytest.approx((0.55, 0.8))


def test_facts_with_one_score_go_in_together():
    """Taking the right one of two equals alone would give F1 1."""
    assert best_threshold([0.5, 0.5], [True, False], 1) == pytest.approx((0.5, 2 / 3))
    assert prefixes([0.5, 0.7, 0.5], [True, True, False]).predicted.tolist() == [1, 3]


def test_of_equally_good_thresholds_the_highest():
    """Right, wrong, right: 2/3, 1/2, 4/5 of one gold more; with nothing right all are 0 and the first stands."""
    assert best_threshold([0.9, 0.4], [False, False], 3) == (0.9, 0.0)


def test_mistakes_are_said():
    with pytest.raises(ValueError, match="no candidate"):
        best_threshold([], [], 3)
    with pytest.raises(ValueError, match="2 scores, but 1"):
        prefixes([0.1, 0.2], [True])


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=1, max_size=30), st.integers(0, 5))
def test_it_is_the_best_of_all_thresholds(candidates, unseen):
    """Against trying every score one by one."""
    scores, correct = np.array([each for each, _ in candidates]), np.array([each for _, each in candidates])
    gold = int(correct.sum()) + unseen
    tried = {value: 2 * correct[scores >= value].sum() / ((scores >= value).sum() + gold) for value in scores.tolist()}
    best = best_threshold(scores, correct, gold)
    assert best.f1 == pytest.approx(max(tried.values()))
    assert tried[best.threshold] == pytest.approx(best.f1)
