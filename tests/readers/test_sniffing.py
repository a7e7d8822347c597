"""Files and folders are known for what they are, the real corpora too (where RELCON_SHARED has them)."""

import logging
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import pytest

from relcon.data.document import Document
from relcon.data.glimpse import Glimpse, glimpse
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader
from relcon.sniffing import sniff

Write = Callable[..., Path]

SEMEVAL = "semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8"

CORPORA = {
    "ade/ADE-Corpus-V2/DRUG-AE.rel": "relcon.ADE.v1",
    "ade/ade_full_spert.json": "relcon.SpERT.v1",
    "aimed/aimed": "relcon.AIMed.v1",
    "aimed/aimed/abstract_11780382": "relcon.AIMed.v1",
    "aimed/folds_json": "relcon.AIMedFolds.v1",
    "aimed/folds_json/test_3.json": "relcon.AIMedFolds.v1",
    "chemprot/ChemProt_Corpus/chemprot_training": "relcon.ChemProt.v1",
    "chemprot/scibert/dev.txt": "relcon.SciBERT.v1",
    "ddi2013": "relcon.DDI2013.v1",
    "ddi2013/Train": "relcon.DDI2013.v1",
    "ddi2013/Train/MedLine": "relcon.DDI2013.v1",
    "docred/test.json": "relcon.DocRED.v1",
    "docred/train_annotated_200.json": "relcon.DocRED.v1",
    "fewrel/val_wiki.json": "relcon.FewRel.v1",
    "redocred": "relcon.DocRED.v1",
    "scierc/json/dev.json": "relcon.DyGIE.v1",
    "scierc/scibert/dev.txt": "relcon.SciBERT.v1",
    f"{SEMEVAL}_training/TRAIN_FILE.TXT": "relcon.SemEval2010.v1",
    f"{SEMEVAL}_testing/TEST_FILE.txt": "relcon.SemEval2010.v1",
    f"{SEMEVAL}_testing_keys/TEST_FILE_FULL.TXT": "relcon.SemEval2010.v1",
    "semeval2010_task8/opennre/val.txt": "relcon.OpenNRE.v1",
    "wiki80/dev.txt": "relcon.OpenNRE.v1",
}


@pytest.mark.parametrize(("path", "reader"), CORPORA.items())
def test_the_real_corpora_are_known(path: str, reader: str, shared: Callable[[str], Path]) -> None:
    likeliest = sniff(shared(f"data/{path}"))[0]
    assert (likeliest.reader, likeliest.failure) == (reader, "") and 0 < likeliest.read <= 3


def readers(path: Path) -> Any:
    return [(each.reader, each.read, bool(each.failure)) for each in sniff(path)]


def test_a_file_of_nothing_known_has_no_reader(write: Write) -> None:
    assert sniff(write("x.bin", "\0\1")) == [] and sniff(write("x.json", '{"a": 1}')) == []


def test_nothing_at_the_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match="cannot be read"):
        sniff(tmp_path / "none")


def test_an_empty_file_is_an_error(write: Write) -> None:
    with pytest.raises(RelconError, match=r"none.txt is empty"):
        sniff(write("none.txt", " \n"))


def test_plain_text_is_named_where_nothing_else_is(write: Write) -> None:
    assert readers(write("a.txt", "Orsk slept.\nZorvane is old.\n")) == [("relcon.PlainText.v1", 2, False)]
    marked = '1\t"<e1>Orsk</e1> met <e2>Irum</e2>."\nOther\nComment:\n\n'
    assert readers(write("b.txt", marked)) == [("relcon.SemEval2010.v1", 1, False)]


def test_a_damaged_record_is_told(write: Write) -> None:
    [found] = sniff(write("b.txt", '1\t"<e1>Orsk</e1> met <e2>Irum."\nOther\nComment:\n\n'))
    assert found.reader == "relcon.SemEval2010.v1" and found.read == 0 and "b.txt:1: expected each of <e1>" in found.failure


@pytest.mark.parametrize(
    ("text", "reader"),
    [
        ('{"text": "Orsk slept.", "entities": [{"chars": [0, 4]}], "relations": []}', "relcon.JSONLines.v1"),
        ('{"text": "Orsk slept."}', "relcon.JSONLines.v1"),
        ('{"id": 1, "text": "O", "entities": [{"id": 1, "label": "P", "start_offset": 0, "end_offset": 1}]}', "relcon.Doccano.v1"),
        ('{"id": 1, "text": "O", "entities": [], "relations": [], "Comments": []}', "relcon.Doccano.v1"),
        ('{"text": "O", "tokens": [{"text": "O", "start": 0, "end": 1, "id": 0}]}', "relcon.Prodigy.v1"),
        ('{"text": "O", "spans": [], "_task_hash": 1}', "relcon.Prodigy.v1"),
        ('[{"data": {"text": "O"}, "predictions": []}]', "relcon.LabelStudio.v1"),
        ('{"tokenized_text": ["O"], "ner": []}', "relcon.GLiNER.v1"),
        ("{'token': ['O', 'I'], 'h': {'pos': [0, 1]}, 't': {'pos': [1, 2]}, 'relation': 'met'}", "relcon.OpenNRE.v1"),
        ('[{"tokens": ["O"], "entities": [], "relations": []}]', "relcon.SpERT.v1"),
    ],
)
def test_look_alikes_are_told_apart(text: str, reader: str, write: Write) -> None:
    assert readers(write("data.json", text)) == [(reader, 1, False)]


