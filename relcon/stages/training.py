"""What every training stage does: build the shared parts, train the tasks, keep checkpoints, save and hand on."""

import logging
import math
import time
from copy import deepcopy
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

import torch
from torch import nn

from relcon import processes
from relcon.data.joining import split_of
from relcon.data.labels import LabelSet
from relcon.errors import Interrupted, RelconError, did_you_mean, naming
from relcon.files import link_tree
from relcon.interfaces import (
    Artifacts,
    Corpus,
    Draw,
    Encoder,
    OptimizerPlan,
    Parts,
    PieceHead,
    Pooler,
    Recorder,
    Renderer,
    Sampler,
    Schedule,
    Split,
    Stage,
    Task,
)
from relcon.model import SavedModel, Trained
from relcon.plans import StagePlan
from relcon.stages.choosing import Choice, best_name
from relcon.stages.context import StageContext
from relcon.stages.planned import add_epochs, add_phase, training_plan
from relcon.training.checkpoint import Resumed, newest_checkpoint, resume, save_best, save_checkpoint, step_of
from relcon.training.compiling import compile_encoders
from relcon.training.device import accelerator_for
from relcon.training.interruption import asked, deferred
from relcon.training.loop import Loop, NonFiniteLoss, Phase, Stream
from relcon.training.memory import fitting_tokens
from relcon.training.optimizers import AdamW
from relcon.training.position import EpochSums, Position
from relcon.training.progress import Progress, peak_memory_bytes
from relcon.training.schedules import LinearWarmup
from relcon.training.seeding import generator, seed_torch

log = logging.getLogger(__name__)


class PhasePlan(NamedTuple):
    """A part of every epoch that comes after the steps over the stage's other streams. streams: its own, by name; the tasks that read them
    train then and only then. optimizer: over what these tasks reach. schedule: of its rate, counted in epochs."""

    streams: Sequence[str]
    optimizer: OptimizerPlan
    schedule: Schedule


