"""Few-shot episodes: by hand, that no query is its own example, and where a threshold comes from."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.episodes import Episodes, FewShotEpisodes, answers, best_threshold, draw_episodes
from relcon.evaluators.profiles import EpisodeProfile

NAMES = ("a", "b", "c")
LABELS = LabelSet(("none", *NAMES), frozenset({"none"}))
AXES = {"a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0), "c": (0.0, 0.0, 1.0), "none": (1.0, 1.0, 1.0)}


def case(model, split, gold, vectors=None):
    """A model whose vectors are those of the labels, or given ones, and a split."""
    rows = vectors or [AXES[label] for label in gold]
    return model(LABELS, {}, {f"i{number}": row for number, row in enumerate(rows)}), split(gold, LABELS)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 99), st.integers(1, 30), st.integers(0, 9))
def test_what_an_episode_is(ways, shots, none, count, seed):
    places = [np.arange(10 * number, 10 * number + shots + 1 + number % 2) for number in range(6)]
    rule = EpisodeProfile.of(ways, shots, none)
    drawn = draw_episodes(places, rule, count, np.random.default_rng(seed))
    assert drawn.supports.shape == (count, ways, shots) and drawn.relations.shape == (count, ways)
    assert (drawn.answers == ways).sum() == round(count * none / 100)
    for relations, supports, query, answer in zip(*drawn, strict=True):
        assert len(set(relations)) == ways and (supports // 10 == relations[:, None]).all(), "examples are of their relations"
        assert len(set(supports.ravel()) | {query}) == ways * shots + 1, "no query is an example, and no example comes twice"
        assert query // 10 == relations[answer] if answer < ways else query // 10 not in relations
    again = draw_episodes(places, rule, count, np.random.default_rng(seed))
    assert all((one == other).all() for one, other in zip(drawn, again, strict=True))


def test_vectors_that_say_the_relation_are_always_right(model, split, tmp_path):
    answering, data = case(model, split, ["a", "a", "b", "b", "c", "c", "none"])
    figures = FewShotEpisodes("fewrel.3way1shot", episodes=50).evaluate(answering, data, tmp_path)
    assert (figures["accuracy"], figures["interval"], figures["episodes"], figures["relations"]) == (1.0, 0.0, 50.0, 3.0)
    lines = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    assert len(lines) == 50 and all(each["answer"] == each["predicted"] for each in lines)
    assert "i6" not in (tmp_path / "episodes.jsonl").read_text(), "'none' is no relation"
    about = json.loads((tmp_path / "scores.json").read_text())
    assert (about["profile"], about["split"]) == ("fewrel.3way1shot", "test")


def test_vectors_that_say_nothing_are_right_by_chance(model, split):
    draw = np.random.default_rng(0)
    gold = [name for name in NAMES for _ in range(40)]
    answering, data = case(model, split, gold, [tuple(row) for row in draw.normal(size=(120, 8))])
    found = FewShotEpisodes("fewrel.3way1shot", episodes=2000).evaluate(answering, data)
    assert found["accuracy"] == pytest.approx(1 / 3, abs=0.05)
    assert found["interval"] == pytest.approx(1.96 * (found["accuracy"] * (1 - found["accuracy"]) / 2000) ** 0.5)


def test_prototype_and_nearest_example_differ(model, split):
    """Examples of a at 0 and 10, of b at 6 and 6.4: a query at 10.1 is nearest to an example of a, while a's mean, 5, is further from it
    than b's, 6.2."""
    vectors = torch.tensor([[0.0], [10.0], [10.1], [6.0], [6.4]])
    drawn = Episodes(np.array([[0, 1]]), np.array([[[0, 1], [3, 4]]]), np.array([2]), np.array([0]))
    for method, expected in (("prototype", 1), ("neighbour", 0)):
        evaluator = FewShotEpisodes("fewrel.2way2shot", method=method, similarity="euclidean")
        assert answers(evaluator.likeness(vectors, drawn), None).tolist() == [expected]


def test_the_threshold_by_hand():
    """Queries by falling similarity: right, right, none, wrong, none. Answering the first two and calling the rest none gives 4 of 5."""
    likeness = np.array([[0.9, 0.0], [0.0, 0.8], [0.7, 0.1], [0.6, 0.2], [0.5, 0.3]])
    truth = np.array([0, 1, 2, 1, 2])
    assert best_threshold(likeness, truth) == 0.8
    assert answers(likeness, 0.8).tolist() == [0, 1, 2, 2, 2]
    assert best_threshold(likeness, np.array([0, 1, 0, 0, 0])) == 0.5, "where there is nothing to refuse all are answered"


def test_none_of_the_above_and_where_its_threshold_comes_from(model, split):
    """In the train split a query is like its relation by 1 and like others by 0, so that the threshold is 1; here queries are 0.8 alike."""
    rows = {"a": [(1, 0, 0, 0), (0.8, 0, 0, 0.6)], "b": [(0, 1, 0, 0), (0, 0.8, 0, 0.6)], "c": [(0, 0, 1, 0), (0, 0, 0.8, 0.6)]}
    gold = [name for name in NAMES for _ in range(2)]
    vectors = {f"i{number}": row for number, row in enumerate([row for name in NAMES for row in rows[name]])}
    exact, _ = case(model, split, gold)

    class Both(model):
        def embed(self, instances):
            return super().embed(instances) if self.measured else exact.embed(instances)

    answering, data, train = Both(LABELS, {}, vectors), split(gold, LABELS), split(gold, LABELS, name="train")
    answering.measured = True
    stated = FewShotEpisodes("fewrel.2way1shot.na50", episodes=40, threshold=0.7).evaluate(answering, data)
    assert (stated["accuracy"], stated["threshold"], stated["none_recall"]) == (1.0, 0.7, 1.0)
    answering.measured = False
    chosen = FewShotEpisodes("fewrel.2way1shot.na50", episodes=40).chosen(answering, train)
    answering.measured = True
    assert chosen == pytest.approx(1.0)
    unfit = FewShotEpisodes("fewrel.2way1shot.na50", episodes=40, threshold=chosen).evaluate(answering, data)
    assert unfit["accuracy"] == 0.5 and unfit["none_precision"] == 0.5, "all queries are called none, and half are"


def test_refusals(model, split):
    answering, data = case(model, split, ["a", "a", "b", "b", "c"])
    with pytest.raises(RelconError, match=r"needs 3 relations with 2 instances or more, and the split 'test' has 2 \(of 3 relations\)"):
        FewShotEpisodes("fewrel.3way1shot").evaluate(answering, data)
    with pytest.raises(RelconError, match="needs a threshold, which is chosen on the train split"):
        FewShotEpisodes("fewrel.1way1shot.na50").check(data)
    with pytest.raises(ValueError, match="threshold: every query"):
        FewShotEpisodes("fewrel.1way1shot", threshold=0.5)
    with pytest.raises(RelconError, match="1 pairs without a label"):
        FewShotEpisodes("fewrel.1way1shot").check(split(["a", None], LABELS))
