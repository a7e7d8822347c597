"""The training loop: batches of every stream in, one optimizer step per turn, a record of it out.

It yields; progress bars, logs, evaluation and checkpoints live outside.
"""

import math
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Dict, Iterator, List, Mapping, Optional

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from relcon import processes
from relcon.contrast import Batch, Labelled
from relcon.encoding import StepResult, step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Sampler, Schedule, Split, Task, Vocabulary
from relcon.training.seeding import generator, restore_random_state, seed_torch


@dataclass(frozen=True)
class Stream:
    """A sampler with the data it draws from and the vocabulary of the encoder that reads its batches."""

    sampler: Sampler
    data: Split
    vocabulary: Optional[Vocabulary]


@dataclass
class StepRecord:
    """What one optimizer step did.

    step, epoch: counted from 1. loss: weighted sum. parts: loss of each task. rate: learning rate. instances: inputs that were
    encoded. figures: what tasks report (`TASK.NAME`), the share of `padding`, inputs `cropped`, views lost to cropping.
    """

    step: int
    epoch: int
    loss: float
    parts: Dict[str, float]
    rate: float
    instances: int
    seconds: float
    figures: Dict[str, float] = field(default_factory=dict)


@dataclass
class Loop:
    """All that a training run needs.

    modules: everything that the stage trains. tasks, streams: by name; an epoch is one pass over the first stream, the others go round.
    steps: optimizer steps in all. accumulate: batches per step. clip: largest gradient norm (0: none).
    tokens: positions of one forward (0: no limit). cache: gradient caching, so that a batch needs the memory of one micro-batch.
    done: steps that were taken. inside: those of the running epoch. phases: loops of which an epoch follows each epoch of this one.
    """

    name: str
    modules: nn.Module
    tasks: Mapping[str, Task]
    streams: Mapping[str, Stream]
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    accelerator: Accelerator
    steps: int
    seed: int
    accumulate: int = 1
    clip: float = 1.0
    tokens: int = 0
    cache: bool = False
    done: int = 0
    inside: int = 0
    phases: List["Phase"] = field(default_factory=list)

    @property
    def turns(self) -> List["Loop"]:
        """What an epoch consists of: this loop, then its phases."""
        return [self, *self.phases]

    @property
    def all_done(self) -> int:
        """The steps that were taken by this loop and its phases."""
        return sum(turn.done for turn in self.turns)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one pass over the first stream."""
        first = next(iter(self.streams.values()))
        return math.ceil(first.sampler.length(first.data) / self.accumulate)

    @property
    def epochs(self) -> int:
        """How many epochs begin before the last step."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def epoch(self, number: int, skip: int = 0, random: Optional[Mapping[str, Tensor]] = None) -> Iterator[StepRecord]:
        """The steps of one epoch (counted from 0). Its random streams depend on seed and number alone, so that a resumed run
        repeats them.

        skip: how many of its steps are done: their batches are drawn and passed over. random: torch's random state behind them.
        """
        seed_torch(self.seed, self.name, "epoch", number)
        self.modules.train()
        self.inside = skip
        flows = {name: self.batches(name, number) for name in self.streams}
        self.pass_over(flows, skip)
        if skip and random is not None:
            restore_random_state(random)
        for _ in range(self.left_in_epoch(skip)):
            yield self.update(flows, number)
        self.refuse_broken_weights()

    def left_in_epoch(self, done: int) -> int:
        """How many steps an epoch still has of which so many are done; the last epoch may end early."""
        return min(self.steps_per_epoch - done, self.steps - self.done)

    def pass_over(self, flows: Mapping[str, Iterator[Batch]], steps: int) -> None:
        """Draw the batches of an epoch's first steps from every stream and encode none. (The last step may have fewer than
        `accumulate`.)"""
        first = next(iter(self.streams.values()))
        batches = min(steps * self.accumulate, first.sampler.length(first.data)) if steps else 0
        for flow in flows.values():
            for _ in islice(flow, batches):
                pass

    def refuse_broken_weights(self) -> None:
        """NonFiniteLoss where the last step of an epoch left a weight that is NaN or infinite: no checkpoint must keep it."""
        broken = [name for name, weight in self.modules.named_parameters() if not bool(weight.isfinite().all())]
        if broken:
            raise NonFiniteLoss(f"step {self.done} left weights that are not finite ({broken[0]}). Lower the learning rate (optimizer.lr).")

    def batches(self, name: str, epoch: int) -> Iterator[Batch]:
        """Batches of a stream from this epoch on, without end; none where it has none. RelconError where an epoch has other than `length`
        of them: steps, rates and resuming count on it."""
        stream = self.streams[name]
        while expected := stream.sampler.length(stream.data):
            draw = Draw(epoch, generator(self.seed, self.name, name, epoch), stream.vocabulary)
            given = 0
            for given, batch in enumerate(stream.sampler.batches(stream.data, draw), 1):
                if given > expected:
                    break
                yield batch
            if given != expected:
                there = "more" if given > expected else str(given)
                said = f"{type(stream.sampler).__name__} promises {expected} batches in epoch {epoch + 1}, but there are {there}"
                raise RelconError(f"[stages.{self.name}.streams.{name}] {said}: a defect of its package.")
            epoch += 1

    def update(self, flows: Mapping[str, Iterator[Batch]], epoch: int) -> StepRecord:
        """One optimizer step over `accumulate` batches of every stream."""
        began = time.perf_counter()
        rate = self.set_rate(epoch)
        results = [self.backward(name, next(flow)) for _ in range(self.batches_left()) for name, flow in flows.items()]
        processes.sum_gradients(self.modules)
        if self.clip:
            self.accelerator.unscale_gradients(self.optimizer)  # of this optimizer alone: phases share parameters with the loop
            nn.utils.clip_grad_norm_(self.modules.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        for task in self.tasks.values():
            task.after_step()
        self.done, self.inside = self.done + 1, self.inside + 1
        return self.record(results, epoch, rate, time.perf_counter() - began)

    def batches_left(self) -> int:
        """Batches of this step: the last one of an epoch may have fewer."""
        first = next(iter(self.streams.values()))
        return min(self.accumulate, first.sampler.length(first.data) - self.inside * self.accumulate)

    def backward(self, name: str, batch: Batch) -> StepResult:
        """Gradients of one batch. A loss that is not finite stops the run before any weight has changed."""
        tasks = {key: task for key, task in self.tasks.items() if task.stream == name}
        scale = self.loss_scale() / self.batches_left()
        result = step(tasks, batch, tokens=self.tokens, cache=self.cache, scale=scale, autocast=self.accelerator.autocast)
        if not math.isfinite(result.loss):
            raise NonFiniteLoss(f"the loss of step {self.done + 1} is {result.loss}. {describe(batch)}")
        return result

    def loss_scale(self) -> float:
        """What losses are multiplied with against underflow in float16; the optimizer takes it out again. A scaler makes it when it is
        first used."""
        scaler = self.accelerator.scaler
        return 1.0 if scaler is None else float(scaler.scale(torch.ones((), device=self.accelerator.device)))

    def factor(self, epoch: int) -> float:
        """What this step's learning rates are multiplied with. epoch: the running one, from 0."""
        return self.schedule.factor(self.done, self.steps)

    def set_rate(self, epoch: int) -> float:
        """Set this step's learning rate in every parameter group; the first group's is returned."""
        factor = self.factor(epoch)
        for group in self.optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
            group["lr"] = group["initial_lr"] * factor
        return float(self.optimizer.param_groups[0]["lr"])

    def record(self, results: List[StepResult], epoch: int, rate: float, seconds: float) -> StepRecord:
        """The means over the batches of a step."""
        parts: Dict[str, float] = {}
        turns = len(results) // len(self.streams)
        for result in results:
            for key, value in result.parts.items():
                parts[key] = parts.get(key, 0.0) + value / turns
        figures = {f"{name}.{key}": value for name, task in self.tasks.items() for key, value in task.figures().items()}
        figures["padding"] = 1 - sum(r.tokens for r in results) / max(sum(r.positions for r in results), 1)
        figures["cropped"] = float(sum(r.cropped for r in results))
        figures["lost_views"] = float(sum(r.lost for r in results))
        loss = sum(result.loss for result in results) / turns
        return StepRecord(self.done, epoch + 1, loss, parts, rate, sum(r.inputs for r in results), seconds, figures)


@dataclass
class Phase(Loop):
    """A loop of which an epoch follows each epoch of another one, over the same modules.

    How many steps an epoch has is known when it begins, since its streams may draw from what was learned until then; `steps` are those
    until the end of the running one. So its schedule counts epochs: the rate is the same throughout one.

    title: its name within the stage. of: how many epochs there will be.
    """

    title: str = ""
    of: int = 0

    @property
    def epochs(self) -> int:
        """As many as the loop has that it follows."""
        return self.of

    def left_in_epoch(self, done: int) -> int:
        """How many steps an epoch still has of which so many are done."""
        return self.steps_per_epoch - done

    def begin(self, done: int) -> None:
        """Count the steps of an epoch that begins, or goes on behind so many."""
        self.steps = self.done + self.left_in_epoch(done)

    def why_empty(self) -> Optional[str]:
        """Why an epoch that begins now has no step, in words; None where every stream has a batch."""
        empty = {name: stream for name, stream in self.streams.items() if not stream.sampler.length(stream.data)}
        if not empty:
            return None
        name, stream = next(iter(empty.items()))
        return stream.sampler.why_empty(stream.data) or f"the stream '{name}' has no batch"

    def factor(self, epoch: int) -> float:
        """The schedule's factor at this epoch of all."""
        return self.schedule.factor(epoch, self.of)


class NonFiniteLoss(RelconError):
    """A loss is NaN or infinite."""


def describe(batch: Batch) -> str:
    """Which batch it was: the instances it held, as far as they have names."""
    uids = [str(uid) for value in batch.values() if isinstance(value, Labelled) for uid in value.uids or ()]
    texts = [
        " ".join(view.input.words)[:80]
        for value in batch.values()
        if not isinstance(value, Labelled)
        for view in value.anchors[:3]
        if hasattr(view.input, "words")
    ]
    named = uids[:8] + [f"'{text}'" for text in texts]
    more = f" and {len(uids) - 8} more" if len(uids) > 8 else ""
    held = f"Its batch held {', '.join(named)}{more}. " if named else ""
    return f"{held}Lower the learning rate (optimizer.lr), or look at these records."
