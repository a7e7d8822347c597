"""The study (`benchmarks/cloce`): every run that it starts is sound, and what it reads of logs."""

import json
import sys
from pathlib import Path

import pytest

from relcon.checking import check_config
from relcon.config import load_config

FOLDER = Path(__file__).parents[3] / "benchmarks/cloce"
RECORD = {"token": ["a", "b"], "h": {"pos": [0, 1]}, "t": {"pos": [1, 2]}, "relation": "r"}


@pytest.fixture
def modules(monkeypatch, tmp_path):
    """`study` and `curves`, with an invented file in place of Wiki80's."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("study", "curves"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import curves
    import study

    (tmp_path / "wiki80").mkdir()
    for name in ("train_0.1", "dev"):
        (tmp_path / f"wiki80/{name}.txt").write_text(json.dumps(RECORD) + "\n")
    monkeypatch.setattr(study, "DATA", tmp_path)
    return study, curves


def test_every_run_of_the_study_is_sound_and_no_two_are_the_same(modules, tmp_path):
    study, _ = modules
    seen = set()
    for target, where in study.TARGETS.items():
        config = study.ROOT / f"configs/cloce/{where.corpus}.cfg"
        assert check_config(load_config(config, study.pretraining(where.corpus))) == []
        for arm in where.arms:
            loaded = load_config(config, study.fine_tuning(arm, target, tmp_path, full=True))
            assert check_config(loaded) == [], (target, arm)
            assert ("contrast" in loaded.tree["stages"]["finetune"]["tasks"]) == arm.startswith("CLoCE")
            assert loaded.tree["protocol"].get("shots", 0) == where.shots
            seen.add(json.dumps([loaded.tree["stages"], loaded.tree["protocol"]]) + where.corpus)
            assert study.ARMS[arm].against in where.arms
    assert len(seen) == sum(len(where.arms) for where in study.TARGETS.values()) == 36


def run_of(folder, seed, dev, phases, best):
    """What a run of two epochs leaves, as far as the study reads it."""
    run = folder / f"seeds/seed_{seed}"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"stages": {"finetune": {"figures": {"epoch": best}}}}))
    looks = [{"event": "dev", "stage": "finetune", "epoch": n + 1, "accuracy": a, "f1": f} for n, (a, f) in enumerate(dev)]
    after = [
        {"event": event, "stage": "finetune", "phase": "after", "epoch": n + 1, "figures": {"pairs.errors": e, "pairs.pairs": p}}
        for n, (event, e, p) in enumerate(phases)
    ]
    other = [{"event": "epoch", "stage": "finetune", "epoch": 1, "figures": {}}, {"event": "epoch", "stage": "pretrain", "epoch": 1}]
    (run / "log.jsonl").write_text("".join(json.dumps(each) + "\n" for each in [*other, *looks, *after]))
    return run


def test_curves_are_means_over_seeds_and_the_best_epoch_is_that_of_the_kept_model(modules, tmp_path):
    _, curves = modules
    run_of(tmp_path, 1, [(0.5, 0.25), (0.75, 0.5)], [("epoch", 10, 15), ("left_out", 0, 0)], best=2)
    two = run_of(tmp_path, 2, [(1.0, 0.75), (0.25, 0.5)], [("epoch", 20, 5), ("epoch", 4, 8)], best=1)
    assert curves.curves_of(tmp_path) == {"accuracy": [0.75, 0.5], "f1": [0.5, 0.5], "errors": [15, 2], "pairs": [10, 4]}
    assert curves.best_epoch(two) == (1, 1.0, 0.75)
    curves.write_curves({"all": {"arm": curves.curves_of(tmp_path)}, "nothing": {}}, tmp_path)
    assert json.loads((tmp_path / "curves.json").read_text())["all"]["arm"]["errors"] == [15, 2]
    assert (tmp_path / "curves.png").stat().st_size > 0
