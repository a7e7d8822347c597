"""How tags and pairs are scored: entity recognition, relations strict in three modes, relations without entities (CoNLL 2021, section 4.4).

All figures are over the sentences of a split, counted together; a ratio with nothing below is 0.
"""

from dataclasses import dataclass
from typing import Dict, FrozenSet, List, NamedTuple, Sequence, Set, Tuple

from relcon_cldr.tags import Chunk

WordPair = FrozenSet[int]


class Ratio(NamedTuple):
    """Right, wrong and missed ones."""

    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float:
        """tp / (tp + fp)."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """tp / (tp + fn)."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        """2 tp / (2 tp + fp + fn)."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0

    def figures(self, name: str) -> Dict[str, float]:
        """`NAME_precision`, `NAME_recall`, `NAME_f1`."""
        return {f"{name}_{figure}": getattr(self, figure) for figure in ("precision", "recall", "f1")}


@dataclass(frozen=True)
class Read:
    """A sentence as annotated or as predicted. pairs: last words of the arguments, without order. chunks: entities."""

    pairs: FrozenSet[WordPair]
    chunks: Tuple[Chunk, ...]


def entities(gold: Sequence[Read], predicted: Sequence[Read], types: int) -> List[Ratio]:
    """Of each type: chunks that are right in type and both ends."""
    found = []
    for kind in range(types):
        truth = [{chunk for chunk in each.chunks if chunk.type == kind} for each in gold]
        guess = [{chunk for chunk in each.chunks if chunk.type == kind} for each in predicted]
        found.append(_compared(truth, guess))
    return found


def pairs_alone(gold: Sequence[Read], predicted: Sequence[Read]) -> Ratio:
    """RE-: pairs, whatever the entities."""
    return _compared([set(each.pairs) for each in gold], [set(each.pairs) for each in predicted])


def strict(gold: Sequence[Read], predicted: Sequence[Read]) -> Ratio:
    """A predicted pair is right where it is gold and a right chunk ends at each of its words; all other predictions are wrong, all other
    gold pairs missed."""
    right, asked, there = 0, 0, 0
    for truth, guess in zip(gold, predicted, strict=True):
        right += len(_right(truth, guess))
        asked, there = asked + len(guess.pairs), there + len(truth.pairs)
    return Ratio(right, asked - right, there - right)


def authors(gold: Sequence[Read], predicted: Sequence[Read]) -> Ratio:
    """As the released code counts: a gold pair that is predicted, but with a wrong entity, is wrong, and yet not missed."""
    usual = strict(gold, predicted)
    return usual._replace(fn=sum(len(truth.pairs - guess.pairs) for truth, guess in zip(gold, predicted, strict=True)))


def joint(gold: Sequence[Read], predicted: Sequence[Read]) -> Ratio:
    """As `strict`, but only pairs at whose words predicted chunks of different types end count as predictions."""
    return strict(gold, [Read(frozenset(_joined(each)), each.chunks) for each in predicted])


def _right(truth: Read, guess: Read) -> Set[WordPair]:
    """The predicted pairs that are right."""
    ends = {chunk.last for chunk in set(truth.chunks) & set(guess.chunks)}
    return {pair for pair in truth.pairs & guess.pairs if pair <= ends}


def _joined(each: Read) -> Set[WordPair]:
    """The pairs whose two words end chunks of different types."""
    type_at = {chunk.last: chunk.type for chunk in each.chunks}
    return {pair for pair in each.pairs if len({type_at[word] for word in pair if word in type_at}) == 2}


def _compared(gold: Sequence[Set], predicted: Sequence[Set]) -> Ratio:
    right = sum(len(truth & guess) for truth, guess in zip(gold, predicted, strict=True))
    return Ratio(right, sum(map(len, predicted)) - right, sum(map(len, gold)) - right)
