"""The test kit: core components pass its checks, and components that break a promise do not."""

import random
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from relcon.config.building import resolve
from relcon.contrast import Contrast, Encoded, Pairing, Text
from relcon.data.document import Document
from relcon.interfaces import Augmenter, ContrastiveObjective, Evaluator, Renderer, Sampler
from relcon.registry import INTERFACES
from relcon.renderers.markers import EntityMarkers
from relcon.testing import (
    CHECKS,
    check_augmenter,
    check_encoder,
    check_evaluator,
    check_objective,
    check_renderer,
    check_sampler,
    tiny_corpus,
    tiny_encoder,
    tiny_instances,
    tiny_split,
)


def built(kind, name, **arguments):
    return resolve({f"@{kind}": name, **arguments}, kind)


# ---- the tiny corpus -----------------------------------------------------------------------------------------------------


def test_tiny_corpus_is_sound_varied_and_the_same_each_time():
    documents = tiny_corpus(12)
    assert documents == tiny_corpus(12) and len({document.words for document in documents}) == 12
    assert {relation.label for document in documents for relation in document.relations} == {"none", "activates", "inhibits"}
    assert {len(document.sentences) for document in documents} == {1, 2}
    assert any(mention.end - mention.start == 2 for document in documents for entity in document.entities for mention in entity.mentions)
    firsts = [document.entities[0].mentions[0] < document.entities[1].mentions[0] for document in documents]
    assert any(firsts) and not all(firsts)


@pytest.mark.parametrize("document", tiny_corpus(12), ids=lambda document: document.id)
def test_tiny_parses_are_trees_inside_their_sentences(document: Document):
    heads = document.parse.heads
    for start, end in document.sentences:
        roots = [word for word in range(start, end) if heads[word] == word]
        assert len(roots) == 1 and all(start <= heads[word] < end for word in range(start, end))
        for word in range(start, end):
            for _ in range(end - start):
                word = heads[word]
            assert word == roots[0]


def test_tiny_split_has_the_pairs():
    split = tiny_split(5)
    assert [instance.uid for instance in split.instances] == [f"tiny-{n}#0-1" for n in range(5)]
    assert all(instance.label in split.labels.names for instance in split.instances)


# ---- core components pass -------------------------------------------------------------------------------------------------

RENDERERS = [
    ("relcon.Plain.v1", {}),
    ("relcon.Plain.v1", {"unit": "sentence", "context": "sentence"}),
    ("relcon.Blinded.v1", {}),
    ("relcon.Blinded.v1", {"unit": "mentions", "context": "document", "whole_tags": ["@PROTEIN$", "@CHEMICAL$"]}),
    ("relcon.EntityMarkers.v1", {}),
    ("relcon.EntityMarkers.v1", {"unit": "mentions"}),
    ("relcon.TypedMarkers.v1", {"types": ["CHEMICAL", "PROTEIN"]}),
    ("relcon.PunctuationMarkers.v1", {"typed": True, "unit": "sentence"}),
]


@pytest.mark.parametrize("name, arguments", RENDERERS)
def test_renderers(name, arguments):
    check_renderer(built("renderers", name, **arguments), tiny_instances())


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("arguments", [{}, {"freeze_layers": 1}, {"freeze_embeddings": True, "max_length": 12}])
def test_encoders(kind, arguments):
    inputs = [view.input for view in EntityMarkers()(tiny_instances(5))]
    encoder = tiny_encoder(kind, **arguments)
    encoder.add_tokens(EntityMarkers().special_tokens)
    check_encoder(encoder, inputs)


def test_samplers():
    parts = {"renderer": {"@renderers": "relcon.Blinded.v1"}, "batch_size": 4}
    check_sampler(built("samplers", "relcon.TwoViews.v1", augmenter={"@augmenters": "relcon.RandomSwap.v1"}, **parts))
    check_sampler(built("samplers", "relcon.Instances.v1", **parts))
    check_sampler(built("samplers", "relcon.SameLabel.v1", **parts))
    check_sampler(built("samplers", "relcon.MaskedPieces.v1", sampler={"@samplers": "relcon.Instances.v1", **parts}))


# ---- broken ones do not ----------------------------------------------------------------------------------------------------


def breaks(check, message, *arguments, **keywords):
    with pytest.raises(AssertionError, match=message):
        check(*arguments, **keywords)


class Careless(Augmenter):
    """One fault of each kind."""

    def __init__(self, fault):
        self.fault = fault

    def __call__(self, document, pairs, generator):
        if self.fault == "global":
            torch.rand(1)
        if self.fault == "draws anew":
            return replace(document, metadata={"draw": random.SystemRandom().random()})
        if self.fault == "loses relations":
            return replace(document, relations=())
        if self.fault == "loses a mention":
            return replace(document, entities=tuple(replace(e, mentions=e.mentions[:1]) for e in document.entities))
        if self.fault == "grows a mention":
            first, *others = document.entities
            whole = tuple(mention._replace(start=0, end=len(document.words)) for mention in first.mentions)
            return replace(document, entities=(replace(first, mentions=whole), *others))
        if self.fault == "changes its input":
            document.metadata["seen"] = True
        if self.fault == "keeps sentences":
            return replace(document, words=(*document.words, "more"), parse=None)
        return document


