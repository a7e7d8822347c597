"""AIMed: the tagged files and the folds."""

import json
import logging
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

TAGS, FOLDS = "relcon.AIMed.v1", "relcon.AIMedFolds.v1"

FILE = (
    "TI - <p1  pair=1 >  <p1  pair=2 >  <prot>  KLR2 </prot>  </p1>  </p1>  binds <p2  pair=1 >  <prot>  <prot>  NUP9 </prot>  "
    "ligand </prot>  </p2>  .\n\n"
    "It bound the <p2  pair=2 >  ORM complex </p2>  and <p1  pair=3 >  <p2  pair=3 >  <prot>  KLR2 </prot>  </p2>  </p1>  and "
    "non-<p1  pair=4 >  <prot>  X </prot>  </p1>  .\n"
)


def test_tags_nest_and_repeat(write: Callable[..., Path], read: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="relcon"):
        [document] = read(TAGS, write("abstract_1", FILE))
    assert document.id == "abstract_1" and document.metadata == {"file": "abstract_1"}
    sentences = [" ".join(document.words[start:end]) for start, end in document.sentences]
    assert sentences == ["TI - KLR2 binds NUP9 ligand .", "It bound the ORM complex and KLR2 and non- X ."]
    names = [document.mention_text(entity.mentions[0]) for entity in document.entities]
    assert names == ["KLR2", "NUP9", "NUP9 ligand", "ORM complex", "KLR2", "X"]
    named = [(names[r.head], names[r.tail], r.label, r.id) for r in document.relations]
    assert named == [("KLR2", "NUP9 ligand", "positive", "1"), ("KLR2", "ORM complex", "positive", "2"), ("KLR2", "KLR2", "positive", "3")]
    assert document.relations[2].head == document.relations[2].tail == 4
    assert "interaction 4 has the side p1 only and is left out" in caplog.text


def test_a_folder_is_read_by_name_and_without_other_files(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    write("all/splits/abstract_0", "a list")
    write("all/README", "<prot>")
    write("all/abstract_2", "a <prot> b </prot>")
    folder = write("all/abstract_1", "a").parent
    assert [(document.id, len(document.entities)) for document in read(TAGS, folder)] == [("abstract_1", 0), ("abstract_2", 1)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("<prot> a", "'<prot>' is not closed on its line"),
        ("a </prot>", "'</prot>' does not close the tag that was opened last"),
        ("<p1 pair=1 > <prot> a </p1> </prot>", "'</p1>' does not close"),
        ("<p1> <prot> a </prot> </p1>", "'<p1>' names no pair; expected '<p1 pair=N>'"),
        ("<prot> </prot> a", "'<prot>' covers no whole word"),
    ],
)
def test_bad_tags_are_named(line: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(TAGS, write("abstract_1", f"fine\n{line}\n"))
    assert where in ("abstract_1:2", "abstract_1") and message in said


def test_a_side_that_is_there_twice_is_refused(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(_, said)] = faults(TAGS, write("abstract_1", "<p1 pair=1> <prot> a </prot> </p1> <p1 pair=1> <prot> b </prot> </p1>"))
    assert "interaction 1 has the side p1 twice" in said


def pair(number: int, one: Any, two: Any, label: Any = "positive", **changes: Any) -> Dict[str, Any]:
    relation = {"entity_1": "a[/E1] b", "entity_1_idx": one, "entity_1_type": "protein", "entity_2_idx": two, "entity_2_type": "protein"}
    relation |= {"relation_type": label} if label else {}
    return {"id": f"AIMed.d1.s7_AIMed.d1.s7.p{number}", "text": "KLR2 binds NUP9 ligand.", "relation": [relation], **changes}


def fold(*lines: Any) -> str:
    return "\n".join(json.dumps(line) for line in lines)


def test_pairs_of_a_sentence_are_one_document(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = fold(pair(0, [[0, 4]], [[11, 15]]), pair(1, [[11, 22]], [[0, 4]], "negative"), pair(2, [[11, 15], [16, 22]], [[0, 4]], None))
    [document] = read(FOLDS, write("folds/test_3.json", text).parent)
    assert document.id == "AIMed.d1.s7" and document.metadata == {"document": "AIMed.d1", "fold": 3}
    spans = [(entity.mentions[0][:2], entity.mentions[0].fragments, entity.type) for entity in document.entities]
    assert spans == [((0, 1), (), "PROTEIN"), ((2, 3), (), "PROTEIN"), ((2, 4), ((2, 3), (3, 4)), "PROTEIN"), ((2, 4), (), "PROTEIN")]
    assert [(r.head, r.tail, r.label, r.id[-2:]) for r in document.relations] == [
        (0, 1, "positive", "p0"),
        (3, 0, "negative", "p1"),
        (2, 0, None, "p2"),
    ]


def test_the_type_may_be_kept(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(FOLDS, write("test_3.json", fold(pair(0, [[0, 4]], [[11, 15]]))), types={})
    assert document.entities[0].type == "protein"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (pair(1, [[0, 4]], [[11, 15]], id="p1"), "expected an id such as"),
        (pair(1, [[0, 4]], [[11, 15]], text="Another."), "the text differs from that of the same sentence at "),
        (pair(1, [[0, 4]], []), "'entity_2_idx' is empty"),
        (pair(1, [0, 4], [[11, 15]]), "item 0 of 'entity_1_idx' must be a list, here it is a whole number, 0"),
        (pair(1, [[0, 4]], [[11, 15]], relation={}), "'relation' of the record must be a list"),
        (pair(1, [[0, 4]], [[11, 15]], 1), "'relation_type' of the record must be a string"),
    ],
)
def test_bad_lines_are_named(line: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(FOLDS, write("test_0.json", fold(pair(0, [[0, 4]], [[11, 15]]), line)))
    assert where == "test_0.json:2" and message in said


def test_a_span_outside_the_sentence_is_named(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(FOLDS, write("test_0.json", fold(pair(0, [[0, 4]], [[11, 99]]))))
    assert where == "test_0.json:1" and "has the span [11, 99) outside the 23 characters" in said
