"""Does bf16, does torch.compile help on this machine? Training steps and inference with MiniLM on real sentences, mode by mode.

python benchmarks/precision.py --data /path/to/ChemProt_Corpus --threads 1

Every mode sees the same batches in every round; modes take turns, so that what else runs on the machine hits all of them. The
figure is the median over rounds of instances per second: per second of processor time on the CPU, so that a busy machine matters
little, by the clock on a GPU. The first round, which compiles, is timed apart, by the clock. Without --data it reads the sentences
of relcon's sample.
"""

import argparse
import platform
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any, Dict, List

import torch

from relcon.data.candidates import AnnotatedPairs
from relcon.data.corpus import FileCorpus
from relcon.encoders.minilm import MiniLM
from relcon.encoding import encode, step
from relcon.interfaces import Draw, Parts, Split
from relcon.poolers.sentence import CLS
from relcon.readers.chemprot import ChemProt
from relcon.readers.jsonlines import JSONLines
from relcon.renderers.blinded import Blinded
from relcon.sample import resolve
from relcon.samplers.instances import Instances
from relcon.settings import Training
from relcon.tasks.classification import Classification
from relcon.towers import HeadedTower
from relcon.training.compiling import compile_encoders
from relcon.training.device import accelerator_for, require_device

MODES: Dict[str, Dict[str, Any]] = {
    "float32": {},
    "bf16": {"precision": "bf16"},
    "compile": {"compile": True},
    "bf16, compile": {"precision": "bf16", "compile": True},
}


class Mode:
    """A model in one mode, with its own encoder."""

    def __init__(self, name: str, data: Split, batches: List[Any], views: List[Any], device: str):
        settings = Training(device=device, **MODES[name])
        require_device(settings)
        self.name, self.batches, self.views, self.device = name, batches, views, accelerator_for(settings).device
        self.autocast = partial(torch.autocast, self.device.type, torch.bfloat16, enabled=settings.precision == "bf16")
        torch.manual_seed(0)
        encoder = MiniLM()
        self.task = Classification("train", HeadedTower("text", "sentence"))
        self.task.build(Parts({"text": encoder}, {"sentence": CLS()}, data.labels))
        self.task.to(self.device)
        if settings.compile:
            compile_encoders([encoder])
        self.optimizer = torch.optim.AdamW(self.task.parameters(), lr=2e-5)
        self.rates: Dict[str, List[float]] = {"training": [], "inference": []}
        self.first: Dict[str, float] = {}

    def round(self) -> None:
        """One pass over all batches, and one over all views; the first is noted apart."""
        for what, work in (("training", self.train), ("inference", self.infer)):
            clock = time.process_time if what in self.first and self.device.type == "cpu" else time.perf_counter
            began = clock()
            instances = work()
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            seconds = clock() - began
            if what not in self.first:
                self.first[what] = seconds
            else:
                self.rates[what].append(instances / seconds)

    def train(self) -> int:
        """Optimizer steps."""
        self.task.train()
        inputs = 0
        for batch in self.batches:
            inputs += step({"relation": self.task}, batch, autocast=self.autocast).inputs
            self.optimizer.step()
            self.optimizer.zero_grad()
        return inputs

    def infer(self) -> int:
        """Vectors without gradients."""
        with self.autocast():
            encode(self.task.classifier(), self.views)
        return len(self.views)


def read(data: Path, instances: int) -> Split:
    """The training part, its first instances."""
    reader = JSONLines() if data.name.endswith(".jsonl") else ChemProt()
    whole = FileCorpus(reader, AnnotatedPairs(), train=str(data), cache="none").split("train")
    return Split(whole.name, whole.documents, whole.instances[:instances], whole.labels)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=resolve("sample:train.jsonl"), help="a JSON-lines file, or ChemProt's training folder")
    parser.add_argument("--instances", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="auto")
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=list(MODES))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    data = read(given.data, given.instances)
    renderer = Blinded()
    sampler = Instances(renderer, given.batch_size)
    sampler.prepare(data)
    batches = list(sampler.batches(data, Draw(0, torch.Generator().manual_seed(0), None)))
    modes = [Mode(name, data, batches, list(renderer(data.instances)), given.device) for name in given.modes]
    lengths = MiniLM().lengths([view.input for view in modes[0].views])
    print(f"torch {torch.__version__}, {modes[0].device}, {given.threads} threads, {platform.machine()}; {given.data}")
    print(f"{len(data.instances)} instances of {min(lengths)} to {max(lengths)} pieces (mean {statistics.fmean(lengths):.0f}), ", end="")
    print(f"batches of {given.batch_size}; medians of the rounds so far")
    for number in range(given.rounds + 1):
        for mode in modes:
            mode.round()
        if number:
            report(number, modes)


def report(number: int, modes: List[Mode]) -> None:
    """The medians after a round."""
    print(f"{f'after round {number}':<16}{'training/s':>12}{'inference/s':>13}{'first round, s':>16}")
    for mode in modes:
        rates = {what: statistics.median(values) for what, values in mode.rates.items()}
        print(f"{mode.name:<16}{rates['training']:>12.1f}{rates['inference']:>13.1f}{sum(mode.first.values()):>16.1f}", flush=True)


if __name__ == "__main__":
    main()
