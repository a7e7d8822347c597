"""The plan of a training stage: what its loop says, and what a few of its steps showed."""

from typing import Sequence

from relcon.errors import RelconError
from relcon.interfaces import Encoder, Split
from relcon.model import Trained
from relcon.plans import StagePlan
from relcon.runs import peak_memory
from relcon.stages.context import StageContext
from relcon.training.loop import Loop, NonFiniteLoss, Phase
from relcon.training.measuring import measure, parameters


def counted(context: StageContext, data: Split) -> StagePlan:
    """The plan of a stage that works on this split, without any estimate."""
    return StagePlan(
        kind=context.block["@stages"],
        split=data.name,
        documents=len(data.documents),
        instances=len(data.instances),
        labels=len(data.labels),
        memory=peak_memory(),
    )


def training_plan(context: StageContext, trained: Trained, loop: Loop, data: Split) -> StagePlan:
    """The plan of a stage that trains, its estimate that of the steps alone. Takes a few steps."""
    plan = counted(context, data)
    first = next(iter(loop.streams.values()))
    plan.batches_per_epoch, plan.steps_per_epoch = first.sampler.length(first.data), loop.steps_per_epoch
    plan.epochs, plan.steps, plan.seconds = loop.epochs, loop.steps, 0.0
    plan.trainable, plan.frozen = parameters(loop.modules)
    if not loop.steps:
        plan.notes.append("no step: what it starts with is handed on untrained")
        return plan
    try:
        measured = measure(loop, list(trained.parts.encoders.values()))
    except NonFiniteLoss as error:
        raise RelconError(f"[stages.{context.name}] {error}") from error
    plan.shape, plan.memory, plan.seconds_per_step = measured.shape, measured.memory, measured.step
    plan.seconds = measured.seconds(loop.steps)
    return plan


def add_phase(plan: StagePlan, phase: Phase, encoders: Sequence[Encoder]) -> None:
    """The steps of a phase that follows each epoch join the estimate, or a note where nobody knows how many there will be. Takes a few."""
    if any(stream.sampler.follows_predictions for stream in phase.streams.values()):
        plan.notes.append(f"not in the estimate: the steps of '{phase.title}' after each epoch, whose number follows from its predictions")
    elif plan.steps:
        steps = phase.of * phase.steps_per_epoch
        plan.seconds = (plan.seconds or 0.0) + measure(phase, encoders).seconds(steps)
        plan.figures[f"{phase.title}_steps"] = steps
        plan.notes.append(f"{steps} steps more, of '{phase.title}' after the epochs")


def add_epochs(plan: StagePlan, what: str, seconds: float, times: int) -> None:
    """Something that comes so many times joins the estimate, with a note where it takes a while."""
    plan.seconds = (plan.seconds or 0.0) + seconds * times
    if seconds * times >= 1:
        plan.notes.append(f"{what}: {seconds:.2g} s, {times} times" if times > 1 else f"{what}: {seconds:.2g} s")
