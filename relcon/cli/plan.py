"""The plan of a run as tables."""

from typing import TYPE_CHECKING, Any, Dict, List, Optional

import typer

if TYPE_CHECKING:
    from relcon.plans import Plan, StagePlan


def report_plan(plan: "Plan") -> None:
    """A column per stage, then what the estimate rests on, then time and memory of the whole."""
    from relcon.cli.tables import report_table

    columns = {name: _column(stage) for name, stage in plan.stages.items()}
    labels = list(dict.fromkeys(label for column in columns.values() for label in column))
    report_table([{"": label, **{name: column.get(label) for name, column in columns.items()}} for label in labels])
    for name, stage in plan.stages.items():
        for note in stage.notes:
            typer.echo(f"{name}: {note}")
    typer.echo(_whole(plan))


def _column(stage: "StagePlan") -> Dict[str, Any]:
    """Everything that is known of a stage, as text."""
    from relcon.training.progress import duration, size

    shape = stage.shape
    column = {
        "kind": stage.kind,
        "split": stage.split or None,
        "documents, instances, labels": f"{stage.documents}, {stage.instances}, {stage.labels}" if stage.split else None,
        "batches and steps of an epoch": _joined(stage.batches_per_epoch, stage.steps_per_epoch),
        "epochs": stage.epochs,
        "steps": stage.steps,
        "views and texts of a step": _joined(shape and f"{shape.views:.0f}", shape and f"{shape.inputs:.0f}"),
        "tokens of a text: mean, longest": _joined(shape and f"{shape.length:.1f}", shape and shape.longest),
        "padding": shape and f"{shape.padding:.0%}",
        "micro-batches of a step": shape and f"{shape.micro_batches:.1f}",
        "parameters: trainable, frozen": _joined(_number(stage.trainable), _number(stage.frozen)),
        "seconds per step": stage.seconds_per_step and f"{stage.seconds_per_step:.3g}",
        "instances per second": stage.instances_per_second and f"{stage.instances_per_second:.3g}",
        "time": None if stage.seconds is None else duration(stage.seconds),
        "peak memory": stage.memory and size(stage.memory),
    }
    return {label: value for label, value in column.items() if value is not None}


def _joined(*values: Any) -> Optional[str]:
    """`12, 6`, or None where one is unknown."""
    return None if any(value is None for value in values) else ", ".join(str(value) for value in values)


def _number(count: Optional[int]) -> Optional[str]:
    """`22.7M`, `540`."""
    if count is None or count < 10_000:
        return None if count is None else str(count)
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:.0f}k"


def _whole(plan: "Plan") -> str:
    """The last lines: how many runs, how long, how much memory."""
    from relcon.training.progress import duration, size

    runs = len(plan.runs)
    how_often: List[str] = [] if runs == 1 else [f"{runs} runs ({plan.runs[0]} to {plan.runs[-1]}), each taken to be like the first"]
    unknown = [name for name, stage in plan.stages.items() if stage.seconds is None]
    time = duration(plan.seconds) if plan.seconds is not None else f"unknown, because {', '.join(unknown)} cannot tell"
    parts = [*how_often, f"estimated time on {plan.device}: {time} (of which reading and checking {duration(plan.reading)})"]
    return "; ".join([*parts, f"peak memory so far {size(plan.memory)}"]) + "."
