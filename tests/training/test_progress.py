"""What a training shows while it goes, without a terminal: the text, the numbers in it, and when nothing is shown."""

from types import SimpleNamespace

import pytest
import torch

from relcon.training.loop import StepRecord
from relcon.training.progress import Progress, duration, figures, peak_memory_bytes, size, smoothed, title


def record(step, seconds=0.5, **parts):
    return StepRecord(step, 1, sum(parts.values()), parts, 1e-3, 16, seconds)


def loop(main=True):
    accelerator = SimpleNamespace(device=torch.device("cpu"), is_main_process=main)
    return SimpleNamespace(name="finetune", steps=40, epochs=4, done=10, accelerator=accelerator)


def test_where_it_is():
    assert title("folds/fold_01", "finetune", 2, 3) == "folds/fold_01 finetune, epoch 2/3"
    assert title("", "pretrain", 1, 1) == "pretrain, epoch 1/1"


def test_losses_speed_time_and_memory():
    said = figures({"relation": 0.43214, "contrast": 2.1}, 123.4, 5025, 3 * 2**29, "cpu")
    assert said == "relation 0.4321, contrast 2.1000, 123 instances/s, 1:23:45 h left, 1.5 GiB (cpu)"


@pytest.mark.parametrize("seconds, said", [(0, "0 s"), (0.31, "0.3 s"), (12.4, "12 s"), (185, "3:05 min"), (5025, "1:23:45 h")])
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_sizes():
    assert (size(812 * 2**20), size(1.25 * 2**30)) == ("812 MiB", "1.2 GiB")


def test_speed_is_smoothed():
    assert smoothed(0.0, 50.0) == 50.0
    assert smoothed(100.0, 50.0) == pytest.approx(95.0)


def test_a_line_per_epoch_without_a_terminal(capsys):
    with Progress(loop(), 0, "seeds/seed_3") as progress:
        for step in (11, 12):
            progress.update(record(step, relation=0.5))
        assert capsys.readouterr().err == "", "no bar"
        progress.epoch_line(12, {"relation": 0.75})
    line = capsys.readouterr().err
    assert line.startswith("seeds/seed_3 finetune, epoch 1/4: step 12/40, relation 0.7500, 32 instances/s, 14 s left, ")
    assert line.endswith("iB (cpu)\n")


def test_nothing_outside_the_main_process(capsys):
    with Progress(loop(main=False), 0) as progress:
        progress.update(record(11, relation=0.5))
        progress.epoch_line(11, {"relation": 0.5})
    assert capsys.readouterr().err == ""


def test_on_a_terminal_the_bar_counts_the_whole_stage(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress(loop(), 0) as progress:
        assert progress.bar is not None and not progress.bar.disable
        for step in range(11, 21):
            progress.update(record(step, relation=0.5, contrast=1.5))
        assert (progress.bar.n, progress.bar.total) == (20, 40)
        progress.bar.refresh()
        progress.epoch_line(20, {"relation": 0.5})
    shown = capsys.readouterr().err
    assert "finetune, epoch 1/4 |" in shown and "20/40" in shown
    assert "relation 0.5000, contrast 1.5000, 32 instances/s, 10 s left" in shown
    assert ": step 20/40" not in shown, "the bar says it"


def test_peak_memory_of_this_process():
    assert peak_memory_bytes(torch.device("cpu")) > 1e6
