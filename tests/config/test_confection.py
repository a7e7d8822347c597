"""What we know of confection and catalogue and build on (or around). A failing test here says what an upgrade moved."""

import catalogue
import pytest
from confection import Config


def test_structure_and_values_are_read_without_interpolation():
    text = '[a]\nx = 1.0\ny = "t"\nz = bare text\nw = [1, "b"]\nn = null\np = True\nr = 1\n[a.b]\n'
    read = Config().from_str(text, interpolate=False)
    assert read == {"a": {"x": 1.0, "y": "t", "z": "bare text", "w": [1, "b"], "n": None, "p": True, "r": 1, "b": {}}}
    assert type(read["a"]["x"]) is float and type(read["a"]["r"]) is int


def test_lines_that_continue_a_list():
    assert Config().from_str("[a]\nx = [1,\n    2]\n", interpolate=False) == {"a": {"x": [1, 2]}}


def test_its_interpolation_joins_a_list_of_texts():
    """Why references are followed by relcon."""
    assert Config().from_str('[a]\nx = "t"\ny = "u"\nz = ["${a.x}", "${a.y}"]\n')["a"]["z"] == ["t, u"]


def test_a_trailing_comment_becomes_part_of_the_value():
    """Why relcon reports it."""
    assert Config().from_str("[a]\nx = 0.1  # note\n", interpolate=False)["a"]["x"] == "0.1  # note"


def test_parents_must_come_first():
    """Why relcon writes them itself."""
    with pytest.raises(KeyError):
        Config().from_str("[a.b]\n[a]\n", interpolate=False)


def test_catalogue_overwrites_silently():
    """Why `Registry.register` refuses a name that is taken."""
    registry = catalogue.create("relcon_test", "overwriting")
    registry.register("x", func=lambda: 1)
    registry.register("x", func=lambda: 2)
    assert registry.get("x")() == 2
