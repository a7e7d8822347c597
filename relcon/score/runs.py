"""What an evaluation left in its folder, as material for every metric profile."""

from pathlib import Path
from typing import Optional

from relcon.compare import read_results
from relcon.compare.extractions import ExtractionResults
from relcon.compare.pairs import PairResults
from relcon.compare.results import PREDICTIONS, SCORES
from relcon.errors import RelconError
from relcon.evaluators.documents import SUBMISSION
from relcon.evaluators.episodes import WHAT as EPISODES
from relcon.files import read_object
from relcon.interfaces import Lost
from relcon.score.comparing import Predictions
from relcon.score.material import Extractions, Material, Measured, Pairs


def of_run(folder: Path) -> Optional[Predictions]:
    """The predictions, or figures, of an evaluator's folder; None where it measures something that no profile scores."""
    material = _material(folder)
    return None if material is None else Predictions([material], {})


def _material(folder: Path) -> Optional[Material]:
    if (folder / PREDICTIONS).is_file():
        return _predictions(folder)
    if not (folder / SCORES).is_file():
        return None
    scores = read_object(folder / SCORES)
    if scores.get("measures") == EPISODES:
        figures = scores["figures"]
        return Measured("episodes", {scores["profile"]: figures}, f"needs other episodes than those of '{scores['profile']}'")
    return _facts(scores["figures"]) if (folder / SUBMISSION).is_file() else None


def _predictions(folder: Path) -> Material:
    """Of an evaluator that leaves predictions."""
    results = read_results(folder)
    if isinstance(results, ExtractionResults):
        return Extractions(list(results.documents.values()), results.direction_free)
    if not isinstance(results, PairResults):
        raise RelconError(f"{folder} holds predictions that no metric profile scores.")
    labels = results.labels
    answers = results.predictions.values()
    lost = [Lost("", 0, 0, label, "") for label in results.lost]
    return Pairs([each.gold for each in answers], [each.predicted for each in answers], lost, lambda profile: labels)


def _facts(figures: "dict[str, float]") -> Measured:
    """Of `relcon.DocumentScores.v1`, at the threshold in use."""
    found = {"docred.f1": {name: figures[name] for name in ("precision", "recall", "f1")}}
    if "ign_f1" in figures:
        found["docred.ign_f1"] = {"precision": figures["ign_precision"], "recall": figures["recall"], "f1": figures["ign_f1"]}
    return Measured("facts", found, "leaves out facts of the training data, and none were given (ignore_train = false)")
