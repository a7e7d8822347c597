"""A sweep file: the settings of the sweep, axes, and the variants on each."""

import json
import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from relcon.checking import Walk, count
from relcon.components import arguments
from relcon.config import LoadedConfig
from relcon.config.overriding import Layer, Override
from relcon.config.reading import read_source
from relcon.config.source import Keys, Source, label
from relcon.errors import ConfigError, Problem, RelconError, did_you_mean, place
from relcon.sweep.cells import Cell, Figure, Variant

SECTIONS = ("sweep", "axes")
"""The sections of a sweep file."""

NAME = re.compile(r"[\w\-]+")
"""What an axis or a variant may be called: cells are folders."""


@dataclass(frozen=True)
class Settings:
    """The section `[sweep]`.

    config: the base config, from the folder of the sweep file. figure: what is compared, "STAGE.FIGURE" of `metrics.json`. baseline: the
    cell that the others are compared with; null for none. seeds: those that every cell runs with; null for the config's own protocol.
    skip: cells to leave out.
    """

    config: str
    figure: str
    baseline: Optional[str] = None
    seeds: Optional[List[int]] = None
    skip: Optional[List[str]] = None


@dataclass(frozen=True)
class Heading:
    """What stands in a variant's own section, `[axes.AXIS.VARIANT]`; the sections below it are laid over the base config.

    title: how the table calls it; its name unless said, "" for nothing. config: another base config, from the folder of the sweep file.
    """

    title: Optional[str] = None
    config: Optional[str] = None


@dataclass(frozen=True)
class Sweep:
    """A sweep file as it was read.

    path: the file. text: as it was written. figure: what is compared. baseline: the name of a cell, or None. cells: all that are not left
    out, in the order of the axes and variants of the file.
    """

    path: Path
    text: str
    figure: Figure
    baseline: Optional[str]
    cells: Tuple[Cell, ...]

    def chosen(self, names: Sequence[str]) -> List[Cell]:
        """The cells of these names, in the order of the file; all of them where there are none. RelconError names one that there is not."""
        known = [cell.name for cell in self.cells]
        for name in names:
            if name not in known:
                raise RelconError(f"--only {name}: there is no such cell.{did_you_mean(name, known)}")
        return [cell for cell in self.cells if not names or cell.name in names]


def read_sweep(path: Path) -> Sweep:
    """A sweep file. ConfigError with all its mistakes, each with its line; those of its cells are found when they are loaded."""
    source = read_source(path)
    if ("sweep",) not in source.sections:
        raise ConfigError([Problem(place(path), "has no section [sweep]. That of a sweep names a config, a figure and a baseline.")])
    reading = _Reading(source)
    sweep = reading.sweep()
    if sweep is None or reading.problems:
        raise ConfigError(reading.problems, f"{path}: {count(len(reading.problems), 'mistake')}", most=len(reading.problems))
    return sweep


