"""BioGRID's tables: TAB 2.0, TAB 3.0, and the table of chemicals (ChemTab)."""

from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.errors import Problem, RelconError
from relcon.readers.records import lines
from relcon_clre.databases.listed import Listed, named, split_cell

Columns = Tuple[Tuple[str, str], ...]
"""(column, name of the database of its identifiers; "" for plain names)."""


class Layout(NamedTuple):
    """Where a table has what: the columns of each side, in lower case, and those of the publication."""

    a: Columns
    b: Columns
    pubmed: Tuple[str, ...]


def _interactor(side: str) -> Columns:
    return (
        (f"entrez gene interactor {side}", "entrez"),
        (f"biogrid id interactor {side}", "biogrid"),
        (f"official symbol interactor {side}", "symbol"),
        (f"swiss-prot accessions interactor {side}", "uniprotkb"),
    )


INTERACTIONS = Layout(_interactor("a"), _interactor("b"), ("pubmed id", "publication source"))
CHEMICALS = Layout(
    (("biogrid chemical id", "biogrid"), ("chemical source id", "source"), ("chemical name", "name"), ("cas number", "cas")),
    (("entrez gene id", "entrez"), ("biogrid gene id", "biogrid"), ("official symbol", "symbol")),
    ("pubmed id",),
)
BARE = ("entrez", "symbol", "uniprotkb", "source", "name", "cas")
"""Databases whose identifiers also count without the name; BioGRID's own numbers are too like those of Entrez."""

Table = Dict[str, int]
"""Column -> its place."""


def read_biogrid(path: Path) -> Iterator[Union[Listed, Problem]]:
    """The interactions of a table, which must have its header line; in the table of chemicals, a is the chemical.

    Identifiers: `entrez:6416`, `biogrid:112315`, `symbol:MAP2K4`, `uniprotkb:P45985`; for chemicals `biogrid:`, `source:DB00001` (the id
    in DrugBank or another source), `name:`, `cas:`. Source: BioGRID's own descriptions of its formats.
    """
    table: Optional[Table] = None
    for record in lines(path):
        if isinstance(record, Problem):
            yield record
            continue
        cells = record.value.lstrip("#").split("\t")
        if table is None:
            table = {name.strip().lower(): number for number, name in enumerate(cells)}
            layout = _layout(table, record.place)
        elif len(cells) != len(table):
            yield Problem(record.place, f"{len(cells)} columns, but the header has {len(table)}")
        else:
            yield Listed(_side(layout.a, table, cells), _side(layout.b, table, cells), _pubmed(layout, table, cells))


def _layout(table: Table, where: str) -> Layout:
    for layout in (INTERACTIONS, CHEMICALS):
        if layout.a[0][0] in table and layout.b[0][0] in table and any(name in table for name in layout.pubmed):
            return layout
    raise RelconError(
        f"{where}: this is no header of a BioGRID table; expected the columns 'Entrez Gene Interactor A' and 'Entrez Gene Interactor B' "
        "(.tab2.txt, .tab3.txt), or 'BioGRID Chemical ID' and 'Entrez Gene ID' (.chemtab.txt), and the publication"
    )


def _side(columns: Columns, table: Table, cells: List[str]) -> FrozenSet[str]:
    found: List[str] = []
    for column, database in columns:
        values = split_cell(cells[table[column]]) if column in table else []
        found += named(database, values) + (values if database in BARE else [])
    return frozenset(found)


def _pubmed(layout: Layout, table: Table, cells: List[str]) -> Tuple[str, ...]:
    """`9006895`, `PUBMED:9006895`, several with | between."""
    values = [value for column in layout.pubmed if column in table for value in split_cell(cells[table[column]])]
    return tuple(value.rpartition(":")[2] for value in values if value.lower().startswith("pubmed:") or ":" not in value)


