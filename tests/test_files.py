"""Files are written whole or not at all, and read with errors that name the place."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.errors import RelconError
from relcon.files import append_jsonl, atomic, read_json, read_object, refuse_replacing, whole_folder, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_its_block_ends_well(tmp_path):
    with atomic(tmp_path / "deep" / "text.txt") as file:
        file.write("ä\n")
        assert not (tmp_path / "deep" / "text.txt").exists()
    assert (tmp_path / "deep" / "text.txt").read_bytes() == "ä\n".encode()
    assert names(tmp_path / "deep") == ["text.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_former_file_and_no_part(tmp_path, error):
    (tmp_path / "text.txt").write_text("former")
    with pytest.raises(error), atomic(tmp_path / "text.txt") as file:
        file.write("half")
        raise error
    assert (tmp_path / "text.txt").read_text() == "former"
    assert names(tmp_path) == ["text.txt"]


def test_a_value_that_is_no_json_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "value.json", {"good": 1, "bad": object()})
    assert names(tmp_path) == []


def test_bytes(tmp_path):
    with atomic(tmp_path / "raw", "wb") as file:
        file.write(b"\xff")
    assert (tmp_path / "raw").read_bytes() == b"\xff"


def test_a_place_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RelconError, match=r"cannot be written: .*Choose another place"), atomic(tmp_path / "file" / "x.txt"):
        pass


def test_json_comes_back(tmp_path):
    value = {"text": "Zürich", "numbers": [1, 2.5, None]}
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == value
    assert "Zürich" in (tmp_path / "value.json").read_text(encoding="utf-8")


def test_json_that_is_missing_or_broken(tmp_path):
    with pytest.raises(RelconError, match=r"none\.json does not exist"):
        read_json(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text('{\n"a": 1,\n]')
    with pytest.raises(RelconError, match=r"broken\.json:3: not valid JSON"):
        read_json(tmp_path / "broken.json")


DAMAGED = {
    "no UTF-8": (b'{"a": "\xff"}', r"side\.json is not UTF-8 text \(byte 8\)"),
    "no JSON": (b'{"a": 1,\n "b" 2}', r"side\.json:2: not valid JSON \(.*, column 6\)"),
    "empty": (b"", r"side\.json:1: not valid JSON"),
    "deep": (b"[" * 100_000, r"side\.json is not JSON that can be read"),
    "a long number": (b"9" * 5_000, r"side\.json is not JSON that can be read"),
    "a list": (b"[[1]]", r"side\.json: expected names, \{\.\.\.\}, here it is \[\[1\]\]"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_side_file_is_named_with_what_was_expected(kind, tmp_path):
    raw, message = DAMAGED[kind]
    (tmp_path / "side.json").write_bytes(raw)
    with pytest.raises(RelconError, match=message) as said:
        read_object(tmp_path / "side.json", "names, {...}")
    assert "xpected names, {...}" in str(said.value)


def test_a_folder_is_no_side_file(tmp_path):
    with pytest.raises(RelconError, match="cannot be read: Is a directory"):
        read_json(tmp_path)


@given(st.binary(max_size=40) | st.text('[]{}",:0eé\ufeff \n', max_size=40).map(str.encode))
def test_whatever_a_side_file_holds_it_is_an_object_or_a_mistake(raw):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "side.json"
        path.write_bytes(raw)
        with suppress(RelconError):
            assert isinstance(read_object(path), dict)


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RelconError, match=r"folder cannot be written: Not a directory"), whole_folder(tmp_path / "file/a/b/folder"):
        pass


def test_of_two_that_make_a_folder_the_first_stays(tmp_path):
    with whole_folder(tmp_path / "folder", replace=False) as ours:
        (ours / "of").write_text("the second")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder/of").write_text("the first")
    assert (tmp_path / "folder/of").read_text() == "the first" and names(tmp_path) == ["folder"]
    with whole_folder(tmp_path / "folder") as ours:
        (ours / "of").write_text("the third")
    assert (tmp_path / "folder/of").read_text() == "the third" and names(tmp_path) == ["folder"]


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RelconError, match="pipe is no regular file"):
        refuse_replacing(tmp_path / "pipe", overwrite=True)


def test_a_log_grows_by_lines(tmp_path):
    for number in range(3):
        append_jsonl(tmp_path / "log.jsonl", {"step": number})
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [0, 1, 2]
