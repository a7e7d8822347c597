"""FewRel's JSON."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.glimpse import Glimpse
from relcon.errors import Problem, RelconError
from relcon.readers.fewrel import FewRel, object_members

READER = "relcon.FewRel.v1"

ITEM = {
    "tokens": ["Quern", " ", "-", "Bay", "and", "Orm", "Bay", "\n"],
    "h": ["quern bay", "Q1", [[0, 1, 2, 3], [0, 6]]],
    "t": ["orm bay", "Q2", [[5, 6]]],
}


def test_instances(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    one, other, last = read(READER, write("val.json", json.dumps({"P1": [ITEM, ITEM], "P2": [ITEM]})))
    assert (one.id, other.id, last.id) == ("val-0", "val-1", "val-2")
    assert [d.relations[0].label for d in (one, other, last)] == ["P1", "P1", "P2"]
    assert one.words == ("Quern", "-", "Bay", "and", "Orm", "Bay")
    head, tail = one.entities
    assert head.mentions == ((0, 3, ()), (0, 6, ((0, 1), (5, 6)))) and (head.id, tail.id) == ("Q1", "Q2")
    assert tail.mentions == ((4, 6, ()),) and one.metadata == {"names": ["quern bay", "orm bay"]}


def test_an_array_has_no_labels(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.json", json.dumps([ITEM])))
    assert document.relations[0].label is None and document.id == "a-0"


def test_names_of_relations(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    names = str(write("pid2name.json", json.dumps({"P1": ["crosses", "goes over"]})))
    path = write("val.json", json.dumps({"P1": [ITEM]}))
    [document] = read(READER, path, pid2name=names)
    assert document.relations[0].label == "crosses" and document.metadata["relation"] == "P1"
    [(_, message)] = faults(READER, write("b.json", json.dumps({"P11": [ITEM]})), pid2name=names)
    assert message == "record 0: instance 0 of 'P11': 'P11' is not in the file of `pid2name`. Did you mean 'P1'?"
    for broken in ('{"P1": "crosses"}', "[]"):
        with pytest.raises(RelconError, match=r'xpected an object \{"P177"'):
            read(READER, path, pid2name=str(write("broken.json", broken)))


def test_the_fingerprint_is_that_of_the_names(write: Callable[..., Path]) -> None:
    first = FewRel(pid2name=str(write("names.json", "{}"))).fingerprint()
    assert first != FewRel(pid2name=str(write("names.json", '{"P1": ["a"]}'))).fingerprint()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"h": ["quern bay", "Q1", [[0, 4]]]}, "mention 0 of 'h' is said to be 'quern bay', but its tokens are 'Quern and'"),
        ({"h": ["quern bay", "Q1", [[3, 0]]]}, "mention 0 of 'h' must be a list of token numbers that rise"),
        ({"h": ["quern bay", "Q1", [[]]]}, "must be a list of token numbers that rise"),
        ({"h": ["quern bay", "Q1", []]}, "'h' has no mention"),
        ({"h": ["quern bay", "Q1", [[0, 8]]]}, "outside the 8 tokens"),
        ({"h": ["quern bay", "Q1"]}, "'h' must be [name, id, [[number, ...], ...]], here it has 2 values"),
        ({"h": ["", "Q1", [[1]]]}, "without white space"),
        ({"t": "Orm"}, "'t' of the record must be a list"),
        ({"tokens": ["a", 1]}, "item 1 of 'tokens' must be a string"),
    ],
)
def test_bad_instances_are_named(change: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = '{"P1": [' + json.dumps(ITEM) + '],\n"P2": [' + json.dumps({**ITEM, **change}) + "]}"
    [(where, found)] = faults(READER, write("a.json", text))
    assert where == "a.json:2" and found.startswith("record 1: instance 0 of 'P2': ") and message in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"P1": [1}', "not JSON"),
        ('{"P1" [1]}', "expected '\"name\": value' here"),
        ('{"P1": [{}] "P2": []}', "expected ',' or the closing '}' here, not '\"P2\": []}'"),
        ('"P1"', "expected a JSON object, {...}, here"),
        ('{"P1": [{}]} x', "expected ',' or the closing '}' here"),
        ('{"P1": {}}', "'P1' must be the name of a relation, with the list of its instances"),
        ('{"": []}', "must be the name of a relation"),
    ],
)
def test_broken_files(text: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    assert any(message in found for _, found in faults(READER, write("a.json", text)))


def test_a_file_without_an_instance(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    for text in ("", "{}", '{"P1": []}', "[]"):
        with pytest.raises(RelconError, match="holds no record; expected a FewRel file"):
            read(READER, write("a.json", text))


def test_sniff() -> None:
    def told(value: Any, size: int = 10**6) -> Any:
        return FewRel.sniff(Glimpse(Path("a"), raw=json.dumps(value).encode()[:size], whole=False))

    assert told({"P1": [ITEM, ITEM]}, len(json.dumps(ITEM)) + 20) and told([ITEM])
    assert not told({"P1": [{"token": []}]}) and not told([{**ITEM, "h": {}}]) and not told({}) and not told({"P1": [ITEM]}, 30)


VALUES = st.recursive(st.none() | st.text(max_size=3) | st.integers(), st.lists, max_leaves=4)


@settings(max_examples=100)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_members_are_those_of_the_object(value: Any) -> None:
    for indent in (None, 1):
        text = json.dumps(value, indent=indent)
        found = list(object_members(text, Path("a")))
        assert not any(isinstance(each, Problem) for each in found)
        assert [(each.key, each.value) for each in found] == list(value.items())  # type: ignore[union-attr]
