"""Compare two runs on the same instances: their figures, whether the difference is more than chance, and where they differ."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Dict, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon.data.labels import LabelSet
from relcon.errors import DataError, Problem, RelconError, place
from relcon.evaluators.profiles import PROFILES, profile_of
from relcon.files import read_json
from relcon.runs import REPEATS
from relcon.significance import Answer, Cells, bootstrap, mcnemar, paired_t, randomisation

PREDICTIONS, SCORES = "predictions.jsonl", "scores.json"
Metric = Literal["f1", "precision", "recall"]


class Prediction(NamedTuple):
    """One line of `predictions.jsonl`."""

    gold: str
    predicted: str
    text: str


@dataclass(frozen=True)
class Results:
    """What one evaluation left: predictions by instance id, and what they were scored with."""

    folder: Path
    predictions: Mapping[str, Prediction]
    profile: str
    labels: LabelSet
    lost: List[str]


class Example(NamedTuple):
    """An instance on which A and B differ. run: the fold or seed, or ""."""

    run: str
    id: str
    gold: str
    a: str
    b: str
    text: str

    @property
    def group(self) -> str:
        """Who is right: `only A`, `only B` or `neither`."""
        return "only A" if self.a == self.gold else "only B" if self.b == self.gold else "neither"


@dataclass(frozen=True)
class Comparison:
    """Run A against run B.

    a, b: where they lie. profile, metric: what is compared. runs: names of folds or seeds, [""] for single runs.
    figures_a, figures_b: the figure of each run; their means are compared. interval: 95 % bootstrap interval of the difference
    A - B. p_randomisation: its two-sided p over `trials` exchanges. p_mcnemar: of right and wrong answers; None where an instance is
    answered in several runs. p_t: paired t-test over the runs; None for one.
    instances: how many were paired. examples: those on which the predictions differ.
    """

    a: Path
    b: Path
    profile: str
    metric: str
    runs: List[str]
    figures_a: List[float]
    figures_b: List[float]
    interval: Tuple[float, float]
    p_randomisation: float
    p_mcnemar: Optional[float]
    p_t: Optional[float]
    trials: int
    instances: int
    examples: List[Example]

    @property
    def difference(self) -> float:
        """Mean of A minus mean of B."""
        return fmean(self.figures_a) - fmean(self.figures_b)

    def grouped(self) -> Dict[str, List[Example]]:
        """The instances on which they differ, by who is right."""
        return {group: [each for each in self.examples if each.group == group] for group in ("only A", "only B", "neither")}


def compare_runs(
    a: Path, b: Path, *, metric: Metric = "f1", profile: Optional[str] = None, trials: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare two runs that evaluated the same instances.

    a, b: run folders, or folders of one evaluation (`RUN/stages/STAGE/EVALUATOR`); runs over folds or seeds must have the same.
    metric: of the profile. profile: instead of the one that both were scored with. trials: exchanges and bootstrap samples.
    seed: draws them.

    RelconError where a run has no predictions, or where instances, gold labels, label sets or profiles differ. ValueError where
    trials are fewer than 1.
    """
    if trials < 1:
        raise ValueError(f"trials: {trials} is below 1")
    found = [{name: read_results(folder) for name, folder in evaluations(path).items()} for path in (a, b)]
    runs = _same_runs(a, b, *found)
    pairs = [(found[0][name], found[1][name]) for name in runs]
    rule = profile_of(profile or _one_profile([each for pair in pairs for each in pair]))
    for one, other in pairs:
        _check_labels(pairs[0][0], one)
        _check_pair(one, other)
    answers = [
        {uid: Answer(one.gold, one.predicted, second.predictions[uid].predicted) for uid, one in first.predictions.items()}
        for first, second in pairs
    ]
    cells = Cells.of(answers, [first.lost for first, _ in pairs], rule.counted(pairs[0][0].labels), rule, metric)
    figures_a, figures_b = cells.observed().tolist()
    examples = [example for name, pair in zip(runs, pairs, strict=True) for example in _examples(name, *pair)]
    groups = [example.group for example in examples]
    once = sum(map(len, answers)) == len({uid for run in answers for uid in run})
    return Comparison(
        a, b, rule.name, metric, runs, figures_a, figures_b,
        interval=bootstrap(cells, trials, seed),
        p_randomisation=randomisation(cells, trials, seed),
        p_mcnemar=mcnemar(groups.count("only A"), groups.count("only B")) if once else None,
        p_t=paired_t(figures_a, figures_b),
        trials=trials, instances=int(cells.sizes.sum()), examples=examples,
    )  # fmt: skip


