"""Evaluators timed on a small sample, for the plan of a run."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Optional, Sequence

from relcon.data.document import Instance
from relcon.errors import RelconError
from relcon.interfaces import Evaluator, Model, Split

SAMPLE = 128
"""Instances, at most, on which an evaluator is timed."""


@dataclass(frozen=True)
class Timed:
    """How long evaluators took on a sample. instances: of the whole split. sampled: of those. seconds: on the sample.
    failed: evaluators that could not measure so few; prediction was timed instead."""

    instances: int
    sampled: int
    seconds: float
    failed: Dict[str, str]

    @property
    def rate(self) -> float:
        """Instances per second through all evaluators."""
        return self.sampled / max(self.seconds, 1e-9)

    @property
    def total(self) -> float:
        """Estimated seconds for the whole split."""
        return self.instances / self.rate if self.instances else 0.0


def timed(evaluators: Dict[str, Evaluator], model: Model, data: Split, train: Optional[Split], folder: Path) -> Timed:
    """Run evaluators on a sample of the data, and on the same share of the training data where they use them."""
    share = min(1.0, SAMPLE / max(len(data.instances), 1))
    part, fitted = sample(data, share), None if train is None else sample(train, share)
    _predict(model, part.instances[:8])  # the first call is slower than the rest
    failed: Dict[str, str] = {}
    began = time.perf_counter()
    for name, evaluator in evaluators.items():
        try:
            evaluator.evaluate(model, part, folder / name, fitted)
        except (RelconError, ValueError) as error:  # a sample may lack what the whole has
            failed[name] = str(error)
            _predict(model, part.instances)
    return Timed(len(data.instances), len(part.instances), time.perf_counter() - began, failed)


def _predict(model: Model, instances: Sequence[Instance]) -> None:
    """Predict and forget; nothing, where the model is none that predicts."""
    with suppress(RelconError):
        model.probabilities(instances)


def sample(split: Split, share: float) -> Split:
    """A share of a split, evenly spread over it, with the documents that it needs."""
    wanted = min(len(split.instances), max(1, round(share * len(split.instances))))
    chosen = [split.instances[number * len(split.instances) // wanted] for number in range(wanted)] if split.instances else []
    documents = list({id(instance.document): instance.document for instance in chosen}.values())
    return replace(split, instances=chosen, documents=documents, lost=())
