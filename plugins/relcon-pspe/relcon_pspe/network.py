"""The network of joint extraction: tags of words, types of spans, relations of pairs, from one encoding of a sentence."""

from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Dict, List, Literal, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor, nn

from relcon.contrast import WHOLE, Encoded, Input, Span, Spans, View
from relcon.data.document import WordSpan
from relcon.interfaces import Encoder, Pooler, Tower
from relcon.planning import More
from relcon.poolers.spans import SpanPool
from relcon_pspe.blocks import Block, linear
from relcon_pspe.candidates import SpanPair, around
from relcon_pspe.pairs import SpanPairEncoder
from relcon_pspe.sentence_vectors import SentenceVector
from relcon_pspe.spans import SpanEncoder
from relcon_pspe.tagging import OUTSIDE, Scheme, spans_of

Context = Literal["copy", "fresh", "shared"]
"""What encodes the words around two spans: a copy of the span encoder that goes its own way, a new one, or the span encoder itself."""

Empty = Literal["cnn", "zero"]

SpanAt = Tuple[int, WordSpan]
"""A span [start, end) of one of the sentences at hand."""

PairAt = Tuple[int, SpanPair]
"""A pair of spans, in textual order, of one of the sentences at hand."""


class AtHand(NamedTuple):
    """Sentences whose states are at hand.

    numbers: which ones of all. texts: the input of each. words: of each the words that the encoder saw; what its limit crops is the end.
    more: pools further views of them.
    """

    numbers: List[int]
    texts: List[Input]
    words: List[List[int]]
    more: More

    @classmethod
    def of(cls, seen: Tensor, starts: Sequence[int], views: Sequence[View], more: More) -> "AtHand":
        """seen: [n] numbers of the views of words, rising. starts: the first view of each sentence."""
        owner = torch.searchsorted(torch.tensor(starts), seen.cpu(), right=True) - 1
        numbers, sizes = owner.unique_consecutive(return_counts=True)
        words = (seen.cpu() - torch.tensor(starts)[owner]).split(sizes.tolist())
        chosen: List[int] = numbers.tolist()
        return cls(chosen, [views[starts[number]].input for number in chosen], [each.tolist() for each in words], more)

    def size(self, at: int) -> int:
        """How many words of a sentence the encoder saw, from the first on."""
        return self.words[at][-1] + 1


class JointNetwork(nn.Module):
    """Heads over a shared encoder and a shared span-pair encoder.

    types, relations: how many classes spans and pairs have, none among them. head: widths of the blocks before the classes of relations.
    dropout: of states of words and of sentence vectors; each of tags, spans and contexts draws its own. Other arguments: as of
    `JointExtraction`.
    """

    def __init__(
        self,
        encoder: Encoder,
        pooler: SpanPairEncoder,
        types: int,
        relations: int,
        scheme: Scheme,
        context: Context,
        head: Sequence[int],
        dropout: float,
        empty: Empty,
    ):
        super().__init__()
        self.scheme: Scheme = scheme
        own = pooler.width(encoder.width)
        widths = [own, *head]
        blocks = [Block(into, out) for into, out in pairwise(widths)]
        self.words = Tower(encoder, SpanPool("first", slots=1), nn.Sequential(nn.Dropout(dropout), linear(encoder.width, len(scheme))))
        self.spans = Tower(encoder, Dropped(pooler.span, dropout))
        self.contexts = Tower(encoder, Dropped(context_encoder(pooler.span, context, empty), dropout))
        self.sentences = Tower(encoder, SentenceVector(pooler.vector), nn.Dropout(dropout))
        self.pair = pooler
        self.typing = linear(own, types)
        self.relating = nn.Sequential(*blocks, linear(widths[-1], relations))
        self.to(next(encoder.parameters()))

    def tagged(self, hand: AtHand, tags: Tensor) -> List[List[WordSpan]]:
        """The spans that the best tags of each sentence stand for. tags: [n, tags] logits of the words at hand."""
        best = tags.argmax(1).split([len(words) for words in hand.words])
        found = []
        for at, (words, own) in enumerate(zip(hand.words, best, strict=True)):
            line = [self.scheme.index(OUTSIDE)] * hand.size(at)
            for word, tag in zip(words, own.tolist(), strict=True):
                line[word] = tag
            found.append(spans_of(line, self.scheme))
        return found

    def span_vectors(self, hand: AtHand, spans: Sequence[SpanAt]) -> Tensor:
        """[S, out] of at least one span."""
        return hand.more(self.spans, [span_view(hand, *span) for span in spans])

    def pair_vectors(self, hand: AtHand, pairs: Sequence[PairAt], spans: Sequence[SpanAt], vectors: Tensor) -> Tensor:
        """[P, out] of at least one pair. spans, vectors: both spans of every pair are among them. Each context is encoded once."""
        rows = {span: row for row, span in enumerate(spans)}
        ends = torch.tensor([[rows[at, span] for span in pair] for at, pair in pairs], device=vectors.device)
        first, second = vectors[ends].unbind(1)
        left, middle, right = self._contexts(hand, pairs).unbind(1)
        summary = hand.more(self.sentences, [View(text, ((WHOLE,),)) for text in hand.texts])
        places = torch.tensor([at for at, _ in pairs], device=vectors.device)
        return self.pair.attend(torch.stack([left, first, middle, second, right], 1), summary[places])

    def _contexts(self, hand: AtHand, pairs: Sequence[PairAt]) -> Tensor:
        """[P, 3, out] of what stands before, between and behind the spans of each pair."""
        wanted = [(at, span) for at, pair in pairs for span in around(*pair, hand.size(at))]
        rows: Dict[SpanAt, int] = {}
        places = [rows.setdefault(context, len(rows)) for context in wanted]
        vectors = hand.more(self.contexts, [span_view(hand, *context) for context in rows])
        return vectors[torch.tensor(places, device=vectors.device)].unflatten(0, (len(pairs), 3))


def span_view(hand: AtHand, at: int, span: WordSpan) -> View:
    """A span of a sentence, which may be empty."""
    return View(hand.texts[at], ((Span(*span),) if span[0] < span[1] else (),))


def context_encoder(span: SpanEncoder, context: Context, empty: Empty) -> SpanEncoder:
    """What encodes the words around spans, beside the encoder of the spans themselves."""
    if context == "shared":
        return span
    if context == "fresh":
        return SpanEncoder(span.state, span.kernels, span.channels, span.out, span.dropout.p, empty)
    made = deepcopy(span)
    made.empty = empty
    return made


class Dropped(Pooler):
    """Another pooler, which reads states some of whose components are dropped in training."""

    def __init__(self, pooler: Pooler, dropout: float):
        super().__init__()
        self.pooler, self.dropout = pooler, nn.Dropout(dropout)

    def width(self, state: int) -> int:
        """That of the other."""
        return self.pooler.width(state)

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, D]."""
        vectors: Tensor = self.pooler(replace(encoded, states=self.dropout(encoded.states)), spans)
        return vectors