# ---- finding and reading -------------------------------------------------------------------------------------------------


def evaluations(path: Path) -> Dict[str, Path]:
    """Fold or seed ("" for a single run) -> the folder of its predictions.

    path: a run, a stage's folder, or the folder that holds the predictions. In a run over folds or seeds, a path below the run
    stands for that path in each of them (`RUN/stages/STAGE`). RelconError where there are no predictions, or several to choose from.
    """
    above = [] if path.exists() else [parent for parent in path.parents if (parent / "run.json").is_file()]
    for run in [path, *above]:
        repeated = [folder for kind in REPEATS for folder in run.glob(f"{kind}/*") if folder.is_dir()]
        if repeated:
            return {
                folder.relative_to(run).as_posix(): _evaluation(folder / path.relative_to(run)) for folder in sorted(repeated, key=_place)
            }
    return {"": _evaluation(path)}


def _place(folder: Path) -> Tuple[int, str]:
    """A sort key under which `seed_2` comes before `seed_10`."""
    return len(folder.name), folder.name


def _evaluation(path: Path) -> Path:
    """The one folder at or below this path that holds predictions."""
    if not path.is_dir():
        raise RelconError(f"{path} is no folder. Give the folder of a finished run.")
    if (path / PREDICTIONS).is_file():
        return path
    below = sorted(file.parent for pattern in ("*", "stages/*/*") for file in path.glob(f"{pattern}/{PREDICTIONS}"))
    if len(below) == 1:
        return below[0]
    if below:
        raise RelconError(f"{path} holds several evaluations; name one of them: {', '.join(map(str, below))}.")
    raise RelconError(
        f"{path} holds no {PREDICTIONS}: the run is not finished, or it has no evaluation stage with relcon.Scores.v1. "
        "Finish it (relcon train ... --resume), or add the stage."
    )


def read_results(folder: Path) -> Results:
    """The predictions of one evaluation and what they were scored with. DataError for broken lines."""
    if not (folder / SCORES).is_file():
        raise RelconError(f"{folder} has no {SCORES} beside its {PREDICTIONS}; relcon.Scores.v1 writes both. Evaluate the run again.")
    scores = read_json(folder / SCORES)
    try:
        labels = LabelSet(tuple(scores["labels"]), frozenset(scores["negative"]), frozenset(scores.get("symmetric", ())))
        profile, lost = str(scores["profile"]), [str(each["label"]) for each in scores["lost"]]
        for label in lost:
            labels.number(label)
    except (KeyError, TypeError, RelconError) as error:
        raise RelconError(f"{folder / SCORES} is not what relcon.Scores.v1 writes ({error}). Evaluate the run again.") from None
    return Results(folder, _predictions(folder / PREDICTIONS, labels), profile, labels, lost)


def _predictions(path: Path, labels: LabelSet) -> Dict[str, Prediction]:
    found: Dict[str, Prediction] = {}
    problems = []
    with path.open("rb") as file:
        lines = list(file)  # not splitlines(), which also cuts at characters that may stand in a sentence
    for number, line in enumerate(lines, start=1):
        try:
            record = _record(line, labels)
            if record["id"] in found:
                raise RelconError(f"the instance {record['id']} occurs twice")
            found[record["id"]] = Prediction(record["gold"], record["predicted"], str(record.get("text", "")))
        except RelconError as error:
            problems.append(Problem(place(path, number), str(error)))
    if problems:
        raise DataError(problems, f"{path} holds no predictions that can be compared:")
    if not found:
        raise RelconError(f"{path} is empty: the evaluation had no instances.")
    return found


