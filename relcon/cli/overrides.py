"""Overrides among the words of the command line, shared by every command that takes a config."""

from typing import List, Sequence

from relcon.errors import RelconError, did_you_mean

COLLECT = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Typer's context settings with which unknown options reach the command: they are overrides."""

_OPTIONS = ("--output", "--resume", "--overwrite", "--dry-run", "--code", "--help", "--debug")


def parse_overrides(words: Sequence[str]) -> List[str]:
    """The words that no option took, checked to look like overrides: `--section.key VALUE` or `--section.key=VALUE`.

    They are for `relcon.config.load_config`. RelconError where a word is none (a mistyped option, a value too many).
    """
    rest = list(words)
    while rest:
        name, given, _ = rest.pop(0).partition("=")
        if not name.startswith("--"):
            raise RelconError(f"'{name}' stands alone. Give the config first, then options and overrides: --section.key VALUE.")
        if "." not in name and name not in ("--protocol",):
            raise RelconError(f"there is no option {name}.{did_you_mean(name, _OPTIONS)} Overrides look like --section.key VALUE.")
        if not given:
            if not rest or rest[0].startswith("--"):
                raise RelconError(f"{name} needs a value: {name} VALUE.")
            rest.pop(0)
    return list(words)
