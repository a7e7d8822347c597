"""What all readers share: the path is checked, bad records are collected with file and line, ids are unique."""

import json
import logging
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterator, List, Literal, NamedTuple, Union

from relcon.data.document import Document, Source
from relcon.errors import DataError, Problem, RecordError, RelconError, place
from relcon.interfaces import DatasetReader

logger = logging.getLogger(__name__)

OnError = Literal["raise", "skip"]


class Record(NamedTuple):
    """A raw record (a line, a block of lines, an element) and where it begins."""

    value: Any
    source: Source

    @property
    def place(self) -> str:
        """`file:line` for messages."""
        return place(self.source.path, self.source.line)

    @property
    def name(self) -> str:
        """An id for a record that has none of its own: the file's name and the line."""
        return f"{Path(self.source.path).stem}-{self.source.line}"


class RecordReader(DatasetReader):
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
        wanted = {"file": path.is_file(), "folder": path.is_dir(), "either": path.exists()}[self.takes]
        if not wanted:
            found = "does not exist" if not path.exists() else "is a folder" if path.is_dir() else "is a file"
            raise RelconError(f"{path} {found}; expected {self.expected}.")
        return self._read(path)

    def _read(self, path: Path) -> Iterator[Document]:
        count, problems, seen = 0, [], Seen()
        try:
            for record in self.records(path):
                count += 1
                document = self._attempt(record, seen)
                if isinstance(document, Problem):
                    problems.append(document)
                elif not problems or self.on_error == "skip":
                    yield document
        except OSError as error:
            raise RelconError(f"{error.filename or path} cannot be read: {error.strerror or error}.") from error
        if not count:
            raise RelconError(f"{path} holds no record; expected {self.expected}.")
        if problems:
            self._report(path, problems, count)

    def _attempt(self, record: Union[Record, Problem], seen: "Seen") -> Union[Document, Problem]:
        """The document, or what is wrong with the record."""
        if isinstance(record, Problem):
            return record
        try:
            document = self.document(record)
            seen.add(document.id, record.place)
        except RecordError as error:
            return Problem(error.where or record.place, str(error))
        return document

    def _report(self, path: Path, problems: List[Problem], count: int) -> None:
        error = DataError(problems, f"{len(problems)} of {count} records of {path} are wrong:")
        if self.on_error == "raise" or len(problems) == count:
            raise error
        logger.warning("Skipped: %s", error)


class Seen:
    """The document ids met so far and where."""

    def __init__(self) -> None:
        self.places: Dict[str, str] = {}

    def add(self, name: str, where: str) -> None:
        """RecordError where the id stands already elsewhere."""
        if name in self.places:
            raise RecordError(f"the id '{name}' stands already at {self.places[name]}; ids must be unique within a split")
        self.places[name] = where


def lines(path: Path) -> Iterator[Union[Record, Problem]]:
    """The lines of a UTF-8 file that are not blank, without line end (LF or CRLF), or a Problem where a line is not UTF-8."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                yield Problem(place(path, number), f"not UTF-8 text at byte {error.start + 1} of the line; save the file as UTF-8")
                continue
            if text.strip():
                yield Record(text, Source(str(path), number))


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
