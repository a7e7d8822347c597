"""`relcon check`: every mistake of a config at once."""

from pathlib import Path
from typing import List

import typer


def check_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="The config, .cfg or .yaml."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Find every mistake of a config without building anything or reading any data.

    Unknown sections, keys, overrides and components, wrong types, components of the wrong interface, missing arguments, and names
    that point nowhere are listed with file and line. Give the overrides that you will train with:

    \b
    relcon check configs/quickstart.cfg --training.seed 3

    Exit code 0 where the config is sound, 2 where it is not. `relcon train` checks the same first.

    Next: relcon train CONFIG --output DIR
    """
    from relcon.checking import require_sound
    from relcon.cli.overrides import parse_overrides
    from relcon.config import load_config

    overrides = parse_overrides(ctx.args)
    loaded = load_config(config, overrides, code)
    require_sound(loaded)
    stages = list(loaded.tree["stages"])
    count = "1 stage" if len(stages) == 1 else f"{len(stages)} stages"
    again = " ".join([str(config), "--output", f"runs/{config.stem}", *(f"--code {file}" for file in code), *overrides])
    typer.echo(f"{config} is sound: {count} ({', '.join(stages)}).")
    typer.echo(f"Next: relcon train {again}")