class TrainingStage(Stage):
    """Base of `Pretrain` and `Finetune`.

    encoders, poolers: by name; a block starts afresh, a string "STAGE.NAME" takes what an earlier stage handed on.
    streams: samplers by name; an epoch is one pass over the first. tasks: by name, each fed by one stream.
    epochs: passes over the first stream, may be a fraction; a text "STAGE.FIGURE" takes what an earlier stage of the run measured
        ("tuning.epoch": as many as were best there). max_steps: optimizer steps instead, where above 0; an untrained encoder is handed
        on where both are 0.
    optimizer, schedule: AdamW and linear warm-up and decay unless said.
    accumulate: batches per optimizer step. It does not enlarge the set of negatives of a contrast; a larger batch with
        `[training] gradient_caching` does. clip: largest gradient norm, 0 for none.
    data: a corpus of the stage's own; the run's unless said. split: which part of it; a sum ("train+dev") takes several one after the
        other, which must have no document in common.
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
    ):
        for name, value, least in (
            ("epochs", epochs, 0),
            ("max_steps", max_steps, 0),
            ("accumulate", accumulate, 1),
            ("clip", clip, 0),
        ):
            if not isinstance(value, str) and value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        self.encoders, self.poolers, self.streams, self.tasks = encoders, poolers, streams, tasks
        self.optimizer, self.schedule = optimizer or AdamW(), schedule or LinearWarmup()
        self.epochs, self.max_steps, self.accumulate, self.clip = epochs, max_steps, accumulate, clip
        self.data, self.split = data, split

    # ---- what the two kinds of stage add ----

    classifier: Optional[str] = None
    counts_on = ("epochs",)
    choice: Choice
    phases: Mapping[str, PhasePlan] = {}

    def look(self, context: StageContext, epoch: int, trained: Trained, loop: Loop) -> Optional[float]:
        """The figure of the model after an epoch (counted from 1) by which the best is chosen; None: the last one is handed on."""
        return None

    # ---- choosing among the epochs ----

    def after_epoch(self, context: StageContext, epoch: int, trained: Trained, loop: Loop, best: Dict[str, Any]) -> bool:
        """Called after each epoch (counted from 1): look at the model, and keep it where it is among the best, which `best` remembers.
        True ends training early."""
        figure = self.look(context, epoch, trained, loop)
        if figure is None:
            return False
        kept = self.choice.best_first([*best.get("kept", []), [figure, epoch]])[: context.settings.keep_best]
        if epoch in [number for _, number in kept]:
            processes.on_main(lambda: save_best(context.checkpoints, best_name(epoch), trained))
        best.update(kept=kept, models=[best_name(number) for _, number in kept])
        return self.choice.ends(epoch, kept[0][1])

    def chosen(self, context: StageContext, best: Mapping[str, Any]) -> Optional[Path]:
        """The folder of the model to hand on instead of the last state; None for the last state."""
        return context.checkpoints / best["models"][0] / "model" if "models" in best else None

    def figures(self, best: Mapping[str, Any]) -> Dict[str, float]:
        """The figure of the best epoch, and its number."""
        if "kept" not in best:
            return {}
        figure, epoch = best["kept"][0]
        return {self.choice.figure: figure, "epoch": float(epoch)}

    # ---- the work ----

    def check(self, corpus: Corpus, where: str) -> None:
        """Its part of the data must be there, and what its streams need of them or look things up in (parses, WordNet); its tasks must be
        able to learn from them."""
        with naming(f"{where} split:"):
            data = self.part_of(corpus, self.split)
        self.check_streams(data, where)
        self.refuse_unpredicted(where)
        for name, task in self.tasks.items():
            with naming(f"{where[:-1]}.tasks.{name}]"):
                task.check(data)

    def check_streams(self, data: Split, where: str) -> None:
        """The streams must be able to draw from these data."""
        for name, sampler in self.streams.items():
            with naming(f"{where[:-1]}.streams.{name}]"):
                sampler.check(data)

    def refuse_unpredicted(self, where: str) -> None:
        """RelconError where a stream draws from what a classifier predicts in the very epoch that it is to be a part of."""
        for name in self.beside:
            if self.streams[name].follows_predictions:
                raise RelconError(
                    f"{where[:-1]}.streams.{name}] draws from what the classifier predicts in an epoch, and when that begins there is "
                    "nothing yet. Take a stage that trains it after each epoch, in a phase of its own."
                )

    @property
    def beside(self) -> List[str]:
        """The streams that are in no later phase of an epoch, by name."""
        later = {name for plan in self.phases.values() for name in plan.streams}
        return [name for name in self.streams if name not in later]

    def part_of(self, corpus: Corpus, split: str) -> Split:
        """A split, or a sum of splits, of the stage's own corpus or else of the run's."""
        return split_of(self.data or corpus, split)

    def run(self, context: StageContext) -> Artifacts:
        """Train, save to `stages/NAME/model` and hand on."""
        seed_torch(context.seed, context.name, "start")
        data = self.part_of(context.corpus, self.split)
        trained = self.assemble(context, data.labels)
        loop = self.loop(context, trained, data)
        best = self.train(context, trained, loop)
        processes.on_main(lambda: self.hand_on(context, trained, best))
        steps = {f"{phase.title}_steps": phase.done for phase in loop.phases}
        return Artifacts(context.folder, {"steps": loop.done, **steps, **self.figures(best)})

    def hand_on(self, context: StageContext, trained: Trained, best: Mapping[str, Any]) -> None:
        """Put the model where later stages look for it; a chosen one stays where it was, too, for a run interrupted from here on. Where
        several are to be kept, all of them stay in `best/epoch-N`."""
        chosen = self.chosen(context, best)
        if chosen is None:
            trained.save(context.folder / "model")
        else:
            link_tree(chosen, context.folder / "model")
        for name in best.get("models", []) if context.settings.keep_best > 1 else []:
            link_tree(context.checkpoints / name / "model", context.folder / name)

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do; the model after a few steps is handed on."""
        began = time.perf_counter()
        seed_torch(context.seed, context.name, "start")
        data = self.part_of(context.corpus, self.split)
        trained = self.assemble(context, data.labels)
        loop = self.loop(context, trained, data)
        ready = time.perf_counter()
        plan = training_plan(context, trained, loop, data)
        measured = time.perf_counter()
        trained.save(context.folder / "model")
        add_epochs(plan, "making ready", ready - began, 1)
        add_epochs(plan, "saving after an epoch", time.perf_counter() - measured, loop.epochs)
        plan.figures = {"steps": loop.steps}
        if isinstance(self.epochs, str) and not self.max_steps:
            plan.notes.append(f"{loop.epochs} epochs at most: as many as {self.epochs} will be")
        for phase in loop.phases:
            add_phase(plan, phase, list(trained.parts.encoders.values()))
        self.plan_epochs(context, trained, loop, plan)
        return plan

    def plan_epochs(self, context: StageContext, trained: Trained, loop: Loop, plan: StagePlan) -> None:
        """Add to a plan what `after_epoch` takes. Nothing unless overridden."""

    def plan_looks(self, plan: StagePlan, what: str, seconds: float, first: int = 1) -> None:
        """Add to a plan the looks by which the stage chooses among its epochs. seconds: that one takes. first: the epoch of the first."""
        epochs = plan.epochs or 0
        add_epochs(plan, what, seconds, max(epochs - first, 0) + 1 if epochs else 0)
        plan.figures["epoch"] = epochs
        if self.choice.patience:
            plan.notes.append(f"ends earlier where {self.choice.patience} epochs bring nothing better")

    def assemble(self, context: StageContext, labels: LabelSet) -> Trained:
        """Shared parts and tasks, ready to train."""
        encoders = {name: self.encoder(context, value) for name, value in self.encoders.items()}
        poolers, blocks = self.shared_poolers(context)
        parts = Parts(encoders, poolers, labels, handed_on=self.handed_on(context))
        named = [stream.special_tokens for stream in self.streams.values()]
        named += [task.special_tokens(labels) for task in self.tasks.values()]
        tokens = sorted({token for of_one in named for token in of_one})
        if tokens:
            for encoder in encoders.values():
                encoder.add_tokens(tokens)
        for name, task in self.tasks.items():
            if task.stream not in self.streams:
                raise RelconError(
                    f"[stages.{context.name}.tasks.{name}] reads stream '{task.stream}'.{did_you_mean(task.stream, self.streams)}"
                )
            task.build(parts)
        if not any(parameter.requires_grad for encoder in encoders.values() for parameter in encoder.parameters()):
            raise RelconError(f"[stages.{context.name}] has no trainable encoder parameter: freeze fewer layers.")
        blocks |= {copy: blocks[name] for copy, name in parts.copies.items() if copy in poolers}
        return Trained(
            parts, self.tasks, {"poolers": blocks, **self.blocks(context)}, tokens, self.classifier, self.renderer(), self.about(context)
        )

    def encoder(self, context: StageContext, value: Union[str, Encoder]) -> Encoder:
        """An encoder of its own, or what an earlier stage handed on."""
        return value if isinstance(value, Encoder) else self.earlier(context, value)[0].encoder(self.earlier(context, value)[1])

    def handed_on(self, context: StageContext) -> Dict[str, PieceHead]:
        """The heads over word pieces that earlier stages handed on with encoders that this one takes up, by their names here."""
        taken = {name: self.earlier(context, value) for name, value in self.encoders.items() if isinstance(value, str)}
        return {name: head for name, (saved, theirs) in taken.items() if (head := saved.head(theirs)) is not None}

    def shared_poolers(self, context: StageContext) -> "tuple[Dict[str, Pooler], Dict[str, Any]]":
        """Poolers by name, and the config blocks that build them again."""
        poolers: Dict[str, Pooler] = {}
        blocks: Dict[str, Any] = {}
        for name, value in self.poolers.items():
            if isinstance(value, Pooler):
                poolers[name], blocks[name] = value, context.block["poolers"][name]
            else:
                saved, theirs = self.earlier(context, value)
                poolers[name], blocks[name] = saved.pooler(theirs), saved.about["poolers"][theirs]
        return poolers, blocks

    def earlier(self, context: StageContext, value: str) -> "tuple[SavedModel, str]":
        """The saved model of an earlier stage and the name of a part in it, from "STAGE.NAME"."""
        stage, dot, name = value.partition(".")
        if not dot:
            raise RelconError(f"[stages.{context.name}]: '{value}' must be STAGE.NAME, what an earlier stage handed on, or a block.")
        return SavedModel(context.saved_model(stage)), name

    def blocks(self, context: StageContext) -> Dict[str, Any]:
        """Config blocks that a saved model needs beside those of its poolers."""
        return {"tasks": context.block["tasks"]}

    def renderer(self) -> Optional[Renderer]:
        """How the classifier sees instances."""
        return None

    def about(self, context: StageContext) -> Dict[str, Any]:
        """Facts for users of the saved model."""
        return {"stage": context.name}

    def loop(self, context: StageContext, trained: Trained, data: Split) -> Loop:
        """The loop over this stage's streams, on the configured device."""
        accelerator = accelerator_for(context.settings)
        modules = trained.modules().to(accelerator.device)
        if context.settings.compile:
            compile_encoders(trained.parts.encoders.values())
        for sampler in self.streams.values():
            sampler.hand_over(context.artifacts)
        self.prepare(context, data)
        streams = {name: Stream(sampler, data, self.vocabulary(trained, name)) for name, sampler in self.streams.items()}
        same: Dict[str, Any] = {
            "modules": modules,
            "accelerator": accelerator,
            "steps": 0,
            "seed": context.seed,
            "accumulate": self.accumulate,
            "clip": self.clip,
            "tokens": self.tokens(context, streams),
            "cache": context.settings.gradient_caching,
        }
        loop = Loop(
            name=context.name,
            optimizer=accelerator.prepare(self.optimizer.build(self.trained_beside(trained))),
            schedule=self.schedule,
            **self.fed(streams, self.beside),
            **same,
        )
        if not loop.steps_per_epoch:
            raise RelconError(
                f"[stages.{context.name}] has no batch in an epoch: the {len(data.instances)} instances of '{data.name}' fill none. "
                "Lower batch_size."
            )
        loop.steps = self.max_steps or int(self.passes(context) * loop.steps_per_epoch)
        loop.phases = [
            Phase(
                name=f"{context.name}.{name}",
                title=name,
                of=loop.epochs,
                optimizer=accelerator.prepare(plan.optimizer.build(nn.ModuleList(self.tasks_of(plan.streams).values()))),
                schedule=plan.schedule,
                **self.fed(streams, plan.streams),
                **same,
            )
            for name, plan in self.phases.items()
        ]
        return loop

    def tasks_of(self, streams: Sequence[str]) -> Dict[str, Task]:
        """The tasks that read these streams, by name."""
        return {name: task for name, task in self.tasks.items() if task.stream in streams}

    def fed(self, streams: Mapping[str, Stream], names: Sequence[str]) -> Dict[str, Any]:
        """Streams and the tasks that read them, as a loop takes them."""
        return {"streams": {name: streams[name] for name in names}, "tasks": self.tasks_of(names)}

    def trained_beside(self, trained: Trained) -> nn.Module:
        """What the steps before the phases train: all but what is of a later phase's tasks alone."""
        modules = trained.modules()
        modules["tasks"] = nn.ModuleDict(self.tasks_of(self.beside))
        return modules

    def passes(self, context: StageContext) -> float:
        """The number of epochs, where an earlier stage measures it the one that it measured."""
        if not isinstance(self.epochs, str):
            return self.epochs
        epochs = context.measured(self.epochs)
        if not 0 <= epochs < math.inf:
            raise RelconError(f"[stages.{context.name}] epochs: {self.epochs} is {epochs}, which is no number of epochs.")
        return epochs

    def prepare(self, context: StageContext, data: Split) -> None:
        """Let the samplers prepare for the data that they will draw from."""
        for sampler in self.streams.values():
            processes.main_first(partial(sampler.prepare, data))

    def tokens(self, context: StageContext, streams: Mapping[str, Stream]) -> int:
        """Positions of one forward, measured on a first batch of every stream where `[training]` says "auto"."""
        setting = context.settings.micro_batch_tokens
        if setting != "auto":
            return setting

        def measure() -> int:
            found = []
            for name, stream in streams.items():
                draw = Draw(0, generator(context.seed, "auto"), stream.vocabulary)
                for batch in islice(stream.sampler.batches(stream.data, draw), 1):
                    found.append(fitting_tokens(self.tasks_of([name]), batch, context.settings.gradient_caching))
            return min(filter(None, found), default=0)

        return context.run.find(context.name, "micro_batch_tokens", measure)

    def vocabulary(self, trained: Trained, stream: str) -> Any:
        """The vocabulary of the encoder that reads a stream: that of the first text encoder."""
        return next((encoder.vocabulary for encoder in trained.parts.encoders.values() if encoder.vocabulary is not None), None)

    def train(self, context: StageContext, trained: Trained, loop: Loop) -> Dict[str, Any]:
        """All epochs, from the newest good checkpoint on where the run is resumed. A signal that asks the command to end waits for
        the end of a step."""
        resumed = self.resume(context, loop)
        position = resumed.position if resumed else Position()
        random = resumed.random if resumed else None
        with deferred():
            while (loop.done < loop.steps or position.running.steps or position.phase) and not position.best.get("stopped"):
                self.train_epoch(context, trained, loop, position, random)
                self.end_epoch(context, trained, loop, position)
        return position.best

    def resume(self, context: StageContext, loop: Loop) -> Optional[Resumed]:
        """Go back to the newest good checkpoint, or to the start of the stage; the log goes back with it."""
        resumed = resume(context.checkpoints, loop) if context.goes_on else None
        context.run.cut_log(context.log_start if resumed is None else resumed.log)
        if context.goes_on:
            name, damaged = (resumed.folder.name, resumed.damaged) if resumed else (None, [])
            context.run.note_resumed(context.name, name, damaged)
        return resumed

    def train_epoch(self, context: StageContext, trained: Trained, loop: Loop, position: Position, random: Any = None) -> None:
        """One epoch, or what is left of it: the loop's own steps, then those of its phases."""
        for turn in loop.turns[position.phase :]:
            self.begin_turn(loop, turn, position)
            why = self.why_left_out(loop, turn)
            if why is None:
                self.train_turn(context, trained, loop, turn, position, random)
                refuse_idle(context.name, position.running, self.tasks)
            merge_recorders(loop)
            self.log_turn(context, loop, turn, position, why)
            position.phase, position.running = position.phase + 1, EpochSums()

    def begin_turn(self, loop: Loop, turn: Loop, position: Position) -> None:
        """Called in front of the steps of the loop and of each of its phases, in every epoch, also where a resumed run goes on within
        them."""
        if turn is loop and not position.running.steps:
            for recorder in recorders_of(loop):
                recorder.begin_epoch()
        if isinstance(turn, Phase):
            turn.begin(position.running.steps)

    def why_left_out(self, loop: Loop, turn: Loop) -> Optional[str]:
        """Why a phase takes no step in this epoch, in words; None where it does."""
        return turn.why_empty() if isinstance(turn, Phase) else None

    def train_turn(
        self, context: StageContext, trained: Trained, loop: Loop, turn: Loop, position: Position, random: Any
    ) -> None:
        """The steps of the loop in an epoch, or those of one of its phases, or what is left of them, with a progress bar and a log."""
        began, before, sums = time.perf_counter(), position.running.seconds, position.running
        with Progress(turn, position.epoch, context.run.part) as progress:
            try:
                for record in turn.epoch(position.epoch, sums.steps, random):
                    sums.add(record)
                    sums.seconds = before + time.perf_counter() - began
                    progress.update(record)
                    if loop.all_done % context.settings.log_every == 0 or record.step == turn.steps:
                        context.run.log(event="step", **named(context, turn), **{**vars(record), "step": loop.all_done})
                    self.after_step(context, trained, loop, position)
            except NonFiniteLoss as error:
                raise RelconError(f"[stages.{context.name}] {error} {self.keep_last_good(context)}") from error
            progress.epoch_line(turn.done, sums.mean_parts())

    def after_step(self, context: StageContext, trained: Trained, loop: Loop, position: Position) -> None:
        """A checkpoint where one is due within the epoch, or where a signal asked the command to end: that ends it."""
        turn, *later = loop.turns[position.phase :]
        every, inside = context.settings.checkpoint_every, bool(later) or turn.left_in_epoch(position.running.steps) > 0
        signal = int(processes.largest(torch.tensor(asked() or 0))) or None  # all end at the same step
        if signal is not None or (inside and every and loop.all_done % every == 0):
            self.save(context, trained, loop, position, context.run.log_length())
        if signal is not None:
            raise Interrupted(signal, f"at step {loop.all_done} of stage {context.name}")

    def end_epoch(self, context: StageContext, trained: Trained, loop: Loop, position: Position) -> None:
        """What follows the last step: a look at held-out data, a checkpoint.

        A signal need not wait for the look: the checkpoint is then that of the moment before, and the look is repeated.
        """
        length, best = context.run.log_length(), deepcopy(position.best)
        try:
            with deferred(wait=processes.count() > 1):
                best["stopped"] = self.after_epoch(context, position.epoch + 1, trained, loop, best)
        except Interrupted as left:
            self.save(context, trained, loop, position, length)
            raise Interrupted(left.signal, f"at step {loop.all_done} of stage {context.name}") from None
        position.epoch, position.phase, position.best = position.epoch + 1, 0, best
        self.save(context, trained, loop, position, context.run.log_length())

    def log_turn(self, context: StageContext, loop: Loop, turn: Loop, position: Position, why: Optional[str]) -> None:
        """The line of the loop in the log at the end of an epoch, or that of one of its phases. why: it took no step."""
        sums = position.running
        told = {f"{name}.{key}": value for name, each in turn.streams.items() for key, value in each.sampler.figures(each.data).items()}
        line = {**named(context, turn), "step": loop.all_done, "epoch": position.epoch + 1}
        if why is not None:
            log.warning("[stages.%s] has nothing to train in the phase '%s' of epoch %d: %s.", context.name, turn.name, line["epoch"], why)
            context.run.log(event="left_out", **line, why=why, figures=told)
            return
        context.run.log(
            event="epoch",
            **line,
            loss=sums.loss / sums.steps,
            instances=sums.instances,
            seconds=round(sums.seconds, 3),
            peak_memory_bytes=peak_memory_bytes(loop.accelerator.device),
            figures={**sums.mean_figures(), **told},
        )

    def save(self, context: StageContext, trained: Trained, loop: Loop, position: Position, log: int) -> None:
        """A checkpoint of this moment."""
        merge_recorders(loop)
        processes.on_main(lambda: save_checkpoint(context.checkpoints, trained, loop, position, log, context.settings.keep_last))

    def keep_last_good(self, context: StageContext) -> str:
        """Put the model of the newest checkpoint, or the one that training began with, into `last_good_model`; says where it is."""
        folder, checkpoint = context.folder / "last_good_model", newest_checkpoint(context.checkpoints)
        if checkpoint is not None:
            processes.on_main(lambda: link_tree(checkpoint / "model", folder))
            return f"The model of step {step_of(checkpoint)} is kept in {folder}."
        fresh = context.rebuild()
        if isinstance(fresh, TrainingStage):
            trained = fresh.assemble(context, (self.data or context.corpus).labels)
            processes.on_main(lambda: trained.save(folder))
        return f"The model as it was before the stage began is kept in {folder}."


def named(context: StageContext, turn: Loop) -> Dict[str, str]:
    """Whose line of the log it is."""
    return {"stage": context.name, "phase": turn.title} if isinstance(turn, Phase) else {"stage": context.name}


def recorders_of(loop: Loop) -> List[Recorder]:
    """Who is told what the classifier predicts in training."""
    return [module for module in loop.modules.modules() if isinstance(module, Recorder)]


def merge_recorders(loop: Loop) -> None:
    """Every process knows afterwards what all were told."""
    for recorder in recorders_of(loop):
        recorder.merge()


def refuse_idle(stage: str, sums: EpochSums, tasks: Mapping[str, Task]) -> None:
    """A contrast none of whose terms had a positive and a negative in a whole epoch taught nothing: say so."""
    lost = f" Cropping took an entity of {sums.lost:,.0f} views, which take no part: raise the encoder's max_length." if sums.lost else ""
    for task, terms in sums.idle().items():
        raise RelconError(
            f"[stages.{stage}.tasks.{task}] taught nothing: none of the {terms} terms of an epoch had both a positive and a "
            f"negative. {tasks[task].why_idle()}{lost}"
        )
