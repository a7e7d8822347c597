"""The official scorer of SemEval-2010 Task 8 (Hendrickx et al., version 1.2): all its figures, in its layout.

It scores three times: (i) 18 directed relations and Other, (ii) nine relations, direction ignored, (iii) nine relations, where
the right relation with the wrong direction is an error; the macro F1 of (iii) is the official score. Only classes that occur in
the key are scored. An item without a prediction is skipped, which means as much as Other.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Literal, NamedTuple, Optional, Sequence, Union

import numpy as np

from relcon.errors import DataError, Problem, RelconError, did_you_mean, place
from relcon.evaluators.profiles import DIRECTED
from relcon.evaluators.scoring import Averages, Counts, averages_each, ratio

OTHER = "Other"
ANSWERS = (*DIRECTED, OTHER)

Way = Literal["directed", "undirected", "official"]
TITLES: Dict[Way, str] = {
    "directed": "(2*9+1)-WAY EVALUATION (USING DIRECTIONALITY)",
    "undirected": "(9+1)-WAY EVALUATION IGNORING DIRECTIONALITY",
    "official": "(9+1)-WAY EVALUATION TAKING DIRECTIONALITY INTO ACCOUNT -- OFFICIAL",
}


class Accuracies(NamedTuple):
    """Right answers of those that were given; of all, skipped ones being wrong; of all, skipped ones being Other."""

    answered: float
    skipped_wrong: float
    skipped_other: float


@dataclass(frozen=True)
class Evaluation:
    """One of the three ways.

    way. classes: those of the key, K, Other last. columns: those and what was predicted but is not in the key, M.
    confusion: [K, M] items, without those of wrong direction. wrong_direction, skipped: [K] items of each class; one of wrong
    direction was also predicted to be of its class.
    """

    way: Way
    classes: List[str]
    columns: List[str]
    confusion: np.ndarray
    wrong_direction: np.ndarray
    skipped: np.ndarray

    @property
    def actual(self) -> np.ndarray:
        """[K] items of the key."""
        return self.confusion.sum(1) + self.wrong_direction + self.skipped

    @property
    def counts(self) -> Counts:
        """Counts [K] of each class of the key."""
        size = len(self.classes)
        return Counts(np.diagonal(self.confusion), self.confusion.sum(0)[:size] + self.wrong_direction, self.actual)

    @property
    def relations(self) -> Counts:
        """The same without Other, which is never averaged."""
        kept = [number for number, name in enumerate(self.classes) if name != OTHER]
        return Counts(*(each[kept] for each in self.counts))

    @property
    def micro(self) -> Averages:
        """Over the sums of all relations."""
        return averages_each(Counts(*(each.sum() for each in self.relations)))

    @property
    def macro(self) -> Averages:
        """Means over the relations of the key; the F1 of `official` is the score of the task."""
        return Averages(*(ratio(each.sum(), np.array(each.size)) for each in averages_each(self.relations)))

    @property
    def accuracies(self) -> Accuracies:
        """Three readings of accuracy; items of wrong direction are wrong."""
        right, skipped, items = self.counts.right.sum(), self.skipped.sum(), self.actual.sum()
        skipped_others = sum(self.skipped[number] for number, name in enumerate(self.classes) if name == OTHER)
        pairs = ((right, items - skipped), (right, items), (right + skipped_others, items))
        return Accuracies(*(float(ratio(above, below)) for above, below in pairs))


def evaluate_answers(gold: Sequence[str], predicted: Sequence[Optional[str]], way: Way) -> Evaluation:
    """One of the three evaluations. predicted: None for a skipped item. RelconError for a label that is none of the task's."""
    for label in {*gold, *(each for each in predicted if each is not None)}:
        if label not in ANSWERS:
            raise RelconError(f"'{label}' is no label of SemEval-2010 Task 8.{did_you_mean(label, ANSWERS)}")
    key = [_class(label, way) for label in gold]
    guesses = [None if label is None else _class(label, way) for label in predicted]
    classes = sorted(set(key), key=_order)
    columns = classes + sorted({guess for guess in guesses if guess is not None} - set(classes), key=_order)
    place_of = {name: number for number, name in enumerate(columns)}
    confusion = np.zeros((len(classes), len(columns)), dtype=np.int64)
    wrong, skipped = np.zeros(len(classes), dtype=np.int64), np.zeros(len(classes), dtype=np.int64)
    for truth, answer, row, guess in zip(gold, predicted, key, guesses, strict=True):
        if guess is None:
            skipped[place_of[row]] += 1
        elif way == "official" and row == guess and truth != answer:
            wrong[place_of[row]] += 1  # counted beside the table, as a prediction and as an item of this relation
        else:
            confusion[place_of[row], place_of[guess]] += 1
    return Evaluation(way, classes, columns, confusion, wrong, skipped)


def official_report(gold: Sequence[str], predicted: Sequence[Optional[str]]) -> str:
    """The three evaluations as text: confusion, accuracies, each relation, micro and macro averages.

    gold: labels of the items ("Cause-Effect(e1,e2)", "Other"). predicted: theirs, None for an item without a prediction.
    """
    evaluations = [evaluate_answers(gold, predicted, way) for way in TITLES]
    parts = ["\n".join([f"<<< {TITLES[each.way]} >>>", "", *_confusion(each), "", *_summary(each)]) for each in evaluations]
    official = _percent(evaluations[-1].macro.f1).strip()
    return "\n\n\n".join([*parts, f"<<< The official score is the macro-averaged F1 of the last evaluation: {official} >>>\n"])


