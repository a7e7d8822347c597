"""`relcon check`: every mistake of a config at once."""

from pathlib import Path
from typing import List, Optional

import typer


def check_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="The config, .cfg or .yaml."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", hidden=True),
    resume: bool = typer.Option(False, "--resume", hidden=True),
    overwrite: bool = typer.Option(False, "--overwrite", hidden=True),
) -> None:
    """Find every mistake of a config without building anything or reading any data.

    Unknown sections, keys, overrides and components, wrong types, components of the wrong interface, missing arguments, and names
    that point nowhere are listed with file and line. Give the overrides that you will train with:

    \b
    relcon check configs/quickstart.cfg --training.seed 3

    The options of `relcon train` are taken and change nothing, so that one word turns a training into its check.

    Exit code 0 where the config is sound, 2 where it is not. `relcon train` checks the same first.

    Next: relcon train CONFIG --output DIR
    """
    from relcon.checking import require_sound
    from relcon.cli.overrides import overrides_of
    from relcon.config import load_config

    overrides = overrides_of(ctx)
    loaded = load_config(config, overrides, code)
    require_sound(loaded)
    stages = list(loaded.tree["stages"])
    count = "1 stage" if len(stages) == 1 else f"{len(stages)} stages"
    options = [*(f"--code {file}" for file in code), *(["--resume"] if resume else []), *(["--overwrite"] if overwrite else [])]
    again = " ".join([str(config), "--output", str(output or f"runs/{config.stem}"), *options, *overrides])
    typer.echo(f"{config} is sound: {count} ({', '.join(stages)}).")
    typer.echo(f"Next: relcon train {again}")
