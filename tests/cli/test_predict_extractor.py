"""`relcon predict` with a model that finds entities by itself, on plain text."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence

import pytest
import torch

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.interfaces import Extractor, Neighbour
from relcon.model import save_extractor
from relcon.prediction import as_extraction, related

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

    def of(text: str, *words: Any, reader: str = "relcon.PlainText.v1", array: bool = False) -> Any:
        (tmp_path / "new.txt").write_text(text, encoding="utf-8")
        ended = relcon("predict", tmp_path / "run", tmp_path / "new.txt", "--reader", reader, "-o", tmp_path / "out.jsonl", *words)
        assert ended.code == 0, ended.err
        written = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
        return json.loads(written) if array else [json.loads(line) for line in written.splitlines()], ended.out

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


def test_documents_in_the_format_of_a_tool(tmp_path: Path, predict: Callable[..., Any]) -> None:
    """With probabilities, where the format has them; what it cannot hold is said."""
    [task], said = predict("Ada met Bo.\n", "--writer", "relcon.LabelStudio.v1", "--writer.predictions", "true", array=True)
    entity, _, relation = task["predictions"][0]["result"]
    assert (entity["value"]["text"], entity["score"], relation["labels"], relation["score"]) == ("Ada", 0.75, ["with"], 1 / 3)
    assert "1 of 1 documents written to" in said and "lost" not in said
    [task], said = predict("Ada met Bo.\n", "--writer", "relcon.LabelStudio.v1", "--overwrite", array=True)
    assert "annotations" in task
    assert f"lost: 2 x probability of an entity (first: {tmp_path / 'new.txt'}:1)" in said


def test_a_writer_has_no_place_for_neighbours(tmp_path: Path, predict: Callable[..., Any], relcon: Callable[..., Any]) -> None:
    predict("Ada met Bo.\n")
    words = ["predict", tmp_path / "run", tmp_path / "new.txt", "-o", tmp_path / "out", "--reader", "relcon.PlainText.v1"]
    ended = relcon(*words, "--writer", "relcon.SpERT.v1", "--neighbours", 2)
    assert ended.code == 2 and "--neighbours is for the lines that are written without --writer" in ended.err
    assert not (tmp_path / "out").exists()
    ended = relcon(*words, "--writer", "relcon.Spert.v1")
    assert ended.code == 2 and "'relcon.Spert.v1' is not registered in '@writers'. Did you mean 'relcon.SpERT.v1'?" in ended.err
    ended = relcon(*words, "--writer.predictions", "true")
    assert ended.code == 2 and 'needs @writers = "NAME" to say which component it is' in ended.err


def test_words_that_the_encoder_did_not_see_are_called_words(predict: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Capitals, "lost_views", 774)
    assert "\n774 words lie beyond the encoder's limit and were not read.\n" in predict("Ada met Bo.\n")[1]


@pytest.mark.parametrize(
    "text, likelier",
    [
        ("Ada met Bo.\nnobody came\n", "relcon.PlainText.v1"),
        ('[{"tokens": ["Ada"], "entities": [], "relations": []}]', "relcon.SpERT.v1"),
        ('{"id": "d", "words": ["Ada"]}\nAda met Bo.\n', None),
        ('{"id": "d"}\n', None),
    ],
)
@pytest.mark.parametrize("writer", [[], ["--writer", "relcon.SpERT.v1"]])
def test_a_text_for_another_reader(
    text: str, likelier: Optional[str], writer: List[str], tmp_path: Path, predict: Callable[..., Any], relcon: Callable[..., Any]
) -> None:
    """Where the run's reader reads nothing of it."""
    predict("Ada met Bo.\n")
    (tmp_path / "new.txt").write_text(text, encoding="utf-8")
    ended = relcon("predict", tmp_path / "run", tmp_path / "new.txt", "-o", tmp_path / "other", *writer)
    assert ended.code == 2 and "new.txt:" in ended.err
    assert f"Did you mean --reader {likelier}? The input has " in ended.err if likelier else "--reader" not in ended.err


def test_positive_only_leaves_out_relations_that_are_none() -> None:
    document = Document("d", ("Ada", "Bo"), (Entity((Mention(0, 1),)),), (Relation(0, 0, "none"), Relation(0, 0, "with"), Relation(0, 0)))
    assert [each.label for each in related(document, {"none"}).relations] == ["with", None]


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
