"""Fine-tuning: a relation classifier or an extractor, chosen on development data where there are any."""

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Union

from torch import nn

from relcon import processes
from relcon.components import nested
from relcon.errors import RelconError, did_you_mean, naming
from relcon.files import link_tree, read_json, write_json
from relcon.interfaces import Artifacts, Corpus, Encoder, Evaluator, OptimizerPlan, Pooler, Renderer, Sampler, Schedule, Split, Task
from relcon.model import Trained
from relcon.plans import StagePlan
from relcon.stages.choosing import Choice
from relcon.stages.context import StageContext
from relcon.stages.evaluate import train_split
from relcon.stages.sampling import timed
from relcon.stages.training import TrainingStage
from relcon.training.loop import Loop


class Finetune(TrainingStage):
    """Train a relation classifier, or an extractor; what it hands on is a model that evaluates and predicts.

    classifier: the name of the task that predicts relations; its stream's renderer is the model's. A task that extracts (finds entities
        and their relations by itself) needs none.
    selection: an evaluator run on the split `dev` after each epoch; the best model is kept. None keeps the last one.
        The test split is never looked at. With `[training] keep_best` above 1 the best so many stay in `stages/NAME/best/epoch-N`.
    look_from: the first epoch, counted from 1, after which the selection looks. After the last epoch of all it looks in any case, so that
        a shorter training hands on its last state.
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
        epochs: Union[float, str] = 1.0,
        max_steps: int = 0,
        accumulate: int = 1,
        clip: float = 1.0,
        data: Optional[Corpus] = None,
        split: str = "train",
        look_from: int = 1,
    ):
        super().__init__(
            encoders, poolers, streams, tasks, optimizer, schedule, epochs, max_steps, accumulate, clip, data, split
        )
        if classifier not in tasks:
            raise ValueError(f"classifier '{classifier}' is none of the tasks.{did_you_mean(classifier, tasks)}")
        if selection is None and (patience or choose_snapshot):
            raise ValueError("patience and choose_snapshot need a selection: an evaluator for the development data")
        if look_from < 1:
            raise ValueError(f"look_from must be at least 1, the first epoch, got {look_from}")
        self.classifier, self.selection, self.choose_snapshot = classifier, selection, choose_snapshot
        self.look_from = look_from
        self.choice = Choice("dev", selection is None or selection.higher_is_better, patience=patience)

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """`steps`; with a selection `dev` and `epoch`. Which snapshots it will choose among is not known."""
        if block.get("choose_snapshot"):
            return None
        return ["steps"] if block.get("selection") is None else ["steps", "dev", "epoch"]

    def check(self, corpus: Corpus, where: str) -> None:
        """There must be labelled training data, and development data where the model is chosen on them; and a renderer for a classifier."""
        super().check(corpus, where)
        task = self.tasks[str(self.classifier)]
        if not task.extracts and self.renderer() is None:
            raise RelconError(
                f"{where[:-1]}.streams.{task.stream}] has no renderer, by which the classifier '{self.classifier}' would see new pairs. "
                "Feed it from a sampler that has one, such as relcon.Instances.v1."
            )
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

    def loop(self, context: StageContext, trained: Trained, data: Split) -> Loop:
        """The loop; the classifier tells the samplers that want to know what it predicts."""
        for sampler in self.streams.values():
            if sampler.follows_predictions:
                self.recorders().append(sampler.recorder(data))
        return super().loop(context, trained, data)

    def recorders(self) -> nn.ModuleList:
        """Whom the classifier tells what it predicts in training. RelconError where it tells nobody."""
        task = self.tasks[str(self.classifier)]
        found = getattr(task, "recorders", None)
        if not isinstance(found, nn.ModuleList):
            raise RelconError(
                f"the task '{self.classifier}' ({type(task).__name__}) tells nobody what it predicts in training. Take "
                "relcon.Classification.v1 or relcon.MultiLabelClassification.v1 as the classifier."
            )
        return found

    def plan_epochs(self, context: StageContext, trained: Trained, loop: Loop, plan: StagePlan) -> None:
        """The look at the development data after each epoch, timed on a sample; and all of it once per snapshot."""
        if self.selection is not None:
            dev, train = context.corpus.split("dev"), context.corpus.split("train")
            look = timed({"selection": self.selection}, trained.model(), dev, train, context.folder)
            self.plan_looks(plan, f"look at {len(dev.instances)} instances of dev", look.total, self.look_from)
        if self.choose_snapshot:
            stages = {value.partition(".")[0] for value in self.encoders.values() if isinstance(value, str)}
            kept = {each for stage in stages for each in context.config["stages"][stage].get("snapshots") or []}
            plan.notes.append(f"trains once from each of {len(kept)} snapshots")
            plan.seconds = (plan.seconds or 0.0) * len(kept)
            plan.figures["snapshot"] = max(kept, default=0)

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
            results[snapshot] = self.from_snapshot(replace(context, snapshot=snapshot))
            context = replace(context, log_start=read_json(results[snapshot].folder / "done.json")["log"])
            figures[f"dev.snapshot_{snapshot}"] = results[snapshot].figures["dev"]
        chosen = self.choice.best_first([[results[snapshot].figures["dev"], snapshot] for snapshot in snapshots])[0][1]
        processes.on_main(lambda: link_tree(results[chosen].folder / "model", context.folder / "model"))
        return Artifacts(context.folder, {**results[chosen].figures, **figures, "snapshot": float(chosen)})

    def from_snapshot(self, context: StageContext) -> Artifacts:
        """Fine-tune from one snapshot, unless an interrupted run did so already; `done.json` says that it did and with what figures."""
        done = context.folder / "done.json"
        if context.goes_on and done.exists():
            return Artifacts(context.folder, read_json(done)["figures"])
        result = context.rebuild().run(context)
        processes.on_main(lambda: write_json(done, {"figures": dict(result.figures), "log": context.run.log_length()}))
        return result

    def look(self, context: StageContext, epoch: int, trained: Trained, loop: Loop) -> Optional[float]:
        """The selection's primary figure on the development data; None without a selection, and before it is to look."""
        if self.selection is None or (epoch < self.look_from and loop.done < loop.steps):
            return None
        with naming(f"[stages.{context.name}.selection]"):
            figures = self.selection.evaluate(trained.model(), context.corpus.split("dev"), train=train_split(context.corpus))
        context.run.log(event="dev", stage=context.name, epoch=epoch, **figures)
        return float(figures[self.selection.primary])

    def renderer(self) -> Optional[Renderer]:
        """The renderer of the classifier's stream; None where the stream has none."""
        stream = self.streams.get(self.tasks[str(self.classifier)].stream)
        return getattr(stream, "renderer", None)

    def blocks(self, context: StageContext) -> Dict[str, Any]:
        """Tasks and the renderer, null where the stream has none."""
        stream = self.tasks[str(self.classifier)].stream
        return {"tasks": context.block["tasks"], "renderer": context.block["streams"][stream].get("renderer")}

    def about(self, context: StageContext) -> Dict[str, Any]:
        """What prediction on new input needs: the reader and the candidate rule of the training data."""
        data = reading_block(context.block.get("data") or context.config["data"])
        return {"stage": context.name, "reader": data.get("reader"), "candidates": data.get("candidates")}


def reading_block(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """The block of the corpus that reads the files: this one, or that of the corpus which it changes."""
    inner = nested(block, "corpora")
    return block if inner is None else reading_block(block[inner])
