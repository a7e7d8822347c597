"""TACRED's JSON."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from relcon.data.document import Parse

READER = "relcon.TACRED.v1"


def record(**changes: Any) -> Dict[str, Any]:
    base = {
        "id": "e1",
        "docid": "d1",
        "relation": "per:title",
        "token": ["Ada", "Orm", "-LRB-", "baker", "-RRB-", "sang"],
        "subj_start": 0,
        "subj_end": 1,
        "obj_start": 3,
        "obj_end": 3,
        "subj_type": "PERSON",
        "obj_type": "TITLE",
        "stanford_pos": ["NNP", "NNP", "-LRB-", "NN", "-RRB-", "VBD"],
        "stanford_head": [2, 6, "4", 2, 4, 0],
        "stanford_deprel": ["compound", "nsubj", "punct", "dep", "punct", "ROOT"],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def array(*records: Any) -> str:
    return json.dumps(list(records), indent=1)


def test_ends_are_inclusive_and_heads_counted_from_one(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("train.json", array(record())))
    assert document.words == ("Ada", "Orm", "(", "baker", ")", "sang")
    assert [(entity.mentions[0][:2], entity.type) for entity in document.entities] == [((0, 2), "PERSON"), ((3, 4), "TITLE")]
    labels, tags = record()["stanford_deprel"], record()["stanford_pos"]
    assert document.parse == Parse((1, 5, 3, 1, 3, 5), tuple(labels), tuple(tags))
    assert document.relations[0].label == "per:title" and document.metadata == {"docid": "d1"}


def test_brackets_may_stay_escaped(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("train.json", array(record())), unescape_brackets=False)
    assert document.words[2] == "-LRB-"


def test_label_and_parse_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    bare = record(relation=None, stanford_head=None, stanford_pos=None, stanford_deprel=None, docid=None)
    [document] = read(READER, write("test.json", array(bare)))
    assert document.parse is None and document.relations[0].label is None and document.metadata == {}


def test_each_record_knows_its_line(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = "[\n" + ",\n\n".join(json.dumps(record(id=name)) for name in "abc") + "]\n"
    assert [(d.id, d.source.line) for d in read(READER, write("train.json", text))] == [("a", 2), ("b", 4), ("c", 6)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "'id' is missing in the record; expected a string"),
        ({"subj_end": -1}, "'subj_start' is 0 and 'subj_end' -1; the end is inclusive"),
        ({"obj_end": 6}, "'obj' has the span [3, 7) outside the 6 tokens"),
        ({"obj_start": "3"}, "'obj_start' of the record must be a whole number, here it is a string, '3'"),
        ({"subj_start": True}, "'subj_start' of the record must be a whole number, here it is true or false"),
        ({"stanford_head": [2, 6, 4]}, "'stanford_head' has 3 values for 6 tokens"),
        ({"stanford_head": [2, 6, 4, 2, 4, 7]}, "'stanford_head' gives word 5 the head 7"),
        ({"stanford_deprel": None}, "'stanford_deprel' is missing"),
        ({"token": ["Ada", None]}, "item 1 of 'token' must be a string, here it is null"),
    ],
)
def test_bad_records_are_named(changes: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = "[" + json.dumps(record(id="good")) + ",\n" + json.dumps(record(**changes)) + "]"
    [(where, said)] = faults(READER, write("train.json", text))
    assert where == "train.json:2" and message in said


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('{"id": 1}', 1, "expected a JSON array"),
        ("[{},\n{", 2, "not JSON"),
        ("[{},\n]", 2, "not JSON"),
        ("[{}\n{}]", 1, "expected ',' or the closing ']'"),
        ("[{}", 1, "expected ',' or the closing ']'"),
        ("[{}] []", 1, "expected ',' or the closing ']'"),
        ("[7]", 1, "the record must be an object, here it is a whole number, 7"),
    ],
)
def test_a_broken_array_is_named(text: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    where, said = faults(READER, write("train.json", text))[-1]
    assert where == f"train.json:{line}" and message in said


def test_blank_tokens_and_labels_are_refused(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    blank = record(token=["Ada", "Orm", " ", "baker", "-RRB-", "sang"])
    found = faults(READER, write("train.json", array(blank, record(id="e2", relation=""))))
    assert [message.split(";")[0] for _, message in found] == ["token 2 is empty or white space", "'relation' of the record is empty"]
