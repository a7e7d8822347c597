"""What a stage gets to work with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Mapping

from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Artifacts, Corpus, Stage
from relcon.runs import RunFolder
from relcon.settings import Training


@dataclass(frozen=True)
class StageContext:
    """The surroundings of one stage of one run.

    name: the stage's name in the config. run: the run's folder. corpus: the run's data. settings: the `[training]` section.
    seed: the run's seed. block: the stage's own config block, resolved to plain values. config: the whole config likewise.
    artifacts: what earlier stages handed on, by stage name. rebuild: makes a fresh stage from the block.
    goes_on: an interrupted attempt at the same work may be gone on with.
    snapshot: which snapshot of earlier stages to start from (0: what they handed on in the end).
    log_start: how long `log.jsonl` was when the work began, in bytes: an attempt that starts anew cuts it back to that.
    """

    name: str
    run: RunFolder
    corpus: Corpus
    settings: Training
    seed: int
    block: Mapping[str, Any]
    config: Mapping[str, Any]
    artifacts: Dict[str, Artifacts]
    rebuild: Callable[[], Stage]
    goes_on: bool = False
    snapshot: int = 0
    log_start: int = 0

    @property
    def folder(self) -> Path:
        """Where the stage writes."""
        folder = self.run.stage_folder(self.name)
        return folder / f"snapshot_{self.snapshot}" if self.snapshot else folder

    @property
    def checkpoints(self) -> Path:
        """Where the stage's checkpoints lie while it trains."""
        folder = self.run.path / "checkpoints" / self.name
        return folder / f"snapshot_{self.snapshot}" if self.snapshot else folder

    def handed_on_by(self, stage: str) -> Artifacts:
        """What an earlier stage handed on; RelconError where there is none of that name."""
        if stage not in self.artifacts:
            raise RelconError(
                f"[stages.{self.name}] asks for what stage '{stage}' hands on, but no earlier stage has that name."
                f"{did_you_mean(stage, self.artifacts)}"
            )
        return self.artifacts[stage]

    def measured(self, text: str) -> float:
        """The figure of an earlier stage that a text "STAGE.FIGURE" names; RelconError where there is none."""
        stage, _, figure = text.partition(".")
        figures = self.handed_on_by(stage).figures
        if figure not in figures:
            raise RelconError(f"[stages.{self.name}] '{text}': stage '{stage}' measured no '{figure}'.{did_you_mean(figure, figures)}")
        return figures[figure]

    def saved_model(self, stage: str) -> Path:
        """The folder of the model that an earlier stage handed on, or of its snapshot where this attempt starts from one."""
        folder = self.handed_on_by(stage).folder
        snapshot = folder / "snapshots" / str(self.snapshot) / "model"
        return snapshot if self.snapshot and snapshot.exists() else folder / "model"
