"""SpERT's JSON."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.SpERT.v1"


def record(**changes: Any) -> Dict[str, Any]:
    base = {
        "tokens": ["Night", "cramps", "after", "fenlor", "citrate", "."],
        "entities": [
            {"type": "Effect", "start": 0, "end": 2},
            {"type": "Drug", "start": 3, "end": 5},
            {"type": "Drug", "start": 3, "end": 4},
        ],
        "relations": [{"type": "Causes", "head": 1, "tail": 0}],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def array(*records: Any) -> str:
    return json.dumps(list(records))


def entity(**changes: Any) -> Dict[str, Any]:
    return {"type": "Drug", "start": 3, "end": 4, **changes}


def relation(**changes: Any) -> Dict[str, Any]:
    return {"type": "Causes", "head": 0, "tail": 1, **changes}


def test_ends_are_exclusive_and_overlapping_entities_kept(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("train.json", array(record(orig_id=7))))
    assert document == Document(
        "7",
        ("Night", "cramps", "after", "fenlor", "citrate", "."),
        (Entity((Mention(0, 2),), "Effect"), Entity((Mention(3, 5),), "Drug"), Entity((Mention(3, 4),), "Drug")),
        (Relation(1, 0, "Causes"),),
        source=document.source,
        metadata={"document": "7"},
    )
    assert (Path(document.source.path).name, document.source.line) == ("train.json", 1)


@pytest.mark.parametrize(
    ("given", "ids", "documents"),
    [
        ([7, 3, "x"], ["7", "3", "x"], ["7", "3", "x"]),
        ([None, None, None], ["0", "1", "2"], [None, None, None]),
        ([7, 3, None], ["0", "1", "2"], ["7", "3", None]),
        ([7, 3, "7"], ["0", "1", "2"], ["7", "3", "7"]),
        ([2, 1, 1], ["0", "1", "2"], ["2", "1", "1"]),
    ],
)
def test_ids_are_given_ones_or_numbers(given: Any, ids: Any, documents: Any, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    found = read(READER, write("train.json", array(*(record(orig_id=name) for name in given))))
    assert [each.id for each in found] == ids
    assert [each.metadata.get("document") for each in found] == documents


def test_annotation_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    bare = [record(entities=None, relations=None), record(relations=[]), record(relations=[{"head": 0, "tail": 1}])]
    found = read(READER, write("test.json", array(*bare)))
    assert [(len(each.entities), each.relations) for each in found] == [(0, ()), (3, ()), (3, (Relation(0, 1, None),))]


def test_what_is_not_read_does_no_harm(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("train.json", array(record(dep=["amod"], orig_id=1))))
    assert document.words[0] == "Night"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": None}, "'tokens' is missing in the record; expected a list"),
        ({"tokens": []}, "'tokens' is empty; expected at least one token"),
        ({"tokens": "Night"}, "'tokens' of the record must be a list, here it is a string, 'Night'"),
        ({"tokens": ["a", 3, "b", "c", "d"]}, "item 1 of 'tokens' must be a string, here it is a whole number, 3"),
        ({"tokens": ["a", "b", "\t", "d", "e"]}, "token 2 is empty or white space"),
        ({"entities": {}}, "'entities' of the record must be a list"),
        ({"entities": [3]}, "item 0 of 'entities' must be an object, here it is a whole number, 3"),
        ({"entities": [entity(), entity(end=7)]}, "entity 1 has the span [3, 7) outside the 6 tokens"),
        ({"entities": [entity(start=-1)]}, "entity 0 has the span [-1, 4) outside the 6 tokens"),
        ({"entities": [entity(end=3)]}, "entity 0 has the span [3, 3), which is empty or reversed; the end is exclusive"),
        ({"entities": [entity(start="3")]}, "'start' of entity 0 must be a whole number, here it is a string, '3'"),
        ({"entities": [entity(end=4.0)]}, "'end' of entity 0 must be a whole number, here it is a number, 4.0"),
        ({"entities": [entity(start=False)]}, "'start' of entity 0 must be a whole number, here it is true or false"),
        ({"entities": [{"start": 3, "end": 4}]}, "'type' is missing in entity 0; expected a string"),
        ({"relations": [relation(), relation(tail=3)]}, "the tail of relation 1 is entity 3, but the record has 3 entities, numbered"),
        ({"relations": [relation(head=-1)]}, "the head of relation 0 is entity -1"),
        ({"entities": None}, "the head of relation 0 is entity 1, but the record has 0 entities"),
        ({"relations": [relation(head=None)]}, "'head' of relation 0 must be a whole number, here it is null"),
        ({"relations": [{"type": "Causes", "head": 0}]}, "'tail' is missing in relation 0"),
        ({"relations": [relation(type=["Causes"])]}, "'type' of relation 0 must be a string, here it is a list"),
        ({"relations": [relation(type="")]}, "the 'type' of relation 0 is empty; expected its name, or null"),
        ({"orig_id": 1.5}, "'orig_id' must be a whole number or a string, here it is a number, 1.5"),
        ({"orig_id": [1]}, "'orig_id' must be a whole number or a string, here it is a list"),
        ({"orig_id": True}, "'orig_id' must be a whole number or a string, here it is true or false"),
    ],
)
def test_bad_records_are_named(changes: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = "[" + json.dumps(record()) + ",\n" + json.dumps(record(**changes)) + "]"
    [(where, said)] = faults(READER, write("train.json", text))
    assert where == "train.json:2" and said.startswith("record 1: ") and message in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"tokens": ["a"]}', "expected a JSON array, [...], here, not '{\"tokens\": [\"a\"]}'"),
        ('[{"tokens": ["a"]}, {"tokens": ["b"}]', "not JSON: Expecting ',' delimiter: line 1 column 36 (char 35)"),
        ('[{"tokens": ["a"]} {"tokens": ["b"]}]', "expected ',' or the closing ']' here, not '{\"tokens\": [\"b\"]}]'"),
        ('[{"tokens": ["a"]}, ["b"]]', "record 1: the record must be an object, here it is a list, ['b']"),
    ],
)
def test_a_broken_array_is_named(text: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    where, said = faults(READER, write("train.json", text))[-1]
    assert where == "train.json:1" and message in said


def test_skip_leaves_bad_records_out(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    records = [record(orig_id="a"), record(orig_id="b", tokens=[]), record(orig_id="c")]
    assert [each.id for each in read(READER, write("train.json", array(*records)), on_error="skip")] == ["a", "c"]


# ---- whatever stands in the file ---------------------------------------------------------------------------------------

SOUND = [record(orig_id=0), record(orig_id=1, entities=[entity(), entity(start=0)]), record(orig_id=2, entities=None, relations=None)]
TEXT = array(*SOUND).encode()

whole_numbers = st.integers(-2, 8)


@pytest.fixture
def read_bytes(tmp_path: Path) -> Callable[[bytes], List[Document]]:
    """`read_bytes(content)`: the documents of a file of these bytes."""
    path = tmp_path / "train.json"

    def read(content: bytes) -> List[Document]:
        path.write_bytes(content)
        return list(DatasetReader.registry.get(READER)().read(path))

    return read


once = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(start=st.integers(0, len(TEXT) - 1), length=st.integers(1, 12))
def test_a_file_with_a_gap_is_read_as_it_stands_or_refused(read_bytes: Callable[..., Any], start: int, length: int) -> None:
    damaged = TEXT[:start] + TEXT[start + length :]
    try:
        found = read_bytes(damaged)
    except RelconError:
        return
    said = json.loads(damaged)
    assert [list(each.words) for each in found] == [each["tokens"] for each in said]
    assert [annotation(each) for each in found] == [written(each) for each in said]


@once
@given(data=st.data())
def test_the_order_of_fields_means_nothing(read_bytes: Callable[..., Any], data: st.DataObject) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(each) for each in value]
        return {key: shuffled(value[key]) for key in data.draw(st.permutations(sorted(value)))} if isinstance(value, dict) else value

    assert read_bytes(json.dumps(shuffled(SOUND)).encode()) == read_bytes(TEXT)


@once
@given(start=whole_numbers, end=whole_numbers, head=whole_numbers, tail=whole_numbers)
def test_shifted_offsets_are_right_or_refused(read_bytes: Callable[..., Any], start: int, end: int, head: int, tail: int) -> None:
    moved = record(entities=[entity(), entity(start=start, end=end)], relations=[relation(head=head, tail=tail)])
    sound = 0 <= start < end <= 6 and {head, tail} <= {0, 1}
    if not sound:
        with pytest.raises(RelconError, match=r"train\.json:1: record 0: (entity 1|the (head|tail) of relation 0) "):
            read_bytes(array(moved).encode())
        return
    [document] = read_bytes(array(moved).encode())
    assert annotation(document) == written(moved)


def annotation(document: Document) -> Any:
    """Entities and relations as the format writes them."""
    spans = [(each.type, each.mentions[0].start, each.mentions[0].end) for each in document.entities]
    return spans, [(each.label, each.head, each.tail) for each in document.relations]


def written(value: Dict[str, Any]) -> Any:
    """The same of a record."""
    spans = [(each["type"], each["start"], each["end"]) for each in value.get("entities") or []]
    return spans, [(each.get("type"), each["head"], each["tail"]) for each in value.get("relations") or []]
