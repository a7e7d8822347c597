"""brat's stand-off files: a text, and beside it what is annotated in it."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple, Union

from relcon.data.document import Document, Relation, Source
from relcon.data.glimpse import Glimpse
from relcon.data.relations import LEFT_OUT
from relcon.data.tokens import Annotated, CharSpan
from relcon.errors import Problem, RecordError, RelconError, did_you_mean
from relcon.readers.entities import Gathered, Named, chained, gather
from relcon.readers.marks import SHOWN, Mark, at, found_sentences, given_sentences, number_of, place_marks
from relcon.readers.records import OnError, Record, RecordReader, lines

COUNTED = {"E": "event", "A": "attribute", "M": "attribute", "#": "note"}
"""What an id of a line begins with -> what a document cannot hold."""

LINE_END = re.compile(r"\n")

BLANK_LINE = re.compile(r"\n\s*\n")

PLAIN_ROLES = ["Arg1", "Arg2"]

HEADS: List[str] = []

Equivalent = Literal["count", "pairs", "entity"]

Counts = Counter[str]


class Files(NamedTuple):
    """A text, what is annotated in it (None: nothing, it is unlabelled), and the id of its document."""

    name: str
    text: Path
    annotations: Optional[Path]


class Row(NamedTuple):
    """A line of annotations: `ID<TAB>TYPE VALUE ...<TAB>TEXT`, and its place (`file:line`)."""

    id: str
    type: str
    values: List[str]
    text: Optional[str]
    place: str


class Rows(NamedTuple):
    """The lines of a file by their kinds. ids: of all lines that have one."""

    spans: List[Row]
    relations: List[Row]
    equivalences: List[Row]
    normalizations: List[Row]
    ids: Dict[str, Row]
    counts: Counts


class BRAT(RecordReader):
    """Reads brat's stand-off annotation, labelled or not: a folder, with all folders below it, of `.txt` files with `.ann` files of the
    same name beside them, or one such file. A `.txt` without `.ann` is unlabelled.

    One document per text, its id the path within the folder without `.txt`. A line `T1<TAB>Type 0 7<TAB>text` is an entity: characters
    of the text as it stands in the file, line ends included, ends exclusive; `0 4;9 12` is a discontinuous mention, of which parts with
    nothing but white space in between are one; the text must match. `R1<TAB>Type Arg1:T1 Arg2:T2` is a relation from the first argument
    to the second. `N1<TAB>Reference T1 DB:7<TAB>name` goes to metadata. Entities that nest or overlap are kept, and so are triggers of
    events. Pairs without a relation are not in the data: `relcon.EntityPairs.v1` makes them.

    Metadata: `normalized`, `{"T1": ["DB:7", ...]}`; `roles`, `{"R1": [role of the head, role of the tail]}` of relations whose roles are
    other than Arg1 and Arg2; `left_out` counts what a document cannot hold: events (E), attributes (A, M), notes (#), relations with
    other than two arguments, and whatever names an event or a relation in place of an entity.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them. A record is a text.
    head_roles: roles whose argument is the head although it stands second: `["Agent"]` reads `Target:T2 Agent:T1` as T1 -> T2.
    equivalent: what a line `*<TAB>Equiv T1 T2 T3` becomes: "count": nothing, it is counted in `left_out`; "pairs": a relation of its type
        from each to each that stands after it, which a config should declare symmetric; "entity": its entities are one with several
        mentions, of the type and id of the first.
    sentences: "split": they are found by rule, a blank line always ends one; "lines": each line is one.

    Source: Stenetorp et al., BRAT: a Web-based Tool for NLP-Assisted Text Annotation, EACL 2012.

    Config::

        [reader]
        @readers = "relcon.BRAT.v1"
        equivalent = "count"
        sentences = "split"
    """

    expected = "a folder of .txt files with .ann files beside them, as brat keeps them, or one of the files"
    takes = "either"

    def __init__(
        self,
        on_error: OnError = "raise",
        head_roles: List[str] = HEADS,
        equivalent: Equivalent = "count",
        sentences: Literal["split", "lines"] = "split",
    ):
        super().__init__(on_error)
        if equivalent not in ("count", "pairs", "entity"):
            raise RelconError(f"equivalent must be 'count', 'pairs' or 'entity', not '{equivalent}'")
        if sentences not in ("split", "lines"):
            raise RelconError(f"sentences must be 'split' or 'lines', not '{sentences}'")
        self.head_roles, self.equivalent, self.sentences = head_roles, equivalent, sentences

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A folder with .ann files; a file that has one beside it, or is one."""
        if glimpse.path.is_dir():
            found = glimpse.first("**/*.ann").path != glimpse.path
            return "a folder of .txt files with .ann files beside them, as brat keeps them" if found else None
        if glimpse.path.suffix in (".txt", ".ann") and glimpse.path.with_suffix(".ann").is_file():
            return "a text with a file .ann of the same name beside it, as brat keeps it"
        return None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The texts, in the order of their names."""
        if path.is_file() and path.suffix not in (".txt", ".ann"):
            raise RelconError(f"{path} is neither .txt nor .ann; expected {self.expected}.")
        files = [each for each in path.rglob("*") if each.suffix in (".txt", ".ann") and each.is_file()] if path.is_dir() else [path]
        for name in sorted({each.with_suffix("") for each in files}):
            text, annotations = (name.with_name(name.name + suffix) for suffix in (".txt", ".ann"))
            if not text.is_file():
                yield Problem(str(annotations), f"there is no text '{text.name}' beside it")
                continue
            found = Files(name.relative_to(path if path.is_dir() else path.parent).as_posix(), text, annotations)
            yield Record(found if annotations.is_file() else found._replace(annotations=None), Source(str(text)))

    def document(self, record: Record) -> Document:
        """One text."""
        files: Files = record.value
        text = _text(files.text)
        rows = _rows(files.annotations)
        placed = place_marks(text, [_mark(row, text) for row in rows.spans])
        counts = Counter(rows.counts)
        chains = _chains(rows, counts)
        found = self._entities(rows.spans, placed, chains)
        roles: Dict[str, List[str]] = {}
        relations = [*self._relations(rows, found, counts, roles), *self._equivalences(chains, rows, found)]
        counts["equivalence"] = len(chains) if self.equivalent == "count" else 0
        return Document(
            id=files.name,
            words=placed.words,
            entities=found.entities,
            relations=tuple(relations),
            sentences=self._sentences(text, placed),
            text=text,
            offsets=placed.offsets,
            source=record.source,
            metadata=_metadata(_normalized(rows, counts), roles, counts),
        )

    def _entities(self, spans: Sequence[Row], placed: Annotated, chains: Sequence[Row]) -> Gathered:
        """The entities; those of a chain are one where the settings say so."""
        names = [row.id for row in spans]
        firsts = chained(names, [chain.values for chain in chains]) if self.equivalent == "entity" else {}
        return gather(
            Named(mention, row.type, row.id, (firsts[row.id],) if row.id in firsts else ())
            for row, mention in zip(spans, placed.mentions, strict=True)
        )

    def _relations(self, rows: Rows, found: Gathered, counts: Counts, roles: Dict[str, List[str]]) -> Iterator[Relation]:
        """The relations between two entities. counts, roles: get what is said of the others, and of their roles."""
        numbers = _numbers(rows)
        for row in rows.relations:
            arguments = [_argument(value, row, rows) for value in row.values]
            if len(arguments) != 2:
                counts[f"relation with {len(arguments)} arguments"] += 1
            elif not all(name in numbers for _, name in arguments):
                counts["relation of an event or a relation"] += 1
            else:
                head, tail = arguments if self._in_order(arguments) else arguments[::-1]
                if [head[0], tail[0]] != PLAIN_ROLES:
                    roles[row.id] = [head[0], tail[0]]
                yield from (Relation(*pair, row.type, row.id) for pair in found.pairs(numbers[head[1]], numbers[tail[1]]))

    def _in_order(self, arguments: Sequence[Tuple[str, str]]) -> bool:
        """Whether the first of two arguments is the head."""
        return arguments[0][0] in self.head_roles or arguments[1][0] not in self.head_roles

    def _equivalences(self, chains: Sequence[Row], rows: Rows, found: Gathered) -> Iterator[Relation]:
        """The pairs of every chain as relations, where the settings say so."""
        numbers = _numbers(rows)
        for chain in chains if self.equivalent == "pairs" else ():
            for one, other in combinations(chain.values, 2):
                yield from (Relation(*pair, chain.type) for pair in found.pairs(numbers[one], numbers[other]))

    def _sentences(self, text: str, placed: Annotated) -> Tuple[Tuple[int, int], ...]:
        if self.sentences == "lines":
            return given_sentences(placed, (end.end() for end in LINE_END.finditer(text)))
        return found_sentences(placed, (blank.end() for blank in BLANK_LINE.finditer(text)))


# ---- lines -------------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    """The text of a file with its line ends as they are."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8 text at byte {error.start + 1}; save the file as UTF-8") from error


