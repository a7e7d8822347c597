"""Draws how CLoCE trains, and what its loss asks of a pair, for the page about it:

python benchmarks/cloce/figure.py docs/papers/cloce.png
"""

import sys
from pathlib import Path

import matplotlib
import torch
from matplotlib.axes import Axes

from relcon.contrast import Pairing
from relcon.objectives.pairwise import MarginPairs

matplotlib.use("Agg")
from matplotlib import pyplot

BLUE, GREEN, RED, GREY = "#2b6cb0", "#2f855a", "#c53030", "#4a5568"
MARGIN = 0.5
BOXES = {
    "input": (0.0, 8.2, 6.4, 1.5, "Ilva Venn was born in Tarn .\nthe relation of person Ilva Venn and city Tarn is [MASK]", GREY),
    "encoder": (1.7, 6.0, 3.0, 1.1, "encoder", GREY),
    "labels": (0.6, 3.6, 5.2, 1.3, "state of the mask, compared with\none soft label per relation", BLUE),
    "sets": (0.6, 1.2, 5.2, 1.3, "right:  partners\nwrong:  errors, taken for another relation", BLUE),
    "positive": (7.6, 3.9, 6.0, 1.5, "positive: a right instance of the TRUE relation\nIlva Venn , a native of Tarn , sang .", GREEN),
    "negative": (7.6, 1.2, 6.0, 1.5, "negative: a right one of the MISTAKEN relation\nIlva Venn has a house in Tarn .", RED),
    "contrast": (7.6, 6.3, 6.0, 1.5, "contrast of sentence vectors, lr 1e-6\nCLoCE-S: embeddings alone    CLoCE-D: all", BLUE),
}
"""Name -> left, bottom, width, height, text, colour."""

ARROWS = [
    ("input", "encoder", ""),
    ("encoder", "labels", "classification, lr 3e-5"),
    ("labels", "sets", "predictions of the epoch"),
    ("sets", "negative", ""),
    ("sets", "positive", ""),
]


def method(axes: Axes) -> None:
    """The two phases of an epoch."""
    for left, bottom, width, height, text, colour in BOXES.values():
        axes.add_patch(pyplot.Rectangle((left, bottom), width, height, facecolor="white", edgecolor=colour, linewidth=1.4))
        axes.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=8.5, color=colour)
    for start, end, text in ARROWS:
        one, other = BOXES[start], BOXES[end]
        beside = other[0] > one[0] + one[2]
        tail = (one[0] + one[2], one[1] + one[3] / 2) if beside else (one[0] + one[2] / 2, one[1])
        head = (other[0], other[1] + other[3] / 2) if beside else (other[0] + other[2] / 2, other[1] + other[3])
        arrow(axes, tail, head)
        axes.text(head[0] + 0.15, (tail[1] + head[1]) / 2, text, fontsize=8, color=GREY, va="center")
    arrow(axes, (10.6, 5.4), (10.6, 6.3))
    arrow(axes, (13.8, 1.95), (13.8, 7.05), straight=False)
    arrow(axes, (7.6, 7.05), (4.7, 6.55))
    axes.text(10.6, 9.3, "the error's own entities stand in its partners:\nonly the context differs", fontsize=8.5, color=GREY, ha="center")
    axes.set(xlim=(-0.3, 14.6), ylim=(0.8, 10.2))
    axes.axis("off")


def arrow(axes: Axes, tail: "tuple[float, float]", head: "tuple[float, float]", straight: bool = True) -> None:
    """From one point to another; bent around the boxes on the right otherwise."""
    if not straight:
        axes.plot([13.6, tail[0], head[0]], [tail[1], tail[1], head[1]], color=GREY, linewidth=1)
        tail, head = head, (13.6, head[1])
    axes.annotate("", head, tail, arrowprops={"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0})


def losses(axes: Axes) -> None:
    """The loss of one pair by its distance, as relcon computes it."""
    distances = torch.linspace(0, 1, 101)
    for side, colour, style in (("positive", GREEN, "-"), ("negative", RED, "--")):
        axes.plot(distances, [loss(float(each), side) for each in distances], style, color=colour, label=side)
    axes.axvline(MARGIN, color=GREY, linewidth=0.8, linestyle=":")
    axes.annotate("margin", (MARGIN, 0.2), (MARGIN + 0.03, 0.2), fontsize=8.5, color=GREY)
    axes.set(xlabel="cosine distance of the two sentences", ylabel="loss of a pair", ylim=(0, 0.3), xlim=(0, 1))
    axes.legend(frameon=False, fontsize=8.5)
    axes.spines[["top", "right"]].set_visible(False)


def loss(distance: float, side: str) -> float:
    """Of a pair of vectors so far apart."""
    cosine = 1 - distance
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[cosine, (1 - cosine**2) ** 0.5]])
    on, off = torch.ones(1, 1), torch.zeros(1, 1)
    pairing = Pairing.of(on, off) if side == "positive" else Pairing.of(off, on)
    return float(MarginPairs(margin=MARGIN)(one, other, pairing))


def main(target: Path) -> None:
    """Both, side by side."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.6), width_ratios=(2.6, 1), layout="constrained")
    method(left)
    losses(right)
    figure.savefig(target, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
