"""The table of a sweep: a row per cell, as text, Markdown and JSON."""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from relcon.compare import compare_runs
from relcon.errors import RelconError, did_you_mean
from relcon.evaluators.profiles import PAIR_PROFILES
from relcon.files import atomic, write_json
from relcon.statistics import estimate
from relcon.sweep.cells import Cell, Figure
from relcon.sweep.measured import Measured, measured
from relcon.sweep.reading import Sweep
from relcon.sweep.records import FAILED, SweepFolder
from relcon.training.progress import duration, size

COMPARED = re.compile(r"(?:(?P<beside>.+)\.|(?P<kind>\w+)_)?(?P<metric>f1|precision|recall)(?P<suffix>\.without_overlaps)?")
"""Figures of an evaluator that `relcon compare` can pair: F1 of instances, of a profile beside the evaluator's own
(`semeval2010.micro18.f1`), or of strict relations (`strict_f1`)."""

MISSING = "-"


@dataclass(frozen=True)
class Row:
    """What the table says of a cell.

    state: how it ended, "not run" where it did not begin. message: why it failed. figure: mean; low and high: ends of the 95 % interval of
    the mean, None for a single run. difference: of the figure to that of the baseline; p: two-sided, by approximate randomisation over the
    instances that both answered. why_not: why there is no p. measured: the rest.
    """

    cell: str
    title: str
    variants: Dict[str, str]
    state: str
    message: str = ""
    figure: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    difference: Optional[float] = None
    p: Optional[float] = None
    why_not: str = ""
    measured: Optional[Measured] = None


@dataclass(frozen=True)
class Table:
    """All rows, and what is to be said below them.

    sweep: what was run. rows: one per cell. notes: sentences.
    """

    sweep: Sweep
    rows: List[Row]
    notes: List[str] = field(default_factory=list)

    @classmethod
    def of(cls, sweep: Sweep, folder: SweepFolder) -> "Table":
        """The table of what a sweep's folder holds now."""
        found = {cell.name: measured(folder.cell(cell.name), sweep.figure) for cell in sweep.cells if folder.is_done(cell.name)}
        rows = [_row(cell, sweep, folder, found) for cell in sweep.cells]
        return cls(sweep, rows, [*_about_figure(sweep.figure, found), *_about_baseline(sweep, rows), *_about_cells(rows)])

    def columns(self) -> List[Dict[str, Optional[str]]]:
        """Every row as texts by the heads of their columns; None where there is nothing to show."""
        compared = any(row.difference is not None for row in self.rows)
        return [_texts(row, str(self.sweep.figure), compared) for row in self.rows]

    def markdown(self) -> str:
        """The table and its notes as Markdown."""
        rows = self.columns()
        heads = list(rows[0])
        lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *([row[head] or MISSING for head in heads] for row in rows)]
        table = "\n".join(f"| {' | '.join(_cell_text(each) for each in line)} |" for line in lines)
        return "\n".join([table, "", *(f"* {note}" for note in self.notes)]).rstrip("\n") + "\n"

    def save(self, folder: Path) -> None:
        """Write `table.md` and `table.json`."""
        with atomic(folder / "table.md") as file:
            file.write(self.markdown())
        about = {"figure": str(self.sweep.figure), "baseline": self.sweep.baseline, "rows": [asdict(row) for row in self.rows]}
        write_json(folder / "table.json", {**about, "notes": self.notes})


# ---- rows ----------------------------------------------------------------------------------------------------------------


def _row(cell: Cell, sweep: Sweep, folder: SweepFolder, found: Dict[str, Measured]) -> Row:
    """What is known of a cell."""
    variants = {axis: variant.name for axis, variant in cell.variants.items()}
    ended = folder.ended.get(cell.name)
    told = (cell.name, cell.title, variants, ended.state if ended else "not run", ended.message if ended else "")
    mine, base = found.get(cell.name), found.get(sweep.baseline or "")
    if mine is None or not mine.values:
        return Row(*told, measured=mine)
    mean, low, high = _interval(mine.values)
    if base is None or not base.values or cell.name == sweep.baseline:
        return Row(*told, mean, low, high, measured=mine)
    p, why_not = _significance(folder.cell(cell.name), folder.cell(str(sweep.baseline)), sweep.figure)
    return Row(*told, mean, low, high, mean - fmean(base.values), p, why_not, mine)


def _interval(values: Sequence[float]) -> Tuple[float, Optional[float], Optional[float]]:
    """The mean of a figure, and the ends of its 95 % interval where there are several values."""
    if len(values) == 1:
        return values[0], None, None
    found = estimate(values)
    return found.mean, found.low, found.high


