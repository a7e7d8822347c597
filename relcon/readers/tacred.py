"""TACRED's JSON (also TACREV and Re-TACRED once they are applied): one marked pair a record, with a parse."""

import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Union

from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.data.fields import inside, items, may, need, of_kind
from relcon.errors import Problem, RecordError, RelconError, place
from relcon.readers.records import OnError, Record, RecordReader

BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
SPACE = re.compile(r"\s*")


class TACRED(RecordReader):
    """Reads TACRED's JSON arrays, labelled or not, with their Stanford parses.

    A record has `id`, `token`, `subj_start`, `subj_end`, `obj_start`, `obj_end` (token numbers, **inclusive** ends), `subj_type`,
    `obj_type`, and, if they are there, `relation`, `stanford_head` (1-based, 0 is a root), `stanford_deprel`, `stanford_pos` and
    `docid` (-> `metadata["docid"]`). One document per record; entity 0 is the subject, entity 1 the object, one relation from
    subject to object. `stanford_ner` is not read. Records are decoded one by one; the text of the file is held in memory.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    unescape_brackets: write the tokens -LRB-, -RRB-, -LSB-, ... as the brackets that they stand for, as encoders know them.

    Source: Zhang et al., Position-aware Attention and Supervised Data Improve Slot Filling, EMNLP 2017.

    Config::

        [reader]
        @readers = "relcon.TACRED.v1"
        unescape_brackets = true
    """

    expected = 'a TACRED file: one JSON array of {"id", "token", "subj_start", "subj_end", "obj_start", "obj_end", ...}'

    def __init__(self, on_error: OnError = "raise", unescape_brackets: bool = True):
        super().__init__(on_error)
        self.unescape_brackets = unescape_brackets

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The items of the array."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise RelconError(f"{path} is not UTF-8 text (byte {error.start + 1}); expected {self.expected}.") from error
        yield from array_items(text, path)

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        value = of_kind(record.value, dict, "the record")
        tokens = items(need(value, "token", list), str, "'token'")
        words = tuple(BRACKETS.get(token, token) if self.unescape_brackets else token for token in tokens)
        return Document(
            id=need(value, "id", str),
            words=words,
            entities=(_entity(value, "subj", len(words)), _entity(value, "obj", len(words))),
            relations=(Relation(0, 1, may(value, "relation", str)),),
            parse=_parse(value, len(words)),
            source=record.source,
            metadata={"docid": value["docid"]} if "docid" in value else {},
        )


def array_items(text: str, path: Path) -> Iterator[Union[Record, Problem]]:
    """The items of a JSON array, decoded one by one, with the line on which each begins; none of a text that is empty."""
    decoder = json.JSONDecoder()
    at, line, counted, before = _solid(text, 0), 1, 0, "["
    if at == len(text):
        return
    while text.startswith(before, at):
        at = _solid(text, at + 1)
        if before == "[" and text.startswith("]", at):
            break
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield Problem(place(path, getattr(error, "lineno", line)), f"not JSON: {error}; nothing after it was read")
            return
        yield Record(value, Source(str(path), line))
        at, before = _solid(text, at), ","
    if text[at:].strip() != "]":
        wanted = "',' or the closing ']'" if before == "," else "a JSON array, [...],"
        yield Problem(place(path, line), f"expected {wanted} here, not {text[at : at + 20]!r}; nothing after it was read")


def _solid(text: str, start: int) -> int:
    """Where the next character that is not white space stands."""
    found: Optional[re.Match[str]] = SPACE.match(text, start)
    return found.end() if found else start


def _entity(value: Dict[str, Any], side: str, size: int) -> Entity:
    """An argument; its end is inclusive in the file."""
    start, last = need(value, f"{side}_start", int), need(value, f"{side}_end", int)
    if last < start:
        raise RecordError(f"'{side}_start' is {start} and '{side}_end' {last}; the end is inclusive and not below the start")
    inside((start, last + 1), size, "tokens", f"'{side}'")
    return Entity((Mention(start, last + 1),), may(value, f"{side}_type", str, ""))


def _parse(value: Dict[str, Any], size: int) -> Optional[Parse]:
    """The Stanford parse, where there is one."""
    if value.get("stanford_head") is None:
        return None
    heads = tuple(_head(head, word, size) for word, head in enumerate(_column(value, "stanford_head", size)))
    labels = tuple(items(_column(value, "stanford_deprel", size), str, "'stanford_deprel'"))
    tags = tuple(items(_column(value, "stanford_pos", size), str, "'stanford_pos'")) if value.get("stanford_pos") else ()
    return Parse(heads, labels, tags)


def _column(value: Dict[str, Any], key: str, size: int) -> List[Any]:
    """One value per token."""
    column: List[Any] = need(value, key, list)
    if len(column) != size:
        raise RecordError(f"'{key}' has {len(column)} values for {size} tokens")
    return column


def _head(head: Any, word: int, size: int) -> int:
    """A 1-based head as a word number; a root (0) becomes its own head. Some releases write the number as a string."""
    number = of_kind(int(head) if isinstance(head, str) and head.isdecimal() else head, int, f"item {word} of 'stanford_head'")
    if not 0 <= number <= size:
        raise RecordError(f"'stanford_head' gives word {word} the head {number}; expected 0 (a root) to {size}, counted from 1")
    return word if number == 0 else number - 1
