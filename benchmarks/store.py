"""What a corpus of any size costs to build, to open and to sample: seconds and peak resident memory, as rows of Markdown.

Run: python benchmarks/store.py --documents 10000 30000 100000 --workers 1 2

Each step runs in a process of its own: `build` reads, finds the pairs and writes the store; `open` is the next start, up to the first batch
of 32 instances; `sample` draws random batches for a while; `imports` imports relcon and does nothing. Seconds do not count the imports.
CPU seconds count all processes with their imports, and depend less on what else the machine does. Memory is the largest resident set
(`VmHWM`) of the process itself and, apart, of the largest of those that it starts; pages of the mapped file count.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List

import psutil
from make_documents import write

HEAD = ("documents", "step", "workers", "seconds", "CPU seconds", "peak MiB", "peak MiB of a child", "note")


def main() -> None:
    given = arguments()
    if given.step:
        print(json.dumps(measured(given)))
        return
    row(*HEAD)
    row(*("---" for _ in HEAD))
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="relcon-store-") as folder:
        for documents in given.documents:
            measure(Path(folder), documents, given)


def arguments() -> argparse.Namespace:
    """The command line; `--step`, `--data` and `--cache` are for the processes that this one starts."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--documents", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    made.add_argument("--words", type=int, default=200)
    made.add_argument("--instances", type=int, default=15)
    made.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    made.add_argument("--batches", type=int, default=500, help="batches of 32 instances that are sampled")
    made.add_argument("--folder", default=None, help="where the store lies meanwhile; data that lie there (10000.jsonl) are used and kept")
    made.add_argument("--step", choices=["imports", "build", "open", "sample"], help=argparse.SUPPRESS)
    made.add_argument("--data", help=argparse.SUPPRESS)
    made.add_argument("--cache", help=argparse.SUPPRESS)
    return made.parse_args()


def measure(folder: Path, documents: int, given: argparse.Namespace) -> None:
    """All steps on one size, a row each."""
    data = Path(given.folder or folder) / f"{documents}.jsonl"
    if not data.exists():
        write(data, documents, given.words, given.instances, seed=1)
    for workers in given.workers:
        cache = folder / f"{documents}-{workers}"
        for step in ["imports", "build", "open", "sample"] if workers == given.workers[-1] else ["build"]:
            row(f"{documents:,}", step, workers, *step_of(step, data, cache, workers, given.batches))
        shutil.rmtree(cache)


def row(*cells: Any) -> None:
    """A row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def step_of(step: str, data: Path, cache: Path, workers: int, batches: int) -> List[Any]:
    """The figures of a step, from a fresh process."""
    words = ["--step", step, "--data", str(data), "--cache", str(cache), "--workers", str(workers), "--batches", str(batches)]
    process = psutil.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True)
    watched = Watched(process)
    while process.poll() is None:
        watched.look()
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"the step '{step}' failed")
    found = json.loads(process.stdout.read())
    children = [peak for pid, peak in watched.peaks.items() if pid != process.pid]
    cpu = f"{sum(watched.cpu.values()):.1f}"
    return [f"{found['seconds']:.1f}", cpu, watched.peaks[process.pid], max(children, default="-"), found["note"]]


@dataclass
class Watched:
    """A process and all that it starts: peak resident MiB and CPU seconds by process number, as last seen."""

    process: psutil.Popen
    peaks: Dict[int, int] = field(default_factory=dict)
    cpu: Dict[int, float] = field(default_factory=dict)

    def look(self) -> None:
        """Note the figures of every process that lives now."""
        for each in [self.process, *self.process.children(recursive=True)]:
            try:
                times = each.cpu_times()
                status = Path(f"/proc/{each.pid}/status").read_text()
                self.peaks[each.pid] = int(status.split("VmHWM:")[1].split()[0]) // 1024
                self.cpu[each.pid] = times.user + times.system
            except (psutil.Error, OSError, IndexError):  # it has just ended
                continue


def measured(given: argparse.Namespace) -> Dict[str, Any]:
    """Do a step, in this process."""
    import torch

    from relcon.data.candidates import AnnotatedPairs
    from relcon.data.corpus import FileCorpus
    from relcon.interfaces import Draw
    from relcon.readers.jsonlines import JSONLines
    from relcon.renderers.markers import EntityMarkers
    from relcon.samplers.instances import Instances

    began, note = time.perf_counter(), ""
    made = FileCorpus(JSONLines(), AnnotatedPairs(), given.data, negative=["none"], cache=given.cache, workers=given.workers[0])
    if given.step != "imports":
        train = made.split("train")
        note = f"{len(train.instances):,} instances"
    if given.step == "build":
        size = sum(file.stat().st_size for file in Path(given.cache).rglob("*.arrow"))
        note += f", {size / 2**20:,.0f} MiB of Arrow from {os.path.getsize(given.data) / 2**20:,.0f} MiB of JSON"
    if given.step in ("open", "sample"):
        train.fingerprint()
        opened = time.perf_counter() - began
        sampler = Instances(EntityMarkers(), batch_size=32)
        wanted = given.batches if given.step == "sample" else 1
        batches = sampler.batches(train, Draw(0, torch.Generator().manual_seed(0)))
        count = sum(len(batch["instances"].views) for batch in islice(batches, wanted))
        took = time.perf_counter() - began - opened
        note += f", corpus with its fingerprint after {opened:.2f} s, {count:,} instances sampled in {took:.2f} s"
    return {"seconds": time.perf_counter() - began, "note": note}


if __name__ == "__main__":
    main()
