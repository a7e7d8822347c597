"""Two spans of a sentence, drawn at random, and the five segments that they cut it into."""

from typing import List, Optional, Tuple

import torch
from torch import Tensor

from relcon.data.document import WordSpan

Pair = Tuple[WordSpan, WordSpan]
"""Two spans of words [start, end) that share none, in the order of the text."""


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
    lengths = (torch.multinomial(chances, tries, replacement=True, generator=generator) + 1).tolist()
    starts = torch.randint(words, (tries,), generator=generator).tolist()
    spans = [(start, start + length) for start, length in zip(starts, lengths, strict=True) if start + length <= words]
    for start, end in spans[1:]:
        first_start, first_end = spans[0]
        if end <= first_start or first_end <= start:
            return min(spans[0], (start, end)), max(spans[0], (start, end))
    return None


def segments(pair: Pair, words: int) -> List[WordSpan]:
    """The five segments of a sentence of so many words, those around the spans perhaps empty: L, first span, M, second span, R."""
    (first, first_end), (second, second_end) = pair
    return [(0, first), (first, first_end), (first_end, second), (second, second_end), (second_end, words)]
