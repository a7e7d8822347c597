"""A momentum tower from training to the stage that takes its copy, through the real command line."""

import json
from pathlib import Path
from typing import Any, Callable

from safetensors.torch import load_file

from relcon.model import SavedModel

CONFIG = Path(__file__).parent / "data" / "momentum.cfg"


def test_a_later_stage_takes_the_momentum_copy(train: Callable[..., Any], tmp_path: Path) -> None:
    ended = train(tmp_path / "run", config=CONFIG)
    assert ended.code == 0, ended.err
    model = tmp_path / "run/stages/pretrain/model"
    slow, trained = (load_file(model / name / "model.safetensors") for name in ("text_momentum", "text"))
    taken = load_file(tmp_path / "run/stages/finetune/model/text/model.safetensors")
    assert slow.keys() == trained.keys() == taken.keys()
    assert all(slow[name].equal(taken[name]) for name in slow), "fine-tuning for 0 epochs hands on what it took"
    assert any(not slow[name].equal(trained[name]) for name in slow)
    heads = load_file(model / "parts.safetensors")
    assert heads.keys() == {f"tasks.contrast.{side}.head.0.{name}" for side in ("tower", "candidate_tower") for name in ("weight", "bias")}
    about = json.loads((model / "model.json").read_text())
    assert list(about["encoders"]) == ["text", "text_momentum"] and list(about["poolers"]) == ["sentence", "sentence_momentum"]
    assert (model.parent / "snapshots/1/model/text_momentum/model.safetensors").exists()


def test_a_saved_contrast_has_its_own_copy_and_head(train: Callable[..., Any], tmp_path: Path) -> None:
    assert train(tmp_path / "run", config=CONFIG).code == 0
    model = tmp_path / "run/stages/pretrain/model"
    task = SavedModel(model).task("contrast")
    slow = load_file(model / "text_momentum/model.safetensors")
    mine = task.candidate_tower.encoder.model.state_dict()
    assert slow and all(mine[name].equal(value) for name, value in slow.items())
    heads = load_file(model / "parts.safetensors")
    assert task.candidate_tower.head[0].weight.equal(heads["tasks.contrast.candidate_tower.head.0.weight"])
    assert not task.candidate_tower.head[0].weight.equal(heads["tasks.contrast.tower.head.0.weight"])


def test_a_copy_that_no_tower_makes_is_refused_before_training(refused: Callable[..., str]) -> None:
    said = refused("--stages.finetune.encoders.text", "pretrain.text_momentun", config=CONFIG)
    assert "stage 'pretrain' has none of that name in its encoders. Did you mean 'pretrain.text_momentum'?" in said
    said = refused("--stages.pretrain.tasks.contrast.candidates", "null", config=CONFIG)
    assert "'pretrain.text_momentum': stage 'pretrain' has none of that name" in said
    said = refused("--stages.pretrain.tasks.contrast.candidates.suffix", "slow", config=CONFIG)
    assert "Did you mean 'pretrain.text_slow'?" in said and "Did you mean 'pretrain.sentence_slow'?" in said
