"""What a document says of a pair of entities that may stand in several relations, or in none, or must not be asked about.

A *relation instance* is one labelled tuple (document, head, relation, tail): two relations of one pair are two of them, each with an
identity of its own. That is the unit of distant supervision (Hogan et al., EMNLP 2022).
"""

from dataclasses import replace
from typing import Collection, Dict, FrozenSet, Iterable, Iterator, NamedTuple, Tuple

from relcon.data.document import Document, instance_uid

Pair = Tuple[int, int]
"""Entity numbers of head and tail."""

IGNORED = "ignored"
"""The key of a document's metadata under which pairs stand that are neither related nor unrelated: `[[head, tail], ...]`."""

LEFT_OUT = "left_out"
"""The key of a document's metadata under which its reader counts what the data say and a document cannot hold: `{cause: number}`, the
cause in words ("event", "relation with three arguments")."""


class RelationInstance(NamedTuple):
    """One labelled tuple of a document. uid: its identity, unique within a split and stable from run to run."""

    head: int
    tail: int
    label: str
    uid: str


def pair_labels(document: Document) -> Dict[Pair, Tuple[str, ...]]:
    """The different labels of each pair that has any, in the order of the document's relations."""
    found: Dict[Pair, Dict[str, None]] = {}
    for relation in document.relations:
        if relation.label is not None:
            found.setdefault((relation.head, relation.tail), {})[relation.label] = None
    return {pair: tuple(labels) for pair, labels in found.items()}


def relation_instances(document: Document, negative: Iterable[str] = ()) -> Iterator[RelationInstance]:
    """The labelled tuples of a document, pair by pair; none for labels that mean 'no relation'.

    The uid is that of the pair (`DOCUMENT#head-tail`) where the pair has one relation, and `DOCUMENT#head-tail:LABEL` where it has several.
    """
    left_out = frozenset(negative)
    for (head, tail), labels in pair_labels(document).items():
        related = [label for label in labels if label not in left_out]
        for label in related:
            yield RelationInstance(head, tail, label, relation_uid(document, head, tail, label, several=len(related) > 1))


def without_negatives(document: Document, negative: Collection[str]) -> Document:
    """The document without the relations whose label means 'no relation'; itself where it has none of these."""
    kept = tuple(relation for relation in document.relations if relation.label not in negative)
    return document if len(kept) == len(document.relations) else replace(document, relations=kept)


def relation_uid(document: Document, head: int, tail: int, label: str, several: bool) -> str:
    """The identity of a labelled tuple. several: the pair has more relations than this one."""
    return instance_uid(document, head, tail) + (f":{label}" if several else "")


def ignored_pairs(document: Document) -> FrozenSet[Pair]:
    """Pairs whose label was taken away (a leakage filter, a trimmed training set): neither positives nor unrelated."""
    return frozenset((head, tail) for head, tail in document.metadata.get(IGNORED, ()))


def unrelated_pairs(document: Document, negative: Iterable[str] = (), complete: bool = True) -> Iterator[Pair]:
    """All ordered pairs of different entities without a relation that are not ignored, in the order of their numbers.

    complete: whether all relations are annotated (`Split.complete_annotation`); where not, only pairs whose labels all mean 'no relation'.
    """
    related = {(each.head, each.tail) for each in relation_instances(document, negative)} | ignored_pairs(document)
    count = len(document.entities)
    every = ((head, tail) for head in range(count) for tail in range(count)) if complete else iter(sorted(pair_labels(document)))
    return ((head, tail) for head, tail in every if head != tail and (head, tail) not in related)
