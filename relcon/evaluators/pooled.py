"""Folds taken together: their predictions in one heap, as if they were one test."""

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from relcon.data.labels import LabelSet
from relcon.evaluators.extracted import WHAT, Extracted, extraction_figures
from relcon.evaluators.scoring import Figures, score
from relcon.files import read_json
from relcon.interfaces import Lost

HEADLINES = ("precision", "recall", "f1", "accuracy", "instances", "lost")


def pooled_stages(parts: Sequence[Path], stages: Sequence[str]) -> Dict[str, Figures]:
    """Pooled figures of every evaluator of some evaluation stages that wrote predictions, by `STAGE.EVALUATOR`.

    parts: the folders of the folds' runs. Empty where an instance was tested twice, as under several seeds.
    """
    places = {
        f"{stage}.{file.parent.name}": file.parent.relative_to(parts[0])
        for stage in stages
        for file in sorted(parts[0].glob(f"stages/{stage}/*/predictions.jsonl"))
    }
    found = {name: pooled([part / place for part in parts]) for name, place in places.items()}
    return {name: figures for name, figures in found.items() if figures is not None}


def pooled(folders: Sequence[Path]) -> Optional[Figures]:
    """Precision, recall and F1 over the predictions of several folders of one evaluator, as the first of them was scored.

    folders: one per fold, with `predictions.jsonl` and `scores.json`. None where an instance (a document, of an extractor) is in two of
    them.
    """
    files = [folder / "predictions.jsonl" for folder in folders]
    predictions = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line]
    if len({record["id"] for record in predictions}) < len(predictions):
        return None
    told = [read_json(folder / "scores.json") for folder in folders]
    return _of_documents(predictions, told[0]) if told[0].get("measures") == WHAT else _of_pairs(predictions, told)


def _of_documents(predictions: Sequence[Mapping[str, Any]], told: Mapping[str, Any]) -> Figures:
    """Of `relcon.Extraction.v1`."""
    documents = map(Extracted.from_record, predictions)
    return extraction_figures([sentence for each in documents for sentence in each.parts(told["undirected"])])


def _of_pairs(predictions: Sequence[Mapping[str, Any]], told: List[Dict[str, Any]]) -> Figures:
    """Of `relcon.Scores.v1`, under the profile of the first."""
    labels = LabelSet(tuple(told[0]["labels"]), frozenset(told[0]["negative"]), frozenset(told[0]["symmetric"]))
    lost = [Lost(**each) for part in told for each in part["lost"]]
    figures = score([each["gold"] for each in predictions], [each["predicted"] for each in predictions], labels, told[0]["profile"], lost)
    return {name: figures[name] for name in HEADLINES}
