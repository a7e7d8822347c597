"""The original files of the ADE corpus."""

from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Source
from relcon.data.glimpse import Glimpse
from relcon.errors import RecordError, RelconError
from relcon.readers.ade import ADE, Argument, Row, Sentence
from relcon.readers.records import Record

READER = "relcon.ADE.v1"

SENTENCE = "Rash and rash again, rash by fenlor or fenlor."


def places(document: Any) -> Any:
    """Type and characters of each entity."""
    spans = [(entity.type, entity.mentions[0]) for entity in document.entities]
    return [(kind, document.offsets[span.start][0], document.offsets[span.end - 1][1]) for kind, span in spans]


def row(effect: str, at: int, drug: str, to: int, sentence: str = SENTENCE, start: int = 70) -> str:
    """A row about the characters `at` and `to` of a sentence that begins at `start`."""
    parts = (f"{text}|{start + place}|{start + place + len(text)}" for text, place in ((effect, at), (drug, to)))
    return "|".join(["11", sentence, *parts]) + "\n"


def test_distances_find_the_mention(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """"rash" at 9 and 21, "fenlor" at 29 and 39: 20 characters between begin and begin are 9 to 29 alone, 8 are 21 to 29."""
    for at, to in ((9, 29), (21, 29), (9, 39)):
        [document] = read(READER, write("a.rel", row("rash", at, "fenlor", to)))
        assert places(document) == [("Adverse-Effect", at, at + 4), ("Drug", to, to + 6)]
        assert document.metadata == {"document": "11", "start": 70}
    assert [(r.head, r.tail, r.label) for r in document.relations] == [(0, 1, "Adverse-Effect")]


def test_rows_of_one_sentence_are_one_document(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = "fenlor or fenlor: a rash, a rash"
    first = row("a rash", 18, "fenlor", 10, text)
    again = row("rash", 20, "fenlor", 0, text)
    one, other = read(READER, write("a.rel", first + again + row("rash", 5, "fenlor", 0, "fenlorash")))
    assert places(one) == [("Adverse-Effect", 18, 24), ("Drug", 10, 16), ("Adverse-Effect", 20, 24), ("Drug", 0, 6)]
    assert [(r.head, r.tail) for r in one.relations] == [(0, 1), (2, 3)] and (one.id, other.id) == ("a-1", "a-3")
    assert places(other) == [("Adverse-Effect", 5, 9), ("Drug", 0, 6)]


def test_other_rows_of_the_sentence_settle_it(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    text = "rash by fenlor, rash by fenlor, cramps"
    alone = row("rash", 16, "fenlor", 24, text)
    [(where, message)] = faults(READER, write("a.rel", alone))
    assert where == "a.rel:1" and "there are 2 ways to place them" in message
    [document] = read(READER, write("a.rel", alone + row("cramps", 32, "fenlor", 8, text)))
    assert places(document)[:2] == [("Adverse-Effect", 16, 20), ("Drug", 24, 30)]


def test_doses_and_negative_sentences(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [dose] = read(READER, write("b.rel", row("2 mg", 0, "orsk", 8, "2 mg of orsk")), relation="Dose")
    assert [entity.type for entity in dose.entities] == ["Dose", "Drug"] and dose.relations[0].label == "Dose"
    one, other = read(READER, write("n.txt", "12 NEG Well | tolerated.\n12 NEG Well | tolerated.\n"))
    assert one.text == "Well | tolerated." and not one.entities and one.metadata == {"document": "12"} and other.id == "n-2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("11|too|few", "3 fields; expected eight"),
        ("11|a b|a|0|1|b|2|x", "the positions of 'b' must be whole numbers, here they are '2' and 'x'"),
        ("11|a b|a|0|1|b|2|4", "'b' has 1 characters, but its positions 2 and 4 are 2 apart"),
        ("11|a b|c|0|1|b|2|3", "'c' does not stand in its sentence"),
        ("11|a b|a|0|1|b|3|4", "'b' does not stand as far from the other mentions as its position says"),
        ("11|a b||0|0|b|2|3", "'' does not stand in its sentence"),
        ("11 NEG  ", "1 fields"),
    ],
)
def test_bad_lines_are_named(line: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, found)] = faults(READER, write("a.rel", row("rash", 9, "fenlor", 29) + line + "\n" + row("rash", 9, "fenlor", 29)))
    assert where == "a.rel:2" and message in found


def test_the_row_that_disagrees_is_named(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    text = "fenlor: cramps"
    [(where, _)] = faults(READER, write("a.rel", row("cramps", 8, "fenlor", 0, text) + row("cramps", 9, "fenlor", 0, text)))
    assert where == "a.rel:2"


def test_the_first_argument_is_no_drug() -> None:
    with pytest.raises(RelconError, match="here 'Drug'"):
        ADE(relation="Drug")


def test_sniff() -> None:
    def told(text: str) -> Any:
        return ADE.sniff(Glimpse(Path("a"), raw=text.encode()))

    assert "rows" in told(row("rash", 9, "fenlor", 29)) and "NEG" in told("1 NEG a\n")
    assert told("1|title|a\n") is None and told("") is None


@settings(max_examples=100, deadline=None)
@given(st.text("ab ", min_size=2, max_size=12), st.data(), st.integers(0, 50))
def test_a_place_is_the_written_one_or_refused(sentence: str, data: st.DataObject, start: int) -> None:
    """Whatever repeats: a sentence that is read has its mentions where they were taken from."""
    solid = [place for place, letter in enumerate(sentence) if letter.strip()]
    if not solid:
        return
    starts = [data.draw(st.sampled_from(solid)) for _ in range(2)]
    ends = [data.draw(st.integers(begin + 1, len(sentence))) for begin in starts]
    kinds = ("Adverse-Effect", "Drug")
    arguments = tuple(Argument(kind, sentence[s:e], start + s) for kind, s, e in zip(kinds, starts, ends, strict=True))
    line = Record("", Source("a.rel", 1))
    try:
        document = ADE().document(Record(Sentence("1", sentence, (Row("1", sentence, arguments, line),)), line.source))
    except RecordError:
        return
    assert document.metadata["start"] == start
