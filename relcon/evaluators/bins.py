"""Figures of sentences in groups: by their number of annotated entities, by their length."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Sequence

from relcon.evaluators.extracted import micro_figures
from relcon.evaluators.facts import Sentence
from relcon.files import atomic, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 10.0, 4.0, 150
"""A picture in inches, and pixels per inch."""

LINES = {"entity_f1": "entities", "relation_f1": "relations, boundaries", "strict_f1": "relations, strict"}
"""What the picture shows, and what it calls it."""

TITLES = {"gold_entities": "annotated entities of the sentence", "words": "words of the sentence"}


class Bin(NamedTuple):
    """A group. name: "3", "11-20", ">50". sentences: how many. figures: as of `micro_figures`, over these alone."""

    name: str
    sentences: int
    figures: Mapping[str, float]


def binned(sentences: Sequence[Sentence], by: Sequence[int], starts: Sequence[int]) -> List[Bin]:
    """The sentences in groups. by: [sentences] the number that decides. starts: the first number of each group, rising; a group ends
    where the next one begins, the last one nowhere. What lies below all of them is not in any."""
    ends = [start - 1 for start in starts[1:]]
    found = []
    for number, start in enumerate(starts):
        end = ends[number] if number < len(ends) else None
        name = f">{start - 1}" if end is None else f"{start}" if start == end else f"{start}-{end}"
        some = [one for one, size in zip(sentences, by, strict=True) if start <= size and (end is None or size <= end)]
        found.append(Bin(name, len(some), micro_figures(some)))
    return found


def bins_of(sentences: Sequence[Sentence], entities: Sequence[int], words: Sequence[int]) -> Dict[str, List[Bin]]:
    """Two divisions. entities: first numbers of annotated entities; words: first lengths."""
    return {
        "gold_entities": binned(sentences, [len(each.gold.entities) for each in sentences], entities),
        "words": binned(sentences, [each.words for each in sentences], words),
    }


def write_bins(folder: Path, bins: Mapping[str, Sequence[Bin]]) -> None:
    """`bins.json`, and `bins.png` (1500 x 600 pixels)."""
    data: Dict[str, Any] = {
        name: [{"bin": each.name, "sentences": each.sentences, **each.figures} for each in groups] for name, groups in bins.items()
    }
    write_json(folder / "bins.json", data)
    with atomic(folder / "bins.png", "wb") as file:
        draw(bins).savefig(file, format="png", dpi=DPI)


def draw(bins: Mapping[str, Sequence[Bin]]) -> "Figure":
    """F1 over the groups of each division; below a group stands how many sentences it has."""
    from matplotlib.figure import Figure  # not pyplot, which keeps pictures and looks for a screen

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    for axes, (name, groups) in zip(figure.subplots(1, len(bins), sharey=True, squeeze=False)[0], bins.items(), strict=True):
        places = range(len(groups))
        for key, title in LINES.items():
            axes.plot(places, [group.figures[key] for group in groups], marker="o", label=title)
        axes.set_xticks(places, [f"{group.name}\n({group.sentences})" for group in groups], fontsize="small")
        axes.set(xlabel=TITLES[name], ylim=(0, 1))
    figure.axes[0].set_ylabel("F1")
    figure.axes[-1].legend(fontsize="small")
    return figure
