"""Classification and contrast in turn: the training of CLoCE."""

from typing import Any, Dict, List, Literal, Mapping, Optional, Union

from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Corpus, Encoder, Evaluator, OptimizerPlan, Pooler, Sampler, Schedule, Task
from relcon.stages.finetune import Finetune
from relcon.stages.training import PhasePlan
from relcon.training.loop import Loop
from relcon.training.optimizers import AdamW
from relcon.training.position import Position
from relcon.training.predicting import predictions
from relcon.training.schedules import Constant

PHASE = "after"
"""What the log calls the phase."""

LEARNING_RATE = 1e-6
"""That of the contrastive phase in the paper."""


class Alternation(Finetune):
    """Fine-tune a relation classifier and, after every epoch of that, train by other streams: by contrast on what it got wrong (CLoCE,
    anonymous submission, section on training).

    The tasks that read the streams of `after` do not train beside the others, but in a phase of their own once the epoch over the
    others is through, with an optimizer of their own over what they reach: their towers and their objectives' parameters (a margin). The
    model is chosen as it is behind the phase. With a tower of `depth = 0` for the contrast this is CLoCE-S (the embedding layer alone
    learns from it), with `depth = null` CLoCE-D; relcon.Finetune.v1 without the contrast is the ablation KI.

    after: names of streams; an epoch of the phase is one pass over the first, the others go round. The stream of the classifier is none.
    after_optimizer: AdamW with a rate of 1e-6 and without decay unless said. after_schedule: counts epochs, since nobody knows how many
    steps a phase will have; constant unless said.
    skip_last: no phase after the last epoch.
    collect: which predictions tell what is wrong: `online`, those of the training batches, each before its step and with dropout; or
    `post_epoch`, those of a pass over all training data in evaluation mode when the epoch's steps are done, which costs as much again as
    evaluating them.
    All other arguments: see `Finetune`, and what it has from its base see `TrainingStage`.

    Figures: as of `relcon.Finetune.v1`, and `after_steps`. The log has a line with `phase = "after"` for each phase, or one with the event
    `left_out` that says why it had no step. ValueError where `after` names no stream, or that of the classifier.

    Config::

        [stages.finetune]
        @stages = "cloce.Alternation.v1"
        epochs = 5
        classifier = "relation"
        after = ["errors"]

        [stages.finetune.encoders.text]
        @encoders = "relcon.Transformer.v1"
        path = "roberta-base"

        [stages.finetune.poolers.mask]
        @poolers = "relcon.SpanPool.v1"
        inside = "first"
        slots = 1

        [stages.finetune.poolers.mean]
        @poolers = "relcon.SpanPool.v1"
        slots = 1

        [stages.finetune.streams.train]
        @samplers = "relcon.Instances.v1"
        batch_size = 16

        [stages.finetune.streams.train.renderer]
        @renderers = "cloce.Prompt.v1"

        [stages.finetune.streams.errors]
        @samplers = "cloce.ErrorPairs.v1"

        [stages.finetune.streams.errors.renderer]
        @renderers = "cloce.Prompt.v1"
        unit = "sentence"

        [stages.finetune.tasks.relation]
        @tasks = "cloce.SoftLabels.v1"
        stream = "train"

        [stages.finetune.tasks.contrast]
        @tasks = "relcon.Contrastive.v1"
        stream = "errors"

        [stages.finetune.tasks.contrast.anchors]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "mean"
        depth = 0

        [stages.finetune.tasks.contrast.objective]
        @objectives = "relcon.MarginPairs.v1"
        trainable = true
    """

    def __init__(
        self,
        encoders: Dict[str, Union[str, Encoder]],
        poolers: Dict[str, Union[str, Pooler]],
        streams: Dict[str, Sampler],
        tasks: Dict[str, Task],
        classifier: str,
        after: List[str],
        after_optimizer: Optional[OptimizerPlan] = None,
        after_schedule: Optional[Schedule] = None,
        skip_last: bool = False,
        collect: Literal["online", "post_epoch"] = "online",
        selection: Optional[Evaluator] = None,
        patience: int = 0,
        choose_snapshot: bool = False,
        optimizer: Optional[OptimizerPlan] = None,
        schedule: Optional[Schedule] = None,
        epochs: Union[float, str] = 5.0,
        max_steps: int = 0,
        accumulate: int = 1,
        clip: float = 1.0,
        data: Optional[Corpus] = None,
        split: str = "train",
        look_from: int = 1,
    ):
        super().__init__(
            encoders,
            poolers,
            streams,
            tasks,
            classifier,
            selection=selection,
            patience=patience,
            choose_snapshot=choose_snapshot,
            optimizer=optimizer,
            schedule=schedule,
            epochs=epochs,
            max_steps=max_steps,
            accumulate=accumulate,
            clip=clip,
            data=data,
            split=split,
            look_from=look_from,
        )
        for name in after:
            if name not in streams:
                raise ValueError(f"after names '{name}', which is none of the streams.{did_you_mean(name, streams)}")
        if not after:
            raise ValueError("after must name a stream; without one, relcon.Finetune.v1 is the stage to take")
        if tasks[classifier].stream in after:
            raise ValueError(f"after names '{tasks[classifier].stream}', the stream of the classifier, whose epochs the phase follows")
        plan = after_optimizer or AdamW(lr=LEARNING_RATE, weight_decay=0.0)
        self.phases = {PHASE: PhasePlan(after, plan, after_schedule or Constant())}
        self.skip_last, self.collect = skip_last, collect

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """Those of `relcon.Finetune.v1`, and `after_steps`."""
        found = super().measures(block)
        return None if found is None else [*found, "after_steps"]

    def check(self, corpus: Corpus, where: str) -> None:
        """Every stream of `after` needs a task, and one that follows predictions a classifier that gives one label."""
        super().check(corpus, where)
        for name in self.phases[PHASE].streams:
            if not self.tasks_of([name]):
                raise RelconError(f"{where} after: no task reads the stream '{name}'. Add one, or leave the stream out.")
            if self.streams[name].follows_predictions and self.tasks[str(self.classifier)].multi_label:
                raise RelconError(
                    f"{where} after: the stream '{name}' asks whether the predicted label of a pair is its true one, but the classifier "
                    f"'{self.classifier}' gives a pair several. Take relcon.Classification.v1."
                )

    def begin_turn(self, loop: Loop, turn: Loop, position: Position) -> None:
        """Predict all training data anew in front of the phase, where that is what it draws from."""
        if turn is not loop and self.collect == "post_epoch" and not position.running.steps:
            self.predict(loop, position.epoch)
        super().begin_turn(loop, turn, position)

    def predict(self, loop: Loop, epoch: int) -> None:
        """Tell the recorders what the classifier predicts now, and nothing of before."""
        for recorder in self.recorders():
            recorder.begin_epoch()  # type: ignore[operator]
        for told in predictions(loop, self.tasks[str(self.classifier)], epoch, "errors"):
            for recorder in self.recorders():
                recorder(*told)

    def why_left_out(self, loop: Loop, turn: Loop) -> Optional[str]:
        """After the last epoch, where `skip_last` says so, as well."""
        if turn is not loop and self.skip_last and loop.done >= loop.steps:
            return "skip_last leaves it out after the last epoch"
        return super().why_left_out(loop, turn)
