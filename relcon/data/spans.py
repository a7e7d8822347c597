"""Words and spans as a JSON record writes them, checked against each other.

A span says its unit by its key: `"words": [2, 4]` or `"chars": [10, 18]`, ends exclusive; several parts make a discontinuous mention:
`"chars": [[10, 18], [25, 30]]`.
"""

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon.data.document import Mention, WordSpan
from relcon.data.fields import inside, items, may, need, of_kind, only, pair
from relcon.data.tokens import SOLID, CharSpan, annotate, mention_at, mention_of, split_sentences, word_span
from relcon.errors import RecordError


class WrittenMention(NamedTuple):
    """A mention as a record has it.

    what: what to call it in messages ("entity 3"). unit: "words" or "chars". parts: its spans in that unit. text: what it claims
    to cover, or None.
    """

    what: str
    unit: str
    parts: List[Tuple[int, int]]
    text: Optional[str]


class Base(NamedTuple):
    """What spans of a record count: words [W], the text, and the words' characters in it (None without a text)."""

    words: Tuple[str, ...]
    text: Optional[str]
    offsets: Optional[Tuple[CharSpan, ...]]


def written_mention(record: Mapping[str, Any], what: str) -> WrittenMention:
    """The mention of a record with a span (`words` or `chars`) and perhaps its `text`."""
    return WrittenMention(what, *written_span(record, what), may(record, "text", str, owner=what))


def written_span(record: Mapping[str, Any], what: str) -> Tuple[str, List[Tuple[int, int]]]:
    """Unit and parts of `"words": [s, e]` or `"chars": [[s, e], ...]`. RecordError where both keys or none are there."""
    units = [unit for unit in ("words", "chars") if unit in record]
    if len(units) != 1:
        raise RecordError(f"{what} must have its span as either 'words' or 'chars', here it has {'both' if units else 'neither'}")
    value = of_kind(record[units[0]], list, f"'{units[0]}' of {what}")
    parts = value if value and isinstance(value[0], list) else [value]
    return units[0], [pair(part, f"the span of {what}") for part in parts]


def place_mentions(record: Mapping[str, Any], mentions: Sequence[WrittenMention]) -> Tuple[Base, Tuple[Mention, ...]]:
    """The record's words and its mentions in them. Words, offsets, text and mentions that disagree are a RecordError."""
    text = may(record, "text", str)
    if "words" in record:
        base = _given(record, text)
        placed = tuple(_placed(mention, base) for mention in mentions)
    elif text is not None:
        base, placed = _tokenised(record, text, mentions)
    else:
        raise RecordError("'text' or 'words' is missing in the record; give one of them or both")
    for mention, place in zip(mentions, placed, strict=True):
        _compare(mention, place, base)
    return base, placed


def place_sentences(record: Mapping[str, Any], base: Base, mentions: Sequence[Mention], find: bool) -> Tuple[WordSpan, ...]:
    """The record's sentences as word spans; () where it says nothing. find: then look for them in raw text."""
    if record.get("sentences") is None:
        return split_sentences(base.words, [(m.start, m.end) for m in mentions]) if find and "words" not in record else ()
    value = need(record, "sentences", dict)
    only(value, ("words", "chars"), "'sentences'")
    if not base.words:
        return ()
    unit, spans = written_span(value, "'sentences'")
    if unit == "chars":
        spans = [word_span(_offsets(base, "'sentences'"), start, end, "a sentence") for start, end in spans]
    expected = 0
    for start, end in spans:
        if start != expected or end <= start:
            raise RecordError(f"'sentences' must follow each other without gaps: one is [{start}, {end}) where word {expected} comes next")
        expected = end
    if expected != len(base.words):
        raise RecordError(f"'sentences' must cover all {len(base.words)} words, here they end at word {expected}")
    return tuple(spans)


