"""Tasks that share a stream: cut and cached steps give the plain gradients, dropout on."""

import copy

import pytest
import torch

from relcon.config import resolve
from relcon.encoding import step
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


MEMORY = {
    "queue": {"queue": {"@adjusters": "relcon.Queue.v1", "size": 20}},
    "queue and miner": {
        "queue": {"@adjusters": "relcon.Queue.v1", "size": 20},
        "miner": {"@adjusters": "relcon.HardestNegatives.v1", "k": 5},
    },
}


@pytest.mark.parametrize("adjusters", MEMORY.values(), ids=MEMORY)
def test_contrast_with_a_memory(adjusters):
    encoder = tiny_encoder().train()
    parts = Parts({"text": encoder}, {"sentence": Pooler.registry.get("relcon.CLS.v1")()}, tiny_split().labels)
    block = {"@tasks": "relcon.Contrastive.v1", "stream": "views", "anchors": TOWER, "objective": OBJECTIVES["supcon"]}
    momentum = {"@towers": "relcon.Momentum.v1", "momentum": 0.9}
    task = resolve({**block, "candidates": momentum, "adjusters": adjusters}, "[contrast]").train()
    task.build(parts)
    sampler: Sampler = resolve(VIEWS, "[sampler]")
    first, second, *_ = sampler.batches(tiny_split(), Draw(0, torch.Generator().manual_seed(0), encoder.vocabulary))
    step({"contrast": task}, first)
    task.after_step()
    check_step({"contrast": copy.deepcopy(task)}, second, tokens=24)
    for cache in (False, True):
        run = copy.deepcopy(task)
        result = step({"contrast": run}, second, tokens=24, cache=cache)
        assert result.inputs == 16, "eight views through each tower"
        run.after_step()
        held = run.adjusters["queue"].held()
        assert len(held.vectors) == 16 and held.tags.key.unique(return_counts=True)[1].tolist() == [2] * 8, "once per batch"
        assert all(each.grad is None for each in run.candidate_tower.parameters())


def test_a_micro_batch_of_a_momentum_tower_runs_once():
    encoder = tiny_encoder().train()
    parts = Parts({"text": encoder}, {"sentence": Pooler.registry.get("relcon.CLS.v1")()}, tiny_split().labels)
    block = {"@tasks": "relcon.Contrastive.v1", "stream": "views", "anchors": TOWER, "objective": OBJECTIVES["ntxent"]}
    task = resolve({**block, "candidates": {"@towers": "relcon.Momentum.v1"}}, "[contrast]")
    task.build(parts)
    calls = {"text": 0, "text_momentum": 0}
    for name, each in parts.encoders.items():
        each.register_forward_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
    batch = next(iter(resolve(VIEWS, "[sampler]").batches(tiny_split(), Draw(0, torch.Generator(), encoder.vocabulary))))
    step({"contrast": task}, batch, tokens=40, cache=True)
    assert calls["text"] == 2 * calls["text_momentum"] > 2


def test_classification():
    encoder = tiny_encoder()
    encoder.train()
    task = resolve({"@tasks": "relcon.Classification.v1", "stream": "all", "tower": {**TOWER, "dropout": 0.1}}, "[task]")
    task.build(Parts({"text": encoder}, {"sentence": Pooler.registry.get("relcon.CLS.v1")()}, tiny_split().labels))
    sampler = resolve({"@samplers": "relcon.Instances.v1", "renderer": VIEWS["renderer"], "batch_size": 12}, "[sampler]")
    check_step({"task": task}, next(iter(sampler.batches(tiny_split(), Draw(0, torch.Generator())))), tokens=40)
