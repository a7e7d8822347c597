"""Views -> vectors, and one training step: micro-batches, gradient caching and several processes live here and nowhere else.

Every input object is encoded once per encoder and step, whatever number of views and tasks ask for it (`relcon.planning`).

With gradient caching the vectors of all micro-batches are computed first without a graph, the loss gives their gradients, and a
second pass through each micro-batch carries them on to the parameters: memory for one micro-batch, gradients of the whole batch
(Gao et al., 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"). Each micro-batch has a random seed of
its own, so that both passes see the same dropout.

Several processes share out the micro-batches of one batch, exchange the vectors, and each judges all of them: every anchor meets
every candidate. A process carries back the gradients of the vectors that it made; `relcon.processes.sum_gradients` adds them up.
"""

import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn

from relcon import processes
from relcon.contrast import Batch, Contrast, Labelled, Text, View
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Request, Task, Tower
from relcon.planning import Key, MicroBatch, More, Planned, Wanted, dealt, plan, trains
from relcon.row_gradients import row_gradients

Precision = Callable[[], ContextManager[Any]]
"""Makes the context of mixed precision."""


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
    tokens: int = 0,
    cache: bool = False,
    backward: bool = True,
    scale: float = 1.0,
    autocast: Precision = nullcontext,
) -> StepResult:
    """One weighted loss of all tasks over a batch; its gradients are added to those of the parameters.

    tasks: those of the batch's stream, by name. tokens: the largest number of positions of a forward, padding included; 0: all
    inputs in one. cache: gradient caching: the same loss and gradients in the memory of one micro-batch. backward: False computes
    the loss alone. scale: a factor of the loss before its gradients are taken (1 / accumulated batches, a gradient scaler's factor).
    autocast: makes the context of mixed precision for encoders, poolers and heads.

    In a run of several processes each calls it with the same batch, and has its own share of the gradients afterwards.
    Draws one number per micro-batch from torch's global random stream. RelconError where a task reads what the batch does not have,
    or processes hold different batches.
    """
    if processes.count() > 1:
        processes.require_same(fingerprint(batch), "batch")
    requests = {(name, own): request for name, task in tasks.items() for own, request in task.requests(_value(name, task, batch)).items()}
    engine = _Step(tasks, batch, requests, plan(requests, tokens, processes.count()), scale, autocast)
    with torch.set_grad_enabled(backward), row_gradients(tasks.values()):
        if cache and backward and engine.several:
            engine.cached()
        else:
            engine.plain()
    return engine.result()


def _value(name: str, task: Task, batch: Batch) -> Union[Contrast, Labelled]:
    """What a task reads of a batch."""
    if task.reads not in batch:
        raise RelconError(f"Task '{name}' reads '{task.reads}', which its stream does not give.{did_you_mean(task.reads, batch)}")
    return batch[task.reads]


def fingerprint(batch: Batch) -> int:
    """A checksum of the texts, labels and positives of a batch, the same in every process that drew it."""
    total = 0
    for name, value in batch.items():
        numbers = value.labels if isinstance(value, Labelled) else value.pairing.positives
        seen = [name, [] if numbers is None else numbers.tolist(), [_seen(view) for view in _views(value)]]
        total = zlib.crc32(repr(seen).encode("utf-8", "surrogatepass"), total)
    return total


def _views(value: Union[Contrast, Labelled]) -> List[View]:
    """All views of a value."""
    return value.views if isinstance(value, Labelled) else [*value.anchors, *(value.candidates or ())]


def _seen(view: View) -> Any:
    """What a view shows."""
    return (view.input.words, view.input.edits, view.unit) if isinstance(view.input, Text) else view.unit


