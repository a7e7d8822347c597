"""BigBio's kb schema."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.data.document import Document
from relcon.data.glimpse import glimpse
from relcon.interfaces import DatasetReader

READER = "relcon.BigBio.v1"


def passage(text: str, start: int) -> Dict[str, Any]:
    return {"id": f"p{start}", "type": "", "text": [text], "offsets": [[start, start + len(text)]]}


def entity(name: str, text: List[str], offsets: List[List[int]], *normalized: str) -> Dict[str, Any]:
    references = [{"db_name": "MESH", "db_id": each} for each in normalized]
    return {"id": name, "type": "Drug", "text": text, "offsets": offsets, "normalized": references}


def relation(head: str, tail: str, **more: Any) -> Dict[str, Any]:
    return {"id": f"r{head}{tail}", "type": "blocks", "arg1_id": head, "arg2_id": tail, "normalized": [], **more}


def record(**changes: Any) -> Dict[str, Any]:
    base = {
        "id": "0",
        "document_id": "101",
        "passages": [passage("The drug blocks beta and loop KLR2.", 20), passage("Zorvane and KLR2", 0)],
        "entities": [
            entity("a", ["Zorvane"], [[0, 7]], "C9", "C8"),
            entity("b", ["The drug"], [[20, 28]]),
            entity("c", ["beta", "KLR2"], [[36, 40], [50, 54]]),
            entity("d", ["nothing"], []),
        ],
        "events": [{"id": "e", "type": "Binding"}],
        "coreferences": [{"id": "f", "entity_ids": ["b", "a"]}, {"id": "g", "entity_ids": ["b", "e"]}],
        "relations": [relation("b", "c"), relation("c", "a", type=None), relation("c", "e"), relation("d", "a")],
    }
    return {**base, **changes}


def texts(document: Document) -> List[Any]:
    return [(each.id, [document.mention_text(mention) for mention in each.mentions]) for each in document.entities]


def test_passages_stand_where_offsets_say(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.json", json.dumps([record()])))
    assert document.id == "101" and document.text == "Zorvane and KLR2    The drug blocks beta and loop KLR2."
    assert document.sentences == ((0, 3), (3, 11))
    assert texts(document) == [("a", ["Zorvane", "The drug"]), ("c", ["beta KLR2"])]
    assert [(r.head, r.tail, r.label, r.id) for r in document.relations] == [(0, 1, "blocks", "rbc"), (1, 0, None, "rca")]
    assert document.metadata == {
        "normalized": {"a": ["MESH:C9", "MESH:C8"]},
        "left_out": {
            "event": 1,
            "entity without offsets": 1,
            "coreference of an event or an entity without offsets": 1,
            "relation of an event or an entity without offsets": 2,
        },
    }


def test_coreferences_may_be_counted(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.json", json.dumps([record()])), coreferences="count")
    assert [each.id for each in document.entities] == ["a", "b", "c"] and document.metadata["left_out"]["coreference"] == 2


def test_lines_are_read_as_well(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    records = [record(), record(document_id="102", entities=[], events=[], coreferences=[], relations=[]), record(document_id="", id="7")]
    path = write("a.jsonl", "".join(json.dumps(each) + "\n" for each in records))
    assert [(each.id, each.source.line, len(each.relations)) for each in read(READER, path)] == [("101", 1, 2), ("102", 2, 0), ("7", 3, 2)]


def test_what_is_annotated_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.json", json.dumps([{"document_id": "1", "passages": [passage("Zorvane.", 0)]}])))
    assert (document.words, document.entities, document.metadata) == (("Zorvane", "."), (), {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entities": [entity("a", ["Zorvane"], [[1, 8]])]}, "entity 'a' is said to be 'Zorvane', but its characters [1, 8) are 'orvane '"),
        ({"passages": [passage("Zorvane", 0), passage("KLR2", 5)]}, "passage 1 begins at character 5; after what stands before it"),
        ({"passages": [passage("Zorvane", 10**12)]}, f"passage 0 begins at character {10**12}; after what stands before it"),
        ({"passages": [passage("Zorvane", -3)]}, "passage 0 begins at character -3"),
        ({"passages": [{"text": ["KLR2"], "offsets": [[0, 5]]}]}, "passage 0 has a text of 4 characters, 'KLR2', at the characters [0, 5)"),
        ({"passages": [{"text": ["KLR2"], "offsets": []}]}, "passage 0 has 1 texts and 0 offsets"),
        ({"relations": [relation("a", "x")]}, "relation 0 names 'x', which is the id of no entity."),
        ({"relations": [relation("a", "b", type="")]}, "'type' of relation 0 is empty"),
        ({"coreferences": [{"entity_ids": ["x"]}]}, "coreference 0 names 'x'"),
        ({"entities": [entity("a", ["Zorvane"], [[0, 7]]), entity("a", ["KLR2"], [[12, 16]])]}, "have the id 'a'"),
        ({"entities": [{"id": "a", "text": "Zorvane", "offsets": [[0, 7]]}]}, "'text' of entity 'a' must be a list"),
    ],
)
def test_bad_records_are_named(changes: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    base = {"events": [], "coreferences": [], "relations": []}
    [(where, said)] = faults(READER, write("a.json", json.dumps([record(document_id="1"), record(**{**base, **changes})])))
    assert where == "a.json:1" and said.startswith("record 1: document '101': ") and message in said


def test_what_the_format_looks_like(write: Callable[..., Path]) -> None:
    sniff = DatasetReader.registry.get(READER).sniff
    assert sniff(glimpse(write("a.json", json.dumps([record()])))) and sniff(glimpse(write("a.jsonl", json.dumps(record()))))
    assert sniff(glimpse(write("b.json", json.dumps([{"passages": [], "entities": []}])))) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.tuples(st.integers(0, 3), st.text("ab é\n(-", max_size=12)), min_size=1, max_size=3), data=st.data())
def test_what_is_written_is_read(parts: Any, data: st.DataObject, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text, passages = "", []
    for gap, each in parts:
        text += " " * gap
        passages.append(passage(each, len(text)))
        text += each
    solid = [number for number, character in enumerate(text) if not character.isspace()]
    spans = []
    for _ in range(data.draw(st.integers(0, 4)) if solid else 0):
        start, end = sorted((data.draw(st.sampled_from(solid)), data.draw(st.sampled_from(solid))))
        spans.append([start, end + 1])
    entities = [entity(f"e{number}", [text[s:e]], [[s, e]]) for number, (s, e) in enumerate(spans)]
    pairs = data.draw(st.lists(st.tuples(*[st.sampled_from(range(len(spans)))] * 2), max_size=4)) if spans else []
    written = {"document_id": "1", "passages": passages, "entities": entities, "relations": [relation(f"e{h}", f"e{t}") for h, t in pairs]}
    [document] = read(READER, write("a.json", json.dumps([written])))
    assert document.text == text
    found = [[document.offsets[m.start][0], document.offsets[m.end - 1][1]] for each in document.entities for m in each.mentions]
    assert found == spans and [(r.head, r.tail) for r in document.relations] == pairs
