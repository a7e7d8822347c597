"""BioC, XML and JSON."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.data.document import Document
from relcon.data.glimpse import glimpse
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.BioC.v1"

Value = Dict[str, Any]


def annotation(name: str, text: str, *spans: Any, identifier: str = "", kind: str = "Gene") -> Value:
    infons = {"type": kind, **({"identifier": identifier} if identifier else {})}
    return {"id": name, "infons": infons, "text": text, "locations": [{"offset": s, "length": e - s} for s, e in spans]}


def relation(name: str, *ends: str, concepts: Any = (), **infons: str) -> Value:
    named = {f"entity{number}": each for number, each in enumerate(concepts, 1)}
    return {"id": name, "infons": {"type": "Bind", **named, **infons}, "nodes": [{"refid": each, "role": f"r{each}"} for each in ends]}


def passage(text: str, offset: int, *annotations: Value, **more: Any) -> Value:
    return {"infons": {}, "offset": offset, "text": text, "annotations": list(annotations), **more}


def document(**changes: Any) -> Value:
    annotations = (
        annotation("2", "KLR2", (18, 22), identifier="7"),
        annotation("3", "beta KLR3", (23, 27), (37, 41), identifier="8,9"),
        annotation("4", "Orsk", (45, 49), identifier="-"),
    )
    base = {
        "id": "101",
        "infons": {},
        "passages": [
            passage("KLR2 <&> title", 0, annotation("1", "KLR2", (0, 4), identifier="7", kind="Protein")),
            passage("KLR2 beta and loop KLR3 in Orsk.", 18, *annotations, relations=[relation("R1", "4", "2")]),
        ],
        "relations": [relation("R0", concepts=("7", "9"), novel="No"), relation("R2", "3", "1")],
    }
    return {**base, **changes}


def xml(*documents: Value) -> str:
    """A collection with line ends between its elements, as the format's own tools write it."""

    def infons(value: Value) -> str:
        return "".join(f"<infon key={quoteattr(key)}>{escape(each)}</infon>" for key, each in value.get("infons", {}).items())

    def element(tag: str, value: Value) -> str:
        attributes = "".join(f" {key}={quoteattr(str(value[key]))}" for key in ("refid", "role", "length") if key in value)
        if tag in ("annotation", "relation") and "id" in value:
            attributes += f" id={quoteattr(value['id'])}"
        if tag == "location":
            attributes += f' offset="{value["offset"]}"'
        leaves = [(tag == "document", "id"), (tag in ("passage", "sentence"), "offset"), (tag != "location", "text")]
        inside = infons(value) + "".join(f"<{key}>{escape(str(value[key]))}</{key}>\n" for wanted, key in leaves if wanted and key in value)
        for key in ("passages", "sentences", "annotations", "locations", "relations", "nodes"):
            inside += "".join(element(key.removesuffix("s"), each) for each in value.get(key, ()))
        return f"<{tag}{attributes}>{inside}</{tag}>\n"

    return '<?xml version="1.0"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n<collection><source>made</source>\n' + "".join(
        element("document", each) for each in documents
    ) + "</collection>"


def forms(*documents: Value) -> Dict[str, str]:
    """The same documents in all forms that are read."""
    return {
        "a.xml": xml(*documents),
        "a.json": json.dumps({"source": "made", "documents": list(documents)}, indent=1),
        "b.json": json.dumps(list(documents)),
        "c.json": "".join(json.dumps(each) + "\n" for each in documents),
        "d.json": json.dumps({"PubTator3": list(documents)}),
    }


def texts(found: Document) -> List[Any]:
    return [(each.id, each.type, [found.mention_text(mention) for mention in each.mentions]) for each in found.entities]


