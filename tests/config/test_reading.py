"""Notation: `.cfg` and YAML are one tree; every trap works or is a message with file and line."""

import contextlib
import json
from pathlib import Path

import pytest
import yaml
from confection import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.config import load_config
from relcon.config.interpolation import interpolate
from relcon.config.overriding import apply_overrides, parse_overrides
from relcon.config.reading import parse_cfg
from relcon.config.writing import write
from relcon.errors import ConfigError


def said(loaded):
    """Problems with the file's name alone."""
    return [f"{Path(problem.where).name} {problem.message}" for problem in loaded.problems]


def test_places_of_sections_keys_and_what_lies_between(toy):
    loaded = toy()
    assert loaded.where(("training", "batch_size")).endswith("toy.cfg:8")
    assert loaded.where(("stages", "pretrain", "encoders", "text")).endswith("toy.cfg:21")
    assert loaded.where(("stages", "pretrain", "tasks", "contrast", "anchors", "head")).endswith("toy.cfg:40")
    assert loaded.where(("paths", "train")) == "--paths.train"


def test_values_lists_over_lines_and_implied_parents(toy):
    pretrain = toy().tree["stages"]["pretrain"]
    assert pretrain["tasks"]["contrast"]["anchors"]["head"] == [4, 2]
    assert pretrain["max_steps"] == 10
    assert pretrain["encoders"]["text"]["path"] == "from 8"
    assert list(toy().tree["stages"]) == ["pretrain", "finetune", "evaluate"]


def test_yaml_is_the_same_tree(toy, load):
    as_cfg = toy().tree
    assert load(yaml.safe_dump(json.loads(json.dumps(as_cfg)), sort_keys=False), suffix=".yaml").tree == as_cfg


def test_yaml_values_mean_what_they_mean_in_cfg(load):
    text = "training:\n  precision: no\n  lr: 1e-3\n  quoted: '3'\n  seed:\n  same: ${training.lr}\n  list: [1e-3, no, 'x', null]\n"
    assert load(text, suffix=".yml").tree["training"] == {
        "precision": "no", "lr": 1e-3, "quoted": "3", "seed": None, "same": 1e-3, "list": [1e-3, "no", "x", None],
    }  # fmt: skip


def test_yaml_keys_that_a_cfg_cannot_hold_are_a_value(load, tmp_path):
    loaded = load("vars:\n  weights:\n    CPR:3: 2\n", suffix=".yaml")
    assert loaded.tree["vars"]["weights"] == {"CPR:3": 2}
    loaded.save(tmp_path / "saved.cfg")
    assert load_config(tmp_path / "saved.cfg").tree["vars"] == {"weights": {"CPR:3": 2}}


@pytest.mark.parametrize(
    "text, message",
    [
        ("a: 1\n b: 2\n", "my.yaml:2: not valid YAML"),
        ("- a\n", "my.yaml:1: a config is a mapping of sections"),
        ("", "my.yaml: the config is empty."),
    ],
)
def test_unreadable_yaml(load, text, message):
    with pytest.raises(ConfigError) as raised:
        load(text, suffix=".yaml")
    assert message in str(raised.value)


def test_yaml_duplicate_and_circular(load):
    assert said(load("vars:\n  a: 1\n  a: 2\n", suffix=".yaml")) == [
        f"my.yaml:3 [vars] a was given at {load('vars:', suffix='.yaml').path}:2 already."
    ]
    assert "contains itself" in said(load("vars: &v\n  a: *v\n", suffix=".yaml"))[0]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("[vars]\na = 0.1  # note\n", 2, "a comment needs a line of its own"),
        ("[vars]\na = ${vars.b} ; note\nb = 1\n", 2, "a comment needs a line of its own"),
        ("[vars]\na = 'x'\n", 2, 'texts stand in double quotes: write "x"'),
        ("[vars]\na =\n", 2, "there is no value"),
        ("[vars]\na = [1, 2\nb = 1\n", 2, "not valid JSON: [1, 2."),
        ("[vars]\na = [cls, mean]\n", 2, "Texts in lists need double quotes"),
        ("[vars]\na = {mask} of {head}\n", 2, 'A text that begins with a brace needs double quotes around it: "{mask} of {head}"'),
        ("[vars]\na = 1\n  [other]\n", 2, "the next line is indented"),
        ("[vars]\na = 1\na = 2\n", 3, "was given at"),
        ("[vars]\na = 1\n[vars]\nb = 2\n", 3, "was opened at"),
        ("[vars.a]\nb = 1\n[vars]\na = 2\n", 4, "is a key here and a section at"),
        ("a = 1\n[vars]\n", 1, "'a' stands before the first [section]."),
        ("[vars]\nnonsense\n", 2, "'nonsense' is neither"),
        ("[vars]\n[a] b] = 3\n", 2, "'[a] b] = 3' is neither"),
        ("[DEFAULT]\na = 3\n", 1, "[DEFAULT] cannot be the name of a section."),
        ("[vars..a]\nb = [1,\n  2]\nb = 3\n", 1, "[vars..a] cannot be the name of a section."),
        ("[vars]\na = ${vars.a}\n", 2, "refers to itself: vars.a -> vars.a."),
        ("[vars]\na = ${vars.b}\nb = ${vars.a}\n", 3, "refers to itself: vars.a -> vars.b -> vars.a."),
        ("[vars]\na = ${vars.cuont}\ncount = 1\n", 2, "${vars.cuont} names nothing in this config. Did you mean 'vars.count'?"),
        ("[vars]\n[vars.a]\nb = ${vars}\n", 3, "refers to itself"),
        ("[vars]\na = $5\n", 2, "a dollar sign stands alone"),
        ('[vars]\na = "x${paths}"\n[paths]\n', 2, "${paths} is a section, which cannot be part of a text."),
        ('[vars]\nn = null\na = "${vars.n}/x"\n', 3, "${vars.n} is null, which cannot be part of a text."),
    ],
)
def test_traps_are_reported_with_their_line(load, text, line, message):
    (problem,) = load(text).problems
    assert problem.where.endswith(f"my.cfg:{line}")
    assert message in problem.message


