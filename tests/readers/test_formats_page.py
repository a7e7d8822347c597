"""The examples of docs/formats/, a page for each reader, read by the readers that they document."""

import json
import os
import re
import runpy
from pathlib import Path
from typing import Any, Callable, Dict, List

import jsonschema
import pytest

import relcon.readers
from relcon.interfaces import DatasetReader
from relcon.sniffing import sniff

PAGES = Path(__file__).parents[2] / "docs" / "formats"
TITLE = re.compile(r"^# (relcon\.\S+)$", re.MULTILINE)
BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FOLDERS = ("relcon.ChemProt.v1", "relcon.AIMed.v1", "relcon.AIMedFolds.v1", "relcon.BRAT.v1")


def examples() -> Dict[str, Dict[str, str]]:
    """Reader -> the files of its page."""
    pages = [page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md"))]
    return {name: dict(BLOCK.findall(page)) for page in pages for name in TITLE.findall(page)}


def example(name: str, write: Callable[..., Path]) -> Path:
    """The path that a page's reader takes. A binary file is written by the program that its page has in its place."""
    paths = [write(f"data/{file}", text) for file, text in examples()[name].items()]
    if paths[0].suffix == ".py":
        here = Path.cwd()
        os.chdir(paths[0].parent)
        try:
            runpy.run_path(str(paths[0]))
        finally:
            os.chdir(here)
        [made] = set(paths[0].parent.iterdir()) - set(paths)
        return made
    return paths[0].parent if name in FOLDERS else paths[0]


def documents(name: str, write: Callable[..., Path], read: Callable[..., Any]) -> List[Any]:
    return read(name, example(name, write))


def test_every_reader_has_a_page_with_an_example() -> None:
    names = {name for name in DatasetReader.registry.names() if name.startswith("relcon.")}
    assert set(examples()) == names and all(examples().values())


@pytest.mark.parametrize("name", sorted(examples()))
def test_the_example_is_read(name: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    found = documents(name, write, read)
    assert len(found) == (2 if name == "relcon.AIMedFolds.v1" else 3)  # its three lines are two sentences
    labels = {relation.label for document in found for relation in document.relations}
    assert labels >= EXPECTED[name]
    for document in found:
        assert all(document.mention_text(mention).strip() for entity in document.entities for mention in entity.mentions)


@pytest.mark.parametrize("name", sorted(examples()))
def test_the_example_is_known_for_what_it_is(name: str, write: Callable[..., Path]) -> None:
    likeliest = sniff(example(name, write))[0]
    assert (likeliest.reader, likeliest.failure) == (name, "") and likeliest.read and likeliest.reason


EXPECTED: Dict[str, Any] = {
    "relcon.JSONLines.v1": {"inhibits", None},
    "relcon.SemEval2010.v1": {"Cause-Effect(e1,e2)", "Component-Whole(e1,e2)", None},
    "relcon.OpenNRE.v1": {"lives in", "no_relation", None},
    "relcon.TACRED.v1": {"per:title", "no_relation", None},
    "relcon.SpERT.v1": {"Adverse-Effect", None},
    "relcon.DyGIE.v1": {"LIVES-IN"},
    "relcon.PlainText.v1": set(),
    "relcon.DocRED.v1": {"P17", "P131"},
    "relcon.ChemProt.v1": {"CPR:4", "CPR:3"},
    "relcon.DDI2013.v1": {"DDI-mechanism", "DDI-false"},
    "relcon.AIMed.v1": {"positive"},
    "relcon.AIMedFolds.v1": {"positive", "negative", None},
    "relcon.SciBERT.v1": {"INHIBITOR", "USED-FOR", None},
    "relcon.BlindedTSV.v1": {"CPR:4", "false", None},
    "relcon.ADE.v1": {"Adverse-Effect"},
    "relcon.FewRel.v1": {"P177", "P26"},
    "relcon.CasRel.v1": {"/person/born_in", "/place/in", None},
    "relcon.CoNLL04.v1": {"Live_In", "Work_For"},
    "relcon.CoNLLU.v1": {"Live_In", "Work_For"},
    "relcon.SemEval2007.v1": {"Content-Container(e1,e2)", "Other", None},
    "relcon.BRAT.v1": {"Inhibits", "Part-Of"},
    "relcon.BioC.v1": {"Negative_Correlation", "Bind"},
    "relcon.PubTator.v1": {"CID"},
    "relcon.PPI.v1": {"positive", "negative", None},
    "relcon.BigBio.v1": {"inhibits", "binds"},
    "relcon.Prodigy.v1": {"INHIBITS"},
    "relcon.LabelStudio.v1": {"inhibits", None},
    "relcon.Doccano.v1": {"inhibits", None},
    "relcon.DocBin.v1": {"inhibits", "lies on"},
    "relcon.GLiNER.v1": {"inhibits", "lies on"},
}


def test_the_examples_of_our_own_format_fit_the_schema() -> None:
    schema = json.loads((Path(relcon.readers.__file__).parent / "document.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    [text] = examples()["relcon.JSONLines.v1"].values()
    for line in text.splitlines():
        validator.validate(json.loads(line))


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"text": "a", "entitys": []},
        {"words": [" "]},
        {"text": "a", "entities": [{"type": "T"}]},
        {"text": "a", "entities": [{"chars": [0, 1], "words": [0, 1]}]},
        {"text": "a", "entities": [{"chars": [0, 1], "mentions": [{"chars": [0, 1]}]}]},
        {"text": "a", "entities": [{"mentions": []}]},
        {"text": "a", "entities": [{"chars": []}]},
        {"text": "a", "entities": [{"chars": [0, 1, 2]}]},
        {"text": "a", "relations": [{"head": 0}]},
        {"text": "a", "relations": [{"head": 0.5, "tail": 1}]},
        {"text": "a", "sentences": [[0, 1]]},
    ],
)
def test_schema_and_reader_refuse_the_same(record: Any, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    schema = json.loads((Path(relcon.readers.__file__).parent / "document.schema.json").read_text(encoding="utf-8"))
    assert not jsonschema.Draft202012Validator(schema).is_valid(record)
    assert len(faults("relcon.JSONLines.v1", write("my.jsonl", json.dumps(record)))) == 1
