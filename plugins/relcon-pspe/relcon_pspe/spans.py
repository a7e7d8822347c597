"""PSPE's span encoder: convolutions over the words of a span, their maxima, an MLP."""

from typing import List, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from relcon.contrast import Encoded, Spans
from relcon.errors import RelconError
from relcon.interfaces import Pooler
from relcon.poolers.segments import positions, segment_max
from relcon_pspe.blocks import Block


class Words(NamedTuple):
    """The words of slots, slot after slot and in the order of the text, none of them twice in a slot.

    slot, place: [T] the slot of each word and where it stands, row * L + position. slots: how many there are.
    """

    slot: Tensor
    place: Tensor
    slots: int

    @classmethod
    def of(cls, slot: Tensor, place: Tensor, slots: int, places: int) -> "Words":
        """Any words in that order. places: how many positions there are, B * L."""
        keys = torch.unique(slot * places + place)
        return cls(keys // places, keys % places, slots)


class SpanEncoder(Pooler):
    """A vector for each slot of a unit, from the words in it; slots side by side.

    Convolutions of several widths k over the word vectors, with k zeros before and behind them; GELU; the maximum over positions of each
    channel; dropout; and one MLP block (Wang et al. 2020, in the released code's form). A word vector is the state of the
    word's first piece. So a span shorter than a kernel has a vector, no channel falls below that of a window of zeros, and a vector does
    not depend on what else is encoded.

    A slot of several spans is one sequence of their words, in the order of the text. A slot without words (none given, or cropped away) is
    the empty span. Positions at which no word begins, special tokens among them, are in no span.

    state: the width of the encoder's states. kernels: widths of the convolutions, in words. channels: of each. out: the width of a slot's
    vector. dropout: behind the maxima and in the MLP.
    empty: what the MLP reads of an empty span: the convolutions of nothing (`cnn`), or zeros (`zero`, the released code in fine-tuning).
    slots: how many slots the units have.

    Words are read in their natural order, in the released code in reverse: weights of one are not weights of the other. Every word is
    multiplied by the kernels once, in however many spans it stands.

    RelconError where the encoder has states of another width, or units have another number of slots; ValueError where a number is out
    of range.

    Config::

        [pooler]
        @poolers = "pspe.Span.v1"
        state = 768
        slots = 1
    """

    def __init__(
        self,
        state: int = 768,
        kernels: List[int] = [2, 3, 4],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        channels: int = 100,
        out: int = 300,
        dropout: float = 0.1,
        empty: Literal["cnn", "zero"] = "cnn",
        slots: int = 1,
    ):
        super().__init__()
        if not kernels or min(state, channels, out, slots, *kernels) < 1:
            raise ValueError(f"state, kernels, channels, out, slots: {state}, {kernels}, {channels}, {out}, {slots} must be at least 1")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
        if empty not in ("cnn", "zero"):
            raise ValueError(f"empty must be 'cnn' or 'zero', not '{empty}'")
        self.convolutions = nn.ModuleList(nn.Conv1d(state, channels, kernel) for kernel in kernels)
        self.dropout = nn.Dropout(dropout)
        self.mlp = Block(channels * len(kernels), out, dropout)
        self.state, self.kernels, self.channels = state, list(kernels), channels
        self.out, self.empty, self.slots = out, empty, slots

    def width(self, state: int) -> int:
        """`out` for each slot."""
        require_state("pspe.Span.v1", self.state, state)
        return self.slots * self.out

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, slots * out]."""
        if spans.slots != self.slots:
            raise RelconError(f"pspe.Span.v1 has slots = {self.slots}, but the views have {spans.slots}. Change it or the renderer's unit.")
        return self.encode(encoded.states, words_of(encoded, spans)).view(spans.units, self.slots * self.out)

    def encode(self, states: Tensor, words: Words) -> Tensor:
        """Vectors [count, out] of any slots of words. states: [B, L, H]."""
        return self.mlp(self.dropout(self.features(states, words)))

    def features(self, states: Tensor, words: Words) -> Tensor:
        """[count, kernels * channels]: what the MLP reads."""
        known, number = words.place.unique(return_inverse=True)
        vectors = states.flatten(0, 1)[known]
        laid = Laid.of(words, max(self.kernels))
        layers = (each for each in self.convolutions if isinstance(each, nn.Conv1d))  # all of them
        maxima = torch.cat([self._maxima(each, vectors, number, laid) for each in layers], 1)
        if self.empty == "zero":
            return maxima.masked_fill((laid.sizes == 0)[:, None], 0.0)
        return maxima

    def _maxima(self, convolution: nn.Conv1d, vectors: Tensor, number: Tensor, laid: "Laid") -> Tensor:
        """[count, channels] of one convolution. vectors: [D, H] of distinct words. number: [T] which of them each word of a slot is."""
        (kernel,) = convolution.kernel_size
        weight = convolution.weight.permute(2, 0, 1).flatten(0, 1)  # [kernel * channels, H]
        # what a word adds to a window, by its place in it: [D, kernel, channels]
        taps = functional.linear(vectors, weight).unflatten(1, (kernel, convolution.out_channels))
        line = taps.new_zeros(laid.length, *taps.shape[1:]).index_copy(0, laid.at, taps[number])
        windows = sum(line[place : place + len(laid.owner), place] for place in range(kernel))
        return segment_max(functional.gelu(windows + convolution.bias), laid.owner, len(laid.sizes))


class Laid(NamedTuple):
    """Slots of words on one line, gaps of zeros as wide as the widest kernel around them, so that no window reaches two slots.

    at: [T] where each word lies. owner: [P] the slot of the window that begins at each place; windows of zeros alone among those of every
    slot. sizes: [count] words of each slot. length: of the line, on which the last window ends.
    """

    at: Tensor
    owner: Tensor
    sizes: Tensor
    length: int

    @classmethod
    def of(cls, words: Words, gap: int) -> "Laid":
        """Each slot behind a gap, and a last gap behind all of them."""
        sizes = torch.bincount(words.slot, minlength=words.slots)
        at = torch.arange(len(words.slot), device=words.slot.device) + gap * (words.slot + 1)
        owner = torch.arange(words.slots, device=words.slot.device).repeat_interleave(sizes + gap)
        return cls(at, owner, sizes, len(owner) + gap)


def require_state(name: str, own: int, state: int) -> None:
    """RelconError in the name of a pooler whose parameters are made for states of another width."""
    if state != own:
        raise RelconError(f"{name} has state = {own}, but the encoder's states are {state} wide. Write state = {state}.")


def words_of(encoded: Encoded, spans: Spans) -> Words:
    """The words of every slot of every unit, the slots of a unit in a row."""
    span, row, position = positions(spans)
    word = word_begins(encoded)[row, position]
    place = row * encoded.mask.shape[1] + position
    return Words.of(spans.slot[span[word]], place[word], spans.units * spans.slots, encoded.mask.numel())


def word_begins(encoded: Encoded) -> Tensor:
    """[B, L] bool: where words begin; ValueError where nobody said."""
    if encoded.begins is None:
        raise ValueError("a pooler over words reads Encoded.begins: set it where states are not those of relcon.planning.MicroBatch")
    return encoded.begins
