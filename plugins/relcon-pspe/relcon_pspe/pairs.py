"""PSPE's span-pair encoder: attention, aware of positions, over the two spans and what stands before, between and behind them."""

from typing import Callable, Dict, List, Literal, NamedTuple, Optional

import torch
from torch import Tensor, nn
from torch.nn import functional

from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.interfaces import Pooler
from relcon_pspe.blocks import DEVIATION, linear
from relcon_pspe.sentence_vectors import Source, checked, sentence_vectors
from relcon_pspe.spans import SpanEncoder, Words, require_state, word_begins, words_of

ACTIVATIONS: Dict[str, Callable[[Tensor], Tensor]] = {"gelu": functional.gelu, "tanh": torch.tanh}

LEFT, FIRST, MIDDLE, SECOND, RIGHT = range(5)
"""The segments of a text around two spans, in the order of the text."""

TO_FIRST, TO_SECOND = (2, 3, 4, 5, 6), (0, 1, 2, 3, 4)
"""Rows of the table of 7 distances, -3 to 3: those of the five segments to the first span of the text, and to the second."""


class SpanPairEncoder(Pooler):
    """The vector of a pair of spans (units of two slots) or of one span (units of one slot).

    A pair cuts its row into five segments: L before both spans, the first span of the text, M between them, the second one, R behind both
    (Wang et al. 2020). One span encoder (pspe.Span.v1) gives a vector h_j to each, and with

        e_j = v phi(W_h h_j + W_cls h_cls + W_1 p_j + W_2 q_j),    a = softmax(e),

    the pair is the sum of a_j h_j, behind dropout; h_cls is the sentence's vector, p_j and q_j are embeddings of how many segments j is
    away from the span of the first slot and from that of the second. Empty segments take part. In textual order this is the paper's; where
    the second slot (the tail) stands first, p_j and q_j say so, so that head and tail are told apart.

    A slot of several spans stands where its hull does, from its first position to its last, and is encoded from its own words; what else
    lies inside the hull is in no segment. Of spans that overlap M is empty, L ends where the first one begins, R begins where the last one
    ends. A slot without spans stands behind the text. All words of the row count, those of a second segment of the input too.

    state, kernels, channels, out, dropout, empty: as of pspe.Span.v1. attention: the width of the sum in phi. positions: of an
    embedding of a distance. activation: phi, `gelu` (the released code) or `tanh` (the paper). vector: h_cls, as of pspe.Sentence.v1.

    RelconError where the encoder has states of another width, units have neither one slot nor two, or an input takes several rows;
    ValueError where a number is out of range.

    Config::

        [pooler]
        @poolers = "pspe.SpanPair.v1"
        state = 768
    """

    def __init__(
        self,
        state: int = 768,
        kernels: List[int] = [2, 3, 4],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        channels: int = 100,
        out: int = 300,
        dropout: float = 0.1,
        empty: Literal["cnn", "zero"] = "cnn",
        attention: int = 500,
        positions: int = 100,
        activation: Literal["gelu", "tanh"] = "gelu",
        vector: Source = "pooler",
    ):
        super().__init__()
        if min(attention, positions) < 1:
            raise ValueError(f"attention, positions: {attention}, {positions} must be at least 1")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be 'gelu' or 'tanh', not '{activation}'")
        self.activation, self.vector = activation, checked(vector)
        self.span = SpanEncoder(state, kernels, channels, out, dropout, empty)
        self.positions = nn.Embedding(7, positions)
        nn.init.normal_(self.positions.weight, std=DEVIATION)
        self.of_segment = linear(out, attention, bias=False)
        self.of_sentence = linear(state, attention, bias=False)
        self.of_positions = linear(2 * positions, attention, bias=False)
        self.score = linear(attention, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        rows = torch.tensor([TO_FIRST, TO_SECOND]).T
        self.register_buffer("rows", torch.stack([rows, rows.flip(1)]), persistent=False)  # [2, 5, 2]: first slot first, and second

    def width(self, state: int) -> int:
        """`out`."""
        require_state("pspe.SpanPair.v1", self.span.state, state)
        return self.span.out

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, out]."""
        if spans.slots == 1:
            return self.span(encoded, spans)
        if spans.slots != 2:
            raise RelconError(f"pspe.SpanPair.v1 reads units of one slot or two, but the views have {spans.slots}. Change the unit.")
        hulls = hulls_of(encoded, spans)
        vectors = self.span.encode(encoded.states, segments(encoded, spans, hulls)).view(spans.units, 5, self.span.out)
        return self.attend(vectors, sentence_vectors(encoded, spans.home, self.vector), hulls.swapped)

    def attend(self, vectors: Tensor, summary: Tensor, swapped: Optional[Tensor] = None) -> Tensor:
        """Pair vectors [P, out] of the vectors [P, 5, out] of segments in textual order and of the sentence [P, H].

        swapped: [P] bool, whether the span of the first slot is the second of the text; None: of no pair.
        """
        order = summary.new_zeros(len(summary), dtype=torch.long) if swapped is None else swapped.long()
        places = self.of_positions(self.positions(self.rows).flatten(2))  # [2, 5, attention]
        inside = self.of_segment(vectors) + self.of_sentence(summary)[:, None] + places[order]
        weights = self.score(ACTIVATIONS[self.activation](inside)).softmax(1)  # [P, 5, 1]
        return self.dropout((weights * vectors).sum(1))


class Hulls(NamedTuple):
    """Where the two slots of units stand, in positions [start, end) of the unit's row.

    first, second: [U, 2] in textual order; of slots that begin together the first slot is the first. swapped: [U] bool, whether the
    second slot is the first.
    """

    first: Tensor
    second: Tensor
    swapped: Tensor


def hulls_of(encoded: Encoded, spans: Spans) -> Hulls:
    """From the first position of a slot to its last; a slot without spans stands behind the row. RelconError where a unit has several
    rows."""
    if bool((spans.row != spans.home[spans.slot // 2]).any()):
        raise RelconError("pspe.SpanPair.v1 looks for what lies around two spans in one row, but this encoder cuts an input into several.")
    length = encoded.mask.shape[1]
    empty = spans.start.new_full((2 * spans.units,), length)
    start = empty.scatter_reduce(0, spans.slot, spans.start, "amin")
    end = empty.scatter_reduce(0, spans.slot, spans.end, "amax", include_self=False)
    hulls = torch.stack([start, end], 1).view(-1, 2, 2)
    swapped = hulls[:, 1, 0] < hulls[:, 0, 0]
    unit = torch.arange(len(hulls), device=start.device)
    return Hulls(hulls[unit, swapped.long()], hulls[unit, (~swapped).long()], swapped)


def segments(encoded: Encoded, spans: Spans, hulls: Hulls) -> Words:
    """The words of the five segments of every unit."""
    length = encoded.mask.shape[1]
    inside = words_of(encoded, spans)
    unit, slot = inside.slot // 2, inside.slot % 2
    own = torch.where((slot == 1) == hulls.swapped[unit], FIRST, SECOND)
    context = around(length, hulls).masked_fill(~word_begins(encoded)[spans.home], -1)
    pair, position = (context >= 0).nonzero().T
    slots = torch.cat([5 * unit + own, 5 * pair + context[pair, position]])
    places = torch.cat([inside.place, spans.home[pair] * length + position])
    return Words.of(slots, places, 5 * spans.units, encoded.mask.numel())


def around(length: int, hulls: Hulls) -> Tensor:
    """[U, L] which segment around the spans a position lies in; -1 inside a hull."""
    position = torch.arange(length, device=hulls.first.device)
    (first, first_end), (second, second_end) = hulls.first.T[:, :, None], hulls.second.T[:, :, None]
    segment = torch.where((position >= first_end) & (position < second), MIDDLE, -1)
    segment = torch.where(position < first, LEFT, segment)
    return torch.where((position >= first_end) & (position >= second_end), RIGHT, segment)
