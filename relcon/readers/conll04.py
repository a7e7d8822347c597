"""The text of multi-head selection, in which CoNLL04 is passed on: a token a line, its tag, and its relations to other tokens."""

import ast
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.fields import digits, items, of_kind
from relcon.data.glimpse import Glimpse
from relcon.errors import Problem, RecordError, place
from relcon.readers.bio import entities_of_tags
from relcon.readers.records import Record, RecordReader, blocks, lines

HEADING = "#doc"

FIRST = re.compile(HEADING)

NONE = "N"
"""What stands in place of a relation where a token has none."""

FORM = "number, token, BIO tag, ['Relation', ...], [head, ...]"


class Row(NamedTuple):
    """A token: its text and tag, its relations, each with the number of the token that it leads to, and where it stands."""

    token: str
    tag: str
    relations: List[Tuple[str, int]]
    where: str


class CoNLL04(RecordReader):
    """Reads the text files of multi-head selection, labelled or not: CoNLL04 as it is used for joint extraction.

    A sentence begins with `#doc NUMBER`, or after an empty line; each of its lines is a token, tab-separated: `5 TAB Orsk TAB B-Loc TAB
    ['N'] TAB [5]`: the number of the token in its sentence, from 0; the token; its BIO tag (BIOES is read too); the names of its
    relations; and for each of them the number of the token that it leads to. `['N']` with the token's own number says that there is none.
    Files without relations have the first three columns alone.

    A relation leads **from** the entity whose last token has it (the head of the document's relation) **to** the entity whose last token it
    names (the tail). A token that ends no entity is a bad record. One document per sentence, named after file and line; the
    `#doc` is `metadata["document"]`. Tokens stay as they are. Pairs without a relation are not in the data: `relcon.EntityPairs.v1`
    makes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Bekoulis et al., Joint entity recognition and relation extraction as a multi-head selection problem, Expert Systems
    with Applications 114, 2018; the corpus: Roth and Yih, CoNLL 2004.

    Config::

        [reader]
        @readers = "relcon.CoNLL04.v1"
        on_error = "raise"
    """

    expected = f"a multi-head text file ('#doc NUMBER', then lines with tabs between: {FORM})"

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A first token with its five columns, or below a '#doc' with three."""
        headed = bool(glimpse.lines) and glimpse.lines[0].startswith(HEADING)
        rows = [line.split("\t") for line in glimpse.lines[headed : headed + 1]]
        known = any(len(row) in ((3, 5) if headed else (5,)) and row[0].strip() == "0" and (headed or row[3][:1] == "[") for row in rows)
        return f"tokens with their columns ({FORM}), as in multi-head selection" if known else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences, as lists of lines."""
        return blocks(lines(path), FIRST)

    def document(self, record: Record) -> Document:
        """One sentence."""
        written: List[str] = record.value
        headed = written[0].startswith(HEADING)
        rows = [_row(line, number, _where(record, number + headed)) for number, line in enumerate(written[headed:])]
        if not rows:
            raise RecordError(f"no token stands below '{written[0][:40]}'")
        entities = entities_of_tags([row.tag for row in rows])
        return Document(
            id=record.name,
            words=tuple(row.token for row in rows),
            entities=tuple(entities),
            relations=tuple(_relations(rows, entities)),
            source=record.source,
            metadata={"document": written[0].removeprefix(HEADING).strip()} if headed else {},
        )


def _where(record: Record, line: int) -> str:
    """The place of a line of a block."""
    return place(record.source.path, (record.source.line or 1) + line)


def _row(line: str, number: int, where: str) -> Row:
    """A line as token number `number`."""
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) not in (3, 5):
        raise RecordError(f"{len(cells)} columns; expected {FORM}, or the first three, with tabs between", where)
    if digits(cells[0]) != number:
        raise RecordError(f"the line is numbered '{cells[0][:20]}' where token {number} comes next; a sentence begins with 0", where)
    if not cells[1]:
        raise RecordError(f"token {number} is empty", where)
    try:
        relations = _pairs(cells[3], cells[4], number) if len(cells) == 5 else []
    except RecordError as error:
        raise RecordError(str(error), where) from error
    return Row(cells[1], cells[2], relations, where)


def _pairs(names: str, heads: str, number: int) -> List[Tuple[str, int]]:
    """The relations of a token, without the one that stands for none."""
    labels, leads = items(_list(names, "the relations"), str, "the relations"), items(_list(heads, "the heads"), int, "the heads")
    if len(labels) != len(leads):
        raise RecordError(f"{len(labels)} relations, {names[:40]}, but {len(leads)} heads, {heads[:40]}; each relation has one")
    for label, lead in zip(labels, leads, strict=True):
        if not label:
            raise RecordError("a relation is empty; expected its name, or 'N' where there is none")
        if label == NONE and lead != number:
            raise RecordError(f"'{NONE}' says that token {number} has no relation, but its head is {lead}; expected {number}")
    return [pair for pair in zip(labels, leads, strict=True) if pair[0] != NONE]


def _list(text: str, what: str) -> List[Any]:
    """A column that holds a list as Python writes it; nothing in it is run."""
    try:
        found: List[Any] = of_kind(ast.literal_eval(text), list, what)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise RecordError(f"{what} must be a list such as ['Live_In'] or [5], here it is {text[:40]!r}") from None
    return found


def _relations(rows: List[Row], entities: List[Entity]) -> Iterator[Relation]:
    """The relations, between the entities that end with their tokens."""
    ends: Dict[int, int] = {entity.mentions[0].end - 1: number for number, entity in enumerate(entities)}
    for number, row in enumerate(rows):
        for label, lead in row.relations:
            for token in (number, lead):
                if token not in ends:
                    raise RecordError(f"'{label}' leads from token {number} to token {lead}, but {token} ends no entity", row.where)
            yield Relation(ends[number], ends[lead], label)
