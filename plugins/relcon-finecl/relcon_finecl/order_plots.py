"""Pictures of learning orders, each with the table that it was drawn from."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Sequence

from relcon.files import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT, DPI = 5.0, 150
"""Of a picture in inches, and pixels per inch."""

BAR, NARROWEST, WIDEST = 0.16, 8.0, 60.0
"""Inches per bar, and between which the width of a picture of bars lies."""

NAMED = 150
"""The most bars that are named one by one."""


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV file, whole or not at all."""
    with atomic(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_picture(path: Path, figure: "Figure") -> None:
    """A PNG file, whole or not at all."""
    with atomic(path, "wb") as file:
        figure.savefig(file, format="png", dpi=DPI)


def learned(folder: Path, cumulative: Mapping[str, Sequence[float]]) -> None:
    """`learned.csv` and `learned.png`: the share of all instances learned in each epoch, and up to it (figure 2 of the paper).

    cumulative: recording -> [k] the share learned up to each epoch.
    """
    newly = {name: _steps(shares) for name, shares in cumulative.items()}
    rows = [
        (name, epoch, f"{newly[name][epoch]:.6f}", f"{share:.6f}")
        for name, shares in cumulative.items()
        for epoch, share in enumerate(shares)
    ]
    write_table(folder / "learned.csv", ["recording", "epoch", "newly", "cumulative"], rows)
    figure, axes = _axes(NARROWEST, "epoch", "share of all instances")
    for name, shares in cumulative.items():
        (line,) = axes.plot(range(len(shares)), shares, marker="o", label=f"{name}: learned so far")
        axes.plot(range(len(shares)), newly[name], marker="o", linestyle="--", color=line.get_color(), label=f"{name}: newly learned")
    axes.set_ylim(0, 1)
    axes.legend()
    write_picture(folder / "learned.png", figure)


def relations(folder: Path, cumulative: Mapping[str, Sequence[float]], counts: Mapping[str, int]) -> None:
    """`relations.csv` and `relations.png`: for each relation the share of its instances learned in each epoch, as stacked bars, the
    relation that is learned most at the left (figure 4 of the paper).

    cumulative: relation -> [k] the share learned up to each epoch. counts: relation -> number of instances.
    """
    names = sorted(cumulative, key=lambda name: ([-share for share in reversed(cumulative[name])], name))
    newly: Dict[str, List[float]] = {name: _steps(cumulative[name]) for name in names}
    epochs = len(newly[names[0]])
    header = ["relation", "instances", *(f"epoch_{epoch}" for epoch in range(epochs)), "not_learned"]
    rows = [(name, counts[name], *(f"{each:.6f}" for each in [*newly[name], 1 - cumulative[name][-1]])) for name in names]
    write_table(folder / "relations.csv", header, rows)
    figure, axes = _axes(min(max(BAR * len(names), NARROWEST), WIDEST), "", "share of its instances")
    colours = _colours(epochs)
    for epoch in range(epochs):
        below = [cumulative[name][epoch] - newly[name][epoch] for name in names]
        axes.bar(range(len(names)), [newly[name][epoch] for name in names], bottom=below, color=colours[epoch], label=f"epoch {epoch}")
    axes.set_ylim(0, 1)
    axes.set_xlim(-0.6, len(names) - 0.4)
    if len(names) <= NAMED:
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize="x-small")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    write_picture(folder / "relations.png", figure)


def jaccard(folder: Path, curves: Mapping[str, Sequence[float]]) -> None:
    """`jaccard.csv` and `jaccard.png`: the cumulative Jaccard similarity of two orders after each epoch (figure 3 of the paper).

    curves: mode -> [k].
    """
    rows = zip(*curves.values(), strict=True)
    write_table(folder / "jaccard.csv", ["epoch", *curves], ((epoch, *(f"{each:.6f}" for each in row)) for epoch, row in enumerate(rows)))
    figure, axes = _axes(NARROWEST, "epoch", "cumulative Jaccard similarity")
    for mode, curve in curves.items():
        axes.plot(range(len(curve)), curve, marker="o", label=mode)
    axes.set_ylim(bottom=0)
    axes.legend()
    write_picture(folder / "jaccard.png", figure)


def _steps(cumulative: Sequence[float]) -> List[float]:
    """By how much each value is above the one before."""
    return [after - before for before, after in zip([0.0, *cumulative], cumulative)]  # noqa: B905 (one shorter)


def _axes(width: float, across: str, up: str) -> Any:
    """A picture and its axes; without pyplot, which keeps pictures and looks for a screen."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context({"text.parse_math": False}):  # a dollar sign in a label is no formula
        figure = Figure(figsize=(width, HEIGHT), layout="constrained")
        axes = figure.add_subplot(xlabel=across, ylabel=up)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def _colours(count: int) -> List[Any]:
    """Colours from early to late."""
    from matplotlib import colormaps

    return [colormaps["viridis"](number / max(count - 1, 1)) for number in range(count)]
