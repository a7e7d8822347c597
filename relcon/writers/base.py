"""What the writers share: documents are brought down to what the format holds, and become records of a file."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterable, Iterator, Sequence

from relcon.data.document import Document
from relcon.data.json import json_line
from relcon.files import atomic
from relcon.interfaces import Writer
from relcon.writers.keeping import Kept, Step, through


class StepWriter(Writer):
    """A writer whose format is described by steps (`relcon.writers.keeping`).

    `kept` is the document that its reader makes of what was written, but for where it was read; what the steps take away is lost. Numbers
    of entities may change, and what was absent may be there: an id, a type, a text.
    """

    @property
    @abstractmethod
    def steps(self) -> Sequence[Step]:
        """What brings a document down to what is written."""

    @property
    def read_as(self) -> Sequence[Step]:
        """What the reader makes of it beyond that: other words, say. Nothing unless overridden."""
        return ()

    def kept(self, document: Document) -> Kept:
        """The document as it comes back, and what does not come back."""
        return through(document, [*self.steps, *self.read_as])

    def losses(self, document: Document) -> Dict[str, int]:
        """See `Writer`."""
        unfit = self.unfit(document)
        return {unfit: 1} if unfit else dict(self.kept(document).losses)

    def fit(self, documents: Iterable[Document]) -> Iterator[Document]:
        """What is written of each document; those that the format cannot hold are left out."""
        return (through(document, self.steps).document for document in documents if not self.unfit(document))


class RecordWriter(StepWriter):
    """A writer of one JSON file with a record, or several, for each document.

    opening, between, closing: what stands before, between and behind the records; those of JSON-lines unless overridden.
    """

    opening: ClassVar[str] = ""
    between: ClassVar[str] = "\n"
    closing: ClassVar[str] = "\n"

    @abstractmethod
    def records(self, document: Document) -> Iterator[Dict[str, Any]]:
        """The JSON objects of a document that has gone through the steps."""

    def write(self, documents: Iterable[Document], path: Path) -> int:
        """See `Writer`. The file appears whole or not at all; documents are written as they come."""
        count, before = 0, ""
        with atomic(path) as file:
            file.write(self.opening)
            for document in self.fit(documents):
                count += 1
                for record in self.records(document):
                    file.write(before + json_line(record))
                    before = self.between
            file.write(self.closing)
        return count


class ArrayWriter(RecordWriter):
    """A writer of one JSON array, a record a line."""

    opening, between, closing = "[\n", ",\n", "\n]\n"
