"""Precision, recall and F1 under a named metric profile, with everything that one wants to look at afterwards."""

from pathlib import Path
from typing import Dict, List, Optional, Sequence

from relcon.evaluators.profiles import ProfileName, pair_profile
from relcon.evaluators.scoring import Figures, score
from relcon.evaluators.semeval2010 import official_report
from relcon.evaluators.tables import gold_labels, write_confusion, write_lines, write_per_class, write_predictions, write_scores
from relcon.files import atomic
from relcon.interfaces import Evaluator, Lost, Model, Split

OFFICIAL = "semeval2010.official"


class Scores(Evaluator):
    """Figures of a relation classifier. Gold relations that never became candidates count against recall.

    profile: which F1. For any data `micro` and `macro` (over the labels that are not negative) and `accuracy`; of one data set
        `semeval2010.official`, `semeval2010.micro18`, `tacred.micro`, `chemprot.cpr5`, `chemprot.13acc`, `ddi.micro4`, `ddi.macro4`,
        `ppi.cv10`, `ppi.cv10.instance` (a protocol's summary is the mean over the folds).
    confusion: write the confusion table.
    also: further profiles beside it, their figures are `PROFILE.f1`, `PROFILE.precision`, `PROFILE.recall`.

    Figures: `f1` (the primary one), `precision`, `recall`, `accuracy`, `instances`, `lost`, and `f1/CLASS`, `precision/CLASS`,
    `recall/CLASS`, `support/CLASS`, `predicted/CLASS`; all shares from 0 to 1, a share of nothing is 0.

    Files: `predictions.jsonl` (id, gold, predicted, scores, text), `scores.json` (profile, labels, figures, lost relations and
    their causes), `per_class.json` and `.tsv`, `confusion.tsv` (rows gold), `lost.jsonl`, and under `semeval2010.official` the
    report of the task's scorer, `semeval2010.txt`.

    RelconError where a profile does not fit the labels, or the data are unlabelled.

    Config::

        [evaluator]
        @evaluators = "relcon.Scores.v1"
        profile = "micro"
    """

    primary = "f1"

    def __init__(self, profile: ProfileName = "micro", confusion: bool = True, also: Optional[List[ProfileName]] = None):
        self.profile, self.confusion = pair_profile(profile).name, confusion
        self.also = [pair_profile(name).name for name in also or []]

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the model on the split; files where there is a folder. `train` is not looked at."""
        self.check(data)
        gold = gold_labels(data)
        probabilities = model.probabilities(data.instances) if gold else None
        numbers = [] if probabilities is None else probabilities.argmax(1).tolist()
        predicted = [model.labels.names[number] for number in numbers]
        figures = self.figures(gold, predicted, data)
        if folder is not None:
            write_predictions(folder / "predictions.jsonl", data.instances, gold, predicted, probabilities, model.labels)
            self.write_tables(folder, gold, predicted, data, figures)
        return figures

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """Every pair must have a label, and the profiles must fit the label set."""
        gold_labels(data)
        for name in [self.profile, *self.also]:
            pair_profile(name).counted(data.labels)

    def figures(self, gold: Sequence[str], predicted: Sequence[str], data: Split) -> Figures:
        """The figures under the profile, and the headlines under the others."""
        figures = score(gold, predicted, data.labels, self.profile, data.lost)
        for name in self.also:
            other = score(gold, predicted, data.labels, name, data.lost)
            figures.update({f"{name}.{kind}": other[kind] for kind in ("f1", "precision", "recall")})
        return figures

    def write_tables(self, folder: Path, gold: Sequence[str], predicted: Sequence[str], data: Split, figures: Figures) -> None:
        """Everything but the predictions."""
        write_scores(folder / "scores.json", self.profile, data.labels, figures, data.lost)
        write_per_class(folder, figures)
        write_lines(folder / "lost.jsonl", (each._asdict() for each in data.lost))
        if self.confusion:
            write_confusion(folder / "confusion.tsv", gold, predicted, data.labels, data.lost)
        if OFFICIAL in [self.profile, *self.also]:
            write_official(folder / "semeval2010.txt", gold, predicted, data.lost)


def write_official(path: Path, gold: Sequence[str], predicted: Sequence[Optional[str]], lost: Sequence[Lost]) -> None:
    """The official scorer's report, lost relations being what it calls skipped."""
    with atomic(path) as file:
        file.write(official_report([*gold, *(each.label for each in lost)], [*predicted, *(None for _ in lost)]))
