"""What a dry run found out: values only."""

from dataclasses import dataclass, field
from typing import Dict, List, Optional


@dataclass(frozen=True)
class BatchShape:
    """What an optimizer step encodes, as a mean over the measured ones.

    views: vectors that its tasks ask for. inputs: texts encoded for them. length: their mean length in tokens. longest: of any of
    them. padding: share of the encoded positions that hold no token. micro_batches: forwards that the step is divided into.
    """

    views: float
    inputs: float
    length: float
    longest: int
    padding: float
    micro_batches: float


@dataclass
class StagePlan:
    """What one stage would do.

    kind: its registered name. split: the data it works on, with their documents, instances and labels.
    seconds: estimate for the whole stage; None where it cannot be told. memory: peak in bytes after the measured steps.
    notes: what the estimate rests on, or leaves out. figures: what later stages may go by of what it would measure, each the most that
    it can be.
    Of a training stage: batches and optimizer steps of an epoch, epochs, steps in all, the batch shape, trainable and frozen
    parameters, seconds per step. Of an evaluation stage: instances per second.
    """

    kind: str
    split: str = ""
    documents: int = 0
    instances: int = 0
    labels: int = 0
    batches_per_epoch: Optional[int] = None
    steps_per_epoch: Optional[int] = None
    epochs: Optional[int] = None
    steps: Optional[int] = None
    shape: Optional[BatchShape] = None
    trainable: Optional[int] = None
    frozen: Optional[int] = None
    seconds_per_step: Optional[float] = None
    instances_per_second: Optional[float] = None
    seconds: Optional[float] = None
    memory: Optional[int] = None
    notes: List[str] = field(default_factory=list)
    figures: Dict[str, float] = field(default_factory=dict)


@dataclass
class Plan:
    """What a run would do.

    runs: the subfolders of the protocol's runs, [""] where there is one. stages: by name, of the first run. reading: seconds that
    reading and checking took. device: where it would run. memory: the largest peak in bytes.
    """

    runs: List[str]
    device: str
    reading: float
    stages: Dict[str, StagePlan] = field(default_factory=dict)

    @property
    def seconds(self) -> Optional[float]:
        """Estimate for everything, every run of the protocol taken to be like the first; None where a stage cannot tell."""
        known = [stage.seconds for stage in self.stages.values()]
        return None if None in known else self.reading + len(self.runs) * sum(each for each in known if each is not None)

    @property
    def memory(self) -> int:
        """The largest peak of any stage, in bytes."""
        return max((stage.memory or 0 for stage in self.stages.values()), default=0)
