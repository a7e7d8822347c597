"""TACRED's JSON (also TACREV and Re-TACRED once they are applied): one marked pair a record, with a parse."""

from typing import Any, Dict, List, Optional

from relcon.data.document import Document, Entity, Mention, Parse, Relation
from relcon.data.fields import inside, items, may, need, of_kind, whole
from relcon.data.glimpse import Glimpse
from relcon.errors import RecordError
from relcon.readers.records import ArrayReader, OnError, Record
from relcon.readers.standoff import label_of

BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}


class TACRED(ArrayReader):
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

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """An array of records with 'token' and 'subj_start'."""
        known = glimpse.is_array and glimpse.has("token", "subj_start", "obj_start")
        return "an array of objects with 'token', 'subj_start' and 'obj_start', as in TACRED" if known else None

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        value = of_kind(record.value, dict, "the record")
        tokens = items(need(value, "token", list), str, "'token'")
        blank = next((number for number, token in enumerate(tokens) if not token.strip()), None)
        if blank is not None:
            raise RecordError(f"token {blank} is empty or white space")
        words = tuple(BRACKETS.get(token, token) if self.unescape_brackets else token for token in tokens)
        return Document(
            id=need(value, "id", str),
            words=words,
            entities=(_entity(value, "subj", len(words)), _entity(value, "obj", len(words))),
            relations=(Relation(0, 1, label_of(value, "relation", "the record")),),
            parse=_parse(value, len(words)),
            source=record.source,
            metadata={"docid": value["docid"]} if "docid" in value else {},
        )


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
    """A 1-based head as a word number; a root (0) becomes its own head."""
    number = whole(head, f"item {word} of 'stanford_head'")
    if not 0 <= number <= size:
        raise RecordError(f"'stanford_head' gives word {word} the head {number}; expected 0 (a root) to {size}, counted from 1")
    return word if number == 0 else number - 1
