"""`relcon train`: run a config."""

from pathlib import Path
from typing import List

import typer


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
    from relcon.cli.overrides import overrides_of
    from relcon.cli.tables import report_table
    from relcon.config import load_config
    from relcon.pipeline import headline_rows, train

    loaded = load_config(config, overrides_of(ctx), code)
    summary = train(loaded, output, resume=resume, overwrite=overwrite)
    rows = headline_rows(summary)
    if rows:
        report_table(rows)
    written = [name for name in ("metrics.json", "predictions.jsonl", "model/") if (output / name).exists()]
    typer.echo(f"The run lies in {output} ({', '.join(written)}).")
    following = f"predict {output} INPUT --output predictions.jsonl" if "model/" in written else f"compare {output} OTHER_RUN"
    typer.echo(f"Next: relcon {following}")
