"""Pairs of words that stand for relations, and the pairs that a method sets against them (CoNLL 2021, sections 3 and 4)."""

from dataclasses import dataclass
from typing import FrozenSet, List, Literal, Optional, Sequence, Set, Tuple

import torch

from relcon.data.document import Document, Entity
from relcon.errors import RelconError

Node = Tuple[int, int]
"""Words [start, end) that are one node: the last word of a phrase, or all of it."""

Pair = Tuple[Node, Node]
EntityForm = Literal["last", "mean"]
Rule = Literal["paper", "code"]


@dataclass(frozen=True)
class Sentence:
    """A sentence as the samplers see it.

    pairs: the nodes of every relation, that of the first type first; relations of one and the same word are left out.
    members: for each of the two types the words of its entities; without types, of the heads and of the tails.
    lost: how many relations were left out because both arguments have the same last word.
    """

    document: Document
    pairs: Tuple[Pair, ...]
    members: Tuple[FrozenSet[int], FrozenSet[int]]
    lost: int = 0

    @property
    def gold(self) -> Set[FrozenSet[int]]:
        """The last words of every pair, without order."""
        return {frozenset((one[1] - 1, other[1] - 1)) for one, other in self.pairs}


def read_sentence(document: Document, types: Optional[Sequence[str]], form: EntityForm = "last") -> Sentence:
    """A document's relations as pairs of nodes.

    types: the two entity types, in the order of a pair's slots; None: the head first, the tail second, whatever their types.
    form: a phrase is its `last` word, or the `mean` of its words. Relations between other types are none of the method's. Each pair comes
    once, however often it is annotated.
    """
    pairs: List[Pair] = []
    lost = 0
    ends = [(document.entities[relation.head], document.entities[relation.tail]) for relation in document.relations]
    if types is not None:
        order = list(types)
        ends = [(one, other) if one.type == order[0] else (other, one) for one, other in ends if {one.type, other.type} == set(order)]
    for first, second in ends:
        pair = (node_of(first, form), node_of(second, form))
        if pair[0][1] == pair[1][1]:
            lost += 1
        elif pair not in pairs:
            pairs.append(pair)
    sides = [[pair[slot] for pair in ends] if types is None else _of(document, types[slot]) for slot in (0, 1)]
    members = [frozenset(word for each in side for word in words_of(each)) for side in sides]
    return Sentence(document, tuple(pairs), (members[0], members[1]), lost)


def _of(document: Document, kind: str) -> List[Entity]:
    """The entities of a type."""
    return [each for each in document.entities if each.type == kind]


def pairs_across(document: Document, types: Sequence[str]) -> Set[FrozenSet[int]]:
    """The last words of every two entities of the two types, without order."""
    ends = [[node_of(entity, "last")[0] for entity in _of(document, kind)] for kind in types]
    return {frozenset((one, other)) for one in ends[0] for other in ends[1]}


def require_two(types: Sequence[str]) -> List[str]:
    """The types, or RelconError where they are not two different ones."""
    if len(types) != 2 or len(set(types)) != 2:
        raise RelconError(f"types must name the two entity types of a relation, the first slot's first, not {list(types)}.")
    return list(types)


def node_of(entity: Entity, form: EntityForm) -> Node:
    """The node of an entity's first mention."""
    mention = entity.mentions[0]
    return (mention.end - 1, mention.end) if form == "last" else (mention.start, mention.end)


def words_of(entity: Entity) -> List[int]:
    """The words of all mentions."""
    return [word for mention in entity.mentions for word in range(mention.start, mention.end)]


def opponents(sentence: Sentence, pair: Pair, kept: int, rule: Rule) -> List[int]:
    """The words that may take the place of the other node, ascending.

    kept: the slot that stays, 0 or 1. rule: `paper`: words of no entity of the other slot's type; `code`: any word, as the released code
    has it. Either way neither the kept node's last word nor one that makes a gold pair with it.
    """
    stays = pair[kept][1] - 1
    barred = sentence.members[1 - kept] if rule == "paper" else frozenset()
    gold = sentence.gold
    words = range(len(sentence.document.words))
    return [word for word in words if word != stays and word not in barred and frozenset((stays, word)) not in gold]


def hard_negatives(sentence: Sentence, pair: Pair, count: int, rule: Rule, generator: torch.Generator) -> List[Pair]:
    """Pairs with one wrong word: half of them keep the first slot, half the second, drawn without replacement.

    count: how many are asked for, an even number; a side with no more words than its half gives all of them. -1: all.
    """
    found: List[Pair] = []
    for kept in (0, 1):
        words = opponents(sentence, pair, kept, rule)
        chosen = words if 0 <= len(words) <= count // 2 or count < 0 else [words[n] for n in some(len(words), count // 2, generator)]
        found += [swapped(pair, kept, word) for word in chosen]
    return found


def swapped(pair: Pair, kept: int, word: int) -> Pair:
    """The pair with a word in the place of the node that does not stay."""
    return (pair[0], (word, word + 1)) if kept == 0 else ((word, word + 1), pair[1])


def some(size: int, count: int, generator: torch.Generator) -> List[int]:
    """`count` different numbers below `size`."""
    return torch.randperm(size, generator=generator)[:count].tolist()


def candidate_pairs(size: int) -> torch.Tensor:
    """[P, 2] all pairs i < j of a sentence's words, in text order."""
    return torch.combinations(torch.arange(size)) if size > 1 else torch.zeros(0, 2, dtype=torch.long)
