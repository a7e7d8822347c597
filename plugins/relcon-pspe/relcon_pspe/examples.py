"""A sentence as PSPE's three pre-training tasks see it."""

from dataclasses import dataclass
from typing import List, NamedTuple, Sequence, Tuple, Union

import torch
from torch import Tensor

from relcon.contrast import Span, Unit, View
from relcon.data.document import WordSpan
from relcon.interfaces import Vocabulary
from relcon_pspe.drawing import Pair, draw_pair, segments
from relcon_pspe.masking import Hidden, TwoViews, draw_hidden, two_views
from relcon_pspe.permuting import ORDERS, choose, moved, order_of

SPECIAL = 2
"""Pieces around a sentence: [CLS] and [SEP]."""

IDENTITY = 0
"""The class of a segment that stands as it was."""


class Question(NamedTuple):
    """A view, and what is to be told from it. target: whether it is one of the target view, not of the context view."""

    view: View
    answer: int
    target: bool


@dataclass(frozen=True)
class Example:
    """sentence: its words as they were. shown: its two views.
    permuted: segments, with the class of each. hidden: pieces to guess, asked at the first piece of their word. offsets: the place of each
    hidden piece in its word, from 1."""

    sentence: Tuple[str, ...]
    shown: TwoViews
    permuted: List[Question]
    hidden: List[Question]
    offsets: List[int]

    @property
    def unit(self) -> Unit:
        """The two spans."""
        return tuple((Span(*span),) for span in self.shown.pair)


class Unusable(NamedTuple):
    """A sentence of which no example can be made. cause: one of a few fixed phrases."""

    cause: str


@dataclass(frozen=True, eq=False)
class Recipe:
    """How examples are drawn.

    lengths: chances of span lengths. classes: chances of permutation classes. spans_only: whether segments around the spans are left as
    they are. The rest: as of `SpanPairs`.
    """

    lengths: Tensor
    classes: Tensor
    max_pieces: int
    tries: int
    permuted: int
    spans_only: bool
    permutations: int
    boundary: float
    max_masked: int

    def draw(self, words: Sequence[str], vocabulary: Vocabulary, mask: int, generator: torch.Generator) -> Union[Example, Unusable]:
        """An example of a sentence. mask: the id of the mask."""
        pieces = [vocabulary.pieces(word) for word in words]
        limit = min(self.max_pieces, vocabulary.limit)
        if sum(map(len, pieces)) + SPECIAL > limit:
            return Unusable(f"longer than {limit} pieces")
        pair = draw_pair(len(words), self.lengths, self.tries, generator)
        if pair is None:
            return Unusable(f"without two spans in {self.tries} tries")
        drawn = self._changes(pair, len(words), generator)
        order = order_of(len(words), [(span, classes[0]) for span, classes in drawn])
        hidden = draw_hidden([pieces[word] for word in order], self.boundary, self.max_masked, generator)
        shown = two_views(tuple(words[word] for word in order), pair, hidden, mask)
        permuted = [question for span, classes in drawn for question in _permuted(shown, span, classes)]
        return Example(tuple(words), shown, permuted, [_hidden(shown, each) for each in hidden], [each.piece for each in hidden])

    def _changes(self, pair: Pair, words: int, generator: torch.Generator) -> List[Tuple[WordSpan, List[int]]]:
        """Segments to ask about, with the classes as which each is shown: the first in the views, the others in inputs of their own."""
        chosen = choose(pair if self.spans_only else segments(pair, words), self.permuted, generator)
        return [(span, self._classes(generator)) for span in chosen]

    def _classes(self, generator: torch.Generator) -> List[int]:
        if self.permutations == 1:
            return torch.multinomial(self.classes, 1, generator=generator).tolist()
        others = torch.randperm(len(ORDERS) - 1, generator=generator)[: self.permutations - 1] + 1
        return [IDENTITY, *others.tolist()]


def _permuted(shown: TwoViews, span: WordSpan, classes: Sequence[int]) -> List[Question]:
    """A segment of the view that shows it, where it stands as the first class, and of changed copies of this view as the others."""
    text = shown.showing(span[0])
    copies = [moved(text, order_of(len(text.words), [(span, number)])) for number in classes[1:]]
    unit = ((Span(*span),),)
    return [Question(View(each, unit), number, text is shown.target) for each, number in zip([text, *copies], classes, strict=True)]


def _hidden(shown: TwoViews, hidden: Hidden) -> Question:
    """A piece is asked for at the first piece of its word."""
    text = shown.showing(hidden.word)
    return Question(View(text, ((Span(hidden.word, hidden.word + 1, 0),),)), hidden.id, text is shown.target)
