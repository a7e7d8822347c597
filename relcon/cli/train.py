"""`relcon train`: run a config."""

from pathlib import Path
from typing import TYPE_CHECKING, List, Optional

import typer

if TYPE_CHECKING:
    from relcon.config import LoadedConfig


def train_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="The config, .cfg or .yaml."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="The folder of the run; new or empty. Needed unless --dry-run."),
    resume: bool = typer.Option(False, "--resume", help="Go on with the interrupted run in --output."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the run in --output."),
    dry: bool = typer.Option(False, "--dry-run", help="Check everything, take a few steps, show the plan; write nothing."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Train and evaluate what a config describes.

    Any key is overridden by its path: relcon train configs/quickstart.cfg -o runs/first --training.seed 3

    With --dry-run: what each stage would do (counts, steps, batch shapes) and an estimate of time and memory from a few real steps.

    Next: relcon predict runs/first INPUT --output predictions.jsonl
    """
    from relcon.cli.overrides import parse_overrides
    from relcon.cli.tables import report_table
    from relcon.config import load_config
    from relcon.errors import RelconError
    from relcon.pipeline import headline_rows, train

    loaded = load_config(config, parse_overrides(ctx.args), code)
    if dry:
        _plan(loaded, output, resume, overwrite)
        return
    if output is None:
        raise RelconError("--output is missing. Give the folder of the run: --output DIR (or --dry-run to see what it would do).")
    summary = train(loaded, output, resume=resume, overwrite=overwrite)
    rows = headline_rows(summary)
    if rows:
        report_table(rows)
    written = [name for name in ("metrics.json", "predictions.jsonl", "model/") if (output / name).exists()]
    typer.echo(f"The run lies in {output} ({', '.join(written)}).")
    following = f"predict {output} INPUT --output predictions.jsonl" if "model/" in written else f"compare {output} OTHER_RUN"
    typer.echo(f"Next: relcon {following}")


def _plan(loaded: "LoadedConfig", output: Optional[Path], resume: bool, overwrite: bool) -> None:
    """`--dry-run`: the plan of the whole run."""
    from relcon.cli.plan import report_plan
    from relcon.dry_run import dry_run
    from relcon.errors import RelconError
    from relcon.runs import check_output

    if resume:
        raise RelconError("--dry-run shows the plan of a whole run, not of what is left of one. Leave out --resume.")

    def check_place() -> None:
        if output is not None:
            check_output(output, resume=False, overwrite=overwrite)

    report_plan(dry_run(loaded, check_place))
    typer.echo("Nothing was written. Next: the same without --dry-run, with --output DIR")
