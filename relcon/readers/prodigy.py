"""Prodigy's JSON-lines, as `rel.manual` and `db-out` write them."""

import logging
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.fields import items, may, need
from relcon.data.glimpse import Glimpse
from relcon.data.spans import WrittenMention, place_mentions
from relcon.data.tokens import CharSpan
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import OnError, Record, RecordReader, decoded, lines
from relcon.readers.standoff import label_of, sentences_of
from relcon.readers.white_space import Solid

logger = logging.getLogger(__name__)

ANSWERS = ("accept", "reject", "ignore")
ACCEPTED = ["accept"]

HASHES = ("_input_hash", "_task_hash", "_view_id")


class Span(NamedTuple):
    """A span, or an argument of a relation: its characters, its label ("" for none) and the text that it claims to be."""

    chars: CharSpan
    label: str
    text: Optional[str] = None


class Prodigy(RecordReader):
    """Reads the JSON-lines of Prodigy's `rel.manual` (and of its `ner.manual`, which has no relations), labelled or not.

    A line is `{"text", "tokens": [{"text", "start", "end", "id"}], "spans": [{"start", "end", "token_start", "token_end", "label"}],
    "relations": [{"head", "child", "head_span", "child_span", "label"}], "answer"}`. Characters have an exclusive end, `token_end` is
    **inclusive**, and `head` and `child` are the numbers of the **last** token of a span; where both are given they must agree. A relation
    leads from `head` to `child`. Each span is an entity; an argument that is no span is an entity too, of the type of its `head_span`
    or `child_span`, or without a type where it is a single token. Words are the tokens, those of white space aside; a line without `tokens`
    is cut into words by relcon. Spans that overlap are kept.

    One document per line, named after file and line; `metadata["document"]` is the line's `_input_hash`, the same for all answers to one
    text, and `metadata` keeps `meta` and `annotator` (`_annotator_id`). Pairs without a relation are not in the data:
    `relcon.EntityPairs.v1` makes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    answers: the lines that are read, by their `answer` ("accept", "reject", "ignore"); how many others there are is logged. Lines without
        an answer, not annotated yet, are read.
    split_sentences: find sentences in the text; otherwise a document is one sentence.

    Source: Montani and Honnibal, Prodigy: A new annotation tool for radically efficient machine teaching, 2018 (software).

    Config::

        [reader]
        @readers = "relcon.Prodigy.v1"
        answers = ["accept"]
    """

    expected = 'a JSON-lines file of Prodigy, lines {"text", "tokens", "spans", "relations"} whose "answer" is one of those that are read'

    def __init__(self, on_error: OnError = "raise", answers: List[str] = ACCEPTED, split_sentences: bool = False):
        super().__init__(on_error)
        strange = next((answer for answer in answers if answer not in ANSWERS), None)
        if strange is not None:
            raise RelconError(f"answers must be of 'accept', 'reject' and 'ignore', not '{strange}'")
        self.answers, self.split_sentences = answers, split_sentences

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A text with Prodigy's own keys, or with its tokens."""
        if glimpse.is_array or not glimpse.has("text"):
            return None
        own = next((key for key in HASHES if glimpse.has(key)), None)
        if own is not None:
            return f"JSON-lines with 'text' and '{own}', as Prodigy writes them"
        tokens = glimpse.objects("tokens")
        known = tokens and all("start" in each for each in tokens)
        return "JSON-lines with 'text' and 'tokens' that have a 'start', as Prodigy writes them" if known else None

    @property
    def cacheable(self) -> bool:
        """Not where lines may be left out by their answer: every run says how many."""
        return super().cacheable and set(self.answers) == set(ANSWERS)

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The lines, each an object. Those whose answer is not wanted are left out; after the last line it is logged how many."""
        left_out = Counter[str]()
        for record in map(decoded, lines(path)):
            answer = None if isinstance(record, Problem) else record.value.get("answer")
            if isinstance(answer, str) and answer in ANSWERS and answer not in self.answers:
                left_out[answer] += 1
            else:
                yield record
        for answer, count in left_out.items():
            logger.warning("%s: left out %d lines with the answer '%s'.", path, count, answer)

    def document(self, record: Record) -> Document:
        """One line."""
        value: Dict[str, Any] = record.value
        _check_answer(value)
        marks = Marks(value)
        relations = tuple(_relation(each, f"relation {number}", marks) for number, each in enumerate(_objects(value, "relations")))
        base, mentions = place_mentions(marks.words(), marks.mentions())
        return Document(
            id=record.name,
            words=base.words,
            entities=tuple(Entity((mention,), span.label) for mention, span in zip(mentions, marks.spans, strict=True)),
            relations=relations,
            sentences=sentences_of(base, mentions, self.split_sentences),
            text=base.text,
            offsets=base.offsets,
            source=record.source,
            metadata=_metadata(value),
        )


class Marks:
    """The tokens and spans of a line. Arguments of relations that are no spans are added to these.

    tokens: the characters of each; None where the line has no tokens.
    """

    def __init__(self, value: Mapping[str, Any]):
        self.text: str = need(value, "text", str)
        self.tokens = _tokens(value) if value.get("tokens") is not None else None
        self.spans = [self._span(each, f"span {number}") for number, each in enumerate(_objects(value, "spans"))]

    def words(self) -> Dict[str, Any]:
        """The text, and its words where it has tokens, as `place_mentions` takes them."""
        if self.tokens is None:
            return {"text": self.text}
        solid = Solid([token.text for token in self.tokens])
        offsets = [list(self.tokens[number].chars) for number in solid.kept]
        return {"text": self.text, "words": list(solid.words), "offsets": offsets}

    def mentions(self) -> List[WrittenMention]:
        """The spans as `place_mentions` takes them."""
        return [WrittenMention(f"span {number}", "chars", [span.chars], span.text) for number, span in enumerate(self.spans)]

    def argument(self, relation: Mapping[str, Any], side: str, what: str) -> int:
        """The number of the span that a relation names as its `head` or `child`."""
        written = may(relation, f"{side}_span", dict, owner=what)
        if written is None:
            wanted = self._token(need(relation, side, int, what), f"'{side}' of {what}")
            fitting = self._ending_at(wanted, f"'{side}' of {what}")
        else:
            wanted = self._span(written, f"'{side}_span' of {what}")
            self._check_last(wanted, relation, side, what)
            fitting = [n for n, span in enumerate(self.spans) if span.chars == wanted.chars and wanted.label in ("", span.label)]
        if not fitting:
            self.spans.append(wanted)
        return fitting[0] if fitting else len(self.spans) - 1

    def _span(self, value: Mapping[str, Any], what: str) -> Span:
        """A span, whose characters and tokens must agree."""
        chars = need(value, "start", int, what), need(value, "end", int, what)
        first, last = may(value, "token_start", int, owner=what), may(value, "token_end", int, owner=what)
        if self.tokens is not None and first is not None and last is not None:
            there = self._token(first, f"'token_start' of {what}").chars[0], self._token(last, f"'token_end' of {what}").chars[1]
            if there != chars:
                raise RecordError(
                    f"{what} is said to be the characters {_shown(chars)} and the tokens {first} to {last}, which are the characters "
                    f"{_shown(there)}; 'token_end' is inclusive"
                )
        return Span(chars, may(value, "label", str, "", what), may(value, "text", str, owner=what))

    def _token(self, number: int, what: str) -> Span:
        """A token as a span."""
        if self.tokens is None:
            raise RecordError(f"{what} is the number of a token, but the line has no 'tokens'; export the lines with db-out")
        if not 0 <= number < len(self.tokens):
            raise RecordError(f"{what} is token {number}, but the line has {len(self.tokens)} tokens, numbered from 0")
        return Span(self.tokens[number].chars, "")

    def _ending_at(self, token: Span, what: str) -> List[int]:
        """The numbers of the spans whose last token this is, which must be in one place."""
        fitting = [number for number, span in enumerate(self.spans) if span.chars[1] == token.chars[1]]
        if len({self.spans[number].chars for number in fitting}) > 1:
            raise RecordError(f"{what} is the last token of {len(fitting)} spans; 'head_span' and 'child_span' must say which is meant")
        return fitting

    def _check_last(self, span: Span, relation: Mapping[str, Any], side: str, what: str) -> None:
        """RecordError where the token that a relation names is not the last of the argument's span."""
        number = may(relation, side, int, owner=what)
        if number is None or self.tokens is None:
            return
        token = self._token(number, f"'{side}' of {what}")
        if token.chars[1] != span.chars[1]:
            raise RecordError(
                f"'{side}' of {what} is token {number}, the characters {_shown(token.chars)}, but '{side}_span' is the characters "
                f"{_shown(span.chars)}; '{side}' is the last token of it"
            )


