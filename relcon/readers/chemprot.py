"""ChemProt, the original files of BioCreative VI: abstracts with stand-off entities and relations."""

import re
from bisect import bisect_left
from fnmatch import fnmatch
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.fields import digits
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import CharSpan, annotate, split_sentences
from relcon.errors import Problem, RecordError, RelconError, did_you_mean
from relcon.readers.records import OnError, Record, RecordReader, lines

GROUPS: List[str] = ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9"]

TYPES: Dict[str, str] = {"GENE-Y": "PROTEIN", "GENE-N": "PROTEIN"}


ROWS: Dict[str, "re.Pattern[str]"] = {
    "abstracts": re.compile(r"[0-9]+\t[^\t]+\t[^\t]+"),
    "entities": re.compile(r"[0-9]+\tT[0-9]+\t[^\t]+\t[0-9]+\t[0-9]+\t[^\t]+"),
    "relations": re.compile(r"[0-9]+\tCPR:[0-9]+\t[YN] ?\t[^\t]+\tArg1:T[0-9]+\tArg2:T[0-9]+"),
    "gold_standard": re.compile(r"[0-9]+\tCPR:[0-9]+\tArg1:T[0-9]+\tArg2:T[0-9]+"),
}
"""Table -> its rows, by which a single file is known. Those of the abstracts are like many others: the file's name must say it too."""


class Row(NamedTuple):
    """A line of a table and its place (`file:line`)."""

    cells: List[str]
    place: str


class Abstract(NamedTuple):
    """An abstract with its rows of the other tables."""

    cells: List[str]
    entities: List[Row]
    relations: List[Row]


class ChemProt(RecordReader):
    """Reads a split of the original ChemProt corpus: a folder such as `chemprot_training`, labelled or not.

    The folder holds `*_abstracts*.tsv`, `*_entities*.tsv` and, where it is labelled, `*_relations*.tsv` or, without that,
    `*_gold_standard*.tsv`. One document per abstract, its id the PubMed id, its text title, tab, abstract, as the offsets count it
    (characters, exclusive ends). A relation's head is the chemical (Arg1), its tail the gene (Arg2), its label the group (`CPR:4`);
    several rows of one pair and group, with other fine labels, are one relation, as in the gold standard. The corpus lists no pairs
    without a relation: a candidate rule makes them. It has no sentences either: they are found by rule
    (`relcon.data.tokens.split_sentences`).

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them. A record is an
        abstract with all its rows.
    groups: the groups that are relations; rows of others are left out. The default is those that the task evaluates, None is all.
    types: corpus type -> entity type; types that are not named are kept. The default makes one type PROTEIN of GENE-Y and GENE-N
        beside CHEMICAL; `{}` keeps the corpus's.

    Source: Krallinger et al., Overview of the BioCreative VI chemical-protein interaction track, 2017.

    Config::

        [reader]
        @readers = "relcon.ChemProt.v1"
        groups = ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9"]
    """

    expected = "a folder of one ChemProt split with *_abstracts*.tsv, *_entities*.tsv and, where labelled, *_relations*.tsv"
    takes = "folder"

    def __init__(self, on_error: OnError = "raise", groups: Optional[List[str]] = GROUPS, types: Dict[str, str] = TYPES):
        super().__init__(on_error)
        self.groups, self.types = groups, types

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A folder with tables of abstracts and of entities; or one of the tables, which cannot be read without its folder."""
        alone = _table_of(glimpse)
        if alone is not None:
            return f"rows of ChemProt's {alone}, whose reader takes the folder of the split, all tables together"
        tables = [next((name for name in glimpse.names if fnmatch(name, f"*_{table}*.tsv")), None) for table in ("abstracts", "entities")]
        return f"a folder with {tables[0]} and {tables[1]}, as in ChemProt" if all(tables) else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The abstracts, each with its rows of the other tables."""
        abstracts, entities = self._table(path, "abstracts"), self._table(path, "entities")
        if abstracts is None or entities is None:
            raise RelconError(f"{path} has no file *_{'abstracts' if abstracts is None else 'entities'}*.tsv; expected {self.expected}.")
        relations = self._table(path, "relations")
        gold = self._table(path, "gold_standard") if relations is None else None
        annotations = [Annotations(entities, 6), Annotations(relations, 6) if gold is None else Annotations(gold, 4)]
        for record in lines(abstracts):
            if isinstance(record, Record):
                cells = record.value.split("\t")
                record = Record(Abstract(cells, *(table.take(cells[0]) for table in annotations)), record.source)
            yield record
        for table in annotations:
            yield from table.problems()

    def document(self, record: Record) -> Document:
        """One abstract."""
        abstract: Abstract = record.value
        if len(abstract.cells) != 3:
            raise RecordError(f"expected PubMed id, title and abstract separated by tabs, here are {len(abstract.cells)} columns")
        name, title, body = abstract.cells
        text = f"{title}\t{body}"
        spans = [_entity_span(row, text) for row in abstract.entities]
        words, offsets, mentions = annotate(
            text, [(f"entity '{row.cells[1]}'", [span]) for row, span in zip(abstract.entities, spans, strict=True)]
        )
        entities = tuple(
            Entity((mention,), self.types.get(row.cells[2], row.cells[2]), row.cells[1])
            for mention, row in zip(mentions, abstract.entities, strict=True)
        )
        body_starts = bisect_left(offsets, (len(title), 0))
        return Document(
            id=name,
            words=words,
            entities=entities,
            relations=self._relations(abstract.relations, [entity.id for entity in entities]),
            sentences=split_sentences(words, [mention[:2] for mention in mentions], breaks=[body_starts]),
            text=text,
            offsets=offsets,
            source=record.source,
        )

    def _relations(self, rows: List[Row], names: List[str]) -> Tuple[Relation, ...]:
        """One relation per pair and group, in the order of the table."""
        found: Dict[Relation, None] = {}
        for row in rows:
            group, head, tail = row.cells[1], _argument(row, -2, "Arg1:", names), _argument(row, -1, "Arg2:", names)
            if self.groups is None or group in self.groups:
                found[Relation(head, tail, group)] = None
        return tuple(found)

    def _table(self, folder: Path, table: str) -> Optional[Path]:
        """The folder's file of this table; None where there is none."""
        files = sorted(folder.glob(f"*_{table}*.tsv"))
        if len(files) > 1:
            raise RelconError(f"{folder} has several files *_{table}*.tsv ({files[0].name}, {files[1].name}); expected {self.expected}.")
        return files[0] if files else None