def test_all_mistakes_of_notation_at_once(load):
    loaded = load("[vars]\na = 'x'\nb = 1 # c\nd = ${vars.x}\ne = ${vars.a}\nf = 1\n")
    assert [int(problem.where.rpartition(":")[2]) for problem in loaded.problems] == [2, 3, 4]
    assert loaded.tree["vars"]["f"] == 1


def test_a_list_that_is_not_indented(load):
    first, second = sorted(load("[vars]\na = [1,\n2]\n").problems)
    assert first.where.endswith(":2") and "lines that continue a list must be indented" in first.message
    assert second.where.endswith(":3") and "'2]' is neither [section] nor key = value nor # comment." in second.message


def test_a_mistake_in_a_section_is_told_once_where_it_stands(load):
    (problem,) = load("[vars]\ncopy = ${vars.s}\n[vars.s]\na = ${vars.gone}\n").problems
    assert problem.where.endswith("my.cfg:4")


def test_what_works(load):
    text = """
    [vars.deep.child]
    x = 1
    [vars]
    python = True
    nothing = None
    bare = some text
    hash = "a # b"
    dollar = "5$$ and $${x}"
    colon : 3
    # a comment
    ; another
    [vars.deep]
    y = 2
    """.replace("\n    ", "\n")
    loaded = load(text)
    assert not loaded.problems
    assert loaded.tree["vars"] == {
        "python": True, "nothing": None, "bare": "some text", "hash": "a # b", "dollar": "5$ and ${x}", "colon": 3,
        "deep": {"y": 2, "child": {"x": 1}},
    }  # fmt: skip


def test_references(load):
    loaded = load(
        """
[vars]
n = 3
word = "w"
names = ["${vars.word}", ${vars.n}, "${vars.word}-${vars.n}", "${vars.word}"]
near = ${n}
inner = ${vars.table.b}
table = {"a": "${vars.word}", "b": [1]}
copy = ${vars.section}
far = ${vars.copy.k}
[vars.section]
k = ${vars.n}
"""
    )
    assert not loaded.problems
    values = loaded.tree["vars"]
    assert values["names"] == ["w", 3, "w-3", "w"]  # confection 1.3.4 joins such a list into one text
    assert (values["near"], values["inner"], values["table"]) == (3, [1], {"a": "w", "b": [1]})
    assert values["copy"] == values["section"] == {"k": 3}
    assert values["copy"] is not values["section"]
    assert values["far"] == 3


def test_files_that_are_none(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "latin.cfg").write_bytes(b"[vars]\na = \xe4\n")
    for name, message in [("x.json", ".cfg, .yaml or .yml"), ("none.cfg", "does not exist"), (".", "ends in"), ("latin.cfg", "not UTF-8")]:
        with pytest.raises(ConfigError, match=message):
            load_config(tmp_path / name)


names = st.text("abcXYZ_019", min_size=1, max_size=5)
plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12))
leaves = st.one_of(plain, st.lists(plain, max_size=3))
sections = st.recursive(
    st.dictionaries(names, leaves, max_size=3), lambda inner: st.dictionaries(names, st.one_of(leaves, inner), max_size=3), max_leaves=6
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, sections, min_size=1, max_size=3))
def test_any_tree_survives_writing_and_reading(tree):
    text = write(tree, is_section=lambda keys: True)
    source = parse_cfg(Path("x.cfg"), text)
    read = interpolate(source)
    assert not source.problems
    assert json.dumps(read, sort_keys=True) == json.dumps(tree, sort_keys=True)


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        names, st.dictionaries(names, st.one_of(st.integers(), st.text("ab c", max_size=5)), max_size=3), min_size=1, max_size=3
    )
)
def test_confection_reads_what_we_write(tree):
    assert Config().from_str(write(tree, is_section=lambda keys: True)) == tree


pieces = st.sampled_from(
    [
        "[a]",
        "[a.b]",
        "[DEFAULT]",
        "[",
        "]",
        "a",
        "b",
        " = ",
        ":",
        "${a.b}",
        "${b}",
        "$",
        "\n",
        "\n  ",
        '"',
        "'",
        "#",
        " ;",
        "1",
        "{",
        "}",
        ",",
        "@x",
        "é",
        "null",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=25).map("".join), st.lists(pieces, min_size=1, max_size=3).map("".join))
def test_no_text_makes_it_stumble(text, word):
    """Whatever stands in a file or an override: values or problems, never another exception."""
    source = parse_cfg(Path("x.cfg"), text)
    with contextlib.suppress(ConfigError):
        apply_overrides(source, parse_overrides([f"--a.{word}", word]))
    source.check_notation()
    interpolate(source)
