"""Paired tests against plain loops over instances, and known p values."""

import itertools
import random

import numpy as np
import pytest
from scipy.stats import ttest_rel

from relcon.data.labels import LabelSet
from relcon.evaluators.profiles import profile_of
from relcon.evaluators.scoring import score
from relcon.interfaces import Lost
from relcon.significance import Answer, Cells, bootstrap, mcnemar, paired_t, randomisation

LABELS = LabelSet(("none", "x", "y"), frozenset({"none"}))


def answers(seed, count, quality_a=0.7, quality_b=0.5, first=0):
    """Instances `i0`, ...: B is a worse copy of the gold labels than A."""
    draw = random.Random(seed)
    rows = {}
    for number in range(first, first + count):
        gold = draw.choice(LABELS.names)
        guesses = [gold if draw.random() < quality else draw.choice(LABELS.names) for quality in (quality_a, quality_b)]
        rows[f"i{number}"] = Answer(gold, *guesses)
    return rows


def cells(runs, lost=None, profile="micro", metric="f1"):
    rule = profile_of(profile)
    return Cells.of(runs, lost or [[] for _ in runs], rule.counted(LABELS), rule, metric)


def figure(rows, side, profile, lost=()):
    """The slow way."""
    gone = [Lost("d", 0, 1, label, "") for label in lost]
    return score([row.gold for row in rows], [row[side] for row in rows], LABELS, profile, gone)["f1"]


@pytest.mark.parametrize("profile", ["micro", "macro", "accuracy"])
def test_observed_figures_are_those_of_the_scores(profile):
    runs, lost = [answers(1, 40), answers(2, 30, first=40)], [["x", "x"], []]
    found = cells(runs, lost, profile)
    assert found.sizes.sum() == 70
    for side in (0, 1):
        expected = [figure(list(run.values()), side + 1, profile, gone) for run, gone in zip(runs, lost, strict=True)]
        assert found.observed()[side] == pytest.approx(expected)


@pytest.mark.parametrize("profile", ["micro", "macro", "accuracy"])
@pytest.mark.parametrize("kind", ["single", "seeds", "folds"])
def test_every_exchange_gives_the_difference_of_the_scores(kind, profile):
    """The same exchanges, once counted in cells and once scored instance by instance."""
    golds = {uid: row.gold for uid, row in answers(10, 60).items()}
    more = {uid: Answer(golds[uid], row.a, row.b) for uid, row in answers(11, 60).items()}
    runs = {"single": [answers(10, 60)], "seeds": [answers(10, 60), more], "folds": [answers(10, 60), answers(12, 30, first=60)]}[kind]
    lost = [["x", "y", "y"], ["x"]][: len(runs)]
    found = cells(runs, lost, profile)
    place, draw = {}, random.Random(1)
    cell = {uid: place.setdefault(tuple(run.get(uid) for run in runs), len(place)) for run in runs for uid in run}
    assert list(found.sizes) == np.bincount(list(cell.values())).tolist()
    for _ in range(20):
        exchanged = {uid for uid in cell if draw.random() < 0.5}
        count = np.bincount([cell[uid] for uid in exchanged], minlength=len(place))[None]
        mixed = [[Answer(row.gold, row.b, row.a) if uid in exchanged else row for uid, row in run.items()] for run in runs]
        expected = np.mean(
            [figure(rows, 1, profile, gone) - figure(rows, 2, profile, gone) for rows, gone in zip(mixed, lost, strict=True)]
        )
        assert found.differences(found.sizes - count, count) == pytest.approx([expected])


def test_randomisation_against_all_exchanges():
    """Nine instances have 512 exchanges: p is their share with as large a difference."""
    rows = list(answers(13, 9, 0.9, 0.3).values())
    observed = abs(figure(rows, 1, "micro") - figure(rows, 2, "micro"))
    as_large = 0
    for exchanged in itertools.product([False, True], repeat=len(rows)):
        mixed = [Answer(row.gold, row.b, row.a) if change else row for row, change in zip(rows, exchanged, strict=True)]
        as_large += abs(figure(mixed, 1, "micro") - figure(mixed, 2, "micro")) >= observed - 1e-12
    assert 0.02 < as_large / 512 < 0.9, "a case that says something"
    found = randomisation(cells([{str(number): row for number, row in enumerate(rows)}]), 20_000, 0)
    assert found == pytest.approx(as_large / 512, abs=0.015)


