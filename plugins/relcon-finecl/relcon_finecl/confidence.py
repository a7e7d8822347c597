"""How sure a classifier is of distant labels: the weights of WCL."""

import logging
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence

import torch

from relcon import processes
from relcon.data.document import Instance
from relcon.data.joining import split_of
from relcon.data.relations import relation_instances
from relcon.errors import RelconError, naming
from relcon.files import write_json
from relcon.interfaces import Artifacts, Corpus, Model, Split, Stage
from relcon.model import SavedModel
from relcon.plans import StagePlan
from relcon.stages.context import StageContext
from relcon.stages.planned import counted
from relcon_finecl.order import MANIFEST
from relcon_finecl.weights import CONFIDENCE

logger = logging.getLogger(__name__)

AT_ONCE = 1024
"""Instances that are given to the model in one call."""

SAMPLE = 128
"""Instances on which a dry run times the stage."""


@dataclass(frozen=True)
class Confidences:
    """What a classifier says of labelled tuples. weights: uid -> in [0, 1]. unknown: label that it does not know -> how many tuples have
    it. mean: of the tuples with a known label."""

    weights: Dict[str, float]
    unknown: Dict[str, int]
    mean: float


class Confidence(Stage):
    """Asks a classifier how sure it is of every distant label, and writes the answers for finecl.RelationPairs.v1.

    WCL (Wan et al. 2022, as Hogan, Li and Shang, EMNLP 2022, describe it): a classifier that was trained on gold data weighs what is
    trained on afterwards. The folder of the stage gets `confidence.json`, {uid: weight in [0, 1]}, and `manifest.json`.

    model: the stage that trained the classifier. split: the part of the data that is judged, or a sum ("train+dev"). data: a corpus of the
    stage's own, the distant one; the run's unless said.
    confidence_of: the probability of the distant `label`; or the largest probability, whatever it is of (`argmax`), as in the released
        code of FineCL.

    A relation that the classifier does not know gets the mean of those that it knows; the manifest counts them. Figures: `instances`,
    `mean`, `unknown`. RelconError where the split has no labelled tuple, or the classifier knows none of the labels.

    Config::

        [stages.confidence]
        @stages = "finecl.Confidence.v1"
        model = "gold"
        split = "train"
    """

    def __init__(
        self, model: str, split: str = "train", data: Optional[Corpus] = None, confidence_of: Literal["label", "argmax"] = "label"
    ):
        self.model, self.split, self.data = model, split, data
        self.by_label = confidence_of == "label"

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> List[str]:
        """The three figures."""
        return ["instances", "mean", "unknown"]

    def check(self, corpus: Corpus, where: str) -> None:
        """The split must be there, with a labelled tuple."""
        with naming(f"{where} split:"):
            data = self.part_of(corpus)
            if not any(True for document in data.documents for _ in relation_instances(document, data.labels.negative)):
                raise RelconError(f"no document of the split '{data.name}' has a relation to judge.")

    def part_of(self, corpus: Corpus) -> Split:
        """What is judged."""
        return split_of(self.data or corpus, self.split)

    def run(self, context: StageContext) -> Artifacts:
        """Judge all labelled tuples, and write."""
        found = confidences(self.classifier(context), tuples(self.part_of(context.corpus)), self.by_label)
        processes.on_main(lambda: self.write(context, found))
        return Artifacts(context.folder, self.figures(found))

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do, timed on a sample; tuples outside of it get the weight 1 for the stages that follow."""
        data = self.part_of(context.corpus)
        model, every = self.classifier(context), tuples(data)
        step = -(-len(every) // SAMPLE)
        began = time.perf_counter()
        found = confidences(model, every[::step], self.by_label)
        plan = counted(context, data)
        plan.seconds = (time.perf_counter() - began) * len(every) / len(every[::step])
        weights = {each.uid: 1.0 for each in every} | found.weights
        self.write(context, Confidences(weights, found.unknown, found.mean))
        plan.figures = self.figures(found) | {"instances": float(len(every))}
        return plan

    def classifier(self, context: StageContext) -> Model:
        """The model that judges."""
        return SavedModel(context.saved_model(self.model)).load()

    def write(self, context: StageContext, found: Confidences) -> None:
        """Both files."""
        context.folder.mkdir(parents=True, exist_ok=True)
        write_json(context.folder / CONFIDENCE, found.weights)
        manifest = {
            "model": self.model,
            "split": self.split,
            "confidence_of": "label" if self.by_label else "argmax",
            "instances": len(found.weights),
            "mean": found.mean,
            "unknown": found.unknown,
        }
        write_json(context.folder / MANIFEST, manifest)

    @staticmethod
    def figures(found: Confidences) -> Dict[str, float]:
        """How many tuples there are, how many with an unknown relation, and the mean of the others."""
        return {"instances": float(len(found.weights)), "mean": found.mean, "unknown": float(sum(found.unknown.values()))}


def tuples(data: Split) -> List[Instance]:
    """The labelled tuples of a split as instances."""
    return [
        Instance(document, each.head, each.tail, each.label, each.uid)
        for document in data.documents
        for each in relation_instances(document, data.labels.negative)
    ]


def confidences(model: Model, instances: Sequence[Instance], by_label: bool) -> Confidences:
    """How sure the model is of each instance's own label, or (by_label = False) of whatever it predicts. RelconError where it knows none
    of the labels."""
    index = model.labels.index
    known = [each for each in instances if each.label in index]
    unknown: Dict[str, int] = {}
    for each in instances:
        if each.label not in index:
            unknown[str(each.label)] = unknown.get(str(each.label), 0) + 1
    if not known:
        raise RelconError(
            f"The classifier knows none of the {len(unknown)} relations of the data (the first is '{next(iter(unknown), '')}'). "
            "Train it on data with the same names of relations."
        )
    weights: Dict[str, float] = {}
    for start in range(0, len(known), AT_ONCE):
        part = known[start : start + AT_ONCE]
        rows = model.probabilities(part)
        own = torch.tensor([index[str(each.label)] for each in part])
        values = rows.gather(1, own[:, None])[:, 0] if by_label else rows.max(1).values
        weights.update(zip((each.uid for each in part), values.clamp(0, 1).tolist(), strict=True))
    mean = sum(weights.values()) / len(weights)
    if unknown:
        logger.info("%d tuples have a relation that the classifier does not know and get the mean, %.3f", sum(unknown.values()), mean)
    return Confidences({each.uid: weights.get(each.uid, mean) for each in instances}, unknown, mean)
