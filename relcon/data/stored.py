"""Documents in an Arrow file and instances on them: sequences that decode an item when it is asked for."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple
from weakref import WeakValueDictionary

import numpy as np
import pyarrow as pa

from relcon.data.arrow import ArrowFile
from relcon.data.columns import DOCUMENTS, DocumentRows
from relcon.data.document import Document, Instance, instance_uid
from relcon.data.sequences import Documents, Instances, Numbers, Pairs, ids_of

HELD_WORDS = 500_000
"""So many words of decoded documents stay in memory, about 100 MB: all of a corpus such as SemEval or ChemProt, a part of a large one."""
RELEASED_AFTER = 200
"""So many documents are decoded before the pages of the file that they lie on are let go: 60 MB, where all lie apart."""


class DocumentFile:
    """The documents of an Arrow file by number. One that somebody holds is never decoded twice, so that there is one object of it.

    file: with the columns of `DOCUMENTS`. below: the path that their sources are relative to.
    """

    def __init__(self, file: ArrowFile, below: Path):
        self.file, self.below = file, below
        self.rows: List[Optional[DocumentRows]] = [None] * len(file.batches)
        self.alive: WeakValueDictionary[int, Document] = WeakValueDictionary()
        self.recent: OrderedDict[int, Document] = OrderedDict()
        self.held = self.decoded = 0
        self.lock = threading.Lock()

    def __reduce__(self) -> Tuple[Any, ...]:
        """Another process opens the same file."""
        return _reopened, (self.file.path, self.below)

    def document(self, number: int) -> Document:
        """The document of a number. RelconError where the file is damaged there."""
        with self.lock:
            document = self.recent.get(number)
            if document is not None:
                self.recent.move_to_end(number)
                return document
            document = self.alive.get(number)
            if document is None:
                document = self.alive[number] = self._decode(number)
            self._hold(number, document)
            return document

    def _decode(self, number: int) -> Document:
        batch, row = self.file.locate(number)
        rows = self.rows[batch] or DocumentRows(self.file.batch(batch), self.below)
        self.rows[batch] = rows
        document = rows[row]
        self.decoded += 1
        if self.decoded % RELEASED_AFTER == 0:
            self.file.release()
        return document

    def _hold(self, number: int, document: Document) -> None:
        """Keep a document in memory, and let those go that were asked for longest ago."""
        self.recent[number] = document
        self.held += len(document.words)
        while self.held > HELD_WORDS:
            _, dropped = self.recent.popitem(last=False)
            self.held -= len(dropped.words)


def _reopened(path: Path, below: Path) -> DocumentFile:
    return DocumentFile(ArrowFile(path, DOCUMENTS), below)


class StoredDocuments(Documents):
    """Documents of a file: all of them, or those with certain numbers.

    file: where they lie. numbers: [N] which; None for all.
    """

    def __init__(self, file: DocumentFile, numbers: Optional[Numbers] = None):
        self.source = file
        self.numbers = np.arange(len(file.file), dtype=np.int32) if numbers is None else numbers
        self.whole = numbers is None

    def __reduce__(self) -> Tuple[Any, ...]:
        return StoredDocuments, (self.source, None if self.whole else self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def decode(self, place: int) -> Document:
        """The document at a place from 0."""
        return self.source.document(int(self.numbers[place]))

    def take(self, numbers: Sequence[int]) -> "StoredDocuments":
        """Those at these places; decodes none."""
        return StoredDocuments(self.source, self.numbers[np.asarray(numbers, dtype=np.int64)])

    def ids(self) -> List[str]:
        """The id of each."""
        return self._column("id")

    def groups(self) -> List[str]:
        """What must stay on one side of a division, of each."""
        return self._column("group")

    def hashes(self) -> List[bytes]:
        """The content hash of each."""
        return self._column("hash")

    def relation_labels(self) -> Set[str]:
        """The labels of all relations; from the notes of the file where these are all its documents."""
        if self.whole:
            return {label for notes in self.source.file.notes for label in notes["labels"]}
        return super().relation_labels()

    def _column(self, name: str) -> List[Any]:
        column = self.source.file.column(name)
        values: List[Any] = (column if self.whole else column.take(pa.array(self.numbers))).to_pylist()
        return values


class StoredInstances(Instances):
    """Instances as columns.

    file: of their documents. document: [N] number of the document in the file. head, tail: [N] entity numbers.
    label: [N] number in `names`, -1 for none.
    """

    def __init__(self, file: DocumentFile, document: Numbers, head: Numbers, tail: Numbers, label: Numbers, names: Sequence[str]):
        self.source, self.names = file, tuple(names)
        self.document, self.head, self.tail, self.label = document, head, tail, label

    def __len__(self) -> int:
        return len(self.document)

    def make(self, place: int) -> Instance:
        """The instance at a place from 0."""
        document, label = self.source.document(int(self.document[place])), int(self.label[place])
        head, tail = int(self.head[place]), int(self.tail[place])
        return Instance(document, head, tail, self.names[label] if label >= 0 else None, instance_uid(document, head, tail))

    def take(self, numbers: Sequence[int]) -> "StoredInstances":
        """Those at these places; makes none."""
        at = np.asarray(numbers, dtype=np.int64)
        return StoredInstances(self.source, self.document[at], self.head[at], self.tail[at], self.label[at], self.names)

    def labels(self) -> List[Optional[str]]:
        """The label of each."""
        names = (*self.names, None)  # -1 is the last
        return [names[number] for number in self.label.tolist()]

    def pairs(self, documents: Sequence[Document]) -> Pairs:
        """All of them as columns."""
        where = np.full(len(self.source.file), -1, dtype=np.int32)
        if isinstance(documents, StoredDocuments) and documents.source is self.source:
            where[documents.numbers] = np.arange(len(documents), dtype=np.int32)
        else:
            place: Dict[str, int] = {name: number for number, name in enumerate(ids_of(documents))}
            where[:] = [place.get(name, -1) for name in StoredDocuments(self.source).ids()]
        used = np.unique(self.label[self.label >= 0])
        order = sorted(used.tolist(), key=self.names.__getitem__)
        renumbered = np.full(len(self.names) + 1, -1, dtype=np.int32)  # -1 is the last
        renumbered[order] = np.arange(len(order), dtype=np.int32)
        return Pairs(where[self.document], self.head, self.tail, renumbered[self.label], tuple(self.names[each] for each in order))
