"""The nearest neighbours of words and of pairs of words, exactly (CoNLL 2021, section 4.3)."""

from typing import List, Literal, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor

from relcon_cldr.pairs import candidate_pairs

PairOrder = Literal["text", "both"]

ROWS = 64
"""Queries whose candidates are compared at a time."""


class Nearest(NamedTuple):
    """The nearest examples of each query, nearest first. squared: [Q, k] squared Euclidean distances. examples: [Q, k] their numbers."""

    squared: Tensor
    examples: Tensor


class PairIndex:
    """All pairs of words of some sentences, searched exactly without making a vector of any.

    A pair's vector is that of its two words, side by side, so the squared distance of two pairs is the sum of those of their words:
    distances between words are enough, [W, T] for a sentence of W words. A corpus of a million pairs needs the vectors of its 80,000
    words and, for each pair, two numbers.

    Most sentences are passed over: no pair of a sentence is nearer than the sum of the distances to its word nearest to the one and to
    its word nearest to the other. Where these two words are themselves a pair, that sum is a distance; the k-th smallest of such distances
    bounds what needs a closer look.

    vectors: [T, D] of all words, in float32. sizes: how many words each sentence has. order: as of `pairs_of`.
    """

    def __init__(self, vectors: Tensor, sizes: Sequence[int], order: PairOrder = "text"):
        self.vectors, self.norms, self.order = vectors, vectors.square().sum(1), order
        self.pairs = pairs_of(sizes, order)
        size = torch.tensor(sizes, dtype=torch.long)
        self.counts = size * (size - 1) // (2 if order == "text" else 1)
        self.starts = self.counts.cumsum(0) - self.counts
        place = torch.arange(int(size.max()) if len(size) else 0)
        words = (size.cumsum(0) - size)[:, None] + place
        self.words = words.where(place < size[:, None], len(vectors))  # [S, longest], behind each sentence the number of no word

    def nearest(self, words: Tensor, pairs: Tensor, k: int) -> Nearest:
        """The k pairs of the index nearest to each of a sentence's pairs. words: [W, D] vectors. pairs: [P, 2] word numbers."""
        k = min(k, len(self.pairs))
        if not k or not len(pairs):
            return Nearest(torch.zeros(len(pairs), k), torch.zeros(len(pairs), k, dtype=torch.long))
        table = squared_distances(words, self.vectors, self.norms)
        padded = torch.cat([table, table.new_full((len(words), 1), torch.inf)], 1)
        least, at = padded[:, self.words].min(2)  # [W, S] distance to, and place of, each sentence's nearest word
        parts = [self._searched(table, least, at, rows, k) for rows in pairs.split(ROWS)]
        return Nearest(torch.cat([part.squared for part in parts]), torch.cat([part.examples for part in parts]))

    def _searched(self, table: Tensor, least: Tensor, at: Tensor, pairs: Tensor, k: int) -> Nearest:
        """The nearest of some pairs [P, 2]."""
        one, other = pairs.T
        bound = least[one] + least[other]  # [P, S]
        real = (at[one] < at[other]) if self.order == "text" else (at[one] != at[other])
        reach = bound.masked_fill(~real, torch.inf)
        limit = reach.topk(k, largest=False).values[:, -1] if k <= reach.shape[1] else reach.new_full((len(pairs),), torch.inf)
        row, sentence = (bound <= limit[:, None]).nonzero().T
        count = self.counts[sentence]
        which = torch.arange(len(row)).repeat_interleave(count)
        index = torch.arange(len(which)) - (count.cumsum(0) - count)[which] + self.starts[sentence][which]
        row = row[which]
        squared = table[one[row], self.pairs[index, 0]] + table[other[row], self.pairs[index, 1]]
        kept = squared <= limit[row]
        return _first(row[kept], squared[kept], index[kept], len(pairs), k)


def _first(row: Tensor, squared: Tensor, index: Tensor, rows: int, k: int) -> Nearest:
    """The k smallest of each row; every row has as many."""
    order = squared.argsort(stable=True)
    order = order[row[order].argsort(stable=True)]
    count = torch.bincount(row, minlength=rows)
    rank = torch.arange(len(order)) - (count.cumsum(0) - count)[row[order]]
    chosen = order[rank < k]
    return Nearest(squared[chosen].view(rows, k), index[chosen].view(rows, k))


def nearest_words(queries: Tensor, vectors: Tensor, k: int, block: int = 1024) -> Nearest:
    """The k nearest of vectors [T, D] to each of queries [Q, D]."""
    norms = vectors.square().sum(1)
    parts = [squared_distances(some, vectors, norms).topk(min(k, len(vectors)), largest=False) for some in queries.split(block)]
    return Nearest(torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]))


def squared_distances(queries: Tensor, vectors: Tensor, norms: Tensor) -> Tensor:
    """[Q, T] squared Euclidean distances; never below 0."""
    return (queries.square().sum(1)[:, None] + norms[None, :] - 2 * queries @ vectors.T).clamp_(min=0)


def pairs_of(sizes: Sequence[int], order: PairOrder = "text") -> Tensor:
    """[P, 2] the pairs within each sentence, as numbers over the words of all. order: `text`: i < j; `both`: also j, i."""
    start, parts = 0, []
    for size in sizes:
        pairs = candidate_pairs(size) + start
        parts += [pairs] if order == "text" else [pairs, pairs.flip(1)]
        start += size
    return torch.cat(parts) if parts else torch.zeros(0, 2, dtype=torch.long)


def votes(labels: Tensor, index: Tensor, classes: int) -> Tensor:
    """[Q, classes] the share of the neighbours with each class. labels: [T] classes of the examples. index: [Q, k]."""
    return torch.nn.functional.one_hot(labels[index], classes).float().mean(1)


def by_k(labels: Tensor, nearest: Nearest, ks: Sequence[int], classes: int) -> List[Tuple[int, Tensor]]:
    """For each k the class [Q] with most votes of the k nearest; the smallest class number of several."""
    return [(k, votes(labels, nearest.examples[:, :k], classes).argmax(1)) for k in ks]
