"""OpenNRE's JSON-lines."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.readers.opennre import python_object
from relcon.readers.records import json_object

READER = "relcon.OpenNRE.v1"


def tokens(**changes: Any) -> Dict[str, Any]:
    record = {
        "token": ["In", "\u00a0", "New", "Orsk", ",", "bakers", "sing"],
        "h": {"name": "new-orsk", "pos": [2, 4], "id": "Q1", "type": "LOC"},
        "t": {"name": "Bakers", "pos": [5, 6]},
        "relation": "lives in",
    }
    return {key: value for key, value in {**record, **changes}.items() if value is not None}


def characters(**changes: Any) -> Dict[str, Any]:
    return {"text": "In 𝔑ew Orsk, bakers sing.", "h": {"pos": [3, 11]}, "t": {"pos": [13, 19]}, **changes}


def test_positions_in_tokens(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", json.dumps(tokens())))
    assert document.id == "a-1" and document.text is None
    assert document.words == ("In", "New", "Orsk", ",", "bakers", "sing")
    assert [document.mention_text(entity.mentions[0]) for entity in document.entities] == ["New Orsk", "bakers"]
    assert [(entity.type, entity.id) for entity in document.entities] == [("LOC", "Q1"), ("", "")]
    assert [(r.head, r.tail, r.label) for r in document.relations] == [(0, 1, "lives in")]


def test_positions_in_characters(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", json.dumps(characters())))
    assert [document.mention_text(entity.mentions[0]) for entity in document.entities] == ["𝔑ew Orsk", "bakers"]
    assert document.relations[0].label is None and document.text == "In 𝔑ew Orsk, bakers sing."


def test_the_head_may_come_after_or_inside_the_tail(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    lines = [tokens(h={"pos": [5, 6]}, t={"pos": [0, 1]}), tokens(h={"pos": [3, 4]}, t={"pos": [2, 4]})]
    documents = read(READER, write("a.txt", "\n".join(map(json.dumps, lines))))
    spans = [[entity.mentions[0][:2] for entity in document.entities] for document in documents]
    assert spans == [[(4, 5), (0, 1)], [(2, 3), (1, 3)]]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (tokens(token=None), "expected either 'text' (positions in characters) or 'token'"),
        (tokens(text="both"), "expected either 'text'"),
        (tokens(token="In New Orsk"), "'token' must be a list, here it is a string"),
        (tokens(token=["In", 3]), "item 1 of 'token' must be a string, here it is a whole number, 3"),
        (tokens(h=None), "'h' is missing in the record; expected an object"),
        (tokens(h={"name": "new orsk"}), "'pos' is missing in 'h'"),
        (tokens(h={"pos": [4, 2]}), "'h' has the span [4, 2), which is empty or reversed"),
        (tokens(t={"pos": [6, 8]}), "'t' has the span [6, 8) outside the 7 tokens"),
        (tokens(t={"pos": [1.0, 2]}), "item 0 of 'pos' of 't' must be a whole number"),
        (tokens(t={"pos": [1, 2, 3]}), "'pos' of 't' must be [start, end], here it has 3 numbers"),
        (tokens(t={"pos": [1, 2]}), "'t', without white space, has the span [1, 1)"),
        (tokens(relation=7), "'relation' of the record must be a string, here it is a whole number, 7"),
        (characters(h={"pos": [3, 99]}), "'h' has the span [3, 99) outside the 25 characters"),
        (characters(h={"name": "𝔑ew Orsk", "pos": [2, 4]}), "'h' is named '𝔑ew Orsk', but its position holds ' 𝔑'"),
        (tokens(h={"name": "new orsk", "pos": [1, 3]}), "'h' is named 'new orsk', but its position holds"),
    ],
)
def test_bad_records_are_named(record: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.txt", json.dumps(tokens()) + "\n" + json.dumps(record)))
    assert where == "a.txt:2" and message in said


def test_lines_may_be_dictionaries_of_python(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """Each line has the quotes that it has; an apostrophe makes Python quote one value otherwise."""
    other = tokens(relation="baker's town", t={"name": "Bakers", "pos": [5, 6]})
    lines = [repr(tokens()), json.dumps(other), " " + repr(other)]
    documents = read(READER, write("train.txt", "\n".join(lines)))
    assert [document.relations[0].label for document in documents] == ["lives in", "baker's town", "baker's town"]
    assert len({(document.words, document.entities) for document in documents[1:]}) == 1
    spans = [entity.mentions[0][:2] for entity in documents[0].entities]
    assert spans == [(1, 3), (4, 5)], "the end is exclusive, and white space is no word"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{'token': ['In'}", "no dictionary of Python's literals"),
        ("{'token': open('x')}", "no dictionary of Python's literals"),
        ("{'token', 'h'}", "expected a dictionary {...} on the line, here it begins \"{'token', 'h'}\""),
        ("{'h': {'pos': (0, 1)}, 't': {'pos': [0, 1]}, 'token': ['a']}", "'pos' of 'h' must be a list, here it is tuple"),
    ],
)
def test_bad_dictionaries_are_named(line: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.txt", repr(tokens()) + "\n" + line))
    assert where == "a.txt:2" and message in said


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), min_size=2, max_size=5))
def test_python_and_json_say_the_same(words: List[str]) -> None:
    record = {"token": words, "h": {"pos": [0, 1]}, "t": {"pos": [1, 2]}}
    assert python_object(repr(record)) == json_object(json.dumps(record)) == record


def test_names_may_go_unchecked(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", json.dumps(tokens(h={"name": "the city", "pos": [2, 4]}))), check_names=False)
    assert document.mention_text(document.entities[0].mentions[0]) == "New Orsk"


@pytest.mark.parametrize(("untyped", "types"), [(None, ["UNK", "LOC", ""]), (["UNK", "NONE"], ["", "LOC", ""])])
def test_a_type_may_mean_none(untyped: Any, types: List[str], write: Callable[..., Path], read: Callable[..., Any]) -> None:
    ends = [{"pos": [4, 6], **kind} for kind in ({"type": "UNK"}, {"type": "LOC"}, {})]
    lines = [json.dumps(tokens(h={"pos": [2, 4], "type": "LOC"}, t=end)) for end in ends]
    documents = read(READER, write("a.txt", "\n".join(lines)), untyped=untyped)
    assert [document.entities[1].type for document in documents] == types
    assert {document.entities[0].type for document in documents} == {"LOC"}
