"""Vectors of the words of documents, sentence by sentence."""

from typing import Iterator, List, NamedTuple, Sequence

import torch
from torch import Tensor

from relcon.data.document import Document
from relcon.encoding import encode
from relcon.interfaces import Encoder, Tower
from relcon.poolers.spans import SpanPool
from relcon_cldr.samplers import tokens_of
from relcon_cldr.states import Subword

DOCUMENTS = 256
"""Sentences that are encoded at a time."""


class WordVectors(NamedTuple):
    """vectors: [T, D] of all words, float32, on the CPU; zeros where the encoder's limit cropped a word away. sizes: words of each
    sentence. alive: [T] bool, False for such a word."""

    vectors: Tensor
    sizes: List[int]
    alive: Tensor

    def sentences(self) -> Iterator[Tensor]:
        """[W, D] of each sentence."""
        yield from self.vectors.split(self.sizes)


def word_tower(encoder: Encoder, subword: Subword = "first") -> Tower:
    """The last-layer states of words."""
    return Tower(encoder, SpanPool(inside=subword, slots=1))


def word_vectors(tower: Tower, documents: Sequence[Document]) -> WordVectors:
    """The vectors of every word of documents, in evaluation mode."""
    parts, living = [], []
    for start in range(0, len(documents), DOCUMENTS):
        views = list(tokens_of(documents[start : start + DOCUMENTS]))
        if views:
            vectors, alive = encode(tower, views)
            parts.append(vectors.float().cpu() * alive.cpu()[:, None])
            living.append(alive.cpu())
    sizes = [len(each.words) for each in documents]
    if not parts:
        return WordVectors(torch.zeros(0, tower.pooler.width(tower.encoder.width)), sizes, torch.zeros(0, dtype=torch.bool))
    return WordVectors(torch.cat(parts), sizes, torch.cat(living))
