"""doccano's JSON-lines."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.data.document import Entity, Mention, Relation
from relcon.errors import DataError
from relcon.interfaces import DatasetReader

READER = "relcon.Doccano.v1"


def record(**changes: Any) -> Dict[str, Any]:
    base = {
        "id": 1,
        "text": "Zorvane blocks KLR2.",
        "entities": [
            {"id": 4, "label": "DRUG", "start_offset": 0, "end_offset": 7},
            {"id": "x", "label": "PROTEIN", "start_offset": 15, "end_offset": 19},
        ],
        "relations": [{"id": 9, "from_id": "x", "to_id": 4, "type": "blocked by"}],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def test_a_record(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("all.jsonl", json.dumps(record(Comments=["odd"], file="a"))))
    assert document.words == ("Zorvane", "blocks", "KLR2", ".") and document.id == "1"
    assert document.entities == (Entity((Mention(0, 1),), "DRUG", "4"), Entity((Mention(2, 3),), "PROTEIN", "x"))
    assert document.relations == (Relation(1, 0, "blocked by", "9"),)
    assert document.metadata == {"Comments": ["odd"], "file": "a"} and len(document.sentences) == 1


def test_lines_and_an_array_are_the_same(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    records = [record(id=name) for name in (1, "b")]
    lines = read(READER, write("a.jsonl", "\n".join(map(json.dumps, records))))
    array = read(READER, write("a.json", json.dumps(records)))
    assert [each.id for each in lines] == [each.id for each in array] == ["1", "b"]
    assert [each.entities for each in lines] == [each.entities for each in array]
    assert [each.source.line for each in lines] == [1, 2] and [each.source.line for each in array] == [1, 1]


def test_labels_and_ids_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    bare = [record(id=None, relations=None), record(id=None, entities=None, relations=None)]
    path = write("a.jsonl", "\n".join(map(json.dumps, [*bare, record(relations=[{"from_id": 4, "to_id": "x"}])])))
    one, two, three = read(READER, path)
    assert (one.id, two.id, two.entities, one.relations) == ("a-1", "a-2", (), ())
    assert three.relations == (Relation(0, 1, None),)


def test_sentences_are_found_where_asked(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("a.jsonl", json.dumps(record(text="Zorvane blocks KLR2. It is old.")))
    assert [read(READER, path, split_sentences=split)[0].sentences for split in (False, True)] == [((0, 8),), ((0, 4), (4, 8))]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, "'text' is missing in the record"),
        ({"entities": None, "label": [[0, 7, "DRUG"]]}, "such an export of doccano has no relations"),
        ({"entities": [{"id": 1, "label": "D", "start_offset": 3, "end_offset": 3}]}, "entity 0 has the span [3, 3), which is empty"),
        ({"entities": [{"id": 1, "label": "D", "start_offset": 0, "end_offset": 99}]}, "outside the 20 characters"),
        ({"entities": [{"label": "D", "start_offset": 0, "end_offset": 7}]}, "'id' of entity 0 must be an id"),
        ({"entities": [{"id": 1, "start_offset": 0, "end_offset": 7}] * 2, "relations": []}, "two entities have the id '1'"),
        ({"entities": [{"id": 1, "label": "D", "start_offset": 0, "end_offset": 7, "text": "KLR2"}]}, "but its span covers 'Zorvane'"),
        ({"relations": [{"from_id": 5, "to_id": 4, "type": "a"}]}, "'from_id' of relation 0 is '5', which is the id of nothing"),
        ({"relations": [{"from_id": 4, "to_id": "x", "type": ""}]}, "'type' of relation 0 is empty"),
        ({"relations": [{"from_id": True, "to_id": "x"}]}, "'from_id' of relation 0 must be an id"),
        ({"id": 1.5}, "'id' of the record must be an id"),
    ],
)
def test_bad_records_are_named(changes: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    path = write("a.jsonl", json.dumps(record(id="good")) + "\n" + json.dumps(record(**changes)))
    [(where, said)] = faults(READER, path)
    assert where == "a.jsonl:2" and message in said


def test_in_an_array_the_number_of_the_record_is_told(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.json", json.dumps([record(), 7])))
    assert where == "a.json:1" and said == "record 1: the record must be an object, here it is a whole number, 7"


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), data=st.data())
def test_a_mention_covers_its_characters_or_is_refused(text: str, data: Any, tmp_path_factory: Any) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(0, len(text) + 1))
    path = tmp_path_factory.mktemp("doccano") / "a.jsonl"
    entities = [{"id": 1, "label": "T", "start_offset": start, "end_offset": end}]
    path.write_text(json.dumps({"text": text, "entities": entities}), encoding="utf-8")
    try:
        [document] = DatasetReader.registry.get(READER)().read(path)
    except DataError:
        assert not text[start:end].strip() or end > len(text)
    else:
        assert document.mention_text(document.entities[0].mentions[0]) == text[start:end].strip()
