"""A knowledge base as files: triples of ids, and the names under which text speaks of them."""

from itertools import product
from pathlib import Path
from typing import Collection, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from relcon.errors import DataError, Problem, RelconError
from relcon.readers.records import lines

SHIFT = 32
"""A pair of entity numbers is one whole number: millions of tuples would take twice the memory."""


class Triples:
    """(head, tail) -> relations, compact enough to hold a whole knowledge base in memory.

    multi_label: a pair has every relation that was added for it, in their order; otherwise only the last one.
    """

    def __init__(self, multi_label: bool = True):
        self.multi_label = multi_label
        self._entities: Dict[str, int] = {}
        self._relations: Dict[str, str] = {}
        self._shared: Dict[Tuple[str, ...], Tuple[str, ...]] = {}
        self._between: Dict[int, Tuple[str, ...]] = {}
        self._added = 0
        self._latest: Dict[int, int] = {}  # only where the last triple alone counts: it is a second table of all pairs

    @property
    def entities(self) -> Collection[str]:
        """The ids of all heads and tails; literals among the tails are there too, and match nothing."""
        return self._entities.keys()

    def add(self, head: str, relation: str, tail: str) -> None:
        """One more triple."""
        pair = self._number(head) << SHIFT | self._number(tail)
        relation = self._relations.setdefault(relation, relation)
        known = self._between.get(pair, ()) if self.multi_label else ()
        found = known if relation in known else (*known, relation)
        self._between[pair] = self._shared.setdefault(found, found)
        if not self.multi_label:
            self._added += 1
            self._latest[pair] = self._added

    def between(self, head: str, tail: str) -> Tuple[str, ...]:
        """The relations from head to tail; () where there is none."""
        return self._between.get(self._pair(head, tail), ())

    def of_any(self, heads: Iterable[str], tails: Iterable[str]) -> List[str]:
        """The relations from any head to any tail, each once; without `multi_label` only that of the last triple of them all."""
        pairs = list(product(heads, tails))
        if not self.multi_label:
            pairs = sorted(pairs, key=lambda pair: self._latest.get(self._pair(*pair), 0))[-1:]
        return list(dict.fromkeys(label for pair in pairs for label in self.between(*pair)))

    def _pair(self, head: str, tail: str) -> int:
        """The number of a pair; -1 where one of them is in no triple."""
        first, second = self._entities.get(head), self._entities.get(tail)
        return -1 if first is None or second is None else first << SHIFT | second

    def _number(self, entity: str) -> int:
        return self._entities.setdefault(entity, len(self._entities))


class Names(NamedTuple):
    """ids: surface form -> id. repeated: how many lines name a surface form again with another id."""

    ids: Dict[str, str]
    repeated: int


def surface(text: str) -> str:
    """A name as it is looked up and compared: lower-cased, white space as single spaces."""
    return " ".join(text.lower().split())


def read_triples(path: Path, multi_label: bool = True, relations: Optional[Collection[str]] = None) -> Triples:
    """The triples of a file with a line `head<TAB>relation<TAB>tail` each.

    relations: only these; None for all. RelconError where the file is missing or has no triple, DataError with file and line of lines
    that are none.
    """
    triples = Triples(multi_label)
    for head, relation, tail in _rows(path, ("head", "relation", "tail")):
        if relations is None or relation in relations:
            triples.add(head, relation, tail)
    if not triples.entities:
        raise RelconError(f"{path} holds no triple of the relations that are asked for. Correct [filters] relations, or leave it out.")
    return triples


def read_names(path: Path) -> Names:
    """The ids of a file with a line `surface form<TAB>id` each; of two lines with one surface form the first counts.

    RelconError where the file is missing or empty, DataError with file and line of lines that are none.
    """
    ids: Dict[str, str] = {}
    repeated = 0
    for form, name in _rows(path, ("surface form", "id")):
        repeated += ids.setdefault(surface(form), name) != name
    return Names(ids, repeated)


def _rows(path: Path, columns: Tuple[str, ...]) -> Iterator[List[str]]:
    """The rows of a file of columns with tabs between; those after a bad one are only checked, to say what is wrong with all of them."""
    if not path.is_file():
        raise RelconError(f"{path} does not exist or is a folder; expected a file of lines {'<TAB>'.join(columns)}.")
    problems: List[Problem] = []
    count = 0
    for line in lines(path):
        count += 1
        if isinstance(line, Problem):
            problems.append(line)
            continue
        row = [value.strip() for value in line.value.split("\t")]
        if len(row) != len(columns) or not all(row):
            problems.append(Problem(line.place, f"expected {'<TAB>'.join(columns)}, {_fault(row, columns)}"))
        elif not problems:
            yield row
    if problems:
        raise DataError(problems, f"{len(problems)} of {count} lines of {path} are wrong:")
    if not count:
        raise RelconError(f"{path} is empty; expected lines {'<TAB>'.join(columns)}.")


def _fault(row: List[str], columns: Tuple[str, ...]) -> str:
    if len(row) == 1:
        return "the line has no tab"
    if len(row) != len(columns):
        return f"the line has {len(row)} columns"
    return f"the {columns[row.index('')]} is empty"
