"""Where a run keeps what its evaluation left, and of which kind that is."""

from pathlib import Path
from typing import Dict, Tuple

from relcon.compare.extractions import ExtractionResults
from relcon.compare.pairs import PairResults
from relcon.compare.results import PREDICTIONS, SCORES, Results
from relcon.errors import RelconError
from relcon.evaluators.extracted import WHAT
from relcon.files import read_json
from relcon.runs import REPEATS


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
    others = sorted(file.parent.relative_to(path).as_posix() for file in path.glob(f"stages/*/*/{SCORES}"))
    if others:
        raise RelconError(
            f"{path} holds no {PREDICTIONS}: what it was measured with ({', '.join(others)}) leaves nothing to pair, as "
            f"relcon.DocumentScores.v1 does. Compare these in {path / 'metrics.json'}, or evaluate with {PairResults.evaluator} or "
            f"{ExtractionResults.evaluator} beside it."
        )
    raise RelconError(
        f"{path} holds no {PREDICTIONS}: the run is not finished, or it has no evaluation stage with {PairResults.evaluator} or "
        f"{ExtractionResults.evaluator}. Finish it (relcon train ... --resume), or add the stage."
    )


def read_results(folder: Path) -> Results:
    """The predictions of one evaluation and what they were scored with. DataError for broken lines."""
    if not (folder / SCORES).is_file():
        raise RelconError(f"{folder} has no {SCORES} beside its {PREDICTIONS}; evaluators write both. Evaluate the run again.")
    scores = read_json(folder / SCORES)
    kind = ExtractionResults if isinstance(scores, dict) and scores.get("measures") == WHAT else PairResults
    return kind.read(folder, scores)
