"""Overrides: any key by its path, whole components by their `@` key, and what an override cannot do."""

from pathlib import Path

import pytest

from relcon.checking import check_config
from relcon.config.overriding import parse_overrides
from relcon.errors import ConfigError

DROP = "--stages.pretrain.streams.views.augmenter"


def test_both_notations_and_json_values():
    found = parse_overrides(["--a.b", "3", "--a.c=x y", "--a.d", "[1, 2]", "--a.e", "null", "--paths.train", "2020", "--a.f", "-1"])
    assert [(override.place, override.value) for override in found] == [
        ("--a.b", "3"), ("--a.c", '"x y"'), ("--a.d", "[1, 2]"), ("--a.e", "null"), ("--paths.train", '"2020"'), ("--a.f", "-1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words, message", [(["x"], "not an override"), (["--a.b", "--DEFAULT.x", "1"], "not an override")]
)
def test_words_that_are_no_override(words, message):
    with pytest.raises(ConfigError, match=message):
        parse_overrides(words)


def test_an_override_beats_the_file_and_what_refers_to_it_follows(toy):
    loaded = toy("--training.batch_size", "4", "--stages.pretrain.max_steps=7", "--paths.train", "$x/a #1.txt")
    assert loaded.tree["stages"]["pretrain"]["streams"]["views"]["size"] == 4
    assert loaded.tree["stages"]["pretrain"]["max_steps"] == 7
    assert loaded.tree["data"]["train"] == "$x/a #1.txt"
    assert check_config(loaded) == []


def test_a_value_may_refer(toy):
    loaded = toy("--stages.pretrain.max_steps", "${training.batch_size}", "--vars.temperature", "1e-3")
    assert loaded.tree["stages"]["pretrain"]["max_steps"] == 8
    assert loaded.tree["stages"]["pretrain"]["tasks"]["contrast"]["objective"]["temperature"] == 1e-3


def test_an_argument_that_the_file_leaves_to_its_default(toy):
    loaded = toy("--data.reader.on_error", "skip", "--data.weights.a", "0.5")
    assert loaded.tree["data"]["reader"]["on_error"] == "skip"
    assert loaded.tree["data"]["weights"] == {"a": 0.5}
    assert check_config(loaded) == []


def test_replacing_a_component_keeps_what_the_new_one_knows(toy):
    loaded = toy(f"{DROP}.@augmenters", "toy.Swap.v1", f"{DROP}.times", "3")
    assert loaded.tree["stages"]["pretrain"]["streams"]["views"]["augmenter"] == {"@augmenters": "toy.Swap.v1", "seed": 5, "times": 3}
    assert check_config(loaded) == []


def test_a_reference_to_what_was_replaced(edited):
    loaded = edited(
        ("temperature = 0.05", "temperature = ${stages.pretrain.streams.views.augmenter.rate}"),
        words=[f"{DROP}.@augmenters", "toy.Swap.v1"],
    )
    (problem,) = check_config(loaded)
    assert problem.message.endswith(f"is gone, because {DROP}.@augmenters replaced the component that it belonged to.")


def test_a_block_may_stand_among_vars_and_be_copied(edited):
    loaded = edited(
        ("[training]", '[vars.augmenter]\n@augmenters = "toy.Drop.v1"\nrat = 1\n[training]'),
        (
            "again = ${stages.pretrain.streams.views}",
            '[stages.finetune.streams.again]\n@samplers = "toy.Views.v1"\nsize = 1\naugmenter = ${vars.augmenter}',
        ),
        words=["--vars.augmenter.rate", "0.5"],
    )
    (problem,) = check_config(loaded)
    assert "takes no 'rat'" in problem.message


def test_order_of_the_words_does_not_matter(toy):
    loaded = toy(f"{DROP}.times", "3", f"{DROP}.@augmenters", "toy.Swap.v1")
    assert check_config(loaded) == []


def test_a_block_in_place_of_a_text(toy):
    loaded = toy("--stages.finetune.encoders.text.@encoders", "toy.Encoder.v1", "--stages.finetune.encoders.text.path", "big")
    assert loaded.tree["stages"]["finetune"]["encoders"]["text"] == {"@encoders": "toy.Encoder.v1", "path": "big"}
    assert check_config(loaded) == []


def test_a_text_in_place_of_a_block(toy, load):
    loaded = toy("--stages.finetune.encoders.text", "pretrain.text", "--stages.pretrain.encoders.text", "elsewhere.text")
    assert loaded.tree["stages"]["pretrain"]["encoders"] == {"text": "elsewhere.text"}


def test_a_section_that_the_file_does_not_have(toy):
    loaded = toy("--protocol.@protocols", "toy.Seeds.v1", "--protocol.seeds", "[1, 2]")
    assert loaded.tree["protocol"] == {"@protocols": "toy.Seeds.v1", "seeds": [1, 2]}
    assert check_config(loaded) == []


def test_null_takes_a_section_away(toy, load):
    loaded = toy("--stages.pretrain.tasks.contrast.anchors.head", "null", "--protocol", "null")
    assert loaded.tree["protocol"] is None
    assert check_config(loaded) == []


def test_null_leaves_a_stage_out(toy):
    loaded = toy("--stages.evaluate", "null")
    assert list(loaded.tree["stages"]) == ["pretrain", "finetune"]
    assert check_config(loaded) == []


@pytest.mark.parametrize("part", ["pretrain.tasks.contrast", "finetune.encoders.text", "finetune.streams.again"])
def test_null_leaves_out_what_the_config_named(toy, part):
    """A block, a text and a reference."""
    stage, kind, _ = part.split(".")
    loaded = toy(f"--stages.{part}", "null")
    assert loaded.tree["stages"][stage][kind] == {}
    assert check_config(loaded) == []


def test_what_names_a_part_that_was_left_out(toy):
    problems = check_config(toy("--stages.pretrain.poolers.first", "null"))
    assert any("'pretrain.first'" in problem.message for problem in problems), problems


def test_null_of_a_part_that_is_not_there(toy):
    (problem,) = check_config(toy("--stages.pretrain.tasks.contrats", "null"))
    assert problem.where == "--stages.pretrain.tasks.contrats"


def test_a_reference_to_a_stage_that_was_left_out(toy):
    problems = check_config(toy("--stages.pretrain", "null"))
    assert any("${stages.pretrain.streams.views} is gone" in problem.message for problem in problems), problems


def test_inside_a_dictionary_written_as_one_value(load):
    text = '[vars]\nn = 5\na = {"b": {"c": 1, "d": 2, "e": 3, "f": 4}}\n'
    loaded = load(text, "--vars.a.b.c", "2", "--vars.a.b.d", "True", "--vars.a.b.e", "${vars.n}", "--vars.a.b.g", "x")
    assert loaded.tree["vars"]["a"] == {"b": {"c": 2, "d": True, "e": 5, "f": 4, "g": "x"}}


def test_inside_a_reference_is_refused(toy):
    (problem,) = toy("--stages.finetune.streams.again.size", "3").problems
    assert problem.where == "--stages.finetune.streams.again.size"
    assert "override what it refers to" in problem.message


def test_inside_a_value_is_refused(toy):
    (problem,) = toy("--training.seed.x", "3").problems
    assert "is a value, not a section" in problem.message


@pytest.mark.parametrize(
    "word, near",
    [
        ("--training.sede", "--training.seed"),
        ("--trainign.seed", "--training.seed"),
        ("--paths.trian", "--paths.train"),
        ("--stages.pretrian.max_steps", "--stages.pretrain.max_steps"),
        ("--stages.pretrain.streams.views.augmentr.rate", "--stages.pretrain.streams.views.augmenter.rate"),
        ("--data.reader.on_eror", "--data.reader.on_error"),
        ("--stages.pretrain.stream.views.size", "--stages.pretrain.streams.views.size"),
    ],
)
def test_an_override_that_lands_nowhere(toy, word, near):
    (problem,) = check_config(toy(word, "3"))
    assert problem.where == word
    assert problem.message.startswith("does not override anything: [")
    assert problem.message.endswith(f". Did you mean '{near}'?")


def test_values_from_overrides_are_checked_too(toy):
    (problem,) = check_config(toy("--training.batch_size", "many"))
    assert str(problem) == '--training.batch_size: [training] batch_size: expected a whole number, got "many".'


def test_a_component_that_nobody_offers_leaves_the_rest_alone(toy):
    (problem,) = check_config(toy(f"{DROP}.@augmenters", "toy.Swop.v1"))
    assert problem.where == f"{DROP}.@augmenters"
    assert "Did you mean 'toy.Swap.v1'?" in problem.message


def test_broken_json(toy):
    (problem,) = [problem for problem in check_config(toy("--vars.temperature", "[1,"))]
    assert problem.where == "--vars.temperature"
    assert "not valid JSON" in problem.message


def test_as_written_lists_the_overrides(toy, tmp_path: Path):
    loaded = toy("--training.seed", "3")
    loaded.save_as_written(tmp_path / "as.cfg")
    text = (tmp_path / "as.cfg").read_text()
    assert text.startswith("# overrides: --paths.train train.txt --training.seed 3\n# A config of the toy components")
    assert text.endswith(loaded.text)
