"""Stand-off mentions: characters of a text that a file marks, each compared with what the file says is there."""

from bisect import bisect_left
from contextlib import contextmanager
from itertools import pairwise
from reprlib import Repr
from typing import Collection, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from relcon.data.document import WordSpan
from relcon.data.fields import inside
from relcon.data.tokens import Annotated, CharSpan, annotate, split_sentences
from relcon.errors import RecordError

DIGITS = 15
"""A character number has no more digits."""

GAP = 1 << 20
"""So many characters at most may be missing between two pieces of a text."""


SHOWN = Repr()
SHOWN.maxstring = 200
"""Texts in messages, the middle left out where they are longer."""


class Mark(NamedTuple):
    """A mention as a file marks it.

    what: what to call it in messages ("entity 'T1'"). parts: characters [start, end), several where it is discontinuous. text: what is
    said to be there, None where nothing is. where: its place (`file:line`), "" for that of the record.
    """

    what: str
    parts: List[CharSpan]
    text: Optional[str]
    where: str = ""


class Piece(NamedTuple):
    """A part of a text that begins at a character of it. what: what to call it in messages ("passage 1")."""

    start: int
    text: str
    what: str


@contextmanager
def at(where: str) -> Iterator[None]:
    """A RecordError inside has this place, unless it has its own."""
    try:
        yield
    except RecordError as error:
        raise RecordError(str(error), error.where or where) from error


def number_of(written: str, what: str) -> int:
    """A character number in digits."""
    if not written.isdecimal() or len(written) > DIGITS:
        raise RecordError(f"{what} must be a character number, here it is {SHOWN.repr(written)}")
    return int(written)


def place_marks(text: str, marks: Sequence[Mark]) -> Annotated:
    """Words of a text such that each mark is whole words. RecordError where one is not in the text, or another text is there."""
    for mark in marks:
        with at(mark.where):
            _check(mark, text)
    return annotate(text, [(mark.what, mark.parts) for mark in marks])


def _check(mark: Mark, text: str) -> None:
    if not mark.parts:
        raise RecordError(f"{mark.what} has no position")
    for start, end in mark.parts:
        inside((start, end), len(text), "characters", mark.what)
        if not text[start:end].strip():
            raise RecordError(f"{mark.what} covers nothing but white space at the characters [{start}, {end})")
    for (_, end), (start, _) in pairwise(sorted(mark.parts)):
        if start < end:
            raise RecordError(f"two parts of {mark.what} share the character {start}")
    there = " ".join(text[start:end] for start, end in mark.parts)
    if mark.text is not None and "".join(there.split()) != "".join(mark.text.split()):
        spans = ", ".join(f"[{start}, {end})" for start, end in mark.parts)
        raise RecordError(f"{mark.what} is said to be {SHOWN.repr(mark.text)}, but its characters {spans} are {SHOWN.repr(there)}")


def lay_out(pieces: Iterable[Piece]) -> str:
    """The text in which every piece stands where it begins, with spaces in between. RecordError where pieces overlap, or lie so far
    apart that a number must be wrong."""
    found, end = [], 0
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if not 0 <= piece.start - end <= GAP:
            near = f"at {end} at the earliest and {GAP} characters later at the latest"
            raise RecordError(f"{piece.what} begins at character {piece.start}; after what stands before it, it must begin {near}")
        found += [" " * (piece.start - end), piece.text]
        end = piece.start + len(piece.text)
    return "".join(found)


def found_sentences(placed: Annotated, breaks: Iterable[int]) -> Tuple[WordSpan, ...]:
    """Sentences by rule. breaks: characters at which one begins in any case."""
    return split_sentences(placed.words, [mention[:2] for mention in placed.mentions], _words_at(placed, breaks))


def given_sentences(placed: Annotated, starts: Iterable[int]) -> Tuple[WordSpan, ...]:
    """Sentences that begin at these characters."""
    return tuple(pairwise(sorted({0, len(placed.words), *_words_at(placed, starts)})))


def _words_at(placed: Annotated, characters: Iterable[int]) -> Collection[int]:
    """The first word at or after each character."""
    return {bisect_left(placed.offsets, (character, 0)) for character in characters}