def _tokenised(record: Mapping[str, Any], text: str, mentions: Sequence[WrittenMention]) -> Tuple[Base, Tuple[Mention, ...]]:
    """Words of raw text, cut at its mentions."""
    counted = [key for key in ("offsets", "parse") if record.get(key) is not None]
    counted += [mention.what for mention in mentions if mention.unit == "words"]
    if counted:
        raise RecordError(f"{counted[0]} counts words, but the record has only 'text'; give its 'words', or spans in 'chars'")
    words, offsets, placed = annotate(text, [(mention.what, mention.parts) for mention in mentions])
    return Base(words, text, offsets), placed


def _given(record: Mapping[str, Any], text: Optional[str]) -> Base:
    """The words that the record has, with their place in the text where it has one."""
    words = tuple(items(record["words"], str, "'words'"))
    blank = next((number for number, word in enumerate(words) if not word.strip()), None)
    if blank is not None:
        raise RecordError(f"word {blank} is empty or white space; leave it out and count spans without it")
    if record.get("offsets") is not None:
        return Base(words, text, _checked_offsets(record, words, text))
    return Base(words, text, None if text is None else _aligned(words, text))


def _checked_offsets(record: Mapping[str, Any], words: Sequence[str], text: Optional[str]) -> Tuple[CharSpan, ...]:
    if text is None:
        raise RecordError("'offsets' count the characters of a 'text', but the record has none")
    offsets = tuple(pair(span, f"offset {number}") for number, span in enumerate(items(record["offsets"], list, "'offsets'")))
    if len(offsets) != len(words):
        raise RecordError(f"{len(offsets)} 'offsets' for {len(words)} 'words'")
    for number, (start, end) in enumerate(offsets):
        there = text[start:end] if 0 <= start < end <= len(text) else None
        if there != words[number]:
            raise RecordError(f"word {number} is {words[number]!r}, but the text has {there!r} at the characters [{start}, {end})")
        if number and start < offsets[number - 1][1]:
            raise RecordError(f"word {number} begins at character {start}, before that in front of it ends; words must follow each other")
    return offsets


def _aligned(words: Sequence[str], text: str) -> Tuple[CharSpan, ...]:
    """Where each word stands in the text, with nothing but white space between them."""
    offsets, end = [], 0
    for number, word in enumerate(words):
        start = _solid(text, end)
        if not text.startswith(word, start):
            raise RecordError(
                f"the words must spell the text: word {number} is {word!r}, the text goes on with {text[start : start + 20]!r}"
            )
        end = start + len(word)
        offsets.append((start, end))
    if _solid(text, end) < len(text):
        raise RecordError(f"the words must spell the text: they end before {text[_solid(text, end) :][:20]!r}")
    return tuple(offsets)


def _solid(text: str, start: int) -> int:
    """Where the next character that is not white space stands."""
    found = SOLID.search(text, start)
    return found.start() if found else len(text)


def _placed(mention: WrittenMention, base: Base) -> Mention:
    """A mention in given words."""
    if mention.unit == "words":
        return mention_of([inside(part, len(base.words), "words", mention.what) for part in mention.parts])
    offsets = _offsets(base, mention.what)
    return mention_at(offsets, [inside(part, len(base.text or ""), "characters", mention.what) for part in mention.parts], mention.what)


def _offsets(base: Base, what: str) -> Tuple[CharSpan, ...]:
    if base.offsets is None:
        raise RecordError(f"{what} has its span in 'chars', but the record has no 'text' to count them in")
    return base.offsets


def _compare(mention: WrittenMention, place: Mention, base: Base) -> None:
    """RecordError where the mention claims to cover another text than it does (white space aside)."""
    if mention.text is None:
        return
    if base.text is not None and mention.unit == "chars":
        there = " ".join(base.text[start:end] for start, end in sorted(mention.parts))
    else:
        there = " ".join(word for start, end in place.spans for word in base.words[start:end])
    if "".join(there.split()) != "".join(mention.text.split()):
        raise RecordError(f"{mention.what} is said to be {mention.text!r}, but its span covers {there!r}")
