"""A lexicon file as a synonym source."""

from pathlib import Path

import pytest

from relcon.config import load_config, resolve
from relcon.errors import DataError, RelconError
from relcon.interfaces import SynonymSource


def lexicon(path: Path, **arguments: bool) -> SynonymSource:
    return SynonymSource.registry.get("relcon.Lexicon.v1")(str(path), **arguments)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines(tmp_path: Path):
    path = written(tmp_path, "mine.tsv", "# mine\n\nquickly\tfast\tat once\nbig\tlarge\nQuickly\tQuickly\tsoon\n")
    config = written(tmp_path, "run.cfg", f'[synonyms]\n@synonyms = "relcon.Lexicon.v1"\npath = "{path}"\n')
    source = resolve(load_config(config).tree["synonyms"], "[synonyms]")
    assert source.synonyms("QUICKLY") == ["at once", "fast", "soon"]
    assert source.synonyms("big") == ["large"] and source.synonyms("small") == []


def test_json_is_the_same(tmp_path: Path):
    source = lexicon(written(tmp_path, "mine.json", '{"quickly": ["fast", "at once"],\n "big": ["large"]}'))
    assert source.synonyms("quickly") == ["at once", "fast"] and source.synonyms("Big") == ["large"]


def test_case_counts_when_asked(tmp_path: Path):
    source = lexicon(written(tmp_path, "mine.tsv", "May\tthe fifth month\nmay\tmight\n"), ignore_case=False)
    assert source.synonyms("May") == ["the fifth month"] and source.synonyms("may") == ["might"] and source.synonyms("MAY") == []


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.tsv", "good\tfine\nlonely\n", "a.tsv:2: expected a word, a tab"),
        ("a.tsv", "good\tfine\n\tx\n", "a.tsv:2:"),
        ("a.tsv", "good\tfine\n\ngood\t\tx\n", "a.tsv:3:"),
        ("a.json", '{"good": ["fine"],\n"bad": "ill"}', "a.json:2: 'bad' must have a list of synonyms"),
        ("a.json", '{"good": ["fine"],\n"bad": []}', "a.json:2: 'bad'"),
        ("a.json", '{"good": ["fine"],\n"bad": ', "a.json:2: not valid JSON"),
        ("a.json", '["good"]', "a.json:1: expected one object"),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path: Path, name: str, text: str, where: str):
    with pytest.raises(DataError) as raised:
        lexicon(written(tmp_path, name, text)).synonyms("good")
    assert where in str(raised.value)


def test_ten_mistakes_and_their_number_are_reported(tmp_path: Path):
    with pytest.raises(DataError) as raised:
        lexicon(written(tmp_path, "a.tsv", "lonely\n" * 25)).synonyms("good")
    assert str(raised.value).count("a.tsv:") == 10 and "15 more (25 in all)" in str(raised.value)


@pytest.mark.parametrize(("name", "text", "message"), [("a.tsv", "# nothing\n", "is empty"), ("a.json", "{}", "is empty")])
def test_an_empty_lexicon_is_refused(tmp_path: Path, name: str, text: str, message: str):
    with pytest.raises(RelconError, match=message):
        lexicon(written(tmp_path, name, text)).synonyms("good")


def test_a_missing_or_unreadable_lexicon_says_what_to_do(tmp_path: Path):
    with pytest.raises(RelconError, match=r"nowhere.tsv does not exist. Set `path`"):
        lexicon(tmp_path / "nowhere.tsv").synonyms("good")
    (tmp_path / "latin.tsv").write_bytes(b"caf\xe9\tbar\n")
    with pytest.raises(RelconError, match="must be a UTF-8 text file"):
        lexicon(tmp_path / "latin.tsv").synonyms("good")
