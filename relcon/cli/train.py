"""`relcon train`: run a config."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional, Sequence

import typer

from relcon.errors import Interrupted, RelconError, WriteError

if TYPE_CHECKING:
    from relcon.config import LoadedConfig


def train_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="The config, .cfg or .yaml."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="The folder of the run; new or empty. Needed unless --dry-run."),
    resume: bool = typer.Option(False, "--resume", help="Go on with the interrupted run in --output."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the run in --output."),
    dry: bool = typer.Option(False, "--dry-run", help="Check everything, take a few steps, show the plan; keep no run."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Train and evaluate what a config describes.

    Any key is overridden by its path: relcon train configs/quickstart.cfg -o runs/first --training.seed 3

    With --dry-run: what each stage would do (counts, steps, batch shapes) and an estimate of time and memory from a few real steps.

    Next: relcon predict runs/first INPUT --output predictions.jsonl
    """
    from relcon.cli.overrides import overrides_of
    from relcon.config import load_config
    from relcon.training.interruption import handled

    place: List[object] = [] if output is None else ["-o", output]
    words = ["relcon", "train", config, *place, *(word for file in code for word in ("--code", file)), *ctx.args]
    try:
        with handled():
            loaded = load_config(config, overrides_of(ctx), code)
            if dry:
                plan(loaded, output, resume, overwrite)
            elif output is None:
                raise RelconError("--output is missing. Give the folder of the run: --output DIR (or --dry-run to see what it would do).")
            else:
                run(loaded, output, resume, overwrite)
    except Interrupted as left:
        typer.echo(f"{left} {following(words, left.kept or resume, overwrite)}", err=True)
        raise typer.Exit(128 + left.signal) from None
    except WriteError as error:
        raise RelconError(f"{error} {following(words, error.kept or resume, overwrite)}") from error


def following(words: Sequence[object], kept: bool, overwrite: bool) -> str:
    """How to go on: the command that was given, for a run that was kept or for one that left nothing."""
    command = [str(word) for word in words] + (["--resume"] if kept else ["--overwrite"] if overwrite else [])
    return f"{'Go on with' if kept else 'Nothing was kept; start again with'}: {shlex.join(command)}"


def run(loaded: "LoadedConfig", output: Path, resume: bool, overwrite: bool) -> None:
    """Train, show the figures, say what comes next."""
    from relcon import processes
    from relcon.cli.tables import report_table
    from relcon.pipeline import headline_rows, train
    from relcon.training.device import leave_processes

    summary = train(loaded, output, resume=resume, overwrite=overwrite)
    speaks = processes.is_main()
    leave_processes()
    if not speaks:
        return
    rows = headline_rows(summary)
    if rows:
        report_table(rows)
    written = [name for name in ("metrics.json", "predictions.jsonl", "model/") if (output / name).exists()]
    typer.echo(f"The run lies in {output} ({', '.join(written)}).")
    run = shlex.quote(str(output))
    advice = f"predict {run} INPUT --output predictions.jsonl" if "model/" in written else f"compare {run} OTHER_RUN"
    typer.echo(f"Next: relcon {advice}")


def plan(loaded: "LoadedConfig", output: Optional[Path], resume: bool, overwrite: bool) -> None:
    """`--dry-run`: the plan of the whole run."""
    from relcon.cli.plan import report_plan
    from relcon.dry_run import dry_run
    from relcon.runs import check_output

    def look() -> None:
        if output is not None:
            check_output(output, resume=False, overwrite=overwrite)

    if resume:
        raise RelconError("--dry-run shows the plan of a whole run, not of what is left of one. Leave out --resume.")
    report_plan(dry_run(loaded, look))
    typer.echo("Nothing was written but the cache of documents. Next: the same without --dry-run, with --output DIR")
