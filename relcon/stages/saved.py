"""A model of another run as a stage of this one."""

from pathlib import Path
from typing import Any, List, Mapping

from relcon import processes
from relcon.errors import naming
from relcon.files import link_tree
from relcon.interfaces import Artifacts, Corpus, Stage
from relcon.model import SavedModel
from relcon.plans import StagePlan
from relcon.stages.context import StageContext


class Saved(Stage):
    """Hand on what a stage of another run trained, so that one pre-training serves many runs.

    path: the folder of its model, `RUN/stages/STAGE/model`. Its files become part of this run (linked where the disk allows it), so the
    other run may go. A resumed run keeps what it has of the folder.

    RelconError where the folder holds no model.

    Config::

        [stages.pretrain]
        @stages = "relcon.Saved.v1"
        path = "runs/pretrained/stages/pretrain/model"
    """

    def __init__(self, path: str):
        self.path = Path(path)

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> List[str]:
        """Nothing."""
        return []

    def check(self, corpus: Corpus, where: str) -> None:
        """The model must be there."""
        with naming(where):
            SavedModel(self.path)

    def run(self, context: StageContext) -> Artifacts:
        """Link the folder."""
        processes.on_main(lambda: link_tree(self.path, context.folder / "model"))
        return Artifacts(context.folder)

    def plan(self, context: StageContext) -> StagePlan:
        """Nothing to compute."""
        self.run(context)
        return StagePlan(kind=context.block["@stages"], seconds=0.0, notes=[f"takes {self.path}"])
