"""Sweep files over the toy config."""

import json
import shutil
from pathlib import Path

import pytest

from relcon.sweep import read_sweep

SWEEP = """
[sweep]
config = "toy.cfg"
figure = "evaluate.scores.f1"
baseline = "drop+small"

[axes.change.drop]
title = "dropping words"

[axes.change.swap.stages.pretrain.streams.views.augmenter]
@augmenters = "toy.Swap.v1"
times = 2

[axes.size.small]

[axes.size.large.training]
batch_size = ${vars.many}
[axes.size.large.vars]
many = 64
"""


@pytest.fixture
def sweep(tmp_path, toy_cfg):
    """`sweep(("size.large", "size.huge"), text)`: the sweep file with pieces of its text replaced, as it is read."""
    shutil.copy(toy_cfg, tmp_path / "toy.cfg")

    def read(*changes, text=SWEEP):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "sweep.cfg").write_text(text)
        return read_sweep(tmp_path / "sweep.cfg")

    return read


@pytest.fixture
def ran():
    """`ran(folder, figures, log)`: a folder as a finished run leaves it. figures: stage -> what it measured."""

    def make(folder: Path, figures, log=(), seconds=2.0):
        folder.mkdir(parents=True)
        stages = {name: {"state": "done", "seconds": seconds, "figures": each} for name, each in figures.items()}
        (folder / "run.json").write_text(json.dumps({"stages": stages, "versions": {}, "seed": 0}))
        (folder / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in log))

    return make