def _record(line: bytes, labels: LabelSet) -> Dict[str, Any]:
    """The prediction that a line holds. RelconError where it holds none, or a label that is none of the task."""
    try:
        record = json.loads(line)
    except ValueError:  # no JSON, or no UTF-8
        record = None
    if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("id", "gold", "predicted")):
        raise RelconError('expected {"id": TEXT, "gold": LABEL, "predicted": LABEL, ...}')
    for key in ("gold", "predicted"):
        labels.number(record[key])
    return record


# ---- pairing -------------------------------------------------------------------------------------------------------------


def _same_runs(a: Path, b: Path, one: Mapping[str, Results], other: Mapping[str, Results]) -> List[str]:
    """The folds or seeds that both have."""
    if set(one) != set(other):
        names = [", ".join(filter(None, each)) or "a single run" for each in (one, other)]
        raise RelconError(f"The runs cannot be paired: {a} has {names[0]}, {b} has {names[1]}. Compare runs with the same folds or seeds.")
    return list(one)


def _one_profile(results: Sequence[Results]) -> str:
    """The profile that all were scored with."""
    names = sorted({each.profile for each in results})
    if len(names) > 1:
        raise RelconError(f"The runs were scored under different profiles ({', '.join(names)}). Choose one: --profile {names[0]}.")
    if names[0] not in PROFILES:
        raise RelconError(f"The runs were scored under '{names[0]}', which this relcon does not know. Choose another: --profile micro.")
    return names[0]


def _check_labels(one: Results, other: Results) -> None:
    """RelconError where the two did not choose between the same labels."""
    if (set(one.labels.names), one.labels.negative) != (set(other.labels.names), other.labels.negative):
        sides = [f"{', '.join(each.labels.names)} (negative: {', '.join(sorted(each.labels.negative)) or 'none'})" for each in (one, other)]
        raise RelconError(f"{one.folder} and {other.folder} cannot be compared: their labels differ, {sides[0]} and {sides[1]}.")


def _check_pair(one: Results, other: Results) -> None:
    """RelconError where the two did not answer the same questions."""
    _check_labels(one, other)
    where = f"{one.folder} and {other.folder} cannot be compared"
    alone = [[uid for uid in first.predictions if uid not in second.predictions] for first, second in ((one, other), (other, one))]
    if any(alone):
        parts = [f"{len(ids)} only in {'AB'[side]}, the first is {ids[0]}" for side, ids in enumerate(alone) if ids]
        raise RelconError(f"{where}: they have different instances ({'; '.join(parts)}). Evaluate both on the same data and candidates.")
    changed = [uid for uid, each in one.predictions.items() if each.gold != other.predictions[uid].gold]
    if changed:
        gold = one.predictions[changed[0]].gold, other.predictions[changed[0]].gold
        raise RelconError(f"{where}: {len(changed)} gold labels differ ({changed[0]} is '{gold[0]}' in A and '{gold[1]}' in B).")
    if sorted(one.lost) != sorted(other.lost):
        raise RelconError(f"{where}: {len(one.lost)} gold relations were lost as candidates in A, {len(other.lost)} in B, or other ones.")


def _examples(run: str, one: Results, other: Results) -> List[Example]:
    """The instances on which the two predictions differ."""
    return [
        Example(run, uid, each.gold, each.predicted, other.predictions[uid].predicted, each.text or other.predictions[uid].text)
        for uid, each in one.predictions.items()
        if each.predicted != other.predictions[uid].predicted
    ]
