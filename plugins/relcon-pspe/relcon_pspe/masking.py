"""What is hidden of a sentence: pieces that token boundary guesses, and either the spans of a pair or all around them."""

import math
from typing import List, NamedTuple, Sequence, Tuple

import torch

from relcon.contrast import Text
from relcon_pspe.drawing import Pair


class Hidden(NamedTuple):
    """A piece to guess. word: its number. piece: its place in the word, from 1. id: which piece it is."""

    word: int
    piece: int
    id: int


def draw_hidden(pieces: Sequence[Sequence[int]], share: float, most: int, generator: torch.Generator) -> List[Hidden]:
    """All pieces but the first of words of several pieces, word by word in random order, until enough are hidden: a share of all pieces,
    rounded up, at most `most`. The last word is hidden whole, so that it may be some more.

    pieces: the piece ids of each word.
    """
    enough = min(most, math.ceil(share * sum(map(len, pieces))))
    hidden: List[Hidden] = []
    for word in torch.randperm(len(pieces), generator=generator).tolist():
        if len(hidden) >= enough:
            break
        hidden += [Hidden(word, place, piece) for place, piece in enumerate(pieces[word]) if place]
    return hidden


def inside(word: int, pair: Pair) -> bool:
    """Whether a word is in one of the two spans."""
    return any(start <= word < end for start, end in pair)


class TwoViews(NamedTuple):
    """target: the sentence in which only the spans of the pair can be read. context: that in which all other words can."""

    pair: Pair
    target: Text
    context: Text

    def showing(self, word: int) -> Text:
        """The view in which a word can be read."""
        return self.target if inside(word, self.pair) else self.context


def two_views(words: Tuple[str, ...], pair: Pair, hidden: Sequence[Hidden], mask: int) -> TwoViews:
    """Both views of a sentence; hidden pieces can be read in neither. mask: the id of the mask."""
    target = [(word, -1, mask) for word in range(len(words)) if not inside(word, pair)]
    context = [(word, -1, mask) for word in range(len(words)) if inside(word, pair)]
    for word, piece, _ in hidden:
        (target if inside(word, pair) else context).append((word, piece, mask))
    return TwoViews(pair, Text(words, edits=tuple(target)), Text(words, edits=tuple(context)))
