"""Files are written whole or not at all, and read with errors that name the place."""

import json

import pytest

from relcon.errors import RelconError
from relcon.files import append_jsonl, atomic, read_json, write_json


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


def test_a_log_grows_by_lines(tmp_path):
    for number in range(3):
        append_jsonl(tmp_path / "log.jsonl", {"step": number})
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [0, 1, 2]
