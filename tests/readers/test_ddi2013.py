"""The DDI corpus 2013."""

from pathlib import Path
from typing import Any, Callable

import pytest

READER = "relcon.DDI2013.v1"

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<document id="d1">
  <sentence id="d1.s0" text="Beta and loop blockers &amp; fenlor.&#xd;&#xa;">
    <entity id="d1.s0.e0" charOffset="0-3;14-21"
        type="group" text="Beta blockers"/>
    <entity id="d1.s0.e1" charOffset="9-21" type="drug_n" text="loop blockers"/>
    <entity id="d1.s0.e2" charOffset="25-30" type="brand" text="fenlor"/>
    <pair id="d1.s0.p0" e1="d1.s0.e0" e2="d1.s0.e2" ddi="true" type="advise"/>
    <pair id="d1.s0.p1" e1="d1.s0.e2" e2="d1.s0.e1" ddi="false"/>
    <pair id="d1.s0.p2" e1="d1.s0.e0" e2="d1.s0.e1" ddi="true"/>
    <pair id="d1.s0.p3" e1="d1.s0.e1" e2="d1.s0.e0"/>
  </sentence>
  <sentence id="d1.s1" text=""/>
</document>
"""


def changed(old: str, new: str) -> str:
    assert DOCUMENT.count(old) == 1
    return DOCUMENT.replace(old, new)


def test_a_sentence_is_a_document(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    first, second = read(READER, write("d1.xml", DOCUMENT))
    assert (first.id, first.source.line, second.id, second.words) == ("d1.s0", 3, "d1.s1", ())
    assert first.metadata == {"document": "d1"} and first.text == "Beta and loop blockers & fenlor.\r\n"
    assert [(r.head, r.tail, r.label) for r in first.relations] == [
        (0, 2, "DDI-advise"),
        (2, 1, "DDI-false"),
        (0, 1, "DDI-int"),
        (1, 0, None),
    ]


def test_ends_are_inclusive_and_mentions_discontinuous(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    entities = read(READER, write("d1.xml", DOCUMENT))[0].entities
    assert [entity.mentions[0][:2] for entity in entities] == [(0, 4), (2, 4), (5, 6)]
    assert [entity.mentions[0].fragments for entity in entities] == [((0, 1), (3, 4)), (), ()]


def test_types_and_the_untyped_label_are_settings(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("d1.xml", DOCUMENT)
    assert {entity.type for entity in read(READER, path)[0].entities} == {"DRUG"}
    document = read(READER, path, types={"brand": "NAME"}, untyped="DDI-false")[0]
    assert [entity.type for entity in document.entities] == ["group", "drug_n", "NAME"]
    assert document.relations[2].label == "DDI-false"


def test_a_folder_is_read_with_its_folders(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    write("all/a b/two.xml", DOCUMENT.replace("d1", "d2"))
    folder = write("all/one.xml", DOCUMENT).parent
    write("all/README", "no XML")
    assert [document.id for document in read(READER, folder)] == ["d2.s0", "d2.s1", "d1.s0", "d1.s1"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"9-21"', '"9-20"', 6, "9-20 (inclusive ends) is said to be 'loop blockers', but its characters [9, 21) are 'loop blocker'"),
        ('"9-21"', '"21-9"', 6, "charOffset 21-9 (inclusive ends) has the span [21, 10), which is empty or reversed"),
        ('"9-21"', '"9"', 6, "'charOffset' must be 'a-b' or 'a-b;c-d'"),
        ('"25-30"', '"25-300"', 7, "charOffset 25-300 (inclusive ends) has the span [25, 301) outside the 34 characters"),
        (' type="brand"', "", 7, "the attribute 'type' is missing"),
        ('type="advise"', 'type="advice"', 8, "must be one of advise, effect, int, mechanism; here it is 'advice'"),
        ('ddi="false"', 'ddi="no"', 9, "'ddi' must be 'true' or 'false', here it is 'no'"),
        ('e1="d1.s0.e2"', 'e1="d1.s0.e5"', 9, "the pair names 'd1.s0.e5', which is no entity of the sentence"),
    ],
)
def test_bad_elements_are_named(
    old: str, new: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]
) -> None:
    [(where, said)] = faults(READER, write("d1.xml", changed(old, new)))
    assert where == f"d1.xml:{line}" and message in said


def test_broken_xml_is_named_and_the_other_files_are_read(
    write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]
) -> None:
    folder = write("all/b.xml", DOCUMENT).parent
    write("all/a.xml", DOCUMENT[:400])
    [(where, said)] = faults(READER, folder)
    assert where.startswith("a.xml:") and said.startswith("not XML: ")
    assert len(read(READER, folder, on_error="skip")) == 2


def test_entity_expansion_is_refused(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = '<!DOCTYPE d [<!ENTITY a "aaaa">]><document id="&a;"><sentence id="s" text="&a;"/></document>'
    [(where, said)] = faults(READER, write("bomb.xml", text))
    assert where == "bomb.xml" and "EntitiesForbidden" in said
