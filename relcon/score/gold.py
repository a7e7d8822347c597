"""What is right: labelled documents, or a key of SemEval-2010 answers."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Collection, Container, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple

from relcon.config import resolve
from relcon.data.corpus import where
from relcon.data.document import Document
from relcon.data.glimpse import glimpse
from relcon.errors import DataError, Problem, RelconError
from relcon.evaluators.semeval2010 import ANSWERS, read_answers
from relcon.interfaces import DatasetReader

READER = "relcon.JSONLines.v1"
"""What reads labelled documents unless another reader is named."""

Pair = Tuple[str, int, int]
"""A document and the entity numbers of head and tail."""


@dataclass(frozen=True)
class Gold:
    """What is right.

    path: where it was read. documents: by id; {} of a key, whose items have two entities each, 0 and 1. pairs: the marked pairs with their
    different labels, in order. symmetric: labels that hold in both directions.
    """

    path: Path
    documents: Mapping[str, Document]
    pairs: Mapping[Pair, Tuple[str, ...]]
    symmetric: FrozenSet[str] = frozenset()

    @cached_property
    def ids(self) -> Collection[str]:
        """The documents, or the items of a key."""
        return self.documents.keys() if self.documents else dict.fromkeys(document for document, _, _ in self.pairs)

    def entities(self, document: str) -> int:
        """How many entities a document has."""
        return len(self.documents[document].entities) if self.documents else 2

    def only(self, ids: Collection[str]) -> "Gold":
        """The part in these documents."""
        pairs = {pair: labels for pair, labels in self.pairs.items() if pair[0] in ids}
        return replace(self, documents={name: each for name, each in self.documents.items() if name in ids}, pairs=pairs)


def as_marked(pair: Pair, label: str, marked: Container[Pair], symmetric: Container[str]) -> Pair:
    """A pair as it is marked: the other way round where only that is marked and the label holds in both directions."""
    turned = (pair[0], pair[2], pair[1])
    return turned if label in symmetric and pair not in marked and turned in marked else pair


def read_gold(path: Path, reader: Optional[str] = None, symmetric: Iterable[str] = ()) -> Gold:
    """Labelled documents, or a key.

    reader: its name; None for relcon's own documents, unless the file is a key. DataError where a marked pair has no label, RelconError
    where there is nothing to score.
    """
    free = frozenset(symmetric)
    if reader is None and is_answers(path):
        return Gold(path, {}, {(item, 0, 1): (label,) for item, label in read_answers(path).items()}, free)
    documents = {document.id: document for document in read_documents(path, reader, "--reader")}
    pairs: Dict[Pair, List[str]] = {}
    problems = []
    for document in documents.values():
        for relation in document.relations:
            if relation.label is None:
                problems.append(Problem(where(document), f"the pair of entities {relation.head} and {relation.tail} has no label"))
                continue
            labels = pairs.setdefault(as_marked((document.id, relation.head, relation.tail), relation.label, pairs, free), [])
            if relation.label not in labels:
                labels.append(relation.label)
    if problems:
        raise DataError(problems, f"{path} cannot say what is right:")
    if not pairs:
        raise RelconError(f"{path} has no labelled relation, so there is nothing to score.")
    return Gold(path, documents, {pair: tuple(labels) for pair, labels in pairs.items()}, free)


def read_documents(path: Path, reader: Optional[str], option: str) -> List[Document]:
    """The documents of a file or folder. option: that which names the reader. RelconError where there are none."""
    read: DatasetReader = resolve({"@readers": reader or READER}, option)
    documents = list(read.read(path))
    if not documents:
        raise RelconError(f"{path} holds no document that {reader or READER} can read. Name another reader: {option}.")
    return documents


def is_answers(path: Path) -> bool:
    """Whether a file begins as answers of SemEval-2010 Task 8 do, `ID TAB LABEL`."""
    first = next(iter(glimpse(path).lines), "")
    return first.partition("\t")[2] in ANSWERS
