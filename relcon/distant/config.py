"""What a config says of a distantly supervised corpus, and the configs that ship with relcon."""

import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Type

from relcon.checking import Walk, count
from relcon.components import arguments
from relcon.config import LoadedConfig, resolve
from relcon.data import archives
from relcon.distant.filters import Filters
from relcon.distant.parts import Excluded
from relcon.errors import ConfigError, Problem, RelconError, did_you_mean
from relcon.interfaces import DatasetReader, DistantBuilder
from relcon.registry import Registrable

COMPONENTS: Dict[str, Type[Registrable]] = {"linker": DistantBuilder, "reader": DatasetReader, "exclude_reader": DatasetReader}
"""Sections that are blocks, each with its interface."""

DEFAULTS = {"linker": {"@distant": "relcon.LinkedText.v1"}, "reader": {"@readers": "relcon.JSONLines.v1"}}
"""What a section is where the config leaves it out."""

SECTIONS = ("paths", "vars", *COMPONENTS, "filters")
"""The sections that such a config may have."""


READER_AND_FILE = re.compile(r"([^:/]+\.v\d+):(.+)")
"""`relcon.OpenNRE.v1:semeval/test.txt`"""


def preset(name: str) -> Path:
    """A config that ships with relcon, by its name; RelconError with the nearest one where there is none."""
    files = {file.stem: file for file in (Path(__file__).parent / "presets").glob("*.cfg")}
    if name not in files:
        raise RelconError(f"there is no preset '{name}'.{did_you_mean(name, files)}")
    return files[name]


def check_distant_config(loaded: LoadedConfig) -> List[Problem]:
    """All mistakes of such a config. Builds nothing, reads no data."""
    walk = Walk(loaded)
    for name in loaded.tree:
        if name not in (*SECTIONS, "training"):
            walk.unknown((name,), (name,), "is no section of a config of build-distant", did_you_mean(name, SECTIONS))
    for name in ("paths", "vars"):
        walk.free(name)
    for name, interface in COMPONENTS.items():
        if loaded.tree.get(name) is not None:
            walk.value((name,), loaded.tree[name], interface)
    walk.keys(("filters",), walk.section("filters"), arguments(Filters), "this section")
    walk.settle_overrides()
    return loaded.problems + walk.problems


def parts_of(loaded: LoadedConfig) -> Dict[str, Any]:
    """The config's filters and components, as arguments of `Job`. ConfigError with every mistake of the config."""
    problems = check_distant_config(loaded)
    if problems:
        raise ConfigError(problems, f"{loaded.path}: {count(len(problems), 'mistake')}", most=len(problems))
    return {
        "builder": _component(loaded, "linker"),
        "reader": _component(loaded, "reader"),
        "exclude_reader": _component(loaded, "exclude_reader"),
        "filters": Filters(**(loaded.tree.get("filters") or {})),
    }


def excluded(given: str) -> Excluded:
    """What `--exclude` names: FILE or READER:FILE, the reader with its defaults. RelconError where there is no such reader, ConfigError
    where it needs arguments."""
    found = READER_AND_FILE.fullmatch(given)
    if found is None:
        return Excluded(archives.resolve(given))
    return Excluded(archives.resolve(found[2]), resolve({"@readers": found[1]}, "--exclude"))


def _component(loaded: LoadedConfig, name: str) -> Optional[Any]:
    block = loaded.tree.get(name) or DEFAULTS.get(name)
    return None if block is None else resolve(block, f"[{name}]")
