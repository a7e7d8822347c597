"""What a sweep file may say, and every mistake with its line."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relcon.errors import ConfigError, RelconError
from relcon.sweep import read_sweep


def mistakes(sweep, *changes, **options):
    with pytest.raises(ConfigError) as error:
        sweep(*changes, **options)
    return [f"{problem.where.rpartition('/')[2]}: {problem.message}" for problem in error.value.problems]


def test_cells_are_the_product_of_the_axes(sweep):
    found = sweep()
    assert [cell.name for cell in found.cells] == ["drop+small", "drop+large", "swap+small", "swap+large"]
    assert [cell.title for cell in found.cells][1:3] == ["dropping words + large", "swap + small"]
    assert (found.figure.stage, found.figure.name, found.figure.evaluator) == ("evaluate", "scores.f1", "scores")
    assert found.baseline == "drop+small"


def test_skipped_cells_and_an_empty_title(sweep):
    skip = ('"drop+small"', '"drop+small"\nskip = ["drop+large", "swap+small"]')
    found = sweep(skip, ("[axes.size.small]", '[axes.size.small]\ntitle = ""'))
    assert [(cell.name, cell.title) for cell in found.cells] == [("drop+small", "dropping words"), ("swap+large", "swap + large")]


def test_a_sweep_may_be_yaml(tmp_path, toy_cfg, toy_code):
    text = f"""
sweep: {{config: "{toy_cfg}", figure: evaluate.f1}}
axes:
  change:
    drop:
    swap: {{title: swapping, stages: {{pretrain: {{max_steps: 3}}}}}}