@pytest.mark.parametrize(
    ("name", "row", "table"),
    [
        ("x_abstracts.tsv", "7001\tOn Orsk\tZorvane blocks KLR2.", "abstracts"),
        ("entities.tsv", "7001\tT1\tGENE-N\t20\t24\tKLR2", "entities"),
        ("relations.tsv", "7001\tCPR:4\tY \tINHIBITOR\tArg1:T1\tArg2:T2", "relations"),
        ("gold.tsv", "7001\tCPR:4\tArg1:T1\tArg2:T2", "gold standard"),
    ],
)
def test_a_table_of_chemprot_is_named_with_the_folder_that_it_needs(name: str, row: str, table: str, write: Write) -> None:
    [found] = sniff(write(name, row + "\n"))
    assert (found.reader, found.read) == ("relcon.ChemProt.v1", 0) and "is a file; expected a folder" in found.failure
    assert f"ChemProt's {table}, whose reader takes the folder" in found.reason
    assert [each.reader for each in sniff(write("notes.tsv", "7001\tOrsk\tslept\n"))] == ["relcon.PlainText.v1"]


@pytest.mark.parametrize("text", ["1\tCause-Effect(e1,e2)\n2\tOther\n", "8001\tMessage-Topic\r\n"])
def test_a_key_is_no_corpus(text: str, write: Write) -> None:
    with pytest.raises(RelconError, match=r"key.txt is no corpus: .* relcon score GOLD PREDICTED"):
        sniff(write("key.txt", text))
    assert readers(write("a.txt", f"{text}3\tOrsk slept.\n"))[0][0] == "relcon.PlainText.v1"


def test_a_page_about_a_format_is_not_of_it(write: Write) -> None:
    line = "TI - <prot>  Zorvane </prot>  meets Orsk .\n"
    assert readers(write("one", line)) == [("relcon.AIMed.v1", 1, False)]
    assert readers(write("two", line + "AB - <prot>  KLR2 is old .\n")) == [("relcon.AIMed.v1", 0, True)]
    page = write("README.md", f"# Data\n\n    {line}\nA mention is in `<prot>`.\n")
    assert [each.reader for each in sniff(page)] == ["relcon.PlainText.v1"]


def test_the_readme_of_the_real_corpora_is_text(shared: Callable[[str], Path]) -> None:
    assert [each.reader for each in sniff(shared("data/README.md"))] == ["relcon.PlainText.v1"]


class Named(DatasetReader):
    """Of a stranger: it answers, and needs an argument or fails."""

    def __init__(self, column: int):
        self.column = column

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        return "it begins with an asterisk" if glimpse.text.startswith("*") else None

    def read(self, path: Path) -> Iterator[Document]:
        raise ZeroDivisionError("one")


class Failing(Named):
    def __init__(self) -> None:
        super().__init__(1)


class Broken(Named):
    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        raise KeyError("two")


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three readers of a stranger."""
    offered = {"stranger.Named.v1": Named, "stranger.Failing.v1": Failing, "stranger.Broken.v1": Broken}
    registry, known, get = DatasetReader.registry, DatasetReader.registry.names(), DatasetReader.registry.get
    monkeypatch.setattr(registry, "names", lambda: [*known, *offered])
    monkeypatch.setattr(registry, "get", lambda name: offered[name] if name in offered else get(name))


def test_a_reader_that_fails_or_needs_an_argument_hides_no_other(strangers: None, write: Write, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = {each.reader: each.failure for each in sniff(write("a.txt", "* Orsk slept."))}
    assert found == {"stranger.Failing.v1": "one", "stranger.Named.v1": "not tried, because it must be told column"}
    assert "'stranger.Broken.v1' could not be asked" in caplog.text and "KeyError" in caplog.text
    assert readers(write("b.jsonl", '{"text": "Orsk slept."}')) == [("relcon.JSONLines.v1", 1, False)]


def test_a_glimpse_of_a_folder_finds_its_first_file(write: Write) -> None:
    path = write("folder/below/b.xml", "<b/>")
    write("folder/a.txt", "")
    seen = glimpse(path.parents[1])
    assert seen.names == ("a.txt",) and seen.first("**/*.xml").text == "<b/>" and seen.first("*.json") is seen
    assert seen.record is None and seen.objects("a") is None and seen.value("a") is None
