"""A run whose model finds entities by itself, from training to `relcon evaluate` and `relcon compare`."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest
import torch

from relcon.cli.main import main
from relcon.config import load_config
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.evaluation import evaluate
from relcon.files import read_json, write_json
from relcon.interfaces import Artifacts, Extractor, Stage
from relcon.model import SavedModel, save_extractor
from relcon.pipeline import train

LEXICON = "lexicon.json"
CONFIG = """
[training]
seed = 0

[data]
@corpora = "relcon.Corpus.v1"
train = "{folder}/train.jsonl"
test = {test}
negative = ["none"]
cache = "none"

[data.reader]
@readers = "relcon.JSONLines.v1"

[data.candidates]
@candidates = "relcon.EntityPairs.v1"

{protocol}
[stages.lookup]
@stages = "lookup.Memorise.v1"

[stages.evaluate]
@stages = "relcon.Evaluate.v1"
model = "lookup"

[stages.evaluate.evaluators.extraction]
@evaluators = "relcon.Extraction.v1"
"""
FOLDS = '[protocol]\n@protocols = "relcon.KFold.v1"\nfolds = 2\n'


@Extractor.register("lookup.Lookup.v1")
class Lookup(Extractor):
    """Finds words that it knows; two that follow each other stand in the relation that such types had last."""

    def __init__(self, path: str):
        self.labels = SavedModel(Path(path)).labels
        lexicon: Dict[str, Any] = read_json(Path(path) / LEXICON)
        self.types, self.relations = lexicon["types"], lexicon["relations"]

    def extract(self, documents: Sequence[Document]) -> List[Document]:
        return [self.read(document) for document in documents]

    def read(self, document: Document) -> Document:
        known = [(number, self.types[word]) for number, word in enumerate(document.words) if word in self.types]
        entities = tuple(Entity((Mention(number, number + 1),), kind) for number, kind in known)
        pairs = [(n, n + 1, self.relations.get(f"{a[1]} {b[1]}")) for n, (a, b) in enumerate(pairwise(known))]
        relations = tuple(Relation(head, tail, label, score=1.0) for head, tail, label in pairs if label)
        return Document(document.id, document.words, entities, relations, document.sentences)

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError


@Stage.register("lookup.Memorise.v1")
class Memorise(Stage):
    """Writes down what the training documents say."""

    def __init__(self, most: int = 100):
        self.most = most

    def run(self, context: Any) -> Artifacts:
        types, relations = {}, {}
        for document in context.corpus.split("train").documents[: self.most]:
            types.update({document.words[each.mentions[0].start]: each.type for each in document.entities})
            ends = [(document.entities[each.head].type, document.entities[each.tail].type, each.label) for each in document.relations]
            relations.update({f"{head} {tail}": label for head, tail, label in ends})
        about = {"stage": context.name, "reader": context.config["data"]["reader"], "candidates": context.config["data"]["candidates"]}
        lexicon = {"types": types, "relations": relations}
        block = {"@extractors": "lookup.Lookup.v1"}
        save_extractor(context.folder / "model", block, context.corpus.labels, about, lambda path: write_json(path / LEXICON, lexicon))
        return Artifacts(context.folder)


def record(name: str, drug: str, disease: str, label: str = "treats") -> Dict[str, Any]:
    entities = [{"mentions": [{"words": [0, 1]}], "type": "Drug"}, {"mentions": [{"words": [2, 3]}], "type": "Disease"}]
    relations = [{"head": 0, "tail": 1, "label": label}]
    return {"id": name, "words": [drug, "against", disease, "."], "entities": entities, "relations": relations}


def write(path: Path, *records: Dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four documents to learn from, two to be tested on: of these, one has a disease that nobody has seen."""
    write(tmp_path / "train.jsonl", *(record(f"t{n}", f"drug{n}", f"disease{n}") for n in range(4)))
    write(tmp_path / "test.jsonl", record("a", "drug0", "disease1"), record("b", "drug1", "disease9"))
    return tmp_path


def run(data: Path, name: str, *words: str, folds: bool = False) -> Path:
    config = data / f"{name}.cfg"
    test = "null" if folds else f'"{data}/test.jsonl"'
    config.write_text(CONFIG.format(folder=data, test=test, protocol=FOLDS if folds else ""), encoding="utf-8")
    train(load_config(config, list(words)), data / name)
    return data / name


def test_a_run_its_figures_and_its_files(data: Path) -> None:
    found = read_json(run(data, "run") / "metrics.json")["evaluate"]
    assert found["extraction.entity_recall"] == 3 / 4 and found["extraction.strict_f1"] == pytest.approx(2 / 3)
    folder = data / "run/stages/evaluate/extraction"
    assert {file.name for file in folder.iterdir()} == {
        "predictions.jsonl", "scores.json", "entities.json", "entities.tsv", "relations.json", "relations.tsv", "bins.json", "bins.png",
    }  # fmt: skip
    assert (data / "run/predictions.jsonl").exists() and (data / "run/scores.json").exists()


def test_evaluate_on_other_data(data: Path) -> None:
    """A label and a type that the model does not know are missed."""
    other = write(data / "other.jsonl", record("c", "drug2", "disease3"), record("d", "drug1", "disease2", label="worsens"))
    figures = evaluate(run(data, "run"), data=other, output=data / "measured")
    assert figures["extraction.entity_f1"] == 1 and figures["extraction.strict_f1"] == pytest.approx(1 / 2)
    assert figures["extraction.strict_recall/worsens"] == 0
    assert (data / "measured/extraction/predictions.jsonl").exists()


def test_folds_are_pooled_and_compared(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(data / "train.jsonl", *(record(f"t{n}", f"drug{n % 2}", f"disease{n % 3}") for n in range(8)))
    whole, part = run(data, "whole", folds=True), run(data, "part", "--stages.lookup.most", "1", folds=True)
    pooled = read_json(whole / "pooled.json")["evaluate.extraction"]
    assert pooled["entities"] == 16 and "strict_f1/treats" not in pooled
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(whole), str(part), "--trials", "200", "--profile", "entity", "--examples", "1"])
    assert not ended.value.code
    out = capsys.readouterr().out
    assert "f1 (entity), 8 documents" in out and "folds/fold_02" in out and re.search(r"only A right [1-9]", out)
