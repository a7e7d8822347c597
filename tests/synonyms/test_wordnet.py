"""WordNet as a synonym source."""

import os
import shutil
from pathlib import Path
from typing import Any, Callable, List
from unittest.mock import Mock

import pytest

from relcon.config import load_config, resolve
from relcon.errors import RelconError
from relcon.interfaces import SynonymSource
from relcon.synonyms.wordnet import cleaned, wordnet_fingerprint


def wordnet(directory: Any, tmp_path: Path) -> SynonymSource:
    config = tmp_path / "run.cfg"
    config.write_text(
        f'[synonyms]\n@synonyms = "relcon.WordNet.v1"\ndirectory = {"null" if directory is None else repr(str(directory))}\n'.replace(
            "'", '"'
        )
    )
    return resolve(load_config(config).tree["synonyms"], "[synonyms]")


def test_clre_fact_09(shared: Callable[[str], Path], tmp_path: Path):
    source = wordnet(shared("nltk_data"), tmp_path)
    assert "straight" in source.synonyms("directly")
    assert "nerve cell" in source.synonyms("neurons")
    assert source.synonyms("yeast") == ["barm"]
    assert source.synonyms("Instead") == ["alternatively", "or else", "rather"]
    assert source.synonyms("2") and "" not in source.synonyms("2")
    for placeholder in ("PROTA", "PROTB", "DRUGA", "CHEMA"):
        assert source.synonyms(placeholder) == []


def test_answers_are_kept_for_the_next_start(shared: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RELCON_CACHE", str(tmp_path / "cache"))
    words = ["yeast", "neurons", "PROTA"]
    first = wordnet(shared("nltk_data"), tmp_path).look_up(words)
    assert first == {word: wordnet(shared("nltk_data"), tmp_path).synonyms(word) for word in words} and first["yeast"] == ["barm"]
    opened = Mock(side_effect=AssertionError("WordNet is opened"))
    monkeypatch.setattr("relcon.synonyms.wordnet.open_wordnet", opened)
    again = wordnet(shared("nltk_data/corpora/wordnet"), tmp_path)
    assert again.look_up(words) == first
    with pytest.raises(AssertionError, match="WordNet is opened"):
        again.look_up(["unheard"])


def test_other_files_are_asked_anew(shared: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RELCON_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "wordnet"
    shutil.copytree(shared("nltk_data/corpora/wordnet"), folder)
    before = wordnet_fingerprint(str(folder))
    with (folder / "lexnames").open("a") as file:
        file.write("\n")
    wordnet_fingerprint.cache_clear()
    assert wordnet_fingerprint(str(folder)) != before


def test_synonyms_are_clean_sorted_and_never_the_word(shared: Callable[[str], Path], tmp_path: Path):
    source = wordnet(shared("nltk_data/corpora/wordnet"), tmp_path)
    for word in ("indium", "cells", "Suggest", "binding", "3", "well-known", "."):
        found: List[str] = source.synonyms(word)
        assert found == sorted(set(found)) and word.lower() not in found
        assert all(cleaned(synonym) == synonym and synonym for synonym in found)
    assert "atomic number" in source.synonyms("indium")


def test_a_directory_elsewhere_is_read_through_a_link_too(shared: Callable[[str], Path], tmp_path: Path):
    (tmp_path / "link").symlink_to(shared("nltk_data"))
    assert wordnet(tmp_path / "link", tmp_path).synonyms("yeast") == ["barm"]


def test_a_zip_as_the_downloader_leaves_it_is_read(shared: Callable[[str], Path], tmp_path: Path):
    shutil.make_archive(str(tmp_path / "data" / "corpora" / "wordnet"), "zip", shared("nltk_data/corpora"), "wordnet")
    os.chmod(tmp_path / "data" / "corpora" / "wordnet.zip", 0o600)
    assert wordnet(tmp_path / "data", tmp_path).look_up(["yeast"]) == {"yeast": ["barm"]}
    assert wordnet_fingerprint(str(tmp_path / "data")) != wordnet_fingerprint(str(shared("nltk_data")))


def test_a_missing_directory_says_how_to_get_wordnet(tmp_path: Path):
    with pytest.raises(RelconError, match=r"nowhere does not exist.*python -m nltk.downloader wordnet.*`directory`"):
        wordnet(tmp_path / "nowhere", tmp_path).synonyms("cell")


def test_a_directory_without_wordnet_says_so(tmp_path: Path):
    with pytest.raises(RelconError, match=r"holds no WordNet: neither data.noun nor corpora/wordnet.*nltk.downloader"):
        wordnet(tmp_path, tmp_path).synonyms("cell")


def test_nltk_without_wordnet_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [])
    with pytest.raises(RelconError, match=r"nltk has no WordNet\. Get it with `python -m nltk.downloader wordnet`"):
        wordnet(None, tmp_path).synonyms("cell")


def test_debians_wordnet_misses_a_file(shared: Callable[[str], Path], tmp_path: Path):
    folder = tmp_path / "wordnet"
    shutil.copytree(shared("nltk_data/corpora/wordnet"), folder, ignore=shutil.ignore_patterns("lexnames", "index.sense"))
    with pytest.raises(RelconError, match=r"`lexnames` is missing \(Debian"):
        wordnet(folder, tmp_path).synonyms("cell")


def test_links_that_leave_the_directory_are_explained(shared: Callable[[str], Path], tmp_path: Path):
    folder = tmp_path / "wordnet"
    folder.mkdir()
    for file in shared("nltk_data/corpora/wordnet").iterdir():
        (folder / file.name).symlink_to(file)
    with pytest.raises(RelconError, match=r"cannot be read.*no links that leave the folder"):
        wordnet(folder, tmp_path).synonyms("cell")


@pytest.mark.parametrize(
    ("name", "text"), [("nerve_cell", "nerve cell"), ("atomic_number_49", "atomic number"), ("2", ""), ("T-Cell", "t cell")]
)
def test_cleaning(name: str, text: str):
    assert cleaned(name) == text
