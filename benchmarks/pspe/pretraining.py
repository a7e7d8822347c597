"""The stage of pretrain.cfg in this process: its batches as the bare loop reads them, and its step with a queue that is full.

    python benchmarks/pspe/pretraining.py OUTPUT --queue 65536 --steps 12

Prints the seconds of a step, the largest resident memory of the process, and what the queue itself takes, as one JSON object.
"""

import argparse
import json
import resource
import sys
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import torch
from torch import Tensor, nn

from relcon.adjusters.queue import Queue
from relcon.config import load_config, resolve
from relcon.contrast import Batch, Contrast, Input, Labelled
from relcon.encoding import step
from relcon.interfaces import Corpus, Draw, Encoder, Parts
from relcon.planning import locate
from relcon.stages.training import TrainingStage
from relcon.training.seeding import generator

sys.path.insert(0, str(Path(__file__).parents[1]))
from make_documents import write

CONFIG = Path(__file__).with_name("pretrain.cfg")
WORDS, RELATIONS = 20, 8
"""Of an invented document, which is one sentence."""

BATCH = 16
WARM_UP = 2
"""Steps that do not count."""


def sentences(output: Path, count: int) -> Path:
    """So many invented sentences."""
    target = output / f"sentences-{count}.jsonl"
    if not target.exists():
        write(target, count, WORDS, RELATIONS, seed=1)
    return target


class Built(NamedTuple):
    """A stage with its tasks built, the corpus, what the tasks share, and the seed of the config."""

    stage: TrainingStage
    corpus: Corpus
    parts: Parts
    seed: int


def built(output: Path, steps: int, queue: int) -> Built:
    """The stage over as many sentences as it takes steps for, its queue of such a size."""
    words = ["--paths.train", str(sentences(output, steps * BATCH)), "--stages.pretrain.tasks.contrast.adjusters.queue.size", str(queue)]
    tree = load_config(CONFIG, words).tree
    stage, corpus = resolve(tree["stages"]["pretrain"], "[stages.pretrain]"), resolve(tree["data"], "[data]")
    parts = Parts(stage.encoders, stage.poolers, corpus.labels)
    torch.manual_seed(tree["training"]["seed"])
    for task in stage.tasks.values():
        task.build(parts)
    return Built(stage, corpus, parts, tree["training"]["seed"])


def drawn(made: Built) -> Iterator[Batch]:
    """The batches of the first epoch, as a run draws them."""
    data, sampler = made.corpus.split("train"), made.stage.streams["sentences"]
    sampler.prepare(data)
    yield from sampler.batches(data, Draw(0, generator(made.seed, "pretrain", "sentences", 0), made.parts.encoders["text"].vocabulary))


# ---- for the bare loop -----------------------------------------------------------------------------------------------------


def plain(batch: Batch, encoder: Encoder) -> Dict[str, Any]:
    """A batch as pieces, word starts and numbers of views."""
    contrast, permuted, masked = batch["contrast"], batch["permutation"], batch["boundary"]
    assert isinstance(contrast, Contrast) and isinstance(permuted, Labelled) and isinstance(masked, Labelled)
    texts: Dict[Input, int] = {view.input: number for number, view in enumerate(contrast.anchors)}
    prepared = encoder.prepare(list(texts))
    ids, lengths = prepared.tensors["input_ids"], prepared.whole[:, 2].tolist()
    spots = locate(prepared, texts, masked.views) if masked.views else None
    return {
        "ids": [row[:length].tolist() for row, length in zip(ids, lengths, strict=True)],
        "first": [[first for first in row if first >= 0] for row in prepared.where[:, :, 1].tolist()],
        "pairs": [[[span.start, span.end] for (span,) in view.unit] for view in contrast.anchors],
        "permuted": [
            [texts[view.input], view.unit[0][0].start, view.unit[0][0].end, *numbers]
            for view, *numbers in zip(permuted.views, *columns(permuted.labels, permuted.extra["weight"]), strict=True)
        ],
        "masked": []
        if spots is None
        else list(zip(*columns(spots.row, spots.start, masked.extra["offset"], masked.labels, masked.extra["weight"]), strict=True)),
    }


def columns(*tensors: "Tensor | None") -> List[List[Any]]:
    """Tensors as lists."""
    return [[] if tensor is None else tensor.tolist() for tensor in tensors]


def weights(made: Built) -> Dict[str, Tensor]:
    """Those of all parts under the names of the bare loop."""
    tasks, spans = made.stage.tasks, made.parts.poolers["spans"]
    named = {
        "pairs.text": made.parts.encoders["text"].model,
        "pairs.convolutions": spans.span.convolutions,
        "pairs.mlp": spans.span.mlp,
        **{f"pairs.{name}": getattr(spans, name) for name in ("positions", "of_segment", "of_sentence", "of_positions", "score")},
        "pairs.head": tasks["contrast"].tower.head,
        "order": tasks["permutation"].tower.head,
        "offsets": tasks["boundary"].positions,
        "pieces.0": tasks["boundary"].hidden,
        "pieces.1": tasks["boundary"].output,
    }
    return {f"{place}.{name}": tensor for place, module in named.items() for name, tensor in module.state_dict().items()}


def losses(made: Built, count: int) -> List[float]:
    """Those of the first steps without dropout; from the second on the queue has keys."""
    for task in made.stage.tasks.values():
        task.eval()
    queue_of(made).train()
    return [taken.loss for taken in islice(steps(made), count)]


# ---- steps, and a full queue ----------------------------------------------------------------------------------------------


def fill(queue: Queue, width: int) -> None:
    """Strangers in every place."""
    queue.vectors = torch.randn(queue.lanes, queue.size, width, generator=torch.Generator().manual_seed(0))
    queue.keys.fill_(-1)
    queue.labels.fill_(-1)
    queue.pushed.fill_(queue.size)


def queue_of(made: Built) -> Queue:
    """The queue of the contrast."""
    queue = made.stage.tasks["contrast"].adjusters["queue"]
    assert isinstance(queue, Queue)
    return queue


class Taken(NamedTuple):
    """A step that was taken: its loss, and how long it took, optimizer and queue included."""

    loss: float
    seconds: float


def steps(made: Built) -> Iterator[Taken]:
    """Those of the first epoch, one by one."""
    tasks = made.stage.tasks
    modules = nn.ModuleDict(tasks)
    optimizer = made.stage.optimizer.build(modules)
    for batch in drawn(made):
        began = time.perf_counter()
        loss = step(tasks, batch).loss
        nn.utils.clip_grad_norm_(modules.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        for task in tasks.values():
            task.after_step()
        yield Taken(loss, time.perf_counter() - began)


def arguments() -> Tuple[Path, int, int]:
    """The command line: a folder, the queue's size, the number of steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--queue", type=int, default=65536)
    parser.add_argument("--steps", type=int, default=12)
    given = parser.parse_args()
    return given.output, given.queue, given.steps


def main() -> None:
    """Measure and print."""
    output, size, count = arguments()
    made = built(output, count, size)
    nn.ModuleDict(made.stage.tasks).train()
    queue = queue_of(made)
    fill(queue, 768)
    took = [taken.seconds for taken in steps(made)][WARM_UP:]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    held = sum(buffer.nbytes for buffer in queue.buffers()) / 2**20
    print(json.dumps({"seconds": median(took), "peak_mib": peak, "queue_mib": held}))


if __name__ == "__main__":
    main()
