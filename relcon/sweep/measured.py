"""What a cell's run came to, read from its folder."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from relcon.files import read_jsonl, read_object
from relcon.runs import REPEATS
from relcon.sweep.cells import Figure

STEPS = ("steps", "after_steps")
"""Figures of a stage that count its optimizer steps: of its epochs, and of a phase behind each of them."""

PAIRS = ("positives", "negatives")
"""Figures of a contrastive task in the log: how many an anchor has."""


@dataclass(frozen=True)
class Measured:
    """What the runs of a cell (one for each seed or fold) measured.

    values: the figure in each run; [] where no run has it. known: the figures that the stage has ("STAGE.FIGURE").
    steps: stage -> optimizer steps by kind (`STEPS`), means over the runs. pairs: "STAGE.TASK" of each contrast -> positives and negatives
    per anchor, means over the logged steps. seconds: of all stages of all runs. memory: the most bytes that a training held, on a GPU
    by tensors, elsewhere by its process; None where nothing was trained.
    """

    values: List[float]
    known: List[str]
    steps: Dict[str, Dict[str, float]]
    pairs: Dict[str, Tuple[float, float]]
    seconds: float
    memory: Optional[int]


def measured(folder: Path, figure: Figure) -> Measured:
    """What the finished run in a folder came to."""
    runs = runs_of(folder)
    stages = [read_object(run / "run.json")["stages"] for run in runs]
    records = [record for run in runs for record in logged(run)]
    of_stage = [each[figure.stage]["figures"] for each in stages if figure.stage in each]
    return Measured(
        values=[figures[figure.name] for figures in of_stage if figure.name in figures],
        known=sorted({f"{figure.stage}.{name}" for figures in of_stage for name in figures}),
        steps=mean_steps(stages),
        pairs=mean_pairs(records),
        seconds=sum(stage["seconds"] for each in stages for stage in each.values()),
        memory=max((record["peak_memory_bytes"] for record in records if record["event"] == "epoch"), default=None),
    )


def runs_of(folder: Path) -> List[Path]:
    """The runs of a cell: those over folds or seeds, or the only one."""
    return sorted(path.parent for name in REPEATS for path in folder.glob(f"{name}/*/run.json")) or [folder]


def logged(run: Path) -> List[Dict[str, Any]]:
    """The lines of a run's log; none where nothing was logged."""
    return read_jsonl(run / "log.jsonl") if (run / "log.jsonl").exists() else []


def mean_steps(runs: List[Mapping[str, Any]]) -> Dict[str, Dict[str, float]]:
    """The steps of every stage that has any, means over the runs. runs: the stages of each, as `run.json` has them."""
    found: Dict[str, Dict[str, List[float]]] = {}
    for stages in runs:
        for name, stage in stages.items():
            for kind in STEPS:
                if kind in stage["figures"]:
                    found.setdefault(name, {}).setdefault(kind, []).append(stage["figures"][kind])
    return {name: {kind: fmean(values) for kind, values in kinds.items()} for name, kinds in found.items()}


def mean_pairs(records: List[Dict[str, Any]]) -> Dict[str, Tuple[float, float]]:
    """Positives and negatives per anchor of every contrast, means over the steps that the log has."""
    found: Dict[str, List[Tuple[float, float]]] = {}
    for record in records:
        if record["event"] == "step":
            for task, pair in pairs_of(record["figures"]):
                found.setdefault(f"{record['stage']}.{task}", []).append(pair)
    return {name: (fmean(pair[0] for pair in pairs), fmean(pair[1] for pair in pairs)) for name, pairs in found.items()}


def pairs_of(figures: Mapping[str, float]) -> Iterator[Tuple[str, Tuple[float, float]]]:
    """(task, (positives, negatives)) of a step's figures."""
    for key in figures:
        task, _, name = key.rpartition(".")
        if name == PAIRS[0] and f"{task}.{PAIRS[1]}" in figures:
            yield task, (figures[key], figures[f"{task}.{PAIRS[1]}"])
