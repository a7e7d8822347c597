"""Stage 1 of FineCL: a classifier is trained on noisy labels, and the order in which it learns them is kept."""

import time
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, Mapping, Optional, Tuple, Union

import numpy as np

from relcon import processes
from relcon.errors import RelconError, naming
from relcon.evaluators.tables import write_lines
from relcon.files import write_json
from relcon.interfaces import (
    Artifacts,
    Corpus,
    Encoder,
    OptimizerPlan,
    Pooler,
    Sampler,
    Schedule,
    Split,
    Task,
)
from relcon.model import Trained
from relcon.plans import StagePlan
from relcon.samplers.document_pairs import Asked
from relcon.stages.context import StageContext
from relcon.stages.finetune import Finetune
from relcon.stages.planned import add_epochs
from relcon.training.loop import Loop
from relcon.training.position import Position
from relcon.training.predicting import predictions
from relcon.training.seeding import generator
from relcon_finecl import denoising
from relcon_finecl.order import (
    MANIFEST,
    NOT_LEARNED,
    Placement,
    Recorded,
    Tuples,
    accuracy_by_class,
    as_learned,
    newly_learned,
    newly_learned_by_class,
    order_after,
    span,
    tuples_of,
    write_order,
)
from relcon_finecl.recorder import OrderRecorder, Policy

RECORDINGS: Dict[str, Tuple[str, ...]] = {"batch": ("batch",), "epoch": ("epoch",), "both": ("batch", "epoch")}
"""What `recording` keeps; the first of them is what later stages read."""

SHARES = (1, 3, 5)
"""Epochs after which the share that is learned is a figure, beside the last one."""

EPOCHS = 15
"""As many as in the paper (section 6.1)."""

TIMED = 5
"""Batches, at most, on which a pass over the training data is timed."""


