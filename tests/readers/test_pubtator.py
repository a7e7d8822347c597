"""PubTator's text files."""

from pathlib import Path
from typing import Any, Callable, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.data.document import Document
from relcon.data.glimpse import glimpse
from relcon.interfaces import DatasetReader

READER = "relcon.PubTator.v1"

TEXT = """11|t|Zorvane and KLR2.
11|a|Zorvane causes vorthing and quelling fever.
11\t0\t7\tZorvane\tChemical\tC9
11\t12\t16\tKLR2\tGene\t-1
11\t18\t25\tZorvane\tDrug\tC9
11\t33\t60\tvorthing and quelling fever\tDisease\tD1|D2\tvorthing fever|quelling fever
11\tCID\tC9\tD2
11\tCotreatment\tD1\tC9\tNovel

12|t|On KLR2
12|a|
12\t3\t7\tKLR2\tGene
"""


def texts(document: Document) -> List[Any]:
    return [(e.id, e.type, [document.mention_text(mention) for mention in e.mentions]) for e in document.entities]


def test_mentions_of_one_concept_are_one_entity(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    first, second = read(READER, write("a.txt", TEXT))
    assert (first.id, first.source.line, second.id, second.source.line) == ("11", 1, "12", 10)
    assert first.text == "Zorvane and KLR2. Zorvane causes vorthing and quelling fever." and second.text == "On KLR2 "
    assert texts(first) == [
        ("C9", "Chemical", ["Zorvane", "Zorvane"]),
        ("", "Gene", ["KLR2"]),
        ("D1", "Disease", ["vorthing and quelling fever"]),
        ("D2", "Disease", ["vorthing and quelling fever"]),
    ]
    assert [(r.head, r.tail, r.label) for r in first.relations] == [(0, 3, "CID"), (2, 0, "Cotreatment")]
    assert first.metadata == {"novel": [[2, 0, "Cotreatment", "Novel"]], "left_out": {"text of a part of a composite mention": 1}}
    assert first.sentences == ((0, 4), (4, 11)) and texts(second) == [("", "Gene", ["KLR2"])]


def test_mentions_may_stay_apart(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    first, _ = read(READER, write("a.txt", TEXT), entities="mentions")
    assert [entity.id for entity in first.entities] == ["C9", "", "C9", "D1|D2"] and first.relations == ()
    assert first.metadata["left_out"] == {"text of a part of a composite mention": 1, "relation between concepts": 2}


def test_what_separates_concepts_is_a_setting(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("a.txt", "1|t|KLR2 V6E\n1\t0\t4\tKLR2\tGene\t7, 8\n1\t5\t8\tV6E\tVariant\tp|SUB|V|6|E\n1\tBind\tp|SUB|V|6|E\t8\n")
    [document] = read(READER, path, composite=[","])
    assert [entity.id for entity in document.entities] == ["7", "8", "p|SUB|V|6|E"]
    assert [(r.head, r.tail) for r in document.relations] == [(2, 1)]


def test_an_abstract_may_be_unlabelled(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", "\ufeff1|t|A | title\r\n1|a|Text\r\n"))
    assert (document.text, document.entities, document.relations, document.metadata) == ("A | title Text", (), (), {})


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("11\t0\t7\tZorvane", "11\t1\t8\tZorvane", 3, "is said to be 'Zorvane', but its characters [1, 8) are 'orvane '"),
        ("11\t0\t7\tZorvane", "11\t0\t777\tZorvane", 3, "outside the 61 characters"),
        ("11\t0\t7", "11\t0\tseven", 3, "column 3 must be a character number, here it is 'seven'"),
        ("11\tCID\tC9\tD2", "11\tCID\tC9\tD3", 7, "the relation names 'D3', which is the identifier of no mention of the abstract."),
        ("11\tCID\tC9\tD2", "11\tCID\tC9", 7, "here are 3 columns"),
        ("11\tCID\t", "11\t\t", 7, "the relation has no type in column 2"),
        ("11\tCID\tC9", "12\tCID\tC9", 7, "expected a line of 11, here it is one of '12'; a new abstract begins with its title"),
        ("11|t|Zorvane", "11|x|Zorvane", 1, "expected a title, PMID|t|..., here it begins '11|x|Zorvane and KLR'"),
        ("11\tCID\tC9\tD2", "11|a|More", 7, "expected one abstract, PMID|a|..., below the title of 11, and before its mentions"),
    ],
)
def test_bad_lines_are_named(old: str, new: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    assert TEXT.count(old) == 1
    found = faults(READER, write("a.txt", TEXT.replace(old, new)))
    assert found[0][0] == f"a.txt:{line}" and message in found[0][1]


def test_an_abstract_that_stands_twice_is_named(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    found = faults(READER, write("a.txt", TEXT + TEXT))
    assert [where for where, _ in found] == ["a.txt:13", "a.txt:22"] and found[0][1].startswith("the id '11' stands already at ")


def test_a_line_that_is_no_text_takes_its_block_along(
    tmp_path: Path, write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]
) -> None:
    path = write("a.txt", "")
    path.write_bytes(TEXT.encode().replace(b"11\tCID", b"11\t\xe9CID"))
    [(where, said)] = faults(READER, path)
    assert where == "a.txt:7" and said.startswith("not UTF-8 text")
    assert [document.id for document in read(READER, path, on_error="skip")] == ["12"]


def test_what_the_format_looks_like(write: Callable[..., Path]) -> None:
    sniff = DatasetReader.registry.get(READER).sniff
    assert sniff(glimpse(write("a.txt", "\n" + TEXT))) and sniff(glimpse(write("b.txt", "11|a|x"))) is None
    assert sniff(glimpse(write("c.txt", ""))) is None


LINE = st.text("ab é|(-", max_size=20)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=LINE, abstract=LINE, data=st.data())
def test_what_is_written_is_read(
    title: str, abstract: str, data: st.DataObject, write: Callable[..., Path], read: Callable[..., Any]
) -> None:
    text = f"{title} {abstract}"
    solid = [number for number, character in enumerate(text) if not character.isspace()]
    marks = []
    for _ in range(data.draw(st.integers(0, 5)) if solid else 0):
        start, end = sorted((data.draw(st.sampled_from(solid)), data.draw(st.sampled_from(solid))))
        marks.append((start, end + 1, data.draw(st.sampled_from(["D1", "D2", "D3", "-1"]))))
    known = sorted({name for *_, name in marks} - {"-1"})
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(known), st.sampled_from(known)), max_size=3)) if known else []
    rows = [f"7|t|{title}", f"7|a|{abstract}", *(f"7\t{s}\t{e}\t{text[s:e]}\tT\t{name}" for s, e, name in marks)]
    rows += [f"7\tR\t{head}\t{tail}" for head, tail in pairs]
    [document] = read(READER, write("a.txt", "\n".join(rows)))
    assert document.text == text
    found = sorted(
        (document.offsets[m.start][0], document.offsets[m.end - 1][1], e.id or "-1") for e in document.entities for m in e.mentions
    )
    assert found == sorted(marks)
    assert [(document.entities[r.head].id, document.entities[r.tail].id) for r in document.relations] == pairs
