"""What an evaluator of predictions leaves in its folder, and how it is read again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from torch import Tensor

from relcon.data.document import Instance
from relcon.data.labels import LabelSet
from relcon.data.sequences import labels_of
from relcon.errors import RelconError
from relcon.evaluators.scoring import Figures
from relcon.files import atomic, write_json
from relcon.interfaces import Lost, Split

KINDS = ("precision", "recall", "f1", "support", "predicted")


def gold_labels(data: Split) -> List[str]:
    """The labels of all instances; RelconError where one has none, or there is nothing to score at all."""
    if not data.instances and not data.lost:
        raise RelconError(f"The split '{data.name}' has no candidate pair, so there is nothing to score. Look at [data.candidates].")
    labels = labels_of(data.instances)
    if None in labels:
        first = data.instances[labels.index(None)].uid
        raise RelconError(
            f"The split '{data.name}' has {labels.count(None)} pairs without a label (the first is {first}), so it cannot be scored. "
            "Use `relcon predict` for unlabelled data."
        )
    return [str(label) for label in labels]


def shown(instance: Instance) -> str:
    """The sentence of a pair (all from the first to the last that holds an argument), its arguments in brackets: `[e1 PROTA]
    binds [e2 PROTB]`."""
    document, (head, tail) = instance.document, instance.mentions
    first, last = min(head.start, tail.start), max(head.end, tail.end) - 1
    pieces: List[str] = []
    for number in range(document.sentences[document.sentence_of(first)][0], document.sentences[document.sentence_of(last)][1]):
        opening = "".join(f"[{name} " for name, span in (("e1", head), ("e2", tail)) if span.start == number)
        closing = "".join("]" for span in (head, tail) if span.end == number + 1)
        pieces.append(f"{opening}{document.words[number]}{closing}")
    return " ".join(pieces)


def lost_by_cause(lost: Iterable[Lost]) -> Dict[str, int]:
    """How many gold relations never became a candidate, by cause, the most frequent first."""
    return dict(Counter(each.cause for each in lost).most_common())


# ---- files ---------------------------------------------------------------------------------------------------------------


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """A JSON-lines file, whole or not at all."""
    with atomic(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_predictions(
    path: Path,
    instances: Sequence[Instance],
    gold: Sequence[str],
    predicted: Sequence[str],
    probabilities: Optional[Tensor],
    labels: LabelSet,
) -> None:
    """`predictions.jsonl`: of each instance id, gold and predicted label, the sentence, and the score of every label.

    probabilities: [N, labels], or None for a classifier that has none.
    """
    rows: List[Any] = [None] * len(instances) if probabilities is None else probabilities.tolist()
    records = []
    for instance, truth, guess, row in zip(instances, gold, predicted, rows, strict=True):
        record: Dict[str, Any] = {"id": instance.uid, "gold": truth, "predicted": guess}
        if row is not None:
            record["scores"] = {name: round(value, 6) for name, value in zip(labels.names, row, strict=True)}
        records.append({**record, "text": shown(instance)})
    write_lines(path, records)


def write_scores(path: Path, profile: str, labels: LabelSet, figures: Figures, lost: Sequence[Lost]) -> None:
    """`scores.json`: what is needed to compute any figure again from the predictions beside it."""
    write_json(path, {
        "profile": profile,
        "labels": list(labels.names),
        "negative": sorted(labels.negative),
        "symmetric": sorted(labels.symmetric),
        "figures": figures,
        "lost": [each._asdict() for each in lost],
        "lost_by_cause": lost_by_cause(lost),
    })  # fmt: skip


def write_per_class(folder: Path, figures: Figures, stem: str = "per_class") -> None:
    """`per_class.json` and `per_class.tsv`, or another stem: the figures of each class that counts."""
    classes = [name for kind, _, name in (key.partition("/") for key in figures) if kind == "support"]
    table = {name: {kind: figures[f"{kind}/{name}"] for kind in KINDS} for name in classes}
    write_json(folder / f"{stem}.json", table)
    with atomic(folder / f"{stem}.tsv") as file:
        file.write("\t".join(["class", *KINDS]) + "\n")
        for name, row in table.items():
            file.write("\t".join([name, *(f"{row[kind]:.4f}" for kind in KINDS[:3]), *(f"{row[kind]:.0f}" for kind in KINDS[3:])]) + "\n")


def write_confusion(path: Path, gold: Sequence[str], predicted: Sequence[str], labels: LabelSet, lost: Sequence[Lost] = ()) -> None:
    """`confusion.tsv`: rows gold, columns predicted, the last column gold relations that were never candidates."""
    pairs, missed = Counter(zip(gold, predicted, strict=True)), Counter(each.label for each in lost)
    with atomic(path) as file:
        file.write("\t".join(["gold \\ predicted", *labels.names, "(lost)"]) + "\n")
        for truth in labels.names:
            file.write("\t".join([truth, *(str(pairs[truth, guess]) for guess in labels.names), str(missed[truth])]) + "\n")