class Token(NamedTuple):
    """A token: its text and its characters."""

    text: str
    chars: CharSpan


def _tokens(value: Mapping[str, Any]) -> List[Token]:
    """The tokens, whose numbers are their places."""
    found = []
    for number, each in enumerate(_objects(value, "tokens")):
        what = f"token {number}"
        if may(each, "id", int, number, what) != number:
            raise RecordError(f"'id' of {what} is {each['id']}; expected {number}, its place among the tokens")
        found.append(Token(need(each, "text", str, what), (need(each, "start", int, what), need(each, "end", int, what))))
    return found


def _objects(value: Mapping[str, Any], key: str) -> List[Dict[str, Any]]:
    return items(may(value, key, list, []), dict, f"'{key}'")


def _relation(value: Mapping[str, Any], what: str, marks: Marks) -> Relation:
    return Relation(marks.argument(value, "head", what), marks.argument(value, "child", what), label_of(value, "label", what))


def _check_answer(value: Mapping[str, Any]) -> None:
    answer = may(value, "answer", str)
    if answer is not None and answer not in ANSWERS:
        raise RecordError(f"'answer' must be 'accept', 'reject' or 'ignore', here it is '{answer}'")


def _metadata(value: Mapping[str, Any]) -> Dict[str, Any]:
    """Which text it is, who answered, and what the user said of it."""
    found = {"document": may(value, "_input_hash", int), "annotator": value.get("_annotator_id"), "meta": may(value, "meta", dict)}
    return {key: str(kept) if key == "document" else kept for key, kept in found.items() if kept}


def _shown(span: CharSpan) -> str:
    return f"[{span[0]}, {span[1]})"
