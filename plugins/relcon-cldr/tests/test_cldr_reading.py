"""Search, votes and scores."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_cldr import search
from relcon_cldr.evaluators import PairProbe
from relcon_cldr.extractor import gold_pairs
from relcon_cldr.pairs import candidate_pairs
from relcon_cldr.reading import require_complete, sentences_of
from relcon_cldr.scores import Read, authors, entities, joint, pairs_alone, strict
from relcon_cldr.search import PairIndex, by_k, nearest_words, pairs_of
from relcon_cldr.tags import Chunk
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Split


def frozen(*pairs):
    return frozenset(frozenset(pair) for pair in pairs)


GOLD = [Read(frozen((7, 10), (7, 12)), (Chunk(1, 7, 7), Chunk(0, 10, 10), Chunk(0, 12, 12)))]
GUESS = [Read(frozen((3, 7), (7, 10), (7, 12)), (Chunk(1, 7, 7), Chunk(0, 10, 10)))]


@pytest.mark.parametrize(
    "score, precision, recall, f1",
    [(strict, 1 / 3, 0.5, 0.4), (authors, 1 / 3, 1, 0.5), (joint, 1, 0.5, 2 / 3), (pairs_alone, 2 / 3, 1, 0.8)],
)
def test_cldr_fact_11_relations(score, precision, recall, f1):
    found = score(GOLD, GUESS)
    assert (found.precision, found.recall, found.f1) == pytest.approx((precision, recall, f1))


def test_cldr_fact_11_entities():
    drugs, effects = entities(GOLD, GUESS, 2)
    assert (drugs.f1, effects.f1) == pytest.approx((2 / 3, 1))


def test_nothing_found_is_zero():
    empty = [Read(frozen(), ())]
    for score in (strict, authors, joint, pairs_alone):
        assert (score(GOLD, empty).precision, score(GOLD, empty).f1, score(empty, empty).f1) == (0, 0, 0)


def test_cldr_fact_12_votes():
    points = torch.tensor([[0.0, 0], [1, 0], [0, 1], [3, 3], [3, 4], [4, 3], [1.5, 1.5]])
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 1])
    nearest = nearest_words(torch.tensor([[1.0, 1.0]]), points, 7)
    assert [(k, int(guess)) for k, guess in by_k(labels, nearest, [1, 3, 5, 7], 2)] == [(1, 1), (3, 0), (5, 0), (7, 1)]


@pytest.mark.parametrize("order", ["text", "both"])
@pytest.mark.parametrize("rows", [3, 64])
@given(sizes=st.lists(st.integers(1, 7), min_size=2, max_size=8), k=st.integers(1, 12), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_pairs_are_found_as_scikit_learn_finds_their_vectors(order, rows, sizes, k, seed):
    torch.manual_seed(seed)
    words, query = torch.randn(sum(sizes), 3), torch.randn(5, 3)
    pairs, asked = pairs_of(sizes, order), pairs_of([5], order)
    if not len(pairs):
        return
    was, search.ROWS = search.ROWS, rows
    try:
        found = PairIndex(words, sizes, order).nearest(query, asked, k)
    finally:
        search.ROWS = was
    k = min(k, len(pairs))
    oracle = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(words[pairs].flatten(1).double().numpy())
    distances, _ = oracle.kneighbors(query[asked].flatten(1).double().numpy())
    torch.testing.assert_close(found.squared.sqrt().double(), torch.from_numpy(distances), atol=1e-3, rtol=1e-3)
    own = (words[pairs[found.examples]].flatten(2) - query[asked].flatten(1)[:, None]).square().sum(2)
    torch.testing.assert_close(own, found.squared, atol=1e-3, rtol=1e-3)


def test_words_are_classified_as_scikit_learn_does():
    torch.manual_seed(0)
    words, labels, query = torch.randn(200, 4), torch.randint(0, 5, (200,)), torch.randn(50, 4)
    nearest = nearest_words(query, words, 7, block=16)
    for k, guess in by_k(labels, nearest, [1, 3, 7], 5):
        oracle = KNeighborsClassifier(k, algorithm="brute").fit(words.numpy(), labels.numpy())
        assert guess.tolist() == oracle.predict(query.numpy()).tolist()


def test_candidates_of_one_word_are_none():
    assert candidate_pairs(1).shape == (0, 2)
    assert pairs_of([1, 3, 1]).tolist() == [[1, 2], [1, 3], [2, 3]]


def test_sentences_that_are_measured_have_no_negative_relation():
    entities = tuple(Entity((Mention(n, n + 1),), kind) for n, kind in enumerate(("Drug", "Effect", "Effect")))
    document = Document("d", ("a", "b", "c"), entities, (Relation(0, 1, "causes"), Relation(0, 2, "none")))
    split = Split("test", [document, Document("empty", ())], [], LabelSet.of(["causes"], ["none"]))
    (sentence,) = sentences_of(split)
    assert gold_pairs([sentence], ["Drug", "Effect"]).tolist() == [[0, 1]]
    assert len(gold_pairs([document], ["Drug", "Effect"])) == 2


def test_what_learns_from_all_pairs_refuses_data_that_lack_relations():
    split = Split("train", [], [], LabelSet.of(["causes"], ["none"]), complete_annotation=False)
    with pytest.raises(RelconError, match=r"complete_annotation = false: cldr\.PairProbe\.v1 learns"):
        PairProbe(["Drug", "Effect"]).check(split, split)
    require_complete(replace(split, complete_annotation=True), "x")
