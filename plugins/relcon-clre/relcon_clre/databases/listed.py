"""What every database reader yields."""

from typing import FrozenSet, Iterable, List, NamedTuple, Tuple


class Listed(NamedTuple):
    """A pair that a database lists.

    a, b: every identifier under which each side is known there, with and without the name of its database ("uniprotkb:P04637",
    "P04637"). pubmed: the PubMed ids of the texts that the row names.
    """

    a: FrozenSet[str]
    b: FrozenSet[str]
    pubmed: Tuple[str, ...]


def split_cell(cell: str, separator: str = "|") -> List[str]:
    """The values of a cell; none where it is empty or "-"."""
    return [value.strip() for value in cell.split(separator) if value.strip() not in ("", "-")]


def named(database: str, values: Iterable[str]) -> List[str]:
    """Identifiers with the name of their database."""
    return [f"{database}:{value}" for value in values]
