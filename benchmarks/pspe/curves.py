"""What pre-training learns, step by step: the losses of the three objectives, and how often the contrast picks the right key."""

from pathlib import Path
from typing import Dict, List, Mapping

from relcon.files import atomic, read_jsonl, write_json

WIDTH, HEIGHT, DPI = 12.0, 4.0, 150
"""A picture in inches, and pixels per inch."""
NEAREST = "contrast.nearest"
Curve = Dict[str, List[float]]


def curves(run: Path) -> Dict[str, Curve]:
    """Objective -> `step` and `loss`; the contrast has `nearest` too, from the first step at which there are keys to choose from."""
    found: Dict[str, Curve] = {}
    for record in read_jsonl(run / "log.jsonl"):
        if record["event"] == "step" and record["stage"] == "pretrain":
            for name, loss in record["parts"].items():
                _add(found.setdefault(name, {"step": [], "loss": []}), step=record["step"], loss=loss)
            if NEAREST in record["figures"]:
                _add(found.setdefault(NEAREST, {"step": [], "share": []}), step=record["step"], share=record["figures"][NEAREST])
    return found


def _add(curve: Curve, **values: float) -> None:
    for name, value in values.items():
        curve[name].append(value)


def write_curves(runs: Mapping[str, Path], output: Path) -> None:
    """`curves.json` and `curves.png`: one panel for each curve, one line in it for each arm. runs: arm -> its pre-training."""
    from matplotlib.figure import Figure  # not pyplot, which keeps pictures and looks for a screen

    found = {arm: curves(run) for arm, run in runs.items()}
    write_json(output / "curves.json", found)
    names = list(dict.fromkeys(name for arm in found.values() for name in arm))
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    for axes, name in zip(figure.subplots(1, max(1, len(names)), squeeze=False)[0], names, strict=False):
        for arm, of_arm in found.items():
            if name in of_arm:
                steps, values = of_arm[name].values()
                axes.plot(steps, values, label=arm, linewidth=1)
        axes.set(title=name, xlabel="step")
    if names:
        figure.axes[0].legend(fontsize="small")
    with atomic(output / "curves.png", "wb") as file:
        figure.savefig(file, format="png", dpi=DPI)