@pytest.mark.parametrize(
    "fault, message",
    [
        ("global", "global random stream"),
        ("draws anew", "two different copies"),
        ("loses relations", "other relations"),
        ("loses a mention", "lost or gained a mention"),
        ("grows a mention", "mentions that were apart overlap"),
        ("changes its input", "modified its input"),
        ("keeps sentences", "do not cover"),
    ],
)
def test_broken_augmenters(fault, message):
    breaks(check_augmenter, message, Careless(fault), tiny_corpus(4))


class Misplacing(Renderer):
    """A renderer with a fault."""

    def __init__(self, fault):
        self.fault, self.calls = fault, 0

    def __call__(self, instances):
        views = EntityMarkers()(instances)
        self.calls += 1
        if self.fault == "too few":
            return views[1:]
        if self.fault == "outside":
            return [view._replace(unit=((view.unit[0][0]._replace(end=99),), view.unit[1])) for view in views]
        if self.fault == "changes":
            return [view._replace(input=Text((*view.input.words, str(self.calls)))) for view in views]
        return views


@pytest.mark.parametrize("fault, message", [("too few", "gave 11 views"), ("outside", "span"), ("changes", "different views")])
def test_broken_renderers(fault, message):
    breaks(check_renderer, message, Misplacing(fault), tiny_instances())


class Wrong(ContrastiveObjective):
    """An objective with a fault."""

    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def forward(self, anchors, candidates, pairing):
        p = pairing.to(anchors)
        s = F.normalize(anchors, dim=1) @ F.normalize(candidates, dim=1).T
        if self.fault == "vector":
            return s.sum(1)
        if self.fault == "nan":
            return ((p.positives * s).sum() / p.positives.sum()) * 0 + s.sum()
        if self.fault == "order":
            return ((p.negatives - p.positives) * s)[0].sum()
        if self.fault == "strangers":
            return s.logsumexp(1).sum() - (p.positives * s).sum()
        if self.fault == "detached":
            return ((p.negatives - p.positives) * s.detach()).sum()
        return ((p.negatives - p.positives) * s).sum()


@pytest.mark.parametrize(
    "fault, message",
    [("vector", "shape"), ("nan", "finite"), ("order", "order"), ("strangers", "neither mask"), ("detached", "gradient is zero")],
)
def test_broken_objectives(fault, message):
    breaks(check_objective, message, Wrong(fault))
    check_objective(Wrong("none"))


class Unsteady(Sampler):
    """A sampler with a fault."""

    def __init__(self, fault):
        self.fault, self.calls = fault, 0

    def length(self, data):
        return 2 + (self.fault == "length")

    def batches(self, data, draw):
        self.calls += 1
        if self.fault == "global":
            random.random()
        for _ in range(2):
            number = torch.randint(2, 9, (), generator=draw.generator if self.fault != "same" else torch.Generator().manual_seed(0))
            size = int(number) if self.fault != "unsteady" else 1 + self.calls
            size = size if self.fault != "machine" else 2 + (size + torch.initial_seed()) % 7
            views = EntityMarkers()(data.instances[:size])
            yield {"contrast": Contrast(views, Pairing.of(torch.ones(size, size), torch.zeros(size, size)))}


@pytest.mark.parametrize(
    "fault, message",
    [
        ("length", "length says 3"),
        ("same", "two epochs"),
        ("unsteady", "same epoch"),
        ("global", "global random stream"),
        ("machine", "in another process"),
    ],
)
def test_broken_samplers(fault, message):
    breaks(check_sampler, message, Unsteady(fault))


def test_broken_encoders():
    inputs = [view.input for view in EntityMarkers()(tiny_instances(4))]
    encoder = tiny_encoder()
    encoder.idle = torch.nn.Parameter(torch.zeros(1))
    breaks(check_encoder, "no gradient reaches", encoder, inputs)
    del encoder.idle

    class Mixing(type(encoder)):
        def forward(self, prepared, depth=None):
            encoded = super().forward(prepared, depth)
            return Encoded(encoded.states + encoded.states.mean(0, keepdim=True), encoded.mask, encoded.summary)

    encoder.__class__ = Mixing
    breaks(check_encoder, "encoded alone", encoder, inputs)


class Accuracy(Evaluator):
    """The share of right answers; with a fault, that of wrong ones, or under another name."""

    primary = "accuracy"

    def __init__(self, fault=""):
        self.fault = fault

    def evaluate(self, model, data, folder=None, train=None):
        right = [answer == instance.label for answer, instance in zip(model.predict(data.instances), data.instances, strict=True)]
        figure = sum(right) / len(right)
        return {"share" if self.fault == "name" else "accuracy": 1 - figure if self.fault == "direction" else figure}


def test_broken_evaluators():
    check_evaluator(Accuracy)
    breaks(check_evaluator, "primary figure", lambda: Accuracy("name"))
    breaks(check_evaluator, "no better", lambda: Accuracy("direction"))


def test_samplers_must_name_every_instance():
    class Half(type(built("samplers", "relcon.Instances.v1", renderer={"@renderers": "relcon.Plain.v1"}))):
        def batches(self, data, draw):
            return super().batches(replace(data, instances=data.instances[:6]), draw)

        def length(self, data):
            return 1

    half = Half(EntityMarkers(), batch_size=6)
    breaks(check_sampler, "left out", half)
    check_sampler(half, covers=False)


def test_every_interface_has_a_check():
    import relcon.testing

    assert set(CHECKS) == set(INTERFACES)
    assert {check.__name__ for check in CHECKS.values()} <= set(relcon.testing.__all__)
