"""Views -> vectors, and one training step: chunks and gradient caching live here and nowhere else.

Every input object is encoded once per encoder and step, whatever number of views and tasks ask for it (`relcon.planning`).
With gradient caching the vectors of all chunks are computed first without a graph, the loss gives their gradients, and a second
pass through each chunk carries them on to the parameters: memory for one chunk, gradients of the whole batch (Gao et al., 2021,
"Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"). Each chunk has a random seed of its own, so that
both passes see the same dropout.
"""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn

from relcon.contrast import Batch, Contrast, Labelled, View
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Request, Task, Tower
from relcon.planning import Chunk, Key, More, Wanted, assembled, plan

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
    requests = {(name, own): request for name, task in tasks.items() for own, request in task.requests(_value(name, task, batch)).items()}
    engine = _Step(tasks, batch, requests, list(plan(requests, chunk)), scale, autocast)
    with torch.set_grad_enabled(backward):
        if cache and backward and len(engine.chunks) > 1:
            engine.cached()
        else:
            engine.plain()
    return engine.result()


def _value(name: str, task: Task, batch: Batch) -> Union[Contrast, Labelled]:
    """What a task reads of a batch."""
    if task.reads not in batch:
        raise RelconError(f"Task '{name}' reads '{task.reads}', which its stream does not give.{did_you_mean(task.reads, batch)}")
    return batch[task.reads]


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
                    if not self.requests[key].views:
                        raise ValueError(f"task '{name}' asks for the vectors '{key[1]}' of no views: its sampler made an empty side")
                    found = [(chunk.wanted[key], output[key]) for chunk, output in zip(self.chunks, outputs, strict=True) if key in output]
                    vectors[key[1]], alive[key[1]] = assembled(found)
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
        return assembled([(part.wanted[key], part.run([key])[0][key]) for part in plan({key: Request(tower, list(views))}, chunk)])


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