def _rows(path: Optional[Path]) -> Rows:
    """The lines of a file of annotations. path: None: there are none."""
    found = Rows([], [], [], [], {}, Counter())
    for line in () if path is None else lines(path):
        if isinstance(line, Problem):
            raise RecordError(line.message, line.where)
        with at(line.place):
            _add(_row(line), found)
    return found


def _row(line: Record) -> Row:
    cells = line.value.split("\t", 2)
    words = cells[1].split() if len(cells) > 1 else []
    if not words:
        raise RecordError(f"expected an id, a tab, a type and what it is about, here it is {line.value[:40]!r}")
    return Row(cells[0], words[0], words[1:], cells[2] if len(cells) > 2 else None, line.place)


def _add(row: Row, rows: Rows) -> None:
    """Put a line with those of its kind. RecordError where it is of none, or its id is used."""
    kinds = {"T": rows.spans, "R": rows.relations, "*": rows.equivalences, "N": rows.normalizations}
    letter = row.id[:1]
    if letter not in kinds and letter not in COUNTED:
        raise RecordError(f"the id {row.id[:20]!r} begins with none of {', '.join([*kinds, *COUNTED])}, as those of brat do")
    if letter != "*" and row.id in rows.ids:
        raise RecordError(f"the id '{row.id}' stands already at {rows.ids[row.id].place}")
    if letter != "*":
        rows.ids[row.id] = row
    if letter in kinds:
        kinds[letter].append(row)
    else:
        rows.counts[COUNTED[letter]] += 1


