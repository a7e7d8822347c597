"""Pre-training: any sum of tasks, whose encoders and poolers later stages take up."""

from typing import Any, Dict, List, Mapping, Optional, Union

from relcon import processes
from relcon.data.joining import split_names
from relcon.errors import RelconError, naming
from relcon.interfaces import Corpus, Encoder, OptimizerPlan, Pooler, Sampler, Schedule, Split, Task
from relcon.model import Trained
from relcon.plans import StagePlan
from relcon.stages.choosing import Choice
from relcon.stages.context import StageContext
from relcon.stages.training import TrainingStage
from relcon.training.loop import Loop
from relcon.training.validation import validate, validation_seconds


class Pretrain(TrainingStage):
    """Train shared encoders by a weighted sum of tasks; encoders (with a head over their word pieces, where a task has one) and poolers
    are handed on, other heads end with the stage.

    snapshots: epochs after which a copy is kept as well, for a later stage to choose from on development data
        (`choose_snapshot` of `relcon.Finetune.v1`).
    validation: a split of held-out data ("dev"), or a sum of splits, of the stage's corpus. After each epoch the loss is measured there:
        the same samplers and tasks, in evaluation mode, negatives and changes drawn anew for each epoch from a random stream of its
        own. The model with the lowest loss is handed on, of equal ones the last; `metrics.json` has that loss as `validation` and its
        epoch as `epoch`, which a later stage may train for (`epochs = "NAME.epoch"`). None hands on the last state.
    patience: stop after so many epochs without a loss that is as low as the lowest, 0 for never.
    All other arguments: see `TrainingStage`.

    ValueError where validation names a part of `split`, or the test split, whose data must not decide anything.

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
        epochs: Union[float, str] = 1.0,
        max_steps: int = 0,
        accumulate: int = 1,
        clip: float = 1.0,
        data: Optional[Corpus] = None,
        split: str = "train",
        snapshots: Optional[List[int]] = None,
        validation: Optional[str] = None,
        patience: int = 0,
    ):
        super().__init__(
            encoders, poolers, streams, tasks, optimizer, schedule, epochs, max_steps, accumulate, clip, data, split
        )
        self.snapshots = _kept(snapshots or [], epochs, max_steps)
        self.validation, self.choice = validation, Choice("validation", higher_is_better=False, ties="last", patience=patience)
        if validation is not None:
            _refuse_seen(validation, split)
        elif patience:
            raise ValueError("patience needs a validation: a split of held-out data")

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """`steps`; with a validation `validation` and `epoch`."""
        return ["steps"] if block.get("validation") is None else ["steps", "validation", "epoch"]

    def check(self, corpus: Corpus, where: str) -> None:
        """The held-out data must be there, too, and the streams must be able to draw from them."""
        super().check(corpus, where)
        if self.validation is not None:
            with naming(f"{where} validation:"):
                held_out = self.part_of(corpus, self.validation)
                self.check_streams(held_out, where)
                self.refuse_no_batch(held_out)

    def refuse_no_batch(self, held_out: Split) -> None:
        """RelconError where a stream would find no batch in the held-out data."""
        for name, sampler in self.streams.items():
            if not sampler.length(held_out):
                raise RelconError(f"stream '{name}' draws no batch from '{held_out.name}'. Hold out more data, or lower batch_size.")

    def prepare(self, context: StageContext, data: Split) -> None:
        """For the held-out data first: what samplers take from data (names that replace others) is to be that of the training data."""
        if self.validation is not None:
            super().prepare(context, self.part_of(context.corpus, self.validation))
        super().prepare(context, data)

    def look(self, context: StageContext, epoch: int, trained: Trained, loop: Loop) -> Optional[float]:
        """The loss on the held-out data; None without a validation."""
        if self.validation is None:
            return None
        with naming(f"[stages.{context.name}] validation:"):
            found = validate(loop, self.part_of(context.corpus, self.validation), epoch - 1)
        context.run.log(event="validation", stage=context.name, epoch=epoch, loss=found.loss, parts=found.parts)
        return found.loss

    def after_epoch(self, context: StageContext, epoch: int, trained: Trained, loop: Loop, best: Dict[str, Any]) -> bool:
        """Keep a snapshot as well, where one is asked for."""
        if epoch in self.snapshots:
            processes.on_main(lambda: trained.save(context.folder / "snapshots" / str(epoch) / "model"))
        return super().after_epoch(context, epoch, trained, loop, best)

    def plan_epochs(self, context: StageContext, trained: Trained, loop: Loop, plan: StagePlan) -> None:
        """The validation after each epoch, timed on a few batches."""
        if self.validation is not None:
            held_out = self.part_of(context.corpus, self.validation)
            self.plan_looks(plan, f"validation on '{held_out.name}'", validation_seconds(loop, held_out))


def _kept(snapshots: List[int], epochs: Union[float, str], max_steps: int) -> List[int]:
    """The epochs of the snapshots, or ValueError where one of them will not come, as far as the stage knows how many there are."""
    if snapshots and max_steps == 0:
        if isinstance(epochs, str):
            raise ValueError(f"snapshots {snapshots} need a known number of epochs, not that of {epochs}")
        if any(not 1 <= epoch <= epochs for epoch in snapshots):
            raise ValueError(f"snapshots {snapshots} must lie between 1 and epochs = {epochs}")
    return snapshots


def _refuse_seen(validation: str, split: str) -> None:
    """ValueError where the data of a validation are trained on, or are those that the results are measured on."""
    for name in split_names(validation):
        if name in split_names(split):
            raise ValueError(f"validation = '{validation}' measures on '{name}', on which split = '{split}' trains. Hold out other data.")
        if name == "test":
            raise ValueError("validation on 'test' would choose the model by the data that results are measured on. Hold out other data.")
