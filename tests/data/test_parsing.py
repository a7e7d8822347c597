"""Parses from a spaCy pipeline: words kept, sentences kept, cached, and connected."""

import json
import logging
import random
import sqlite3
from pathlib import Path
from typing import Any, Callable, List, Sequence, Tuple

import pytest

from relcon.data import parsing
from relcon.data.document import Document, Entity, Mention, Parse, WordSpan
from relcon.data.parsing import SpacyParser, spaces_after
from relcon.data.paths import shortest_path
from relcon.errors import RelconError
from relcon.interfaces import Parser

SENTENCE = tuple(["PROTA", "directly", "binds", "with", "PROTB", "in", "yeast", "cells", "."])
Shared = Callable[[str], Path]


@pytest.fixture
def pipeline(shared: Shared) -> str:
    return str(shared("models/en_ud_small"))


@pytest.fixture
def no_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, loading a pipeline is a failure: what is needed must come from the cache."""

    def fail(pipeline: str) -> Any:
        raise RuntimeError("the pipeline was loaded")

    monkeypatch.setattr(parsing, "load_pipeline", fail)


def document(words: Sequence[str], sentences: Tuple[WordSpan, ...] = (), **more: Any) -> Document:
    return Document("d", tuple(words), sentences=sentences, **more)


def trees(parse: Parse) -> List[int]:
    return [word for word, head in enumerate(parse.heads) if word == head]


def test_component_is_registered() -> None:
    assert Parser.registry.get("relcon.SpacyParser.v1") is SpacyParser


def test_words_are_kept_and_the_relation_is_seen(pipeline: str) -> None:
    (parsed,) = SpacyParser(pipeline, cache="none").parse([document(SENTENCE)])
    assert parsed.words == SENTENCE and parsed.parse is not None
    assert shortest_path(parsed.parse, 0, 4) == [0, 2, 4]
    assert parsed.parse.tags[2] == "VBZ" and parsed.parse.labels[2] == "ROOT"


def test_words_that_its_tokenizer_would_cut_stay_whole(pipeline: str) -> None:
    (parsed,) = SpacyParser(pipeline, cache="none").parse([document(["can't", "@PROTEIN$-induced", "don't", "."])])
    assert parsed.parse is not None and len(parsed.parse.heads) == 4


def test_fifty_sentences_are_one_tree_each(pipeline: str) -> None:
    """Sentences joined from parts that invite a cut in the middle: full stops, capitals, questions."""
    draw = random.Random(7)
    parts = ["He left . Then Dr. Smith returned", "Is p53 active ? Yes", "TNF - alpha ( 3.5 ng ) rose", "We went ; she stayed", "No . 4"]
    texts = [" ".join(draw.choice(parts) for _ in range(draw.randint(2, 5))).split() for _ in range(50)]
    for parsed in SpacyParser(pipeline, cache="none").parse([document(words) for words in texts]):
        assert parsed.parse is not None and len(trees(parsed.parse)) == 1
        assert all(shortest_path(parsed.parse, 0, word) for word in range(len(parsed.words)))


def test_semeval_sentences_are_connected(pipeline: str, shared: Shared) -> None:
    """Fifty sentences of the real corpus: every pair of entities has a path."""
    folder = shared("data/semeval2010_task8/opennre")
    rows = [json.loads(line) for line in (folder / "val.txt").read_text(encoding="utf-8").splitlines()[:50]]
    parses = SpacyParser(pipeline, cache="none").parse_words([(row["token"], [(0, len(row["token"]))]) for row in rows])
    for row, parse in zip(rows, parses, strict=True):
        assert shortest_path(parse, row["h"]["pos"][0], row["t"]["pos"][0]) is not None


def test_given_sentences_are_kept(pipeline: str) -> None:
    """Two sentences without any punctuation, and a full stop that ends none."""
    words = ["we", "went", ".", "home", "she", "stayed"]
    (parsed,) = SpacyParser(pipeline, cache="none").parse([document(words, ((0, 4), (4, 6)))])
    assert parsed.sentences == ((0, 4), (4, 6)) and parsed.parse is not None
    heads = parsed.parse.heads
    assert all((word < 4) == (head < 4) for word, head in enumerate(heads))
    assert len(trees(parsed.parse)) == 2


def test_the_parser_may_find_sentences_but_cuts_no_entity(pipeline: str) -> None:
    words = ["The", "kinase", "binds", "actin", ".", "The", "phosphatase", "does", "not", "."]
    splitter = SpacyParser(pipeline, split_sentences=True, cache="none")
    (free,) = splitter.parse([document(words)])
    assert free.sentences == ((0, 5), (5, 10))
    (bound,) = splitter.parse([document(words, entities=(Entity((Mention(3, 7),)),))])
    assert bound.sentences == ((0, 10),)


def test_documents_with_a_parse_are_left_alone(no_pipeline: None) -> None:
    ready = document("ab", parse=Parse((0, 0), ("root", "dep")))
    assert SpacyParser("not_installed", cache="none").parse([ready]) == [ready]


def test_order_is_kept_beside_parsed_repeated_and_empty_documents(pipeline: str) -> None:
    ready = document("ab", parse=Parse((0, 0), ("root", "dep")))
    documents = [document(SENTENCE), ready, document(()), document(SENTENCE), document(SENTENCE[:3])]
    parsed = SpacyParser(pipeline, cache="none").parse(documents)
    assert [len(each.parse.heads) for each in parsed if each.parse] == [9, 2, 0, 9, 3]
    assert parsed[1] is ready and parsed[0].parse == parsed[3].parse


def test_cached_by_content(pipeline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SpacyParser(pipeline, cache=str(tmp_path)).parse([document(SENTENCE)])
    load = parsing.load_pipeline
    monkeypatch.setattr(parsing, "load_pipeline", lambda pipeline: pytest.fail("the cache was not used"))
    assert SpacyParser(pipeline, cache=str(tmp_path)).parse([document(SENTENCE)])[0].parse == first[0].parse
    assert SpacyParser(pipeline, cache=str(tmp_path)).parse_words([(SENTENCE, [(0, 9)])]) == [first[0].parse]
    monkeypatch.setattr(parsing, "load_pipeline", load)
    with_cut = SpacyParser(pipeline, cache=str(tmp_path)).parse([document(SENTENCE, ((0, 5), (5, 9)))])
    assert with_cut[0].parse is not None and len(trees(with_cut[0].parse)) == 2


def test_a_damaged_cache_is_made_anew_with_a_warning(pipeline: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parser = SpacyParser(pipeline, cache=str(tmp_path))
    first = parser.parse([document(SENTENCE)])
    (file,) = (tmp_path / "parses").iterdir()
    file.write_bytes(b"no database at all" * 100)
    with caplog.at_level(logging.WARNING):
        assert parser.parse([document(SENTENCE)])[0].parse == first[0].parse
    assert "is damaged" in caplog.text and str(file) in caplog.text
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM entries").fetchone() == (1,)


def test_an_unwritable_cache_is_said_and_does_no_harm(pipeline: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    parsed = SpacyParser(pipeline, cache=str(tmp_path / "file")).parse([document(SENTENCE)])
    assert parsed[0].parse is not None and "Nothing is cached" in caplog.text


def test_a_missing_pipeline_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match=r"no_such_pipeline.*python -m spacy download en_core_web_sm"):
        SpacyParser("no_such_pipeline", cache="none").parse([document(SENTENCE)])
    with pytest.raises(RelconError, match="cannot be loaded"):
        SpacyParser(str(tmp_path), cache="none").parse([document(SENTENCE)])


def test_a_pipeline_without_parser_is_refused(tmp_path: Path) -> None:
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(RelconError, match="has no dependency parser"):
        SpacyParser(str(tmp_path / "blank"), cache="none").parse([document(SENTENCE)])


def test_spaces_come_from_the_text() -> None:
    text = Document("d", ("a", "b", "c"), text="ab  c", offsets=((0, 1), (1, 2), (4, 5)))
    assert spaces_after(text) == (False, True, False)
    assert spaces_after(document("abc")) == (True, True, True)
