"""`relcon init`: a package for a plugin, or a config, to begin with."""

import shlex
from pathlib import Path
from typing import List, Optional

import typer

init_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@init_app.callback()
def init_cli() -> None:
    """Write a package for components of your own, or a config.

    \b
    relcon init plugin shuffle --with augmenter,objective
    relcon init config --paper clre --reader relcon.TACRED.v1 --train train.json --test test.json
    relcon init config --from data/my_corpus

    Next: relcon check CONFIG
    """


@init_app.command("plugin", no_args_is_help=True)
def plugin_cli(
    name: str = typer.Argument(..., help="Small letters, figures and dashes; the package becomes relcon-NAME."),
    parts: str = typer.Option(
        "reader,augmenter,sampler,objective,evaluator",
        "--with",
        help="What it shall have, with commas between: reader, candidates, augmenter, sampler, pooler, objective, evaluator.",
    ),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="Its folder, new or empty; relcon-NAME unless given."),
) -> None:
    """Write a package with components that work: it installs, registers them, and passes its own tests as written.

    \b
    relcon init plugin shuffle --with augmenter,objective --output relcon-shuffle

    Change the components into yours; the tests say which promise is broken.

    Next: pip install -e relcon-NAME, then pytest relcon-NAME
    """
    from relcon.scaffold.plugin import require_name, write_plugin

    chosen = [part.strip() for part in parts.split(",") if part.strip()]
    folder = output or Path(f"relcon-{require_name(name)}")
    for file in write_plugin(name, chosen, folder):
        typer.echo(f"  {folder / file}")
    typer.echo(f"Next: pip install -e {folder}, then pytest {folder}")


@init_app.command("config", no_args_is_help=True)
def config_cli(
    paper: Optional[str] = typer.Option(None, "--paper", help="A paper of an installed plugin: clre, cldr, finecl, pspe, cloce, ..."),
    data: Optional[Path] = typer.Option(None, "--from", help="Training data to look at: a file, a folder (of splits), an archive of it."),
    reader: Optional[str] = typer.Option(None, "--reader", help="The reader of the data; with --from the likeliest unless given."),
    train: Optional[str] = typer.Option(None, "--train", help="The training data, where they are not to be looked at."),
    dev: Optional[str] = typer.Option(None, "--dev", help="The development data."),
    test: Optional[str] = typer.Option(None, "--test", help="The test data."),
    output: Path = typer.Option(Path("config.cfg"), "--output", "-o", help="The config to write; must not exist."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Write a config with every key, each with a comment, that `relcon check` finds sound.

    \b
    relcon init config --paper clre --reader relcon.TACRED.v1 --train train.json --test test.json -o clre.cfg
    relcon init config --from data/my_corpus -o mine.cfg

    With --from the data are read: the reader is found by what they look like, and labels, the one that means 'no relation', types,
    directions and the rule for pairs are written with their counts. Without --paper the config has components of the core alone.

    Next: relcon check config.cfg
    """
    from relcon.config import import_code
    from relcon.errors import RelconError
    from relcon.files import atomic
    from relcon.scaffold.config import of_data, of_names

    import_code(code)
    if output.suffix != ".cfg":
        raise RelconError(f"--output {output}: the name of a config ends in .cfg.")
    if output.exists():
        raise RelconError(f"{output} exists. Give another --output, or move it away.")
    files = {split: file for split, file in (("train", train), ("dev", dev), ("test", test)) if file is not None}
    if paper is None and data is None and reader is None and not files:
        raise RelconError("Say what the config is for: --paper NAME, --from DATA, or --reader NAME with --train FILE.")
    if data is not None and train is not None:
        raise RelconError("--from names the training data, and so does --train. Give one of the two.")
    if files and data is None and train is None:
        raise RelconError("--dev and --test are given without training data. Give --train FILE, or --from DATA.")
    made = of_names(paper, reader, files, output) if data is None else of_data(paper, data, reader, files, output)
    with atomic(output) as file:
        file.write(made.text)
    for line in made.said:
        typer.echo(line)
    typer.echo(f"{output} is written; relcon check finds it sound.")
    typer.echo(f"Next: relcon {shlex.join(['train', str(output), '--output', f'runs/{output.stem}'])}")
