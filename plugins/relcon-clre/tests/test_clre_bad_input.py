"""Bad input of CLRE's parts through the real command line: said before any stage runs, with the section; nothing is written."""

import json
from pathlib import Path

import pytest

from relcon.cli.main import main
from relcon.sample import path as sample
from relcon.testing import tiny_encoder_folder

TINY = Path(__file__).parent / "data" / "tiny.cfg"
SHIFT = "--stages.evaluate.evaluators.shift"
SECTION = "[stages.evaluate.evaluators.shift]"
SELECTION = "--stages.finetune.selection"
SHIFT_AS_SELECTION = [
    f"{SELECTION}.@evaluators", "clre.PredictionShift.v1", f"{SELECTION}.augmenter.@augmenters", "clre.PathPreservingSynonyms.v1",
    f"{SELECTION}.augmenter.synonyms.@synonyms", "relcon.Lexicon.v1", f"{SELECTION}.augmenter.synonyms.path",
]  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A folder with a tiny random BERT."""
    return tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "bert")


@pytest.fixture
def refused(encoder, tmp_path, capsys):
    """`refused("--a.b", 1)`: what a run that must be refused said; it leaves nothing."""

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main(["train", str(TINY), "-o", str(tmp_path / "run"), "--paths.encoder", str(encoder), *map(str, words)])
        shown = capsys.readouterr()
        assert (end.value.code, shown.out) == (2, "") and "Traceback" not in shown.err
        assert not (tmp_path / "run").exists()
        return shown.err

    return run


@pytest.fixture
def unparsed(tmp_path):
    """`unparsed("test.jsonl", 7)`: a copy of a file of the sample whose record 7 (from 0) has no parse."""

    def copy(name, number):
        records = [json.loads(line) for line in sample(name).read_text(encoding="utf-8").splitlines()]
        del records[number]["parse"]
        (tmp_path / name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return tmp_path / name

    return copy


def test_no_wordnet(refused, tmp_path):
    said = refused(f"{SHIFT}.augmenter.synonyms.@synonyms", "relcon.WordNet.v1", f"{SHIFT}.augmenter.synonyms.directory", tmp_path / "none")
    assert f"error: {SECTION} WordNet directory {tmp_path / 'none'} does not exist." in said


def test_no_lexicon(refused):
    assert f"error: {SECTION} The lexicon none.tsv does not exist." in refused(f"{SHIFT}.augmenter.synonyms.path", "none.tsv")


def test_no_lexicon_of_a_selection(refused):
    assert "error: [stages.finetune.selection] The lexicon none.tsv does not exist." in refused(*SHIFT_AS_SELECTION, "none.tsv")


def test_no_parser(refused):
    words = [f"{SHIFT}.augmenter.parser.@parsers", "relcon.SpacyParser.v1", f"{SHIFT}.augmenter.parser.pipeline", "en_core_web_none"]
    said = refused(*words)
    assert f'error: {SECTION} The spaCy pipeline "en_core_web_none" cannot be loaded' in said and "[data.parser]" not in said


def test_no_neighbours_file(refused):
    said = refused(f"{SHIFT}.neighbours", "none.jsonl")
    assert f"error: {SECTION} The neighbours file none.jsonl cannot be read: No such file or directory." in said


def test_neighbours_of_other_data(refused, tmp_path):
    (tmp_path / "other.jsonl").write_text("")
    assert f"error: {SECTION} {tmp_path / 'other.jsonl'} has no neighbour of " in refused(f"{SHIFT}.neighbours", tmp_path / "other.jsonl")


def test_a_later_test_document_without_a_parse(refused, unparsed):
    said = refused("--paths.test", unparsed("test.jsonl", 7))
    assert f"error: {SECTION} Document " in said and "test.jsonl:8) has no dependency parse." in said


def test_a_later_training_document_without_a_parse(refused, unparsed):
    said = refused("--paths.unlabelled", unparsed("unlabelled.jsonl", 7))
    assert "error: [stages.pretrain.streams.views] Document " in said and "unlabelled.jsonl:8) has no dependency parse." in said
