"""Export formats of the knowledge bases that CLRE names, each read as a stream of listed pairs."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Union

from relcon.errors import DataError, Problem, RelconError
from relcon_clre.databases.biogrid import read_biogrid
from relcon_clre.databases.drugbank import read_drugbank
from relcon_clre.databases.listed import Listed
from relcon_clre.databases.mitab import read_mitab
from relcon_clre.databases.pairs import read_pairs

FORMATS: Dict[str, Callable[[Path], Iterable[Union[Listed, Problem]]]] = {
    "psi-mitab": read_mitab,
    "drugbank": read_drugbank,
    "biogrid": read_biogrid,
    "pairs": read_pairs,
}
"""The name of a format in a config -> what reads it."""


def read_database(path: Path, form: str) -> Iterator[Listed]:
    """The pairs that a database lists, one by one.

    RelconError where the file is missing or empty; DataError, at the end, with the first ten bad rows and the count of all.
    """
    if not path.is_file():
        raise RelconError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; expected a database export ({form}).")
    problems: List[Problem] = []
    count = 0
    for row in FORMATS[form](path):
        count += 1
        if isinstance(row, Problem):
            problems.append(row)
        else:
            yield row
    if not count:
        raise RelconError(f"{path} lists no pair; expected a database export ({form}).")
    if problems:
        raise DataError(problems, f"{len(problems)} of {count} rows of {path} are wrong:")


__all__ = ["FORMATS", "Listed", "read_database"]
