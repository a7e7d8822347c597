"""Two spans of a sentence, drawn at random, and the five segments that they cut it into."""

from typing import Iterator, List, Optional, Tuple

import torch
from torch import Tensor

from relcon.data.document import WordSpan

Pair = Tuple[WordSpan, WordSpan]
"""Two spans of words [start, end) that share none, in the order of the text."""

AT_ONCE = 16
"""Tries that are drawn together."""


def length_chances(p: float, most: int) -> Tensor:
    """[most] the probability of a span of 1, 2, ... words: geometric, cut off behind `most` and renormalised, as SpanBERT's (Joshi et al.
    2020, section 3.1)."""
    chances = p * (1 - p) ** torch.arange(most, dtype=torch.float64)
    return chances / chances.sum()


def draw_pair(words: int, chances: Tensor, tries: int, generator: torch.Generator) -> Optional[Pair]:
    """Two spans of a sentence of so many words; None where none were found.

    A try draws a length by its chances and a beginning uniformly from all words; a span that ends behind the sentence, or shares a word
    with the one that was found first, is none. Spans may follow each other without a word between them.
    """
    first: Optional[WordSpan] = None
    for span in drawn_spans(words, chances, tries, generator):
        if first is None:
            first = span
        elif span[1] <= first[0] or first[1] <= span[0]:
            return min(first, span), max(first, span)
    return None


def drawn_spans(words: int, chances: Tensor, tries: int, generator: torch.Generator) -> Iterator[WordSpan]:
    """The tries that are spans of the sentence, a few drawn at a time: two of them are soon enough."""
    for done in range(0, tries, AT_ONCE):
        count = min(AT_ONCE, tries - done)
        lengths = (torch.multinomial(chances, count, replacement=True, generator=generator) + 1).tolist()
        starts = torch.randint(words, (count,), generator=generator).tolist()
        yield from ((start, start + length) for start, length in zip(starts, lengths, strict=True) if start + length <= words)


def segments(pair: Pair, words: int) -> List[WordSpan]:
    """The five segments of a sentence of so many words, those around the spans perhaps empty: L, first span, M, second span, R."""
    (first, first_end), (second, second_end) = pair
    return [(0, first), (first, first_end), (first_end, second), (second, second_end), (second_end, words)]
