"""Few-shot episodes on FewRel's validation relations: an untouched encoder, one trained on other relations, and one with contrast beside.

    python benchmarks/few_shot.py --output runs/few-shot [--full]

Trains by configs/few_shot.cfg on Wiki80's 10 % part without the 16 relations of FewRel's validation part (both come from one annotation:
the others are relations of FewRel's training part), for two epochs. Prints a table of accuracies over 10,000 episodes each, which are the
same for all models. What is done is kept. --full: three seeds. It needs RELCON_SHARED (the corpora).
"""

import argparse
import os
from pathlib import Path
from typing import Dict, List

from relcon.config import load_config
from relcon.files import read_json
from relcon.pipeline import train
from relcon.readers.fewrel import FewRel
from relcon.readers.opennre import OpenNRE
from relcon.statistics import in_percent
from relcon.writers.opennre import OpenNRE as Writer

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data"
EPISODES = "stages.evaluate.evaluators"
PROFILES = ("5way1shot", "5way5shot", "10way1shot", "10way5shot")
ARMS: Dict[str, List[str]] = {
    "untouched": ["--training.epochs", "0"],
    "classifier": ["--stages.train.tasks.contrast", "null", "--stages.train.streams.alike", "null"],
    "classifier and contrast": [],
}


def other_relations(output: Path) -> Path:
    """The training sentences of Wiki80 whose relation FewRel's validation part lacks."""
    file = output / "train.jsonl"
    if not file.exists():
        names = str(DATA / "fewrel/pid2name.json")
        asked = {each.label for document in FewRel(pid2name=names).read(DATA / "fewrel/val_wiki.json") for each in document.relations}
        documents = OpenNRE().read(DATA / "wiki80/train_0.1.txt")
        Writer(words=True).write((each for each in documents if not {r.label for r in each.relations} & asked), file)
    return file


def accuracies(arm: str, seed: int, output: Path) -> Dict[str, float]:
    """Profile -> accuracy of an arm's model."""
    words = ["--paths.train", str(other_relations(output)), "--paths.test", str(DATA / "fewrel/val_wiki.json")]
    words += ["--stages.train.data.reader.@readers", "relcon.OpenNRE.v1", "--training.seed", str(seed), f"--{EPISODES}.episodes", "null"]
    for name in PROFILES:
        words += [f"--{EPISODES}.{name}.@evaluators", "relcon.FewShotEpisodes.v1", f"--{EPISODES}.{name}.profile", f"fewrel.{name}"]
    folder = output / f"{arm.replace(' ', '-')}-{seed}"
    train(load_config(ROOT / "configs/few_shot.cfg", [*words, *ARMS[arm]]), folder, resume=folder.exists())
    figures = read_json(folder / "metrics.json")["evaluate"]
    return {name: figures[f"{name}.accuracy"] for name in PROFILES}


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="three seeds")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    print(f"| accuracy | {' | '.join(PROFILES)} |\n{'|---' * (1 + len(PROFILES))}|")
    for arm in ARMS:
        found = [accuracies(arm, seed, given.output) for seed in ((1, 2, 3) if given.full and arm != "untouched" else (1,))]
        print(f"| {arm} | {' | '.join(in_percent([each[name] for each in found]) for name in PROFILES)} |", flush=True)


if __name__ == "__main__":
    main()
