"""Overrides among the words of the command line, shared by every command that takes a config."""

from typing import List, Sequence

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
            raise RelconError(f"'{name}' stands alone. Give the config first, then options and overrides: --section.key VALUE.")
        if "." not in name and name not in ("--protocol",):
            near = did_you_mean(name, [*options, *ALWAYS])
            raise RelconError(f"there is no option {name}.{near} Overrides look like --section.key VALUE.")
        if not given and rest and not rest[0].startswith("--"):
            rest.pop(0)
    return list(words)