class _Reading:
    """One reading of a sweep file. problems: what was found wrong."""

    def __init__(self, source: Source):
        self.source = source
        self.variants = [keys for keys in source.sections if len(keys) == 3 and keys[0] == "axes"]
        self.head = LoadedConfig(self.head_source(), [])
        self.problems: List[Problem] = self.head.problems

    def head_source(self) -> Source:
        """`[sweep]` and the variants' own sections alone: what is laid over the base config may refer to what stands there."""
        own = [("sweep",), *self.variants]
        head = Source(self.source.path, problems=list(self.source.problems))
        for keys in own:
            head.section(keys, self.source.sections[keys])
        head.entries.update((keys, entry) for keys, entry in self.source.entries.items() if keys[:-1] in own)
        head.check_notation()
        return head

    def sweep(self) -> Optional[Sweep]:
        """What the file says; None where its sections are such that nothing more can be told."""
        walk = Walk(self.head)
        for keys, kind in (("sweep",), Settings), *((keys, Heading) for keys in self.variants):
            walk.keys(keys, self.section(keys), arguments(kind), "this section")
        self.problems += [*walk.problems, *self.misplaced()]
        if self.problems:
            return None
        settings = Settings(**self.section(("sweep",)))
        figure = self.figure(settings.figure)
        grid = self.grid(settings)
        cells = tuple(cell for cell in grid if cell.name not in (settings.skip or ()))
        self.look_up("skip", settings.skip or (), grid)
        self.look_up("baseline", [settings.baseline] if settings.baseline is not None else (), cells)
        if not cells:
            self.problem(("sweep", "skip"), "leaves out every cell.")
        return Sweep(self.source.path, self.source.text, figure, settings.baseline, cells)

    def section(self, keys: Keys) -> Dict[str, Any]:
        """The values of a section."""
        found: Any = self.head.tree
        for key in keys:
            found = found[key]
        return dict(found)

    def problem(self, keys: Keys, message: str) -> None:
        """A mistake in the value of a key."""
        self.problems.append(Problem(self.source.where(keys), f"{label(keys)}: {message}"))

    def misplaced(self) -> Iterator[Problem]:
        """Sections and keys that a sweep does not have, and names that cannot be those of folders."""
        for keys in (*self.source.sections, *self.source.entries):
            if len(keys) == 1 and keys[0] not in SECTIONS:
                yield Problem(self.source.where(keys), f"[{keys[0]}] is no section of a sweep.{did_you_mean(keys[0], SECTIONS)}")
            elif keys[0] == "sweep" and len(keys) == 2 and keys in self.source.sections:
                yield Problem(self.source.where(keys), f"[{'.'.join(keys)}] is no section of a sweep. Write [axes.AXIS.VARIANT].")
        for keys in self.source.entries:
            if keys[0] == "axes" and len(keys) < 4:
                yield Problem(self.source.where(keys), f"{label(keys)} stands in no variant. Variants look like [axes.contrast.clre].")
        for keys in self.source.sections:
            if keys[0] == "axes" and len(keys) in (2, 3) and not NAME.fullmatch(keys[-1]):
                message = f"'{keys[-1]}' cannot name a folder: take letters, digits, - and _."
                yield Problem(self.source.where(keys), f"[{'.'.join(keys)}] {message}")
        axes = {keys[1] for keys in self.source.sections if keys[0] == "axes" and len(keys) == 2}
        for axis in sorted(axes - {keys[1] for keys in self.variants}):
            yield Problem(self.source.where(("axes", axis)), f"[axes.{axis}] has no variant. Variants look like [axes.{axis}.VARIANT].")
        if not axes:
            yield Problem(place(self.source.path), "there is no axis. An axis has variants: [axes.contrast.none], [axes.contrast.clre].")

    def figure(self, text: str) -> Figure:
        """What is compared."""
        stage, _, name = text.partition(".")
        if not stage or not name:
            self.problem(("sweep", "figure"), f'expected "STAGE.FIGURE", as in "evaluate.scores.f1", got {json.dumps(text)}.')
        return Figure(stage, name, self.source.where(("sweep", "figure")))

    def look_up(self, key: str, names: Sequence[str], cells: Sequence[Cell]) -> None:
        """Names that must be those of cells."""
        known, axes = [cell.name for cell in cells], ", ".join(dict.fromkeys(keys[1] for keys in self.variants))
        for name in names:
            if name not in known:
                ways = f'Cells are called by a variant of each axis ({axes}), joined by "+".'
                self.problem(("sweep", key), f"there is no cell '{name}'. {ways}{did_you_mean(name, known)}")

    # ---- cells ----

    def grid(self, settings: Settings) -> List[Cell]:
        """Every combination of the variants of all axes."""
        axes: Dict[str, List[Variant]] = {}
        for keys in self.variants:
            axes.setdefault(keys[1], []).append(self.variant(keys))
        combinations = (dict(zip(axes, chosen, strict=True)) for chosen in product(*axes.values()))
        return [self.cell(settings, variants) for variants in combinations]

    def variant(self, keys: Keys) -> Variant:
        """One variant."""
        heading = Heading(**self.section(keys))
        title = keys[-1] if heading.title is None else heading.title
        return Variant(keys[-1], title, self.beside(heading.config), self.layer(keys))

    def beside(self, config: Optional[str]) -> Optional[Path]:
        """A config that is named from the folder of the sweep file."""
        return None if config is None else self.source.path.parent / config

    def layer(self, way: Keys) -> Layer:
        """The sections below a variant's own."""
        inside = [keys for keys in self.source.below(way) if len(keys) > len(way) + 1 or keys in self.source.sections]
        entries = [keys for keys in inside if keys in self.source.entries]
        overrides = [Override(keys[len(way) :], self.source.entries[keys].value, self.source.where(keys), True) for keys in entries]
        bare = [keys for keys in inside if keys in self.source.sections and not any(self.source.below(keys))]
        title = f"[{'.'.join(way)}] of {self.source.path.name}"
        return Layer(title, overrides, {keys[len(way) :]: self.source.where(keys) for keys in bare})

    def cell(self, settings: Settings, variants: Dict[str, Variant]) -> Cell:
        """One cell; the seeds are laid over everything else."""
        name = "+".join(variant.name for variant in variants.values())
        own = [(axis, variant) for axis, variant in variants.items() if variant.config is not None]
        if len(own) > 1:
            (first, one), (second, other) = own[:2]
            said = f"so does [axes.{first}.{one.name}], and both meet in the cell '{name}', which can have one base config. Skip it."
            if name not in (settings.skip or ()):
                self.problem(("axes", second, other.name, "config"), said)
        base = next((variant.config for _, variant in own), self.beside(settings.config))
        assert base is not None
        return Cell(name, variants, base, (*(variant.layer for variant in variants.values()), *self.seeds(settings)))

    def seeds(self, settings: Settings) -> List[Layer]:
        """The protocol of every cell, where the sweep has seeds."""
        if settings.seeds is None:
            return []
        values = {"@protocols": '"relcon.Seeds.v1"', "seeds": json.dumps(settings.seeds)}
        where = self.source.where(("sweep", "seeds"))
        overrides = [Override(("protocol", key), value, where, True) for key, value in values.items()]
        return [Layer(f"[sweep] seeds of {self.source.path.name}", overrides)]
