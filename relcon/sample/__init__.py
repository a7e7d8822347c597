"""The sample corpus that ships with relcon: sentences of an invented harbour town, with entities, relations and parses.

`README.md` in this folder says what is in it and how it was made. A config names its files by what `path` returns, or with the
prefix `sample:` (`train = "sample:train.jsonl"`), which `resolve` turns into a path.
"""

from pathlib import Path
from typing import List, Union

from relcon.errors import RelconError, did_you_mean

PREFIX = "sample:"


def folder() -> Path:
    """The folder in which the sample's files lie."""
    return Path(__file__).parent


def names() -> List[str]:
    """The files of the sample: the splits and the synonyms."""
    return sorted(each.name for each in folder().iterdir() if each.suffix in (".jsonl", ".tsv"))


def path(name: str) -> Path:
    """The path of a file of the sample (`train.jsonl`). RelconError with the nearest name where there is none."""
    if name not in names():
        raise RelconError(f"The sample has no file '{name}'.{did_you_mean(name, names())}")
    return folder() / name


def resolve(value: Union[str, Path]) -> Path:
    """A path as a user writes it: `sample:train.jsonl` is the sample's file, anything else is itself."""
    text = str(value)
    return path(text[len(PREFIX):]) if text.startswith(PREFIX) else Path(value)
