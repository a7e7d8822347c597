"""The plainest database: a line per pair."""

from pathlib import Path
from typing import Iterator, Union

from relcon.errors import Problem
from relcon.readers.records import lines
from relcon_clre.databases.listed import Listed, split_cell


def read_pairs(path: Path) -> Iterator[Union[Listed, Problem]]:
    """`id A<TAB>id B`, perhaps `<TAB>PubMed ids with | between`; lines that begin with # are skipped."""
    for record in lines(path):
        if isinstance(record, Problem):
            yield record
            continue
        if record.value.startswith("#"):
            continue
        cells = [cell.strip() for cell in record.value.split("\t")]
        if len(cells) not in (2, 3) or not all(cells[:2]):
            yield Problem(record.place, "expected two identifiers with a tab between, and perhaps PubMed ids in a third column")
            continue
        yield Listed(frozenset([cells[0]]), frozenset([cells[1]]), tuple(split_cell(cells[2]) if len(cells) == 3 else ()))
