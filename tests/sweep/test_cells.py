"""A cell's config: variants laid over the base, and what is said of cells that cannot run."""

import pytest

from relcon.checking import check_config
from relcon.errors import ConfigError
from relcon.sweep import check_cells


@pytest.fixture
def lay(sweep, toy_code):
    """`lay(text)`: the config of the cell "swap+small", where `text` follows the header of the variant "small"."""

    def load(text="", *words):
        found = sweep(("[axes.size.small]", f"[axes.size.small]\n{text}"), ("evaluate.scores.f1", "evaluate.f1"))
        (cell,) = found.chosen(["swap+small"])
        return cell.load(["--paths.train", "x.txt", *words], [toy_code])

    return load


def said(loaded):
    return [f"{problem.where.rpartition('/')[2]}: {problem.message}" for problem in check_config(loaded)]


def test_a_block_replaces_all_of_the_block_that_was_there(lay):
    loaded = lay()
    assert said(loaded) == []
    augmenter = loaded.tree["stages"]["pretrain"]["streams"]["views"]["augmenter"]
    assert augmenter == {"@augmenters": "toy.Swap.v1", "times": 2}, "the old one's seed = 5 is gone, which an override would keep"


def test_keys_are_laid_over_those_that_are_there(lay):
    loaded = lay("[axes.size.small.stages.pretrain.streams.views]\nsize = 3")
    assert said(loaded) == []
    views = loaded.tree["stages"]["pretrain"]["streams"]["views"]
    assert (views["size"], views["@samplers"]) == (3, "toy.Views.v1")
    assert loaded.tree["stages"]["finetune"]["streams"]["again"]["size"] == 3, "what refers to it follows"


def test_a_replaced_stage_keeps_its_place_and_empty_sections_are_made(lay):
    stage = "[axes.size.small.stages.pretrain"
    loaded = lay(f'{stage}]\n@stages = "toy.Train.v1"\n{stage}.encoders]\n{stage}.poolers]\n{stage}.streams]\n{stage}.tasks]')
    assert list(loaded.tree["stages"]) == ["pretrain", "finetune", "evaluate"]
    assert loaded.tree["stages"]["pretrain"] == {"@stages": "toy.Train.v1", "encoders": {}, "poolers": {}, "streams": {}, "tasks": {}}


def test_an_empty_section_over_a_filled_one_changes_nothing(lay):
    assert lay("[axes.size.small.stages.pretrain.tasks]").tree == lay().tree


def test_null_leaves_a_part_out(lay):
    loaded = lay("[axes.size.small.stages]\nfinetune = null\n[axes.size.small.stages.evaluate]\nmodel = \"pretrain\"")
    assert said(loaded) == [] and list(loaded.tree["stages"]) == ["pretrain", "evaluate"]


def test_overrides_of_the_command_line_come_last(lay):
    loaded = lay("[axes.size.small.training]\nbatch_size = 3", "--training.batch_size", "5")
    assert loaded.tree["training"]["batch_size"] == 5


def test_a_variant_may_bring_vars_that_something_refers_to(sweep, toy_code):
    (cell,) = sweep().chosen(["drop+large"])
    loaded = cell.load(["--paths.train", "x"], [toy_code])
    assert check_config(loaded) == [] and loaded.tree["training"]["batch_size"] == 64


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "[axes.size.small.stages.pretain]\nmax_steps = 3",
            'sweep.cfg:16: [stages.pretain] needs @stages = "NAME" to say which component it is. '
            "Did you mean 'stages.pretrain.max_steps'?",
        ),
        (
            '[axes.size.small.stages.pretrain.tasks.contrast.objective]\n@objectives = "toy.Loss.v1"\ntemprature = 1',
            "sweep.cfg:17: [stages.pretrain.tasks.contrast.objective] 'toy.Loss.v1' takes no 'temprature'. "
            "Did you mean 'stages.pretrain.tasks.contrast.objective.temperature'?",
        ),
        (
            '[axes.size.small.stages.pretrain.tasks.contrast.objective]\n@objectives = "toy.Loss.v1"',
            "sweep.cfg:16: [stages.pretrain.tasks.contrast.objective] 'toy.Loss.v1' needs 'temperature'",
        ),
        ("[axes.size.small.training]\nbatch_size = x y", 'sweep.cfg:16: [training] batch_size: expected a whole number, got "x y".'),
        ("[axes.size.small.training]\nbatch_size = 'x'", "sweep.cfg:16: [training] batch_size: texts stand in double quotes"),
        ("[axes.size.small.vars]\nmany = 3", "sweep.cfg:16: [vars] has no 'many'."),
        ("[axes.size.small.data]\ntrain = ${paths.trian}", "sweep.cfg:16: [data] train: ${paths.trian} names nothing in this config."),
    ],
)
def test_mistakes_in_a_variant_are_named_with_its_line(lay, text, message):
    assert any(each.startswith(message) for each in said(lay(text))), said(lay(text))


def test_the_file_as_it_was_written_says_what_was_laid_over_it(lay, tmp_path):
    lay("", "--training.seed", "3").save_as_written(tmp_path / "kept.cfg")
    first, second, *_ = (tmp_path / "kept.cfg").read_text().splitlines()
    assert first == "# laid over it: [axes.change.swap] of sweep.cfg, [axes.size.small] of sweep.cfg"
    assert second == "# overrides: --paths.train x.txt --training.seed 3"


def test_of_each_cell_that_cannot_run_the_reason_in_one_line(sweep, toy_code):
    found = sweep(('"toy.Swap.v1"\ntimes = 2', '"toy.Swop.v1"'), ("evaluate.scores.f1", "evaluate.f1"))
    wrong = check_cells(found.cells, found.figure, ["--paths.train", "x"], [toy_code])
    assert set(wrong) == {"swap+small", "swap+large"}
    assert "sweep.cfg:11: [stages.pretrain.streams.views.augmenter] 'toy.Swop.v1' is not registered" in wrong["swap+small"]
    assert "\n" not in wrong["swap+small"]
    wrong = check_cells(found.cells[:1], found.figure, [], [toy_code])
    assert "Give --paths.train FILE." in wrong["drop+small"]
    both = check_cells(found.cells[:1], found.figure, ["--training.seed", "x"], [toy_code])
    assert both["drop+small"].endswith("(and 1 more)")


def test_a_base_that_is_not_there(sweep, toy_code):
    found = sweep(('"toy.cfg"', '"nowhere.cfg"'))
    assert "nowhere.cfg does not exist" in check_cells(found.cells, found.figure, [], [toy_code])["drop+small"]


@pytest.mark.parametrize(
    "figure, message",
    [
        ("evalute.f1", "[sweep] figure: 'evalute.f1': there is no stage 'evalute'. Did you mean 'evaluate'?"),
        ("evaluate.scores.f1", "[sweep] figure: 'evaluate.scores.f1': stage 'evaluate' has no evaluator 'scores'."),
    ],
)
def test_a_figure_that_no_stage_can_measure(sweep, toy_code, figure, message):
    found = sweep(("evaluate.scores.f1", figure))
    with pytest.raises(ConfigError) as error:
        found.cells[0].sound(found.figure, ["--paths.train", "x"], [toy_code])
    (problem,) = error.value.problems
    assert problem.where.endswith("sweep.cfg:4") and problem.message == message
