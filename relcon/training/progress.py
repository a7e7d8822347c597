"""What a training shows while it goes: a bar on a terminal, a line per epoch elsewhere."""

import sys
import time
from typing import Any, Mapping, Optional

import torch
from tqdm import tqdm

from relcon.runs import peak_memory
from relcon.training.loop import Loop, StepRecord

SMOOTHING = 0.9
"""How much of the smoothed speed stays at a step."""


class Progress:
    """The progress of one epoch, as a context manager: nothing is shown outside the main process.

    loop: what trains; its `done` says where the epoch begins. epoch: counted from 0. part: which of several runs it is, ""
    where there is one. The bar counts the steps of the whole stage, and so does the time left, without looks at development data.
    """

    def __init__(self, loop: Loop, epoch: int, part: str = ""):
        self.loop, self.part, self.epoch = loop, part, epoch
        self.device = loop.accelerator.device
        self.shown = loop.accelerator.is_main_process
        self.bar: Optional[tqdm] = None
        self.rate, self.pace = 0.0, 0.0
        self.began = time.perf_counter()

    def __enter__(self) -> "Progress":
        self.began = time.perf_counter()
        self.bar = tqdm(
            total=self.loop.steps,
            initial=self.loop.done,
            desc=title(self.part, self.loop.name, self.epoch + 1, self.loop.epochs),
            bar_format="{desc} |{bar:20}| {n_fmt}/{total_fmt}{postfix}",
            leave=False,
            disable=None if self.shown else True,
        )
        return self

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.close()

    def update(self, record: StepRecord) -> None:
        """One more step."""
        speed = record.instances / max(record.seconds, 1e-9)
        self.rate = smoothed(self.rate, speed)
        self.pace = smoothed(self.pace, record.seconds)
        if self.bar is not None and not self.bar.disable:
            self.bar.set_postfix_str(self.figures(record.parts, self.pace * (self.loop.steps - record.step)), refresh=False)
            self.bar.update()

    def figures(self, parts: Mapping[str, float], left: float) -> str:
        """Losses, speed, time left and memory, as they stand now."""
        return figures(parts, self.rate, left, peak_memory_bytes(self.device), self.device.type)

    def epoch_line(self, step: int, parts: Mapping[str, float]) -> None:
        """Where there is no terminal: one line at the end of an epoch, on standard error. step: how many are done. parts: the
        mean loss of each task."""
        if self.shown and self.bar is not None and self.bar.disable:
            name = title(self.part, self.loop.name, self.epoch + 1, self.loop.epochs)
            left = self.pace * (self.loop.steps - step)
            sys.stderr.write(f"{name}: step {step}/{self.loop.steps}, {self.figures(parts, left)}\n")


def title(part: str, stage: str, epoch: int, epochs: int) -> str:
    """`folds/fold_01 finetune, epoch 2/3`."""
    return f"{part} {stage}, epoch {epoch}/{epochs}".strip()


def figures(parts: Mapping[str, float], rate: float, left: float, memory: int, device: str) -> str:
    """`relation 0.4321, contrast 2.1000, 123 instances/s, 1:23:45 left, 1.2 GiB (cpu)`.

    parts: the loss of each task. rate: instances per second. left: seconds. memory: bytes. device: whose memory it is.
    """
    losses = [f"{name} {loss:.4f}" for name, loss in parts.items()]
    return ", ".join([*losses, f"{rate:.3g} instances/s", f"{duration(left)} left", f"{size(memory)} ({device})"])


def smoothed(before: float, now: float) -> float:
    """A figure that does not jump; the first one as it is."""
    return now if not before else SMOOTHING * before + (1 - SMOOTHING) * now


def duration(seconds: float) -> str:
    """`12 s`, `3:05 min`, `1:23:45 h`; below a second `0.3 s`."""
    if 0 < seconds < 1:
        return f"{seconds:.1g} s"
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def size(memory: float) -> str:
    """`812 MiB`, `1.2 GiB`."""
    return f"{memory / 2**30:.1f} GiB" if memory >= 2**30 else f"{memory / 2**20:.0f} MiB"


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory that was held so far: of a CUDA GPU by tensors, else by this process."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
