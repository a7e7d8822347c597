"""brat's stand-off files."""

from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.data.document import Document
from relcon.data.glimpse import glimpse
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.BRAT.v1"

TEXT = "Zorvane blocks KLR2.\r\n\r\nBeta and loop blockers do not (Orsk).\n"

ROWS = [
    "T1\tDrug 0 7\tZorvane",
    "T2\tProtein 15 19\tKLR2",
    "T3\tDrug 24 28;38 46\tBeta blockers",
    "T4\tDrug 33 46\tloop blockers",
    "T5\tPlace 55 59\tOrsk",
    "T6\tInhibition 8 14\tblocks",
    "R1\tInhibits Arg1:T1 Arg2:T2\t",
    "R2\tSame Target:T3 Agent:T4",
]

MORE = [
    "R3\tThree A:T1 B:T2 C:T3",
    "R4\tCauses Arg1:E1 Arg2:T2",
    "E1\tInhibition:T6 Theme:T2",
    "A1\tNegation E1",
    "M1\tSpeculation T1",
    "#1\tAnnotatorNotes T1\tsure?",
    "N1\tReference T2 GENES:7\tkinase like receptor 2",
    "N2\tReference T2 OTHER:8",
    "N3\tReference E1 X:1",
    "*\tEquiv T1 T4",
    "*\tEquiv T5 T4",
    "*\tEquiv E1 T4",
]


def folder(write: Callable[..., Path], rows: List[str], text: str = TEXT) -> Path:
    write("corpus/part/a.ann", "\n".join(rows) + "\n")
    return write("corpus/part/a.txt", text).parents[1]


def texts(document: Document) -> List[List[str]]:
    return [[document.mention_text(mention) for mention in entity.mentions] for entity in document.entities]


def ends(document: Document) -> List[Any]:
    return [(document.entities[r.head].id, document.entities[r.tail].id, r.label, r.id) for r in document.relations]


def test_entities_and_relations(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, folder(write, ROWS))
    assert document.id == "part/a" and document.text == TEXT and document.source.path.endswith("a.txt")
    assert texts(document) == [["Zorvane"], ["KLR2"], ["Beta blockers"], ["loop blockers"], ["Orsk"], ["blocks"]]
    assert [(e.id, e.type) for e in document.entities][:2] == [("T1", "Drug"), ("T2", "Protein")]
    assert document.entities[2].mentions[0].fragments == ((4, 5), (7, 8)) and document.entities[3].mentions[0].fragments == ()
    assert ends(document) == [("T1", "T2", "Inhibits", "R1"), ("T3", "T4", "Same", "R2")]
    assert document.metadata == {"roles": {"R2": ["Target", "Agent"]}}
    assert document.sentences == ((0, 4), (4, 14))


def test_a_role_may_name_the_head(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, folder(write, ROWS), head_roles=["Agent"])
    assert ends(document) == [("T1", "T2", "Inhibits", "R1"), ("T4", "T3", "Same", "R2")]
    assert document.metadata == {"roles": {"R2": ["Agent", "Target"]}}


def test_what_a_document_cannot_hold_is_counted(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, folder(write, ROWS + MORE))
    assert document.metadata["left_out"] == {
        "event": 1,
        "attribute": 2,
        "note": 1,
        "equivalence": 2,
        "equivalence of events or relations": 1,
        "relation with 3 arguments": 1,
        "relation of an event or a relation": 1,
        "normalization of an event or a relation": 1,
    }
    assert document.metadata["normalized"] == {"T2": ["GENES:7", "OTHER:8"]}
    assert len(document.relations) == 2


