"""Several splits one after the other, as one: `train+dev`. Nothing is decoded or copied; an item comes from its own split."""

from typing import Callable, Dict, Generic, List, Optional, Sequence, TypeVar

import numpy as np

from relcon.data.document import Document, Instance
from relcon.data.sequences import Documents, Instances, Numbers, Pairs, groups_of, hashes_of, ids_of, labels_of, pairs_of
from relcon.errors import RelconError
from relcon.interfaces import Corpus, Split

Item = TypeVar("Item")
Value = TypeVar("Value")


def split_names(text: str) -> List[str]:
    """The names in a sum of splits: "train+dev" names two; the name of one split stands for itself."""
    return [name.strip() for name in text.split("+")]


def split_of(corpus: Corpus, text: str) -> Split:
    """The split of a corpus that a text names, or, of a sum ("train+dev"), all of them one after the other.

    RelconError where the corpus has none of a name, or two of them share a document.
    """
    splits = [corpus.split(name) for name in split_names(text)]
    return splits[0] if len(splits) == 1 else joined(splits)


def joined(splits: Sequence[Split]) -> Split:
    """Splits of one corpus as one: their documents, instances and lost relations, in this order.

    Its name is the sum of theirs. RelconError where two of them share a document's id.
    """
    _refuse_shared(splits)
    return Split(
        "+".join(split.name for split in splits),
        JoinedDocuments([split.documents for split in splits]),
        JoinedInstances([split.instances for split in splits]),
        splits[0].labels,
        [lost for split in splits for lost in split.lost],
        all(split.complete_annotation for split in splits),
        partial=any(split.partial for split in splits),
    )


def _refuse_shared(splits: Sequence[Split]) -> None:
    """Ids tell documents apart: in evaluation, in divisions, and whenever instances look for their document."""
    home: Dict[str, str] = {}
    for split in splits:
        ids = ids_of(split.documents)
        shared = [name for name in ids if name in home]
        if shared:
            raise RelconError(
                f"The splits '{home[shared[0]]}' and '{split.name}' cannot be joined: {len(shared)} documents are in both, the first is "
                f"'{shared[0]}'. Give the documents of every file ids of their own; a dev_share must divide by document."
            )
        home.update(dict.fromkeys(ids, split.name))


class _Joined(Generic[Item]):
    """The items of several sequences one after the other: all of them, or those at certain places.

    parts: the sequences. numbers: [N] which items, counted over all parts; None for all.
    """

    def __init__(self, parts: Sequence[Sequence[Item]], numbers: Optional[Numbers] = None):
        self.parts = list(parts)
        ends = np.cumsum([len(part) for part in self.parts])
        self.starts = np.concatenate([[0], ends[:-1]])
        self.numbers = np.arange(ends[-1]) if numbers is None else numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def item(self, place: int) -> Item:
        """The item at a place from 0, as its own sequence gives it."""
        number = int(self.numbers[place])
        part = int(np.searchsorted(self.starts, number, side="right")) - 1
        return self.parts[part][number - int(self.starts[part])]

    def at(self, numbers: Sequence[int]) -> Numbers:
        """What `numbers` is of the items at these places."""
        return self.numbers[np.asarray(numbers, dtype=np.int64)]

    def column(self, values: Callable[[Sequence[Item]], Sequence[Value]]) -> List[Value]:
        """One value of each item. values: of all items of a sequence."""
        every = [value for part in self.parts for value in values(part)]
        return [every[number] for number in self.numbers.tolist()]


class JoinedDocuments(_Joined[Document], Documents):
    """Documents of several sequences one after the other."""

    def decode(self, place: int) -> Document:
        """The document at a place from 0."""
        return self.item(place)

    def take(self, numbers: Sequence[int]) -> "JoinedDocuments":
        """Those at these places, in this order; decodes none."""
        return JoinedDocuments(self.parts, self.at(numbers))

    def ids(self) -> List[str]:
        """The id of each."""
        return self.column(ids_of)

    def groups(self) -> List[str]:
        """What must stay on one side of a division, of each."""
        return self.column(groups_of)

    def hashes(self) -> List[bytes]:
        """The content hash of each."""
        return self.column(hashes_of)


class JoinedInstances(_Joined[Instance], Instances):
    """Instances of several sequences one after the other."""

    def make(self, place: int) -> Instance:
        """The instance at a place from 0."""
        return self.item(place)

    def take(self, numbers: Sequence[int]) -> "JoinedInstances":
        """Those at these places, in this order; makes none."""
        return JoinedInstances(self.parts, self.at(numbers))

    def labels(self) -> List[Optional[str]]:
        """The label of each."""
        return self.column(labels_of)

    def pairs(self, documents: Sequence[Document]) -> Pairs:
        """All of them as columns."""
        every = [pairs_of(part, documents) for part in self.parts]
        document, head, tail = (np.concatenate([pairs[column] for pairs in every])[self.numbers] for column in range(3))
        labels = self.labels()
        names = sorted({label for label in labels if label is not None})
        number = {name: at for at, name in enumerate(names)}
        label = np.array([-1 if each is None else number[each] for each in labels], dtype=np.int32)
        return Pairs(document, head, tail, label, tuple(names))
