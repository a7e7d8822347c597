"""Tasks that share a stream: cut and cached steps give the plain gradients, dropout on."""

import pytest
import torch

from relcon.config import resolve
from relcon.interfaces import Draw, Parts, Pooler, Sampler
from relcon.testing import check_step, tiny_encoder, tiny_split

TOWER = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "sentence", "head": [16, 8]}
VIEWS = {
    "@samplers": "relcon.TwoViews.v1",
    "renderer": {"@renderers": "relcon.Blinded.v1"},
    "augmenter": {"@augmenters": "relcon.RandomSwap.v1"},
    "batch_size": 4,
}
OBJECTIVES = {
    "ntxent": {"@objectives": "relcon.NTXent.v1"},
    "supcon": {"@objectives": "relcon.SupCon.v1"},
    "own": {"@objectives": "relcon.InfoNCE.v1", "denominator": "own", "temperature": 0.05},
    "bce": {"@objectives": "relcon.PairwiseBCE.v1"},
    "margin": {"@objectives": "relcon.MarginPairs.v1", "margin": 1.5, "trainable": True},
}


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_contrast_beside_masked_pieces(objective):
    encoder = tiny_encoder()
    encoder.train()
    parts = Parts({"text": encoder}, {"sentence": Pooler.registry.get("relcon.CLS.v1")()}, tiny_split().labels)
    contrast = resolve({"@tasks": "relcon.Contrastive.v1", "stream": "views", "anchors": TOWER, "objective": objective}, "[contrast]")
    guess = resolve({"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "views", "encoder": "text", "weight": 0.5}, "[guess]")
    for task in (contrast, guess):
        task.build(parts)
    sampler: Sampler = resolve({"@samplers": "relcon.MaskedPieces.v1", "sampler": VIEWS}, "[sampler]")
    batch = next(iter(sampler.batches(tiny_split(), Draw(0, torch.Generator().manual_seed(0), encoder.vocabulary))))
    check_step({"contrast": contrast, "guess": guess}, batch, tokens=24)


def test_classification():
    encoder = tiny_encoder()
    encoder.train()
    task = resolve({"@tasks": "relcon.Classification.v1", "stream": "all", "tower": {**TOWER, "dropout": 0.1}}, "[task]")
    task.build(Parts({"text": encoder}, {"sentence": Pooler.registry.get("relcon.CLS.v1")()}, tiny_split().labels))
    sampler = resolve({"@samplers": "relcon.Instances.v1", "renderer": VIEWS["renderer"], "batch_size": 12}, "[sampler]")
    check_step({"task": task}, next(iter(sampler.batches(tiny_split(), Draw(0, torch.Generator())))), tokens=40)
