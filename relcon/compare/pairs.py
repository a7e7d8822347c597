"""Labels of candidate pairs, as `relcon.Scores.v1` leaves them."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, List, Mapping, NamedTuple, Sequence, Tuple

from relcon.compare.results import PREDICTIONS, Example, Metric, Results, not_written_by, read_lines, record_of, unlike
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.profiles import PAIR_PROFILES, pair_profile
from relcon.significance import Answer, Cells


class Prediction(NamedTuple):
    """One line of `predictions.jsonl`."""

    gold: str
    predicted: str
    text: str


@dataclass(frozen=True)
class PairResults(Results):
    """Predictions by instance id, and what they were scored with. lost: the labels of gold relations that were never candidates."""

    evaluator: ClassVar[str] = "relcon.Scores.v1"
    asked: ClassVar[str] = "instances"
    profiles: ClassVar[Sequence[str]] = tuple(PAIR_PROFILES)
    one_answer: ClassVar[bool] = True

    folder: Path
    predictions: Mapping[str, Prediction]
    profile: str
    labels: LabelSet
    lost: List[str]

    @classmethod
    def read(cls, folder: Path, scores: Mapping[str, Any]) -> "PairResults":
        """From a folder and its `scores.json`. DataError for broken lines."""
        try:
            labels = LabelSet(tuple(scores["labels"]), frozenset(scores["negative"]), frozenset(scores.get("symmetric", ())))
            profile, lost = str(scores["profile"]), [str(each["label"]) for each in scores["lost"]]
            for label in lost:
                labels.number(label)
        except (KeyError, TypeError, RelconError) as error:
            raise not_written_by(cls.evaluator, folder, error) from None
        predictions = read_lines(folder / PREDICTIONS, partial(_prediction, labels=labels), cls.asked)
        return cls(folder, predictions, profile, labels, lost)

    @property
    def gold(self) -> Mapping[str, str]:
        """The gold labels."""
        return {uid: each.gold for uid, each in self.predictions.items()}

    def require_same_task(self, other: "PairResults") -> None:
        """RelconError where the two did not choose between the same labels, or lost other relations."""
        if (set(self.labels.names), self.labels.negative) != (set(other.labels.names), other.labels.negative):
            one, two = (
                f"{', '.join(each.labels.names)} (negative: {', '.join(sorted(each.labels.negative)) or 'none'})" for each in (self, other)
            )
            raise RelconError(f"{unlike(self, other)}: their labels differ, {one} and {two}.")

    def require_same_gold(self, other: Results) -> None:
        """As of `Results`; lost relations are questions too, which nobody answered."""
        super().require_same_gold(other)
        if isinstance(other, PairResults) and sorted(self.lost) != sorted(other.lost):
            counts = f"{len(self.lost)} gold relations were lost as candidates in A, {len(other.lost)} in B, or other ones"
            raise RelconError(f"{unlike(self, other)}: {counts}.")

    @classmethod
    def cells(cls, pairs: Sequence[Tuple["PairResults", "PairResults"]], profile: str, metric: Metric) -> Cells:
        """Cells of labels."""
        answers = [
            {uid: Answer(one.gold, one.predicted, second.predictions[uid].predicted) for uid, one in first.predictions.items()}
            for first, second in pairs
        ]
        rule = pair_profile(profile)
        return Cells.of(answers, [first.lost for first, _ in pairs], rule.counted(pairs[0][0].labels), rule, metric)

    def examples(self, run: str, other: "PairResults", profile: str) -> List[Example]:
        """The instances whose predicted labels differ."""
        return [
            Example(run, uid, each.gold, each.predicted, other.predictions[uid].predicted, each.text or other.predictions[uid].text)
            for uid, each in self.predictions.items()
            if each.predicted != other.predictions[uid].predicted
        ]


def _prediction(line: bytes, labels: LabelSet) -> Tuple[str, Prediction]:
    """The prediction that a line holds. RelconError where it holds none, or a label that is none of the task."""
    record = record_of(line)
    if not all(isinstance(record.get(key), str) for key in ("id", "gold", "predicted")):
        raise RelconError('expected {"id": TEXT, "gold": LABEL, "predicted": LABEL, ...}')
    for key in ("gold", "predicted"):
        labels.number(record[key])
    return record["id"], Prediction(record["gold"], record["predicted"], str(record.get("text", "")))
