"""Documents and instances of a split as sequences that need not be in memory, and what to ask of any sequence of them.

A split holds `Sequence[Document]` and `Sequence[Instance]`. A list is one. So are `Documents` and `Instances`, which decode an item
when it is asked for and answer what concerns all items (labels, ids, parts) from columns. The functions below take either: whoever
wants one fact of every item uses them instead of a loop, which would decode each item.
"""

import hashlib
from abc import abstractmethod
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple, Union, overload

import numpy as np

from relcon.data.document import Document, Instance, group_of

Numbers = np.ndarray
"""A column of whole numbers."""

HASH_BYTES = 16


class Pairs(NamedTuple):
    """Instances without their documents, one row each.

    document: [N] the place of the document in the documents of the split; -1 where it is not among them.
    head, tail: [N] entity numbers. label: [N] number of the label in `labels`, -1 for none. labels: the names that occur, sorted.
    All columns are of 32 bits, so that equal instances have equal bytes.
    """

    document: Numbers
    head: Numbers
    tail: Numbers
    label: Numbers
    labels: Tuple[str, ...]


class Documents(Sequence[Document]):
    """Documents that are decoded on access. Whoever holds one gets the very same object again."""

    @abstractmethod
    def ids(self) -> List[str]:
        """The id of each."""

    @abstractmethod
    def groups(self) -> List[str]:
        """`group_of` each."""

    @abstractmethod
    def hashes(self) -> List[bytes]:
        """`content_hash` of each."""

    def relation_labels(self) -> Set[str]:
        """The labels of all relations."""
        return _relation_labels(self)

    @abstractmethod
    def take(self, numbers: Sequence[int]) -> "Documents":
        """Those at these places, in this order; decodes none."""

    @overload
    def __getitem__(self, place: int) -> Document: ...
    @overload
    def __getitem__(self, place: slice) -> "Documents": ...
    def __getitem__(self, place: Union[int, slice]) -> Union[Document, "Documents"]:
        """A document; a slice gives documents that are decoded on access, too."""
        return self.take(range(len(self))[place]) if isinstance(place, slice) else self.decode(range(len(self))[place])

    @abstractmethod
    def decode(self, place: int) -> Document:
        """The document at a place from 0."""

    def __eq__(self, other: object) -> bool:
        return _equal(self, other)


class Instances(Sequence[Instance]):
    """Instances that are made on access, each time anew, on documents that are decoded on access."""

    @abstractmethod
    def labels(self) -> List[Optional[str]]:
        """The label of each."""

    @abstractmethod
    def pairs(self, documents: Sequence[Document]) -> Pairs:
        """All of them as columns; documents: those of the split."""

    @abstractmethod
    def take(self, numbers: Sequence[int]) -> "Instances":
        """Those at these places, in this order; makes none."""

    @overload
    def __getitem__(self, place: int) -> Instance: ...
    @overload
    def __getitem__(self, place: slice) -> "Instances": ...
    def __getitem__(self, place: Union[int, slice]) -> Union[Instance, "Instances"]:
        """An instance; a slice gives instances that are made on access, too."""
        return self.take(range(len(self))[place]) if isinstance(place, slice) else self.make(range(len(self))[place])

    @abstractmethod
    def make(self, place: int) -> Instance:
        """The instance at a place from 0."""


# ---- of any sequence ---------------------------------------------------------------------------------------------------


def take(items: Sequence[Any], numbers: Sequence[int]) -> Sequence[Any]:
    """The items at these places, in this order: a list of a list, and decoded on access where the items are."""
    return items.take(numbers) if isinstance(items, (Documents, Instances)) else [items[number] for number in numbers]


def ids_of(documents: Sequence[Document]) -> List[str]:
    """The id of each document."""
    return documents.ids() if isinstance(documents, Documents) else [document.id for document in documents]


def groups_of(documents: Sequence[Document]) -> List[str]:
    """What must stay on one side of a division, of each document (`group_of`)."""
    return documents.groups() if isinstance(documents, Documents) else [group_of(document) for document in documents]


def hashes_of(documents: Sequence[Document]) -> List[bytes]:
    """A hash of what training and evaluation see of each document."""
    return documents.hashes() if isinstance(documents, Documents) else [content_hash(document) for document in documents]


def labels_of(instances: Sequence[Instance]) -> List[Optional[str]]:
    """The label of each instance, None where it has none."""
    return instances.labels() if isinstance(instances, Instances) else [instance.label for instance in instances]


def pairs_of(instances: Sequence[Instance], documents: Sequence[Document]) -> Pairs:
    """Instances as columns; documents: those of their split."""
    if isinstance(instances, Instances):
        return instances.pairs(documents)
    place = {name: number for number, name in enumerate(ids_of(documents))}
    names = sorted({each.label for each in instances if each.label is not None})
    number: Dict[Optional[str], int] = {name: at for at, name in enumerate(names)}
    number[None] = -1
    rows = [(place.get(each.document.id, -1), each.head, each.tail, number[each.label]) for each in instances]
    document, head, tail, label = np.ascontiguousarray(np.array(rows, dtype=np.int32).reshape(-1, 4).T)
    return Pairs(document, head, tail, label, tuple(names))


def relation_labels_of(documents: Sequence[Document]) -> Set[str]:
    """The labels of all relations of documents."""
    return documents.relation_labels() if isinstance(documents, Documents) else _relation_labels(documents)


def content_hash(document: Document) -> bytes:
    """A hash of what training and evaluation see of a document: all but its text, where it was read, and its metadata."""
    seen: Tuple[Any, ...] = (document.id, document.words, document.sentences, document.entities, document.relations, document.parse)
    scores = tuple(entity.score for entity in document.entities)
    if any(score is not None for score in scores):
        seen = (*seen, scores)
    return hashlib.sha256(repr(seen).encode("utf-8", "surrogatepass")).digest()[:HASH_BYTES]


def _relation_labels(documents: Sequence[Document]) -> Set[str]:
    return {relation.label for document in documents for relation in document.relations if relation.label is not None}


def _equal(documents: Sequence[Document], other: object) -> bool:
    """Whether two sequences hold equal documents in the same order."""
    if not isinstance(other, Sequence) or isinstance(other, str):
        return NotImplemented
    return len(documents) == len(other) and all(one == two for one, two in zip(documents, other, strict=True))
