"""Documents of a reader as record batches, read in parts where the format allows it."""

from abc import abstractmethod
from itertools import islice
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

import pyarrow as pa

from relcon.data.columns import to_batch
from relcon.data.document import Document
from relcon.data.workers import Workers
from relcon.errors import DataError, Problem, RecordError, place
from relcon.interfaces import DatasetReader

BATCH_WORDS, BATCH_DOCUMENTS = 100_000, 1_000
"""A record batch holds so many words or documents, whichever come first: a few megabytes."""


class Part(NamedTuple):
    """A piece of a file: bytes [start, end), end None for the end of the file, and the number of its first line."""

    start: int = 0
    end: Optional[int] = None
    line: int = 1


WHOLE = Part()


class Found(NamedTuple):
    """A document and where its record begins (`file:line`)."""

    document: Document
    where: str


class Tally:
    """What was met while a file is read: bad records, and the ids that there are and where. It decides what becomes of each record."""

    def __init__(self) -> None:
        self.count = 0
        self.problems: List[Problem] = []
        self.places: Dict[str, str] = {}

    def keeps(self, record: Union[Problem, Tuple[str, str]]) -> bool:
        """Whether a record, a problem or the id and place of a document, is a document that the split may have."""
        self.count += 1
        if not isinstance(record, Problem):
            try:
                self.note(*record)
            except RecordError as error:
                record = Problem(error.where or record[1], str(error))
        if isinstance(record, Problem):
            self.problems.append(record)
        return not isinstance(record, Problem)

    def note(self, name: str, where: str) -> None:
        """RecordError where the id stands already elsewhere."""
        if name in self.places:
            raise RecordError(f"the id '{name}' stands already at {self.places[name]}; ids must be unique within a split")
        self.places[name] = where


class PartedReader(DatasetReader):
    """A reader whose input can be cut into parts that are read apart from each other."""

    @abstractmethod
    def parts(self, path: Path) -> List[Part]:
        """The parts in order; one where the format cannot be cut. RelconError where the path is nothing for this reader."""

    @abstractmethod
    def outcomes(self, path: Path, part: Part) -> Iterator[Union[Found, Problem]]:
        """The records of a part, in order. Ids are not compared."""

    @abstractmethod
    def wanted(self, tally: Tally, record: Union[Problem, Tuple[str, str]]) -> bool:
        """Whether a record, noted in the tally, is a document to be handed out."""

    @abstractmethod
    def finish(self, path: Path, tally: Tally) -> None:
        """Say what was wrong with the whole of the file."""


class ReadPart(NamedTuple):
    """What a process makes of a part: its records in order, without the documents, and these as record batches."""

    records: List[Union[Problem, Tuple[str, str]]]
    batches: List[pa.RecordBatch]


def document_batches(reader: DatasetReader, path: Path, limit: Optional[int], workers: Workers) -> Iterator[pa.RecordBatch]:
    """The documents of a path as record batches.

    limit: only the first so many; they are read by one process. DataError where records are wrong or an id is used twice.
    """
    parts = reader.parts(path) if isinstance(reader, PartedReader) and workers.count > 1 and limit is None else []
    if isinstance(reader, PartedReader) and len(parts) > 1:
        return _from_parts(reader, path, parts, workers)
    return batches_of(unique(islice(reader.read(path), limit)), path)


def batches_of(documents: Iterable[Document], path: Path) -> Iterator[pa.RecordBatch]:
    """Documents as record batches, one after the other; path: what their sources become relative to."""
    waiting: List[Document] = []
    words = 0
    for document in documents:
        waiting.append(document)
        words += len(document.words)
        if words >= BATCH_WORDS or len(waiting) >= BATCH_DOCUMENTS:
            yield to_batch(waiting, path)
            waiting, words = [], 0
    if waiting:
        yield to_batch(waiting, path)


def _from_parts(reader: PartedReader, path: Path, parts: List[Part], workers: Workers) -> Iterator[pa.RecordBatch]:
    """The wanted documents of all parts."""
    tally = Tally()
    for done in workers.map(read_part, (reader, path), parts):
        wanted = [(not isinstance(record, Problem), reader.wanted(tally, record)) for record in done.records]
        mask = [want for is_document, want in wanted if is_document]
        for batch in done.batches:
            chosen, mask = mask[: batch.num_rows], mask[batch.num_rows :]
            if any(chosen):
                yield batch if all(chosen) else batch.filter(pa.array(chosen))
    reader.finish(path, tally)


def read_part(reader: PartedReader, path: Path, part: Part) -> ReadPart:
    """The records of one part, in whatever process."""
    records: List[Union[Problem, Tuple[str, str]]] = []

    def documents() -> Iterator[Document]:
        for each in reader.outcomes(path, part):
            records.append(each if isinstance(each, Problem) else (each.document.id, each.where))
            if isinstance(each, Found):
                yield each.document

    batches = list(batches_of(documents(), path))
    return ReadPart(records, batches)


def unique(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents as they come. DataError at their end where an id was used more than once, with every place of it."""
    first: Dict[str, Tuple[int, str]] = {}
    more: Dict[str, List[Tuple[int, str]]] = {}
    for number, document in enumerate(documents):
        here = (number, where(document))
        if first.setdefault(document.id, here) != here:
            more.setdefault(document.id, [first[document.id]]).append(here)
        yield document
    repeated = sorted((*here, name) for name, places in more.items() for here in places)
    problems = [Problem(at, f"document id '{name}' is used {len(more[name])} times.") for _, at, name in repeated]
    if problems:
        raise DataError(problems, "Every document of a split needs an id of its own:")


def where(document: Document) -> str:
    """The file and line of a document, or its id where the reader does not say."""
    return place(document.source.path, document.source.line) if document.source else f"document '{document.id}'"
