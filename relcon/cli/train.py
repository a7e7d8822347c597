"""`relcon train`: run a config."""

import shlex
from pathlib import Path
from typing import List, Sequence

import typer

from relcon.errors import Interrupted, RelconError, WriteError


def train_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="The config, .cfg or .yaml."),
    output: Path = typer.Option(..., "--output", "-o", help="The folder of the run; new or empty."),
    resume: bool = typer.Option(False, "--resume", help="Go on with the interrupted run in --output."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the run in --output."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Train and evaluate what a config describes.

    Any key is overridden by its path: relcon train configs/quickstart.cfg -o runs/first --training.seed 3

    Next: relcon predict runs/first INPUT --output predictions.jsonl
    """
    from relcon.training.interruption import handled

    words = ["relcon", "train", config, "-o", output, *(word for file in code for word in ("--code", file)), *ctx.args]
    try:
        with handled():
            run(config, output, resume, overwrite, code, ctx.args)
    except Interrupted as left:
        typer.echo(f"{left} {following(words, left.kept or resume, overwrite)}", err=True)
        raise typer.Exit(128 + left.signal) from None
    except WriteError as error:
        raise RelconError(f"{error} {following(words, error.kept or resume, overwrite)}") from error


def following(words: Sequence[object], kept: bool, overwrite: bool) -> str:
    """How to go on: the command that was given, for a run that was kept or for one that left nothing."""
    command = [str(word) for word in words] + (["--resume"] if kept else ["--overwrite"] if overwrite else [])
    return f"{'Go on with' if kept else 'Nothing was kept; start again with'}: {shlex.join(command)}"


def run(config: Path, output: Path, resume: bool, overwrite: bool, code: Sequence[Path], overrides: Sequence[str]) -> None:
    """Train, show the figures, say what comes next."""
    from relcon.cli.overrides import parse_overrides
    from relcon.cli.tables import report_table
    from relcon.config import load_config
    from relcon.pipeline import headline_rows, train

    loaded = load_config(config, parse_overrides(overrides), code)
    summary = train(loaded, output, resume=resume, overwrite=overwrite)
    rows = headline_rows(summary)
    if rows:
        report_table(rows)
    written = [name for name in ("metrics.json", "predictions.jsonl", "model/") if (output / name).exists()]
    typer.echo(f"The run lies in {output} ({', '.join(written)}).")
    advice = f"predict {output} INPUT --output predictions.jsonl" if "model/" in written else f"compare {output} OTHER_RUN"
    typer.echo(f"Next: relcon {advice}")
