"""Vectors from the positions of spans: marker starts, mentions, pairs."""

from typing import Literal

from torch import Tensor

from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.interfaces import Pooler
from relcon.poolers.segments import positions, segment_max, segment_mean


class SpanPool(Pooler):
    """One vector per span, the mean of a slot's spans, slots side by side.

    With marker views `first` gives the states of the start markers (Baldini Soares et al., 2019); with mention views `mean`
    or `max` pools the words of the mentions. Two slots (head, tail) give a pair of twice the encoder's width.

    inside: what becomes of the positions of a span: their `mean` or `max`, the `first` or the `last` of them.
    slots: how many slots the renderer's units have: 2 for a pair, 1 for a whole sentence or a single entity.

    A slot that cropping took, or without spans, is a vector of zeros. RelconError where units have another number of slots.

    Config::

        [pooler]
        @poolers = "relcon.SpanPool.v1"
        inside = "mean"
        slots = 2
    """

    def __init__(self, inside: Literal["mean", "max", "first", "last"] = "mean", slots: int = 2):
        super().__init__()
        if inside not in ("mean", "max", "first", "last"):
            raise RelconError(f"inside must be one of 'mean', 'max', 'first', 'last', got '{inside}'.")
        if slots < 1:
            raise RelconError(f"slots must be at least 1, got {slots}.")
        self.inside, self.slots = inside, slots

    def width(self, state: int) -> int:
        """The width of a state times the number of slots."""
        return self.slots * state

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, slots * H]."""
        if spans.slots != self.slots:
            raise RelconError(
                f"relcon.SpanPool.v1 has slots = {self.slots}, but the views have {spans.slots}. Change it or the renderer's unit."
            )
        slots = segment_mean(self._spans(encoded, spans), spans.slot, spans.units * spans.slots)  # [U * slots, H]
        return slots.reshape(spans.units, -1)

    def _spans(self, encoded: Encoded, spans: Spans) -> Tensor:
        """[S, H]"""
        if self.inside == "first":
            return encoded.states[spans.row, spans.start]
        if self.inside == "last":
            return encoded.states[spans.row, spans.end - 1]
        number, row, position = positions(spans)
        reduce = segment_mean if self.inside == "mean" else segment_max
        return reduce(encoded.states[row, position], number, len(spans.row))
