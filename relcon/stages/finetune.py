"""Fine-tuning: a relation classifier, chosen on development data where there are any."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Union

from relcon.errors import RelconError, did_you_mean, naming
from relcon.interfaces import Artifacts, Corpus, Encoder, Evaluator, OptimizerPlan, Pooler, Renderer, Sampler, Schedule, Task
from relcon.model import Trained
from relcon.plans import StagePlan
from relcon.stages.context import StageContext
from relcon.stages.evaluate import train_split
from relcon.stages.planned import add_epochs
from relcon.stages.sampling import timed
from relcon.stages.training import TrainingStage


class Finetune(TrainingStage):
    """Train a relation classifier; what it hands on is a model that evaluates and predicts.

    classifier: the name of the task that predicts relations; its stream's renderer is the model's.
    selection: an evaluator run on the split `dev` after each epoch; the best model is kept. None keeps the last one.
        The test split is never looked at.
    patience: stop after so many epochs without a better figure, 0 for never.
    choose_snapshot: fine-tune once from every snapshot that the earlier stage kept, and keep the best on development data
        (CLRE's choice of pre-training epochs; Su et al. 2021).
    All other arguments: see `TrainingStage`.

    Config::

        [stages.finetune]
        @stages = "relcon.Finetune.v1"
        epochs = 3.0
        classifier = "relation"

        [stages.finetune.encoders.text]
        @encoders = "relcon.MiniLM.v1"

        [stages.finetune.poolers.sentence]
        @poolers = "relcon.CLS.v1"

        [stages.finetune.streams.train]
        @samplers = "relcon.Instances.v1"
        batch_size = 16

        [stages.finetune.streams.train.renderer]
        @renderers = "relcon.Blinded.v1"

        [stages.finetune.tasks.relation]
        @tasks = "relcon.Classification.v1"
        stream = "train"

        [stages.finetune.tasks.relation.tower]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "sentence"

        [stages.finetune.selection]
        @evaluators = "relcon.Scores.v1"
        profile = "micro"
    """

    def __init__(
        self,
        encoders: Dict[str, Union[str, Encoder]],
        poolers: Dict[str, Union[str, Pooler]],
        streams: Dict[str, Sampler],
        tasks: Dict[str, Task],
        classifier: str,
        selection: Optional[Evaluator] = None,
        patience: int = 0,
        choose_snapshot: bool = False,
        optimizer: Optional[OptimizerPlan] = None,
        schedule: Optional[Schedule] = None,
        epochs: float = 1.0,
        max_steps: int = 0,
        accumulate: int = 1,
        clip: float = 1.0,
        data: Optional[Corpus] = None,
        split: str = "train",
    ):
        super().__init__(
            encoders, poolers, streams, tasks, optimizer, schedule, epochs, max_steps, accumulate, clip, data, split
        )
        if classifier not in tasks:
            raise ValueError(f"classifier '{classifier}' is none of the tasks.{did_you_mean(classifier, tasks)}")
        if selection is None and (patience or choose_snapshot):
            raise ValueError("patience and choose_snapshot need a selection: an evaluator for the development data")
        self.classifier, self.selection, self.patience, self.choose_snapshot = classifier, selection, patience, choose_snapshot

    def check(self, corpus: Corpus, where: str) -> None:
        """There must be labelled training data, and development data where the model is chosen on them."""
        super().check(corpus, where)
        if self.selection is not None and "dev" not in corpus.splits():
            raise RelconError(
                f"{where[:-1]}.selection] needs development data, and [data] has none. "
                "Give --paths.dev FILE or a dev_share, or take the selection out."
            )
        if self.selection is not None:
            with naming(f"{where[:-1]}.selection]"):
                self.selection.check(corpus.split("dev"), train_split(corpus))

    def run(self, context: StageContext) -> Artifacts:
        """Train once, or once from every snapshot."""
        if not self.choose_snapshot or context.snapshot:
            return super().run(context)
        return self.best_of(context, self.snapshots(context))

    def plan_epochs(self, context: StageContext, trained: Trained, plan: StagePlan) -> None:
        """The look at the development data after each epoch, timed on a sample; and all of it once per snapshot."""
        if self.selection is not None:
            dev, train = context.corpus.split("dev"), context.corpus.split("train")
            look = timed({"selection": self.selection}, trained.model(), dev, train, context.folder)
            add_epochs(plan, f"look at {len(dev.instances)} instances of dev", look.total, plan.epochs or 0)
        if self.patience:
            plan.notes.append(f"ends earlier where {self.patience} epochs bring nothing better")
        if self.choose_snapshot:
            stages = {value.partition(".")[0] for value in self.encoders.values() if isinstance(value, str)}
            times = len({each for stage in stages for each in context.config["stages"][stage].get("snapshots") or []})
            plan.notes.append(f"trains once from each of {times} snapshots")
            plan.seconds = (plan.seconds or 0.0) * times

    def snapshots(self, context: StageContext) -> List[int]:
        """The snapshots that the stages in front kept."""
        stages = {value.partition(".")[0] for value in self.encoders.values() if isinstance(value, str)}
        kept = sorted({int(folder.name) for stage in stages for folder in (context.handed_on_by(stage).folder / "snapshots").glob("*")})
        if not kept:
            raise RelconError(
                f"[stages.{context.name}] has choose_snapshot, but no earlier stage kept snapshots. "
                "Give the pre-training stage snapshots = [1, 2]."
            )
        return kept

    def best_of(self, context: StageContext, snapshots: List[int]) -> Artifacts:
        """Fine-tune from each snapshot and keep the best model on development data."""
        figures: Dict[str, float] = {}
        results: Dict[int, Artifacts] = {}
        for snapshot in snapshots:
            results[snapshot] = context.rebuild().run(replace(context, snapshot=snapshot))
            figures[f"dev.snapshot_{snapshot}"] = results[snapshot].figures["dev"]
        chosen = max(results, key=lambda snapshot: self.sign * results[snapshot].figures["dev"])
        shutil.copytree(results[chosen].folder / "model", context.folder / "model", dirs_exist_ok=True)
        return Artifacts(context.folder, {**results[chosen].figures, **figures, "snapshot": float(chosen)})

    @property
    def sign(self) -> int:
        """1 where a higher figure is better, -1 where a lower one is."""
        return 1 if self.selection is None or self.selection.higher_is_better else -1

    def after_epoch(self, context: StageContext, epoch: int, trained: Trained, best: Dict[str, Any]) -> bool:
        """Look at the development data; keep the model where it is the best so far."""
        if self.selection is None:
            return False
        with naming(f"[stages.{context.name}.selection]"):
            figures = self.selection.evaluate(trained.model(), context.corpus.split("dev"), train=train_split(context.corpus))
        figure = figures[self.selection.primary]
        context.run.log(event="dev", stage=context.name, epoch=epoch, **figures)
        if "dev" not in best or self.sign * figure > self.sign * best["dev"]:
            best.update(dev=figure, epoch=epoch)
            shutil.rmtree(context.checkpoints / "best", ignore_errors=True)
            trained.save(context.checkpoints / "best")
        return bool(self.patience) and epoch - best["epoch"] >= self.patience

    def chosen(self, context: StageContext, best: Mapping[str, Any]) -> Optional[Path]:
        """The best model on development data."""
        return context.checkpoints / "best" if "dev" in best else None

    def figures(self, best: Mapping[str, Any]) -> Dict[str, float]:
        """The best figure on development data and its epoch."""
        return {"dev": best["dev"], "epoch": float(best["epoch"])} if "dev" in best else {}

    def renderer(self) -> Optional[Renderer]:
        """The renderer of the classifier's stream."""
        stream = self.streams.get(self.tasks[str(self.classifier)].stream)
        return getattr(stream, "renderer", None)

    def blocks(self, context: StageContext) -> Dict[str, Any]:
        """Tasks and the renderer."""
        stream = self.tasks[str(self.classifier)].stream
        return {"tasks": context.block["tasks"], "renderer": context.block["streams"][stream]["renderer"]}

    def about(self, context: StageContext) -> Dict[str, Any]:
        """What prediction on new input needs: the reader and the candidate rule of the training data."""
        data = context.block.get("data") or context.config["data"]
        return {"stage": context.name, "reader": data.get("reader"), "candidates": data.get("candidates")}
