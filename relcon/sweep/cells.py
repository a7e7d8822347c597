"""One cell of a sweep: a variant of every axis, laid over a config."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from relcon.checking import check_config
from relcon.config import LoadedConfig, load_config
from relcon.config.overriding import Layer
from relcon.errors import ConfigError, Problem, did_you_mean


class Figure(NamedTuple):
    """What a sweep compares: a figure that a stage of every cell measures. place: where the sweep file says so."""

    stage: str
    name: str
    place: str

    def __str__(self) -> str:
        return f"{self.stage}.{self.name}"

    @property
    def evaluator(self) -> str:
        """The evaluator that measures it, "" for a figure of the stage itself."""
        return self.name.rpartition(".")[0].partition(".")[0]


@dataclass(frozen=True)
class Variant:
    """One choice on an axis.

    name: as cells are called by it. title: as the table calls it. config: a base config of its own, or None. layer: what it lays over
    the base.
    """

    name: str
    title: str
    config: Optional[Path]
    layer: Layer


@dataclass(frozen=True)
class Cell:
    """A config that a sweep runs.

    name: the names of its variants, joined by "+". variants: one of each axis, by axis. base: the config that they are laid over. layers:
    what is laid over it, in this order.
    """

    name: str
    variants: Dict[str, Variant]
    base: Path
    layers: Tuple[Layer, ...]

    @property
    def title(self) -> str:
        """How the table calls it."""
        return " + ".join(variant.title for variant in self.variants.values() if variant.title) or self.name

    def load(self, overrides: Sequence[str] = (), code: Sequence[Path] = ()) -> LoadedConfig:
        """Its config. ConfigError where the base cannot be read, or an override is none; mistakes within are in `problems`."""
        return load_config(self.base, overrides, code, self.layers)

    def sound(self, figure: Figure, overrides: Sequence[str] = (), code: Sequence[Path] = ()) -> LoadedConfig:
        """Its config, which has no mistake, and a stage that can measure the figure. ConfigError with all mistakes."""
        loaded = self.load(overrides, code)
        problems = check_config(loaded)
        problems += [] if problems else [Problem(figure.place, message) for message in unmeasured(loaded, figure)]
        if problems:
            raise ConfigError(problems, most=len(problems))
        return loaded


def unmeasured(loaded: LoadedConfig, figure: Figure) -> Iterator[str]:
    """Why no stage of a sound config can measure a figure, as far as that can be told."""
    stages = loaded.tree["stages"]
    said = f"[sweep] figure: '{figure}'"
    if figure.stage not in stages:
        yield f"{said}: there is no stage '{figure.stage}'.{did_you_mean(figure.stage, stages)}"
    elif figure.evaluator and figure.evaluator not in stages[figure.stage].get("evaluators", {}):
        evaluators = stages[figure.stage].get("evaluators", {})
        yield f"{said}: stage '{figure.stage}' has no evaluator '{figure.evaluator}'.{did_you_mean(figure.evaluator, evaluators)}"


def check_cells(cells: Sequence[Cell], figure: Figure, overrides: Sequence[str] = (), code: Sequence[Path] = ()) -> Dict[str, str]:
    """Of every cell that cannot run, why, in one line; by the names of the cells."""
    found: Dict[str, str] = {}
    for cell in cells:
        try:
            cell.sound(figure, overrides, code)
        except ConfigError as error:
            found[cell.name] = one_line(error.problems)
    return found


def one_line(problems: List[Problem]) -> str:
    """The first of several mistakes, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return " ".join(str(problems[0]).split()) + more