def test_all_forms_say_the_same(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    for name, text in forms(document(), document(id="102")).items():
        first, second = read(READER, write(name, text))
        assert (first.id, second.id, first.entities, first.relations) == ("101", "102", second.entities, second.relations)
        assert first.text == "KLR2 <&> title    KLR2 beta and loop KLR3 in Orsk."
        assert texts(first) == [
            ("7", "Protein", ["KLR2", "KLR2"]),
            ("8", "Gene", ["beta KLR3"]),
            ("9", "Gene", ["beta KLR3"]),
            ("4", "Gene", ["Orsk"]),
        ]
        assert sorted((r.head, r.tail, r.label, r.id) for r in first.relations) == [
            (0, 2, "Bind", "R0"),
            (1, 0, "Bind", "R2"),
            (2, 0, "Bind", "R2"),
            (3, 0, "Bind", "R1"),
        ]
        assert first.metadata == {"novel": [[0, 2, "Bind", "No"]]}
        assert len(first.sentences) == 2


def test_annotations_may_stay_apart(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [found] = read(READER, write("a.xml", xml(document())), entities="mentions")
    assert [each.id for each in found.entities] == ["1", "2", "3", "4"]
    assert [(r.head, r.tail) for r in found.relations] == [(2, 0), (3, 1)]
    assert found.metadata == {"normalized": {"1": ["7"], "2": ["7"], "3": ["8", "9"]}, "left_out": {"relation between concepts": 1}}


def test_infons_have_other_names_elsewhere(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """As in BC5CDR, and in what PubTator 3 exports."""
    marks = [annotation("1", "KLR2", (0, 4)), annotation("2", "Orsk", (5, 9))]
    for mark, name in zip(marks, ["C1", "D1"], strict=True):
        mark["infons"]["MESH"] = name
    cdr = {"infons": {"relation": "CID", "Chemical": "C1", "Disease": "D1"}, "id": "R0"}
    roles = {"infons": {"relation": "CID", "Chemical": {"identifier": "C1"}, "Disease": {"identifier": "D1"}}, "nodes": [{"refid": "9"}]}
    path = write("a.json", json.dumps([document(passages=[passage("KLR2 Orsk", 0, *marks)], relations=[cdr, roles])]))
    [found] = read(READER, path, identifier="MESH", arguments=["Chemical", "Disease"], label="relation")
    assert [(r.head, r.tail, r.label, r.id) for r in found.relations] == [(0, 1, "CID", "R0"), (0, 1, "CID", "")]
    with pytest.raises(RelconError, match=r"infons 'entity1' and 'entity2' \(it has: relation, Chemical, Disease\); set arguments"):
        read(READER, path)


def test_a_role_may_name_the_head(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [found] = read(READER, write("a.json", json.dumps([document(relations=[])])), head_roles=["r2"])
    assert [(r.head, r.tail) for r in found.relations] == [(0, 3)]


def test_sentences_of_the_file_are_kept(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    sentences = [passage("KLR2 a. B", 0, annotation("1", "KLR2", (0, 4))), passage("Orsk.", 11, relations=[relation("R", "1", "1")])]
    value = document(passages=[{"offset": 0, "sentences": sentences, "text": "", "annotations": []}], relations=[])
    for name, text in forms(value).items():
        [found] = read(READER, write(name, text))
        assert found.sentences == ((0, 3), (3, 5)) and found.text == "KLR2 a. B  Orsk."
        assert [(r.head, r.tail) for r in found.relations] == [(0, 0)]


def test_what_a_document_cannot_hold_is_counted(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    relations = [relation("R5", "1", "2", "4"), relation("R6", "R5", "1"), relation("R7", "9", "1"), relation("R8", "1")]
    first, second = document()["passages"]
    first["annotations"].append(annotation("9", "KLR9"))
    for name, text in forms(document(passages=[first, second], relations=relations)).items():
        [found] = read(READER, write(name, text))
        assert found.metadata["left_out"] == {
            "annotation without a location": 1,
            "relation with 3 nodes": 1,
            "relation with 1 nodes": 1,
            "relation of a relation": 1,
            "relation of an annotation without a location": 1,
        }
        assert [r.id for r in found.relations] == ["R1"]


def test_labels_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    asked = {"id": "R", "infons": {}, "nodes": [{"refid": "1", "role": ""}, {"refid": "2", "role": ""}]}
    plain = {"id": "7", "passages": [passage("Nobody.", 0)]}
    for name, text in forms(document(relations=[asked]), plain).items():
        first, second = read(READER, write(name, text))
        assert {r.id: r.label for r in first.relations} == {"R": None, "R1": "Bind"}
        assert (second.words, second.entities, second.relations, second.metadata) == (("Nobody", "."), (), (), {})


def test_an_annotation_needs_no_id(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    marks = [annotation("1", "KLR2", (0, 4), identifier="7"), annotation("2", "Orsk", (5, 9))]
    for mark in marks:
        del mark["id"]
    for name, text in forms(document(passages=[passage("KLR2 Orsk", 0, *marks)], relations=[])).items():
        [found] = read(READER, write(name, text), entities="mentions")
        assert texts(found) == [("", "Gene", ["KLR2"]), ("", "Gene", ["Orsk"])] and found.metadata == {}


def test_a_folder_is_read_in_the_order_of_its_files(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    write("all/b.json", json.dumps(document(id="2")))
    write("all/c/d.xml", xml(document(id="3")))
    write("all/notes.txt", "no BioC")
    path = write("all/a.xml", xml(document(id="1")))
    assert [each.id for each in read(READER, path.parent)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"passages": [passage("KLR2", 0, annotation("1", "KLR2", (1, 4)))]}, "is said to be 'KLR2', but its characters [1, 4) are 'LR2'"),
        ({"passages": [passage("KLR2", 0, annotation("1", "KLR2", (0, 40)))]}, "has the span [0, 40) outside the 4 characters"),
        ({"passages": [passage("KLR2", 0), passage("Orsk", 2)]}, "passage 1 begins at character 2; after what stands before it"),
        ({"passages": [passage("KLR2", 10**12)]}, "passage 0 begins at character 1000000000000; after"),
        ({"passages": [passage("KLR2", 0, sentences=[passage("KLR2", 0)])]}, "passage 0 has sentences, and text or annotations of its own"),
        ({"relations": [relation("R5", "1", "77")]}, "relation 'R5' names '77', the id of no annotations; expected that of one."),
        ({"relations": [relation("R5", concepts=("7", "77"))]}, "relation 'R5' names '77', which is the identifier of no annotation."),
        ({"relations": [relation("R5")]}, "relation 'R5' has neither nodes nor the infons 'entity1' and 'entity2' (it has: type)"),
    ],
)
def test_bad_documents_are_named(changes: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    for name, text in forms(document(), document(id="102", **changes)).items():
        [(where, said)] = faults(READER, write(name, text))
        assert where.startswith(name) and "document '102': " in said and message in said
        assert where != f"{name}:1" or said.startswith("record 1: ")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "the record must be an object"),
        ({"id": "1"}, "'passages' is missing in the document"),
        ({"passages": []}, "'id' of the record must be an id"),
        ({"id": "1", "passages": [passage("a", "x")]}, "'offset' of passage 0 must be a character number, here it is 'x'"),  # type: ignore[arg-type]
        ({"id": "1", "passages": [{"offset": 0, "text": "KLR2", "annotations": [{"id": "1", "infons": {"type": [1]}, "locations": [
            {"offset": 0, "length": 4}]}]}]}, "the infon 'type' of annotation '1' must be a string"),
    ],
)
def test_json_of_another_kind_is_refused(value: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("a.json", json.dumps([value])))
    assert where == "a.json:1" and message in said


def test_broken_files_are_named(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    for name, text in forms(document(), document(id="102")).items():
        path = write(name, text[: int(len(text) * 0.9)])
        problem = faults(READER, path)[-1]
        assert problem[0].startswith(name) and problem[1].startswith(("not XML: ", "not JSON: "))
        if name in ("a.xml", "b.json", "c.json"):  # those that are read document by document
            assert [each.id for each in read(READER, path, on_error="skip")] == ["101"]


@pytest.mark.parametrize(
    "declared", ['[<!ENTITY a "b">]', '[<!ENTITY a SYSTEM "file:///etc/hostname">]', '[<!ENTITY % a SYSTEM "http://localhost/a"> %a;]']
)
def test_entities_are_refused(declared: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = xml(document(infons={"note": "x"})).replace('SYSTEM "BioC.dtd"', declared)
    [(where, said)] = faults(READER, write("a.xml", text))
    assert where == "a.xml" and "Forbidden" in said


def test_elements_that_stand_too_deep_are_refused(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = xml(document()).replace("<passage>", "<passage>" + "<sentence>" * 3000, 1)
    text = text.replace("</passage>", "</sentence>" * 3000 + "</passage>", 1)
    [(where, said)] = faults(READER, write("a.xml", text))
    assert where.startswith("a.xml:") and "stands deeper than anything of BioC" in said


def test_what_the_format_looks_like(write: Callable[..., Path]) -> None:
    sniff = DatasetReader.registry.get(READER).sniff
    for name, text in forms(document()).items():
        assert sniff(glimpse(write(f"{name.replace('.', '/')}/{name}", text))), name
        assert sniff(glimpse(write(f"{name.replace('.', '/')}/{name}", text).parent)), name
    assert sniff(glimpse(write("e.json", '[{"passages": []}]'))) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.tuples(st.integers(0, 3), st.text("ab é<&\n(-", max_size=12)), min_size=1, max_size=3), data=st.data())
def test_what_is_written_is_read(parts: Any, data: st.DataObject, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text, passages = "", []
    for gap, each in parts:
        text += " " * gap
        passages.append(passage(each, len(text)))
        text += each
    solid = [number for number, character in enumerate(text) if not character.isspace()]
    marks = []
    for number in range(data.draw(st.integers(0, 4)) if solid else 0):
        start, end = sorted((data.draw(st.sampled_from(solid)), data.draw(st.sampled_from(solid))))
        identifier = data.draw(st.sampled_from(["", "7", "8"]))
        marks.append(annotation(str(number), text[start : end + 1], (start, end + 1), identifier=identifier))
        data.draw(st.sampled_from(passages))["annotations"].append(marks[-1])
    names = [each["id"] for each in marks]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=3)) if names else []
    value = document(passages=passages, relations=[relation(f"R{number}", *pair) for number, pair in enumerate(pairs)])
    for name, written in forms(value).items():
        [found] = read(READER, write(name, written), entities="mentions")
        assert found.text == text
        spans = {e.id: (found.offsets[e.mentions[0].start][0], found.offsets[e.mentions[0].end - 1][1]) for e in found.entities}
        assert spans == {each["id"]: (each["locations"][0]["offset"], sum(each["locations"][0].values())) for each in marks}
        assert [(found.entities[r.head].id, found.entities[r.tail].id) for r in found.relations] == pairs
        [joined] = read(READER, write(name, written))
        concepts = {each["infons"].get("identifier", f"own {each['id']}") for each in marks}
        assert len(joined.entities) == len(concepts) and sum(len(e.mentions) for e in joined.entities) == len(marks)
