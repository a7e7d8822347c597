"""Masked word pieces on the inputs of another sampler."""

from collections import Counter

import pytest
import torch

from relcon.contrast import MASK, Contrast, Labelled, Pairing, Span, Text, View
from relcon.errors import RelconError
from relcon.interfaces import Sampler

MaskedPieces = Sampler.registry.get("relcon.MaskedPieces.v1")
Instances = Sampler.registry.get("relcon.Instances.v1")
TwoViews = Sampler.registry.get("relcon.TwoViews.v1")


class Fixed(Sampler):
    """One batch, always the same."""

    special_tokens = ("[E1]",)

    def __init__(self, batch):
        self.batch = batch

    def batches(self, data, draw):
        yield self.batch

    def length(self, data):
        return 1


def test_same_inputs_in_every_value_and_the_true_pieces_as_labels(make, parts):
    data, sampler = make(8), MaskedPieces(TwoViews(parts.renderer, parts.augmenter, 4), rate=0.5)
    assert sampler.length(data) == 2
    for batch in sampler.batches(data, parts.draw(0, parts.vocabulary)):
        inputs = {id(view.input) for view in batch["contrast"].anchors}
        assert len(inputs) == 8 and {id(view.input) for view in batch["masked"].views} <= inputs
        for view, label in zip(batch["masked"].views, batch["masked"].labels.tolist(), strict=True):
            ((span,),) = view.unit
            assert parts.vocabulary.pieces(view.input.words[span.start])[span.piece] == label
            assert any(edit[:2] == (span.start, span.piece) for edit in view.input.edits)


def test_shares_of_mask_noise_and_unchanged(parts):
    text = Text(("z" * 40000,))
    batch = {"x": Labelled([View(text, ((),))])}
    masked = next(iter(MaskedPieces(Fixed(batch)).batches(None, parts.draw(0, parts.vocabulary))))
    (view,) = masked["x"].views
    shown = Counter("mask" if new == 1 else "same" if new == ord("z") else "noise" for _, _, new in view.input.edits)
    total = sum(shown.values())
    assert total == len(masked["masked"].labels) == pytest.approx(6000, rel=0.05)
    assert [shown[kind] / total for kind in ("mask", "same", "noise")] == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_what_earlier_stages_handed_on_reaches_the_inner_sampler(parts):
    class Listening(Fixed):
        def hand_over(self, artifacts):
            self.heard = artifacts

    inner = Listening({})
    MaskedPieces(inner).hand_over({"before": "artifacts"})
    assert inner.heard == {"before": "artifacts"}


def test_the_separator_stays(parts):
    text = Text(("a", "|", "b", "sep"))

    class Letters(type(parts.vocabulary)):
        separator = "sep"

    batch = {"x": Labelled([View(text, ((),))])}
    masked = next(iter(MaskedPieces(Fixed(batch), rate=0.999).batches(None, parts.draw(0, Letters()))))
    assert {view.unit[0][0].start for view in masked["masked"].views} == {0, 1, 2}


def test_a_prompts_mask_stays_in_either_segment(parts):
    text = Text(("a", MASK, "b"), second=("is", MASK))
    batch = {"x": Labelled([View(text, ((),))])}
    masked = next(iter(MaskedPieces(Fixed(batch), rate=0.999).batches(None, parts.draw(0, parts.vocabulary))))
    assert {view.unit[0][0].start for view in masked["masked"].views} == {0, 2}
    (view,) = masked["x"].views
    assert {word for word, *_ in view.input.edits} == {0, 2} and view.input.second == ("is", MASK)


def test_words_of_units_entities_special_tokens_and_earlier_edits_stay(parts):
    words = ("[E1]", "used", "kept", "edited", "free")
    text, other = Text(words, edits=((3, -1, 1),), keep=((2, 3),)), Text(words)
    unit = ((Span(1, 2),),)
    pairing = Pairing.of(torch.ones(1, 1), torch.zeros(1, 1))
    batch = {"contrast": Contrast([View(text, unit)], pairing, [View(other, unit)]), "also": Labelled([View(other, ((Span(4, 5),),))])}
    masked = next(iter(MaskedPieces(Fixed(batch), rate=0.999).batches(None, parts.draw(0, parts.vocabulary))))
    (anchor,), (candidate,) = masked["contrast"].anchors, masked["contrast"].candidates
    assert {word for word, *_ in anchor.input.edits} == {3, 4} and anchor.input.edits[0] == (3, -1, 1)
    assert {word for word, *_ in candidate.input.edits} == {2, 3}
    assert masked["also"].views[0].input is candidate.input and anchor.unit == unit
    assert text.edits == ((3, -1, 1),)


@pytest.mark.parametrize(("spared", "guessed"), [("kept", {2, 6}), ("vectors", {1, 2, 5, 6})])
def test_names_whose_start_markers_stand_for_them_may_be_guessed(parts, spared, guessed):
    words = ("[E1]", "head", "and", "blank", "[E1]", "tail", "free")
    text = Text(words, edits=((3, -1, 1),), keep=((0, 2), (4, 6)))
    batch = {"x": Labelled([View(text, ((Span(0, 1),), (Span(4, 5),)))])}
    masked = next(iter(MaskedPieces(Fixed(batch), 0.999, spared).batches(None, parts.draw(0, parts.vocabulary))))
    assert {view.unit[0][0].start for view in masked["masked"].views} == guessed


def test_other_values_keep_labels_and_uids(make, parts):
    batch = next(iter(MaskedPieces(Instances(parts.renderer, 4)).batches(make(4), parts.draw(0, parts.vocabulary))))
    plain = next(iter(Instances(parts.renderer, 4).batches(make(4), parts.draw(0))))
    assert batch["instances"].uids == plain["instances"].uids and torch.equal(batch["instances"].labels, plain["instances"].labels)


def test_inner_sampler_prepares_and_names_its_special_tokens(make, parts):
    sampler = MaskedPieces(TwoViews(parts.renderer, parts.augmenter, 4))
    sampler.prepare(make(5))
    assert parts.augmenter.prepared == 5
    assert MaskedPieces(Fixed({})).special_tokens == ("[E1]",)


def test_repeats_with_the_generator(make, parts):
    data, sampler = make(8), MaskedPieces(Instances(parts.renderer, 8))
    a, b, c = (next(iter(sampler.batches(data, parts.draw(e, parts.vocabulary))))["masked"].labels.tolist() for e in (0, 0, 1))
    assert a == b != c


def test_without_a_mask_token_it_is_refused(make, parts):
    with pytest.raises(RelconError, match="mask token"):
        list(MaskedPieces(Instances(parts.renderer)).batches(make(4), parts.draw()))
    with pytest.raises(ValueError, match="rate"):
        MaskedPieces(Instances(parts.renderer), rate=1.5)
