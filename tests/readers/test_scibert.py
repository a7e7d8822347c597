"""SciBERT's JSON-lines: markers in the text, positions beside it."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.data.glimpse import Glimpse
from relcon.errors import RelconError
from relcon.readers.scibert import SciBERT, unmarked

READER = "relcon.SciBERT.v1"


def line(text: str, **more: Any) -> str:
    return json.dumps({"text": text, "label": "L", **more}) + "\n"


def marked(document: Any) -> Any:
    return [document.mention_text(entity.mentions[0]) for entity in document.entities]


def test_raw_text(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = "[[3H]orsk >> << Zorvane >>-induced [[ KLR2 ]]s."
    [document] = read(READER, write("train.txt", line(text, metadata=[])))
    assert document.text == "[[3H]orsk >> Zorvane-induced KLR2s."
    assert marked(document) == ["KLR2", "Zorvane"] and document.words[-2:] == ("s", ".")
    assert [(r.head, r.tail, r.label) for r in document.relations] == [(0, 1, "L")]
    assert document.id == "train-1" and document.metadata == {}


def test_the_head_is_as_set(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("train.txt", line("<< Zorvane >> blocks [[ KLR2 ]]"))
    assert marked(read(READER, path, head="<<")[0]) == ["Zorvane", "KLR2"]


def test_positions_say_that_the_text_is_tokenised(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("train.txt", line("the [[ re-parser's ]] use of << fen data >> .", metadata=[1, 1, 4, 5]))
    [document] = read(READER, path)
    assert document.words == ("the", "re-parser's", "use", "of", "fen", "data", ".")
    assert [entity.mentions[0][:2] for entity in document.entities] == [(1, 2), (4, 6)]
    assert document.metadata == {"metadata": [1, 1, 4, 5]}


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("<< [[ a ]] b >>", {"[[": "a", "<<": "a b"}),
        ("[[ << a >> ]] b", {"[[": "a", "<<": "a"}),
        ("<< a [[ b >> c ]]", {"[[": "b c", "<<": "a b"}),
    ],
)
def test_markers_nest_and_cross(text: str, spans: Dict[str, str]) -> None:
    found = unmarked(text)
    assert {marker: found.text[start:end] for marker, (start, end) in found.spans.items()} == spans


def test_labels_are_optional(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    documents = read(READER, write("a.txt", line("[[ a ]] << b >>", label=None) + json.dumps({"text": "[[ a ]] << b >>"})))
    assert [d.relations[0].label for d in documents] == [None, None]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ('{"text": "[[ a ]] b"}', "expected one '<< mention >>' in 'text'; '<< ' stands there 0 times"),
        ('{"text": "[[ a ]] << b >> << c >>"}', "'<< ' stands there 2 times"),
        ('{"text": "[[ a << b >>"}', "nothing closes the '[[ '"),
        ('{"text": "[[ a << ]] b >>"}', "two markers share a space"),
        ('{"text": "[[  ]] << b >>"}', "the mention in '[[' has the span [0, 0), which is empty"),
        ('{"text": "[[ a ]] << b >>", "metadata": [0, 0, 2, 2]}', "'metadata' has [2, 2] for the mention in '<<', which is [1, 1]"),
        ('{"text": "x[[ a ]] << b >>", "metadata": [0, 0, 1, 1]}', "covers no whole word"),
        ('{"text": "[[ a ]] << b >>", "metadata": [0, 0]}', "here it has 2 numbers"),
        ('{"text": "[[ a ]] << b >>", "label": ""}', "'label' of the record is empty"),
        ("{}", "'text' is missing"),
    ],
)
def test_bad_lines_are_named(record: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, found)] = faults(READER, write("bad.txt", line("[[ a ]] << b >>") + record))
    assert where == "bad.txt:2" and message in found


def test_head_is_checked() -> None:
    with pytest.raises(RelconError, match=r"head must be '\[\[' or '<<'"):
        SciBERT(head="(")  # type: ignore[arg-type]


def test_sniff() -> None:
    assert "SciBERT" in (SciBERT.sniff(Glimpse(Path("a"), raw=line("<< a >> [[ b ]]").encode())) or "")
    assert SciBERT.sniff(Glimpse(Path("a"), raw=line("a << b").encode())) is None


@given(st.lists(st.text("ab c<>[]", max_size=4), min_size=5, max_size=5))
def test_what_is_marked_comes_back(pieces: Any) -> None:
    """Text around and in the mentions that has no marker of its own is the text that is read."""
    before, one, between, other, after = (f"x{piece.replace(' ', '')}x" for piece in pieces)
    found = unmarked(f"{before} [[ {one} ]] {between} << {other} >> {after}")
    assert found.text == f"{before} {one} {between} {other} {after}"
    assert [found.text[start:end] for start, end in (found.spans["[["], found.spans["<<"])] == [one, other]
