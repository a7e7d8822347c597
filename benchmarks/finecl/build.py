"""How fast `relcon build-distant` labels text: documents per second with one worker and with several, on invented documents.

Run: python benchmarks/finecl/build.py --documents 20000 --workers 1 2

Each line is a whole building in this process: triples and text read, every pair looked up, all files written. Workers import relcon anew,
which their seconds include. The last column says how long a million documents would take at that rate. The results of all numbers of
workers are compared, byte by byte.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List

from relcon.config import resolve
from relcon.distant.corpus import build_distant
from relcon.distant.parts import Job

sys.path.insert(0, str(Path(__file__).parent.parent))
from make_documents import SYLLABLES, document

ENTITIES = 100_000
"""Entities of the knowledge base, from which each document's are drawn."""

RELATIONS = 96
"""Relations of the knowledge base."""

RELATED = 0.3
"""The share of a document's pairs that the knowledge base relates."""


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="relcon-build-") as name:
        folder = Path(name)
        write(folder, given.documents, given.words, given.triples, given.seed)
        print("| documents | workers | seconds | documents per second | a million documents |")
        print("|---|---|---|---|---|")
        results = [measured(folder, workers, given) for workers in given.workers]
    if any(result != results[0] for result in results):
        raise SystemExit("The corpora differ.")


def arguments() -> argparse.Namespace:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--documents", type=int, default=20_000)
    made.add_argument("--words", type=int, default=200)
    made.add_argument("--triples", type=int, default=1_000_000, help="of the knowledge base, beside those that the documents hit")
    made.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    made.add_argument("--part-documents", type=int, default=1_000)
    made.add_argument("--folder", default=None, help="where text and corpora lie meanwhile")
    made.add_argument("--seed", type=int, default=1)
    return made.parse_args()


def write(folder: Path, documents: int, words: int, triples: int, seed: int) -> None:
    """Text whose entities are those of a knowledge base, and its triples. One seed, the same files."""
    draw = random.Random(seed)
    vocabulary = sorted({"".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(30_000)})
    with (folder / "text.jsonl").open("w", encoding="utf-8") as text, (folder / "triples.tsv").open("w", encoding="utf-8") as store:
        for number in range(documents):
            record = document(number, words, 1, vocabulary, draw)
            names = [f"Q{entity}" for entity in draw.sample(range(ENTITIES), len(record["entities"]))]
            for entity, name in zip(record["entities"], names, strict=True):
                entity["id"] = name
            text.write(json.dumps({**record, "relations": []}) + "\n")
            store.writelines(f"{head}\tP{draw.randrange(RELATIONS)}\t{tail}\n" for head, tail in related(names, draw))
        for _ in range(triples):
            store.write(f"Q{draw.randrange(ENTITIES)}\tP{draw.randrange(RELATIONS)}\tQ{draw.randrange(ENTITIES)}\n")


def related(names: List[str], draw: random.Random) -> List[List[str]]:
    """The ordered pairs of a document's entities that the knowledge base relates."""
    return [[head, tail] for head in names for tail in names if head != tail and draw.random() < RELATED]


def measured(folder: Path, workers: int, given: argparse.Namespace) -> Dict[str, Any]:
    """Build with so many workers, print a row, and return every file of the corpus."""
    job = Job(
        builder=resolve({"@distant": "relcon.LinkedText.v1"}, "[linker]"),
        reader=resolve({"@readers": "relcon.JSONLines.v1"}, "[reader]"),
        text=folder / "text.jsonl",
        triples=folder / "triples.tsv",
        part_documents=given.part_documents,
    )
    output = folder / f"corpus-{workers}"
    start = time.perf_counter()
    build_distant(job, output, workers)
    seconds = time.perf_counter() - start
    rate = given.documents / seconds
    print(f"| {given.documents} | {workers} | {seconds:.1f} | {rate:.0f} | {1e6 / rate / 3600:.1f} h |", flush=True)
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
