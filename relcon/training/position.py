"""Where the training of a stage stands, beside weights and random state: what a checkpoint keeps so that the log, early stopping
and model selection go on as if nothing had happened."""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Mapping

from relcon.training.loop import StepRecord


@dataclass
class EpochSums:
    """What the log says of an epoch, summed over the steps that are done.

    parts: loss of each task. terms: figures that count terms (`TASK.terms`, `TASK.idle_terms`), by name. figures: the other figures of
    tasks, and in `told` how many steps had each. seconds: that training took. lost: views that cropping took.
    """

    steps: int = 0
    loss: float = 0.0
    instances: int = 0
    seconds: float = 0.0
    parts: Dict[str, float] = field(default_factory=dict)
    terms: Dict[str, float] = field(default_factory=dict)
    figures: Dict[str, float] = field(default_factory=dict)
    told: Dict[str, int] = field(default_factory=dict)
    lost: float = 0.0

    def add(self, record: StepRecord) -> None:
        """Count one more step."""
        self.steps += 1
        self.loss += record.loss
        self.instances += record.instances
        self.lost += record.figures["lost_views"]
        for name, loss in record.parts.items():
            self.parts[name] = self.parts.get(name, 0.0) + loss
        for key, value in record.figures.items():
            if key.endswith("terms"):
                self.terms[key] = self.terms.get(key, 0.0) + value
            elif "." in key:
                self.figures[key] = self.figures.get(key, 0.0) + value
                self.told[key] = self.told.get(key, 0) + 1

    def mean_parts(self) -> Dict[str, float]:
        """The mean loss of each task."""
        return {name: loss / self.steps for name, loss in self.parts.items()}

    def mean_figures(self) -> Dict[str, float]:
        """The means of the tasks' figures, each over the steps that had it."""
        return {name: value / self.told[name] for name, value in self.figures.items()}

    def idle(self) -> Dict[str, int]:
        """Tasks none of whose terms taught anything, with how many there were."""
        found: Dict[str, int] = {}
        for key, value in self.terms.items():
            task, _, kind = key.rpartition(".")
            if kind == "idle_terms" and value and value == self.terms.get(f"{task}.terms"):
                found[task] = int(value)
        return found


@dataclass
class Position:
    """epoch: how many are over. phase: how many of the loop and its phases are over in the one that runs. running: sums of the one of
    them that runs. best: what model selection remembers; `best["models"]` names the
    folders of models that it wants kept, relative to that of the checkpoints.
    """

    epoch: int = 0
    running: EpochSums = field(default_factory=EpochSums)
    best: Dict[str, Any] = field(default_factory=dict)
    phase: int = 0

    @property
    def models(self) -> List[str]:
        """The models that model selection wants kept."""
        return list(self.best.get("models", []))

    def to_json(self) -> Dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Position":
        """From what `to_json` made."""
        return cls(value["epoch"], EpochSums(**value["running"]), dict(value["best"]), value["phase"])
