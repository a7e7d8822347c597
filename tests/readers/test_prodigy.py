"""Prodigy's JSON-lines."""

import json
import logging
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.data.document import Entity, Mention, Relation
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.Prodigy.v1"

TEXT = "The Zorvane drug\n blocks KLR2."
PIECES = [(0, 3), (4, 11), (12, 16), (16, 18), (18, 24), (25, 29), (29, 30)]
TOKENS = [{"text": TEXT[s:e], "start": s, "end": e, "id": n, "ws": True, "disabled": False} for n, (s, e) in enumerate(PIECES)]


def span(first: int, last: int, label: Any = None, **changes: Any) -> Dict[str, Any]:
    place = {"start": PIECES[first][0], "end": PIECES[last][1], "token_start": first, "token_end": last}
    return {**place, "label": label, **changes}


def relation(one: Dict[str, Any], other: Dict[str, Any], label: Any = "INHIBITS", **changes: Any) -> Dict[str, Any]:
    ends = {"head": one["token_end"], "child": other["token_end"], "head_span": one, "child_span": other}
    return {key: value for key, value in {**ends, "label": label, "color": "red", **changes}.items() if value is not ...}


DRUG, PROTEIN = span(0, 2, "DRUG"), span(5, 5, "PROTEIN")


def line(**changes: Any) -> str:
    base = {"text": TEXT, "tokens": TOKENS, "spans": [DRUG, PROTEIN], "relations": [relation(DRUG, PROTEIN)], "answer": "accept"}
    return json.dumps({key: value for key, value in {**base, **changes}.items() if value is not ...})


@pytest.fixture
def one(write: Callable[..., Path], read: Callable[..., Any]) -> Callable[..., Any]:
    """The document of a line."""
    return lambda text, **arguments: read(READER, write("db.jsonl", text), **arguments)[0]


def test_a_line(one: Callable[..., Any]) -> None:
    document = one(line(_input_hash=-5, _annotator_id="me", meta={"source": "s"}))
    assert document.words == ("The", "Zorvane", "drug", "blocks", "KLR2", ".") and document.id == "db-1"
    assert document.offsets == tuple(span for span in PIECES if span != (16, 18)) and document.text == TEXT
    assert document.entities == (Entity((Mention(0, 3),), "DRUG"), Entity((Mention(4, 5),), "PROTEIN"))
    assert document.relations == (Relation(0, 1, "INHIBITS"),)
    assert document.metadata == {"document": "-5", "annotator": "me", "meta": {"source": "s"}}


def test_an_argument_may_be_named_by_its_last_token(one: Callable[..., Any]) -> None:
    bare = relation(DRUG, PROTEIN, head_span=..., child_span=...)
    assert one(line(relations=[bare])).relations == (Relation(0, 1, "INHIBITS"),)


def test_an_argument_that_is_no_span_is_an_entity(one: Callable[..., Any]) -> None:
    verb = span(4, 4)
    by_tokens = relation(verb, DRUG, head_span=..., child_span=...)
    document = one(line(relations=[relation(verb, PROTEIN), relation(DRUG, verb, None), by_tokens]))
    assert [(entity.type, entity.mentions[0][:2]) for entity in document.entities] == [("DRUG", (0, 3)), ("PROTEIN", (4, 5)), ("", (3, 4))]
    assert document.relations == (Relation(2, 1, "INHIBITS"), Relation(0, 2, None), Relation(2, 0, "INHIBITS"))


def test_of_several_spans_at_one_place_the_label_decides(one: Callable[..., Any]) -> None:
    other = span(5, 5, "GENE")
    document = one(line(spans=[DRUG, PROTEIN, other], relations=[relation(DRUG, other), relation(DRUG, span(5, 5))]))
    assert [(each.head, each.tail) for each in document.relations] == [(0, 2), (0, 1)]


