"""CasRel's JSON: triples of strings."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.data.document import Source
from relcon.data.glimpse import Glimpse
from relcon.errors import RelconError
from relcon.readers.casrel import CasRel
from relcon.readers.records import Record

READER = "relcon.CasRel.v1"

RECORD = {
    "text": "Ada Orm of Orland , Ada  Orm",
    "triple_list": [["Ada Orm", "lives", "Orland"], ["Orland", "has", "Ada Orm"], ["Orm", "of", "Ada Orm"]],
}


@pytest.mark.parametrize("text", [json.dumps([RECORD], indent=1), json.dumps(RECORD) + "\n"])
def test_triples(text: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.json", text))
    assert document.words == ("Ada", "Orm", "of", "Orland", ",", "Ada", "Orm") and document.text == RECORD["text"]
    assert [[mention[:2] for mention in entity.mentions] for entity in document.entities] == [[(0, 2), (5, 7)], [(3, 4)], [(1, 2), (6, 7)]]
    assert [(r.head, r.tail, r.label) for r in document.relations] == [(0, 1, "lives"), (1, 0, "has"), (2, 0, "of")]


def test_names_of_documents(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    line = json.dumps({"text": "a"})
    assert [d.id for d in read(READER, write("a.json", f"[{line}, {line}]"))] == ["a-0", "a-1"]
    assert [d.id for d in read(READER, write("a.json", f"{line}\n\n{line}\n"))] == ["a-1", "a-3"]


def test_what_repeats_is_as_set(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    path = write("a.json", json.dumps(RECORD))
    [document] = read(READER, path, repeated="first")
    assert [entity.mentions for entity in document.entities] == [((0, 2, ()),), ((3, 4, ()),), ((1, 2, ()),)]
    [(_, message)] = faults(READER, path, repeated="refuse")
    assert "'Ada Orm' stands 2 times in 'text'" in message
    with pytest.raises(RelconError, match="repeated must be"):
        CasRel(repeated="last")  # type: ignore[arg-type]


def test_labels_are_optional(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    one, other = read(READER, write("a.json", json.dumps([{"text": "a b", "triple_list": [["a", None, "b"]]}, {"text": "a"}])))
    assert one.relations[0].label is None and not other.relations


@pytest.mark.parametrize(
    ("triple", "message"),
    [
        (["Or", "r", "Ada"], "record 0: 'Or' does not stand in 'text' as whole words"),
        (["Ada", "", "Orm"], "the relation of triple 0 is empty"),
        (["Ada", 1, "Orm"], "the relation of triple 0 must be a string"),
        ([" ", "r", "Orm"], "the head of triple 0 is empty"),
        (["Ada", "Orm"], "triple 0 must be [head, relation, tail], here it has 2 values"),
        ("Ada", "triple 0 must be a list"),
    ],
)
def test_bad_triples_are_named(triple: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, found)] = faults(READER, write("a.json", json.dumps([{"text": "Ada Orm", "triple_list": [triple]}, {"text": "a"}])))
    assert where == "a.json:1" and message in found


def test_sniff() -> None:
    def told(value: Any) -> Any:
        return CasRel.sniff(Glimpse(Path("a"), raw=json.dumps(value).encode()))

    assert told([RECORD]) and told(RECORD) and not told({"text": "a"})


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=8), st.lists(st.sampled_from("ab"), min_size=1, max_size=3))
def test_all_places_are_found(words: Any, name: Any) -> None:
    """As many as a search by hand finds, each spelling the name."""
    number = sum(words[start:][: len(name)] == name for start in range(len(words)))
    record = Record({"text": " ".join(words), "triple_list": [[" ".join(name), "r", words[0]]]}, Source("a", 1))
    if not number:
        with pytest.raises(RelconError, match="whole words"):
            CasRel().document(record)
        return
    document = CasRel().document(record)
    assert len(document.entities[0].mentions) == number
    assert {document.mention_text(mention) for mention in document.entities[0].mentions} == {" ".join(name)}
