"""What all readers share: the path is checked, bad records are collected with file and line, ids are unique."""

import codecs
import json
import logging
import re
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterable, Iterator, List, Literal, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Source
from relcon.data.fields import of_kind
from relcon.data.reading import WHOLE, Found, Part, PartedReader, Tally
from relcon.errors import DataError, Problem, RecordError, RelconError, place

logger = logging.getLogger(__name__)

OnError = Literal["raise", "skip"]

PART_BYTES = 1 << 20
"""A part of a file of lines has about so many bytes: a second of work."""

SPACE = re.compile(r"\s*")


class Record(NamedTuple):
    """A raw record (a line, a block of lines, an element) and where it begins.

    number: which of its file it is, from 0, where several may begin on one line; None where the line tells.
    """

    value: Any
    source: Source
    number: Optional[int] = None

    @property
    def place(self) -> str:
        """`file:line` for messages."""
        return place(self.source.path, self.source.line)

    @property
    def name(self) -> str:
        """An id for a record that has none of its own: the file's name and the number, or else the line."""
        return f"{Path(self.source.path).stem}-{self.source.line if self.number is None else self.number}"


class RecordReader(PartedReader):
    """A reader that cuts its input into records and makes a document of each.

    A format says how to cut (`records`) and how to make a document (`document`, which raises RecordError on a bad one). This
    class says what happens then: `on_error = "raise"` reads on to the end and raises one DataError with the first ten bad
    records and the count of all; "skip" leaves them out and logs them. Nothing is yielded after the first bad record under
    "raise", the rest is only checked.
    """

    expected: ClassVar[str]
    """What a path should lead to, for messages: "a SemEval-2010 Task 8 text file"."""

    takes: ClassVar[Literal["file", "folder", "either"]] = "file"

    def __init__(self, on_error: OnError = "raise"):
        if on_error not in ("raise", "skip"):
            raise RelconError(f"on_error must be 'raise' or 'skip', not '{on_error}'")
        self.on_error = on_error

    @property
    def cacheable(self) -> bool:
        """Not under "skip": every run says what is left out."""
        return self.on_error != "skip"

    @abstractmethod
    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The raw records, one by one, or a Problem where the input cannot be cut."""

    @abstractmethod
    def document(self, record: Record) -> Document:
        """The document of a record. RecordError where it is wrong."""

    def read(self, path: Path) -> Iterator[Document]:
        """Documents, one by one. RelconError at once where the path is no such thing; see the class for bad records."""
        path = Path(path)
        self._check(path)
        return self._read(path)

    def parts(self, path: Path) -> List[Part]:
        """The whole, in one part. Where every line is a record (`LineReader`, `JSONReader`) there are many."""
        self._check(path)
        return [WHOLE]

    def part_records(self, path: Path, part: Part) -> Iterator[Union[Record, Problem]]:
        """The raw records of a part: all of them."""
        return self.records(path)

    def outcomes(self, path: Path, part: Part) -> Iterator[Union[Found, Problem]]:
        """What becomes of the records of a part, in order; ids are not compared."""
        try:
            for record in self.part_records(path, part):
                yield self._attempt(record)
        except OSError as error:
            raise RelconError(f"{error.filename or path} cannot be read: {error.strerror or error}.") from error

    def wanted(self, tally: Tally, record: Union[Problem, Tuple[str, str]]) -> bool:
        """Whether a record, noted in the tally, is a document to be handed out: under "raise" none is after the first bad one."""
        return tally.keeps(record) and (not tally.problems or self.on_error == "skip")

    def finish(self, path: Path, tally: Tally) -> None:
        """RelconError where there was no record, DataError for bad ones under "raise"; under "skip" they are logged."""
        if not tally.count:
            raise RelconError(f"{path} holds no record; expected {self.expected}.")
        if tally.problems:
            self._report(path, tally.problems, tally.count)

    def _read(self, path: Path) -> Iterator[Document]:
        tally = Tally()
        for outcome in self.outcomes(path, WHOLE):
            if isinstance(outcome, Problem):
                self.wanted(tally, outcome)
            elif self.wanted(tally, (outcome.document.id, outcome.where)):
                yield outcome.document
        self.finish(path, tally)

    def _check(self, path: Path) -> None:
        """RelconError where the path is not what this reader takes."""
        wanted = {"file": path.is_file(), "folder": path.is_dir(), "either": path.exists()}[self.takes]
        if not wanted:
            found = "does not exist" if not path.exists() else "is a folder" if path.is_dir() else "is a file"
            raise RelconError(f"{path} {found}; expected {self.expected}.")

    def _attempt(self, record: Union[Record, Problem]) -> Union[Found, Problem]:
        """The document, or what is wrong with the record."""
        if isinstance(record, Problem):
            return record
        try:
            return Found(self.document(record), record.place)
        except RecordError as error:
            return Problem(error.where or record.place, str(error) if record.number is None else f"record {record.number}: {error}")

    def _report(self, path: Path, problems: List[Problem], count: int) -> None:
        error = DataError(problems, f"{len(problems)} of {count} records of {path} are wrong:")
        if self.on_error == "raise" or len(problems) == count:
            raise error
        logger.warning("Skipped: %s", error)


class LineReader(RecordReader):
    """A reader of files in which every line that is not blank is a record: several processes may read it, each its own lines."""

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The lines that are not blank."""
        return lines(path)

    def parts(self, path: Path) -> List[Part]:
        """Stretches of whole lines."""
        self._check(path)
        return cut_lines(path, PART_BYTES)

    def part_records(self, path: Path, part: Part) -> Iterator[Union[Record, Problem]]:
        """The lines of a stretch that are not blank."""
        return lines(path, part)


