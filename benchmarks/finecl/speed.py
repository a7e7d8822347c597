"""How fast FineCL's stages train beside bare loops, what sharing an encoding saves, what its samplers hold, how fast distant labels come.

    python benchmarks/finecl/speed.py --output runs/finecl-speed [--rounds 5] [--steps 12] [--documents 100000]

Writes OUTPUT/speed.md, medians of commands that run alternately. `order`: labelled instances per second of stage 1. `pretrain`: documents
per second of ERICA's pre-training, both halves counted. `pairs`: pairs per second that a classifier scores, each document encoded once
against once for each pair. Then the tables of memory.py, on so many documents, and of build.py. All documents are invented, and those that
are trained on short enough to be cropped nowhere. The bare loops get the very batches that relcon draws, so their time holds no sampling;
before they are timed, both compute the loss of the first batch with the same weights and without dropout.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

from safetensors.torch import save_file
from torch import Tensor

from relcon.config import load_config, resolve
from relcon.contrast import Batch, Contrast, Labelled, Slot, Text, View
from relcon.encoders.minilm import minilm_folder
from relcon.encoding import encode, step
from relcon.files import read_jsonl
from relcon.interfaces import Draw, Parts
from relcon.stages.training import TrainingStage
from relcon.training.seeding import generator

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "speed"))
from commands import baseline, python
from make_documents import write

CONFIGS = Path(__file__).parents[2] / "configs/finecl"

WORDS, INSTANCES = 60, 15
"""Of a document; so many invented words have some 200 pieces."""

WARM_UP = 2
"""Steps that do not count."""

SCORED, SCORED_ALONE = 20, 4
"""Documents all pairs of which are scored, sharing an encoding and one by one."""

BUILT = 20_000
"""Documents that are labelled by a knowledge base."""

CLOSE = 1e-4
"""Losses and scores that differ by less are the same."""


# ---- what is timed -------------------------------------------------------------------------------------------------------


class Timed(NamedTuple):
    """A training stage that is timed.

    config: of configs/finecl; what stands behind the line that begins with `end` is left out. unit: what is counted. documents: of a step.
    length: the override that makes it so many steps, of (documents of each step, steps). plain: the batches of a step, by stream, as the
    bare loop reads them. count: how many units such a step has. head: the weights that the bare loop cannot make itself.
    """

    config: str
    end: str
    unit: str
    documents: int
    length: Callable[[int], List[str]]
    plain: Callable[[Dict[str, Batch]], Any]
    count: Callable[[Any], int]
    head: Callable[[TrainingStage, Parts], Dict[str, Tensor]]


class Entities:
    """Texts and entities of views, numbered as they are met."""

    def __init__(self) -> None:
        self.texts: Dict[Text, int] = {}
        self.entities: Dict[Tuple[int, Slot], int] = {}

    def of(self, view: View) -> List[int]:
        """The entities that a view is made of."""
        text = self.texts.setdefault(view.input, len(self.texts))  # type: ignore[arg-type]
        return [self.entities.setdefault((text, slot), len(self.entities)) for slot in view.unit]

    def plain(self) -> Dict[str, Any]:
        """All of them as plain values."""
        spans = [[text, [[span.start, span.end] for span in slot]] for text, slot in self.entities]
        return {"texts": [text.words for text in self.texts], "entities": spans}


def plain_pairs(batches: Dict[str, Batch]) -> Dict[str, Any]:
    """A batch of labelled pairs."""
    value, met = batches["documents"]["pairs"], Entities()
    assert isinstance(value, Labelled) and value.labels is not None
    heads, tails = zip(*map(met.of, value.views), strict=True)
    labels, targets = value.labels.tolist(), value.extra["targets"].tolist()
    return {**met.plain(), "heads": heads, "tails": tails, "labels": labels, "targets": targets, "uids": value.uids}


def plain_contrasts(batches: Dict[str, Batch]) -> List[Dict[str, Any]]:
    """A batch of each stream: a contrast over masked texts."""
    return [plain_contrast(batch["contrast"], batch["masked"]) for batch in batches.values()]  # type: ignore[arg-type]


def plain_contrast(contrast: Contrast, masked: Labelled) -> Dict[str, Any]:
    """A contrast without the views that are no anchor of any term, and the pieces that are hidden."""
    met, pairing = Entities(), contrast.pairing
    anchors = [met.of(view) for view in contrast.anchors]
    candidates = anchors if contrast.candidates is None else [met.of(view) for view in contrast.candidates]
    paired = (pairing.positives > 0).any(1).nonzero()[:, 0].tolist()
    shown = {(text, word, piece): number for text in met.texts for word, piece, number in text.edits}
    spots = [(view.input, span.start, span.piece) for view in masked.views for (span,) in view.unit]
    assert masked.labels is not None
    return {
        **met.plain(),
        "anchors": [anchors[row] for row in paired],
        "candidates": candidates,
        "positives": pairing.positives[paired].argmax(1).tolist(),
        "negatives": [row.nonzero()[:, 0].tolist() for row in pairing.negatives[paired]],
        "masked": [
            [met.texts[spot[0]], *spot[1:], shown[spot], true]  # type: ignore[index]
            for spot, true in zip(spots, masked.labels.tolist(), strict=True)
        ],
    }


TIMED = {
    "order": Timed(
        config="finecl.cfg",
        end="# ---- stage 2",
        unit="labelled instances/s",
        documents=8,
        length=lambda steps: ["--stages.order.epochs", "1"],
        plain=plain_pairs,
        count=lambda made: sum(uid is not None for uid in made["uids"]),
        head=lambda stage, parts: {**parts.poolers["pair"].state_dict(), **stage.tasks["relation"].classifier().head.state_dict()},
    ),
    "pretrain": Timed(
        config="erica.cfg",
        end="# ---- fine-tuning",
        unit="documents/s",
        documents=32,
        length=lambda steps: ["--training.max_steps", str(steps)],
        plain=plain_contrasts,
        count=lambda made: sum(len(stream["texts"]) for stream in made),
        head=lambda stage, parts: parts.heads["text"].state_dict(),
    ),
}
"""By the name of the stage in its config, and behind `finecl_` in benchmarks/baselines."""


# ---- the same work ---------------------------------------------------------------------------------------------------------


def documents(output: Path, count: int) -> Path:
    """So many invented documents."""
    target = output / f"documents-{count}.jsonl"
    if not target.exists():
        write(target, count, WORDS, INSTANCES, seed=1)
    return target


def config_of(name: str, output: Path, count: int) -> Tuple[Path, List[str]]:
    """A config of one stage, and the overrides that let it read so many invented documents."""
    text = (CONFIGS / TIMED[name].config).read_text(encoding="utf-8")
    config = output / f"{name}.cfg"
    config.write_text(text[: text.index(TIMED[name].end)], encoding="utf-8")
    data = str(documents(output, count))
    words = ["--paths.train", data, "--paths.distant", data, "--data.reader.@readers", "relcon.JSONLines.v1", "--training.log_every", "1"]
    return config, [*words, "--data.negative", '["none"]', "--vars.distant.negative", '["none"]']


def stage_of(name: str, output: Path, count: int) -> Tuple[TrainingStage, Parts, int]:
    """A stage in this process, its tasks built and dropout off, what they share, and the seed of its config."""
    config, words = config_of(name, output, count)
    tree = load_config(config, words).tree
    stage = resolve(tree["stages"][name], f"[stages.{name}]")
    parts = Parts(stage.encoders, stage.poolers, stage.data.labels)
    for task in stage.tasks.values():
        task.build(parts)
        task.eval()
    return stage, parts, tree["training"]["seed"]


def drawn(name: str, stage: TrainingStage, seed: int) -> Iterator[Dict[str, Batch]]:
    """The batches of the stage's first epoch, by stream, as a run draws them."""
    data, flows = stage.part_of(stage.data, "train"), {}
    for stream, sampler in stage.streams.items():
        sampler.prepare(data)
        flows[stream] = sampler.batches(data, Draw(0, generator(seed, name, stream, 0), stage.encoders["text"].vocabulary))
    for batches in zip(*flows.values(), strict=True):
        yield dict(zip(flows, batches, strict=True))