class LearningOrder(Finetune):
    """Train a relation classifier and record, for every relation instance, the first epoch in which its label is predicted.

    Instances that are learned early mostly carry right labels, late ones and those that are never learned mostly wrong ones. The order
    says how much each counts in contrastive pre-training (Hogan, Li and Shang, EMNLP 2022, section 4.1, algorithms 1 and 2). The
    classifier is handed on as by `relcon.Finetune.v1`.

    classifier: the name of the task that predicts relations. epochs: k, whole passes over the data.
    recording: `batch`: the predictions of the training batches, each before its step and with dropout (algorithm 1). `epoch`: those of a
        pass over all training data in evaluation mode after each epoch (algorithm 2). `both` in one run; later stages then read `batch`.
    multi_label_policy: of a pair with L relations one is drawn for each visit. It is learned where it has the highest logit of all
        classes (`sample_one`), or where it is among the L highest and above the classes that mean 'no relation' (`any_gold`).
    min_class_share: in per cent; so many instances of every relation at least get an order, drawn at random from those that were not
        learned; 0 for none. placement: their order is `uniform` over the epochs, or the `last`. What the classifier was never shown has no
        part in this.
    cuts: numbers of epochs; for each the order as if training had ended there is written as well. Those above `epochs` are passed over.
    All other arguments: see `TrainingStage`.

    Writes into its folder: `order.json` {uid: order}, under the rule of `min_class_share`, where what is missing was not learned;
    `manifest.json` beside it: `k`, `k_min` and `k_max` (not learned counts as k), the rule, a hash of the `data`, and per recording the
    share learned by epoch and by relation and the accuracy of the last epoch by relation; `order_batch.json`, `order_epoch.json`: what was
    recorded, without it; `cuts/kNN/order.json`, each with a `manifest.json` of its own; `epochs/epoch_NN.json`: {epoch: uids learned in
    it}, after each epoch; `instances.jsonl`: per instance its relation, `shown_epoch`, `learn_epoch`, `learn_order` and `upsampled`.

    Figures, of each recording (`batch.learned`): `learned_1`, `learned_3`, `learned_5` and `learned`, the share of all instances learned
    after these epochs and after the last; `unseen`, instances that were never shown; and where the data say which labels were corrupted,
    those of `relcon_finecl.denoising.figures`, of the instances that were shown. `upsampled`: how many the rule gave an order.

    ValueError where an argument is out of range; RelconError where the task keeps no recorders, or there are no relation instances.

    Config::

        [stages.order]
        @stages = "finecl.LearningOrder.v1"
        epochs = 15
        classifier = "relation"
        recording = "batch"

        [stages.order.encoders.text]
        @encoders = "relcon.MiniLM.v1"

        [stages.order.poolers.sentence]
        @poolers = "relcon.CLS.v1"

        [stages.order.streams.train]
        @samplers = "relcon.Instances.v1"
        batch_size = 32

        [stages.order.streams.train.renderer]
        @renderers = "relcon.EntityMarkers.v1"

        [stages.order.tasks.relation]
        @tasks = "relcon.Classification.v1"
        stream = "train"

        [stages.order.tasks.relation.tower]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "sentence"
    """

    tuples: Tuples
    recorder: OrderRecorder

    def __init__(
        self,
        encoders: Dict[str, Union[str, Encoder]],
        poolers: Dict[str, Union[str, Pooler]],
        streams: Dict[str, Sampler],
        tasks: Dict[str, Task],
        classifier: str,
        epochs: int = EPOCHS,
        recording: Literal["batch", "epoch", "both"] = "batch",
        multi_label_policy: Literal["sample_one", "any_gold"] = "sample_one",
        min_class_share: float = 50.0,
        placement: Literal["uniform", "last"] = "uniform",
        cuts: List[int] = [1, 3, 5, 10, 15],  # noqa: B006 (never changed; a default that survives JSON)
        optimizer: Optional[OptimizerPlan] = None,
        schedule: Optional[Schedule] = None,
        accumulate: int = 1,
        clip: float = 0.1,
        data: Optional[Corpus] = None,
        split: str = "train",
    ):
        super().__init__(
            encoders,
            poolers,
            streams,
            tasks,
            classifier,
            optimizer=optimizer,
            schedule=schedule,
            epochs=epochs,
            accumulate=accumulate,
            clip=clip,
            data=data,
            split=split,
        )
        if min(epochs, *cuts) < 1:
            raise ValueError(f"epochs and cuts are numbers of epochs from 1, got epochs = {epochs}, cuts = {cuts}")
        if not 0 <= min_class_share <= 100:
            raise ValueError(f"min_class_share is in per cent, from 0 to 100, got {min_class_share}")
        self.k, self.cuts = epochs, [cut for cut in sorted(cuts) if cut <= epochs]
        self.recordings = RECORDINGS[recording]
        self.policy: Policy = multi_label_policy
        self.share = min_class_share
        self.placement: Placement = placement

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """Those of each recording, the ones about corrupted labels included, which only some data have."""
        k, recordings = block.get("epochs", EPOCHS), RECORDINGS.get(str(block.get("recording", "batch")))
        if recordings is None or not isinstance(k, int):
            return None
        names = [*_shares(k), "unseen", *denoising.NAMES]
        return ["steps", "upsampled", *(f"{recording}.{name}" for recording in recordings for name in names)]

    def check(self, corpus: Corpus, where: str) -> None:
        """The task must tell of its predictions, and the data must have relations."""
        super().check(corpus, where)
        with naming(where):
            self.recorders()
            data = self.part_of(corpus, self.split)
            if not Asked(data).documents:
                raise RelconError(f"the split '{data.name}' asks about no related pair, so there is no order to learn. Look at [data].")

    @property
    def task(self) -> Any:
        """The classifier."""
        return self.tasks[str(self.classifier)]

    # ---- recording -----------------------------------------------------------------------------------------------------------

    def loop(self, context: StageContext, trained: Trained, data: Split) -> Loop:
        """The loop, whose classifier tells the recorder; the recorder is a part of the classifier, so checkpoints keep it."""
        self.tuples = tuples_of(data)
        self.recorder = OrderRecorder(self.tuples, data.labels, self.recordings, self.policy)
        self.recorders().append(self.recorder)
        return super().loop(context, trained, data)

    def train_epoch(self, context: StageContext, trained: Trained, loop: Loop, position: Position, random: Any = None) -> None:
        """One epoch, of which the recorder knows the number."""
        self.recorder.epoch = position.epoch
        super().train_epoch(context, trained, loop, position, random)

    def after_epoch(self, context: StageContext, epoch: int, trained: Trained, loop: Loop, best: Dict[str, Any]) -> bool:
        """Pass over the data once more where that is recorded, and write which instances were learned in this epoch."""
        if "epoch" in self.recordings:
            for _ in self.passing(loop):
                pass
        self.recorder.merge()
        self.refuse_blind(context)
        processes.on_main(lambda: self.write_epoch(context.folder, epoch - 1))
        return super().after_epoch(context, epoch, trained, loop, best)

    def passing(self, loop: Loop) -> Iterator[None]:
        """Record what the classifier predicts now for all training data, batch by batch."""
        for told in predictions(loop, self.task, self.recorder.epoch, "recording"):
            self.recorder.note("epoch", *told)
            yield

    def refuse_blind(self, context: StageContext) -> None:
        """RelconError where an epoch showed no instance that could be told from others."""
        if not (self.recorded[self.recordings[0]].first_shown >= 0).any():
            raise RelconError(
                f"[stages.{context.name}] recorded nothing in an epoch: the stream '{self.task.stream}' shows no relation instance, or "
                "does not say which ones (uids). Take relcon.DocumentPairs.v1 or relcon.Instances.v1."
            )

    @property
    def recorded(self) -> Dict[str, Recorded]:
        """What was recorded so far."""
        return {name: self.recorder.recordings[name].columns() for name in self.recordings}  # type: ignore[operator]

    # ---- what is handed on -----------------------------------------------------------------------------------------------------

    def run(self, context: StageContext) -> Artifacts:
        """Train, hand on the classifier, and write the order."""
        artifacts = super().run(context)
        return Artifacts(artifacts.folder, {**artifacts.figures, **self.order_figures(context)})

    def hand_on(self, context: StageContext, trained: Trained, best: Mapping[str, Any]) -> None:
        """The classifier and all that is written about the order."""
        super().hand_on(context, trained, best)
        self.write(context)

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do; the order of a few steps is written for later stages."""
        plan = super().plan(context)
        self.write(context)
        return plan

    def plan_epochs(self, context: StageContext, trained: Trained, loop: Loop, plan: StagePlan) -> None:
        """The pass after each epoch, timed on a few batches."""
        if "epoch" in self.recordings:
            stream = loop.streams[self.task.stream]
            began = time.perf_counter()
            taken = sum(1 for _ in islice(self.passing(loop), TIMED))
            seconds = (time.perf_counter() - began) / max(taken, 1) * stream.sampler.length(stream.data)
            add_epochs(plan, "recording after an epoch", seconds, loop.epochs)

    def order_of(self, context: StageContext, k: int) -> np.ndarray:
        """The order [N] after k epochs under the rule of `min_class_share`."""
        draw = generator(context.seed, context.name, "minimum share")
        return order_after(self.recorded[self.recordings[0]], self.tuples.labels, k, self.share, self.placement, draw)

    def write(self, context: StageContext) -> None:
        """All files but those of the epochs."""
        summaries = {name: self.summary(recorded) for name, recorded in self.recorded.items()}
        self.write_cut(context, self.k, context.folder, recordings=summaries)
        for cut in self.cuts:  # in folders of their own, because a manifest speaks of the order beside it
            self.write_cut(context, cut, context.folder / "cuts" / f"k{cut:02d}")
        for name, recorded in self.recorded.items():
            write_order(context.folder / f"order_{name}.json", self.tuples.uids, recorded.first_right)
        write_lines(context.folder / "instances.jsonl", self.rows(self.order_of(context, self.k)))

    def write_cut(self, context: StageContext, k: int, folder: Path, **more: Any) -> None:
        """The order after k epochs and what belongs to it. more: what else the manifest says."""
        orders = self.order_of(context, k)
        write_order(folder / "order.json", self.tuples.uids, orders)
        write_json(folder / MANIFEST, {**self.manifest(context, orders, k), **more})

    def write_epoch(self, folder: Path, epoch: int) -> None:
        """The instances that were learned in an epoch."""
        learned = np.flatnonzero(self.recorded[self.recordings[0]].first_right == epoch)
        write_json(folder / "epochs" / f"epoch_{epoch:02d}.json", {str(epoch): [self.tuples.uids[row] for row in learned]})

    def rows(self, orders: np.ndarray) -> Iterator[Dict[str, Any]]:
        """What is known of each instance. orders: [N]."""
        recorded = self.recorded[self.recordings[0]]
        columns = (self.tuples.uids, self.tuples.labels, recorded.first_shown.tolist(), recorded.first_right.tolist(), orders.tolist())
        for uid, label, shown, learned, order in zip(*columns, strict=True):
            yield {
                "uid": uid,
                "relation": label,
                "shown_epoch": _known(shown),
                "learn_epoch": _known(learned),
                "learn_order": _known(order),
                "upsampled": order != learned,
            }

    def manifest(self, context: StageContext, orders: np.ndarray, k: int) -> Dict[str, Any]:
        """What `manifest.json` says of the order [N] after k epochs."""
        k_min, k_max = span(orders, k)
        return {
            "recording": self.recordings[0],
            "multi_label_policy": self.policy,
            "k": k,
            "k_min": k_min,
            "k_max": k_max,
            "min_class_share": self.share,
            "placement": self.placement,
            "seed": context.seed,
            "encoders": context.block["encoders"],
            "data": self.tuples.data,
            "instances": len(orders),
            "upsampled": self.upsampled(orders, k),
        }

    def upsampled(self, orders: np.ndarray, k: int) -> int:
        """How many instances the rule gave an order. orders: [N] after k epochs."""
        return int((orders != as_learned(self.recorded[self.recordings[0]].first_right, k)).sum())

    def summary(self, recorded: Recorded) -> Dict[str, Any]:
        """What the manifest says of a recording."""
        orders, labels, last = recorded.first_right, self.tuples.labels, self.k - 1
        by_class = newly_learned_by_class(orders, labels, self.k)
        shown = recorded.first_shown >= 0
        found = {
            "unseen": int((~shown).sum()),
            "not_learned": int((shown & (orders == NOT_LEARNED)).sum()),
            "learned": np.cumsum(newly_learned(orders, self.k)).tolist(),
            "learned_by_relation": {label: np.cumsum(shares).tolist() for label, shares in by_class.items()},
            "accuracy_by_relation": accuracy_by_class(recorded.last_right == last, recorded.last_shown == last, labels),
        }
        if self.tuples.corrupted is not None:
            clean = denoising.clean_by_epoch(self.scores(recorded)[shown], self.tuples.corrupted[shown], self.k)
            found["clean_by_epoch"] = [each._asdict() for each in clean]
        return found

    def order_figures(self, context: StageContext) -> Dict[str, float]:
        """The figures about the order."""
        found = {"upsampled": float(self.upsampled(self.order_of(context, self.k), self.k))}
        for name, recorded in self.recorded.items():
            found.update({f"{name}.{key}": value for key, value in self.recording_figures(recorded).items()})
        return found

    def recording_figures(self, recorded: Recorded) -> Dict[str, float]:
        """The figures of one recording."""
        learned, shown = np.cumsum(newly_learned(recorded.first_right, self.k)), recorded.first_shown >= 0
        found = {name: float(learned[epoch - 1]) for name, epoch in _shares(self.k).items()}
        found["unseen"] = float((~shown).sum())
        if self.tuples.corrupted is not None:
            labels = [label for label, seen in zip(self.tuples.labels, shown, strict=True) if seen]
            found.update(denoising.figures(self.scores(recorded)[shown], self.tuples.corrupted[shown], labels))
        return found

    def scores(self, recorded: Recorded) -> np.ndarray:
        """[N] the order of each instance, k for one that was not learned."""
        return np.where(recorded.first_right == NOT_LEARNED, self.k, recorded.first_right)


def _shares(k: int) -> Dict[str, int]:
    """The figures that say how much is learned, each with the number of epochs after which it does."""
    return {**{f"learned_{epoch}": epoch for epoch in SHARES if epoch < k}, "learned": k}


def _known(epoch: int) -> Optional[int]:
    """An epoch; None for 'never'."""
    return None if epoch < 0 else epoch
