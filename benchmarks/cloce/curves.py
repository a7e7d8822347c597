"""What development data say after each epoch, and how many errors and pairs the contrastive phases had."""

from pathlib import Path
from statistics import fmean
from typing import Any, Dict, List, Mapping, NamedTuple

from relcon.files import atomic, read_json, read_jsonl, write_json

WIDTH, HEIGHT, DPI = 6.0, 3.5, 150
"""A panel in inches, and pixels per inch."""

LOOKS, PHASE = ("accuracy", "f1"), ("errors", "pairs")
"""What is kept of a look at the development data, and of a contrastive phase."""

STREAM = "pairs"
"""The stream of the phase."""

Curve = Dict[str, List[float]]


class Best(NamedTuple):
    """The epoch whose model was kept, and what development data said of it."""

    epoch: int
    accuracy: float
    f1: float


def best_epoch(run: Path) -> Best:
    """That of one run."""
    epoch = int(read_json(run / "run.json")["stages"]["finetune"]["figures"]["epoch"])
    look = next(each for each in logged(run, "dev") if each["epoch"] == epoch)
    return Best(epoch, look["accuracy"], look["f1"])


def logged(run: Path, *events: str) -> List[Dict[str, Any]]:
    """Some of what fine-tuning logged."""
    return [each for each in read_jsonl(run / "log.jsonl") if each["event"] in events and each.get("stage") == "finetune"]


def curves_of(folder: Path) -> Curve:
    """`accuracy`, `f1`, `errors` and `pairs` after each epoch, the mean over the seeds of an arm; the latter two where it has phases."""
    runs = [file.parent for file in sorted(folder.glob("seeds/*/run.json"))]
    found = [by_epoch(run) for run in runs]
    return {name: [fmean(values) for values in zip(*(each[name] for each in found), strict=True)] for name in found[0]}


def by_epoch(run: Path) -> Curve:
    """The same of one run."""
    looks = logged(run, "dev")
    phases = [each["figures"] for each in logged(run, "epoch", "left_out") if "phase" in each]
    curve = {name: [look[name] for look in looks] for name in LOOKS}
    return {**curve, **({name: [each[f"{STREAM}.{name}"] for each in phases] for name in PHASE} if phases else {})}


def write_curves(found: Mapping[str, Mapping[str, Curve]], output: Path) -> None:
    """`curves.json` and `curves.png`: a row for each target, a panel for accuracy, F1 and errors, a line for each arm."""
    from matplotlib.figure import Figure  # not pyplot, which keeps pictures and looks for a screen

    write_json(output / "curves.json", found)
    targets = [target for target, arms in found.items() if arms]
    if not targets:
        return
    panels = [*LOOKS, "errors"]
    figure = Figure(figsize=(WIDTH * len(panels), HEIGHT * len(targets)), layout="constrained")
    for row, target in zip(figure.subplots(len(targets), len(panels), squeeze=False), targets, strict=True):
        for axes, name in zip(row, panels, strict=True):
            for number, (arm, curve) in enumerate(found[target].items()):
                if name in curve:
                    axes.plot(range(1, len(curve[name]) + 1), curve[name], color=f"C{number}", label=arm, marker=".", linewidth=1)
            axes.set(title=f"{target}: {name}", xlabel="epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[0].legend(fontsize="small")
    with atomic(output / "curves.png", "wb") as file:
        figure.savefig(file, format="png", dpi=DPI)
