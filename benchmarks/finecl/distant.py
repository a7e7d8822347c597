"""Distant supervision: does an encoder that was pre-trained on distantly supervised documents learn relations from little gold data?

    python benchmarks/finecl/distant.py --output runs/finecl-distant [--full] [--training.precision bf16]

The triples of Re-DocRED's development documents, keyed by name, label pairs in DocRED's unlabelled test documents (`relcon build-distant`,
facts of Re-DocRED's test documents left out). On these a small encoder is pre-trained with FineCL, ERICA, and the masked language model
alone, for equally many steps, and fine-tuned on SemEval-2010 Task 8 (OpenNRE's division) and on DocRED's documents. Runs that are done are
not repeated, an interrupted one goes on; --only names what to fine-tune on. --full: three seeds of fine-tuning for every arm, three times
the steps of pre-training. Further words are overrides of every run. It needs RELCON_SHARED (the corpora). The tables go to
OUTPUT/TARGET.md.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from relcon.compare import compare_runs
from relcon.config import load_config
from relcon.encoders.minilm import minilm_folder
from relcon.files import read_json
from relcon.pipeline import train
from relcon.statistics import in_percent

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data"
ORDER_EPOCHS, STEPS = 5, 30
FILES = {"train": "train.txt", "dev": "val.txt", "test": "test.txt"}
SAMPLER, TASKS = "--stages.pretrain.streams.relations.sampler", "--stages.pretrain.tasks"
NONE, FINECL = "no pre-training", "FineCL"
ARMS: Dict[str, List[str]] = {
    NONE: [],
    "masked words alone": [f"{TASKS}.relations.weight", "0.0", f"{TASKS}.entities.weight", "0.0"],
    "ERICA": [],
    FINECL: [f"{SAMPLER}.weighting", "learning_order", f"{SAMPLER}.order_file", "${paths.order}"],
}
SEEDS = [42, 43, 44]


class Target(NamedTuple):
    """What is fine-tuned on.

    share: of SemEval's training data, or none for documents. epochs. seeds: of the arms that the study is about, the first of them for
    the others.
    """

    share: Optional[float]
    epochs: int
    seeds: Sequence[int] = SEEDS


TARGETS: Dict[str, Target] = {
    "SemEval, 10 %": Target(0.1, 10),
    "SemEval, 100 %": Target(1.0, 2, SEEDS[:1]),
    "DocRED, 200 documents": Target(None, 4, SEEDS[:1]),
}


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


def run(config: Path, folder: Path, overrides: List[str], given: argparse.Namespace) -> Path:
    """The folder of a run; what is done of it is not done again."""
    if not (folder / "metrics.json").exists():  # written last
        train(load_config(config, [*overrides, *given.words]), folder, resume=(folder / "run.json").exists())
    return folder


def on_documents(given: argparse.Namespace) -> List[str]:
    """The overrides of every run on documents."""
    words = ["--paths.distant", str(build(given.output)), "--paths.names", str(DATA / "docred/rel_info.json")]
    words += ["--training.seed", str(SEEDS[0])]
    words += ["--data.labels", json.dumps(sorted(read_json(DATA / "docred/rel_info.json")))]  # not all are in the training documents
    words += ["--paths.train", str(DATA / "docred/train_annotated_200.json"), "--paths.dev", str(DATA / "redocred/dev_revised.json")]
    return words + ["--paths.test", str(DATA / "redocred/test_revised.json")]


def pretrained(arm: str, given: argparse.Namespace) -> Path:
    """The folder of the encoder that an arm pre-trained; the untouched one where it does not."""
    if arm == NONE:
        return minilm_folder()
    output, words = given.output, on_documents(given)
    epochs = ["--training.epochs", str(ORDER_EPOCHS)]
    order = run(part_of("finecl", ["order"], output), output / "order", [*words, *epochs], given) / "stages/order/order.json"
    config = part_of("erica", ["pretrain"], output, ("names = null\n", "names = null\norder = null\n"))
    words += ["--paths.order", str(order), "--training.max_steps", str(3 * STEPS if given.full else STEPS), *ARMS[arm]]
    return run(config, output / slug(arm), words, given) / "stages/pretrain/model/text"


def seeds_of(arm: str, target: str, given: argparse.Namespace) -> List[int]:
    """The seeds of an arm's fine-tuning."""
    return list(TARGETS[target].seeds) if arm in (NONE, FINECL) or given.full else SEEDS[:1]


