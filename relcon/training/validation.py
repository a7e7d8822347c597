"""The loss on held-out data: what training lowers, measured where nothing is learnt from it."""

import math
import time
from dataclasses import dataclass
from itertools import islice
from statistics import fmean
from typing import Dict, Iterator, List

from relcon.encoding import StepResult, evaluating, step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Split
from relcon.training.loop import Loop, NonFiniteLoss, describe
from relcon.training.position import EpochSums
from relcon.training.seeding import generator, seed_torch

TIMED = 5
"""Batches of a stream, at most, on which validation is timed."""


@dataclass(frozen=True)
class Validation:
    """What a look at held-out data found. loss: weighted sum. parts: loss of each task. batches: how many were judged."""

    loss: float
    parts: Dict[str, float]
    batches: int


def validate(loop: Loop, data: Split, epoch: int) -> Validation:
    """The loss of a loop's tasks on held-out data, in evaluation mode and without gradients.

    Each stream draws its batches of one epoch from these data, with a random stream that depends on seed, stage and epoch alone. A
    stream's loss is the mean over its batches of the weighted sum of its tasks; those of several streams are added up, as in training.

    data: held out. epoch: counted from 0. RelconError where a contrast has nothing to compare in all the data; NonFiniteLoss where a
    loss is not finite.
    """
    seed_torch(loop.seed, loop.name, "validation", epoch)
    with evaluating(loop.modules):
        found = {name: list(_judged(loop, name, data, epoch)) for name in loop.streams}
    _refuse_idle(loop, data)
    loss = sum(fmean(result.loss for result in results) for results in found.values())
    parts = {task: mean for results in found.values() for task, mean in _mean_parts(results).items()}
    return Validation(loss, parts, sum(map(len, found.values())))


def validation_seconds(loop: Loop, data: Split) -> float:
    """How long `validate` takes, estimated from a few batches of each stream."""
    total = 0.0
    with evaluating(loop.modules):
        for name, stream in loop.streams.items():
            began = time.perf_counter()
            taken = len(list(islice(_judged(loop, name, data, 0), TIMED)))
            total += (time.perf_counter() - began) / taken * stream.sampler.length(data)
    return total


def _judged(loop: Loop, name: str, data: Split, epoch: int) -> Iterator[StepResult]:
    """The losses of a stream's batches, one by one."""
    stream, tasks = loop.streams[name], {key: task for key, task in loop.tasks.items() if task.stream == name}
    draw = Draw(epoch, generator(loop.seed, loop.name, "validation", name, epoch), stream.vocabulary)
    for batch in stream.sampler.batches(data, draw):
        result = step(tasks, batch, tokens=loop.tokens, backward=False, autocast=loop.accelerator.autocast)
        if not math.isfinite(result.loss):
            raise NonFiniteLoss(f"the loss on '{data.name}' after epoch {epoch + 1} is {result.loss}. {describe(batch)}")
        yield result


def _mean_parts(results: List[StepResult]) -> Dict[str, float]:
    """The mean loss of each task over the batches of its stream."""
    names = dict.fromkeys(name for result in results for name in result.parts)
    return {name: sum(result.parts.get(name, 0.0) for result in results) / len(results) for name in names}


def _refuse_idle(loop: Loop, data: Split) -> None:
    """RelconError where a contrast compared nothing: its loss would be the same whatever the encoder. The tasks' counts begin anew, so
    that the log of the next step counts its own terms alone."""
    terms = {f"{name}.{key}": value for name, task in loop.tasks.items() for key, value in task.figures().items()}
    for task, count in EpochSums(terms=terms).idle().items():
        raise RelconError(
            f"task '{task}' measures nothing on '{data.name}': none of its {count} terms there has both a positive and a negative. "
            "Hold out more data, or take another batch_size."
        )