# ---- layout --------------------------------------------------------------------------------------------------------------


def _confusion(evaluation: Evaluation) -> List[str]:
    """The table, rows gold, columns predicted; `*` marks a column that is not in the key."""
    known = set(evaluation.classes)
    margins = {"-SUM-": evaluation.confusion.sum(1), "xDIRx": evaluation.wrong_direction, "skip": evaluation.skipped}
    margins["ACTUAL"] = evaluation.actual
    if evaluation.way != "official":
        del margins["xDIRx"]
    names = [("" if name in known else "*") + _short(name) for name in evaluation.columns]
    head = f"{'':>6} | " + " ".join(f"{name:>5}" for name in names) + " | " + " ".join(f"{name:>6}" for name in margins)
    rows = [
        _row(_short(name), evaluation.confusion[number], [column[number] for column in margins.values()])
        for number, name in enumerate(evaluation.classes)
    ]
    line = "-" * len(head)
    sums = _row("-SUM-", evaluation.confusion.sum(0), [column.sum() for column in margins.values()])
    return ["Confusion matrix (rows: key; columns: classified as):", head, line, *rows, line, sums]


def _row(name: str, cells: np.ndarray, margins: Sequence[int]) -> str:
    return f"{name:>6} | " + " ".join(f"{cell:>5}" for cell in cells) + " | " + " ".join(f"{cell:>6}" for cell in margins)


def _summary(evaluation: Evaluation) -> List[str]:
    """Coverage, accuracies, the figures of each class and their averages."""
    items, skipped = int(evaluation.actual.sum()), int(evaluation.skipped.sum())
    accuracies, counts = evaluation.accuracies, evaluation.counts
    each, totals = averages_each(counts), Counts(*(column.sum() for column in evaluation.relations))
    return [
        f"Coverage = {items - skipped}/{items} = {_percent(ratio(np.array(items - skipped), np.array(items))).strip()}",
        f"Accuracy (of the answered items)           = {_percent(accuracies.answered)}",
        f"Accuracy (skipped items counted as wrong)  = {_percent(accuracies.skipped_wrong)}",
        f"Accuracy (skipped items counted as Other)  = {_percent(accuracies.skipped_other)}",
        "",
        "Results for the individual relations:",
        *(
            _ratios(name, Counts(*(column[number] for column in counts)), Averages(*(column[number] for column in each)))
            for number, name in enumerate(evaluation.classes)
        ),
        "",
        "Micro-averaged result (excluding Other):",
        _ratios("", totals, evaluation.micro),
        "",
        "MACRO-averaged result (excluding Other):",
        "  ".join(f"{name} = {_percent(value)}" for name, value in zip(("P", "R", "F1"), evaluation.macro, strict=True)),
    ]


def _ratios(name: str, counts: Counts, values: Averages) -> str:
    """`NAME : P = right/predicted = 50.00%  R = right/gold = 50.00%  F1 = 50.00%`."""
    precision = f"P = {counts.right:>4}/{counts.predicted:>4} = {_percent(values.precision)}"
    recall = f"R = {counts.right:>4}/{counts.gold:>4} = {_percent(values.recall)}"
    return (f"{name:>25} : " if name else "") + f"{precision}     {recall}     F1 = {_percent(values.f1)}"


def _class(label: str, way: Way) -> str:
    return label if way == "directed" else label.partition("(")[0]


def _order(name: str) -> str:
    """Alphabetically, Other last."""
    return "~" if name == OTHER else name


def _short(name: str) -> str:
    """`Cause-Effect(e2,e1)` -> `C-E2`, `Other` -> `_O_`."""
    if name == OTHER:
        return "_O_"
    relation, _, order = name.partition("(")
    return "-".join(word[0] for word in relation.split("-")) + order[1:2]


def _percent(value: Union[float, np.ndarray]) -> str:
    return f"{100 * float(value):6.2f}%"


# ---- answer files --------------------------------------------------------------------------------------------------------


def read_answers(path: Path) -> Dict[str, str]:
    """Item -> label of a key or of proposed answers: lines `ID<TAB>LABEL`, in any order.

    DataError lists lines that are none, unknown labels and items that occur twice; RelconError where the file is missing, empty or no
    text.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise RelconError(f"{path} does not exist.") from None
    except UnicodeDecodeError as error:
        raise RelconError(f"{path} is not UTF-8 text (byte {error.start + 1}); expected lines ID<TAB>LABEL.") from None
    answers: Dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        item, _, label = line.partition("\t")
        fault = _fault(item, label, answers)
        if fault:
            problems.append(Problem(place(path, number), fault))
        answers[item] = label
    if problems:
        raise DataError(problems, f"{path} is no file of SemEval-2010 answers:")
    if not answers:
        raise RelconError(f"{path} is empty; expected lines ID<TAB>LABEL.")
    return answers


def _fault(item: str, label: str, known: Dict[str, str]) -> Optional[str]:
    """What is wrong with a line; None where nothing is."""
    if not item or not label:
        return "expected ID<TAB>LABEL"
    if label not in ANSWERS:
        return f"'{label}' is no label of the task.{did_you_mean(label, ANSWERS)}"
    if item in known:
        return f"item {item} occurs twice"
    return None