def _significance(cell: Path, baseline: Path, figure: Figure) -> Tuple[Optional[float], str]:
    """(p of the difference, ""), or (None, why there is none)."""
    compared = COMPARED.fullmatch(figure.name.partition(".")[2])
    if compared is None or not (compared["beside"] is None or compared["beside"] in PAIR_PROFILES):
        return None, f"{figure} is no figure that relcon compare pairs (f1, precision, recall, PROFILE.f1 and the like)."
    profile = compared["beside"] or (compared["kind"] and compared["kind"] + (compared["suffix"] or ""))
    places = [run / "stages" / figure.stage / figure.evaluator for run in (cell, baseline)]
    try:
        return compare_runs(*places, metric=compared["metric"], profile=profile).p_randomisation, ""  # type: ignore[arg-type]
    except RelconError as error:
        return None, str(error).splitlines()[0]


# ---- notes ---------------------------------------------------------------------------------------------------------------


def _about_figure(figure: Figure, found: Dict[str, Measured]) -> List[str]:
    """Where no cell that is done has the figure: the nearest one that there is."""
    if not found or any(each.values for each in found.values()):
        return []
    known = {name for each in found.values() for name in each.known}
    return [f"{figure.place}: no cell measured '{figure}'.{did_you_mean(str(figure), known)} Correct it and give the command again."]


def _about_baseline(sweep: Sweep, rows: List[Row]) -> List[str]:
    """What the cells are compared with, or why they are not."""
    if sweep.baseline is None:
        return []
    base = next(row for row in rows if row.cell == sweep.baseline)
    if base.figure is None:
        state = "has no such figure" if base.measured is not None else "failed" if base.state == FAILED else f"is {base.state}"
        return [f"The baseline, {base.title} ({base.cell}), {state}: there are no differences."]
    return [f"Differences to {base.title} ({base.cell}); p by approximate randomisation over what both predicted (relcon compare)."]


def _about_cells(rows: List[Row]) -> List[str]:
    """Why cells failed, and why some have no p."""
    failed = [f"{row.cell} failed: {' '.join(row.message.split())}" for row in rows if row.state == FAILED]
    reasons: Dict[str, List[str]] = {}
    for row in rows:
        if row.why_not:
            reasons.setdefault(row.why_not, []).append(row.cell)
    return [*failed, *(f"No p for {', '.join(cells)}: {reason}" for reason, cells in reasons.items())]


# ---- texts ---------------------------------------------------------------------------------------------------------------


def _texts(row: Row, figure: str, compared: bool) -> Dict[str, Optional[str]]:
    """A row's columns. compared: whether any row has a difference."""
    difference = {
        "difference": None if row.difference is None else f"{row.difference:+.4f}",
        "p": None if row.p is None else f"{row.p:.4f}" if row.p >= 0.0001 else "< 0.0001",
    }
    return {
        "cell": row.title,
        figure: _figure(row),
        **(difference if compared else {}),
        **{head: None if row.measured is None else text(row.measured) for head, text in MEASURED.items()},
    }


def _figure(row: Row) -> Optional[str]:
    """The figure with half its interval; where there is none because the cell is not done, that."""
    if row.figure is None:
        return row.state if row.measured is None else None
    return f"{row.figure:.4f}" if row.low is None or row.high is None else f"{row.figure:.4f} ± {(row.high - row.low) / 2:.4f}"


def _pairs(known: Measured, side: int) -> Optional[str]:
    """Positives (side 0) or negatives (side 1) per anchor; of several contrasts with their names."""
    shown = {name: f"{pair[side]:.4g}" for name, pair in known.pairs.items()}
    if len(shown) == 1:
        return next(iter(shown.values()))
    return ", ".join(f"{name} {number}" for name, number in shown.items()) or None


def _steps(known: Measured) -> Optional[str]:
    """`pretrain 120, finetune 300 + 40`."""
    return ", ".join(f"{name} {' + '.join(f'{number:g}' for number in kinds.values())}" for name, kinds in known.steps.items()) or None


MEASURED: Dict[str, Callable[[Measured], Optional[str]]] = {
    "positives per anchor": lambda known: _pairs(known, 0),
    "negatives per anchor": lambda known: _pairs(known, 1),
    "steps": _steps,
    "time": lambda known: duration(known.seconds),
    "memory": lambda known: None if known.memory is None else size(known.memory),
}
"""Columns that are known of every cell that is done."""


def _cell_text(text: str) -> str:
    """A text that does not end a Markdown table's column."""
    return text.replace("|", "\\|")
