"""Named metric profiles: the same words, 'F1 on ChemProt', stand for different numbers; a profile's name says which.

A profile is data: which classes count, how they are averaged, whether direction is part of a class. `count` and `figures` do
the arithmetic for all of them.
"""

from dataclasses import dataclass
from typing import Dict, List, Literal, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from relcon.data.labels import LabelSet
from relcon.errors import RelconError, did_you_mean

SEMEVAL = (
    "Cause-Effect", "Component-Whole", "Content-Container", "Entity-Destination", "Entity-Origin",
    "Instrument-Agency", "Member-Collection", "Message-Topic", "Product-Producer",
)  # fmt: skip
DIRECTED = tuple(f"{relation}({order})" for relation in SEMEVAL for order in ("e1,e2", "e2,e1"))
CPR = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
DDI = ("DDI-advise", "DDI-effect", "DDI-int", "DDI-mechanism")


@dataclass(frozen=True)
class Profile:
    """How predictions become one figure.

    average: micro over the counted classes, macro (mean of their F1), or accuracy over all instances.
    classes: the classes that count; None for every label that is not negative.
    undirected_classes: labels that differ in their direction are one class ("Cause-Effect(e1,e2)" is Cause-Effect), while a
        prediction is right only with the right direction.
    macro_over: which counted classes enter a macro mean: those with a `gold` instance, or `all`.
    note: who uses it, in a few words.
    """

    average: Literal["micro", "macro", "accuracy"]
    classes: Optional[Tuple[str, ...]] = None
    undirected_classes: bool = False
    macro_over: Literal["gold", "all"] = "gold"
    note: str = ""

    def class_of(self, label: str) -> str:
        """The class that a label belongs to."""
        return label.partition("(")[0] if self.undirected_classes else label

    def counted(self, labels: LabelSet) -> List[str]:
        """The classes that count, for this label set. RelconError where the label set lacks one of them."""
        known = list(dict.fromkeys(self.class_of(name) for name in labels.positive))
        missing = [name for name in self.classes or () if name not in known]
        if missing:
            raise RelconError(
                f"The metric profile counts {', '.join(missing)}, which the data do not have (labels: {', '.join(labels.names)}). "
                "Name another profile (micro, macro, accuracy fit any data), or list all labels in [data] labels."
            )
        return list(self.classes or known)


PROFILES: Dict[str, Profile] = {
    "micro": Profile("micro", note="all labels that are no negative, micro average"),
    "macro": Profile("macro", note="all labels that are no negative and occur in the gold data, mean of their F1"),
    "accuracy": Profile("accuracy", note="share of right predictions, negative labels included"),
    "semeval2010.official": Profile(
        "macro", SEMEVAL, undirected_classes=True, note="official scorer: macro F1 of nine relations, direction counts, Other left out"
    ),
    "semeval2010.micro18": Profile("micro", DIRECTED, note="micro over 18 directed labels, Other left out (CP, ERICA, FineCL)"),
    "tacred.micro": Profile("micro", note="micro over all labels but no_relation"),
    "chemprot.cpr5": Profile("micro", CPR, note="micro over the five evaluated groups (BioCreative VI, BLURB, CLRE)"),
    "ddi.micro4": Profile("micro", DDI, note="micro over four types (SemEval-2013 task 9, BLURB, CLRE)"),
    "ddi.macro4": Profile("macro", DDI, macro_over="all", note="macro over four types (BLUE since August 2019)"),
    "ppi.cv10": Profile("micro", note="F1 of the positive class in each document-level fold; a protocol takes the mean"),
    "ppi.cv10.instance": Profile("micro", note="the same over folds of instances, as published by CLRE"),
}
"""Profiles by the name that an evaluator's `profile` gives."""


def profile_of(name: str) -> Profile:
    """The profile of this name; RelconError with the nearest name where there is none."""
    if name not in PROFILES:
        raise RelconError(f"There is no metric profile '{name}'.{did_you_mean(name, PROFILES)}")
    return PROFILES[name]


