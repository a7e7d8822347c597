"""Blocks become components; what a constructor refuses is told with the block's place; a saved config repeats the run."""

import json

import pytest

from relcon.checking import check_config
from relcon.components import component_of
from relcon.config import load_config, resolve
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective, Encoder, Sampler, TowerPlan

AUGMENTER = "stages.pretrain.streams.views.augmenter"


def test_a_stage_with_everything_in_it(toy):
    stage = resolve(toy().tree["stages"]["pretrain"], "[stages.pretrain]")
    task = stage.tasks["contrast"]
    assert isinstance(stage.encoders, dict) and isinstance(stage.encoders["text"], Encoder)
    assert isinstance(stage.streams["views"], Sampler) and stage.streams["views"].augmenter.rate == 0.2
    assert isinstance(task.anchors, TowerPlan) and task.anchors.head == [4, 2]
    assert isinstance(task.objective, ContrastiveObjective) and task.objective.temperature == 0.05
    assert (stage.max_steps, stage.notes) == (10, None)


def test_texts_stay_texts_and_a_copied_section_is_built_anew(toy):
    tree = toy().tree
    stage = resolve(tree["stages"]["finetune"], "[stages.finetune]")
    assert stage.encoders == {"text": "pretrain.text"} and stage.tasks == {}
    assert isinstance(stage.streams["again"], Sampler)
    assert tree["stages"]["finetune"]["streams"]["again"] == tree["stages"]["pretrain"]["streams"]["views"]
    assert tree["stages"]["finetune"]["streams"]["again"] is not tree["stages"]["pretrain"]["streams"]["views"]


def test_resolving_changes_nothing(toy):
    loaded = toy()
    before = json.dumps(loaded.tree)
    resolve(loaded.tree["stages"]["pretrain"], "[stages.pretrain]")
    assert json.dumps(loaded.tree) == before


def test_what_a_constructor_refuses_has_its_place(edited):
    loaded = edited(("rate = 0.2", "rate = 7"))
    with pytest.raises(RelconError) as raised:
        resolve(dict(loaded.tree["stages"]["pretrain"]), "[stages.pretrain]")
    assert str(raised.value) == f"{loaded.path}:29: [{AUGMENTER}] rate must lie between 0 and 1, got 7"


def test_a_constructor_that_fails_has_its_place_and_name(toy, monkeypatch):
    toy()
    monkeypatch.setattr(component_of("readers", "toy.Lines.v1"), "__init__", lambda self: {}["missing"])
    with pytest.raises(RelconError, match=r"^\[reader\] 'toy.Lines.v1' could not be made: KeyError: 'missing'. --debug shows where.$"):
        resolve({"@readers": "toy.Lines.v1"}, "[reader]")


def test_a_component_that_makes_something_else(toy):
    loaded = toy(f"--{AUGMENTER}.@augmenters", "toy.Liar.v1")
    with pytest.raises(RelconError, match=r"'toy.Liar.v1' made a int, not a Augmenter"):
        resolve(loaded.tree["stages"]["pretrain"], "[stages.pretrain]")


def test_an_unchecked_block_with_an_argument_too_many(toy):
    toy()
    with pytest.raises(RelconError, match=r"\[reader\] 'toy.Lines.v1' takes no \['delimiter'\]"):
        resolve({"@readers": "toy.Lines.v1", "delimiter": ","}, "[reader]")


def test_an_unchecked_block_with_an_argument_too_few():
    """As in the `model.json` of another version: one line, not a TypeError."""
    with pytest.raises(RelconError, match=r"\[candidates\.encoder\] 'relcon.Transformer.v1' needs \['path'\]. Give them; a saved model"):
        resolve({"@encoders": "relcon.Transformer.v1"}, "[candidates.encoder]")


def test_a_saved_config_is_complete_and_the_same_again(toy, tmp_path, toy_code):
    first, second = tmp_path / "first.cfg", tmp_path / "second.cfg"
    toy("--training.seed", "3").save(first)
    again = load_config(first, code=[toy_code])
    assert check_config(again) == []
    again.save(second)
    assert first.read_text() == second.read_text()
    assert again.tree["training"] == {
        "seed": 3, "batch_size": 8, "max_steps": 10, "epochs": 1, "device": "auto", "precision": "no", "compile": False,
        "log_every": 50, "micro_batch_tokens": "auto", "gradient_caching": False, "trackers": [], "checkpoint_every": 0, "keep_last": 2,
        "keep_best": 1,
    }  # fmt: skip
    assert again.tree["stages"]["pretrain"]["streams"]["views"]["shuffle"] is True
    assert again.tree["stages"]["pretrain"]["tasks"]["contrast"]["objective"]["several"] == "mean"
    assert "$" not in first.read_text()


def test_a_saved_config_is_written_depth_first(toy, tmp_path):
    toy().save(tmp_path / "saved.cfg")
    headers = [line for line in (tmp_path / "saved.cfg").read_text().splitlines() if line.startswith("[")]
    assert headers[:6] == ["[paths]", "[vars]", "[training]", "[data]", "[data.reader]", "[stages]"]
    assert headers[6:13] == [
        "[stages.pretrain]", "[stages.pretrain.encoders]", "[stages.pretrain.encoders.text]", "[stages.pretrain.poolers]",
        "[stages.pretrain.poolers.first]", "[stages.pretrain.streams]", "[stages.pretrain.streams.views]",
    ]  # fmt: skip
    assert headers[-1] == "[stages.evaluate]"


def test_a_dollar_in_a_value_survives(toy, tmp_path, toy_code):
    toy("--paths.train", "$HOME/x").save(tmp_path / "saved.cfg")
    assert load_config(tmp_path / "saved.cfg", code=[toy_code]).tree["data"]["train"] == "$HOME/x"
