"""What every baseline says at the end: how fast its steps were and how much memory it held."""

import json
import resource
import sys
import time
from statistics import median
from typing import List


class Clock:
    """Times of the ends of steps. warm_up: steps that do not count."""

    def __init__(self, warm_up: int):
        self.warm_up, self.ends = warm_up, [time.perf_counter()]  # type: int, List[float]

    def tick(self) -> None:
        """A step has ended."""
        self.ends.append(time.perf_counter())

    def tell(self, instances: int, **more: float) -> None:
        """One JSON object: instances per second by the median step, peak resident memory."""
        seconds = [end - begin for begin, end in zip(self.ends, self.ends[1:])][self.warm_up :]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rate = instances / median(seconds)
        json.dump({"instances_per_second": rate, "seconds": median(seconds), "peak_mib": memory, **more}, sys.stdout)
