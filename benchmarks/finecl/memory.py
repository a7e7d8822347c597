"""What a large corpus costs in memory whoever draws documents from it: peak resident memory of FineCL's samplers, as rows of Markdown.

Run: python benchmarks/finecl/memory.py --documents 100000

Each row is a process of its own, and the corpus is built before: `imports` loads the tokenizer alone, `open` gets the training split, the
others draw 20 batches from it too. Memory is the largest resident set (`VmHWM`); the pages of mapped files, which count and which the
system takes back when it needs them, are shown apart, as they were at the end. finecl.RelationPairs.v1 reads an order of all instances.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, Dict

import torch
from transformers import AutoTokenizer

from relcon.config import resolve
from relcon.data.relations import relation_instances
from relcon.encoders.minilm import minilm_folder
from relcon.encoders.pieces import WordPieces
from relcon.files import write_json
from relcon.interfaces import Draw, Split

sys.path.insert(0, str(Path(__file__).parents[1]))
from make_documents import write

BATCHES = 20
WORDS, INSTANCES = 200, 15
EPOCHS = 15
"""Of the learning order."""

CORPUS = {
    "@corpora": "relcon.Corpus.v1",
    "negative": ["none"],
    "reader": {"@readers": "relcon.JSONLines.v1"},
    "candidates": {"@candidates": "relcon.EntityPairs.v1", "scope": "document", "directed": True, "several": "kept"},
}
PLAIN = {"renderer": {"@renderers": "relcon.Plain.v1"}}
SAMPLERS: Dict[str, Dict[str, Any]] = {
    "relcon.DocumentPairs.v1": {"batch_size": 8, "negatives": 3, **PLAIN},
    "finecl.RelationPairs.v1": {"batch_size": 16, "half": "first", "weighting": "learning_order", **PLAIN},
    "finecl.EntityTails.v1": {"batch_size": 16, "half": "second"},
}
"""As in configs/finecl."""


def main() -> None:
    given = arguments()
    if given.step:
        print(json.dumps(measured(given.step, Path(given.folder), given.documents)))
        return
    print("| documents | what | seconds | peak MiB | of mapped files, MiB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="relcon-memory-") as folder:
        write(Path(folder) / "documents.jsonl", given.documents, WORDS, INSTANCES, seed=1)
        for name in ("build", "imports", "open", *SAMPLERS):
            found = in_a_process(name, folder, given.documents)
            if name != "build":
                print(f"| {given.documents:,} | {name} | {found['seconds']:.1f} | {found['peak']:,} | {found['mapped']:,} |", flush=True)


def arguments() -> argparse.Namespace:
    """The command line; `--step` is for the processes that this one starts."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--documents", type=int, default=100_000)
    made.add_argument("--folder", default=None, help="where documents and store lie meanwhile")
    made.add_argument("--step", choices=["build", "imports", "open", *SAMPLERS], help=argparse.SUPPRESS)
    return made.parse_args()


def in_a_process(name: str, folder: str, documents: int) -> Dict[str, float]:
    """The figures of a row."""
    words = [sys.executable, __file__, "--step", name, "--folder", folder, "--documents", str(documents)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | {"RELCON_CACHE": f"{folder}/cache"})
    return json.loads(done.stdout.splitlines()[-1])


def measured(name: str, folder: Path, documents: int) -> Dict[str, float]:
    """Do what a row says, in this process. Memory in MiB."""
    vocabulary, began = WordPieces(AutoTokenizer.from_pretrained(minilm_folder()), 256), time.perf_counter()
    if name != "imports":
        data = resolve({**CORPUS, "train": str(folder / "documents.jsonl")}, "[data]").split("train")
        if name == "build":
            write_json(folder / "order.json", order_of(data))
        elif name in SAMPLERS:
            draw(name, folder, data, vocabulary)
    seconds = time.perf_counter() - began
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, file, shared = (int(status[field].split()[0]) // 1024 for field in ("VmHWM", "RssFile", "RssShmem"))
    return {"seconds": seconds, "peak": peak, "mapped": file + shared}  # files of a tmpfs count as shared memory


def order_of(data: Split) -> Dict[str, int]:
    """An order in which every instance was learned."""
    uids = (each.uid for document in data.documents for each in relation_instances(document, data.labels.negative))
    return {uid: number % EPOCHS for number, uid in enumerate(uids)}


def draw(name: str, folder: Path, data: Split, vocabulary: WordPieces) -> None:
    """Let a sampler draw a few batches."""
    order = {"order_file": str(folder / "order.json")} if "weighting" in SAMPLERS[name] else {}
    sampler = resolve({"@samplers": name, **SAMPLERS[name], **order}, name)
    sampler.check(data)
    sampler.prepare(data)
    for _ in islice(sampler.batches(data, Draw(0, torch.Generator().manual_seed(0), vocabulary)), BATCHES):
        pass


if __name__ == "__main__":
    main()
