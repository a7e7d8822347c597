"""Segments whose beginning, middle and end change places: the six classes that span permutation tells apart."""

from dataclasses import replace
from itertools import permutations
from typing import Iterable, List, Sequence, Tuple

import torch
from torch import Tensor

from relcon.contrast import Text
from relcon.data.document import WordSpan

ORDERS = tuple(permutations(range(3)))
"""Class -> the order in which the first word (0), the words between (1) and the last word (2) of a segment are shown. Class 0 changes
nothing."""

SHORTEST = 3
"""Words of a segment that has all three parts."""


def class_chances(identity: float) -> Tensor:
    """[6] the probability of each class, where class 0 has `identity` and the others share the rest."""
    others = len(ORDERS) - 1
    return torch.tensor([identity, *[(1 - identity) / others] * others], dtype=torch.float64)


def choose(segments: Sequence[WordSpan], most: int, generator: torch.Generator) -> List[WordSpan]:
    """At most so many of the segments that are long enough, drawn uniformly."""
    drawn = [segments[number] for number in torch.randperm(len(segments), generator=generator).tolist()]
    return [(start, end) for start, end in drawn if end - start >= SHORTEST][:most]


def order_of(words: int, changes: Iterable[Tuple[WordSpan, int]]) -> List[int]:
    """The old number of each word of a sentence in which these segments are shown as these classes."""
    order = list(range(words))
    for (start, end), number in changes:
        parts = [start], range(start + 1, end - 1), [end - 1]
        order[start:end] = [word for part in ORDERS[number] for word in parts[part]]
    return order


def moved(text: Text, order: Sequence[int]) -> Text:
    """A text with its words in another order; edits go with their words. order: the old number of each word."""
    place = {old: new for new, old in enumerate(order)}
    edits = tuple((place[word], piece, number) for word, piece, number in text.edits)
    return replace(text, words=tuple(text.words[old] for old in order), edits=edits)
