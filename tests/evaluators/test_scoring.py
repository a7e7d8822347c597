"""The arithmetic of scores: against scikit-learn, by hand, and its invariants."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.profiles import CPR, DDI, DIRECTED, profile_of
from relcon.evaluators.scoring import Counts, averages, score
from relcon.interfaces import Lost

LABELS = LabelSet(("none", "a", "b", "c"), frozenset({"none"}))
SEMEVAL = LabelSet((*DIRECTED, "Other"), frozenset({"Other"}))
pairs = st.lists(st.tuples(st.sampled_from(LABELS.names), st.sampled_from(LABELS.names)), min_size=1, max_size=40)
directed_pairs = st.lists(st.tuples(st.sampled_from(SEMEVAL.names), st.sampled_from(SEMEVAL.names)), min_size=1, max_size=60)


def gone(*labels):
    return [Lost("d", 0, 1, label, "too many words between head and tail") for label in labels]


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_micro_macro_accuracy_are_those_of_scikit_learn(pairs):
    gold, predicted = zip(*pairs, strict=True)
    for average in ("micro", "macro"):
        figures = score(gold, predicted, LABELS, average)
        expected = precision_recall_fscore_support(gold, predicted, labels=LABELS.positive, average=average, zero_division=0)
        assert [figures[name] for name in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
    assert score(gold, predicted, LABELS, "accuracy")["f1"] == pytest.approx(accuracy_score(gold, predicted))


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_per_class_figures_are_those_of_scikit_learn(pairs):
    gold, predicted = zip(*pairs, strict=True)
    figures = score(gold, predicted, LABELS, "micro")
    columns = precision_recall_fscore_support(gold, predicted, labels=LABELS.positive, average=None, zero_division=0)
    for number, name in enumerate(LABELS.positive):
        found = [figures[f"{kind}/{name}"] for kind in ("precision", "recall", "f1", "support")]
        assert found == pytest.approx([column[number] for column in columns])
        assert figures[f"predicted/{name}"] == predicted.count(name)
    assert "f1/none" not in figures


@settings(max_examples=60, deadline=None)
@given(directed_pairs, st.randoms(use_true_random=False), st.lists(st.sampled_from(DIRECTED), max_size=5))
def test_bounds_and_order(pairs, shuffler, lost):
    for profile in ("micro", "macro", "accuracy", "semeval2010.official", "semeval2010.micro18"):
        figures = score(*zip(*pairs, strict=True), SEMEVAL, profile, gone(*lost))
        shares = [value for name, value in figures.items() if name.partition("/")[0] in ("f1", "precision", "recall", "accuracy")]
        assert all(0 <= value <= 1 for value in shares)
        mixed = list(pairs)
        shuffler.shuffle(mixed)
        assert score(*zip(*mixed, strict=True), SEMEVAL, profile, gone(*lost)) == pytest.approx(figures)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(SEMEVAL.names), min_size=1, max_size=30))
def test_right_answers_are_perfect(gold):
    relations = any(label != "Other" for label in gold)
    for profile in ("micro", "semeval2010.official", "semeval2010.micro18"):
        assert score(gold, gold, SEMEVAL, profile)["f1"] == (1.0 if relations else 0.0)


def test_a_wrong_direction_costs_precision_and_recall():
    gold = ["Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Other", "Message-Topic(e1,e2)"]
    predicted = ["Cause-Effect(e1,e2)", "Cause-Effect(e1,e2)", "Message-Topic(e1,e2)", "Message-Topic(e1,e2)"]
    figures = score(gold, predicted, SEMEVAL, "semeval2010.official")
    assert (figures["precision/Cause-Effect"], figures["recall/Cause-Effect"]) == (0.5, 0.5)
    assert (figures["precision/Message-Topic"], figures["recall/Message-Topic"]) == (0.5, 1.0), "a relation for Other lowers precision"
    assert figures["f1"] == pytest.approx((0.5 + 2 / 3) / 2), "the divisor is the number of relations in the key"


def test_lost_relations_count_against_recall_and_nothing_else():
    gold, predicted = ["a", "a", "none"], ["a", "b", "none"]
    without, with_lost = (score(gold, predicted, LABELS, "micro", lost) for lost in ([], gone("a", "c")))
    assert (without["precision"], without["recall"], without["lost"]) == (0.5, 0.5, 0.0)
    assert (with_lost["precision"], with_lost["recall"], with_lost["lost"]) == (0.5, 0.25, 2.0)
    assert (with_lost["support/a"], with_lost["support/c"], with_lost["instances"]) == (3.0, 1.0, 3.0)
    assert score(gold, predicted, LABELS, "accuracy", gone("a", "c"))["f1"] == with_lost["accuracy"] == 2 / 5


def test_macro_divisors():
    """ddi.macro4 always divides by four; the official SemEval score by the relations of the key."""
    ddi = LabelSet(("DDI-false", *DDI), frozenset({"DDI-false"}))
    assert score(["DDI-int"], ["DDI-int"], ddi, "ddi.macro4")["f1"] == 0.25
    assert score(["DDI-int"], ["DDI-int"], ddi, "ddi.micro4")["f1"] == 1.0
    assert score([DIRECTED[0]], [DIRECTED[0]], SEMEVAL, "semeval2010.official")["f1"] == 1.0


def test_labels_that_a_profile_leaves_out_are_like_no_relation():
    labels = LabelSet(("false", "CPR:1", *CPR), frozenset({"false"}))
    figures = score(["CPR:1", "CPR:3", "CPR:4"], ["CPR:3", "CPR:1", "CPR:4"], labels, "chemprot.cpr5")
    assert (figures["precision"], figures["recall"]) == (0.5, 0.5)


def test_nothing_to_divide_by_is_zero():
    assert score(["none"], ["none"], LABELS, "micro")["f1"] == 0.0
    assert score([], [], LABELS, "macro", gone("a"))["recall"] == 0.0


def test_no_prediction_is_a_miss():
    figures = score(["a", "b"], [None, "b"], LABELS, "micro")
    assert (figures["precision"], figures["recall"], figures["accuracy"]) == (1.0, 0.5, 0.5)


def test_an_unknown_label_is_refused():
    for gold, predicted, lost in ((["d"], ["a"], []), (["a"], ["d"], []), (["a"], ["a"], gone("d"))):
        with pytest.raises(RelconError, match="'d' is not a label of this task"):
            score(gold, predicted, LABELS, "micro", lost)
    with pytest.raises(ValueError):
        score(["a"], ["a", "b"], LABELS, "micro")


def test_counts_with_leading_dimensions_are_averaged_one_by_one():
    draw = random.Random(0)
    tables = [[[draw.randint(0, 9) for _ in range(9)] for _ in range(5)] for _ in range(3)]
    counts = Counts(*np.array(tables))
    for name in ("micro", "macro", "accuracy", "semeval2010.official"):
        together = averages(counts, profile_of(name))
        for row in range(5):
            alone = averages(Counts(*(each[row] for each in counts)), profile_of(name))
            assert [values[row] for values in together] == pytest.approx([float(value) for value in alone])
