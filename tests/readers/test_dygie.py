"""DyGIE's JSON-lines."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.errors import RelconError
from relcon.readers import records
from relcon.readers.dygie import DyGIE

READER = "relcon.DyGIE.v1"


def line(**changes: Any) -> str:
    """Two sentences of 4 and 5 tokens; an argument of a relation may be named before its entity."""
    value: Dict[str, Any] = {
        "doc_key": "N1",
        "sentences": [["Orm", "met", "Ada", "."], ["The", "bay", "near", "Orsk", "sank"]],
        "ner": [[[0, 0, "PER"], [2, 2, "PER"]], [[4, 5, "LOC"], [7, 7, "LOC"], [7, 7, "ORG"]]],
        "relations": [[[2, 2, 0, 0, "MET"]], [[4, 5, 7, 7, "NEAR"]]],
        "clusters": [[[0, 0], [2, 2]]],
    }
    return json.dumps({key: value for key, value in {**value, **changes}.items() if value is not None})


def test_a_document_for_each_sentence(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """Positions count the document's tokens and include the end; relations take the first of two entities with one span."""
    first, second = read(READER, write("a.json", line()))
    assert [each.id for each in (first, second)] == ["N1.s0", "N1.s1"]
    assert [each.metadata for each in (first, second)] == [{"document": "N1"}] * 2
    assert [(each.mentions[0][:2], each.type) for each in second.entities] == [((0, 2), "LOC"), ((3, 4), "LOC"), ((3, 4), "ORG")]
    assert [(each.head, each.tail, each.label) for each in second.relations] == [(0, 1, "NEAR")]
    assert [(each.head, each.tail) for each in first.relations] == [(1, 0)]
    assert second.source.line == 1 and second.sentences == ((0, 5),)