def _mark(row: Row, text: str) -> Mark:
    """`T1<TAB>Type 0 4;9 12<TAB>text`."""
    with at(row.place):
        if row.text is None:
            raise RecordError(f"expected '{row.id}', type and characters, and the text that they cover, separated by tabs")
        parts = [_part(part, row) for part in " ".join(row.values).split(";")]
    return Mark(f"entity '{row.id}'", _merged(parts, text), row.text, row.place)


def _part(written: str, row: Row) -> CharSpan:
    numbers = written.split()
    if len(numbers) != 2:
        wanted = "'start end' or 'start end;start end'"
        raise RecordError(f"entity '{row.id}' must have its characters as {wanted}, here it has {SHOWN.repr(written)}")
    start, end = (number_of(number, f"a position of entity '{row.id}'") for number in numbers)
    return start, end


def _merged(parts: Sequence[CharSpan], text: str) -> List[CharSpan]:
    """Parts with nothing but white space in between as one: brat cuts a mention at line ends."""
    found = [parts[0]]
    for start, end in parts[1:]:
        before = found[-1]
        if before[0] < before[1] <= start < end and not text[before[1] : start].strip():
            found[-1] = (before[0], end)
        else:
            found.append((start, end))
    return found


# ---- what lines say of each other --------------------------------------------------------------------------------------


def _numbers(rows: Rows) -> Dict[str, int]:
    """Id of a mention -> its number."""
    return {row.id: number for number, row in enumerate(rows.spans)}


def _known(name: str, row: Row, rows: Rows) -> str:
    """The id of a line that there is."""
    if name not in rows.ids:
        raise RecordError(f"{row.id} names '{name}', which is the id of no line of the file.{did_you_mean(name, rows.ids)}", row.place)
    return name


def _argument(value: str, row: Row, rows: Rows) -> Tuple[str, str]:
    """`Arg1:T1` -> role and id."""
    role, colon, name = value.partition(":")
    if not (role and colon):
        raise RecordError(f"the arguments of relation '{row.id}' must be 'role:id', here one is {value!r}", row.place)
    return role, _known(name, row, rows)


def _chains(rows: Rows, counts: Counts) -> List[Row]:
    """The equivalences between mentions. counts: gets those of events."""
    mentions = _numbers(rows)
    found = []
    for row in rows.equivalences:
        if len(set(row.values)) < max(len(row.values), 2):
            raise RecordError("expected '*', a tab, a type such as Equiv, and two ids or more that differ", row.place)
        if all(_known(name, row, rows) in mentions for name in row.values):
            found.append(row)
        else:
            counts["equivalence of events or relations"] += 1
    return found


def _normalized(rows: Rows, counts: Counts) -> Dict[str, List[str]]:
    """Id of a mention -> its references. counts: gets those of events."""
    mentions = _numbers(rows)
    found: Dict[str, List[str]] = {}
    for row in rows.normalizations:
        if len(row.values) != 2:
            raise RecordError(f"expected '{row.id}', a tab, 'Reference', the id of an entity and a reference such as 'DB:7'", row.place)
        name, reference = row.values
        if _known(name, row, rows) in mentions:
            found.setdefault(name, []).append(reference)
        else:
            counts["normalization of an event or a relation"] += 1
    return found


def _metadata(normalized: Dict[str, List[str]], roles: Dict[str, List[str]], counts: Counts) -> Dict[str, Any]:
    said = {"normalized": normalized, "roles": roles, LEFT_OUT: {cause: count for cause, count in counts.items() if count}}
    return {key: value for key, value in said.items() if value}