"""
    (tmp_path / "sweep.yaml").write_text(text.replace("    drop:\n", "    drop: {}\n"))
    found = read_sweep(tmp_path / "sweep.yaml")
    assert [cell.title for cell in found.cells] == ["drop", "swapping"]
    loaded = found.cells[1].load(["--paths.train", "x"], [toy_code])
    assert loaded.tree["stages"]["pretrain"]["max_steps"] == 3 and loaded.tree["stages"]["pretrain"]["streams"]


def test_seeds_become_the_protocol_of_every_cell(sweep, toy_code):
    found = sweep(("[axes.change.drop]", "seeds = [1, 2]\n[axes.change.drop]"))
    for cell in found.cells:
        loaded = cell.load([], [toy_code])
        assert loaded.tree["protocol"] == {"@protocols": "relcon.Seeds.v1", "seeds": [1, 2]}
        assert loaded.laid[-1] == "[sweep] seeds of sweep.cfg"


def test_a_variant_may_have_a_base_of_its_own(sweep, tmp_path, toy_code):
    other = (tmp_path / "toy.cfg").read_text().replace("seed = 0", "seed = 7")
    (tmp_path / "other.cfg").write_text(other)
    found = sweep(('title = "dropping words"', 'config = "other.cfg"'))
    seeds = {cell.name: cell.load([], [toy_code]).tree["training"]["seed"] for cell in found.cells}
    assert seeds == {"drop+small": 7, "drop+large": 7, "swap+small": 0, "swap+large": 0}


def test_two_bases_in_one_cell(sweep):
    both = [('title = "dropping words"', 'config = "a.cfg"'), ("[axes.size.small]", '[axes.size.small]\nconfig = "b.cfg"')]
    (message,) = mistakes(sweep, *both)
    assert message.startswith("sweep.cfg:15: [axes.size.small] config: so does [axes.change.drop], and both meet in the cell 'drop+small'")
    assert len(sweep(*both, ('"drop+small"', '"swap+small"\nskip = ["drop+small"]')).cells) == 3


@pytest.mark.parametrize(
    "change, message",
    [
        (("figure = ", "figur = "), "sweep.cfg:4: [sweep] this section takes no 'figur'. Did you mean 'figure'?"),
        (('"evaluate.scores.f1"', '"f1"'), 'sweep.cfg:4: [sweep] figure: expected "STAGE.FIGURE", as in "evaluate.scores.f1", got "f1".'),
        (('"evaluate.scores.f1"', "3"), "sweep.cfg:4: [sweep] figure: expected a text, got 3."),
        (
            ('"drop+small"', '"drop+smal"'),
            "sweep.cfg:5: [sweep] baseline: there is no cell 'drop+smal'. Cells are called by a variant of each axis (change, size), "
            "joined by \"+\". Did you mean 'drop+small'?",
        ),
        (('"drop+small"', '"drop+small"\nskip = ["drop+small"]'), "sweep.cfg:5: [sweep] baseline: there is no cell 'drop+small'."),
        (('"drop+small"', '"drop+small"\nskip = ["swap"]'), "sweep.cfg:6: [sweep] skip: there is no cell 'swap'."),
        (('baseline = "drop+small"', "seeds = 3"), "sweep.cfg:5: [sweep] seeds: expected a list, each a whole number or null, got 3."),
        (("title", "titel"), "sweep.cfg:8: [axes.change.drop] this section takes no 'titel'. Did you mean 'title'?"),
        (("[axes.size.small]", "[axis.size.small]"), "sweep.cfg:14: [axis] is no section of a sweep."),
        (("[axes.size.small]", "[axes.size.a/b]"), "sweep.cfg:14: [axes.size.a/b] 'a/b' cannot name a folder"),
        (("[axes.size.small]", "[axes.size]\nsmall = 1"), "sweep.cfg:15: [axes.size] small stands in no variant."),
        (("[axes.size.small]", "[axes.depth]"), "sweep.cfg:14: [axes.depth] has no variant. Variants look like [axes.depth.VARIANT]."),
        (("[axes.size.small]", "[sweep.size.small]"), "sweep.cfg:14: [sweep.size] is no section of a sweep. Write [axes.AXIS.VARIANT]."),
        (("[axes.size.small]", "what is this"), "sweep.cfg:14: 'what is this' is neither [section] nor key = value nor # comment."),
    ],
)
def test_a_mistake_is_named_with_its_line(sweep, change, message):
    assert any(each.startswith(message) for each in mistakes(sweep, change)), mistakes(sweep, change)


def test_what_is_missing(sweep):
    (no_axis, *_) = mistakes(sweep, text='[sweep]\nconfig = "a.cfg"\nfigure = "a.b"\n')
    assert no_axis.startswith("sweep.cfg: there is no axis.")
    (no_sweep,) = mistakes(sweep, text="[axes.a.b]\n")
    assert no_sweep.startswith("sweep.cfg: has no section [sweep].")
    needs = mistakes(sweep, text="[sweep]\n[axes.a.b]\n")
    assert [each.partition(" (")[0] for each in needs] == [
        "sweep.cfg:1: [sweep] this section needs 'config'",
        "sweep.cfg:1: [sweep] this section needs 'figure'",
    ]
    (nothing,) = mistakes(sweep, text='[sweep]\nconfig = "a.cfg"\nfigure = "a.b"\nskip = ["c"]\n[axes.a.c]\n')
    assert nothing == "sweep.cfg:4: [sweep] skip: leaves out every cell."


def test_cells_by_name(sweep):
    found = sweep()
    assert [cell.name for cell in found.chosen(["swap+large", "drop+small"])] == ["drop+small", "swap+large"]
    assert len(found.chosen([])) == 4
    with pytest.raises(RelconError, match=r"--only swap\+lage: there is no such cell. Did you mean 'swap\+large'\?"):
        found.chosen(["swap+lage"])


LINES = st.sampled_from(
    """
    [sweep]; [axes]; [axes.a]; [axes.a.b]; [axes.a.b.stages.c]; [axes.x y.b]; [sweep.a]; [[]; config = 1; config = "a.cfg"; figure = "a.b";
    figure = ${a.b}; baseline = null; baseline = "b"; seeds = [1]; seeds = [[; skip = ["b"]; title = {}; title; x = 1
    """.strip().split("; ")
)


@given(st.lists(LINES | st.text(max_size=12), max_size=14), st.sampled_from([".cfg", ".yaml"]))
@example(["[sweep]", 'config = "a.cfg"', 'figure = "a.b"', "[axes.a.b]"], ".cfg")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_ends_in_a_sweep_or_in_its_mistakes(tmp_path, lines, suffix):
    (tmp_path / f"any{suffix}").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    with suppress(ConfigError):
        assert read_sweep(tmp_path / f"any{suffix}").cells
