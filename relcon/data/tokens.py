"""Raw text -> words with offsets, and sentences.

Words are those of spaCy's blank English tokenizer, cut once more where an annotated span begins or ends, so that every
mention is whole words. Every character that is not white space lies in exactly one word.
"""

import re
from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from typing import Any, Collection, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from relcon.data.document import Mention, WordSpan
from relcon.data.fields import inside
from relcon.errors import RecordError

CharSpan = Tuple[int, int]
"""Characters (Unicode code points) [start, end)."""

SOLID = re.compile(r"\S+")

HALF = re.compile("[\ud800-\udfff]")
"""Half of a character beyond 16 bits, which an escape of JSON may leave alone."""

MOST_IN_WORD = 1_000
LONG = re.compile(rf"\S{{{MOST_IN_WORD + 1},}}")
"""A stretch without white space that is longer is cut every so many characters: spaCy takes a time by the square of its length."""

MOST_CHARACTERS = 1_000_000
"""A longer text is not cut into words: a book's worth, and spaCy's own limit. It keeps a damaged file from filling the memory."""

ABBREVIATIONS = frozenset(
    {"al", "approx", "ca", "cf", "dr", "e.g", "eq", "eqs", "etc", "fig", "figs", "i.e", "i.m", "i.p", "i.v", "mr", "mrs", "no", "nos"}
    | {"p.o", "prof", "ref", "refs", "resp", "s.c", "sp", "spp", "ssp", "st", "subsp", "var", "viz", "vol", "vs"}
)
"""Words (without their last full stop, lower-case) after which a full stop ends no sentence."""

OPENING = frozenset("([{“‘«")
"""They belong to what follows."""


class Words(NamedTuple):
    """Words [W] of a text, and their character spans [W]."""

    words: Tuple[str, ...]
    offsets: Tuple[CharSpan, ...]


class Annotated(NamedTuple):
    """Words of a text and mentions in words, in the order in which their character spans were given."""

    words: Tuple[str, ...]
    offsets: Tuple[CharSpan, ...]
    mentions: Tuple[Mention, ...]


def split_words(text: str, cuts: Iterable[int] = ()) -> Words:
    """Words of a text. cuts: character positions that no word may span. White space alone is no word.

    RecordError where the text is longer than `MOST_CHARACTERS` or holds half of a character, which JSON can write and no text has.
    """
    _refuse_unreadable(text)
    borders = sorted(set(cuts))
    offsets = [piece for start, end in _tokens(text) for piece in _pieces(text, start, end, borders)]
    return Words(tuple(text[start:end] for start, end in offsets), tuple(offsets))


def split_at_spaces(text: str, cuts: Iterable[int] = ()) -> Words:
    """Words of a text that is tokenised already: what white space separates, cut at these character positions too."""
    offsets = list(_pieces(text, 0, len(text), sorted(set(cuts))))
    return Words(tuple(text[start:end] for start, end in offsets), tuple(offsets))


def annotate(text: str, spans: Sequence[Tuple[str, Sequence[CharSpan]]]) -> Annotated:
    """Words of a text such that each of these mentions is whole words.

    spans: per mention what to call it in a message ("entity 'T1'") and its parts [start, end) in characters, one unless it is
    discontinuous. RecordError where a part is empty, reversed, outside the text, or nothing but white space.
    """
    for what, parts in spans:
        for part in parts:
            inside(part, len(text), "characters", what)
    words, offsets = split_words(text, (border for _, parts in spans for part in parts for border in part))
    return Annotated(words, offsets, tuple(mention_at(offsets, parts, what) for what, parts in spans))


def mention_at(offsets: Sequence[CharSpan], parts: Sequence[CharSpan], what: str) -> Mention:
    """The mention whose parts are these characters. RecordError where a part covers no word or begins or ends inside one."""
    return mention_of([word_span(offsets, start, end, what) for start, end in parts])