class _Step:
    """The state of one step: this process's micro-batches, their seeds, and the losses so far."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        batch: Batch,
        requests: Dict[Key, Request],
        planned: List[Planned],
        scale: float,
        autocast: Precision,
    ):
        self.tasks, self.batch, self.requests = tasks, batch, requests
        self.scale, self.autocast, self.several = scale, autocast, len(planned) > 1
        seeds = torch.randint(2**62, (len(planned),)).tolist()  # one random stream per micro-batch: the same in both passes
        own = dealt([each.size for each in planned], processes.count())[processes.rank()]
        self.parts_to_run = [(planned[number].ready(), seeds[number]) for number in own]
        self.joint = [key for key in requests if tasks[key[0]].joint]
        self.apart = [key for key in requests if not tasks[key[0]].joint]
        self.alive = _alive(requests, [part.wanted for part, _ in self.parts_to_run])
        self.living = {key: int(alive.sum()) for key, alive in self.alive.items()}
        self.losses: Dict[str, Tensor] = {}
        self.shares: Dict[str, Tensor] = {}

    def plain(self) -> None:
        """All micro-batches with their graphs, then one loss. One that no joint task needs is finished at once."""
        kept: List[Tuple[MicroBatch, Dict[Key, Tensor], List[Tensor]]] = []
        for part, seed in self.parts_to_run:
            with self._stream(part, seed):
                vectors, shares = self._run(part, self.joint + self.apart)
            if vectors:
                kept.append((part, vectors, shares))
            else:
                self._take_gradients(shares)
        gradients = self._judge([(part, vectors) for part, vectors, _ in kept])
        carried = [pair for part, vectors, _ in kept for pair in _carried(part, vectors, gradients)]
        self._take_gradients([share for _, _, shares in kept for share in shares], carried)

    def cached(self) -> None:
        """Vectors without a graph, the gradients of the joint losses with respect to them, and each micro-batch once more."""
        found = []
        for part, seed in self.parts_to_run:
            if part.wanted.keys() & set(self.joint):
                with self._stream(part, seed), torch.no_grad():
                    found.append((part, self._run(part, self.joint)[0]))
        gradients = self._judge(found)
        for part, seed in self.parts_to_run:
            if part.trains or part.wanted.keys() & set(self.apart):
                with self._stream(part, seed):
                    vectors, shares = self._run(part, self.joint + self.apart)
                self._take_gradients(shares, _carried(part, vectors, gradients))

    def _run(self, part: MicroBatch, keys: Sequence[Key]) -> Tuple[Dict[Key, Tensor], List[Tensor]]:
        """Vectors of the joint requests, and the weighted losses of the separable ones: shares of the mean over their views.

        Separable tasks come last, so that the joint ones draw the same random numbers with and without them.
        """
        with self.autocast():
            vectors, more = part.run(keys)
            shares = [self._share(key, part.wanted[key], vectors[key], more) for key in self.apart if key in vectors and self.living[key]]
        return {key: vectors[key] for key in self.joint if key in vectors}, shares

    def _share(self, key: Key, wanted: Wanted, vectors: Tensor, more: More) -> Tensor:
        """A separable task's loss of the living views of a micro-batch, as its share of the mean over all of them."""
        task, alive = self.tasks[key[0]], wanted.spans.alive
        living = vectors[alive.to(vectors.device)]
        share = task.part(self.batch[task.reads], living, wanted.numbers[alive], more) / self.living[key]
        self.shares[key[0]] = self.shares.get(key[0], torch.zeros_like(share)) + share.detach()
        return task.weight * share

    def _judge(self, found: Sequence[Tuple[MicroBatch, Dict[Key, Tensor]]]) -> Dict[Key, Tensor]:
        """The joint losses of all vectors of the batch, and their gradients with respect to the vectors [U, D] of each request.

        Every process computes the same losses; parameters of the losses themselves get their share of the gradient in each.
        """
        rows = [[(part.wanted[key].numbers, vectors[key]) for part, vectors in found if key in vectors] for key in self.joint]
        for key in self.joint:
            if not self.requests[key].views:
                raise ValueError(f"task '{key[0]}' asks for the vectors '{key[1]}' of no views: its sampler made an empty side")
        every = processes.together([(len(self.requests[key].views), found) for key, found in zip(self.joint, rows, strict=True)])
        leaves = {key: all_of.requires_grad_(trains(self.requests[key].tower)) for key, all_of in zip(self.joint, every, strict=True)}
        weighted = []
        for name in dict.fromkeys(key[0] for key in self.joint):
            task, own = self.tasks[name], {key[1]: key for key in self.joint if key[0] == name}
            vectors, alive = ({each: table[key] for each, key in own.items()} for table in (leaves, self.alive))
            loss = task.loss(self.batch[task.reads], vectors, alive)
            self.losses[name] = loss.detach()
            weighted.append(task.weight * loss / processes.count())
        self._take_gradients(weighted)
        return {key: leaf.grad * processes.count() for key, leaf in leaves.items() if leaf.grad is not None}

    def _take_gradients(self, losses: Sequence[Tensor], carried: Sequence[Tuple[Tensor, Optional[Tensor]]] = ()) -> None:
        """Gradients of scaled losses, and of vectors whose own gradients are known (these carry the scale already)."""
        heads: List[Tuple[Tensor, Optional[Tensor]]] = [(loss * self.scale, None) for loss in losses if loss.requires_grad]
        heads += carried
        if heads:
            torch.autograd.backward([head for head, _ in heads], [gradient for _, gradient in heads])  # type: ignore[arg-type]

    @contextmanager
    def _stream(self, part: MicroBatch, seed: int) -> Iterator[None]:
        """A random stream of the micro-batch's own; the caller's goes on where it was."""
        with torch.random.fork_rng(devices=part.devices):
            torch.manual_seed(seed)
            yield

    def result(self) -> StepResult:
        """Losses and counts over all processes, once the work is done."""
        names = list(dict.fromkeys(key[0] for key in self.apart))
        shares = processes.summed(torch.tensor([float(self.shares.get(name, 0.0)) for name in names], dtype=torch.float64))
        losses = {name: float(loss) for name, loss in self.losses.items()} | dict(zip(names, shares.tolist(), strict=True))
        parts = {name: losses[name] for name in self.tasks if name in losses}
        prepared = [part.prepared for part, _ in self.parts_to_run]
        counts = (
            sum(len(part.index) for part, _ in self.parts_to_run),
            sum(int(each.whole[:, 2].clamp(min=0).sum()) for each in prepared),
            sum(part.positions for part, _ in self.parts_to_run),
            sum(each.cropped for each in prepared),
        )
        inputs, tokens, positions, cropped = processes.summed(torch.tensor(counts)).tolist()
        views = sum(len(request.views) for request in self.requests.values())
        return StepResult(
            loss=sum(self.tasks[name].weight * loss for name, loss in parts.items()),
            parts=parts,
            inputs=inputs,
            views=views,
            tokens=tokens,
            positions=positions,
            cropped=cropped,
            lost=views - sum(self.living.values()),
        )


