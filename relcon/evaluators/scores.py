"""Precision, recall and F1 under a named metric profile, with everything that one wants to look at afterwards."""

import json
from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from torch import Tensor

from relcon.data.document import Instance
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.profiles import profile_of, score
from relcon.files import atomic, write_json
from relcon.interfaces import Evaluator, Model, Split


class Scores(Evaluator):
    """Figures of a relation classifier. Gold relations that never became candidates count against recall.

    profile: `micro`, `macro`, `accuracy`, `semeval2010.official`, `semeval2010.micro18`, `tacred.micro`, `chemprot.cpr5`,
        `ddi.micro4`, `ddi.macro4`, `ppi.cv10`, `ppi.cv10.instance`.
    also: further profiles to print beside it, as `PROFILE.f1`.

    Figures: `f1` (the primary one), `precision`, `recall`, `accuracy`, `instances`, `lost`, and `f1/CLASS` and the like.
    Files: `predictions.jsonl` (id, gold, predicted, scores, text), `scores.json`, `per_class.tsv`, `confusion.tsv` (rows gold,
    columns predicted), `lost.jsonl` (each lost gold relation with its cause). RelconError where the profile does not fit the
    labels, or the data are unlabelled.

    Config::

        [evaluator]
        @evaluators = "relcon.Scores.v1"
        profile = "micro"
    """

    primary = "f1"

    def __init__(self, profile: str = "micro", also: Optional[List[str]] = None):
        self.profile, self.also = profile, also or []
        for name in [profile, *self.also]:
            profile_of(name)

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the model on the split; files where there is a folder."""
        gold = gold_labels(data)
        probabilities = model.probabilities(data.instances)
        predicted = [model.labels.names[number] for number in probabilities.argmax(1).tolist()]
        lost = [each.label for each in data.lost]
        figures = score(gold, predicted, data.labels, self.profile, lost)
        figures.update(instances=float(len(gold)), lost=float(len(lost)))
        for name in self.also:
            figures[f"{name}.f1"] = score(gold, predicted, data.labels, name, lost)["f1"]
        if folder is not None:
            write_predictions(folder / "predictions.jsonl", data.instances, gold, predicted, probabilities, model.labels)
            write_tables(folder, data, gold, predicted, figures)
            self._write_scores(folder, data, figures)
        return figures

    def _write_scores(self, folder: Path, data: Split, figures: Dict[str, float]) -> None:
        labels = data.labels
        write_json(folder / "scores.json", {
            "profile": self.profile, "labels": list(labels.names), "negative": sorted(labels.negative), "symmetric": sorted(labels.symmetric),
            "figures": figures, "lost": [each._asdict() for each in data.lost], "lost_by_cause": dict(Counter(each.cause for each in data.lost)),
        })


def gold_labels(data: Split) -> List[str]:
    """The labels of all instances; RelconError where one has none or there are no instances."""
    if not data.instances:
        raise RelconError(f"The split '{data.name}' has no candidate pair, so there is nothing to score. Look at [data.candidates].")
    labels = [instance.label for instance in data.instances]
    if None in labels:
        raise RelconError(f"The split '{data.name}' has pairs without a label, so it cannot be scored. Use `relcon predict` for unlabelled data.")
    return [str(label) for label in labels]


def write_predictions(
    path: Path, instances: Sequence[Instance], gold: Sequence[str], predicted: Sequence[str], probabilities: Tensor, labels: LabelSet
) -> None:
    """One JSON object per instance."""
    with atomic(path) as file:
        for instance, truth, guess, row in zip(instances, gold, predicted, probabilities.tolist(), strict=True):
            scores = {name: round(value, 6) for name, value in zip(labels.names, row, strict=True)}
            record = {"id": instance.uid, "gold": truth, "predicted": guess, "scores": scores, "text": shown(instance)}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def shown(instance: Instance) -> str:
    """The sentence of a pair with its arguments in brackets: `[e1 ...] [e2 ...]`."""
    document, (head, tail) = instance.document, instance.mentions
    first, last = sorted([head.start, tail.start])
    start, end = document.sentences[document.sentence_of(first)][0], document.sentences[document.sentence_of(last)][1]
    pieces: List[str] = []
    for number in range(start, end):
        opening = "".join(f"[{name} " for name, span in (("e1", head), ("e2", tail)) if span.start == number)
        closing = "".join("]" for span in (head, tail) if span.end == number + 1)
        pieces.append(f"{opening}{document.words[number]}{closing}")
    return " ".join(pieces)


def write_tables(folder: Path, data: Split, gold: Sequence[str], predicted: Sequence[str], figures: Dict[str, float]) -> None:
    """Per-class figures, the confusion of gold and predicted labels, and the lost relations."""
    with atomic(folder / "per_class.tsv") as file:
        file.write("class\tprecision\trecall\tf1\tsupport\n")
        for name in (key.partition("/")[2] for key in figures if key.startswith("support/")):
            values = "\t".join(f"{figures[f'{kind}/{name}']:.4f}" for kind in ("precision", "recall", "f1"))
            file.write(f"{name}\t{values}\t{figures[f'support/{name}']:.0f}\n")
    pairs = Counter(zip(gold, predicted, strict=True))
    with atomic(folder / "confusion.tsv") as file:
        file.write("\t".join(["gold \\ predicted", *data.labels.names]) + "\n")
        for truth in data.labels.names:
            file.write("\t".join([truth, *(str(pairs[truth, guess]) for guess in data.labels.names)]) + "\n")
    with atomic(folder / "lost.jsonl") as file:
        for each in data.lost:
            file.write(json.dumps(each._asdict(), ensure_ascii=False) + "\n")
