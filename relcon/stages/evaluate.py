"""Evaluation: a trained model, a split, named figures."""

from typing import Any, Dict, Optional

from relcon.errors import RelconError, did_you_mean, naming
from relcon.interfaces import Artifacts, Corpus, Evaluator, Split, Stage
from relcon.model import SavedModel
from relcon.plans import StagePlan
from relcon.stages.context import StageContext
from relcon.stages.planned import counted
from relcon.stages.sampling import timed


class Evaluate(Stage):
    """Measure the model that an earlier stage handed on.

    model: that stage's name. evaluators: by name; a figure `f1` of the evaluator `scores` is listed as `scores.f1`, its tables and
        predictions lie in `stages/NAME/scores/`. split: the part of the data; every look at `test` is noted in `run.json`.

    Config::

        [stages.evaluate]
        @stages = "relcon.Evaluate.v1"
        model = "finetune"

        [stages.evaluate.evaluators.scores]
        @evaluators = "relcon.Scores.v1"
        profile = "micro"
    """

    def __init__(self, model: str, evaluators: Dict[str, Evaluator], split: str = "test"):
        self.model, self.evaluators, self.split = model, evaluators, split

    def check(self, corpus: Corpus, where: str) -> None:
        """The split must be there, and such that every evaluator can measure it."""
        if self.split not in corpus.splits():
            near = did_you_mean(self.split, corpus.splits())
            raise RelconError(f"{where} evaluates on the split '{self.split}', but [data] has none. Give --data.{self.split} FILE.{near}")
        for name, evaluator in self.evaluators.items():
            with naming(f"{where[:-1]}.evaluators.{name}]"):
                evaluator.check(corpus.split(self.split), train_split(corpus))

    def run(self, context: StageContext) -> Artifacts:
        """Load the model and let every evaluator measure it."""
        saved = SavedModel(context.saved_model(self.model))
        model = saved.open()
        data = context.corpus.split(self.split)
        train = train_split(context.corpus)
        if self.split == "test":
            context.run.note_test_read(context.name, self.model, saved.fingerprint())
        figures: Dict[str, float] = {}
        lost = 0
        for name, evaluator in self.evaluators.items():
            before = model.lost_views
            with naming(f"[stages.{context.name}.evaluators.{name}]"):
                measured = evaluator.evaluate(model, data, context.folder / name if context.run.writes else None, train)
                figures.update({f"{name}.{key}": _number(key, value) for key, value in measured.items()})
            lost = max(lost, model.lost_views - before)
        figures["lost_views"] = float(lost)  # not the sum: evaluators look at the same pairs
        return Artifacts(context.folder, figures)

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do, timed on a sample. Its figures are thrown away, so that a look at `test` tells nothing."""
        model = SavedModel(context.saved_model(self.model)).open()
        data = context.corpus.split(self.split)
        train = context.corpus.split("train") if "train" in context.corpus.splits() else None
        found = timed(self.evaluators, model, data, train, context.folder)
        plan = counted(context, data)
        plan.instances_per_second, plan.seconds = found.rate, found.total
        plan.notes = [f"timed on {found.sampled} instances"] if found.sampled < found.instances else []
        plan.notes += [f"{name} cannot measure a sample ({reason}); prediction was timed" for name, reason in found.failed.items()]
        return plan

    def headline(self) -> Dict[str, str]:
        """The figures for a summary: evaluator -> the full name of its primary figure."""
        return {name: f"{name}.{evaluator.primary}" for name, evaluator in self.evaluators.items()}


def _number(name: str, value: Any) -> float:
    """A figure as a plain number; RelconError where an evaluator gives something else."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise RelconError(f"gives the figure '{name}' as {value!r}, which is no number: a defect of its package.") from error


def train_split(corpus: Corpus) -> Optional[Split]:
    """The training split, for evaluators that fit something; None where the corpus has none."""
    return corpus.split("train") if "train" in corpus.splits() else None
