"""`relcon sweep`: many runs from one file, and one table over them."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional, Sequence

import typer

from relcon.errors import Interrupted, RelconError

if TYPE_CHECKING:
    from relcon.sweep import Sweep, SweepFolder


def sweep_cli(
    ctx: typer.Context,
    sweep: Path = typer.Argument(..., help="The sweep file, .cfg or .yaml."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="The folder of the sweep. Needed unless --dry-run."),
    jobs: int = typer.Option(1, "--jobs", min=1, help="Run so many cells at once, each in a process of its own."),
    only: List[str] = typer.Option([], "--only", help="Run this cell alone; may be given several times."),
    renew: bool = typer.Option(False, "--renew", help="Bring cells up to date whose config has changed since they were done."),
    dry: bool = typer.Option(False, "--dry-run", help="List the cells and where each stands; run nothing."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Run every combination of the variants in a sweep file, and show one table over all of them.

    \b
    relcon check configs/sweep_quickstart.cfg                             what of it cannot run
    relcon sweep configs/sweep_quickstart.cfg --output runs/sweep --jobs 2

    Each cell is an ordinary run in DIR/cells/CELL. Given again, the command keeps cells that are done, goes on with those that were
    interrupted, and tries those that failed once more. Overrides (--paths.train FILE) go to every cell.

    Exit code 1 where a cell failed, after all others have run: DIR/table.md, DIR/table.json and DIR/cells.json say why.

    Next: relcon compare DIR/cells/CELL DIR/cells/BASELINE --examples 5
    """
    from relcon.cli.overrides import overrides_of
    from relcon.sweep import read_sweep
    from relcon.training.interruption import handled

    given = [*(("-o", output) if output is not None else ()), *(["--jobs", jobs] if jobs > 1 else []), *(["--renew"] if renew else [])]
    several = [word for option, words in (("--only", only), ("--code", code)) for each in words for word in (option, each)]
    command = shlex.join(map(str, ["relcon", "sweep", sweep, *given, *several, *ctx.args]))
    try:
        with handled():
            found = read_sweep(sweep)
            if dry:
                plan(found, output, only, overrides_of(ctx), code)
            elif output is None:
                raise RelconError("--output is missing. Give the folder of the sweep: --output DIR (or --dry-run to list the cells).")
            else:
                run(found, output, jobs, only, renew, overrides_of(ctx), code)
    except Interrupted as left:
        typer.echo(f"{left} Go on with: {command}", err=True)
        raise typer.Exit(128 + left.signal) from None


def run(
    sweep: "Sweep", output: Path, jobs: int, only: Sequence[str], renew: bool, overrides: Sequence[str], code: Sequence[Path]
) -> None:
    """Run what is not done, show the table, say what comes next."""
    from relcon.sweep import FAILED, SweepFolder, run_sweep

    folder = SweepFolder(output)
    ended = run_sweep(sweep, folder, only=only, jobs=jobs, renew=renew, overrides=overrides, code=code, say=typer.echo)
    report(sweep, folder)
    failed = [name for name, each in ended.items() if each.state == FAILED]
    if failed:
        typer.echo(f"{len(failed)} of {len(ended)} cells failed ({', '.join(failed)}). What they said lies in {output / 'logs'}.", err=True)
        raise typer.Exit(1)
    example = folder.cell(sweep.cells[-1].name)
    typer.echo(f"Next: relcon compare {example} {folder.cell(sweep.baseline or sweep.cells[0].name)} --examples 5")


def report(sweep: "Sweep", folder: "SweepFolder") -> None:
    """Write and show the table."""
    from relcon.cli.tables import report_table
    from relcon.sweep import Table

    table = Table.of(sweep, folder)
    table.save(folder.path)
    report_table(table.columns())
    typer.echo("\n".join(table.notes))
    typer.echo(f"The table lies in {folder.path} (table.md, table.json).")


def plan(sweep: "Sweep", output: Optional[Path], only: Sequence[str], overrides: Sequence[str], code: Sequence[Path]) -> None:
    """`--dry-run`: the cells, and where each stands."""
    from relcon.cli.tables import report_table
    from relcon.sweep import SweepFolder, check_cells

    cells = sweep.chosen(only)
    wrong = check_cells(cells, sweep.figure, overrides, code)
    states = {} if output is None else {name: each.state for name, each in SweepFolder(output).ended.items()}
    rows = [{"cell": cell.name, "title": cell.title, "state": states.get(cell.name), "cannot run": wrong.get(cell.name)} for cell in cells]
    report_table(rows)
    typer.echo(f"{len(cells)} cells, of which {len(wrong)} cannot run. Next: the same without --dry-run, with --output DIR")