def fine_tuned(arm: str, target: str, given: argparse.Namespace) -> Path:
    """The folder of an arm's runs on a target."""
    words = ["--paths.encoder", str(pretrained(arm, given)), "--training.epochs", str(TARGETS[target].epochs)]
    tune = on_documents_of_gold if TARGETS[target].share is None else on_sentences
    config, more = tune(target, seeds_of(arm, target, given), given)
    return run(config, given.output / slug(target) / slug(arm), [*words, *more], given)


def on_documents_of_gold(target: str, seeds: List[int], given: argparse.Namespace) -> Tuple[Path, List[str]]:
    """Config and overrides of fine-tuning on DocRED's documents."""
    own = '[stages.finetune.encoders.text]\n@encoders = "relcon.Transformer.v1"\npath = ${paths.encoder}\nmax_length = ${vars.length}\n'
    changes = ('[stages.finetune.encoders]\ntext = "pretrain.text"\n', own), ("names = null\n", "names = null\nencoder = null\n")
    config = part_of("erica", ["finetune", "threshold", "evaluate"], given.output, *changes)
    return config, [*on_documents(given), "--protocol.@protocols", "relcon.Seeds.v1", "--protocol.seeds", json.dumps(seeds)]


def on_sentences(target: str, seeds: List[int], given: argparse.Namespace) -> Tuple[Path, List[str]]:
    """Config and overrides of fine-tuning on a share of SemEval's sentences."""
    semeval = DATA / "semeval2010_task8/opennre"
    labels = list(read_json(semeval / "rel2id.json"))  # one of them has no training sentence
    words = [word for name, file in FILES.items() for word in (f"--paths.{name}", str(semeval / file))]
    words += ["--data.labels", json.dumps(labels), "--protocol.seeds", json.dumps(seeds)]
    words += ["--stages.finetune.optimizer.lr", "1e-4", "--stages.finetune.schedule.warm_steps", "null"]
    share = TARGETS[target].share
    words += ["--protocol.share", str(share)] if share != 1 else ["--protocol.@protocols", "relcon.Seeds.v1"]
    return ROOT / "configs/finecl/paper/sentence.cfg", words


def slug(name: str) -> str:
    """A name as a folder's."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in name).split())


# ---- tables --------------------------------------------------------------------------------------------------------------


def row(arm: str, target: str, output: Path) -> List[str]:
    """One line of a target's table."""
    folder, other = (output / slug(target) / slug(each) for each in (arm, NONE))
    runs = {file.parent.name: read_json(file)["stages"] for file in sorted(folder.glob("seeds/*/run.json"))}
    key = "documents.f1" if TARGETS[target].share is None else "scores.f1"
    figures = [each["evaluate"]["figures"][key] for each in runs.values()]
    seconds = fmean(each["finetune"]["seconds"] for each in runs.values())
    paired = arm != NONE and TARGETS[target].share is not None  # facts of documents are not compared
    p = f"{significance(folder, other, list(runs)):.3f}" if paired else "-"
    before = [read_json(file)["stages"]["pretrain"]["seconds"] for file in output.glob(f"{slug(arm)}/run.json")]
    return [arm, str(len(runs)), in_percent(figures), p, f"{sum(before):.0f} s", f"{seconds:.0f} s"]


def significance(folder: Path, other: Path, runs: Sequence[str]) -> float:
    """Two-sided p of the difference in F1 on the test data, by approximate randomisation over the seeds that both have."""
    if len(runs) > 1:
        return compare_runs(folder, other).p_randomisation
    return compare_runs(folder / "seeds" / runs[0], other / "seeds" / runs[0]).p_randomisation


def table(target: str, output: Path) -> str:
    """The arms of a target that are through, as Markdown."""
    arms = [arm for arm in ARMS if (output / slug(target) / slug(arm) / "metrics.json").exists()]
    head = [target, "seeds", "test micro-F1", "p", "pre-training", "fine-tuning"]
    lines = [head, ["---"] * len(head), *(row(arm, target, output) for arm in arms)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Run everything and write the tables after each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="three seeds for every arm, three times the steps")
    parser.add_argument("--only", nargs="*", choices=list(TARGETS), default=list(TARGETS))
    given, given.words = parser.parse_known_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for target in given.only:
        for arm in ARMS:
            fine_tuned(arm, target, given)
            (given.output / f"{slug(target)}.md").write_text(table(target, given.output), encoding="utf-8")
        print(table(target, given.output), flush=True)


if __name__ == "__main__":
    main()