def test_a_line_without_tokens_is_cut_by_relcon(one: Callable[..., Any]) -> None:
    chars = [{key: value for key, value in each.items() if not key.startswith("token")} for each in (DRUG, PROTEIN)]
    spanned = {"head": 2, "child": 5, "head_span": chars[0], "child_span": chars[1], "label": "INHIBITS"}
    document = one(line(tokens=..., spans=chars, relations=[spanned], answer=...))
    assert [document.mention_text(entity.mentions[0]) for entity in document.entities] == ["The Zorvane drug", "KLR2"]
    assert document.relations == (Relation(0, 1, "INHIBITS"),)


def test_other_answers_are_left_out_and_logged(write: Callable[..., Path], read: Callable[..., Any], caplog: Any) -> None:
    answers: List[Any] = ["accept", "reject", "ignore", "reject", ...]
    path = write("db.jsonl", "\n".join(line(answer=answer) for answer in answers))
    with caplog.at_level(logging.WARNING):
        assert [document.source.line for document in read(READER, path)] == [1, 5]
    assert "left out 2 lines with the answer 'reject'" in caplog.text and "left out 1 lines with the answer 'ignore'" in caplog.text
    assert len(read(READER, path, answers=["accept", "reject", "ignore"])) == 5
    reader = DatasetReader.registry.get(READER)
    assert not reader().cacheable and reader(answers=["accept", "reject", "ignore"]).cacheable


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "yes"}, "'answer' must be 'accept', 'reject' or 'ignore', here it is 'yes'"),
        ({"text": ...}, "'text' is missing"),
        ({"spans": [span(0, 2, end=11)]}, "said to be the characters [0, 11) and the tokens 0 to 2, which are the characters [0, 16)"),
        ({"spans": [span(0, 2, token_end=9)]}, "'token_end' of span 0 is token 9, but the line has 7 tokens"),
        ({"spans": [span(0, 2, text="Zorvane")], "relations": []}, "span 0 is said to be 'Zorvane', but its span covers"),
        ({"spans": [{"start": 1, "end": 11}], "relations": []}, "span 0 begins or ends inside a word at the characters [1, 11)"),
        ({"spans": [span(3, 3)], "relations": []}, "span 0 covers no whole word"),
        ({"relations": [relation(DRUG, PROTEIN, head=1)]}, "'head' of relation 0 is token 1, the characters [4, 11), but 'head_span'"),
        ({"relations": [relation(DRUG, PROTEIN, head=7, head_span=...)]}, "'head' of relation 0 is token 7, but the line has 7 tokens"),
        ({"relations": [relation(DRUG, PROTEIN, child=..., child_span=...)]}, "'child' is missing in relation 0"),
        ({"relations": [relation(DRUG, PROTEIN, "")]}, "'label' of relation 0 is empty"),
        ({"spans": [DRUG, span(2, 2), PROTEIN], "relations": [relation(DRUG, PROTEIN, head_span=...)]}, "is the last token of 2 spans"),
        ({"tokens": [*TOKENS[:6], {**TOKENS[6], "id": 9}]}, "'id' of token 6 is 9; expected 6"),
        ({"tokens": [{**TOKENS[0], "text": "She"}], "spans": [], "relations": []}, "word 0 is 'She', but the text has 'The'"),
        ({"tokens": [{**TOKENS[1], "id": 0}, {**TOKENS[0], "id": 1}], "spans": [], "relations": []}, "words must follow each other"),
        ({"tokens": ..., "spans": [], "relations": [{"head": 0, "child": 1}]}, "the line has no 'tokens'; export the lines with db-out"),
    ],
)
def test_bad_lines_are_named(changes: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("db.jsonl", line() + "\n" + line(**changes)))
    assert where == "db.jsonl:2" and message in said


def test_an_unknown_answer_cannot_be_asked_for() -> None:
    with pytest.raises(RelconError, match="not 'yes'"):
        DatasetReader.registry.get(READER)(answers=["yes"])
