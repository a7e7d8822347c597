"""OpenNRE's JSON-lines, also those of CP, ERICA, FineCL and KnowPrompt: one marked pair a line."""

import ast
import re
from bisect import bisect_left
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.fields import inside, items, may, need, pair
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import CharSpan, annotate
from relcon.errors import RecordError
from relcon.readers.records import LineReader, OnError, Record, json_object
from relcon.readers.standoff import label_of

PYTHON = re.compile(r"\s*\{\s*'")
"""How a line begins that Python wrote and not JSON: its first key is in single quotes."""

MOST_PYTHON = 1_000_000
"""A longer line of Python's is refused: its literals take 500 times the memory of their text while they are read."""


class Argument(NamedTuple):
    """`h` or `t` of a record."""

    side: str
    start: int
    end: int
    name: Optional[str]
    type: str
    id: str


class Marked(NamedTuple):
    """A sentence with the mentions of head and tail."""

    words: Tuple[str, ...]
    mentions: Tuple[Mention, ...]
    text: Optional[str] = None
    offsets: Optional[Tuple[CharSpan, ...]] = None


class OpenNRE(LineReader):
    """Reads OpenNRE's JSON-lines, labelled or not.

    A line is `{"text": "..." or "token": ["..."], "h": {"name", "id", "type", "pos": [start, end]}, "t": {...}, "relation": "..."}`. With
    `text` the positions count characters, with `token` tokens; the end is exclusive. `id`, `type`, `name` and `relation` may be
    absent. Lines may be Python's dictionaries in place of JSON's objects, as in some releases (KnowPrompt: Chen et al., WWW 2022). One
    document per line, named after file and line; entity 0 is h, entity 1 is t, one relation from h to t. Tokens
    that are nothing but white space are left out and positions moved accordingly.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    check_names: refuse a record whose `name` differs from the text at `pos` in a letter or digit (case, spaces and punctuation
        aside). So positions of the wrong unit are found. False where names are canonical names and not those of the text.
    untyped: values of `type` that mean that an entity has none, as "UNK" does in Wiki80; they are read as if `type` were absent.

    Source: Han et al., OpenNRE, EMNLP-IJCNLP 2019 (demonstrations).

    Config::

        [reader]
        @readers = "relcon.OpenNRE.v1"
        check_names = true
    """

    expected = 'a JSON-lines file, each line {"token": [...] or "text": "...", "h": {"pos": [s, e]}, "t": {...}, "relation": "..."}'

    def __init__(self, on_error: OnError = "raise", check_names: bool = True, untyped: Optional[List[str]] = None):
        super().__init__(on_error)
        self.check_names, self.untyped = check_names, frozenset(untyped or ())

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines with 'h' and 't', which have a 'pos'."""
        if PYTHON.match(glimpse.text):
            marked = bool(glimpse.lines) and all(f"'{key}':" in glimpse.lines[0] for key in ("h", "t", "pos"))
        else:
            marked = not glimpse.is_array and all(isinstance(side, dict) and "pos" in side for side in map(glimpse.value, "ht"))
        return "lines with 'h' and 't', which have a 'pos', as OpenNRE has them" if marked else None

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        value = python_object(record.value) if PYTHON.match(record.value) else json_object(record.value)
        if ("text" in value) == ("token" in value):
            raise RecordError("expected either 'text' (positions in characters) or 'token' (positions in tokens)")
        arguments = [_argument(value, side) for side in ("h", "t")]
        marked = self._text(value, arguments) if "text" in value else self._tokens(value, arguments)
        return Document(
            id=record.name,
            words=marked.words,
            entities=tuple(Entity((mention,), self._type(a), a.id) for mention, a in zip(marked.mentions, arguments, strict=True)),
            relations=(Relation(0, 1, label_of(value, "relation", "the record")),),
            text=marked.text,
            offsets=marked.offsets,
            source=record.source,
        )

    def _text(self, value: Dict[str, Any], arguments: List[Argument]) -> Marked:
        """Positions in characters."""
        text = need(value, "text", str)
        words, offsets, mentions = annotate(text, [(f"'{a.side}'", [(a.start, a.end)]) for a in arguments])
        for argument in arguments:
            self._compare(argument, text[argument.start : argument.end])
        return Marked(words, mentions, text, offsets)

    def _tokens(self, value: Dict[str, Any], arguments: List[Argument]) -> Marked:
        """Positions in tokens, moved where tokens of white space are left out."""
        tokens = items(value["token"], str, "'token'")
        kept = [number for number, token in enumerate(tokens) if token.strip()]
        mentions = []
        for argument in arguments:
            start, end = inside((argument.start, argument.end), len(tokens), "tokens", f"'{argument.side}'")
            self._compare(argument, " ".join(tokens[start:end]))
            moved = bisect_left(kept, start), bisect_left(kept, end)
            mentions.append(Mention(*inside(moved, len(kept), "words", f"'{argument.side}', without white space,")))
        return Marked(tuple(tokens[number] for number in kept), tuple(mentions))

    def _type(self, argument: Argument) -> str:
        return "" if argument.type in self.untyped else argument.type

    def _compare(self, argument: Argument, there: str) -> None:
        """RecordError where the name is another than the text at its position."""
        if self.check_names and argument.name is not None and bare(argument.name) != bare(there):
            raise RecordError(
                f"'{argument.side}' is named {argument.name!r}, but its position holds {there!r}; positions count tokens in 'token' and "
                "characters in 'text', the end is exclusive. If names are not those of the text, set check_names = false"
            )


def _argument(value: Dict[str, Any], side: str) -> Argument:
    record = need(value, side, dict)
    start, end = pair(need(record, "pos", list, f"'{side}'"), f"'pos' of '{side}'")
    name, kind, identity = (may(record, key, str, owner=f"'{side}'") for key in ("name", "type", "id"))
    return Argument(side, start, end, name, kind or "", identity or "")


def python_object(text: str) -> Dict[str, Any]:
    """A line as one dictionary of Python's literals. RecordError where it is none, or is longer than `MOST_PYTHON`."""
    if len(text) > MOST_PYTHON:
        raise RecordError(f"Python's literals of {len(text):,} characters; at most {MOST_PYTHON:,} are read. Write the line as JSON")
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise RecordError(f"no dictionary of Python's literals: {reason}; expected one whole dictionary on the line") from None
    if not isinstance(value, dict):
        raise RecordError(f"expected a dictionary {{...}} on the line, here it begins {text.strip()[:20]!r}")
    return value


def bare(text: str) -> str:
    """Letters and digits only, in one case."""
    return re.sub(r"[\W_]+", "", text).casefold()
