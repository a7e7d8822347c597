"""CLRE's prediction shift: how often a model changes its mind when only words off the path change (Su et al. 2021, section 4)."""

from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List, Literal, NamedTuple, Optional, Sequence

from relcon.data.document import Instance
from relcon.data.labels import LabelSet
from relcon.errors import RelconError, did_you_mean
from relcon.evaluators.tables import gold_labels, shown, write_lines
from relcon.interfaces import Augmenter, Evaluator, Model, Split
from relcon.training.seeding import generator
from relcon_clre.neighbours import read_neighbours, write_neighbours

Subset = Literal["gold_positive", "predicted_positive", "both", "all"]

SUBSETS: Dict[str, Callable[[bool, bool], bool]] = {
    "gold_positive": lambda gold, predicted: gold,
    "predicted_positive": lambda gold, predicted: predicted,
    "both": lambda gold, predicted: gold and predicted,
    "all": lambda gold, predicted: True,
}
"""Which instances count, by whether the gold label and the prediction on the sentence as it is are relations."""


class Answer(NamedTuple):
    """One instance: its gold label, the prediction on its sentence and the one on the neighbour."""

    gold: str
    original: str
    neighbour: str

    @property
    def shifted(self) -> bool:
        """Whether the prediction changed; it does not matter whether either is right."""
        return self.original != self.neighbour

    def subsets(self, labels: LabelSet) -> List[str]:
        """The subsets that the instance belongs to."""
        gold, predicted = (label not in labels.negative for label in (self.gold, self.original))
        return [name for name, counts in SUBSETS.items() if counts(gold, predicted)]


class PredictionShift(Evaluator):
    """How often predictions change on neighbours: copies of the sentences with some words changed off the dependency path.

    One neighbour is made per instance, from `seed` and the instance's id alone, so that every model that is evaluated on the same
    data meets the same neighbours. A lower rate is a model more faithful to the path.

    Args:
        augmenter: makes the neighbours; the paper's is `clre.PathPreservingSynonyms.v1` at rate 0.1.
        subset: the instances of the headline figures: `gold_positive` (the gold label is a relation), `predicted_positive` (the
            prediction on the sentence as it is), `both`, or `all`.
        seed: draws the neighbours; it does not follow the config's seed.
        neighbours: a `neighbours.jsonl` that an earlier evaluation wrote, used instead of making new ones.

    Figures: `rate` (the primary one, shifts / size, 0 where the subset is empty), `shifts`, `size`, the same of all four subsets as
    `rate/SUBSET`, `shifts/SUBSET`, `size/SUBSET`, and `unchanged`: neighbours that are their original word for word. Over folds
    the paper adds the shifts up: `sum` of `shift.shifts` and `shift.size` in the `metrics.json` of the run as a whole.

    Files: `shifts.jsonl`: of each shifted instance `id`, `gold`, `predicted` and `predicted_neighbour`, the sentences `text` and
    `neighbour`, and the `subsets` that it belongs to; `neighbours.jsonl`: what was changed in each instance's document (see
    `relcon_clre.neighbours`).

    Raises RelconError where the data are unlabelled, or the neighbours are those of other data.

    Config::

        [evaluator]
        @evaluators = "clre.PredictionShift.v1"
        subset = "gold_positive"

        [evaluator.augmenter]
        @augmenters = "clre.PathPreservingSynonyms.v1"
        rate = 0.1

        [evaluator.augmenter.synonyms]
        @synonyms = "relcon.WordNet.v1"
    """

    primary = "rate"
    higher_is_better = False

    def __init__(self, augmenter: Augmenter, subset: Subset = "gold_positive", seed: int = 1, neighbours: Optional[str] = None):
        if subset not in SUBSETS:
            raise RelconError(f"subset = '{subset}' is not possible.{did_you_mean(subset, SUBSETS)}")
        self.augmenter, self.subset, self.seed, self.neighbours = augmenter, subset, seed, neighbours

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Predict every sentence and its neighbour; files where there is a folder. `train` is not looked at."""
        gold = gold_labels(data)
        near = self.neighbours_of(data.instances)
        predictions = [model.predict(side) if side else [] for side in (data.instances, near)]
        answers = [Answer(*each) for each in zip(gold, *predictions, strict=True)]
        figures = shift_figures(answers, data.labels)
        figures.update({name: figures[f"{name}/{self.subset}"] for name in ("rate", "shifts", "size")})
        figures["unchanged"] = float(sum(a.document.words == b.document.words for a, b in zip(data.instances, near, strict=True)))
        if folder is not None:
            write_neighbours(folder / "neighbours.jsonl", data.instances, near)
            write_shifts(folder / "shifts.jsonl", data.instances, near, answers, data.labels)
        return figures

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """Every pair must have a label, and a neighbour: in the file where one is given, else one that the augmenter can make."""
        gold_labels(data)
        if self.neighbours is not None:
            read_neighbours(Path(self.neighbours), data.instances)
        else:
            self.augmenter.check(data.instances)

    def neighbours_of(self, instances: Sequence[Instance]) -> List[Instance]:
        """The neighbour of each instance, in order: read where a file is given, else made."""
        if self.neighbours is not None:
            return read_neighbours(Path(self.neighbours), instances)
        self.augmenter.prepare(instances)
        return [self.neighbour(instance) for instance in instances]

    def neighbour(self, instance: Instance) -> Instance:
        """A copy of the instance with its document changed, the same at each call."""
        draw = generator(self.seed, "neighbour", instance.uid)
        return replace(instance, document=self.augmenter(instance.document, [(instance.head, instance.tail)], draw))


def shift_figures(answers: Sequence[Answer], labels: LabelSet) -> Dict[str, float]:
    """`shifts/SUBSET`, `size/SUBSET` and `rate/SUBSET` of all four subsets."""
    figures: Dict[str, float] = {}
    for name in SUBSETS:
        counted = [answer.shifted for answer in answers if name in answer.subsets(labels)]
        figures[f"shifts/{name}"], figures[f"size/{name}"] = float(sum(counted)), float(len(counted))
        figures[f"rate/{name}"] = sum(counted) / len(counted) if counted else 0.0
    return figures


# ---- files ---------------------------------------------------------------------------------------------------------------


def write_shifts(path: Path, instances: Sequence[Instance], near: Sequence[Instance], answers: Sequence[Answer], labels: LabelSet) -> None:
    """Each instance whose prediction changed."""
    write_lines(path, (
        {
            "id": instance.uid, "gold": answer.gold, "predicted": answer.original, "predicted_neighbour": answer.neighbour,
            "text": shown(instance), "neighbour": shown(other), "subsets": answer.subsets(labels),
        }
        for instance, other, answer in zip(instances, near, answers, strict=True) if answer.shifted
    ))  # fmt: skip
