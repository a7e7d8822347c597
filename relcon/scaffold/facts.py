"""What data say of the config that reads them: labels, which of them is none, types, directions, how far apart related entities are."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple
from typing import Counter as Counts

from relcon.components import REQUIRED, arguments
from relcon.data.archives import called, resolve
from relcon.data.document import Document, Entity
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader
from relcon.sniffing import Likeness, sniff

NONE = re.compile(
    r"none|other|na|n/a|nil|no|not|neg|negative|false|0|no[_ -]?relation|not[_ -]related|unrelated|.*[-_:](none|false|negative)", re.I
)
"""What labels are called that mean 'no relation'."""

SPLITS = {
    "train": re.compile(r"(?i)(^|[^a-z])train(ing)?([^a-z]|$)"),
    "dev": re.compile(r"(?i)(^|[^a-z])(dev|valid|val|validation|development)([^a-z]|$)"),
    "test": re.compile(r"(?i)(^|[^a-z])test(ing)?([^a-z]|$)"),
}
"""What the files of splits are called."""

WITHIN = 0.95
"""From this share of relations within one sentence on, pairs are asked about sentence by sentence."""

SEVERAL = 0.01
"""Up to this share of pairs with several labels, a pair is given one of them."""


class Found(NamedTuple):
    """Where data lie and how they are read. files: split -> path, as a user writes it. reader: its name. reason: why that one."""

    files: Dict[str, Path]
    reader: str
    reason: str


@dataclass
class Facts:
    """What documents with relations are like.

    documents: how many. labels: label -> relations. unlabelled: relations without one. pairs: (head type, tail type) -> relations that are
    not negative. across: relations of entities that share no sentence. several: pairs with more than one label. single: documents
    with two entities and one relation. untyped: whether an entity has no type. forward: relations whose head stands first in the text.
    """

    documents: int = 0
    labels: Counts[str] = field(default_factory=Counter)
    unlabelled: int = 0
    pairs: Counts[Tuple[str, str]] = field(default_factory=Counter)
    across: int = 0
    forward: int = 0
    several: int = 0
    single: int = 0
    untyped: bool = False

    @property
    def negative(self) -> List[str]:
        """The labels that mean 'no relation' by their names."""
        return sorted(label for label in self.labels if NONE.fullmatch(label))

    @property
    def positive(self) -> int:
        """How many relations are not negative."""
        return sum(count for label, count in self.labels.items() if label not in self.negative)

    @property
    def annotated(self) -> bool:
        """Whether the data name the pairs that are asked about: the negative ones too, or one pair in each document."""
        return bool(self.negative) or self.single == self.documents

    @property
    def within(self) -> bool:
        """Whether related entities share a sentence, but for a few."""
        return self.across <= (1 - WITHIN) * max(self.positive, 1)

    @property
    def multi_label(self) -> bool:
        """Whether more than a few pairs have several labels."""
        return self.several > SEVERAL * max(self.positive, 1)

    @property
    def types(self) -> Optional[List[List[str]]]:
        """The types of related entities; None where some entity has none, or there are too many to be a filter."""
        return None if self.untyped or len(self.pairs) > 40 else [list(pair) for pair in sorted(self.pairs)]

    @property
    def directed(self) -> bool:
        """Whether the types do not tell which of two entities is the head."""
        return self.types is None or any((tail, head) in self.pairs for head, tail in self.pairs)

    @property
    def entity_types(self) -> List[str]:
        """The types of related entities, the most frequent heads first."""
        return list(dict.fromkeys(name for pair, _ in self.pairs.most_common() for name in pair))

    def add(self, document: Document) -> None:
        """Count a document in."""
        self.documents += 1
        self.single += len(document.entities) == 2 and len(document.relations) == 1
        self.untyped |= any(not entity.type for entity in document.entities)
        labels: Dict[Tuple[int, int], Set[str]] = {}
        for relation in document.relations:
            if relation.label is None:
                self.unlabelled += 1
                continue
            self.labels[relation.label] += 1
            labels.setdefault((relation.head, relation.tail), set()).add(relation.label)
            if not NONE.fullmatch(relation.label):
                head, tail = document.entities[relation.head], document.entities[relation.tail]
                self.pairs[head.type, tail.type] += 1
                self.across += not share_sentence(document, head, tail)
                self.forward += head.first <= tail.first
        self.several += sum(len(names) > 1 for names in labels.values())


def share_sentence(document: Document, one: Entity, other: Entity) -> bool:
    """Whether some mention of the one and some mention of the other begin in the same sentence."""
    places = [{document.sentence_of(mention.start) for mention in entity.mentions} for entity in (one, other)]
    return bool(places[0] & places[1])


def facts_of(documents: Iterable[Document]) -> Facts:
    """What all of the documents are like."""
    facts = Facts()
    for document in documents:
        facts.add(document)
    return facts


# ---- finding -------------------------------------------------------------------------------------------------------------


def find(path: Path, reader: Optional[str]) -> Found:
    """The files of the splits at a path, and the reader for them.

    path: a file or folder of the training data, or a folder that holds something called train, and perhaps dev and test; it may be an
    archive, lie in one, or be of the sample (`sample:train.jsonl`). reader: a registered name; None for the likeliest one. RelconError
    where there is nothing, or no reader knows it.
    """
    if not resolve(path).exists():
        raise RelconError(f"--from {path} does not exist (looked in {Path.cwd()}).")
    files = _splits(path)
    if reader is not None:
        DatasetReader.registry.get(reader)
        return Found(files, reader, "as --reader says")
    likely = sniff(resolve(files["train"]))
    first = next((each for each in likely if not each.failure), None)
    if first is None:
        raise RelconError(_unknown(files["train"], likely))
    return Found(files, first.reader, first.reason)


def _splits(path: Path) -> Dict[str, Path]:
    """Split -> path: what a folder holds under such names, one each; the path itself where it holds no train split."""
    folder = resolve(path)
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    named = {split: [each for each in inside if pattern.search(each.stem)] for split, pattern in SPLITS.items()}
    if not named["train"]:
        return {"train": path}
    for split, found in named.items():
        if len(found) > 1:
            listed = ", ".join(each.name for each in found)
            raise RelconError(f"--from {path} holds several that could be the {split} split: {listed}. Give --from the training file.")
    return {split: called(path, found[0]) for split, found in named.items() if found}


def _unknown(path: Path, likely: List[Likeness]) -> str:
    if not likely:
        return f"No reader knows {path}. Name one with --reader (relcon components --kind readers lists them), or convert the data."
    tried = " ".join(f"{each.reader} ({each.reason}): {each.failure}" for each in likely[:3])
    return f"No reader can read {path} with its defaults. {tried}"


def read(found: Found) -> Facts:
    """What the training data are like. RelconError where the reader needs arguments, DataError where the data are wrong."""
    component: Any = DatasetReader.registry.get(found.reader)
    needed = [name for name, argument in arguments(component).items() if argument.default is REQUIRED]
    if needed:
        told = " and ".join(needed)
        raise RelconError(f"{found.reader} must be told {told}, so it cannot be tried. Give --reader and --train in place of --from.")
    facts = facts_of(component().read(resolve(found.files["train"])))
    if not facts.labels:
        raise RelconError(f"{found.files['train']} has no labelled relation in {facts.documents} documents, so there is nothing to learn.")
    return facts
