"""Several processes give the loss and the gradients of one, whatever the objective, the cut and the caching."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from relcon import processes
from relcon.planning import cut, dealt
from relcon.testing import tiny_encoder_folder

WORK = Path(__file__).parent / "work.py"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Results by number of processes."""
    folder = tmp_path_factory.mktemp("processes")
    encoder = tiny_encoder_folder(folder / "encoder")
    every = ("ntxent", "infonce", "supcon", "bce", "margin")
    words = [word for count, objectives in {1: every, 2: every, 3: every[:1]}.items() for word in (str(count), ",".join(objectives))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, WORK, encoder, folder, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return {count: found(folder / str(count)) for count in (1, 2, 3)}


def found(place):
    """What so many processes found."""
    return json.loads((place / "told.json").read_text()), load_file(place / "tensors.safetensors")


def compared(runs, count):
    """What both have. Where there are fewer micro-batches than processes the inputs are dealt otherwise: other dropout."""
    alone, told = runs[1], runs[count]
    return [name for name in told[0] if count == 2 or name.endswith("0.0")], alone, told


@pytest.mark.parametrize("count", [2, 3])
def test_losses_and_counts_are_those_of_one_process(runs, count):
    names, (alone, _), (told, _) = compared(runs, count)
    assert len(names) == {2: 25, 3: 3}[count]
    for name in names:
        one, other = alone[name], told[name]
        assert other["loss"] == pytest.approx(one["loss"], abs=1e-9), name
        assert other["parts"] == pytest.approx(one["parts"], abs=1e-9), name
        assert other["counts"] == one["counts"], name
        for task, figures in one["figures"].items():
            assert other["figures"][task] == pytest.approx(figures, abs=1e-9), (name, task)


@pytest.mark.parametrize("count", [2, 3])
def test_gradients_are_those_of_one_process(runs, count):
    names, (_, alone), (_, tensors) = compared(runs, count)
    keys = [key for key in alone if key.partition(": ")[0] in names]
    assert keys and keys == [key for key in tensors if key.partition(": ")[0] in names]
    worst = {key: float((tensors[key] - alone[key]).abs().max()) for key in keys}
    assert max(worst.values()) < 1e-9, max(worst, key=worst.__getitem__)
    assert max(float(alone[key].abs().max()) for key in keys) > 1e-3


def test_the_ways_through_a_step_agree_in_one_process(runs):
    told, _ = runs[1]
    for name, one in told.items():
        if "cached" in name:
            assert one["loss"] == pytest.approx(told[name.replace("cached", "cut")]["loss"], abs=1e-9)


def flat(lists):
    return list(chain.from_iterable(lists))


# ---- who gets what -------------------------------------------------------------------------------------------------------


def test_parts_hold_every_input_once_and_keep_the_budget():
    lengths = [5, 90, 7, 30, 31, 8, 29, 200, 6]
    parts = cut(lengths, 64)
    assert sorted(flat(parts)) == list(range(9)) and len(parts) == 5
    for part in parts:
        assert len(part) == 1 or len(part) * max(lengths[number] for number in part) <= 64
    assert [lengths[number] for part in parts for number in part] == sorted(lengths)
    assert cut(lengths) == [flat(parts)] and cut([]) == []


def test_where_the_budget_asks_for_fewer_parts_than_processes_long_and_short_are_spread():
    parts = cut([1, 2, 3, 4, 5, 6], 0, least=2)
    assert parts == [[0, 2, 4], [1, 3, 5]]
    assert cut([3, 4], 0, least=4) == [[0], [1]] and cut([5], 0, least=2) == [[0]]
    assert len(cut([0] * 5, 10, least=2)) == 2, "inputs whose length nobody knows"


def test_work_is_dealt_evenly_and_completely():
    sizes = [10, 80, 30, 40, 20, 60]
    hands = dealt(sizes, 3)
    assert sorted(flat(hands)) == list(range(6))
    assert [sum(sizes[number] for number in hand) for hand in hands] == [80, 80, 80]
    assert dealt([], 2) == [[], []] and dealt([0, 0, 0, 0], 2) == [[0, 2], [1, 3]]


def test_in_one_process_nothing_happens():
    assert (processes.count(), processes.rank(), processes.is_main()) == (1, 0, True)
    tensor = torch.tensor([1.0, 2.0])
    assert processes.summed(tensor) is tensor and processes.largest(tensor) is tensor
    processes.require_same(3, "batch")
    done = []
    processes.on_main(lambda: done.append(1))
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        processes.on_main(lambda: 1 / 0)
