"""Pairs of entities -> their relations in the knowledge base, without those that evaluation data ask about."""

from dataclasses import replace
from itertools import product
from random import Random
from typing import Callable, Collection, Dict, Iterable, List, Set, Tuple

from relcon.data.document import Document, Relation
from relcon.data.relations import IGNORED, Pair, ignored_pairs, pair_labels
from relcon.distant.entities import names_of
from relcon.distant.knowledge import Triples
from relcon.interfaces import Linked

NamePair = Tuple[str, str]
"""Two names in the order of the alphabet, so that a pair and its reverse are one."""


def labelled(linked: Linked, triples: Triples) -> Document:
    """The document with a relation for every triple of every ordered pair of its entities, and nothing that it said of pairs before."""
    known = [number for number, keys in enumerate(linked.keys) if keys]
    relations = tuple(
        Relation(head, tail, label)
        for head, tail in product(known, known)
        if head != tail
        for label in triples.of_any(linked.keys[head], linked.keys[tail])
    )
    return replace(linked.document, relations=relations, metadata={})


# ---- labels that are taken away ------------------------------------------------------------------------------------------


def named_pairs(documents: Iterable[Document], negative: Iterable[str] = ()) -> Set[NamePair]:
    """The pairs of names of all labelled pairs of evaluation data: every name of head with every name of tail.

    negative: labels that mean 'no relation'; their pairs do not count.
    """
    left_out = frozenset(negative)
    found: Set[NamePair] = set()
    for document in documents:
        for pair, labels in pair_labels(document).items():
            if not left_out.issuperset(labels):
                found |= _names(document, pair)
    return found


def without_leaked(document: Document, excluded: Set[NamePair]) -> Document:
    """Without the labels of pairs that evaluation data ask about under any of their names, in either direction: such a pair is ignored."""
    if not excluded:
        return document
    leaked = {pair for pair in pair_labels(document) if not excluded.isdisjoint(_names(document, pair))}
    return _without(document, lambda relation: (relation.head, relation.tail) in leaked) if leaked else document


def places(documents: Iterable[Document], most: int, draw: Random) -> Dict[int, Set[str]]:
    """At most so many documents per relation: number of a document -> the labels that it keeps, where it keeps any.

    Each document beyond the limit takes the place of a stored one, drawn by chance, with probability 1/2. So the sentences for CP are drawn
    (Peng et al., EMNLP 2020). Memory grows with the places, not with the documents.
    """
    stored: Dict[str, List[int]] = {}
    for number, document in enumerate(documents):
        for label in dict.fromkeys(str(relation.label) for relation in document.relations):
            taken = stored.setdefault(label, [])
            if len(taken) < most:
                taken.append(number)
            elif draw.random() < 0.5:
                taken[draw.randrange(most)] = number
    kept: Dict[int, Set[str]] = {}
    for label, numbers in stored.items():
        for number in numbers:
            kept.setdefault(number, set()).add(label)
    return kept


def of_labels(document: Document, labels: Collection[str]) -> Document:
    """The document without its other labels; pairs that are left with none are ignored."""
    return _without(document, lambda relation: relation.label not in labels)


def _names(document: Document, pair: Pair) -> Set[NamePair]:
    heads, tails = (names_of(document, document.entities[number]) for number in pair)
    return {(min(head, tail), max(head, tail)) for head, tail in product(heads, tails)}


def _without(document: Document, unwanted: Callable[[Relation], bool]) -> Document:
    """Without some relations; pairs that are left with none are ignored."""
    kept = tuple(relation for relation in document.relations if not unwanted(relation))
    bare = {(relation.head, relation.tail) for relation in document.relations} - {(relation.head, relation.tail) for relation in kept}
    ignored = sorted(ignored_pairs(document) | bare)
    return replace(document, relations=kept, metadata={**document.metadata, IGNORED: [list(pair) for pair in ignored]})