class Annotations:
    """The rows of a table by PubMed id.

    path: the file; None for a table that a split has not. width: how many columns a row must have.
    """

    def __init__(self, path: Optional[Path], width: int):
        self.broken: List[Problem] = []
        self.rows: Dict[str, List[Row]] = {}
        for record in () if path is None else lines(path):
            if isinstance(record, Problem):
                self.broken.append(record)
                continue
            cells = record.value.split("\t")
            if len(cells) == width:
                self.rows.setdefault(cells[0], []).append(Row(cells, record.place))
            else:
                self.broken.append(Problem(record.place, f"expected {width} columns separated by tabs, here are {len(cells)}"))

    def take(self, abstract: str) -> List[Row]:
        """The rows of an abstract, once."""
        return self.rows.pop(abstract, [])

    def problems(self) -> Iterator[Problem]:
        """Rows that are no rows, and rows that no abstract took."""
        yield from self.broken
        for abstract, rows in self.rows.items():
            yield from (Problem(row.place, f"there is no abstract '{abstract}'") for row in rows)


def _table_of(glimpse: Glimpse) -> Optional[str]:
    """The table that a file holds, by its first row; None where it is none."""
    first = next(iter(glimpse.lines), "")
    table = next((table for table, row in ROWS.items() if row.fullmatch(first)), None)
    if table is None or (table == "abstracts" and table not in glimpse.path.name):
        return None
    return table.replace("_", " ")


def _entity_span(row: Row, text: str) -> CharSpan:
    """The characters of an entity, compared with its own text."""
    start, end = (_number(row, column) for column in (3, 4))
    if not 0 <= start < end <= len(text):
        message = f"entity '{row.cells[1]}' has the characters [{start}, {end}) of {len(text)}; the end is exclusive and above the start"
        raise RecordError(message, row.place)
    if text[start:end] != row.cells[5]:
        message = f"entity '{row.cells[1]}' is said to be {row.cells[5]!r}, but the characters [{start}, {end}) are {text[start:end]!r}"
        raise RecordError(f"{message}; offsets count title, tab, abstract", row.place)
    return start, end


def _number(row: Row, column: int) -> int:
    number = digits(row.cells[column])
    if number is None:
        raise RecordError(f"column {column + 1} must be a character number, here it is '{row.cells[column]}'", row.place)
    return number


def _argument(row: Row, column: int, prefix: str, names: List[str]) -> int:
    """`Arg1:T13` -> the number of entity T13."""
    cell = row.cells[column].strip()
    if not cell.startswith(prefix):
        raise RecordError(f"expected '{prefix}Tn', here it is '{cell}'", row.place)
    name = cell.removeprefix(prefix)
    if names.count(name) != 1:
        raise RecordError(f"'{cell}' names no entity of abstract {row.cells[0]}.{did_you_mean(name, names)}", row.place)
    return names.index(name)
