"""What all readers share: paths, bad records, unique ids."""

import json
import logging
from pathlib import Path
from typing import Any, Callable

import pytest

from relcon.errors import DataError, RelconError
from relcon.interfaces import DatasetReader
from relcon.readers.records import RecordReader

READERS = [name for name in DatasetReader.registry.names() if name.startswith("relcon.")]


def sentence(number: int) -> str:
    return json.dumps({"id": str(number), "text": f"sentence {number}"})


def mixed(good: int, bad: int) -> str:
    """`good` sound lines, then `bad` broken ones, then one sound one."""
    return "\n".join([*(sentence(n) for n in range(good)), *('{"text": ' for _ in range(bad)), sentence(-1)])


def test_all_formats_are_registered() -> None:
    formats = "AIMed AIMedFolds ChemProt DDI2013 JSONLines OpenNRE SemEval2010 SpERT TACRED"
    assert {f"relcon.{name}.v1" for name in formats.split()} <= set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_a_path_that_does_not_exist_is_refused_at_once(name: str, tmp_path: Path) -> None:
    reader = DatasetReader.registry.get(name)()
    with pytest.raises(RelconError, match=r"nowhere does not exist; expected (a|an|the) .{20}"):
        reader.read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", READERS)
def test_an_empty_input_is_refused(name: str, tmp_path: Path) -> None:
    reader = DatasetReader.registry.get(name)()
    path = tmp_path / "empty"
    path.touch() if isinstance(reader, RecordReader) and reader.takes == "file" else path.mkdir()
    with pytest.raises(RelconError, match=r"empty (holds no record|has no file)") as caught:
        list(reader.read(path))
    assert "expected" in str(caught.value)


FILES = ("relcon.JSONLines.v1", "relcon.SemEval2010.v1", "relcon.OpenNRE.v1", "relcon.TACRED.v1", "relcon.SpERT.v1")


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RelconError, match="is a folder; expected"):
        DatasetReader.registry.get(name)().read(tmp_path)


def test_a_file_in_place_of_a_folder_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(RelconError, match=r"x\.tsv is a file; expected a folder"):
        DatasetReader.registry.get("relcon.ChemProt.v1")().read(write("x.tsv", "1"))


def test_the_first_ten_bad_records_and_the_count_are_reported(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("some.jsonl", mixed(2, 13))
    with pytest.raises(DataError) as caught:
        read("relcon.JSONLines.v1", path)
    message = str(caught.value)
    assert message.startswith(f"13 of 16 records of {path} are wrong:\n{path}:3: not JSON")
    assert f"{path}:12:" in message and f"{path}:13:" not in message
    assert message.endswith("... and 3 more (13 in all).")


def test_documents_stream_until_the_first_bad_record(write: Callable[..., Path]) -> None:
    stream = DatasetReader.registry.get("relcon.JSONLines.v1")().read(write("some.jsonl", mixed(2, 1)))
    assert [next(stream).id, next(stream).id] == ["0", "1"]
    with pytest.raises(DataError):
        next(stream)


def test_skip_leaves_bad_records_out_and_logs_them(
    write: Callable[..., Path], read: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    path = write("some.jsonl", mixed(2, 3))
    with caplog.at_level(logging.WARNING, logger="relcon"):
        documents = read("relcon.JSONLines.v1", path, on_error="skip")
    assert [document.id for document in documents] == ["0", "1", "-1"]
    assert f"3 of 6 records of {path} are wrong" in caplog.text and f"{path}:3: not JSON" in caplog.text


def test_skip_does_not_pass_over_an_input_without_any_good_record(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match="2 of 2 records"):
        read("relcon.JSONLines.v1", write("bad.jsonl", "{\n["), on_error="skip")


def test_an_unknown_on_error_is_refused() -> None:
    with pytest.raises(RelconError, match="on_error must be 'raise' or 'skip', not 'ignore'"):
        DatasetReader.registry.get("relcon.JSONLines.v1")(on_error="ignore")


def test_ids_must_be_unique(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    path = write("twice.jsonl", "\n".join([sentence(1), sentence(2), sentence(1)]))
    [(where, message)] = faults("relcon.JSONLines.v1", path)
    assert where == "twice.jsonl:3" and message == f"the id '1' stands already at {path}:1; ids must be unique within a split"


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path, faults: Callable[..., Any]) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(sentence(1).encode() + b'\n{"text": "caf\xe9"}\n')
    [(where, message)] = faults("relcon.JSONLines.v1", path)
    assert where == "latin.jsonl:2" and message.startswith("not UTF-8 text at byte 14")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_mark_blank_lines_and_line_ends_do_not_matter(end: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("some.jsonl", "\ufeff" + end.join([sentence(1), "", "  ", sentence(2), ""]))
    documents = read("relcon.JSONLines.v1", path)
    assert [(document.id, document.source.line) for document in documents] == [("1", 1), ("2", 4)]
    assert documents[1].text == "sentence 2"


def test_unicode_line_separators_are_no_line_ends(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read("relcon.JSONLines.v1", write("some.jsonl", '{"text": "one\u2028two\x85three"}'))
    assert document.words == ("one", "two", "three") and document.id == "some-1"
