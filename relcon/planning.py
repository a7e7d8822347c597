"""Which forwards serve a step: one input object once per encoder, inputs of like length together, every unit in its place."""

from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from relcon.contrast import ABSENT, WHOLE, Encoded, Input, Prepared, Spans, View
from relcon.interfaces import Encoder, Request, Tower

Key = Tuple[str, str]
"""A request: the task's name and the task's own name for it."""

More = Callable[[Tower, List[View]], Tensor]
"""Pools further views of states that are at hand."""


# ---- where the units lie -------------------------------------------------------------------------------------------------


def locate(prepared: Prepared, index: Mapping[Input, int], views: Sequence[View]) -> Spans:
    """Word spans of views -> position spans of the prepared rows.

    index: an input -> its number in `prepared`. A span whose first or last word was cropped away, or that a window breaks, is
    left out. ValueError where views differ in their number of slots; IndexError where a span names a word or piece that the
    input does not have.
    """
    slots = len(views[0].unit)
    if any(len(view.unit) != slots for view in views):
        raise ValueError(f"views of one request must have one number of slots, got {sorted({len(view.unit) for view in views})}")
    home = prepared.whole[torch.tensor([index[view.input] for view in views]), 0]
    flat = [
        (index[view.input], span.start, span.end - 1, span.piece, number * slots + slot)
        for number, view in enumerate(views)
        for slot, spans in enumerate(view.unit)
        for span in spans
    ]
    inputs, first, last, piece, slot = torch.tensor(flat, dtype=torch.long).reshape(-1, 5).T
    row, start, end, seen = _positions(prepared, inputs, first, last, piece)
    asked, found = (torch.bincount(numbers, minlength=len(views) * slots) > 0 for numbers in (slot, slot[seen]))
    alive = (found | ~asked).view(len(views), slots).all(1)
    return Spans(row[seen], start[seen], end[seen], slot[seen], len(views), slots, alive, home)


