"""Samplers of whole documents: which documents can be used, in which order, and what their relations are called."""

import logging
import zlib
from collections import Counter
from typing import Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple

import torch

from relcon.data.document import Document
from relcon.data.relations import RelationInstance, relation_instances
from relcon.errors import RelconError
from relcon.files import read_json
from relcon.interfaces import Sampler, Split
from relcon.samplers.common import at_least, cut

logger = logging.getLogger(__name__)

Half = Literal["all", "first", "second"]
"""Which part of an epoch's documents a sampler gets."""

SHOWN = 10
"""Relations without a name that a warning tells by their ids."""

NAMES_FORM = 'names of relations, {"ID": "NAME"} or [{"id": "ID", "name": "NAME"}]'
"""What a file of names holds, for messages."""

KEPT = 3
"""Splits whose usable documents are remembered beside the newest: training and validation take turns."""


class Usable(NamedTuple):
    """numbers: of the documents that can be used. instances: how many relation instances the whole split has."""

    numbers: List[int]
    instances: int


class DocumentSampler(Sampler):
    """Base: every epoch has all documents with a relation, or one half of them, in batches of documents.

    batch_size: documents of a batch. half: the first or the second half of the epoch's permutation, which depends on `seed` and the epoch
    alone: two streams with the same data, seed and names cut the same one. names: a file that gives relations their names; relations
    without a name are not used, and a warning counts their instances. A relation of an entity with itself is not used either. What counts
    are the relations of the documents, whatever pairs a candidate rule asks about.
    """

    def __init__(self, batch_size: int, half: Half, seed: int, names: Optional[str]):
        self.batch_size, self.half, self.seed, self.names = at_least("batch_size", batch_size, 1), half, seed, names
        self._names: Optional[Dict[str, str]] = None
        self._usable: List[Tuple[Split, Usable]] = []

    def name_of(self, label: str) -> Optional[str]:
        """What a relation is called: itself, where there is no file of names; None where the file does not name it."""
        if self.names is None:
            return label
        if self._names is None:
            self._names = read_names(self.names)
        return self._names.get(label)

    def relations(self, document: Document, data: Split) -> List[RelationInstance]:
        """The relation instances of a document that can be used."""
        every = relation_instances(document, data.labels.negative)
        return [each for each in every if each.head != each.tail and self.name_of(each.label) is not None]

    def usable(self, data: Split) -> Usable:
        """The documents that can be used; how many cannot, and which relations have no name, is logged once. RelconError where there is
        none."""
        known = next((found for split, found in self._usable if split is data), None)
        if known is None:
            known = self._look(data)
            self._usable = [*self._usable[-KEPT:], (data, known)]
        return known

    def _look(self, data: Split) -> Usable:
        numbers: List[int] = []
        relations: Counter[str] = Counter()
        for number, document in enumerate(data.documents):
            relations.update(each.label for each in relation_instances(document, data.labels.negative))
            if self.relations(document, data):
                numbers.append(number)
        self._tell_unnamed(relations, data)
        named = "" if self.names is None else f" that {self.names} names"
        if not numbers:
            raise RelconError(f"None of the {len(data.documents)} documents of the split '{data.name}' has a relation{named}.")
        left_out = len(data.documents) - len(numbers)
        if left_out:
            logger.info("[%s] %s: %d documents have no relation%s and are left out", data.name, type(self).__name__, left_out, named)
        return Usable(numbers, relations.total())

    def _tell_unnamed(self, relations: "Counter[str]", data: Split) -> None:
        """A warning that is the same for all streams with this file of names, so that a run shows it once."""
        unnamed = {label: count for label, count in relations.most_common() if self.name_of(label) is None}
        if unnamed:
            shown = ", ".join(f"{label} ({count})" for label, count in list(unnamed.items())[:SHOWN])
            more = f" and {len(unnamed) - SHOWN} more" if len(unnamed) > SHOWN else ""
            said = "[%s] %d of %d relation instances are not used, because %s has no name for their relations: %s%s"
            logger.warning(said, data.name, sum(unnamed.values()), relations.total(), self.names, shown, more)

    def check(self, data: Split) -> None:
        """RelconError where no batch can be made."""
        self.length(data)

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        count = len(halved(self.usable(data).numbers, self.half))
        if not count:
            raise RelconError(f"The {self.half} half of the one document of the split '{data.name}' is empty. Give more documents.")
        return -(-count // self.batch_size)

    def drawn(self, data: Split, epoch: int) -> Iterator[List[Document]]:
        """The documents of each batch of an epoch."""
        self.length(data)
        numbers = halved(permuted(self.usable(data).numbers, self.seed, epoch), self.half)
        for batch in cut(numbers, self.batch_size):
            yield [data.documents[number] for number in batch]


def permuted(numbers: Sequence[int], seed: int, epoch: int) -> List[int]:
    """In an order that depends on seed and epoch alone."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{epoch}".encode()))
    return [numbers[place] for place in torch.randperm(len(numbers), generator=generator).tolist()]


def halved(numbers: Sequence[int], half: Half) -> Sequence[int]:
    """All of them, the first half (with the one in the middle), or the second."""
    middle = -(-len(numbers) // 2)
    return {"all": numbers, "first": numbers[:middle], "second": numbers[middle:]}[half]


def read_names(path: str) -> Dict[str, str]:
    """Relation id -> its name, from a JSON object `{id: name}` or from a list of objects with `id` and `name`. RelconError where it is
    neither."""
    found = read_json(path, NAMES_FORM)
    if isinstance(found, list) and all(isinstance(each, dict) and {"id", "name"} <= each.keys() for each in found):
        found = {str(each["id"]): each["name"] for each in found}
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise RelconError(f"{path}: expected {NAMES_FORM}.")
    return {key: name for key, name in found.items() if name.strip()}
