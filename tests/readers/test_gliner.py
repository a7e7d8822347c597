"""GLiNER's and GLiREL's JSON."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from relcon.data.document import Relation

READER = "relcon.GLiNER.v1"

TOKENS = ["Zorvane", "\u00a0", "blocks", "the", "KLR2", "channel"]


def record(**changes: Any) -> Dict[str, Any]:
    base = {"tokenized_text": TOKENS, "ner": [[0, 0, "drug"], [4, 5, "protein"]], "relations": [[0, 1, "inhibits"]]}
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def glirel(**changes: Any) -> Dict[str, Any]:
    head = {"mention": "zorvane", "position": [0, 0], "type": "X"}
    tail = {"mention": "KLR2-channel", "position": [4, 5], "type": "Y"}
    return {"head": head, "tail": tail, "relation_text": "inhibits", **changes}


@pytest.mark.parametrize("relations", [[[0, 1, "inhibits"]], [glirel()]])
@pytest.mark.parametrize("names", [([], []), (["Zorvane"], ["klr2 channel"])])
def test_both_forms(relations: Any, names: Any, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    ner = [[*each, *name] for each, name in zip(record()["ner"], names, strict=True)]
    value = record(ner=ner, relations=relations, rel_negatives=["activates"])
    for path in (write("a.json", json.dumps([value])), write("b.jsonl", json.dumps(value))):
        [document] = read(READER, path)
        assert document.words == ("Zorvane", "blocks", "the", "KLR2", "channel")
        assert [(entity.type, entity.mentions[0][:2]) for entity in document.entities] == [("drug", (0, 1)), ("protein", (3, 5))]
        assert document.relations == (Relation(0, 1, "inhibits"),) and document.metadata == {"rel_negatives": ["activates"]}


def test_ids_are_numbers_in_an_array_and_lines_else(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    array, lines = json.dumps([record(), record()]), "\n\n".join([json.dumps(record())] * 2)
    assert [each.id for each in read(READER, write("a.json", array))] == ["a-0", "a-1"]
    assert [each.id for each in read(READER, write("b.json", lines))] == ["b-1", "b-3"]


def test_labels_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    values = [record(relations=None), record(relations=None, ner=None), record(relations=[[1, 0, None]])]
    one, two, three = read(READER, write("a.json", json.dumps(values)))
    assert (len(one.entities), one.relations, two.entities, three.relations) == (2, (), (), (Relation(1, 0, None),))


def test_names_may_be_canonical(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    path = write("a.json", json.dumps([record(ner=[[0, 0, "drug", "Zorvanium"]], relations=[])]))
    [(_, said)] = faults(READER, path)
    assert said.startswith("record 0: entity 0 is said to be 'Zorvanium', but its tokens are 'Zorvane'")
    assert len(read(READER, path, check_names=False)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokenized_text": None}, "'tokenized_text' is missing"),
        ({"tokenized_text": "Zorvane"}, "'tokenized_text' of the record must be a list"),
        ({"ner": [[0, 0]]}, "entity 0 must be [start, end, type] or [start, end, type, text], here it has 2 values"),
        ({"ner": [[2, 1, "drug"]]}, "entity 0 has the position [2, 1], which is reversed"),
        ({"ner": [[0, 6, "drug", "Zorvane"]]}, "entity 0 has the span [0, 7) outside the 6 tokens"),
        ({"ner": [[1, 1, "drug"]]}, "entity 0, without white space, has the span [1, 1)"),
        ({"ner": [[0, 0, None]]}, "the type of entity 0 must be a string"),
        ({"relations": [[0, 2, "a"]]}, "the tail of relation 0 is entity 2, but 'ner' has 2 entities"),
        ({"relations": [[-1, 0, "a"]]}, "the head of relation 0 is entity -1"),
        ({"relations": [[0, 1]]}, "relation 0 must be [head, tail, type]"),
        ({"relations": [[0, 1, ""]]}, "'type' of relation 0 is empty"),
        ({"relations": ["a"]}, "relation 0 must be a list"),
        ({"relations": [glirel(head={"position": [2, 2]})]}, "'head' of relation 0 is at the tokens [2, 2], which 'ner' does not have"),
        ({"relations": [glirel(head={"mention": "KLR2", "position": [0, 0]})]}, "'head' of relation 0 is said to be 'KLR2'"),
        ({"relations": [glirel(tail=None)]}, "'tail' of relation 0 must be an object"),
    ],
)
def test_bad_records_are_named(changes: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.jsonl", json.dumps(record()) + "\n" + json.dumps(record(**changes))))
    assert where == "a.jsonl:2" and message in said
