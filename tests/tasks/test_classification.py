"""The classification task, through the encoding engine."""

import pytest
import torch
import torch.nn.functional as F

from relcon.contrast import Labelled, Text, View
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import Task

TEXTS = ["the cat sees a dog", "a bird hears", "a bird sees the cat", "the dog hears the cat today", "cat"]
LABELS = torch.tensor([0, 1, 2, 1, 0])


def task(parts, tower, **arguments):
    made = Task.registry.get("relcon.Classification.v1")("instances", tower, **arguments)
    made.build(parts)
    return made


def batch(view, uids=None):
    return {"instances": Labelled([view(text) for text in TEXTS], LABELS, uids=uids)}


def logits(made, texts, view):
    encoder = made.tower.encoder
    return torch.cat([made.tower.head(encoder(encoder.prepare([view(text).input])).states[:, 0]) for text in texts])


@pytest.mark.parametrize("tokens", [0, 16])
def test_loss_and_gradient_are_the_mean_cross_entropy_however_it_is_cut(make, plan, view, tokens):
    made = task(make(), plan(head=[8]))
    result = step({"it": made}, batch(view), tokens=tokens)
    got = {key: weight.grad.clone() for key, weight in made.named_parameters() if weight.grad is not None}
    made.zero_grad()
    plain = F.cross_entropy(logits(made, TEXTS, view), LABELS)
    plain.backward()
    assert result.loss == pytest.approx(plain.item(), abs=1e-6)
    want = {key: weight.grad for key, weight in made.named_parameters() if weight.grad is not None}
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-6)
    assert made.tower.head[-1].out_features == 3


def test_class_weights_and_label_smoothing(make, plan, view):
    made = task(make(), plan(), class_weights={"binds": 3.0}, label_smoothing=0.1)
    result = step({"it": made}, batch(view))
    shares = logits(made, TEXTS, view).log_softmax(1)
    factors = torch.tensor([1.0, 3.0, 1.0])
    want = 0.0
    for row, label in zip(shares, LABELS, strict=True):
        target = torch.full((3,), 0.1 / 3)
        target[label] += 0.9
        want -= (target * factors * row).sum().item() / 5
    assert result.loss == pytest.approx(want, abs=1e-5)


def test_every_recorder_is_told_uids_predictions_and_labels_whatever_the_micro_batches(make, plan, view, recorder):
    made = task(make(), plan())
    made.recorders.append(recorder)
    step({"it": made}, batch(view, uids=list("abcde")), tokens=16)
    predicted = logits(made, TEXTS, view).argmax(1).tolist()
    assert sorted(recorder.told) == sorted(zip("abcde", predicted, LABELS.tolist(), strict=True))
    right = sum(p == q for p, q in zip(predicted, LABELS.tolist(), strict=True))
    assert made.figures() == {"accuracy": right / 5} and made.figures() == {}


def test_a_recorder_belongs_to_checkpoints_alone_and_evaluation_is_not_recorded(make, plan, view, recorder):
    made = task(make(), plan())
    made.recorders.append(recorder)
    assert "recorders.0.count" in made.state_dict() and list(made.training_only()) == [recorder]
    step({"it": made.eval()}, batch(view, uids=list("abcde")))
    step({"it": made.train()}, batch(view))
    assert recorder.told == []


@pytest.mark.parametrize("cache", [False, True])
def test_recording_leaves_training_as_it_is(make, plan, view, recorder, cache):
    gradients = []
    for recorders in ([], [recorder]):
        torch.manual_seed(3)
        made = task(make(dropout=0.3), plan(head=[8]))
        made.recorders.extend(recorders)
        step({"it": made}, batch(view, uids=list("abcde")), tokens=16, cache=cache)
        gradients.append({key: weight.grad for key, weight in made.named_parameters() if weight.grad is not None})
    assert len(recorder.told) == 5 and recorder.count == 5
    assert gradients[0].keys() == gradients[1].keys() and all(torch.equal(each, gradients[1][key]) for key, each in gradients[0].items())


def test_lost_views_are_no_part_of_the_mean(make, plan, view, recorder):
    made = task(make(max_length=8), plan("mention"))
    made.recorders.append(recorder)
    long = View(Text(tuple(["the"] * 10 + ["dog"])), view("a " * 10 + "dog", 10).unit)
    views = [view("the cat sees", 1), long]
    result = step({"it": made}, {"instances": Labelled(views, torch.tensor([1, 2]), uids=["kept", "lost"])})
    assert result.lost == 1 and [uid for uid, *_ in recorder.told] == ["kept"]
    encoder = made.tower.encoder
    state = encoder(encoder.prepare([views[0].input])).states[:, 2]
    assert result.loss == pytest.approx(F.cross_entropy(made.tower.head(state), torch.tensor([1])).item(), abs=1e-5)


def test_half_precision_of_the_encoder_does_not_reach_the_loss(make, plan):
    made = task(make(), plan())
    value = Labelled([None] * 2, torch.tensor([0, 1]))
    exact = torch.tensor([[3.01, 0.0, -2.0], [1.0, 0.501, 0.0]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = made.part(value, exact.bfloat16(), torch.arange(2), None)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, F.cross_entropy(exact.bfloat16().float(), torch.tensor([0, 1]), reduction="sum"))


def test_mistakes_are_refused_in_words(make, plan, view):
    with pytest.raises(RelconError, match=r"'bind' is not a label.*'binds'"):
        task(make(), plan(), class_weights={"bind": 2.0})
    with pytest.raises(ValueError, match="class_weights"):
        task(make(), plan(), class_weights={"binds": -2.0})
    with pytest.raises(ValueError, match="label_smoothing"):
        task(make(), plan(), label_smoothing=1.0)
    with pytest.raises(RelconError, match="has no labels"):
        step({"it": task(make(), plan())}, {"instances": Labelled([view("cat")])})


def test_a_batch_without_views_asks_for_nothing(make, plan):
    assert task(make(), plan()).requests(Labelled([], torch.zeros(0, dtype=torch.long))) == {}
