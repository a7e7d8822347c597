"""The papers whose configs an installed package offers.

A package names them in the entry-point group `relcon_papers`, `"clre = relcon_clre.papers"`: a module of its own beside which `clre.cfg`
lies, a config that `relcon check` passes once the files of `[paths]` are given. What a config must be told of the data it says in `[vars]`:
`entity_types` (a list) and `relation` (a label) are filled in where they are there.
"""

import importlib.metadata
from importlib.resources import files
from pathlib import Path
from typing import Dict, NamedTuple

from relcon.errors import RelconError, did_you_mean

GROUP = "relcon_papers"
TEMPLATES = Path(__file__).parent / "templates" / "configs"


class Paper(NamedTuple):
    """A config to begin with. name: of the paper. package: who offers it. text: the config."""

    name: str
    package: str
    text: str


def names() -> Dict[str, str]:
    """The papers on offer: name -> package. Nothing is imported."""
    points = importlib.metadata.entry_points(group=GROUP)
    return {point.name: point.dist.name if point.dist else "?" for point in sorted(points, key=lambda point: point.name)}


def paper(name: str) -> Paper:
    """A paper's config. RelconError with the nearest name where no package offers it, or where its file cannot be had."""
    found = [point for point in importlib.metadata.entry_points(group=GROUP) if point.name == name]
    if not found:
        raise RelconError(f"--paper {name}: no installed package offers it.{did_you_mean(name, names())}")
    package = found[0].dist.name if found[0].dist else "?"
    try:
        text = (files(found[0].value) / f"{name}.cfg").read_text(encoding="utf-8")
    except Exception as error:  # a stranger's module may raise anything while it is imported
        raise RelconError(f"--paper {name}: {found[0].value} of package {package} does not give {name}.cfg ({error}).") from error
    return Paper(name, package, text)


def plain(name: str) -> Paper:
    """A config of the core's components alone: "pairs", of sentences with pairs, or "documents", of documents with many."""
    return Paper(name, "relcon", (TEMPLATES / f"{name}.cfg").read_text(encoding="utf-8"))
