"""`relcon convert`: one format in, another out, and what that cannot hold."""

import json
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.data.json import write_jsonl
from relcon.interfaces import DatasetReader
from relcon.testing import tiny_corpus

SPERT = [
    {
        "tokens": ["Zorvane", "blocks", "KLR2", "."],
        "entities": [{"type": "DRUG", "start": 0, "end": 1}, {"type": "CHANNEL", "start": 2, "end": 3}],
        "relations": [{"type": "blocks", "head": 0, "tail": 1}],
        "orig_id": "a",
    },
    {"tokens": ["Orsk", "sank", "."], "entities": [], "relations": [], "orig_id": "b"},
]


@pytest.fixture
def spert(tmp_path: Path) -> Path:
    path = tmp_path / "in.json"
    path.write_text(json.dumps(SPERT))
    return path


def records(path: Path) -> List[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(folder: Path) -> Dict[str, bytes]:
    """Every file below a folder, and every folder as an empty one."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}


def test_there_and_back(spert: Path, tmp_path: Path, relcon: Callable[..., Any]) -> None:
    """The reader is told from the data, and named; the output may be the last word or an option."""
    ended = relcon("convert", spert, "--writer", "relcon.JSONLines.v1", tmp_path / "out.jsonl")
    assert (ended.code, ended.err.count("error")) == (0, 0)
    assert "Read with relcon.SpERT.v1: " in ended.out and "2 of 2 documents written to" in ended.out and "lost" not in ended.out
    assert 'Next: a corpus of a config reads it with @readers = "relcon.JSONLines.v1"' in ended.out
    words = ["--reader", "relcon.JSONLines.v1", "--writer", "relcon.SpERT.v1"]
    ended = relcon("convert", tmp_path / "out.jsonl", *words, "-o", tmp_path / "b")
    assert ended.code == 0 and "Read with" not in ended.out
    assert json.loads((tmp_path / "b").read_text()) == SPERT


def test_arguments_are_overrides(spert: Path, tmp_path: Path, relcon: Callable[..., Any]) -> None:
    """Before or behind the output."""
    spert.write_text(json.dumps([*SPERT, {"tokens": []}]))
    words = ["convert", spert, "--reader", "relcon.SpERT.v1", "--writer", "relcon.LabelStudio.v1"]
    assert relcon(*words, tmp_path / "out.json").code == 2
    ended = relcon(*words, "--reader.on_error", "skip", tmp_path / "out.json", "--writer.predictions=true")
    assert ended.code == 0 and "predictions = true" in ended.out
    assert "predictions" in json.loads((tmp_path / "out.json").read_text())[0]


def test_what_is_lost_is_counted_with_its_first_place(spert: Path, tmp_path: Path, relcon: Callable[..., Any]) -> None:
    ended = relcon("convert", spert, "--writer", "relcon.OpenNRE.v1", tmp_path / "out.txt")
    assert ended.code == 0 and "1 of 2 documents written" in ended.out
    assert f"lost: 1 x document without a pair (first: {spert}:1)" in ended.out
    assert "lost: 1 x id of a document" in ended.out and "metadata" not in ended.out


def test_strict_writes_nothing_where_something_would_be_lost(spert: Path, tmp_path: Path, relcon: Callable[..., Any]) -> None:
    words = ["convert", spert, "--writer", "relcon.OpenNRE.v1", tmp_path / "out.txt", "--strict"]
    ended = relcon(*words)
    assert ended.code == 2 and "Nothing was written" in ended.err and "1 x document without a pair" in ended.err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.json"]
    assert relcon("convert", spert, "--writer", "relcon.SpERT.v1", tmp_path / "out.json", "--strict").code == 0


def test_what_the_reader_left_out_is_said(tmp_path: Path, relcon: Callable[..., Any]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/one.txt").write_text("Zorvane blocks KLR2.")
    (tmp_path / "in/one.ann").write_text("T1\tDRUG 0 7\tZorvane\nE1\tBlock:T1\nE2\tBlock:T1\n")
    ended = relcon("convert", tmp_path / "in", "--writer", "relcon.BRAT.v1", tmp_path / "out")
    assert ended.code == 0 and f"left out by the reader: 2 x event (first: {tmp_path / 'in/one.txt'}" in ended.out
    assert (tmp_path / "out/one.ann").read_text() == "T1\tDRUG 0 7\tZorvane\n"
    assert relcon("convert", tmp_path / "in", "--writer", "relcon.BRAT.v1", tmp_path / "new", "--strict").code == 2
    assert not (tmp_path / "new").exists()


def test_sniffing(spert: Path, relcon: Callable[..., Any]) -> None:
    ended = relcon("convert", spert, "--sniff")
    assert ended.code == 0 and "relcon.SpERT.v1" in ended.out and f"Next: relcon convert {spert} --reader relcon.SpERT.v1" in ended.out


def test_a_file_that_no_reader_takes_alone(tmp_path: Path, relcon: Callable[..., Any]) -> None:
    """A table of a corpus, and a key: said to be what they are, not plain text."""
    table, key = tmp_path / "entities.tsv", tmp_path / "key.txt"
    table.write_text("7001\tT1\tCHEMICAL\t0\t7\tZorvane\n")
    key.write_text("1\tCause-Effect(e1,e2)\n2\tOther\n")
    ended = relcon("convert", table, "--sniff")
    assert ended.code == 0 and "relcon.ChemProt.v1" in ended.out and "PlainText" not in ended.out and "Next" not in ended.out
    ended = relcon("convert", table, "--writer", "relcon.SpERT.v1", tmp_path / "out")
    assert ended.code == 2 and "is a file; expected a folder of one ChemProt split" in ended.err
    for words in (["--sniff"], ["--writer", "relcon.SpERT.v1", tmp_path / "out"]):
        ended = relcon("convert", key, *words)
        assert ended.code == 2 and "is no corpus" in ended.err and "relcon score GOLD PREDICTED" in ended.err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["entities.tsv", "key.txt"]


def test_several_likely_readers_are_refused(spert: Path, tmp_path: Path, relcon: Callable[..., Any], monkeypatch: Any) -> None:
    from relcon import conversion

    likely = [conversion.Likeness(f"my.R{n}.v1", "a reason", 1, "") for n in (1, 2)]
    monkeypatch.setattr(conversion, "sniff", lambda path: likely)
    ended = relcon("convert", spert, "--writer", "relcon.JSONLines.v1", tmp_path / "out")
    assert ended.code == 2 and "say which with --reader" in ended.err and "my.R2.v1: a reason" in ended.err
    likely[:] = [likely[0]._replace(failure="line 3 is odd")]
    ended = relcon("convert", spert, "--writer", "relcon.JSONLines.v1", tmp_path / "out")
    assert ended.code == 2 and "my.R1.v1: line 3 is odd" in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--writer", "relcon.JSONLines.v1"], "the file or folder to write is missing"),
        (["OUT"], "--writer NAME is missing"),
        (["--writer", "relcon.JSONL.v1", "OUT"], "Did you mean 'relcon.JSONLines.v1'?"),
        (["--writer", "relcon.SpERT.v1", "OUT", "MORE"], "'MORE' stands alone"),
        (["--writer", "relcon.SpERT.v1", "OUT", "--writer.unit", "x"], "'relcon.SpERT.v1' takes no 'unit'"),
        (["--writer", "relcon.SpERT.v1", "OUT", "--reader.on_eror", "x"], "Did you mean '--reader.on_error'?"),
        (["--writer", "relcon.SpERT.v1", "OUT", "--stages.a", "x"], "[stages] is nothing that can be set here"),
        (["--writer", "relcon.SpERT.v1", "OUT", "--stric"], "Did you mean '--strict'?"),
        (["--writer", "relcon.SpERT.v1", "in.json", "--overwrite"], "is the input, which would be lost"),
        (["--writer", "relcon.BRAT.v1", "in.json"], "in.json is the input, or lies in it"),
        (["--writer", "relcon.SpERT.v1", "there"], "there exists. Give another file to write, or --overwrite"),
        (["--writer", "relcon.BRAT.v1", "there"], "there is a file; a folder to write to is needed"),
        (["--writer", "relcon.BRAT.v1", "there/a/b/c"], "c cannot be written: Not a directory"),
        (["--writer", "relcon.SpERT.v1", "there/a/b/c"], "c cannot be written: there/a/b is a file or lies below one"),
        (["--writer", "relcon.BRAT.v1", ".", "--overwrite"], "holds the input, which would be lost"),
    ],
)
def test_a_mistake_is_one_message(
    words: List[str], message: str, spert: Path, tmp_path: Path, relcon: Callable[..., Any], monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("as it was")
    ended = relcon("convert", "in.json", "--reader", "relcon.SpERT.v1", *words)
    assert ended.code == 2 and message in ended.err and "Traceback" not in ended.err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.json", "there"]
    assert (tmp_path / "there").read_text() == "as it was" and json.loads(spert.read_text()) == SPERT


def test_a_folder_is_neither_put_into_the_input_nor_in_its_place(tmp_path: Path, relcon: Callable[..., Any]) -> None:
    (tmp_path / "in").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"in/{name}.txt").write_text("Zorvane blocks KLR2.")
        (tmp_path / f"in/{name}.ann").write_text("T1\tDRUG 0 7\tZorvane\n")
    for source, target, said in (("in", "in/new", "lies in it"), ("in/one.txt", "in", "holds the input"), ("in", "in", "is the input")):
        ended = relcon("convert", tmp_path / source, "--writer", "relcon.BRAT.v1", tmp_path / target, "--overwrite")
        assert ended.code == 2 and said in ended.err
    assert sorted(each.name for each in (tmp_path / "in").iterdir()) == ["one.ann", "one.txt", "two.ann", "two.txt"]
    assert relcon("convert", tmp_path / "in", "--writer", "relcon.BRAT.v1", tmp_path / "out").code == 0
    ended = relcon("convert", tmp_path / "in/one.txt", "--writer", "relcon.BRAT.v1", tmp_path / "out")
    assert ended.code == 2 and "--overwrite to replace it with all that is in it" in ended.err


@pytest.mark.parametrize("writer", ["relcon.OpenNRE.v1", "relcon.SpERT.v1", "relcon.BRAT.v1"])
def test_where_a_format_holds_none_of_the_documents_what_was_there_stays(writer: str, tmp_path: Path, relcon: Callable[..., Any]) -> None:
    """Of a document without words and pairs nothing can be written; brat's text cannot hold half of a character."""
    text = "\ud800" if writer == "relcon.BRAT.v1" else " "
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": text, "words": [], "offsets": []}) + "\n")
    output = tmp_path / "out"
    if writer == "relcon.BRAT.v1":
        output.mkdir()
        (output / "one.txt").write_text("Orsk.")
        (output / "one.ann").write_text("")
    else:
        output.write_text("as it was")
    before = contents(tmp_path)
    for target, option in ((output, ["--overwrite"]), (tmp_path / "new", [])):
        ended = relcon("convert", tmp_path / "in.jsonl", "--reader", "relcon.JSONLines.v1", "--writer", writer, target, *option)
        assert ended.code == 2 and contents(tmp_path) == before
        assert f"what {writer} reads can hold none of the 1 document that were read" in ended.err and "lost: 1 x " in ended.err


def test_a_writer_that_leaves_out_everything_is_told(spert: Path, tmp_path: Path, relcon: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr("relcon.writers.spert.SpERT.write", lambda self, documents, path: sum(0 for _ in documents))
    ended = relcon("convert", spert, "--reader", "relcon.SpERT.v1", "--writer", "relcon.SpERT.v1", tmp_path / "out.json")
    assert ended.code == 2 and "has no document, because relcon.SpERT.v1 left out all of the" in ended.err


def test_a_stream_without_documents_is_an_empty_file(tmp_path: Path) -> None:
    from relcon.conversion import convert
    from relcon.writers.spert import SpERT

    assert convert([], SpERT(), tmp_path / "out.json", some=True).written == 0
    assert json.loads((tmp_path / "out.json").read_text()) == []


def test_plain_text_is_not_guessed(tmp_path: Path, relcon: Callable[..., Any]) -> None:
    """Any file that nobody knows is text: converted without being asked it would be documents without entities."""
    text, output = tmp_path / "notes.txt", tmp_path / "out.jsonl"
    text.write_text("Orsk slept.\nZorvane is old.\n", encoding="utf-8")
    ended = relcon("convert", text, "--writer", "relcon.JSONLines.v1", output)
    assert ended.code == 2 and "Say --reader relcon.PlainText.v1 if it is that." in ended.err and not output.exists()
    assert relcon("convert", text, "--reader", "relcon.PlainText.v1", "--writer", "relcon.JSONLines.v1", output).code == 0


def test_an_archive_that_is_read_is_not_replaced(spert: Path, tmp_path: Path, relcon: Callable[..., Any]) -> None:
    archive = tmp_path / "in.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(spert, "in.json")
    before = archive.read_bytes()
    for source in (archive, archive / "in.json"):
        ended = relcon("convert", source, "--writer", "relcon.JSONLines.v1", archive, "--overwrite")
        assert ended.code == 2 and "is the input, which would be lost" in ended.err
    assert archive.read_bytes() == before
    assert relcon("convert", archive, "--writer", "relcon.JSONLines.v1", tmp_path / "out.jsonl").code == 0


def test_no_input(tmp_path: Path, relcon: Callable[..., Any]) -> None:
    ended = relcon("convert", tmp_path / "nothing", "--sniff")
    assert ended.code == 2 and "does not exist" in ended.err


def test_every_writer_takes_the_tiny_corpus(tmp_path: Path, relcon: Callable[..., Any]) -> None:
    """Through the command line, and back with the reader and the arguments that the writer names."""
    from relcon.interfaces import Writer

    corpus = tiny_corpus(6)
    write_jsonl(corpus, tmp_path / "in.jsonl")
    for name in Writer.registry.names():
        ended = relcon("convert", tmp_path / "in.jsonl", "--reader", "relcon.JSONLines.v1", "--writer", name, tmp_path / name)
        assert ended.code == 0, ended.err
        writer = Writer.registry.get(name)()
        back = list(DatasetReader.registry.get(writer.reader)(**writer.options).read(tmp_path / name))
        assert [each.words for each in back] == [each.words for each in corpus], name
