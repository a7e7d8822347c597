"""Views -> vectors, and one training step: sharing, chunks and gradient caching live here and nowhere else.

Every input object is encoded once per encoder and step, whatever number of views and tasks ask for it. Inputs of like length
are encoded together. With gradient caching the vectors of all chunks are computed first without a graph, the loss gives their
gradients, and a second pass through each chunk carries them on to the parameters: memory for one chunk, gradients of the whole
batch (Gao et al., 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"). Each chunk has a random
seed of its own, so that both passes see the same dropout.
"""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from relcon.contrast import ABSENT, WHOLE, Batch, Encoded, Input, Prepared, Spans, View
from relcon.interfaces import Encoder, Request, Task, Tower

Key = Tuple[str, str]
"""A request: the task's name and the task's own name for it."""

More = Callable[[Tower, List[View]], Tensor]
"""Pools further views of states that are at hand."""

Precision = Callable[[], ContextManager[Any]]
"""Makes the context of mixed precision."""


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
        inputs = sorted(dict.fromkeys(view.input for request in group.values() for view in request.views), key=lambda each: each.size)
        size = chunk or len(inputs)
        number = {each: place // size for place, each in enumerate(inputs)}
        wanted = _dealt(group, number)
        for place in range(0, len(inputs), size):
            part = inputs[place : place + size]
            index = {each: row for row, each in enumerate(part)}
            prepared = tower.encoder.prepare(part)
            yield Chunk(tower.encoder, tower.depth, prepared, index, _wanted(group, wanted[place // size], prepared, index))


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


def _assembled(parts: Sequence[Tuple[Wanted, Tensor]]) -> Tuple[Tensor, Tensor]:
    """Vectors [U, D] and alive [U] of a request, in the order of its views, from those of the chunks."""
    vectors = torch.cat([vectors for _, vectors in parts])
    back = torch.cat([wanted.numbers for wanted, _ in parts]).argsort()
    alive = torch.cat([wanted.spans.alive for wanted, _ in parts])
    return vectors[back.to(vectors.device)], alive[back]


# ---- one step ------------------------------------------------------------------------------------------------------------


@dataclass
class StepResult:
    """What a step did.

    loss: the weighted sum. parts: the loss of each task. inputs: how many were encoded. views: how many vectors were made of
    them. tokens: positions of the inputs; positions: the same with padding. cropped: inputs that lost words to the length
    limit. lost: views that lost a slot to it.
    """

    loss: float
    parts: Dict[str, float]
    inputs: int = 0
    views: int = 0
    tokens: int = 0
    positions: int = 0
    cropped: int = 0
    lost: int = 0


def step(
    tasks: Mapping[str, Task],
    batch: Batch,
    *,
    chunk: Optional[int] = None,
    cache: bool = False,
    backward: bool = True,
    scale: float = 1.0,
    autocast: Precision = nullcontext,
) -> StepResult:
    """One weighted loss of all tasks over a batch; its gradients are added to those of the parameters.

    tasks: those of the batch's stream, by name. chunk: the largest number of inputs of a forward; None: all at once.
    cache: gradient caching: the same loss and gradients in the memory of one chunk. backward: False computes the loss alone.
    scale: a factor of the loss before its gradients are taken (1 / accumulated batches, a gradient scaler's factor).
    autocast: makes the context of mixed precision for encoders, poolers and heads.

    Draws one number per chunk from torch's global random stream.
    """
    requests = {(name, own): request for name, task in tasks.items() for own, request in task.requests(batch[task.reads]).items()}
    engine = _Step(tasks, batch, requests, list(plan(requests, chunk)), scale, autocast)
    with torch.set_grad_enabled(backward):
        if cache and backward and len(engine.chunks) > 1:
            engine.cached()
        else:
            engine.plain()
    return engine.result()


class _Step:
    """The state of one step: its chunks, their seeds, and the losses so far."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        batch: Batch,
        requests: Dict[Key, Request],
        chunks: List[Chunk],
        scale: float,
        autocast: Precision,
    ):
        self.tasks, self.batch, self.requests, self.chunks = tasks, batch, requests, chunks
        self.scale, self.autocast = scale, autocast
        self.seeds = torch.randint(2**62, (len(chunks),)).tolist()  # one random stream per chunk: the same in both passes
        self.joint = [key for key in requests if tasks[key[0]].joint]
        self.apart = [key for key in requests if not tasks[key[0]].joint]
        self.alive = {key: sum(int(chunk.wanted[key].spans.alive.sum()) for chunk in chunks if key in chunk.wanted) for key in requests}
        self.parts: Dict[str, Tensor] = {}

    def plain(self) -> None:
        """All chunks with their graphs, then one loss. A chunk that no joint task needs is finished at once."""
        outputs: List[Dict[Key, Tensor]] = []
        waiting: List[Tensor] = []
        for chunk, seed in zip(self.chunks, self.seeds, strict=True):
            with self._stream(chunk, seed):
                vectors, shares = self._run(chunk, self.joint + self.apart)
            outputs.append(vectors)
            if vectors:
                waiting += shares
            else:
                self._take_gradients(shares)
        self._take_gradients([*waiting, *self._joint_losses(outputs)])

    def cached(self) -> None:
        """Vectors without a graph, the gradients of the joint losses with respect to them, and each chunk once more."""
        leaves = []
        for chunk, seed in zip(self.chunks, self.seeds, strict=True):
            with self._stream(chunk, seed), torch.no_grad():
                vectors = self._run(chunk, self.joint)[0] if chunk.wanted.keys() & set(self.joint) else {}
            leaves.append({key: vector.detach().requires_grad_(chunk.trains) for key, vector in vectors.items()})
        self._take_gradients(self._joint_losses(leaves))
        for chunk, seed, leaf in zip(self.chunks, self.seeds, leaves, strict=True):
            if chunk.trains or chunk.wanted.keys() & set(self.apart):
                with self._stream(chunk, seed):
                    vectors, shares = self._run(chunk, self.joint + self.apart)
                self._take_gradients(shares, [(vectors[key], leaf[key].grad) for key in leaf])

    def _run(self, chunk: Chunk, keys: Sequence[Key]) -> Tuple[Dict[Key, Tensor], List[Tensor]]:
        """Vectors of the joint requests, and the weighted losses of the separable ones: shares of the mean over their views.

        Separable tasks come last, so that the joint ones draw the same random numbers with and without them.
        """
        with self.autocast():
            vectors, more = chunk.run(keys)
            shares = [self._share(key, chunk.wanted[key], vectors[key], more) for key in self.apart if key in vectors and self.alive[key]]
        return {key: vectors[key] for key in self.joint if key in vectors}, shares

    def _share(self, key: Key, wanted: Wanted, vectors: Tensor, more: More) -> Tensor:
        """A separable task's loss of the living views of a chunk, as its share of the mean over all chunks."""
        task, alive = self.tasks[key[0]], wanted.spans.alive
        living = vectors[alive.to(vectors.device)]
        share = task.part(self.batch[task.reads], living, wanted.numbers[alive], more) / self.alive[key]
        self.parts[key[0]] = self.parts.get(key[0], torch.zeros_like(share)) + share.detach()
        return task.weight * share

    def _joint_losses(self, outputs: Sequence[Dict[Key, Tensor]]) -> List[Tensor]:
        """The weighted losses of the joint tasks."""
        losses = []
        for name, task in self.tasks.items():
            keys = [key for key in self.joint if key[0] == name]
            if keys:
                vectors, alive = {}, {}
                for key in keys:
                    found = [(chunk.wanted[key], output[key]) for chunk, output in zip(self.chunks, outputs, strict=True) if key in output]
                    vectors[key[1]], alive[key[1]] = _assembled(found)
                loss = task.loss(self.batch[task.reads], vectors, alive)
                self.parts[name] = loss.detach()
                losses.append(task.weight * loss)
        return losses

    def _take_gradients(self, losses: Sequence[Tensor], carried: Sequence[Tuple[Tensor, Optional[Tensor]]] = ()) -> None:
        """Gradients of scaled losses, and of vectors whose own gradients are known (these carry the scale already)."""
        heads: List[Tuple[Tensor, Optional[Tensor]]] = [(loss * self.scale, None) for loss in losses if loss.requires_grad]
        heads += [(vectors, gradient) for vectors, gradient in carried if gradient is not None]
        if heads:
            torch.autograd.backward([head for head, _ in heads], [gradient for _, gradient in heads])  # type: ignore[arg-type]

    @contextmanager
    def _stream(self, chunk: Chunk, seed: int) -> Iterator[None]:
        """A random stream of the chunk's own; the caller's goes on where it was."""
        with torch.random.fork_rng(devices=chunk.devices):
            torch.manual_seed(seed)
            yield

    def result(self) -> StepResult:
        """Losses and counts, once the work is done."""
        parts = {name: float(loss) for name, loss in self.parts.items()}
        views = sum(len(request.views) for request in self.requests.values())
        return StepResult(
            loss=sum(self.tasks[name].weight * loss for name, loss in parts.items()),
            parts=parts,
            inputs=sum(len(chunk.index) for chunk in self.chunks),
            views=views,
            tokens=sum(int(chunk.prepared.whole[:, 2].clamp(min=0).sum()) for chunk in self.chunks),
            positions=sum(chunk.positions for chunk in self.chunks),
            cropped=sum(chunk.prepared.cropped for chunk in self.chunks),
            lost=views - sum(self.alive.values()),
        )


# ---- evaluation ----------------------------------------------------------------------------------------------------------


def embed(tower: Tower, views: Sequence[View], chunk: int = 64) -> Tensor:
    """Vectors [U, D] of views in evaluation mode, without gradients. The lost slots of a lost view are zeros."""
    return encode(tower, views, chunk)[0]


@torch.no_grad()
def encode(tower: Tower, views: Sequence[View], chunk: int = 64) -> Tuple[Tensor, Tensor]:
    """Vectors [U, D] in evaluation mode, without gradients, and alive [U]: False where cropping took a view.

    chunk: how many inputs are encoded at a time. ValueError where there are no views.
    """
    if not views:
        raise ValueError("there are no views to encode")
    key = ("", "")
    with evaluating(tower):
        return _assembled([(part.wanted[key], part.run([key])[0][key]) for part in plan({key: Request(tower, list(views))}, chunk)])


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode; every part of it is put back into the mode that it was in."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