class ArrayReader(RecordReader):
    """A reader of a file that is one JSON array: its items are the records. The text of the file is held in memory."""

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The items of the array, decoded one by one. RelconError where the file is not UTF-8."""
        yield from array_items(whole_text(path, self.expected), path)


class JSONReader(RecordReader):
    """A reader of a file that is one JSON array, or JSON-lines: its first character tells. The records are the items, numbered, or the
    objects of the lines. The text of an array is held in memory; lines may be read by several processes."""

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The items of the array, decoded one by one, or the lines. RelconError where an array is not UTF-8."""
        return self.part_records(path, WHOLE)

    def parts(self, path: Path) -> List[Part]:
        """The whole of an array; stretches of whole lines."""
        self._check(path)
        return [WHOLE] if begins_array(path) else cut_lines(path, PART_BYTES)

    def part_records(self, path: Path, part: Part) -> Iterator[Union[Record, Problem]]:
        """The items of the array, or the lines of a stretch."""
        if begins_array(path):
            return numbered(array_items(whole_text(path, self.expected), path))
        return map(decoded, lines(path, part))


def whole_text(path: Path, expected: str) -> str:
    """The text of a file. RelconError, which says what was expected, where it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RelconError(f"{path} is not UTF-8 text (byte {error.start + 1}); expected {expected}.") from error


def begins_array(path: Path) -> bool:
    """Whether the first character of a file, white space aside, opens a JSON array."""
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"")
    return first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")


def numbered(records: Iterable[Union[Record, Problem]]) -> Iterator[Union[Record, Problem]]:
    """Records with their numbers."""
    for number, each in enumerate(records):
        yield each if isinstance(each, Problem) else each._replace(number=number)


def object_of(record: Record) -> Dict[str, Any]:
    """A decoded record that must be an object."""
    value: Dict[str, Any] = of_kind(record.value, dict, "the record")
    return value


def decoded(line: Union[Record, Problem]) -> Union[Record, Problem]:
    """A line with its JSON object as value, or what is wrong with it."""
    if isinstance(line, Problem):
        return line
    try:
        return line._replace(value=json_object(line.value))
    except RecordError as error:
        return Problem(line.place, str(error))


def cut_lines(path: Path, size: int) -> List[Part]:
    """A file as parts of about `size` bytes, each of whole lines."""
    parts, start, line = [], 0, 1
    with path.open("rb") as file:
        while block := file.read(size):
            block += file.readline()
            parts.append(Part(start, start + len(block), line))
            start, line = start + len(block), line + block.count(b"\n")
    return parts


def lines(path: Path, part: Part = WHOLE) -> Iterator[Union[Record, Problem]]:
    """The lines of a UTF-8 file that are not blank, without line end (LF or CRLF), or a Problem where a line is not UTF-8.

    part: only these.
    """
    with path.open("rb") as file:
        at = file.seek(part.start)
        for number, raw in enumerate(file, start=part.line):
            if part.end is not None and at >= part.end:
                return
            at += len(raw)
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                yield Problem(place(path, number), f"not UTF-8 text at byte {error.start + 1} of the line; save the file as UTF-8")
                continue
            if text.strip():
                yield Record(text, Source(str(path), number))


def blocks(found: Iterable[Union[Record, Problem]], first: Optional["re.Pattern[str]"] = None) -> Iterator[Union[Record, Problem]]:
    """Lines that follow each other, gathered: a block is a record with a list of lines as value. A new one begins after every gap in the
    line numbers, and at every line whose beginning matches `first`."""
    block: List[Record] = []
    for line in found:
        if isinstance(line, Problem):
            yield line
        elif block and not (first and first.match(line.value)) and line.source.line == (block[-1].source.line or 0) + 1:
            block.append(line)
        else:
            yield from _joined(block)
            block = [line]
    yield from _joined(block)


def _joined(block: List[Record]) -> Iterator[Record]:
    if block:
        yield Record([line.value for line in block], block[0].source)


def array_items(text: str, path: Path) -> Iterator[Union[Record, Problem]]:
    """The items of a JSON array, decoded one by one, with the line on which each begins; none of a text that is empty.

    Where the array is broken a Problem comes last.
    """
    decoder = json.JSONDecoder()
    at, line, counted, before = _solid(text, 0), 1, 0, "["
    if at == len(text):
        return
    while text.startswith(before, at):
        at = _solid(text, at + 1)
        if before == "[" and text.startswith("]", at):
            break
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield Problem(place(path, getattr(error, "lineno", line)), f"not JSON: {error}; nothing after it was read")
            return
        yield Record(value, Source(str(path), line))
        at, before = _solid(text, at), ","
    if text[at:].strip() != "]":
        wanted = "',' or the closing ']'" if before == "," else "a JSON array, [...],"
        yield Problem(place(path, line), f"expected {wanted} here, not {text[at : at + 20]!r}; nothing after it was read")


def _solid(text: str, start: int) -> int:
    """Where the next character that is not white space stands."""
    found: Optional[re.Match[str]] = SPACE.match(text, start)
    return found.end() if found else start


def json_object(text: str) -> Dict[str, Any]:
    """A line as one JSON object."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error.msg} at column {error.colno}; expected one whole object on the line") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON that can be read: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(f"expected a JSON object {{...}} on the line, here it begins {text.strip()[:20]!r}")
    return value
