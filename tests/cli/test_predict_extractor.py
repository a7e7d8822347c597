"""`relcon predict` with a model that finds entities by itself, on plain text."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Sequence

import pytest
import torch

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.interfaces import Extractor, Neighbour
from relcon.model import save_extractor
from relcon.prediction import as_extraction

LABELS = LabelSet(("none", "with"), frozenset(["none"]))


@Extractor.register("capitals.Reader.v1")
class Capitals(Extractor):
    """Words with a capital are entities; the first of them is related to each of the others."""

    def __init__(self, path: str):
        self.path, self.labels = path, LABELS

    def extract(self, documents: Sequence[Document]) -> List[Document]:
        """The documents with these."""
        return [self._found(each) for each in documents]

    def _found(self, document: Document) -> Document:
        places = [place for place, word in enumerate(document.words) if word[0].isupper()]
        entities = tuple(Entity((Mention(place, place + 1),), "NAME", score=0.75) for place in places)
        relations = tuple(Relation(0, tail, "with", score=1 / 3) for tail in range(1, len(places)))
        return replace(document, entities=entities, relations=relations)

    def neighbours(self, instances: Sequence[Instance], count: int) -> List[List[Neighbour]]:
        """Invented examples, which name the pair."""
        return [[Neighbour(float(n), "with", f"{each.head} and {each.tail}") for n in range(count)] for each in instances]

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        """Nobody asks."""
        return torch.zeros(len(instances), len(self.labels))

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        """Nobody asks."""
        return torch.zeros(len(instances), 1)


@pytest.fixture
def predict(tmp_path: Path, relcon: Callable[..., Any]) -> Callable[..., Any]:
    """`predict(text, "--neighbours", 2)`: the objects that are written for a text file, and what is said."""
    about = {"reader": {"@readers": "relcon.JSONLines.v1"}, "candidates": {"@candidates": "relcon.EntityPairs.v1"}, "stage": "read"}
    save_extractor(tmp_path / "run" / "model", {"@extractors": "capitals.Reader.v1"}, LABELS, about, lambda folder: None)

    def of(text: str, *words: Any, reader: str = "relcon.PlainText.v1") -> Any:
        (tmp_path / "new.txt").write_text(text, encoding="utf-8")
        ended = relcon("predict", tmp_path / "run", tmp_path / "new.txt", "--reader", reader, "-o", tmp_path / "out.jsonl", *words)
        assert ended.code == 0, ended.err
        return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()], ended.out

    return of


def test_a_line_becomes_a_document_with_entities_and_relations(predict: Callable[..., Any]) -> None:
    """Characters are those of the line as it stands, whatever white space it begins with."""
    [first, second], said = predict("\t Ada met  Bo.\n\nnobody came\n")
    assert first == {
        "document": "new-1",
        "text": "\t Ada met  Bo.",
        "entities": [
            {"entity": 0, "text": "Ada", "type": "NAME", "words": [[0, 1]], "characters": [[2, 5]], "probability": 0.75},
            {"entity": 1, "text": "Bo", "type": "NAME", "words": [[2, 3]], "characters": [[11, 13]], "probability": 0.75},
        ],
        "relations": [{"head": 0, "tail": 1, "label": "with", "probability": 0.333333}],
    }
    assert second == {"document": "new-3", "text": "nobody came", "entities": [], "relations": []}
    assert "2 documents with 2 entities and 1 relations written to" in said


def test_text_in_which_nothing_is_found_is_no_error(predict: Callable[..., Any]) -> None:
    [only], said = predict("nobody came\n", "--neighbours", 2)
    assert (only["entities"], only["relations"]) == ([], [])
    assert "1 documents with 0 entities and 0 relations" in said and "candidate rule" not in said


def test_every_relation_has_its_neighbours(predict: Callable[..., Any]) -> None:
    [document], _ = predict("Ada met Bo and Cy\n", "--neighbours", 2)
    assert [[each["text"] for each in relation["neighbours"]] for relation in document["relations"]] == [["0 and 1"] * 2, ["0 and 2"] * 2]
    assert document["relations"][0]["neighbours"][1] == {"distance": 1.0, "label": "with", "text": "0 and 1"}


def test_what_was_annotated_is_replaced(predict: Callable[..., Any]) -> None:
    """Words alone have no text and no characters."""
    record = {"id": "d", "words": ["Ada", "met", "her"], "entities": [{"words": [2, 3], "type": "X"}], "relations": []}
    [document], _ = predict(json.dumps(record), reader="relcon.JSONLines.v1")
    assert document == {
        "document": "d",
        "entities": [{"entity": 0, "text": "Ada", "type": "NAME", "words": [[0, 1]], "probability": 0.75}],
        "relations": [],
    }


def test_a_model_that_gives_no_probability() -> None:
    document = Document("d", ("Ada", "met", "Bo"), (Entity((Mention(0, 1),)), Entity((Mention(2, 3),))), (Relation(0, 1, "with"),))
    found = as_extraction(document)
    assert [each["probability"] for each in [*found["entities"], *found["relations"]]] == [None] * 3
