"""`relcon check`: every mistake of a config at once, and what is wrong with its data."""

import shlex
from pathlib import Path
from typing import List, Optional

import typer


def check_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="The config, or the file of a sweep, .cfg or .yaml."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
    data: bool = typer.Option(False, "--data", help="Read the data as well, and say what is in them and what is wrong with them."),
    html: Optional[Path] = typer.Option(None, "--html", help="With --data: write what was found as one page."),
    json: Optional[Path] = typer.Option(None, "--json", help="With --data: write what was found as JSON."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", hidden=True),
    resume: bool = typer.Option(False, "--resume", hidden=True),
    overwrite: bool = typer.Option(False, "--overwrite", help="With --html and --json: replace files that exist."),
) -> None:
    """Find every mistake of a config without building anything or reading any data (but with --data).

    Unknown sections, keys, overrides and components, wrong types, components of the wrong interface, missing arguments, and names
    that point nowhere are listed with file and line. Give the overrides that you will train with:

    \b
    relcon check configs/quickstart.cfg --training.seed 3

    The options of `relcon train` are taken and change nothing, so that one word turns a training into its check.

    Of a sweep every cell is checked, and of each that cannot run the reason is given in one line.

    With --data the data are read, as training would, and audited, those of single stages too: counts for each split, label and pair of
    types, unknown labels, texts and entity pairs in several splits or on both sides of a fold, contradictions, directions, spans, lengths,
    lost relations, rare labels, each with the line of the config that would change it.

    \b
    relcon check configs/quickstart.cfg --data --html audit.html

    Exit code 0 where the config is sound, 2 where it is not, or where the data would end the training. `relcon train` checks the same
    first.

    Next: relcon train CONFIG --output DIR
    """
    from relcon.checking import require_sound
    from relcon.cli.data_audit import check_data
    from relcon.cli.overrides import overrides_of
    from relcon.config import load_config
    from relcon.errors import RelconError

    overrides = overrides_of(ctx)
    loaded = load_config(config, overrides, code)
    if (html is not None or json is not None) and not data:
        raise RelconError("--html and --json are for what --data finds. Add --data.")
    if "sweep" in loaded.tree:
        if data:
            raise RelconError(f"{config} is a sweep. Audit the data of the config that it varies (its base).")
        check_sweep(config, code, output, overrides)
        return
    require_sound(loaded)
    if data:
        check_data(loaded, html, json, overwrite)
        return
    stages = list(loaded.tree["stages"])
    count = "1 stage" if len(stages) == 1 else f"{len(stages)} stages"
    options = [*with_code(code), *(["--resume"] if resume else []), *(["--overwrite"] if overwrite else [])]
    again = shlex.join([str(config), "--output", str(output or f"runs/{config.stem}"), *options, *overrides])
    typer.echo(f"{config} is sound: {count} ({', '.join(stages)}).")
    typer.echo(f"Next: relcon train {again}")


def with_code(files: List[Path]) -> List[str]:
    """The words of the command line that load these files."""
    return [word for file in files for word in ("--code", str(file))]


def check_sweep(path: Path, code: List[Path], output: Optional[Path], overrides: List[str]) -> None:
    """Every cell of a sweep; ConfigError with one line for each that cannot run."""
    from relcon.errors import ConfigError, Problem
    from relcon.sweep import check_cells, read_sweep

    sweep = read_sweep(path)
    names = [cell.name for cell in sweep.cells]
    wrong = check_cells(sweep.cells, sweep.figure, overrides, code)
    if wrong:
        heading = f"{path}: {len(wrong)} of {len(names)} cells cannot run"
        raise ConfigError([Problem(name, why) for name, why in wrong.items()], heading, most=len(wrong))
    again = shlex.join([str(path), "--output", str(output or f"runs/{path.stem}"), *with_code(code), *overrides])
    typer.echo(f"{path} is sound: {len(names)} cells ({', '.join(names)}).")
    typer.echo(f"Next: relcon sweep {again}")
