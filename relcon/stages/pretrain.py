"""Pre-training: any sum of tasks, whose encoders and poolers later stages take up."""

from typing import Any, Dict, List, Optional, Union

from relcon import processes
from relcon.interfaces import Corpus, Encoder, OptimizerPlan, Pooler, Sampler, Schedule, Task
from relcon.model import Trained
from relcon.stages.context import StageContext
from relcon.stages.training import TrainingStage


class Pretrain(TrainingStage):
    """Train shared encoders by a weighted sum of tasks; heads end with the stage, encoders and poolers are handed on.

    snapshots: epochs after which a copy is kept as well, for a later stage to choose from on development data
        (`choose_snapshot` of `relcon.Finetune.v1`). All other arguments: see `TrainingStage`.

    Config::

        [stages.pretrain]
        @stages = "relcon.Pretrain.v1"
        epochs = 2.0

        [stages.pretrain.encoders.text]
        @encoders = "relcon.MiniLM.v1"

        [stages.pretrain.poolers.sentence]
        @poolers = "relcon.CLS.v1"

        [stages.pretrain.streams.views]
        @samplers = "relcon.TwoViews.v1"
        batch_size = 64

        [stages.pretrain.streams.views.renderer]
        @renderers = "relcon.Blinded.v1"

        [stages.pretrain.streams.views.augmenter]
        @augmenters = "relcon.RandomDeletion.v1"

        [stages.pretrain.tasks.contrast]
        @tasks = "relcon.Contrastive.v1"
        stream = "views"

        [stages.pretrain.tasks.contrast.anchors]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "sentence"
        head = [384, 384]

        [stages.pretrain.tasks.contrast.objective]
        @objectives = "relcon.NTXent.v1"
        temperature = 0.1
    """

    def __init__(
        self,
        encoders: Dict[str, Union[str, Encoder]],
        poolers: Dict[str, Union[str, Pooler]],
        streams: Dict[str, Sampler],
        tasks: Dict[str, Task],
        optimizer: Optional[OptimizerPlan] = None,
        schedule: Optional[Schedule] = None,
        epochs: float = 1.0,
        max_steps: int = 0,
        accumulate: int = 1,
        clip: float = 1.0,
        data: Optional[Corpus] = None,
        split: str = "train",
        snapshots: Optional[List[int]] = None,
    ):
        super().__init__(
            encoders, poolers, streams, tasks, optimizer, schedule, epochs, max_steps, accumulate, clip, data, split
        )
        self.snapshots = snapshots or []
        if max_steps == 0 and any(not 1 <= epoch <= epochs for epoch in self.snapshots):
            raise ValueError(f"snapshots {self.snapshots} must lie between 1 and epochs = {epochs}")

    def after_epoch(self, context: StageContext, epoch: int, trained: Trained, best: Dict[str, Any]) -> bool:
        """Keep a snapshot where one is asked for."""
        if epoch in self.snapshots:
            processes.on_main(lambda: trained.save(context.folder / "snapshots" / str(epoch) / "model"))
        return False