def _alive(requests: Mapping[Key, Request], found: Sequence[Mapping[Key, Wanted]]) -> Dict[Key, Tensor]:
    """[U] bool of each request: the views that cropping left whole, in whichever process they are encoded."""
    sizes = [len(request.views) for request in requests.values()]
    flat = torch.zeros(sum(sizes), dtype=torch.int32)
    alive = dict(zip(requests, flat.split(sizes), strict=True))
    for own in found:
        for key, wanted in own.items():
            alive[key][wanted.numbers] = wanted.spans.alive.int()
    return {key: mask.bool() for key, mask in zip(requests, processes.summed(flat).split(sizes), strict=True)}


def _carried(part: MicroBatch, vectors: Mapping[Key, Tensor], gradients: Mapping[Key, Tensor]) -> List[Tuple[Tensor, Optional[Tensor]]]:
    """The vectors of a micro-batch, each with its rows of the gradients of all."""
    return [
        (rows, gradients[key][part.wanted[key].numbers.to(rows.device)].to(rows))
        for key, rows in vectors.items()
        if key in gradients and rows.requires_grad
    ]


# ---- evaluation ----------------------------------------------------------------------------------------------------------

EVALUATION_TOKENS = 4096
"""Positions of a forward without gradients."""


def embed(tower: Tower, views: Sequence[View], tokens: int = EVALUATION_TOKENS) -> Tensor:
    """Vectors [U, D] of views in evaluation mode, without gradients. The lost slots of a lost view are zeros."""
    return encode(tower, views, tokens)[0]


@torch.no_grad()
def encode(tower: Tower, views: Sequence[View], tokens: int = EVALUATION_TOKENS) -> Tuple[Tensor, Tensor]:
    """Vectors [U, D] in evaluation mode, without gradients, and alive [U]: False where cropping took a view.

    tokens: how many positions are encoded at a time. In a run of several processes each calls it with the same views, encodes a
    part of them, and gets all vectors. ValueError where there are no views.
    """
    if not views:
        raise ValueError("there are no views to encode")
    key = ("", "")
    requests = {key: Request(tower, list(views))}
    planned = plan(requests, tokens, processes.count())
    rows, wanted = [], []
    with evaluating(tower):
        for number in dealt([each.size for each in planned], processes.count())[processes.rank()]:
            part = planned[number].ready()
            rows.append((part.wanted[key].numbers, part.run([key])[0][key]))
            wanted.append(part.wanted)
    (vectors,) = processes.together([(len(views), rows)])
    return vectors, _alive(requests, wanted)[key]


class Look(NamedTuple):
    """What one micro-batch showed. numbers: [n] which of the views. vectors: [n, D] theirs. alive: [n] bool, False where cropping took a
    view. more: pools further views of the same inputs from the states at hand; valid until the next look."""

    numbers: Tensor
    vectors: Tensor
    alive: Tensor
    more: More


@torch.no_grad()
def looks(tower: Tower, views: Sequence[View], tokens: int = EVALUATION_TOKENS) -> Iterator[Look]:
    """Micro-batch by micro-batch what `encode` gives in one go, for models that decide by a first look what else to pool: every input is
    encoded once, however often they ask for more.

    tokens: how many positions are encoded at a time. All inputs of equal identity come in one look; without views there is none. Towers
    given to `more` must be in evaluation mode. In a run of several processes each sees all of the views.
    """
    key = ("", "")
    with evaluating(tower):
        for planned in plan({key: Request(tower, list(views))}, tokens):
            part = planned.ready()
            vectors, more = part.run([key])
            yield Look(part.wanted[key].numbers, vectors[key], part.wanted[key].spans.alive, more)


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
