"""`micro_batch_tokens = "auto"`: what fits into the free memory, measured on one micro-batch."""

import logging

import pytest
import torch
from torch import nn

from relcon.contrast import WHOLE, Contrast, Pairing, Text, View
from relcon.interfaces import Request, Task, Tower
from relcon.poolers.sentence import CLS
from relcon.testing import tiny_encoder
from relcon.training import memory
from relcon.training.memory import KeptForBackward, fitting_tokens


class Sides(Task):
    """Anchors of one tower, candidates of another."""

    reads = "contrast"

    def __init__(self, *towers):
        super().__init__()
        self.towers = nn.ModuleList(towers)

    def build(self, parts):
        """Built already."""

    def requests(self, value):
        return {str(number): Request(tower, value.anchors) for number, tower in enumerate(self.towers)}


def tower(trained=True):
    made = Tower(tiny_encoder(max_length=32), CLS())
    return made.requires_grad_(trained)


def batch(count=64):
    views = [View(Text(("low", "doses", "of", "abirol") * 4), ((WHOLE,),)) for _ in range(count)]
    return {"contrast": Contrast(views, Pairing.of(torch.eye(count), torch.zeros(count, count)))}


def fits(task, free, monkeypatch, count=64, caching=False):
    monkeypatch.setattr(memory, "free_memory", lambda device: free)
    return fitting_tokens({"contrast": task}, batch(count), caching)


def test_plenty_of_memory_gives_what_is_fastest(monkeypatch):
    assert fits(Sides(tower()), 2**40, monkeypatch) == memory.MOST["cpu"]


def test_less_memory_gives_a_power_of_two_whose_forward_fits_into_half_of_it(monkeypatch):
    task = Sides(tower())
    with KeptForBackward() as kept:
        memory.plan({("contrast", "0"): Request(task.towers[0], batch(1)["contrast"].anchors)})[0].ready().run([("contrast", "0")])
    whole = 512 * kept.bytes / 18  # a text has 18 positions
    assert fits(task, 2 * whole * 1.1, monkeypatch) == 512
    assert fits(task, 2 * whole * 0.9, monkeypatch) == 256
    assert fits(task, 1, monkeypatch) == memory.LEAST


def test_a_tower_that_does_not_train_is_not_what_is_measured(monkeypatch):
    both = Sides(tower(), tower(trained=False))
    for free in (2**20, 2**23, 2**40):
        assert fits(both, free, monkeypatch) == fits(Sides(tower()), free, monkeypatch)


def test_nothing_that_trains_needs_no_graph(monkeypatch):
    assert fits(Sides(tower(trained=False)), 1, monkeypatch) == memory.MOST["cpu"]


@pytest.mark.parametrize("caching", [False, True])
def test_a_batch_that_does_not_fit_is_warned_of_where_all_its_graphs_are_kept(caching, monkeypatch, caplog):
    with caplog.at_level(logging.WARNING):
        fits(Sides(tower()), 2**20, monkeypatch, count=512, caching=caching)
    assert ("set [training] gradient_caching = true" in caplog.text) is not caching


def test_the_measurement_takes_nothing_from_the_random_stream(monkeypatch):
    task = Sides(tower())
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    fits(task, 2**40, monkeypatch)
    assert torch.equal(torch.rand(1), expected)