def loss_of(stage: TrainingStage, batches: Dict[str, Batch]) -> float:
    """The loss of a step without dropout."""
    return sum(
        step({name: task for name, task in stage.tasks.items() if task.stream == stream}, batch, tokens=4096, backward=False).loss
        for stream, batch in batches.items()
    )


def prepared(name: str, output: Path, steps: int) -> Path:
    """The batches that the stage draws, as the bare loop reads them; it must find the same loss in the first of them."""
    stage, parts, seed = stage_of(name, output, steps * TIMED[name].documents)
    file, head = output / f"{name}.jsonl", output / f"{name}.safetensors"
    every = list(drawn(name, stage, seed))
    file.write_text("".join(json.dumps(TIMED[name].plain(batches)) + "\n" for batches in every), encoding="utf-8")
    save_file({key: tensor.contiguous() for key, tensor in TIMED[name].head(stage, parts).items()}, head)
    ours = loss_of(stage, every[0])
    theirs = baseline(f"finecl_{name}", file, minilm_folder(), "--head", head, "--steps", 1)["first_loss"]
    print(f"{name}: {len(every)} batches; the loss of the first: relcon {ours:.6f}, the bare loop {theirs:.6f}", flush=True)
    if len(every) != steps or abs(ours - theirs) > CLOSE:
        raise SystemExit("The bare loop does not do what relcon does.")
    return file


