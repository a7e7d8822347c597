"""The adverse drug effects corpus as it was released: `DRUG-AE.rel`, `DRUG-DOSE.rel` and `ADE-NEG.txt`."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.fields import digits
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import CharSpan, annotate
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import OnError, Record, RecordReader, lines

DRUG = "Drug"

FIELDS = "PubMed id|sentence|effect or dose|start|end|drug|start|end"

NEGATIVE = re.compile(r"(?P<document>\d+) NEG (?P<sentence>.*\S.*)")

ROW = re.compile(r"\d+\|[^|]*\|[^|]*\|\d+\|\d+\|[^|]*\|\d+\|\d+")


class Argument(NamedTuple):
    """A mention of a row: its type, its text, and where it begins in the document that is not there."""

    type: str
    text: str
    start: int


class Row(NamedTuple):
    """A row of a `.rel` file; the arguments, which a negative sentence has not, are head and tail."""

    document: str
    sentence: str
    arguments: Tuple[Argument, ...]
    line: Record


class Sentence(NamedTuple):
    """What becomes one document: rows that follow each other and have one sentence. All of them say where in it their arguments are."""

    document: str
    text: str
    rows: Tuple[Row, ...]

    @property
    def related(self) -> List[Row]:
        """The rows with arguments: all, but for a negative sentence."""
        return [row for row in self.rows if row.arguments]

    @property
    def arguments(self) -> List[Argument]:
        """Those of all rows."""
        return [argument for row in self.rows for argument in row.arguments]


class ADE(RecordReader):
    """Reads the original files of the ADE corpus: `DRUG-AE.rel`, `DRUG-DOSE.rel`, and the negative sentences of `ADE-NEG.txt`.

    A row of a `.rel` file is `PubMed id|sentence|effect|start|end|drug|start|end` (in `DRUG-DOSE.rel` with a dose in place of the effect),
    a line of `ADE-NEG.txt` is `PubMed id NEG sentence`: a document without entities. Rows that follow each other and have the same PubMed
    id and sentence become one document, named after the file and the first of the lines, with an entity for each different mention
    (entities may overlap) and a relation from effect to drug for each row; `metadata["document"]` is the PubMed id. Words are those of
    `relcon.data.tokens`. All relations of a sentence are annotated: `relcon.EntityPairs.v1` with the types of head and tail asks about the
    other pairs as well.

    Positions count characters of the whole document, which was not distributed, the end is exclusive. A sentence begins at one
    place of it, at which all its arguments must agree, so an argument that stands in the sentence more than once is found where
    the others say. `metadata["start"]` is that place. Where none or several agree, the sentence is a bad record (in the corpus, none is).

    relation: the type of the first argument and the name of the relation: "Adverse-Effect" in `DRUG-AE.rel`, "Dose" in `DRUG-DOSE.rel`. The
        files do not say it. Drugs have the type "Drug".
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Gurulingappa et al., Development of a benchmark corpus to support the automatic extraction of drug-related adverse
    effects from medical case reports, Journal of Biomedical Informatics 45(5), 2012.

    Config::

        [reader]
        @readers = "relcon.ADE.v1"
        relation = "Adverse-Effect"
    """

    expected = f"a file of the ADE corpus, each line '{FIELDS}', or 'PubMed id NEG sentence'"

    def __init__(self, relation: str = "Adverse-Effect", on_error: OnError = "raise"):
        super().__init__(on_error)
        if relation in ("", DRUG):
            raise RelconError(f"relation must name the first argument, which is no drug; here '{relation}'")
        self.relation = relation

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A row of a `.rel` file, or a negative sentence."""
        first = glimpse.lines[0] if glimpse.lines else ""
        if ROW.fullmatch(first):
            return f"rows '{FIELDS}', as in the ADE corpus"
        return "lines 'PubMed id NEG sentence', as in the ADE corpus" if NEGATIVE.fullmatch(first) else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences, each with its rows."""
        rows: List[Row] = []
        for line in lines(path):
            row = line if isinstance(line, Problem) else self._row(line)
            if not isinstance(row, Problem) and rows and _same(rows[-1], row):
                rows.append(row)
                continue
            yield from _sentence(rows)
            rows = []
            if isinstance(row, Problem):
                yield row
            else:
                rows = [row]
        yield from _sentence(rows)

    def document(self, record: Record) -> Document:
        """One sentence."""
        sentence: Sentence = record.value
        start = _start(sentence)
        places: Dict[Tuple[str, CharSpan], int] = {}
        for argument in sentence.arguments:
            places.setdefault(_key(argument, start), len(places))
        words, offsets, mentions = annotate(sentence.text, [(f"the {kind}", [span]) for kind, span in places])
        return Document(
            id=record.name,
            words=words,
            entities=tuple(Entity((mention,), kind) for mention, (kind, _) in zip(mentions, places, strict=True)),
            relations=tuple(self._relation([places[_key(each, start)] for each in row.arguments]) for row in sentence.related),
            text=sentence.text,
            offsets=offsets,
            source=record.source,
            metadata={"document": sentence.document, **({"start": start} if sentence.related else {})},
        )

    def _relation(self, numbers: Sequence[int]) -> Relation:
        head, tail = numbers
        return Relation(head, tail, self.relation)

    def _row(self, line: Record) -> Union[Row, Problem]:
        """A line as a row, or what is wrong with it."""
        negative = NEGATIVE.fullmatch(line.value)
        if negative:
            return Row(negative["document"], negative["sentence"], (), line)
        fields = line.value.split("|")
        if len(fields) != 8:
            return Problem(line.place, f"{len(fields)} fields; expected eight, '{FIELDS}', or 'PubMed id NEG sentence'")
        try:
            arguments = (_argument(self.relation, *fields[2:5]), _argument(DRUG, *fields[5:8]))
        except RecordError as error:
            return Problem(line.place, str(error))
        return Row(fields[0], fields[1], arguments, line)


def _same(one: Row, other: Row) -> bool:
    """Whether two rows are about one sentence; negative ones never are."""
    return bool(one.arguments and other.arguments) and one[:2] == other[:2]


def _sentence(rows: Sequence[Row]) -> Iterator[Record]:
    if rows:
        yield Record(Sentence(rows[0].document, rows[0].sentence, tuple(rows)), rows[0].line.source)


def _argument(kind: str, text: str, start: str, end: str) -> Argument:
    """A mention of a row, as long as its positions say."""
    first, last = digits(start), digits(end)
    if first is None or last is None:
        raise RecordError(f"the positions of {text!r} must be whole numbers, here they are '{start}' and '{end}'")
    if last - first != len(text):
        raise RecordError(f"{text!r} has {len(text)} characters, but its positions {first} and {last} are {last - first} apart")
    return Argument(kind, text, first)


def _key(argument: Argument, start: int) -> Tuple[str, CharSpan]:
    """What tells a mention from others of its sentence: its type, and its characters there."""
    first = argument.start - start
    return argument.type, (first, first + len(argument.text))


def _start(sentence: Sentence) -> int:
    """Where the sentence begins in its document: the one place at which all arguments stand where they say. 0 where there are none."""
    possible: Set[int] = set()
    for row in sentence.rows:
        for argument in row.arguments:
            found = {argument.start - place for place in _occurrences(argument.text, sentence.text)}
            if not found:
                raise RecordError(f"{argument.text!r} does not stand in its sentence", row.line.place)
            possible = possible & found if possible else found
            if not possible:
                raise RecordError(f"{argument.text!r} does not stand as far from the other mentions as its position says", row.line.place)
    if len(possible) > 1:
        raise RecordError(f"all mentions stand in the sentence more than once; there are {len(possible)} ways to place them")
    return min(possible, default=0)


def _occurrences(part: str, text: str) -> Iterator[int]:
    """Where a text that is not empty occurs in another, overlapping itself or not."""
    place = text.find(part) if part else -1
    while place >= 0:
        yield place
        place = text.find(part, place + 1)
