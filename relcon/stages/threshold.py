"""The threshold of a multi-label model, chosen on development data."""

import time
from typing import Any, List, Mapping, Optional

import numpy as np

from relcon import processes
from relcon.data.labels import LabelSet
from relcon.data.relations import pair_labels
from relcon.data.sequences import pairs_of
from relcon.data.splits import asked_relations
from relcon.errors import RelconError, did_you_mean
from relcon.evaluators.thresholds import Best, best_threshold
from relcon.interfaces import Artifacts, Corpus, Model, Split, Stage
from relcon.model import SavedModel
from relcon.plans import StagePlan
from relcon.stages.context import StageContext
from relcon.stages.planned import counted
from relcon.stages.sampling import SAMPLE, sample


class ChooseThreshold(Stage):
    """Choose the score that a label must have to be predicted, one for all labels, and hand the model on with it.

    It is the score with the highest micro-F1 of the positive labels over the gold relations of the split's documents, those that are no
    candidates included (Yao et al. 2019, arXiv 1906.06127; Hogan, Li and Shang, EMNLP 2022); what scores the threshold or more is
    predicted. Of several equally good ones it is the highest. Relations count in the direction that the document states.

    model: the stage whose multi-label model it is (relcon.MultiLabelClassification.v1). split: where it is chosen.

    Figures: `threshold`, and `f1`, the F1 at it. RelconError where the split is missing or has no relation, or where the model is not one
    that may give a pair several labels.

    Config::

        [stages.threshold]
        @stages = "relcon.ChooseThreshold.v1"
        model = "finetune"
        split = "dev"
    """

    def __init__(self, model: str, split: str = "dev"):
        self.model, self.split = model, split

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """`threshold` and `f1`."""
        return ["threshold", "f1"]

    def check(self, corpus: Corpus, where: str) -> None:
        """The split must be there, with a relation and a candidate pair."""
        if self.split not in corpus.splits():
            near = did_you_mean(self.split, corpus.splits())
            raise RelconError(f"{where} chooses on the split '{self.split}', but [data] has none. Give --data.{self.split} FILE.{near}")
        data = corpus.split(self.split)
        if not data.instances or not gold_relations(data):
            raise RelconError(
                f"{where} chooses a threshold on the split '{self.split}', which has {len(data.instances)} candidate pairs and "
                f"{gold_relations(data)} relations: any threshold would be as good as another. Choose it on labelled data."
            )

    def run(self, context: StageContext) -> Artifacts:
        """Choose, and hand on."""
        saved = SavedModel(context.saved_model(self.model))
        data = context.corpus.split(self.split)
        if self.split == "test":
            context.run.note_test_read(context.name, self.model, saved.fingerprint())
        best = chosen(self._opened(saved, context), data)
        self._hand_on(saved, context, best)
        return Artifacts(context.folder, best._asdict())

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do, timed on a sample, by which the threshold is chosen here."""
        saved = SavedModel(context.saved_model(self.model))
        model, data = self._opened(saved, context), context.corpus.split(self.split)
        part = sample(data, min(1.0, SAMPLE / len(data.instances)))
        began = time.perf_counter()
        self._hand_on(saved, context, chosen(model, part))
        plan = counted(context, data)
        plan.instances_per_second = len(part.instances) / max(time.perf_counter() - began, 1e-9)
        plan.seconds = len(data.instances) / plan.instances_per_second
        plan.notes = [f"timed on {len(part.instances)} instances"] if len(part.instances) < len(data.instances) else []
        return plan

    def _opened(self, saved: SavedModel, context: StageContext) -> Model:
        """The model; RelconError where it has nothing to choose a threshold for."""
        model = saved.load()
        if not model.multi_label:
            raise RelconError(
                f"[stages.{context.name}] model: stage '{self.model}' trains a model that gives a pair exactly one label, so there is no "
                "threshold to choose. Train it with relcon.MultiLabelClassification.v1, or take this stage out."
            )
        return model

    def _hand_on(self, saved: SavedModel, context: StageContext, best: Best) -> None:
        """The same model with its threshold."""
        processes.on_main(lambda: saved.hand_on(context.folder / "model", stage=context.name, threshold=best.threshold))


def gold_relations(data: Split) -> int:
    """How many relations a split has, candidates or not, negative labels left out."""
    return sum(1 for _ in asked_relations(data))


def chosen(model: Model, data: Split) -> Best:
    """The threshold with the highest micro-F1 on a split."""
    positive = [number for number, name in enumerate(model.labels.names) if name not in model.labels.negative]
    scores = model.probabilities(data.instances)[:, positive].numpy()
    return best_threshold(scores.ravel(), stated(data, model.labels).ravel(), gold_relations(data))


def stated(data: Split, labels: LabelSet) -> np.ndarray:
    """[N, positive labels] whether the document states the label of the pair of each instance."""
    column = {name: number for number, name in enumerate(labels.positive)}
    found = [pair_labels(document) for document in data.documents]
    table = np.zeros((len(data.instances), len(column)), dtype=bool)
    places, heads, tails = (each.tolist() for each in pairs_of(data.instances, data.documents)[:3])
    for row, (place, head, tail) in enumerate(zip(places, heads, tails, strict=True)):
        table[row, [column[label] for label in found[place].get((head, tail), ()) if label in column]] = True
    return table
