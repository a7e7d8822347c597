"""What a learning order looks like: curves, classes that are hard, another order beside it, and a sheet to check labels by hand."""

import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Set, get_args

import torch

from relcon import processes
from relcon.data.document import Document, Instance
from relcon.data.joining import split_of
from relcon.data.relations import relation_instances
from relcon.errors import RelconError, naming
from relcon.evaluators.tables import shown
from relcon.files import read_json, read_jsonl, write_json
from relcon.interfaces import Artifacts, Corpus, Split, Stage
from relcon.plans import StagePlan
from relcon.stages.context import StageContext
from relcon.stages.planned import counted
from relcon.training.seeding import generator
from relcon_finecl import order_plots
from relcon_finecl.order import MANIFEST, Keys, Mode, cumulative_jaccard, difficult, load_order, read_order

BOUND = 0.8
"""Below this accuracy a relation is a difficult one (table 7 of the paper)."""

COLUMNS = ("epoch", "predicted", "uid", "relation", "text", "label is right (yes or no)")
"""Of the sheet; the last is to be filled in."""


class Line(NamedTuple):
    """A line of the sheet: an instance whose label was predicted in an epoch (`right`), or had not been by its end (`wrong`)."""

    epoch: int
    predicted: str
    uid: str


class OrderReport(Stage):
    """Figures, pictures and tables of what a `finecl.LearningOrder.v1` stage recorded (Hogan, Li and Shang, EMNLP 2022).

    order: that stage's name. against: an order file (`order_batch.json`) of another run over the same data. keys: what its keys are, uids
    or the relations' own ids.
    sheet: so many instances per epoch that were learned in it, and as many that had been shown and not been learned by its end, drawn at
        random, for checking their labels by hand; 0 for none. sheet_epochs: of the first so many epochs (the paper: 6).
    data, split: the corpus and the part of it that the order was learned on; the run's own unless said.

    Files, tables as CSV and pictures as PNG: `learned` (figure 2: newly learned and cumulative share by epoch), `relations` (figure 4: by
    relation, before the rule of the minimum share), `jaccard` (figure 3, with `against`: the cumulative similarity in three readings; see
    `relcon_finecl.order.cumulative_jaccard`), `sheet.csv` (the arguments are marked in the text; the last column is to be filled in), and
    `difficult.json`: the relations with an accuracy below 80 %, by that of the last epoch and by the share ever learned.

    Figures: `difficult` and `difficult_ever`, how many such relations there are; `sheet`, how many lines it has; with `against`
    `jaccard.sum`, `jaccard.union`, `jaccard.pooled` after the last epoch.

    ValueError where an argument is below 0; RelconError where a file is missing or an order belongs to other data.

    Config::

        [stages.report]
        @stages = "finecl.OrderReport.v1"
        order = "order"
        sheet = 10
    """

    takes = {"order": None}

    def __init__(
        self,
        order: str,
        against: Optional[str] = None,
        keys: Literal["uid", "id"] = "uid",
        sheet: int = 10,
        sheet_epochs: int = 6,
        data: Optional[Corpus] = None,
        split: str = "train",
    ):
        if min(sheet, sheet_epochs) < 0:
            raise ValueError(f"sheet and sheet_epochs must not be below 0, got {sheet} and {sheet_epochs}")
        self.order, self.against, self.sheet, self.sheet_epochs = order, against, sheet, sheet_epochs
        self.keys: Keys = keys
        self.data, self.split = data, split

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """The similarities only where there is another order."""
        modes = [f"jaccard.{mode}" for mode in get_args(Mode)] if block.get("against") is not None else []
        return ["difficult", "difficult_ever", "sheet", *modes]

    def check(self, corpus: Corpus, where: str) -> None:
        """The split must be there, and the other order be one of its instances."""
        with naming(f"{where} split:"):
            data = split_of(self.data or corpus, self.split)
        if self.against is not None:
            with naming(f"{where} against:"):
                read_order(self.against, data, self.keys)

    def run(self, context: StageContext) -> Artifacts:
        """Write everything."""
        source = context.handed_on_by(self.order).folder
        manifest, data = self.manifest(source, context), split_of(self.data or context.corpus, self.split)
        recording = manifest["recordings"][manifest["recording"]]
        hard = hard_relations(recording)
        found = {"difficult": float(len(hard["last_epoch"])), "difficult_ever": float(len(hard["ever_learned"]))}
        rows = read_jsonl(source / "instances.jsonl")
        lines = list(self.lines(rows, manifest["k"], generator(context.seed, context.name, "sheet")))
        found["sheet"] = float(len(lines))
        curves = {} if self.against is None else self.curves(source / f"order_{manifest['recording']}.json", manifest["k"], data)
        found.update({f"jaccard.{mode}": curve[-1] for mode, curve in curves.items()})
        processes.on_main(lambda: self.write(context.folder, manifest, rows, hard, curves))
        processes.on_main(lambda: write_sheet(context.folder / "sheet.csv", lines, data))
        return Artifacts(context.folder, found)

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do, done with the order of a few steps."""
        began = time.perf_counter()
        figures = dict(self.run(context).figures)
        plan = counted(context, split_of(self.data or context.corpus, self.split))
        plan.figures, plan.seconds = figures, time.perf_counter() - began
        return plan

    def manifest(self, source: Path, context: StageContext) -> Dict[str, Any]:
        """What the stage says of its order; RelconError where it is none that records one."""
        if not (source / MANIFEST).exists():
            raise RelconError(
                f"[stages.{context.name}] order: stage '{self.order}' records no learning order. Name one of finecl.LearningOrder.v1."
            )
        return dict(read_json(source / MANIFEST))

    def curves(self, path: Path, k: int, data: Split) -> Dict[str, List[float]]:
        """mode -> [k] how far the order and the other one agree."""
        ours, theirs = load_order(path), read_order(str(self.against), data, self.keys)
        return {mode: cumulative_jaccard(ours, theirs, k, mode) for mode in get_args(Mode)}

    def lines(self, rows: Sequence[Mapping[str, Any]], k: int, draw: torch.Generator) -> Iterator[Line]:
        """The lines of the sheet, by epoch; no instance stands in two of them."""
        taken: Set[str] = set()
        for epoch in range(min(k, self.sheet_epochs)):
            for predicted, uids in (("right", learned_in(rows, epoch)), ("wrong", not_learned_by(rows, epoch))):
                free = [uid for uid in uids if uid not in taken]
                chosen = [free[number] for number in torch.randperm(len(free), generator=draw)[: self.sheet].tolist()]
                taken.update(chosen)
                yield from (Line(epoch, predicted, uid) for uid in chosen)

    def write(
        self,
        folder: Path,
        manifest: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        hard: Mapping[str, List[str]],
        curves: Mapping[str, Sequence[float]],
    ) -> None:
        """All files but the sheet."""
        recordings = manifest["recordings"]
        order_plots.learned(folder, {name: each["learned"] for name, each in recordings.items()})
        counts: Dict[str, int] = {}
        for row in rows:
            counts[row["relation"]] = counts.get(row["relation"], 0) + 1
        order_plots.relations(folder, recordings[manifest["recording"]]["learned_by_relation"], counts)
        write_json(folder / "difficult.json", {"below": BOUND, **hard})
        if curves:
            order_plots.jaccard(folder, curves)


def hard_relations(recording: Mapping[str, Any]) -> Dict[str, List[str]]:
    """The difficult relations of a recording in both readings: by the accuracy of the last epoch, and by the share ever learned."""
    ever = {label: shares[-1] for label, shares in recording["learned_by_relation"].items()}
    return {"last_epoch": difficult(recording["accuracy_by_relation"], BOUND), "ever_learned": difficult(ever, BOUND)}


def learned_in(rows: Sequence[Mapping[str, Any]], epoch: int) -> List[str]:
    """The instances that were learned in an epoch."""
    return [row["uid"] for row in rows if row["learn_epoch"] == epoch]


def not_learned_by(rows: Sequence[Mapping[str, Any]], epoch: int) -> List[str]:
    """The instances that had been shown and not been learned by the end of an epoch."""
    return [
        row["uid"]
        for row in rows
        if row["shown_epoch"] is not None
        and row["shown_epoch"] <= epoch
        and (row["learn_epoch"] is None or row["learn_epoch"] > epoch)
    ]


def write_sheet(path: Path, lines: Sequence[Line], data: Split) -> None:
    """`sheet.csv`: each instance with its relation and the text that it is said to stand in."""
    wanted = {line.uid for line in lines}
    found = {uid: cells for document in data.documents for uid, cells in _cells(document, data) if uid in wanted}
    order_plots.write_table(path, COLUMNS, ((*line, *found[line.uid], "") for line in lines))


def _cells(document: Document, data: Split) -> Iterator[Any]:
    """uid, (relation, marked text) of each relation instance of a document."""
    for each in relation_instances(document, data.labels.negative):
        yield each.uid, (each.label, shown(Instance(document, each.head, each.tail)))