class Counts(NamedTuple):
    """Per counted class [..., K]: right predictions, predictions, gold instances. Leading dimensions are free."""

    right: np.ndarray
    predicted: np.ndarray
    gold: np.ndarray


class Averages(NamedTuple):
    """Precision, recall and F1 of a profile, each [...]."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def indicator(values: Sequence[Optional[str]], classes: Sequence[str], profile: Profile) -> np.ndarray:
    """[N, K] 1 where an instance's label belongs to a class. None (no prediction, no label) belongs to none."""
    column = {name: number for number, name in enumerate(classes)}
    table = np.zeros((len(values), len(classes)), dtype=np.int64)
    for row, value in enumerate(values):
        number = None if value is None else column.get(profile.class_of(value))
        if number is not None:
            table[row, number] = 1
    return table


def count(
    gold: Sequence[str], predicted: Sequence[Optional[str]], classes: Sequence[str], profile: Profile, lost: Sequence[str] = ()
) -> Counts:
    """Counts per class. predicted: None for no prediction. lost: gold labels that were never candidates; they count as missed."""
    truth, guess = indicator(gold, classes, profile), indicator(predicted, classes, profile)
    right = truth * np.array([g == p for g, p in zip(gold, predicted, strict=True)], dtype=np.int64)[:, None]
    return Counts(right.sum(0), guess.sum(0), truth.sum(0) + indicator(lost, classes, profile).sum(0))


def averages(counts: Counts, profile: Profile) -> Averages:
    """Precision, recall and F1 as the profile averages them; a ratio with nothing below is 0."""
    if profile.average == "macro":
        each = f_scores(counts)
        chosen = counts.gold > 0 if profile.macro_over == "gold" else np.ones_like(counts.gold, dtype=bool)
        return Averages(*(ratio((values * chosen).sum(-1), chosen.sum(-1)) for values in each))
    return f_scores(Counts(*(each.sum(-1) for each in counts)))


def f_scores(counts: Counts) -> Averages:
    """Precision, recall and F1 of each entry."""
    precision, recall = ratio(counts.right, counts.predicted), ratio(counts.right, counts.gold)
    return Averages(precision, recall, ratio(2 * counts.right, counts.predicted + counts.gold))


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, 0 where there is nothing below."""
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)


def score(
    gold: Sequence[str], predicted: Sequence[Optional[str]], labels: LabelSet, profile: str, lost: Sequence[str] = ()
) -> Dict[str, float]:
    """All figures of a profile: `f1` (the headline; accuracy under the profile of that name), `precision`, `recall`,
    `accuracy`, and per counted class `f1/CLASS`, `precision/CLASS`, `recall/CLASS`, `support/CLASS`.

    gold: labels of the instances. predicted: theirs, None for no prediction. lost: gold labels that were never candidates.
    """
    rule = profile_of(profile)
    classes = rule.counted(labels)
    counts = count(gold, predicted, classes, rule, lost)
    accuracy = float(ratio(np.sum([g == p for g, p in zip(gold, predicted, strict=True)]), np.asarray(len(gold) + len(lost))))
    if rule.average == "accuracy":
        return {"f1": accuracy, "accuracy": accuracy, **_per_class(counts, classes)}
    mean = averages(counts, rule)
    headline = {"f1": float(mean.f1), "precision": float(mean.precision), "recall": float(mean.recall), "accuracy": accuracy}
    return {**headline, **_per_class(counts, classes)}


def _per_class(counts: Counts, classes: Sequence[str]) -> Dict[str, float]:
    each = f_scores(counts)
    figures: Dict[str, float] = {}
    for number, name in enumerate(classes):
        figures[f"f1/{name}"] = float(each.f1[number])
        figures[f"precision/{name}"] = float(each.precision[number])
        figures[f"recall/{name}"] = float(each.recall[number])
        figures[f"support/{name}"] = float(counts.gold[number])
    return figures
