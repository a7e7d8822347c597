"""How time and memory grow with a size; each command once, since what is asked is the shape of the curve."""

import time
from pathlib import Path
from statistics import median
from typing import Callable, Dict, Sequence

import torch
from commands import CONTRAST, HERE, Figures, predict, python, small_encoder, train
from comparisons import shown

from relcon.adjusters.queue import Queue
from relcon.contrast import WHOLE, Contrast, Pairing, Text, View
from relcon.objectives.infonce import InfoNCE
from relcon.samplers.common import tags_of


def _encoder(output: Path) -> Sequence[str]:
    section = "--stages.pretrain.encoders.text"
    return [f"{section}.@encoders", "relcon.Transformer.v1", f"{section}.path", str(small_encoder(output)), f"{section}.max_length", "64"]


def _batch(output: Path, size: int, caching: bool) -> Figures:
    words = ["--training.batch_size", str(size), "--training.gradient_caching", str(caching).lower()]
    return train(output, "contrast.cfg", *CONTRAST, *_encoder(output), *words)


def _queue(size: int, anchors: int = 64, width: int = 384, rounds: int = 20) -> Figures:
    """Filling, looking up and contrasting with a full queue, forward and backward, the encoder apart: the median step."""
    adjuster, objective = Queue(size).train(), InfoNCE(temperature=0.1)
    seconds = []
    for number in range(-(-size // anchors) + rounds):
        began = time.perf_counter()
        vectors = torch.randn(anchors, width, requires_grad=True)
        keys = tags_of(range(number * anchors, (number + 1) * anchors))
        pairing = Pairing.of(torch.eye(anchors), 1 - torch.eye(anchors))
        contrast = Contrast([VIEW] * anchors, pairing, [VIEW] * anchors, keys, keys)
        objective(vectors, *adjuster(vectors, vectors.detach(), contrast, pairing)).backward()
        adjuster.after_step()
        seconds.append(time.perf_counter() - began)
    held = sum(buffer.nbytes for buffer in adjuster.buffers())
    return {"step_seconds": median(seconds[-rounds:]), "queue_mib": held / 2**20}


VIEW = View(Text(("word",)), ((WHOLE,),))


def batch(output: Path) -> str:
    """Contrastive steps with the first two layers of MiniLM, texts of at most 64 word pieces."""
    sizes = [(size, caching) for caching in (False, True) for size in (32, 64, 128, 256)]
    made = {f"{size}{', cached' if caching else ''}": _batch(output, size, caching) for size, caching in sizes}
    return rows("sentences of a batch", made, ("step_seconds", "peak_mib"))


def queue(_: Path) -> str:
    """What a full queue adds to a step of 64 pairs of width 384."""
    return rows("vectors of the queue", {f"{size:,}": _queue(size) for size in (1024, 16384, 65536)}, ("step_seconds", "queue_mib"))


def pairs(output: Path) -> str:
    """Prediction for 500 documents of a hundred words."""
    return rows("pairs of a document", {str(each): predict(output, 500, each) for each in (2, 7, 14, 28)}, ("seconds", "pairs_per_second"))


def store(output: Path) -> str:
    """benchmarks/store.py, as it prints it."""
    folder = output / "store"
    folder.mkdir(exist_ok=True)
    words = ["--documents", "10000", "30000", "100000", "--workers", "2", "--batches", "300", "--folder", str(folder)]
    return python(str(HERE.parent / "store.py"), *words)


GROWTH: Dict[str, Callable[[Path], str]] = {"batch": batch, "queue": queue, "pairs": pairs, "store": store}
NAMES = {
    "step_seconds": "seconds of a step",
    "peak_mib": "peak memory, MiB",
    "queue_mib": "the queue, MiB",
    "seconds": "seconds",
    "pairs_per_second": "pairs/s",
}


def rows(size: str, made: Dict[str, Figures], keys: Sequence[str]) -> str:
    """A table with a row for each size."""
    head = [size, *(NAMES[key] for key in keys)]
    lines = [head, ["---"] * len(head), *([name, *(shown(key, figures) for key in keys)] for name, figures in made.items())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
