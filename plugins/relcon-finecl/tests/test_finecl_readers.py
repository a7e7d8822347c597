"""The pre-training files of ERICA and FineCL."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_finecl.readers import runs_of

from relcon.config import resolve
from relcon.data.document import Document, Relation
from relcon.errors import DataError, RelconError

READER = "finecl.PretrainingDocuments.v1"


def mention(sentence: int, pos: List[int], **more: Any) -> Dict[str, Any]:
    return {"name": "x", "id": "Q1", "type": "None", "sent_id": sentence, "pos": pos, **more}


def label(**changes: Any) -> Dict[str, Any]:
    return {"h": 0, "t": 1, "r": "P17", "in_test+dev_set": False, **changes}


def record(**changes: Any) -> Dict[str, Any]:
    base = {
        "sents": [["Quern", "lies", "in", "Orland"], ["Quern", "sank", "near", "Ost"]],
        "vertexSet": [
            [mention(0, [0, 1], type="LOC"), mention(1, [0, 1])],
            [mention(0, [3, 4], id="Q2")],
            [mention(1, [3, 4], id="Q3")],
        ],
        "labels": [label(), label(h=2, t=0, r="P131")],
        "na_triple": [[1, 0], [1, 2], [2, 1]],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


@pytest.fixture
def read(tmp_path: Path):
    """`read(record, ..., label_map={...}, pos_level=...)`: the documents of a file of these records."""

    def of(*records: Any, label_map: Any = None, **arguments: Any) -> List[Document]:
        path = tmp_path / "corpus_0.json"
        path.write_text(json.dumps(list(records)), encoding="utf-8")
        if label_map is not None:
            arguments["label_map"] = str(tmp_path / "rel2id.json")
            Path(arguments["label_map"]).write_text(json.dumps(label_map), encoding="utf-8")
        return list(resolve({"@readers": READER, **arguments}, "[reader]").read(path))

    return of


def spans(document: Document) -> List[Any]:
    return [[tuple(each[:2]) for each in entity.mentions] for entity in document.entities]


def test_a_document_as_erica_writes_it(read):
    first, second = read(record(), record(labels=[], na_triple=None))
    assert (first.id, second.id) == ("corpus_0-0", "corpus_0-1")
    assert first.words[4:] == ("Quern", "sank", "near", "Ost") and first.sentences == ((0, 4), (4, 8))
    assert spans(first) == [[(0, 1), (4, 5)], [(3, 4)], [(7, 8)]]
    assert [(each.type, each.id) for each in first.entities] == [("LOC", "Q1"), ("", "Q2"), ("", "Q3")]
    assert first.relations == (Relation(0, 1, "P17"), Relation(2, 0, "P131"))
    assert second.relations == () and second.metadata == {}


def test_pairs_that_are_nowhere_are_ignored(read):
    [document] = read(record())
    assert document.metadata == {"ignored": [[0, 2]]}  # (0,1) and (2,0) are labelled, three are unrelated


def test_a_label_of_a_test_set_is_left_out_and_its_pair_ignored(read):
    held_out = [label(), label(h=2, t=0, r="P131", **{"in_test+dev_set": True})]
    [document] = read(record(labels=held_out))
    assert document.relations == (Relation(0, 1, "P17"),) and document.metadata == {"ignored": [[0, 2], [2, 0]]}
    [without] = read(record(labels=held_out, na_triple=None))
    assert without.metadata == {"ignored": [[2, 0]]}
    [other] = read(record(labels=[*held_out, label(h=2, t=0, r="P17")], na_triple=None))
    assert other.metadata == {} and len(other.relations) == 2


def test_a_document_as_finecl_writes_it(read):
    entities = [[mention(0, [0, 1]), mention(1, [4, 5])], [mention(0, [3, 4])], [mention(1, [7, 8])]]
    labels = [label(r=5, uid=7), label(h=2, t=0, r=0, uid=8)]
    [document] = read(
        record(vertexSet=entities, labels=labels), pos_level="document", relation_form="id", label_map={"P1464": 0, "P17": 5}
    )
    assert spans(document) == [[(0, 1), (4, 5)], [(3, 4)], [(7, 8)]]
    assert document.relations == (Relation(0, 1, "P17", "7"), Relation(2, 0, "P1464", "8"))


def test_word_pieces_become_words(read):
    pieces = [[["Qu", "##ern"], ["lies"], ["in"], ["Or", "##la", "##nd"]], [["Quern"], ["##"], ["near"], ["Ost"]]]
    [document] = read(record(sents=None, tokenized_sents=pieces))
    assert document.words == ("Quern", "lies", "in", "Orland", "Quern", "##", "near", "Ost")


@pytest.mark.parametrize(("level", "moved"), [("sentence", 0), ("document", 4)])
def test_lists_of_words_are_cut_at_gaps(read, level, moved):
    entities = [[mention(1, [moved + 3, moved + 0, moved + 1])], [mention(0, [3])]]
    [document] = read(record(vertexSet=entities, labels=[label()], na_triple=[[1, 0]]), pos_form="list", pos_level=level)
    assert spans(document) == [[(4, 6), (7, 8)], [(3, 4)]]


@given(numbers=st.lists(st.integers(0, 30)))
def test_runs_cover_the_numbers_and_nothing_else(numbers):
    runs = runs_of(numbers)
    assert [number for start, end in runs for number in range(start, end)] == sorted(set(numbers))
    assert all(one[1] < other[0] for one, other in pairwise(runs))


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"labels": [label(r=5)]}, {}, "'r' of label 0 must be a string, here it is a whole number, 5"),
        ({"labels": [label(**{"in_test+dev_set": 1})]}, {}, "'in_test+dev_set' of label 0 must be true or false"),
        ({"labels": [label(r=6)]}, {"relation_form": "id", "label_map": {"P17": 5}}, "'r' of label 0 is 6, which is none of the 1"),
        ({"vertexSet": [[mention(0, [])]], "labels": []}, {"pos_form": "list"}, "'pos' of mention 0 of entity 0 is empty"),
        ({"vertexSet": [[mention(0, [4, 3])]], "labels": []}, {"pos_form": "list"}, "mention 0 of entity 0 has the span [3, 5)"),
        ({"na_triple": [[0, 3]]}, {}, "item 0 of 'na_triple' is entity 3, but the record has 3 entities"),
        ({"sents": None, "tokenized_sents": [["word"]]}, {}, "item 0 of sentence 0"),
        ({"labels": [label(uid=1), label(r="P1", uid=1)]}, {}, "the uid '1' stands at two labels"),
    ],
)
def test_bad_records_are_named(read, changes, arguments, message):
    with pytest.raises(DataError) as caught:
        read(record(labels=[]), record(**changes), **arguments)
    assert f"corpus_0.json:1: record 1: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("label_map", "message"),
    [
        ([1], r"expected an object .*, here it is \[1\]"),
        ({"P17": "5"}, "must be a whole number"),
        ({"P17": 5, "P1": 5}, "gives the number 5 to several relations"),
    ],
)
def test_a_bad_label_map_is_refused(read, label_map, message):
    with pytest.raises(RelconError, match=message):
        read(record(), relation_form="id", label_map=label_map)


@pytest.mark.parametrize(
    "arguments",
    [{"pos_level": "word"}, {"pos_form": "flat"}, {"relation_form": "name"}, {"relation_form": "id"}, {"label_map": "rel2id.json"}],
)
def test_bad_arguments_are_refused(read, arguments):
    with pytest.raises((ValueError, RelconError)):
        read(record(), **arguments)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_pair_is_related_unrelated_or_ignored(data, tmp_path_factory):
    pairs = [(head, tail) for head in range(3) for tail in range(3) if head != tail]
    kinds = {pair: data.draw(st.sampled_from(["label", "na", "none", "held out"])) for pair in pairs}
    labels = [label(h=h, t=t, **{"in_test+dev_set": kinds[h, t] == "held out"}) for h, t in pairs if kinds[h, t] in ("label", "held out")]
    path = tmp_path_factory.mktemp("data") / "a.json"
    path.write_text(json.dumps([record(labels=labels, na_triple=[list(pair) for pair in pairs if kinds[pair] == "na"])]), encoding="utf-8")
    [document] = resolve({"@readers": READER}, "[reader]").read(path)
    assert {(each.head, each.tail) for each in document.relations} == {pair for pair in pairs if kinds[pair] == "label"}
    assert document.metadata.get("ignored", []) == [list(pair) for pair in pairs if kinds[pair] in ("none", "held out")]
