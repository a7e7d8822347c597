"""A few real steps of a training, watched: how long they take, what they encode, how much memory they need."""

import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import torch
from torch import nn

from relcon.contrast import Encoded, Prepared
from relcon.interfaces import Encoder
from relcon.plans import BatchShape
from relcon.training.loop import Loop
from relcon.training.progress import peak_memory_bytes

WARM_UP, MEASURED = 2, 5
"""Steps that are discarded (allocation, compilation), and steps whose median counts."""


@dataclass
class Watch:
    """What encoders were given. A forward is known by its prepared texts, which gradient caching encodes twice."""

    forwards: Dict[int, Tuple[Prepared, int]] = field(default_factory=dict)

    def __call__(self, encoder: nn.Module, given: Tuple[Any, ...], encoded: Encoded) -> None:
        self.forwards[id(given[0])] = (given[0], encoded.mask.numel())  # kept alive, so that no two have one id

    def lengths(self) -> List[int]:
        """Tokens of every text that was encoded."""
        return [length for prepared, _ in self.forwards.values() for length in prepared.whole[:, 2].clamp(min=0).tolist()]


@dataclass(frozen=True)
class Measured:
    """What a few steps showed. warm_up: seconds of the discarded ones, and how many they were. step: median seconds of the others.
    shape: of a step. memory: peak in bytes."""

    warm_up: Tuple[float, int]
    step: float
    shape: BatchShape
    memory: int

    def seconds(self, steps: int) -> float:
        """Estimate for so many steps."""
        return self.warm_up[0] + max(0, steps - self.warm_up[1]) * self.step


def measure(loop: Loop, encoders: Sequence[Encoder]) -> Measured:
    """Run the first steps of a loop, a few at most. It must have a step to do; weights change."""
    watch = Watch()
    views = views_per_step(loop)
    if loop.accelerator.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(loop.accelerator.device)
    with watching(encoders, watch):
        seconds, inputs = steps_taken(loop)
    warm = min(WARM_UP, len(seconds) - 1)
    lengths = watch.lengths()
    positions = sum(number for _, number in watch.forwards.values())
    shape = BatchShape(
        views=views,
        inputs=inputs / len(seconds),
        length=statistics.fmean(lengths),
        longest=max(lengths),
        padding=1 - sum(lengths) / max(positions, 1),
        micro_batches=len(watch.forwards) / len(seconds),
    )
    device = loop.accelerator.device
    return Measured((sum(seconds[:warm]), warm), statistics.median(seconds[warm:]), shape, peak_memory_bytes(device))


def steps_taken(loop: Loop) -> Tuple[List[float], int]:
    """Seconds of each of the first steps, by the clock outside, and the inputs of all."""
    seconds: List[float] = []
    inputs = 0
    for epoch in range(loop.epochs):
        began = time.perf_counter()
        for record in loop.epoch(epoch):
            seconds.append(time.perf_counter() - began)
            inputs += record.instances
            if len(seconds) == WARM_UP + MEASURED:
                return seconds, inputs
            began = time.perf_counter()
    return seconds, inputs


@contextmanager
def watching(encoders: Sequence[Encoder], watch: Watch) -> Iterator[None]:
    """Every forward of these encoders is shown to the watch."""
    hooks = [encoder.register_forward_hook(watch) for encoder in encoders]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def views_per_step(loop: Loop) -> float:
    """Vectors that tasks ask for in the first optimizer step."""
    views = 0
    for name in loop.streams:
        flow = loop.batches(name, 0)
        for _ in range(loop.batches_left()):
            batch = next(flow)
            tasks = [task for task in loop.tasks.values() if task.stream == name]
            views += sum(len(request.views) for task in tasks for request in task.requests(batch[task.reads]).values())
    return float(views)


def parameters(module: nn.Module) -> Tuple[int, int]:
    """How many numbers train, and how many are frozen."""
    trains = sum(each.numel() for each in module.parameters() if each.requires_grad)
    return trains, sum(each.numel() for each in module.parameters()) - trains
