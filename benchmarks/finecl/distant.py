"""Distant supervision: does an encoder that was pre-trained on distantly supervised documents learn relations from little gold data?

    python benchmarks/finecl/distant.py --output runs/finecl-distant [--full]

The triples of Re-DocRED's development documents, keyed by name, label pairs in DocRED's unlabelled test documents (`relcon build-distant`,
facts of Re-DocRED's test documents left out). On these a small encoder is pre-trained with FineCL, ERICA, and the masked language model
alone, for equally many steps, and fine-tuned on SemEval-2010 Task 8 (OpenNRE's division) and on DocRED's documents. Runs that are done are
not repeated, an interrupted one goes on; --only names what to fine-tune on. --full: three seeds, three times the steps. It needs
RELCON_SHARED (the corpora). The table goes to OUTPUT/table.md.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

from relcon.config import load_config
from relcon.encoders.minilm import minilm_folder
from relcon.files import read_json
from relcon.pipeline import train
from relcon.statistics import in_percent

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data"
ORDER_EPOCHS, STEPS, DOCUMENT_EPOCHS = 5, 30, 4
FILES = {"train": "train.txt", "dev": "val.txt", "test": "test.txt"}
SAMPLER, TASKS = "--stages.pretrain.streams.relations.sampler", "--stages.pretrain.tasks"
ARMS: Dict[str, List[str]] = {
    "no pre-training": [],
    "masked words alone": [f"{TASKS}.relations.weight", "0.0", f"{TASKS}.entities.weight", "0.0"],
    "ERICA": [],
    "FineCL": [f"{SAMPLER}.weighting", "learning_order", f"{SAMPLER}.order_file", "${paths.order}"],
}
TARGETS = {"SemEval, 10 %": 0.1, "SemEval, 100 %": 1.0, "DocRED, 200 documents": None}
"""What is fine-tuned on, and the share of its training data."""


def facts(file: Path) -> Iterator[str]:
    """The triples of annotated documents, keyed by lower-cased names: every name of the head with every name of the tail."""
    for document in read_json(file):
        names = [sorted({" ".join(mention["name"].lower().split()) for mention in entity}) for entity in document["vertexSet"]]
        for label in document["labels"]:
            yield from (f"{head}\t{label['r']}\t{tail}" for head in names[label["h"]] for tail in names[label["t"]])


def build(output: Path) -> Path:
    """The distant documents."""
    folder = output / "documents"
    if not (folder / "manifest.json").exists():
        triples = output / "triples.tsv"
        triples.write_text("".join(f"{fact}\n" for fact in dict.fromkeys(facts(DATA / "redocred/dev_revised.json"))), encoding="utf-8")
        command = [sys.executable, "-m", "relcon", "build-distant", "--triples", str(triples), "--text", str(DATA / "docred/test.json")]
        command += ["--linker.names", "every", "--reader", "relcon.DocRED.v1", "--exclude", str(DATA / "redocred/test_revised.json")]
        command += ["--exclude-reader", "relcon.DocRED.v1", "--output", str(folder), "--overwrite"]
        subprocess.run(command, check=True)
    return folder / "documents"


def part_of(name: str, kinds: Sequence[str], output: Path, *changes: Tuple[str, str]) -> Path:
    """A config of configs/finecl with some of its stages alone. changes: texts, and what stands in their place."""
    head, *blocks = (ROOT / f"configs/finecl/{name}.cfg").read_text(encoding="utf-8").split("[stages.")
    text = head + "".join(f"[stages.{block}" for block in blocks if block.split("]")[0].split(".")[0] in kinds)
    for old, new in changes:
        text = text.replace(old, new)
    file = output / f"{name}-{'-'.join(kinds)}.cfg"
    file.write_text(text, encoding="utf-8")
    return file


def run(config: Path, output: Path, overrides: List[str]) -> Path:
    """The folder of a run; what is done of it is not done again."""
    train(load_config(config, overrides), output, resume=output.exists())
    return output


def on_documents(output: Path, seed: int) -> List[str]:
    """The overrides of every run on documents."""
    words = ["--paths.distant", str(build(output)), "--paths.names", str(DATA / "docred/rel_info.json"), "--training.seed", str(seed)]
    words += ["--data.labels", json.dumps(sorted(read_json(DATA / "docred/rel_info.json")))]  # not all are in the training documents
    words += ["--paths.train", str(DATA / "docred/train_annotated_200.json"), "--paths.dev", str(DATA / "redocred/dev_revised.json")]
    return words + ["--paths.test", str(DATA / "redocred/test_revised.json")]


def encoder_of(arm: str, output: Path, seed: int, steps: int) -> Path:
    """The folder of the encoder that an arm pre-trained; the untouched one where it does not."""
    if arm == "no pre-training":
        return minilm_folder()
    words = on_documents(output, seed)
    order = run(part_of("finecl", ["order"], output), output / f"order-{seed}", [*words, "--training.epochs", str(ORDER_EPOCHS)])
    config = part_of("erica", ["pretrain"], output, ("names = null\n", "names = null\norder = null\n"))
    words += ["--paths.order", str(order / "stages/order/order.json"), "--training.max_steps", str(steps), *ARMS[arm]]
    return run(config, output / f"{slug(arm)}-{seed}", words) / "stages/pretrain/model/text"


def fine_tuned(target: str, encoder: Path, arm: str, output: Path, seed: int) -> float:
    """Micro-F1 on the target's test data."""
    folder, share = output / slug(target) / f"{slug(arm)}-{seed}", TARGETS[target]
    if share is None:
        own = '[stages.finetune.encoders.text]\n@encoders = "relcon.Transformer.v1"\npath = ${paths.encoder}\nmax_length = ${vars.length}\n'
        changes = ('[stages.finetune.encoders]\ntext = "pretrain.text"\n', own), ("names = null\n", "names = null\nencoder = null\n")
        config = part_of("erica", ["finetune", "threshold", "evaluate"], output, *changes)
        words = [*on_documents(output, seed), "--paths.encoder", str(encoder), "--training.epochs", str(DOCUMENT_EPOCHS)]
        return read_json(run(config, folder, words) / "metrics.json")["evaluate"]["documents.f1"]
    semeval = DATA / "semeval2010_task8/opennre"
    labels = list(read_json(semeval / "rel2id.json"))  # one of them has no training sentence
    words = ["--paths.encoder", str(encoder), *(w for n, f in FILES.items() for w in (f"--paths.{n}", str(semeval / f)))]
    words += ["--data.labels", json.dumps(labels)]
    words += ["--stages.finetune.optimizer.lr", "1e-4", "--stages.finetune.schedule.warm_steps", "null"]
    if share < 1:
        words += ["--protocol.share", str(share), "--protocol.seeds", f"[{seed}]", "--training.epochs", "10"]
    else:
        words += ["--protocol.@protocols", "relcon.Single.v1", "--training.seed", str(seed), "--training.epochs", "2"]
    found = read_json(run(ROOT / "configs/finecl/paper/sentence.cfg", folder, words) / "metrics.json")["evaluate"]["scores.f1"]
    return found["mean"] if isinstance(found, dict) else found


def slug(name: str) -> str:
    """A name as a folder's."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in name).split())


def table(found: Dict[str, Dict[str, List[float]]]) -> str:
    """Arms by targets, in percent; several seeds with their 95 % interval."""
    lines = [["micro-F1", *found], ["---"] * (1 + len(found))]
    for arm in ARMS:
        lines.append([arm, *(in_percent(figures.get(arm, [])) for figures in found.values())])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Run everything and write the table after each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="three seeds, three times the steps")
    parser.add_argument("--only", nargs="*", choices=list(TARGETS), default=list(TARGETS))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    found: Dict[str, Dict[str, List[float]]] = {target: {} for target in given.only}
    for seed in (42, 43, 44) if given.full else (42,):
        for target in given.only:
            for arm in ARMS:
                encoder = encoder_of(arm, given.output, seed, 3 * STEPS if given.full else STEPS)
                found[target].setdefault(arm, []).append(fine_tuned(target, encoder, arm, given.output, seed))
                (given.output / "table.md").write_text(table(found), encoding="utf-8")
        print(table(found), flush=True)


if __name__ == "__main__":
    main()