@pytest.mark.parametrize("profile", ["micro", "macro"])
def test_randomisation_against_a_loop_over_instances(profile):
    run = answers(3, 25, 0.8, 0.5)
    rows, draw = list(run.values()), random.Random(0)
    observed = abs(figure(rows, 1, profile, ["y"]) - figure(rows, 2, profile, ["y"]))
    as_large = 0
    for _ in range(1500):
        mixed = [Answer(row.gold, row.b, row.a) if draw.random() < 0.5 else row for row in rows]
        as_large += abs(figure(mixed, 1, profile, ["y"]) - figure(mixed, 2, profile, ["y"])) >= observed - 1e-12
    assert randomisation(cells([run], [["y"]], profile), 4000, 0) == pytest.approx(as_large / 1500, abs=0.04)


def test_bootstrap_against_a_loop_over_instances():
    rows, draw = list(answers(4, 60).values()), random.Random(0)
    differences = []
    for _ in range(1500):
        sample = draw.choices(rows, k=len(rows))
        differences.append(figure(sample, 1, "micro") - figure(sample, 2, "micro"))
    low, high = bootstrap(cells([answers(4, 60)]), 4000, 0)
    assert (low, high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])), abs=0.03)
    assert low < figure(rows, 1, "micro") - figure(rows, 2, "micro") < high


def test_seeds_exchange_an_instance_in_all_of_them_together():
    """Three copies of one run are no more evidence than the run itself."""
    run = answers(5, 80, 0.7, 0.55)
    one, three = (randomisation(cells([run] * copies), 4000, 0) for copies in (1, 3))
    assert one == pytest.approx(three, abs=0.03)


def test_equal_predictions_are_no_difference_and_very_different_ones_are():
    same = {uid: Answer(row.gold, row.a, row.a) for uid, row in answers(6, 50).items()}
    assert randomisation(cells([same]), 500, 0) == 1.0
    assert bootstrap(cells([same]), 500, 0) == (0.0, 0.0)
    worse = answers(7, 300, 0.95, 0.2)
    assert randomisation(cells([worse]), 999, 0) == pytest.approx(1 / 1000), "the smallest p that so many trials can give"
    assert bootstrap(cells([worse]), 500, 0)[0] > 0


def test_one_seed_one_result():
    run = [answers(8, 50)]
    assert randomisation(cells(run), 700, 3) == randomisation(cells(run), 700, 3)
    assert bootstrap(cells(run), 700, 3) == bootstrap(cells(run), 700, 3) != bootstrap(cells(run), 700, 4)


def test_under_the_null_hypothesis_p_is_evenly_spread():
    found = [randomisation(cells([answers(seed, 60, 0.6, 0.6)]), 300, 0) for seed in range(100)]
    assert np.mean(np.array(found) < 0.2) == pytest.approx(0.2, abs=0.12)


def test_metric():
    rows = list(answers(9, 40).values())
    gold, a = [row.gold for row in rows], [row.a for row in rows]
    for metric in ("precision", "recall"):
        assert cells([answers(9, 40)], metric=metric).observed()[0, 0] == pytest.approx(score(gold, a, LABELS, "micro")[metric])


def test_mcnemar_by_hand():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(8, 1) == mcnemar(1, 8) == pytest.approx(2 * (1 + 9) / 2**9)


def test_paired_t():
    assert paired_t([0.5, 0.6, 0.7], [0.4, 0.45, 0.65]) == pytest.approx(ttest_rel([0.5, 0.6, 0.7], [0.4, 0.45, 0.65]).pvalue)
    assert paired_t([0.5], [0.4]) is None
    assert paired_t([0.5, 0.6], [0.4, 0.5]) is None, "the same difference twice has no spread"
