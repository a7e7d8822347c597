"""Several labels per pair: a yes or no for each."""

import pytest
import torch
import torch.nn.functional as F

from relcon.config import resolve
from relcon.contrast import Labelled, Text, View
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Pooler
from relcon.testing import check_step, tiny_encoder, tiny_split

TEXTS = ["the cat sees a dog", "a bird hears", "a bird sees the cat"]
TARGETS = torch.tensor([[0.0, 1, 1], [1, 0, 0], [0, 0, 1]])
BLOCK = {
    "@tasks": "relcon.MultiLabelClassification.v1",
    "stream": "train",
    "tower": {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "sentence"},
}


def task(parts, **arguments):
    made = resolve({**BLOCK, **arguments}, "[task]")
    made.build(parts)
    return made


def batch(view, **arguments):
    return {"pairs": Labelled([view(text) for text in TEXTS], torch.tensor([1, 0, 2]), {"targets": TARGETS}, **arguments)}


def logits(made, view):
    encoder = made.tower.encoder
    return torch.cat([made.tower.head(encoder(encoder.prepare([view(text).input])).states[:, 0]) for text in TEXTS])


@pytest.mark.parametrize("tokens", [0, 12])
def test_the_loss_is_the_mean_over_labels_and_pairs_however_it_is_cut(make, view, recorder, tokens):
    made = task(make())
    made.recorders.append(recorder)
    result = step({"it": made}, batch(view, uids=["a", None, "c"]), tokens=tokens)
    scores = logits(made, view)
    assert result.loss == pytest.approx(F.binary_cross_entropy_with_logits(scores, TARGETS).item(), abs=1e-6)
    predicted = scores.argmax(1).tolist()
    assert sorted(recorder.told, key=lambda each: each[2]) == [(None, predicted[1], 0), ("a", predicted[0], 1), ("c", predicted[2], 2)]
    assert made.figures() == {"accuracy": sum(p == q for p, q in zip(predicted, [1, 0, 2], strict=True)) / 3}


def test_lost_pairs_do_not_count(make, view):
    made = task(make(max_length=8), tower={**BLOCK["tower"], "pooler": "mention"})
    lost = View(Text(tuple(["the"] * 10 + ["dog"])), view("a " * 10 + "dog", 10).unit)
    kept = view("the cat sees", 1)
    both = step({"it": made}, {"pairs": Labelled([kept, lost], torch.tensor([1, 2]), {"targets": TARGETS[:2]})})
    alone = step({"it": made}, {"pairs": Labelled([kept], torch.tensor([1]), {"targets": TARGETS[:1]})})
    assert both.lost == 1 and both.loss == pytest.approx(alone.loss, abs=1e-6)


def test_caching_gives_the_plain_gradients():
    encoder = tiny_encoder().train()
    made = task(Parts({"text": encoder}, {"sentence": Pooler.registry.get("relcon.CLS.v1")()}, tiny_split().labels), reads="instances")
    sampler = resolve({"@samplers": "relcon.DocumentPairs.v1", "renderer": {"@renderers": "relcon.Plain.v1"}, "batch_size": 8}, "[s]")
    value = next(iter(sampler.batches(tiny_split(), Draw(0, torch.Generator().manual_seed(0)))))["pairs"]
    check_step({"task": made}, {"instances": value}, tokens=40)


def test_a_value_without_targets_is_refused(make, view):
    with pytest.raises(RelconError, match="has no targets"):
        step({"it": task(make())}, {"pairs": Labelled([view("cat")], torch.tensor([0]))})
    with pytest.raises(RelconError, match="has no labels"):
        step({"it": task(make())}, {"pairs": Labelled([view("cat")])})