def test_whole_documents(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.json", line(relations=[[[2, 2, 7, 7, "SAW"]], []])), unit="document")
    assert (document.id, document.sentences, len(document.words)) == ("N1", ((0, 4), (4, 9)), 9)
    assert [document.mention_text(each.mentions[0]) for each in document.entities] == ["Orm", "Ada", "The bay", "Orsk", "Orsk"]
    assert [(each.head, each.tail) for each in document.relations] == [(1, 3)]


def test_entities_of_a_cluster_are_one(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """Of the type of the cluster's first mention, at the place of the first of them; what does not fit is counted."""
    clusters = [[[7, 7], [0, 0], [1, 1]], [[2, 2], [0, 0]], []]
    ner = [[[0, 0, "PER"], [2, 2, "PER"]], [[4, 5, "LOC"], [7, 7, "LOC"], [7, 7, "ORG"]]]
    path = write("a.json", line(ner=ner, relations=[[[0, 0, 2, 2, "MET"]], [[4, 5, 7, 7, "NEAR"]]], clusters=clusters))
    [document] = read(READER, path, unit="document", coreference=True)
    assert [([mention[:2] for mention in each.mentions], each.type) for each in document.entities] == [
        ([(7, 8), (0, 1)], "LOC"),
        ([(2, 3)], "PER"),
        ([(4, 6)], "LOC"),
        ([(7, 8)], "ORG"),
    ]
    assert [(each.head, each.tail, each.label) for each in document.relations] == [(0, 1, "MET"), (2, 0, "NEAR")]
    assert document.metadata["left_out"] == {"type of a further mention": 1, "mention of a cluster without an entity of its own": 2}


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        ({}, "'clusters' of the record must be a list"),
        ([3], "item 0 of 'clusters' must be a list"),
        ([[[0]]], "a mention of cluster 0 must be [start, end], here it has 1 values"),
        ([[[0, 9]]], "a mention of cluster 0 has the span [0, 9] outside the tokens 0 to 8"),
    ],
)
def test_a_wrong_cluster_is_named(clusters: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.json", line(clusters=clusters)), unit="document", coreference=True)
    assert where == "a.json:1" and message in said


def test_coreference_needs_whole_documents() -> None:
    with pytest.raises(RelconError, match='needs unit = "document"'):
        DyGIE(coreference=True)


def test_unlabelled_text(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    documents = read(READER, write("a.json", line(ner=None, relations=None, clusters=None)))
    assert [(len(each.words), each.entities, each.relations) for each in documents] == [(4, (), ()), (5, (), ())]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"relations": [[[0, 0, 1, 1, "MET"]], []]}, "relation 0 is the span [1, 1], which 'ner' does not have as an entity"),
        ({"relations": [[[0, 0, 7, 7, "MET"]], []]}, "relation 0 has the span [7, 7] outside the tokens 0 to 3"),
        ({"relations": [[[0, 0, 2, 2]], []]}, "relation 0 must be [start1, end1, start2, end2, type], here it has 4 values"),
        ({"relations": [[[0, 0, 2, 2, ""]], []]}, "the type of relation 0 is empty"),
        ({"ner": [[[0, 4, "PER"]], []]}, "entity 0 has the span [0, 4] outside the tokens 0 to 3"),
        ({"ner": [[[2, 1, "PER"]], []]}, "entity 0 has the span [2, 1], which is reversed; the end is inclusive"),
        ({"ner": [[[0.0, 1, "PER"]], []]}, "a position of entity 0 must be a whole number"),
        ({"ner": [[[0, 0, 3]], []]}, "the type of entity 0 must be a string"),
        ({"sentences": [["Orm", " "], ["a"]], "ner": None, "relations": None}, "token 1 of 'sentences' is empty or white space"),
    ],
)
def test_a_wrong_sentence_is_named(changes: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.json", line(**{"relations": None, **changes})))
    assert where == "a.json:1" and said.startswith("sentence 0 of document 'N1': ") and message in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "expected a JSON object"),
        (line(doc_key=None), "'doc_key' is missing"),
        (line(sentences=[]), "document 'N1' has no sentence"),
        (line(sentences="Orm met Ada."), "'sentences' of the record must be a list"),
        (line(ner=[[]]), "'ner' has 1 lists for 2 sentences"),
        (line(relations=[[], {}]), "item 1 of 'relations' must be a list"),
    ],
)
def test_a_wrong_line_is_named(text: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.json", line(doc_key="N0") + "\n" + text))
    assert where == "a.json:2" and message in said


def test_only_the_wrong_sentence_is_skipped(write: Callable[..., Path], read: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    path = write("a.json", line(relations=[[], [[4, 4, 7, 7, "NEAR"]]]))
    assert [each.id for each in read(READER, path, on_error="skip")] == ["N1.s0"]
    assert "1 of 2 records" in caplog.text


def test_a_key_that_stands_twice(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    assert "the id 'N1.s0' stands already at" in faults(READER, write("a.json", line() + "\n" + line()))[0][1]


def test_several_processes_cut_between_lines(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PART_BYTES", 500)
    path = write("a.json", "\n".join(line(doc_key=f"N{number}") for number in range(6)))
    reader = DyGIE()
    parts = reader.parts(path)
    assert len(parts) > 1
    assert [each.document for part in parts for each in reader.outcomes(path, part)] == list(reader.read(path))


def test_a_unit_that_is_none() -> None:
    with pytest.raises(RelconError, match="unit must be 'sentence' or 'document', not 'word'"):
        DyGIE(unit="word")  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_units_have_the_same_annotations(data: st.DataObject, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """Any sentences with any spans: what a sentence's document marks, the whole document marks too, at the same words."""
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    tokens = [[f"w{start + place}" for place in range(size)] for start, size in zip(starts, sizes, strict=True)]
    ner = []
    for start, size in zip(starts, sizes, strict=True):
        spans = st.tuples(st.integers(start, start + size - 1), st.integers(start, start + size - 1)).map(sorted)
        ner.append([[*span, "T"] for span in data.draw(st.lists(spans, max_size=3))])
    relations = [[[*one[:2], *two[:2], "R"] for one in found for two in found] for found in ner]
    path = write("a.json", line(sentences=tokens, ner=ner, relations=relations))
    [whole] = read(READER, path, unit="document")
    assert marked([whole]) == marked(read(READER, path))


def marked(documents: Any) -> Any:
    """The texts of all entities and of all relations, with their numbers."""
    texts = [[each.mention_text(entity.mentions[0]) for entity in each.entities] for each in documents]
    pairs = zip(texts, documents, strict=True)
    related = Counter((names[relation.head], names[relation.tail]) for names, each in pairs for relation in each.relations)
    return Counter(name for names in texts for name in names), related
