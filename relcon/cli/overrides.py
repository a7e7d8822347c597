"""Overrides among the words of the command line, shared by every command that takes a config."""

from pathlib import Path
from typing import List, Optional, Sequence

import typer

from relcon.errors import RelconError, did_you_mean

COLLECT = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Typer's context settings with which unknown options reach the command: they are overrides."""

ALWAYS = ("--help", "--debug")
"""Options that every command has."""


def overrides_of(ctx: typer.Context) -> List[str]:
    """The overrides among the words of a command; RelconError where a word is none, with the nearest of the command's options."""
    shown = [each for each in ctx.command.params if not getattr(each, "hidden", False)]
    return parse_overrides(ctx.args, [name for each in shown for name in each.opts if name.startswith("--")])


def take_lone(ctx: typer.Context, given: Optional[Path]) -> Optional[Path]:
    """The word that stands alone among those of a command, a path, which is taken away from them; otherwise what an option gave."""
    lone = [number for number, word in enumerate(ctx.args) if not word.startswith("--") and not _is_value(ctx.args, number)]
    if given is not None or not lone:
        return given
    return Path(ctx.args.pop(lone[0]))


def _is_value(words: Sequence[str], number: int) -> bool:
    """Whether a word is the value of the override before it."""
    before = words[number - 1] if number else ""
    return before.startswith("--") and "=" not in before


def parse_overrides(words: Sequence[str], options: Sequence[str] = ()) -> List[str]:
    """The words that no option took, checked to look like overrides: `--section.key VALUE` or `--section.key=VALUE`.

    They are for `relcon.config.load_config`, which says where one has no value. RelconError where a word is none (a mistyped
    option, a value too many).

    options: those of the command.
    """
    rest = list(words)
    while rest:
        name, given, _ = rest.pop(0).partition("=")
        if not name.startswith("--"):
            raise RelconError(f"'{name}' stands alone: the command takes no further word. Overrides look like --section.key VALUE.")
        if "." not in name and name not in ("--protocol",):
            near = did_you_mean(name, [*options, *ALWAYS])
            raise RelconError(f"there is no option {name}.{near} Overrides look like --section.key VALUE.")
        if not given and rest and not rest[0].startswith("--"):
            rest.pop(0)
    return list(words)
