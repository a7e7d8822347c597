"""The sweep of five papers: its cells are sound and differ in what they are about; what cannot work is said as its page says it."""

import re
from pathlib import Path

import pytest

from relcon.sweep import check_cells, read_sweep

FOLDER = Path(__file__).parents[1] / "benchmarks/side_by_side"
PATHS = [word for name in ("train", "test", "parser") for word in (f"--paths.{name}", name)]
AFTER_EPOCHS = ("cloce", "errors_under_ntxent")
"""Cells whose contrast has steps after the epochs of fine-tuning, not in front of it."""


@pytest.fixture(scope="module")
def trees():
    """Cell -> its config."""
    return {cell.name: cell.load(PATHS).tree for cell in read_sweep(FOLDER / "sweep.cfg").cells}


def test_every_cell_is_sound():
    sweep = read_sweep(FOLDER / "sweep.cfg")
    assert check_cells(sweep.cells, sweep.figure, PATHS) == {}


def test_all_cells_share_data_evaluation_fine_tuning_and_the_number_of_steps(trees):
    alone = trees["none"]
    for name, tree in trees.items():
        assert [tree[part] for part in ("data", "protocol", "training")] == [alone[part] for part in ("data", "protocol", "training")]
        stages, tuned, usual = tree["stages"], tree["stages"]["finetune"], alone["stages"]["finetune"]
        assert stages["evaluate"] == alone["stages"]["evaluate"]
        assert all(tuned[part] == usual[part] for part in ("epochs", "max_steps", "optimizer"))
        assert (tuned["streams"]["train"], tuned["tasks"]["relation"]) == (usual["streams"]["train"], usual["tasks"]["relation"])
        if name in ("none", *AFTER_EPOCHS):
            assert "pretrain" not in stages
            assert tuned["encoders"]["text"] == tree["vars"]["encoder"]
        else:
            assert stages["pretrain"]["max_steps"] == tree["vars"]["steps"]
            assert stages["pretrain"]["encoders"]["text"] == tree["vars"]["encoder"]
            assert stages["pretrain"]["streams"]["sentences"]["batch_size"] == tree["vars"]["sentences"]
            assert {**tuned, "encoders": None} == {**usual, "encoders": None}


def test_no_two_cells_are_the_same(trees):
    seen = [repr(tree["stages"]) for tree in trees.values()]
    assert len(set(seen)) == len(seen) == 15


def test_what_cannot_work_is_said_as_the_page_says_it():
    """A cell's name in brackets, and below it what is said as a quotation."""
    page = (FOLDER / "impossible.md").read_text(encoding="utf-8")
    parts = re.split(r"\(`(\w+)`\)", page)[1:]
    written = {name: " ".join(re.findall(r"^> (.*)$", text, re.MULTILINE)) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    sweep = read_sweep(FOLDER / "impossible.cfg")
    found = check_cells(sweep.cells, sweep.figure, PATHS)
    assert list(found) == [cell.name for cell in sweep.cells] == list(written)
    for name, message in found.items():
        assert message.endswith(written[name]), name
        assert "more)" not in message
