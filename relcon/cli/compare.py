"""`relcon compare`: two runs on the same instances."""

import shlex
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional

import typer

if TYPE_CHECKING:
    from relcon.compare import Comparison, Example


class Metric(str, Enum):
    """What `--metric` takes."""

    f1 = "f1"
    precision = "precision"
    recall = "recall"


def compare_cli(
    run_a: Path = typer.Argument(..., help="A run's folder, or the folder of one evaluation below it (RUN/stages/STAGE)."),
    run_b: Path = typer.Argument(..., help="The one to compare it with, usually the baseline."),
    examples: int = typer.Option(0, "--examples", min=0, help="Show so many of each kind of the answers in which they differ."),
    metric: Metric = typer.Option(Metric.f1, "--metric", help="What is compared."),
    profile: Optional[str] = typer.Option(
        None, "--profile", help="A metric profile instead of that of both; of extractors strict, relation, entity or span."
    ),
    trials: int = typer.Option(10_000, "--trials", min=100, help="Random exchanges, and bootstrap samples."),
    seed: int = typer.Option(0, "--seed", min=0, help="Draws them."),
) -> None:
    """Compare two runs that were measured on the same instances or documents, with a paired significance test.

    \b
    relcon compare runs/contrastive runs/baseline --examples 5

    Of extractors (relcon.Extraction.v1) strict relations are compared, unless --profile says otherwise; one shown example is a mention,
    or two, in which they see different things.

    Runs over folds or seeds are compared fold by fold, seed by seed; two stages of one run by their folders, runs/first/stages/a.

    Exit code 0 whatever the outcome, 2 where the runs cannot be compared (other data, labels or folds).

    Next: relcon predict RUN INPUT --output predictions.jsonl
    """
    from relcon.compare import compare_runs

    comparison = compare_runs(run_a, run_b, metric=metric.value, profile=profile, trials=trials, seed=seed)
    _figures(comparison)
    _tests(comparison)
    _differences(comparison, examples)
    models = _with_model(run_a)
    if not examples:
        typer.echo(f"Next: relcon {shlex.join(['compare', str(run_a), str(run_b), '--examples', '10'])}")
    elif models:
        typer.echo(f"Next: relcon predict {shlex.quote(str(models[0]))} INPUT --output predictions.jsonl")


def _with_model(run: Path) -> List[Path]:
    """The folders of a run, or of its folds or seeds, that `relcon predict` can use; none of the folder of an evaluation."""
    from relcon.runs import models_below

    places = (run / "model.json", run / "model" / "model.json")
    return [run] if any(place.exists() for place in places) else models_below(run)


def _figures(comparison: "Comparison") -> None:
    """One row per fold or seed, and their mean."""
    from statistics import fmean

    from relcon.cli.tables import report_table

    a, b = comparison.figures_a, comparison.figures_b
    rows = [
        {"": name or "whole", "A": f"{x:.4f}", "B": f"{y:.4f}", "A - B": f"{x - y:+.4f}"}
        for name, x, y in zip(comparison.runs, a, b, strict=True)
    ]
    if len(rows) > 1:
        rows.append({"": "mean", "A": f"{fmean(a):.4f}", "B": f"{fmean(b):.4f}", "A - B": f"{comparison.difference:+.4f}"})
    typer.echo(f"A  {comparison.a}\nB  {comparison.b}")
    report_table(rows, title=f"{comparison.metric} ({comparison.profile}), {comparison.instances} {comparison.asked}")


def _tests(comparison: "Comparison") -> None:
    """What the difference is worth."""
    low, high = comparison.interval
    lines = [
        f"95 % interval of A - B          {low:+.4f} to {high:+.4f} (bootstrap, {comparison.trials} samples)",
        f"approximate randomisation       {_p(comparison.p_randomisation)} ({comparison.trials} exchanges)",
    ]
    if comparison.p_mcnemar is not None:
        lines.append(f"McNemar (right or wrong)        {_p(comparison.p_mcnemar)}")
    if comparison.p_t is not None:
        lines.append(f"paired t-test over {len(comparison.runs)} runs        {_p(comparison.p_t)}")
    typer.echo("\n".join(lines))
    better = "A" if comparison.difference > 0 else "B"
    typer.echo(f"{better} is better at the 5 % level." if comparison.p_randomisation < 0.05 else "No difference at the 5 % level.")


def _p(value: float) -> str:
    """A p value; a small one is never 0."""
    return f"p = {value:.4f}" if value >= 0.0001 else "p < 0.0001"


def _differences(comparison: "Comparison", most: int) -> None:
    """How often they differ, and some of the answers."""
    groups = comparison.grouped()
    counts = ", ".join(f"{name} right {len(found)}" for name, found in groups.items())
    typer.echo(f"The predictions differ {len(comparison.examples)} times: {counts}.")
    for name, found in groups.items():
        if found and most:
            typer.echo(f"\n{name} right ({min(most, len(found))} of {len(found)}):")
            _list(found[:most])


def _list(examples: "List[Example]") -> None:
    for example in examples:
        where = f"{example.run} {example.id}".strip()
        typer.echo(f"  {where}  gold {example.gold}  A {example.a}  B {example.b}")
        if example.text:
            typer.echo(f"      {example.text}")
