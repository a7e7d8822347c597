"""PSI-MI TAB (2.5 and its extensions 2.6 to 2.8), IntAct's export."""

import re
from pathlib import Path
from typing import Iterator, List, Tuple, Union

from relcon.errors import Problem
from relcon.readers.records import lines
from relcon_clre.databases.listed import Listed

COLUMNS = 15
"""Columns of version 2.5; later versions append more."""

IDENTIFIERS = (0, 1)
ALTERNATIVES = (2, 3)
PUBLICATIONS = 8

VALUE = re.compile(r'(?P<database>[^:|"]+):(?P<id>"(?:[^"\\]|\\.)*"|[^|(]*)(?:\([^|]*\))?')
"""`uniprotkb:P04637`, `chebi:"CHEBI:15377"(water)`."""


def read_mitab(path: Path) -> Iterator[Union[Listed, Problem]]:
    """The binary interactions. A row with one interactor only (`-` for the other) is none.

    Source: the HUPO-PSI definition of MITAB 2.5.
    """
    for record in lines(path):
        if isinstance(record, Problem):
            yield record
            continue
        if record.value.startswith("#"):
            continue
        cells = record.value.split("\t")
        if len(cells) < COLUMNS:
            yield Problem(record.place, f"{len(cells)} columns; a PSI-MITAB row has at least {COLUMNS}, with tabs between")
            continue
        sides = [_values(cells[one]) + _values(cells[other]) for one, other in zip(IDENTIFIERS, ALTERNATIVES, strict=True)]
        wrong = next((cells[n] for n in IDENTIFIERS if cells[n].strip() not in ("", "-") and not _values(cells[n])), None)
        if wrong is not None:
            yield Problem(record.place, f"the interactor is {wrong!r}; expected DATABASE:ID, such as uniprotkb:P04637")
        elif all(cells[n].strip() not in ("", "-") for n in IDENTIFIERS):
            pubmed = tuple(value for database, value in _values(cells[PUBLICATIONS]) if database == "pubmed")
            a, b = (frozenset(each for database, value in side for each in (value, f"{database}:{value}")) for side in sides)
            yield Listed(a, b, pubmed)


def _values(cell: str) -> List[Tuple[str, str]]:
    """(database, id) of each value of a cell."""
    found = ((match["database"].strip(), match["id"].strip().strip('"')) for match in VALUE.finditer(cell))
    return [(database, value) for database, value in found if value]
