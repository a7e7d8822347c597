"""Plain text, a sentence or a paragraph a line."""

from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.data.candidates import AnnotatedPairs
from relcon.data.corpus import FileCorpus
from relcon.errors import RecordError, RelconError
from relcon.readers import records
from relcon.readers.plain_text import PlainText, unescaped

READER = "relcon.PlainText.v1"


def test_every_line_is_a_document(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """Text and characters are those of the line; blank lines only count."""
    documents = read(READER, write("news.txt", "\ufeffOrsk wins.\r\n\n   \n  Irum's team lost (2-0).\n"))
    assert [document.id for document in documents] == ["news-1", "news-4"]
    assert [document.text for document in documents] == ["Orsk wins.", "  Irum's team lost (2-0)."]
    assert documents[1].words == ("Irum", "'s", "team", "lost", "(", "2", "-", "0", ")", ".")
    for document in documents:
        assert document.words == tuple(document.text[start:end] for start, end in document.offsets)
        assert len(document.sentences) == 1 and not document.entities
    assert [(Path(document.source.path).name, document.source.line) for document in documents] == [("news.txt", 1), ("news.txt", 4)]


def test_words_between_spaces(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", "he said `` don't  go ''\n"), words="spaces")
    assert document.words == ("he", "said", "``", "don't", "go", "''")


def test_a_paragraph_has_several_sentences(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("a.txt", "Orsk wins. Irum does not.\nOne.\n")
    assert [document.sentences for document in read(READER, path, sentences="split")] == [((0, 3), (3, 7)), ((0, 2),)]
    assert [len(document.sentences) for document in read(READER, path)] == [1, 1]


def test_escapes_are_decoded_where_asked_for(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("a.txt", r"caf\u00e9 \ud835\udd11ord \u12 C:\users" + "\n")
    assert read(READER, path)[0].text == r"caf\u00e9 \ud835\udd11ord \u12 C:\users"
    [document] = read(READER, path, words="spaces", escapes=True)
    assert document.text == "café 𝔑ord \\u12 C:\\users" and document.words[1] == "𝔑ord" and document.offsets[1] == (5, 9)


def test_what_is_no_text_is_named_with_its_line(tmp_path: Path, faults: Callable[..., Any]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\n\nb\xe9d\n\\ud800 alone\n\\u2003\n")
    found = faults(READER, path, escapes=True)
    assert [where for where, _ in found] == ["a.txt:3", "a.txt:4", "a.txt:5"]
    assert "not UTF-8 text at byte 2 of the line" in found[0][1]
    assert "half of a character" in found[1][1] and "has no word" in found[2][1]


def test_a_file_without_a_sentence_is_named(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("empty.txt", "\n \n")
    with pytest.raises(RelconError, match=r"empty.txt holds no record; expected a UTF-8 text file"):
        read(READER, path)
    corpus = FileCorpus(PlainText(), AnnotatedPairs(), train=str(path), labelled=False, cache="none")
    with pytest.raises(RelconError, match=r"empty.txt holds no record"):
        corpus.split("train")


def test_several_processes_cut_between_lines(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts together are the whole, with the same lines and ids."""
    monkeypatch.setattr(records, "PART_BYTES", 20)
    path = write("a.txt", "".join(f"sentence number {number} ä\n\n" for number in range(9)))
    reader = PlainText()
    parts = reader.parts(path)
    found = [outcome.document for part in parts for outcome in reader.outcomes(path, part)]
    assert len(parts) > 3 and found == list(reader.read(path)) and found[-1].id == "a-17"


def test_a_config_names_it_and_wrong_words_are_refused() -> None:
    assert resolve({"@readers": READER, "sentences": "split", "words": "spaces", "escapes": True}, "[data.reader]").escapes
    for wrong in ({"sentences": "all"}, {"words": "pieces"}):
        with pytest.raises(RelconError):
            resolve({"@readers": READER, **wrong}, "[data.reader]")
    with pytest.raises(RelconError, match="sentences must be 'line' or 'split', not 'all'"):
        PlainText(sentences="all")  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_escaped_text_comes_back(text: str) -> None:
    """Every character written as its one or two escapes."""
    units = text.encode("utf-16-be").hex()
    escaped = "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    assert unescaped(escaped) == text


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("\\uU0dD8c é"), max_size=20))
def test_other_text_stays(text: str) -> None:
    """Nothing but whole escapes changes, and nothing raises anything else than RecordError."""
    try:
        found = unescaped(text)
    except RecordError:
        return
    assert found == text or "\\u" in text
