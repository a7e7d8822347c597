"""The command line: one file per command, each imported for its signature only; torch and its like load when a command runs."""

import gc
import importlib
import os
import sys
from typing import Any, Dict, Optional, Sequence

import typer

from relcon import __version__
from relcon.cli.init import init_app
from relcon.cli.overrides import COLLECT
from relcon.errors import RelconError

COMMANDS: Dict[str, str] = {
    "train": "relcon.cli.train:train_cli",
    "sweep": "relcon.cli.sweep:sweep_cli",
    "evaluate": "relcon.cli.evaluate:evaluate_cli",
    "score": "relcon.cli.score:score_cli",
    "predict": "relcon.cli.predict:predict_cli",
    "compare": "relcon.cli.compare:compare_cli",
    "plot": "relcon.cli.plot:plot_cli",
    "convert": "relcon.cli.convert:convert_cli",
    "check": "relcon.cli.check:check_cli",
    "components": "relcon.cli.components:components_cli",
    "build-pairs": "relcon.cli.build_pairs:build_pairs_cli",
    "build-distant": "relcon.cli.build_distant:build_distant_cli",
}
"""Command -> where its function is. Its docstring is its help."""

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"relcon {__version__}")
        raise typer.Exit()


@app.callback()
def relcon(version: bool = typer.Option(False, "--version", help="Show the version.", callback=_show_version, is_eager=True)) -> None:
    """Contrastive learning for relation extraction.

    \b
    relcon init config --from DATA                    a config for your data, every key explained
    relcon components                                 what can be named in a config
    relcon check CONFIG                               every mistake of a config at once
    relcon train CONFIG --output runs/first           train and evaluate what it describes
    relcon train CONFIG -o runs/b --training.seed 3   any key is overridden by its path
    relcon sweep SWEEP --output runs/sweep            many runs from one file, and one table over them

    A mistake of yours ends with one message and exit code 2; add --debug (or set RELCON_DEBUG=1) to see where it arose.

    Next: relcon train configs/quickstart.cfg --output runs/first
    """


def _add(name: str, place: str) -> None:
    """Put a command under its name; one that takes `ctx` takes overrides."""
    module, function = place.split(":")
    command: Any = getattr(importlib.import_module(module), function)
    takes_overrides = "ctx" in command.__annotations__
    app.command(name, context_settings=COLLECT if takes_overrides else {}, no_args_is_help=name != "components")(command)


for _name, _place in COMMANDS.items():
    _add(_name, _place)

app.add_typer(init_app, name="init")


COLLECTED = (100_000, 50, 50)
"""When Python looks for circular garbage: rarely, since reading documents makes millions of objects and hardly any circle. By its own
thresholds a second start on ChemProt took 16.5 seconds, with these 13.7."""


def main(words: Optional[Sequence[str]] = None) -> None:
    """Run a command. A RelconError becomes its message and exit code 2; `--debug` lets it through with its traceback."""
    gc.set_threshold(*COLLECTED)
    given = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in given or os.environ.get("RELCON_DEBUG") == "1"
    try:
        app(args=[word for word in given if word != "--debug"], prog_name="relcon")
    except RelconError as error:
        if debug:
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