def _positions(prepared: Prepared, inputs: Tensor, first: Tensor, last: Tensor, piece: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    """Row, start, end of each span, and whether it is there. inputs, first, last, piece: [S]."""
    whole = first == WHOLE.start
    words = prepared.where.shape[1]
    if bool((~whole & ((first < 0) | (last < first) | (last >= words))).any()):
        raise IndexError("a view names words that its input does not have, or an empty span")
    where = prepared.where if words else prepared.whole[:, None]  # inputs without words have nothing but WHOLE
    one = torch.where(whole[:, None], prepared.whole[inputs], where[inputs, first.where(~whole, 0)])
    two = torch.where(whole[:, None], prepared.whole[inputs], where[inputs, last.where(~whole, 0)])
    seen = (one[:, 1] >= 0) & (two[:, 1] >= 0) & (one[:, 0] == two[:, 0])
    if bool((two[:, 1] == ABSENT).any()) or bool((seen & (piece >= one[:, 2] - one[:, 1])).any()):
        raise IndexError("a view names a word or a piece that its input does not have")
    start = torch.where(piece >= 0, one[:, 1] + piece, one[:, 1])
    end = torch.where(piece >= 0, start + 1, two[:, 2])
    return one[:, 0], start, end, seen


def word_starts(prepared: Prepared, like: Tensor) -> Tensor:
    """[B, L] bool: the positions at which a word begins. like: [B, L], rows of that shape on that device."""
    row, first, _ = prepared.where.flatten(0, 1).T
    seen = first >= 0
    begins = torch.zeros(like.shape, dtype=torch.bool)
    begins[row[seen], first[seen]] = True
    return begins.to(like.device)


# ---- what is encoded together --------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What one request wants of one micro-batch: the tower, which of its views [n], and where they lie."""

    tower: Tower
    numbers: Tensor
    spans: Spans


@dataclass
class MicroBatch:
    """One forward: some inputs of one encoder, and every requested unit inside them.

    positions: how many positions the rows had, padding included; known once it ran.
    """

    encoder: Encoder
    depth: Optional[int]
    prepared: Prepared
    index: Dict[Input, int]
    wanted: Dict[Key, Wanted]
    positions: int = 0

    def run(self, keys: Sequence[Key]) -> Tuple[Dict[Key, Tensor], More]:
        """Vectors of these requests, in their order, and a way to pool more views of the same states."""
        states = self.encoder(self.prepared, self.depth)
        encoded = replace(states, begins=word_starts(self.prepared, states.mask))
        self.positions = encoded.mask.numel()
        vectors = {key: self.wanted[key].tower.pool(encoded, _moved(self.wanted[key].spans, encoded)) for key in keys if key in self.wanted}

        def more(tower: Tower, views: List[View]) -> Tensor:
            return tower.pool(encoded, _moved(locate(self.prepared, self.index, views), encoded))

        return vectors, more

    @property
    def trains(self) -> bool:
        """Whether a gradient can reach anything of it."""
        return any(trains(wanted.tower) for wanted in self.wanted.values())

    @property
    def devices(self) -> List[torch.device]:
        """The accelerators whose random streams it draws from."""
        return sorted({parameter.device for parameter in self.encoder.parameters() if parameter.device.type == "cuda"}, key=str)


def trains(tower: Tower) -> bool:
    """Whether a gradient can reach anything of a tower."""
    return any(parameter.requires_grad for parameter in tower.parameters())


def _moved(spans: Spans, encoded: Encoded) -> Spans:
    """The spans on the device of the states; `alive` stays where tasks read it."""
    device = encoded.states.device
    return replace(spans, **{name: getattr(spans, name).to(device) for name in ("row", "start", "end", "slot", "home")})


@dataclass(frozen=True)
class Planned:
    """A micro-batch that is planned, its inputs not yet tensors.

    group: the requests that it serves. inputs: sorted by length. numbers: which views of each request lie in them.
    size: positions, padding included (0 where the encoder does not tell lengths).
    """

    group: Mapping[Key, Request]
    inputs: Sequence[Input]
    numbers: Mapping[Key, List[int]]
    size: int

    def ready(self) -> MicroBatch:
        """The micro-batch, tensors and all."""
        tower = self.group[next(iter(self.numbers))].tower
        index = {each: row for row, each in enumerate(self.inputs)}
        prepared = tower.encoder.prepare(self.inputs)
        wanted = {
            key: Wanted(
                self.group[key].tower,
                torch.tensor(numbers),
                locate(prepared, index, [self.group[key].views[number] for number in numbers]),
            )
            for key, numbers in self.numbers.items()
        }
        return MicroBatch(tower.encoder, tower.depth, prepared, index, wanted)


def plan(requests: Mapping[Key, Request], tokens: int = 0, processes: int = 1) -> List[Planned]:
    """The forwards that serve these requests: one object of an encoder once, inputs of like length together.

    tokens: the largest number of positions (rows times the longest row) of a forward; 0: no limit. An input that is longer has a
    forward of its own. processes: make at least so many of each encoder's inputs, where there are enough.
    """
    together: Dict[Tuple[int, Optional[int]], Dict[Key, Request]] = {}
    for key, request in requests.items():
        if request.views:
            together.setdefault((id(request.tower.encoder), request.tower.depth), {})[key] = request
    return [planned for group in together.values() for planned in _planned(group, tokens, processes)]


def _planned(group: Mapping[Key, Request], tokens: int, processes: int) -> List[Planned]:
    """The micro-batches of one encoder."""
    inputs = list(dict.fromkeys(view.input for request in group.values() for view in request.views))
    lengths = next(iter(group.values())).tower.encoder.lengths(inputs)
    parts = cut(lengths, tokens, processes)
    place = {inputs[number]: part for part, numbers in enumerate(parts) for number in numbers}
    dealt: List[Dict[Key, List[int]]] = [{} for _ in parts]
    for key, request in group.items():
        for number, view in enumerate(request.views):
            dealt[place[view.input]].setdefault(key, []).append(number)
    return [
        Planned(group, [inputs[number] for number in numbers], wanted, len(numbers) * lengths[numbers[-1]])
        for numbers, wanted in zip(parts, dealt, strict=True)
    ]


def cut(lengths: Sequence[int], tokens: int = 0, least: int = 1) -> List[List[int]]:
    """Input numbers, sorted by length, in parts of at most `tokens` positions, padding included (0: one part).

    least: the smallest number of parts, as far as there are inputs. Where the limit asks for fewer, long and short ones are spread
    evenly over so many, since each part is to keep a process busy for as long as the others.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    parts: List[List[int]] = []
    for number in order:
        if parts and (not tokens or (len(parts[-1]) + 1) * lengths[number] <= tokens):
            parts[-1].append(number)
        else:
            parts.append([number])
    if len(parts) < min(least, len(order)):
        parts = [order[first :: min(least, len(order))] for first in range(min(least, len(order)))]
    return parts


def dealt(sizes: Sequence[int], processes: int) -> List[List[int]]:
    """Which parts each process gets: the largest first, each to the one that has least to do. Part numbers ascend."""
    hands: List[List[int]] = [[] for _ in range(processes)]
    load = [0] * processes
    for number in sorted(range(len(sizes)), key=lambda each: (-sizes[each], each)):
        least = load.index(min(load))
        hands[least].append(number)
        load[least] += max(sizes[number], 1)
    return [sorted(hand) for hand in hands]
