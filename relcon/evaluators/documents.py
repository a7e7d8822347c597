"""Scores of relations as sets of facts: documents in which a pair may stand in several relations.

A fact is (document, head, tail, label). Sizes in shapes: N candidate pairs, K labels that mean a relation, P facts.
"""

from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from relcon.data.document import Document
from relcon.data.labels import LabelSet
from relcon.data.relations import relation_instances
from relcon.data.sequences import pairs_of
from relcon.data.splits import asked_relations
from relcon.errors import RelconError, did_you_mean
from relcon.evaluators.scoring import Counts, averages_each, per_class, ratio
from relcon.evaluators.tables import write_per_class
from relcon.evaluators.thresholds import Prefixes, best_of, prefixes
from relcon.files import write_json
from relcon.interfaces import Corpus, Evaluator, Model, Split

Primary = Literal["max_f1", "pr_auc", "f1", "ign_f1", "macro_f1", "weighted_macro_f1", "only.f1"]

MacroClasses = Literal["gold", "predicted"]

SUBMISSION = "result.json"
"""The predictions in the form in which DocRED takes submissions."""

NamedFact = Tuple[str, str, str]
"""Name of head, name of tail, label."""


class DocumentScores(Evaluator):
    """Figures of a model that gives every label of a pair a score of its own, over the facts of whole documents.

    A label is predicted where its score reaches a threshold, one for all: the model's own where it has one (`relcon.ChooseThreshold.v1`
    gives it), else the one with the highest F1 on these very data. Labels that mean 'no relation' are never predicted. There to be found
    are all different relations of the documents, so that one whose pair is no candidate costs recall.

    Figures: `max_f1`, the highest F1 of any threshold, and `best_threshold`, at which it is reached (predicted is what scores at least
    that; facts of one score go in together); `pr_auc`, the area under precision over recall, by trapezoids between the thresholds. At the
    threshold in use: `threshold`, `threshold_is_oracle` (1 where it is that of `max_f1`, chosen on what is measured; 0 for the model's
    own), `precision`, `recall`, `f1`; `ign_precision` and `ign_f1`, where right predictions of facts that the train split has too do not
    count, while recall stays (a fact is known by the names of its mentions, as they are written; a share of the train split that a
    protocol took counts as the whole of it); `macro_f1`, the mean of the labels' F1,
    and `weighted_macro_f1`, that mean weighted by gold facts; `only.precision`, `only.recall`, `only.f1` over the labels of `only`;
    `facts` (gold), `predicted`, `right`. A share of nothing is 0.

    primary: the figure that model selection and summaries look at.
    macro_classes: over which labels the macro means go: "gold", those with gold facts; "predicted", those with predictions, as
        in FineCL's released code.
    strict: predict what scores more than the threshold in use, not what reaches it, as that code does on test data.
    ignore_train: false leaves out `ign_precision` and `ign_f1`, which need a train split.
    known: a corpus of whose splits the facts count as known beside those of the train split (that of the development data, which FineCL's
        paper ignores too).
    only: labels over which F1 is taken beside (difficult ones).

    Files: `scores.json` (labels and figures), `per_class.json` and `.tsv` (figures of each label at the threshold in use), `result.json`
    (the predictions in the form in which DocRED takes submissions: title, h_idx, t_idx, r).

    RelconError where no document has a relation, `only` names an unknown label, or the train split is missing.

    Source: Yao et al., DocRED: A Large-Scale Document-Level Relation Extraction Dataset, ACL 2019, section 5 and its scorer; Hogan, Li
    and Shang, Fine-grained Contrastive Learning for Relation Extraction, EMNLP 2022, table 4 (macro means).

    Config::

        [evaluator]
        @evaluators = "relcon.DocumentScores.v1"
        primary = "max_f1"
        macro_classes = "gold"
    """

    def __init__(
        self,
        primary: Primary = "max_f1",
        macro_classes: MacroClasses = "gold",
        strict: bool = False,
        ignore_train: bool = True,
        only: Optional[List[str]] = None,
        known: Optional[Corpus] = None,
    ):
        if macro_classes not in ("gold", "predicted"):
            raise ValueError(f"macro_classes: '{macro_classes}' is neither 'gold' nor 'predicted'")
        if primary == "ign_f1" and not ignore_train:
            raise ValueError("primary: 'ign_f1' is not measured with ignore_train = false")
        if known is not None and not ignore_train:
            raise ValueError("known: its facts are not ignored with ignore_train = false")
        if primary == "only.f1" and not only:
            raise ValueError("primary: 'only.f1' is not measured without labels in `only`")
        self.primary: str = primary
        self.macro_classes, self.strict, self.ignore_train, self.only = macro_classes, strict, ignore_train, only or []
        self.known = known

    @property
    def profile(self) -> Optional[str]:
        """The metric profile of the primary figure; None where it has no name."""
        return {"f1": "docred.f1", "ign_f1": "docred.ign_f1"}.get(self.primary)

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the model on the split; files where there is a folder. train: for `ign_f1`."""
        self.check(data, train)
        scored = _scored(model, data)
        found, facts = prefixes(scored.scores.ravel(), scored.correct.ravel()), int(scored.gold.sum())
        best = best_of(found, facts)
        threshold = best.threshold if model.threshold is None else model.threshold
        predicted = scored.scores > threshold if self.strict else scored.scores >= threshold
        counts = Counts((predicted & scored.correct).sum(0), predicted.sum(0), scored.gold)
        figures = {
            "max_f1": best.f1,
            "best_threshold": best.threshold,
            "pr_auc": area(found, facts),
            "threshold": float(threshold),
            "threshold_is_oracle": float(model.threshold is None),
            **micro(counts),
            **macro(counts, self.macro_classes),
            **self._at_labels(counts, data.labels),
        }
        if self.ignore_train and train is not None:
            figures.update(ignoring(counts, seen(data, scored, predicted, self._known(train))))
        if folder is not None:
            write_json(folder / "scores.json", {"labels": list(data.labels.positive), "figures": figures})
            write_per_class(folder, per_class(counts, data.labels.positive))
            write_json(folder / SUBMISSION, list(submission(data, scored, predicted)))
        return figures

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """The split needs a candidate and a fact, `only` must name its labels, and what is ignored must be known."""
        strange = next((name for name in self.only if name not in data.labels.positive), None)
        if strange is not None:
            raise RelconError(f"only: '{strange}' is no relation of this task.{did_you_mean(strange, data.labels.positive)}")
        if not data.instances:
            raise RelconError(f"The split '{data.name}' has no candidate pair, so there is nothing to score. Look at [data.candidates].")
        if not any(True for document in data.documents for _ in relation_instances(document, data.labels.negative)):
            raise RelconError(f"No document of the split '{data.name}' has a relation, so it cannot be scored. Use `relcon predict`.")
        if self.ignore_train and train is None:
            raise RelconError(
                f"The split '{data.name}' is to be scored without the facts of the train split (ign_f1), but there is no train split. "
                "Name one, or write ignore_train = false."
            )

    def _known(self, train: Split) -> FrozenSet[NamedFact]:
        """The facts of the whole train split, and of the corpus `known`."""
        further = [] if self.known is None else [self.known.split(name) for name in self.known.splits()]
        return known_facts(train.whole or train).union(*map(known_facts, further))

    def _at_labels(self, counts: Counts, labels: LabelSet) -> Dict[str, float]:
        """Micro figures over the labels of `only`."""
        if not self.only:
            return {}
        chosen = [name in self.only for name in labels.positive]
        part = micro(Counts(*(each[chosen] for each in counts)))
        return {f"only.{name}": part[name] for name in ("precision", "recall", "f1")}


# ---- facts and their scores --------------------------------------------------------------------------------------------


class Scored(NamedTuple):
    """Candidate facts.

    scores: [N, K]. correct: [N, K] whether each is a fact of the documents. gold: [K] all facts of each label, candidates or not.
    rows: [N, 3] place of the document, head, tail.
    """

    scores: np.ndarray
    correct: np.ndarray
    gold: np.ndarray
    rows: np.ndarray


def _scored(model: Model, data: Split) -> Scored:
    """The scores that the model gives to the pairs of a split, and which of them are right."""
    pairs = pairs_of(data.instances, data.documents)
    rows = np.stack([pairs.document, pairs.head, pairs.tail], 1)
    place = {tuple(row): number for number, row in enumerate(rows.tolist())}
    column = {name: number for number, name in enumerate(data.labels.positive)}
    scores = model.probabilities(data.instances)[:, [model.labels.number(name) for name in data.labels.positive]].float().cpu().numpy()
    correct, gold = np.zeros(scores.shape, dtype=bool), np.zeros(len(column), dtype=np.int64)
    for number, fact in asked_relations(data):
        gold[column[fact.label]] += 1
        row = place.get((number, fact.head, fact.tail))
        if row is not None:
            correct[row, column[fact.label]] = True
    return Scored(scores, correct, gold, rows)


def area(found: Prefixes, gold: int) -> float:
    """The area under precision over recall, from the first threshold at which anything is predicted to the last. gold: all facts."""
    precision, recall = ratio(found.right, found.predicted), ratio(found.right, np.array(gold))
    return float((np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum())


# ---- figures -----------------------------------------------------------------------------------------------------------


def micro(counts: Counts) -> Dict[str, float]:
    """Figures over the facts of all labels. counts: [K]."""
    total = Counts(*(each.sum() for each in counts))
    shares = averages_each(total)
    named = {"precision": shares.precision, "recall": shares.recall, "f1": shares.f1}
    sizes = {"facts": total.gold, "predicted": total.predicted, "right": total.right}
    return {name: float(value) for name, value in {**named, **sizes}.items()}


def macro(counts: Counts, classes: MacroClasses) -> Dict[str, float]:
    """The mean F1 of the labels, plain and weighted by gold facts. counts: [K]. classes: over which labels."""
    chosen = (counts.gold if classes == "gold" else counts.predicted) > 0
    f1, gold = averages_each(counts).f1[chosen], counts.gold[chosen]
    return {"macro_f1": float(ratio(f1.sum(), chosen.sum())), "weighted_macro_f1": float(ratio((f1 * gold).sum(), gold.sum()))}


def ignoring(counts: Counts, seen: int) -> Dict[str, float]:
    """Precision and F1 without right predictions of what was seen in training; recall is that of all. seen: how many these are."""
    right, predicted, gold = (int(each.sum()) for each in counts)
    precision, recall = ratio(np.array(right - seen), np.array(predicted - seen)), ratio(np.array(right), np.array(gold))
    return {"ign_precision": float(precision), "ign_f1": float(ratio(2 * precision * recall, precision + recall))}


# ---- facts by name -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def known_facts(train: Split) -> FrozenSet[NamedFact]:
    """The facts of a split under all names of their arguments. A look at the development data after each epoch asks for the same."""
    return frozenset(
        named
        for document in train.documents
        for fact in relation_instances(document, train.labels.negative)
        for named in named_facts(document, fact.head, fact.tail, fact.label)
    )


def seen(data: Split, scored: Scored, predicted: np.ndarray, known: FrozenSet[NamedFact]) -> int:
    """How many of the right predictions are known facts."""
    right = np.argwhere(predicted & scored.correct).tolist()
    facts = ((*scored.rows[row].tolist(), data.labels.positive[label]) for row, label in right)
    return sum(not known.isdisjoint(named_facts(data.documents[number], head, tail, label)) for number, head, tail, label in facts)


def named_facts(document: Document, head: int, tail: int, label: str) -> Iterator[NamedFact]:
    """A fact under all names of its arguments."""
    return ((one, other, label) for one, other in product(mention_names(document, head), mention_names(document, tail)))


def mention_names(document: Document, entity: int) -> List[str]:
    """The names of an entity's mentions: as the file writes them where the reader keeps that (`metadata["names"]`), else its words."""
    written: Sequence[List[str]] = document.metadata.get("names", ())
    return written[entity] if written else [document.mention_text(mention) for mention in document.entities[entity].mentions]


def submission(data: Split, scored: Scored, predicted: np.ndarray) -> Iterator[Dict[str, Any]]:
    """The predictions in the form in which DocRED takes them, the documents in their order."""
    for row, label in np.argwhere(predicted).tolist():
        number, head, tail = scored.rows[row].tolist()
        document = data.documents[number]
        yield {"title": document.metadata.get("title", document.id), "h_idx": head, "t_idx": tail, "r": data.labels.positive[label]}
