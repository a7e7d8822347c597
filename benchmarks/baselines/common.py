"""What every baseline says at the end: how fast its steps were and how much memory it held."""

import json
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, List


class Clock:
    """Times of the ends of steps. warm_up: steps that do not count."""

    def __init__(self, warm_up: int):
        self.warm_up = warm_up
        self.ends: List[float] = [time.perf_counter()]

    def tick(self) -> None:
        """A step has ended."""
        self.ends.append(time.perf_counter())

    def tell(self, instances: int, **more: float) -> None:
        """One JSON object: instances per second by the median step, peak resident memory."""
        seconds = [end - begin for begin, end in pairwise(self.ends)][self.warm_up :]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rate = instances / median(seconds)
        json.dump({"instances_per_second": rate, "seconds": median(seconds), "peak_mib": memory, **more}, sys.stdout)


def read(path: str) -> List[Any]:
    """The records of a JSON-lines file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
