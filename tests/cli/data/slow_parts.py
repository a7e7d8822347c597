"""A `--code` file: a learning rate that takes its time, so that a training can be caught at work."""

import time

from relcon.interfaces import Schedule


@Schedule.register("slow.Constant.v1")
class Constant(Schedule):
    """A constant rate, a little later."""

    def __init__(self, seconds: float = 0.3):
        self.seconds = seconds

    def factor(self, step: int, steps: int) -> float:
        """1."""
        time.sleep(self.seconds)
        return 1.0
