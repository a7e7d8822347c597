"""The accuracy of a contrast, on vectors made by hand and on a task as a stage saves it."""

import pytest
import torch

from relcon.config.building import resolve
from relcon.contrast import Contrast, Pairing, Text, View
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.contrast import PositivesFound
from relcon.interfaces import Model, Sampler, Split

VIEW = View(Text(("a",)), ((),))


class Drawn(Sampler):
    """One batch with one contrast."""

    def __init__(self, pairing):
        self.pairing = pairing

    def batches(self, data, draw):
        yield {"contrast": Contrast([VIEW] * len(self.pairing.positives), self.pairing, [VIEW] * self.pairing.positives.shape[1])}

    def length(self, data):
        return 1


class Given(Model):
    """Gives the vectors that a test sets."""

    labels = LabelSet(("a",))

    def __init__(self, anchors, candidates):
        self.anchors, self.candidates = torch.tensor(anchors), torch.tensor(candidates)

    def probabilities(self, instances):
        raise NotImplementedError

    def embed(self, instances):
        raise NotImplementedError

    def contrasted(self, task, contrast):
        return self.anchors, self.candidates, contrast.pairing


DATA = Split("test", [], [], LabelSet(("a",)))
ANCHORS = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
CANDIDATES = [[2.0, 0.1], [0.1, 1.0], [0.5, 0.5], [0.0, 0.3]]


def figures(positives, negatives, groups=None, weights=None, **arguments):
    pairing = Pairing.of(torch.tensor(positives), torch.tensor(negatives), weights, None if groups is None else torch.tensor(groups))
    return PositivesFound(Drawn(pairing), **arguments).evaluate(Given(ANCHORS, CANDIDATES), DATA)


def test_an_anchor_is_right_where_its_positive_is_nearest():
    found = figures([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], [[0, 1.0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    assert found == {"accuracy": 2 / 3, "terms": 3, "candidates": pytest.approx(10 / 3), "chance": pytest.approx((1 / 4 + 2 / 3) / 3)}


def test_a_tie_is_wrong():
    assert figures([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], [[0, 1.0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]])["accuracy"] == 2 / 3
    pairing = Pairing.of(torch.tensor([[1.0, 0]]), torch.tensor([[0, 1.0]]))
    model = Given([[1.0, 0.0]], [[1.0, 0.0], [2.0, 0.0]])
    assert PositivesFound(Drawn(pairing)).evaluate(model, DATA)["accuracy"] == 0


def test_the_length_of_vectors_counts_with_dot_alone():
    positives, negatives = [[0.0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 1, 0]], [[1.0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert figures(positives, negatives)["accuracy"] == 1 / 3
    assert figures(positives, negatives, similarity="dot")["accuracy"] == 1 / 3
    positives = [[0.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    negatives = [[0.0, 0, 0, 0], [0, 0, 0, 0], [1.0, 0, 0, 0]]
    assert [figures(positives, negatives, similarity=each)["accuracy"] for each in ("cosine", "dot")] == [1, 0]


def test_anchors_of_one_group_are_one_term():
    found = figures([[1.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]], [[0, 0.0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]], groups=[0, 0, 1])
    assert found["terms"] == 2 and found["accuracy"] == 1


def test_a_split_without_any_term_is_refused():
    with pytest.raises(RelconError, match="No term of the contrast"):
        figures([[1.0, 0, 0, 0]] * 3, [[0.0] * 4] * 3)


def test_a_classifier_keeps_no_task():
    pairing = Pairing.of(torch.tensor([[1.0]]), torch.tensor([[0.0]]))

    class Classifier(Given):
        contrasted = Model.contrasted

    with pytest.raises(RelconError, match="keeps no contrastive task"):
        PositivesFound(Drawn(pairing)).evaluate(Classifier(ANCHORS, CANDIDATES), DATA)


def test_similarity_must_be_one_that_there_is():
    sampler = resolve({"@samplers": "relcon.SameLabel.v1", "batch_size": 4, "renderer": {"@renderers": "relcon.Plain.v1"}}, "sampler")
    with pytest.raises(RelconError, match="similarity"):
        PositivesFound(sampler, similarity="euclid")