# ---- time ----------------------------------------------------------------------------------------------------------------


def rate_of_relcon(name: str, output: Path, made: List[Any]) -> float:
    """Units per second between the ends of the steps that count, as relcon's log has them. made: what its steps read."""
    config, words = config_of(name, output, len(made) * TIMED[name].documents)
    run = output / f"run-{name}"
    python("-m", "relcon", "train", str(config), "-o", str(run), "--overwrite", *words, *TIMED[name].length(len(made)))
    steps = [line for line in read_jsonl(run / "log.jsonl") if line["event"] == "step"]
    if len(steps) != len(made) or any(line["figures"]["cropped"] for line in steps):
        raise SystemExit(f"The stage '{name}' took {len(steps)} steps, or cropped a document: the bare loop does other work.")
    return sum(map(TIMED[name].count, made[WARM_UP:])) / (steps[-1]["time"] - steps[WARM_UP - 1]["time"])


def rates(name: str, output: Path, steps: int, rounds: int) -> List[str]:
    """The row of a stage, by alternate runs."""
    file = prepared(name, output, steps)
    made, found = read_jsonl(file), []
    for _ in range(rounds):
        bare = baseline(f"finecl_{name}", file, minilm_folder(), "--warm-up", WARM_UP)["instances_per_second"]
        found.append((rate_of_relcon(name, output, made), bare))
        print(f"{name}: relcon {found[-1][0]:.2f}, the bare loop {found[-1][1]:.2f} {TIMED[name].unit}", flush=True)
    return compared(f"`{name}`, {TIMED[name].unit}", found)


def pairs(output: Path, rounds: int) -> List[str]:
    """The row of pairs that are scored with a document's encoding shared, and each with one of its own."""
    stage, _, _ = stage_of("order", output, SCORED)
    instances = stage.part_of(stage.data, "train").instances
    shared, tower = stage.streams["documents"].renderer(instances), stage.tasks["relation"].classifier()
    alone = [View(Text(view.input.words), view.unit) for view in shared[: len(shared) * SCORED_ALONE // SCORED]]
    found = []
    for _ in range(rounds):
        times = [time.perf_counter()]
        scores = []
        for views in (shared, alone):
            scores.append(encode(tower, views)[0])
            times.append(time.perf_counter())
        if float((scores[0][: len(alone)] - scores[1]).abs().max()) > CLOSE:
            raise SystemExit("A pair has another score where its document is encoded for it alone.")
        found.append((len(shared) / (times[1] - times[0]), len(alone) / (times[2] - times[1])))
    return compared("`pairs`, pairs/s, once a document against once a pair", found)


def compared(title: str, found: List[Tuple[float, float]]) -> List[str]:
    """A row: the medians of both sides, and their ratio."""
    one, other = (median(side) for side in zip(*found, strict=True))
    return [title, f"{one:.2f}", f"{other:.2f}", f"{one / other:.2f}"]


# ---- the page --------------------------------------------------------------------------------------------------------------


def table(head: List[str], rows: List[List[str]]) -> str:
    """Rows as Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def main() -> None:
    """Measure and write."""
    given = arguments()
    output: Path = given.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    os.environ["RELCON_CACHE"] = str(output / "cache")
    rows = [*(rates(name, output, given.steps, given.rounds) for name in TIMED), pairs(output, given.rounds)]
    page = table(["what", "relcon", "against", "ratio"], rows)
    for script, count in (("memory", given.documents), ("build", min(BUILT, given.documents))):
        page += "\n" + python(str(Path(__file__).with_name(f"{script}.py")), "--documents", str(count), "--folder", str(output))
    (output / "speed.md").write_text(page, encoding="utf-8")
    print(page)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12, help=f"of each training run, more than {WARM_UP}, the first of which do not count")
    parser.add_argument("--documents", type=int, default=100_000, help="that the samplers draw from, and at most as many are labelled")
    given = parser.parse_args()
    if given.steps <= WARM_UP:
        parser.error(f"--steps: {given.steps} is not above {WARM_UP}")
    return given


if __name__ == "__main__":
    main()
