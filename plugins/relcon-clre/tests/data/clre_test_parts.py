"""Parts of the end-to-end tests: a schedule that ends the program in the middle of training, and a figure that is never twice the same."""

import os
from pathlib import Path

from relcon.interfaces import Evaluator, Schedule
from relcon.training.schedules import LinearWarmup


@Schedule.register("test.Stopping.v1")
class Stopping(LinearWarmup):
    """LinearWarmup that ends the program at step `at`, if the file that RELCON_TEST_STOPS names exists and holds "0"; a larger number
    there counts down, so that a later training stops."""

    def __init__(self, at: int, warmup: float = 0.1):
        super().__init__(warmup)
        self.at = at

    def factor(self, step: int, steps: int) -> float:
        stops = Path(os.environ["RELCON_TEST_STOPS"])
        if step == self.at and stops.exists():
            if stops.read_text() == "0":
                raise SystemExit(130)
            stops.write_text(str(int(stops.read_text()) - 1))
        return super().factor(step, steps)


@Evaluator.register("test.Certainty.v1")
class Certainty(Evaluator):
    """The mean probability of the predicted labels; no two models have the same."""

    primary = "certainty"

    def __init__(self, higher_is_better: bool = True):
        self.higher_is_better = higher_is_better

    def evaluate(self, model, data, folder=None, train=None):
        return {"certainty": float(model.probabilities(data.instances).double().max(1).values.mean())}