def mention_of(spans: Sequence[WordSpan]) -> Mention:
    """The mention made of these words, in text order: discontinuous where there are several spans."""
    spans = sorted(spans)
    return Mention(spans[0][0], max(end for _, end in spans), tuple(spans) if len(spans) > 1 else ())


def word_span(offsets: Sequence[CharSpan], start: int, end: int, what: str) -> WordSpan:
    """Characters [start, end) as words. RecordError where they cover no word or begin or end inside one."""
    first = bisect_left(offsets, (start, start))
    last = bisect_left(offsets, (end, end))
    if first == last:
        raise RecordError(f"{what} covers no whole word at the characters [{start}, {end})")
    before = offsets[first - 1] if first else (0, 0)
    if before[1] > start or offsets[last - 1][1] > end:
        raise RecordError(f"{what} begins or ends inside a word at the characters [{start}, {end})")
    return first, last


def split_sentences(words: Sequence[str], whole: Collection[WordSpan] = (), breaks: Collection[int] = ()) -> Tuple[WordSpan, ...]:
    """Sentences as word spans: spaCy's `sentencizer`, corrected.

    whole: word spans (mentions) that no sentence border may cut. breaks: words that always begin a sentence (after a title).
    No border comes after an abbreviation or an initial, nor before a word in small letters ("p53" may begin a sentence, "of"
    may not); an opening bracket belongs to what follows.
    """
    if not words:
        return ()
    inner = {position for start, end in whole for position in range(start + 1, end)}
    ends = {end for _, end in whole}
    starts = {start for start in _sentencizer_starts(words) if _may_begin(words, start, ends)} | set(breaks)
    borders = [0, *sorted(starts - inner - {0, len(words)}), len(words)]
    return tuple(pairwise(borders))


def _tokens(text: str) -> Iterator[CharSpan]:
    """spaCy's tokens, of which none is longer than `MOST_IN_WORD`."""
    ends = (place for run in LONG.finditer(text) for place in range(run.start() + MOST_IN_WORD, run.end(), MOST_IN_WORD))
    for start, end in pairwise([0, *ends, len(text)]):
        yield from ((start + token.idx, start + token.idx + len(token)) for token in _english().tokenizer(text[start:end]))


def _refuse_unreadable(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise RecordError(
            f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are cut into words. Divide it into several documents, or "
            "give its words"
        )
    half = HALF.search(text)
    if half:
        raise RecordError(f"the text has half of a character (\\u{ord(half.group()):04x}) at character {half.start()}; halves come in twos")


@lru_cache(maxsize=1)
def _english() -> Any:
    """spaCy's rules for English without any model, imported on first use: it takes seconds and not every run needs it."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline


def _pieces(text: str, start: int, end: int, borders: List[int]) -> Iterator[CharSpan]:
    """Characters [start, end) cut at white space and at the borders inside them, without the white space."""
    inner = borders[bisect_left(borders, start + 1) : bisect_left(borders, end)]
    edges = [start, *inner, end]
    for left, right in pairwise(edges):
        yield from (match.span() for match in SOLID.finditer(text, left, right))


def _sentencizer_starts(words: Sequence[str]) -> Iterator[int]:
    """Where spaCy begins a sentence, brackets that open it included."""
    from spacy.tokens import Doc

    pipeline = _english()
    for token in pipeline.get_pipe("sentencizer")(Doc(pipeline.vocab, words=list(words))):
        if token.is_sent_start and token.i:
            start = token.i
            while start > 1 and words[start - 1] in OPENING:
                start -= 1
            yield start


def _may_begin(words: Sequence[str], start: int, ends: Collection[int]) -> bool:
    """Whether a sentence may begin here. ends: where mentions end; the letter of "vitamin E." is no initial."""
    if words[start].isalpha() and words[start].islower():
        return False
    if words[start - 1] != "." or start < 2:
        return True
    before = words[start - 2]
    initial = len(before) == 1 and before.isupper() and start - 1 not in ends
    return not initial and before.lower() not in ABBREVIATIONS