def test_equivalences_as_pairs_and_as_entities(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = folder(write, ROWS + MORE)
    [pairs] = read(READER, path, equivalent="pairs")
    assert ends(pairs)[2:] == [("T1", "T4", "Equiv", ""), ("T5", "T4", "Equiv", "")]
    [joined] = read(READER, path, equivalent="entity")
    assert texts(joined) == [["Zorvane", "loop blockers", "Orsk"], ["KLR2"], ["Beta blockers"], ["blocks"]]
    assert (joined.entities[0].id, joined.entities[0].type) == ("T1", "Drug")
    assert ends(joined) == [("T1", "T2", "Inhibits", "R1"), ("T3", "T1", "Same", "R2")]
    assert "equivalence" not in pairs.metadata["left_out"] and "equivalence" not in joined.metadata["left_out"]


def test_spans_that_a_line_end_cut_are_one(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, folder(write, ["T1\tPlace 0 5;7 10\tQuern Bay"], "Quern\r\nBay lies."))
    assert document.entities[0].mentions[0] == (0, 2, ())


def test_lines_may_be_sentences(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("a.txt", "One two. Three\nfour.\n\nFive")
    [document] = read(READER, path, sentences="lines")
    assert document.sentences == ((0, 4), (4, 6), (6, 7))
    [document] = read(READER, path)
    assert document.sentences == ((0, 3), (3, 6), (6, 7))


def test_a_text_without_annotations_is_unlabelled(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    write("corpus/b.ann", "")
    write("corpus/b.txt", "KLR2.")
    path = write("corpus/a.txt", "Orsk.")
    assert [(d.id, d.entities, d.relations) for d in read(READER, path.parent)] == [("a", (), ()), ("b", (), ())]


def test_one_file_is_read_with_the_other(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = folder(write, ROWS) / "part"
    for name in ("a.txt", "a.ann"):
        [document] = read(READER, path / name)
        assert document.id == "a" and len(document.entities) == 6
    with pytest.raises(RelconError, match=r"is neither \.txt nor \.ann"):
        read(READER, write("a.json", "{}"))


def test_annotations_without_a_text_are_named(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("corpus/a.ann", "").parent)
    assert (where, said) == ("a.ann", "there is no text 'a.txt' beside it")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("T1\tDrug 0 7", "T1\tDrug 1 8", 1, "entity 'T1' is said to be 'Zorvane', but its characters [1, 8) are 'orvane '"),
        ("0 7", "0 700", 1, "entity 'T1' has the span [0, 700) outside the 62 characters"),
        ("0 7", f"0 {'7' * 5000}", 1, "a position of entity 'T1' must be a character number"),
        ("0 7", "7 0", 1, "which is empty or reversed"),
        ("0 7", "0 7 9", 1, "must have its characters as 'start end'"),
        ("24 28;38 46", "24 28;26 46", 3, "two parts of entity 'T3' share the character 26"),
        ("\tZorvane", "", 1, "and the text that they cover, separated by tabs"),
        ("T2\tP", "T1\tP", 2, "the id 'T1' stands already at"),
        ("T2\tP", "Q2\tP", 2, "the id 'Q2' begins with none of T, R, *, N, E, A, M, #"),
        ("Arg2:T2", "Arg2:T22", 7, "R1 names 'T22', which is the id of no line of the file. Did you mean 'T2'?"),
        ("Arg2:T2", "T2", 7, "the arguments of relation 'R1' must be 'role:id', here one is 'T2'"),
        ("R1\tInhibits Arg1:T1 Arg2:T2\t", "R1", 7, "expected an id, a tab, a type"),
        ("R1\tInhibits Arg1:T1 Arg2:T2\t", "R1\t", 7, "expected an id, a tab, a type"),
        ("R2\tSame Target:T3 Agent:T4", "*\tEquiv T1", 8, "two ids or more that differ"),
        ("R2\tSame Target:T3 Agent:T4", "N1\tReference T1", 8, "and a reference such as 'DB:7'"),
    ],
)
def test_bad_lines_are_named(old: str, new: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = "\n".join(ROWS)
    assert text.count(old) == 1
    [(where, said)] = faults(READER, folder(write, [text.replace(old, new)]))
    assert where == f"a.ann:{line}" and message in said


def test_bytes_that_are_no_text_are_named(tmp_path: Path, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    path = folder(write, ROWS)
    (path / "part/a.txt").write_bytes("Zorväne".encode("latin-1"))
    assert faults(READER, path) == [("a.txt", "not UTF-8 text at byte 5; save the file as UTF-8")]


def test_what_the_format_looks_like(write: Callable[..., Path]) -> None:
    sniff = DatasetReader.registry.get(READER).sniff
    path = folder(write, ROWS) / "part"
    assert sniff(glimpse(path)) and sniff(glimpse(path / "a.txt")) and sniff(glimpse(path / "a.ann"))
    assert sniff(glimpse(write("other/b.txt", "text"))) is None and sniff(glimpse(path.parent / "../other")) is None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("ab é\n\r.(-", min_size=1, max_size=40).filter(str.strip), data=st.data())
def test_what_is_written_is_read(text: str, data: st.DataObject, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    solid = [number for number, character in enumerate(text) if not character.isspace()]
    spans: Dict[str, Any] = {}
    for number in range(data.draw(st.integers(1, 4))):
        start, end = sorted((data.draw(st.sampled_from(solid)), data.draw(st.sampled_from(solid))))
        spans[f"T{number}"] = (start, end + 1)
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(sorted(spans)), st.sampled_from(sorted(spans))), max_size=4))
    rows = [f"{name}\tType {s} {e}\t{' '.join(text[s:e].splitlines())}" for name, (s, e) in spans.items()]
    rows += [f"R{number}\tLabel Arg1:{head} Arg2:{tail}" for number, (head, tail) in enumerate(pairs)]
    [document] = read(READER, folder(write, rows, text))
    assert document.text == text
    mentions = {entity.id: entity.mentions[0] for entity in document.entities}
    assert {name: (document.offsets[m.start][0], document.offsets[m.end - 1][1]) for name, m in mentions.items()} == spans
    assert [each[:2] for each in ends(document)] == pairs
