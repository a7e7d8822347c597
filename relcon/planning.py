"""Which forwards serve a step: one input object once per encoder, inputs of like length together, every unit in its place."""

from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

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


# ---- what is encoded together --------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What one request wants of one chunk: the tower, which of its views [n], and where they lie."""

    tower: Tower
    numbers: Tensor
    spans: Spans


@dataclass
class Chunk:
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
        encoded = self.encoder(self.prepared, self.depth)
        self.positions = encoded.mask.numel()
        vectors = {key: self.wanted[key].tower.pool(encoded, _moved(self.wanted[key].spans, encoded)) for key in keys if key in self.wanted}

        def more(tower: Tower, views: List[View]) -> Tensor:
            return tower.pool(encoded, _moved(locate(self.prepared, self.index, views), encoded))

        return vectors, more

    @property
    def trains(self) -> bool:
        """Whether a gradient can reach anything of it."""
        return any(parameter.requires_grad for wanted in self.wanted.values() for parameter in wanted.tower.parameters())

    @property
    def devices(self) -> List[torch.device]:
        """The accelerators whose random streams it draws from."""
        return sorted({parameter.device for parameter in self.encoder.parameters() if parameter.device.type == "cuda"}, key=str)


def _moved(spans: Spans, encoded: Encoded) -> Spans:
    """The spans on the device of the states; `alive` stays where tasks read it."""
    device = encoded.states.device
    return replace(spans, **{name: getattr(spans, name).to(device) for name in ("row", "start", "end", "slot", "home")})


def plan(requests: Mapping[Key, Request], chunk: Optional[int] = None) -> Iterator[Chunk]:
    """The forwards that serve these requests: one object of an encoder once, inputs of like length together.

    chunk: the largest number of inputs of a forward; None: all at once.
    """
    together: Dict[Tuple[int, Optional[int]], Dict[Key, Request]] = {}
    for key, request in requests.items():
        if request.views:
            together.setdefault((id(request.tower.encoder), request.tower.depth), {})[key] = request
    for group in together.values():
        tower = next(iter(group.values())).tower
        inputs = _sorted(tower.encoder, list(dict.fromkeys(view.input for request in group.values() for view in request.views)))
        size = chunk or len(inputs)
        number = {each: place // size for place, each in enumerate(inputs)}
        wanted = _dealt(group, number)
        for place in range(0, len(inputs), size):
            part = inputs[place : place + size]
            index = {each: row for row, each in enumerate(part)}
            prepared = tower.encoder.prepare(part)
            yield Chunk(tower.encoder, tower.depth, prepared, index, _wanted(group, wanted[place // size], prepared, index))


def _sorted(encoder: Encoder, inputs: List[Input]) -> List[Input]:
    """The inputs by length, so that a chunk has little padding."""
    length = dict(zip(inputs, encoder.lengths(inputs), strict=True))
    return sorted(inputs, key=length.__getitem__)


def _dealt(group: Mapping[Key, Request], number: Mapping[Input, int]) -> Dict[int, Dict[Key, List[int]]]:
    """Chunk number -> request -> which of its views lie there."""
    dealt: Dict[int, Dict[Key, List[int]]] = {}
    for key, request in group.items():
        for view_number, view in enumerate(request.views):
            dealt.setdefault(number[view.input], {}).setdefault(key, []).append(view_number)
    return dealt


def _wanted(group: Mapping[Key, Request], dealt: Mapping[Key, List[int]], prepared: Prepared, index: Dict[Input, int]) -> Dict[Key, Wanted]:
    """What each request wants of a chunk."""
    return {
        key: Wanted(group[key].tower, torch.tensor(numbers), locate(prepared, index, [group[key].views[n] for n in numbers]))
        for key, numbers in dealt.items()
    }


def assembled(parts: Sequence[Tuple[Wanted, Tensor]]) -> Tuple[Tensor, Tensor]:
    """Vectors [U, D] and alive [U] of a request, in the order of its views, from those of the chunks."""
    vectors = torch.cat([vectors for _, vectors in parts])
    back = torch.cat([wanted.numbers for wanted, _ in parts]).argsort()
    alive = torch.cat([wanted.spans.alive for wanted, _ in parts])
    return vectors[back.to(vectors.device)], alive[back]
