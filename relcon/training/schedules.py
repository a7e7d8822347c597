"""Learning rates over the steps: factors of the rate that the optimizer names."""

import math
from typing import Optional

from relcon.interfaces import Schedule


class Constant(Schedule):
    """The full rate at every step, after a linear warm-up where asked for.

    warmup: share of all steps in which the rate rises from 0, in [0, 1).

    Config::

        [schedule]
        @schedules = "relcon.Constant.v1"
    """

    def __init__(self, warmup: float = 0.0):
        self.warmup = share("warmup", warmup)

    def factor(self, step: int, steps: int) -> float:
        """t / W below W warm-up steps, then 1."""
        return rising(step, warmup_steps(self.warmup, steps))


class LinearWarmup(Schedule):
    """Linear warm-up to the full rate, then linear decay from it to 0.

    With W = floor(warmup * steps): t / W at step t < W, then (steps - t) / (steps - W). The usual schedule with BERT (Devlin et
    al. 2019, arXiv 1810.04805) in the form of Hugging Face's `get_linear_schedule_with_warmup`.

    warmup: share of all steps in which the rate rises from 0, in [0, 1). warm_steps: W itself instead, whatever the number of steps;
    where training ends before it, the rate rises to the end.
    horizon: the step at which the rate reaches 0, where it is another than the last one (ERICA's and FineCL's released code: 97,500,
    of which 6,000 are trained).

    Config::

        [schedule]
        @schedules = "relcon.LinearWarmup.v1"
        warmup = 0.1
    """

    def __init__(self, warmup: float = 0.1, warm_steps: Optional[int] = None, horizon: Optional[int] = None):
        for name, value, least in (("warm_steps", warm_steps, 0), ("horizon", horizon, 1)):
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self.warmup, self.warm_steps, self.horizon = share("warmup", warmup), warm_steps, horizon

    def factor(self, step: int, steps: int) -> float:
        """The factor at `step` (from 0) of `steps`."""
        end = self.horizon or steps
        warm = warmup_steps(self.warmup, end) if self.warm_steps is None else self.warm_steps
        return rising(step, warm) if step < warm else max(0.0, (end - step) / max(end - warm, 1))


class BertLinear(Schedule):
    """The schedule of BERT's released TensorFlow code: the decay runs from step 0 on, also under the warm-up.

    With W = floor(warmup * steps): t / W at step t < W, then 1 - t / steps. So the rate falls at once to (1 - warmup) of the
    full rate when the warm-up ends. Models that were published with that code (CLRE among them) trained so.

    warmup: share of all steps in which the rate rises from 0, in [0, 1).

    Config::

        [schedule]
        @schedules = "relcon.BertLinear.v1"
        warmup = 0.1
    """

    def __init__(self, warmup: float = 0.1):
        self.warmup = share("warmup", warmup)

    def factor(self, step: int, steps: int) -> float:
        """The factor at `step` (from 0) of `steps`."""
        warm = warmup_steps(self.warmup, steps)
        return rising(step, warm) if step < warm else max(0.0, 1 - step / steps)


class Cosine(Schedule):
    """Linear warm-up to the full rate, then half a cosine down to 0 (Loshchilov and Hutter 2017, arXiv 1608.03983, no restarts).

    With W = floor(warmup * steps): t / W at step t < W, then (1 + cos(pi (t - W) / (steps - W))) / 2.

    warmup: share of all steps in which the rate rises from 0, in [0, 1).

    Config::

        [schedule]
        @schedules = "relcon.Cosine.v1"
        warmup = 0.1
    """

    def __init__(self, warmup: float = 0.1):
        self.warmup = share("warmup", warmup)

    def factor(self, step: int, steps: int) -> float:
        """The factor at `step` (from 0) of `steps`."""
        warm = warmup_steps(self.warmup, steps)
        if step < warm:
            return rising(step, warm)
        return (1 + math.cos(math.pi * min(1.0, (step - warm) / (steps - warm)))) / 2


def share(name: str, value: float) -> float:
    """The value, or ValueError naming the argument where it is no share of the steps."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be a share of the steps, at least 0 and below 1, not {value}")
    return value


def warmup_steps(warmup: float, steps: int) -> int:
    """floor(warmup * steps), where 0.29 * 100 is 29."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    return math.floor(warmup * steps + 1e-9)


def rising(step: int, warm: int) -> float:
    """t / W below W, then 1."""
    return step / warm if step < warm else 1.0
