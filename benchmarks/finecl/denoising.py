"""How well does the learning order find wrong labels, and is it worth training on what is learned first?

    python benchmarks/finecl/denoising.py --output runs/finecl-denoising [--full]

Wrong labels are injected into a tenth of wiki80's training sentences at rates of 30 % and 50 %; configs/finecl/denoise.cfg records both
orders in one run, denoised_training.cfg then trains on all sentences, on those that were learned first, and on as many random ones, and
measures on wiki80's development file. Runs that are done are not repeated, an interrupted one goes on. --full takes three seeds. It needs
RELCON_SHARED (the corpora). The tables go to OUTPUT/table.md.
"""

import argparse
import os
from pathlib import Path
from typing import Dict, List

from relcon.config import load_config
from relcon.files import read_json
from relcon.pipeline import train
from relcon.statistics import in_percent

ROOT = Path(__file__).parents[2]
WIKI80 = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data/wiki80"
RATES = (0.3, 0.5)
EPOCHS = 8
FIRST = EPOCHS // 2
"""What was learned in so many epochs is trained on; chosen before the first run."""

ARMS = ("all", "learned first", "random")
FOUND = ("auc", "within_class_auc", "average_precision", "learned_1", "learned", "precision", "recall")


def run(config: Path, output: Path, overrides: List[str]) -> Dict[str, Dict[str, float]]:
    """The figures of a run; what is done of it is not done again."""
    train(load_config(config, overrides), output, resume=output.exists())
    return read_json(output / "metrics.json")


def denoise(output: Path, rate: float, seed: int) -> Dict[str, float]:
    """The figures of the learning order at a rate of wrong labels."""
    words = ["--paths.train", str(WIKI80 / "train_0.1.txt"), "--data.rate", str(rate), "--training.epochs", str(EPOCHS)]
    words += ["--training.seed", str(seed), "--data.seed", str(seed)]
    return run(ROOT / "configs/finecl/denoise.cfg", output / f"order-{rate}-{seed}", words)["order"]


def trained(output: Path, rate: float, seed: int, arm: str) -> float:
    """F1 of a model that was trained on a part of the noisy sentences."""
    words = ["--paths.train", str(WIKI80 / "train_0.1.txt"), "--paths.test", str(WIKI80 / "dev.txt"), "--training.seed", str(seed)]
    if arm == "all":
        words += ["--data.rate", str(rate), "--data.seed", str(seed)]
        config = Path(__file__).parent / "denoised_training.cfg"
    else:
        order = output / f"order-{rate}-{seed}" / "stages/order/order_batch.json"
        words += ["--paths.order", str(order), "--data.corpus.rate", str(rate), "--data.corpus.seed", str(seed)]
        words += ["--data.epochs", str(FIRST)] + (["--data.instead", "random", "--data.seed", str(seed)] if arm == "random" else [])
        config = trimmed_config(output)
    return run(config, output / f"{arm.replace(' ', '-')}-{rate}-{seed}", words)["evaluate"]["scores.f1"]


def trimmed_config(output: Path) -> Path:
    """The config with its corpus inside a finecl.TrimmedCorpus.v1."""
    text = (Path(__file__).parent / "denoised_training.cfg").read_text(encoding="utf-8")
    text = text.replace("[data.corpus", "[data.corpus.corpus").replace("[data]\n", "[data.corpus]\n")
    trimmed = '[data]\n@corpora = "finecl.TrimmedCorpus.v1"\norder = ${paths.order}\n\n'
    config = output / "trimmed_training.cfg"
    config.write_text(text.replace("[data.corpus]\n", trimmed + "[data.corpus]\n", 1), encoding="utf-8")
    return config


def table(found: Dict[float, Dict[str, List[Dict[str, float]]]]) -> str:
    """What was found, as Markdown, in percent; several seeds with their 95 % interval."""
    lines = [["wrong labels", "order", *FOUND], ["---"] * (2 + len(FOUND))]
    scores = [["wrong labels", *ARMS], ["---"] * (1 + len(ARMS))]
    for rate, runs in found.items():
        for recording in ("batch", "epoch"):
            figures = [[each[key] for each in runs["order"] if key in each] for key in (f"{recording}.{name}" for name in FOUND)]
            lines.append([f"{rate:.0%}", recording, *(in_percent(values) for values in figures)])
        scores.append([f"{rate:.0%}", *(in_percent([each["f1"] for each in runs[arm]]) for arm in ARMS if arm in runs)])
    return "\n".join("".join(f"| {' | '.join(line)} |\n" for line in rows) for rows in (lines, scores))


def main() -> None:
    """Run everything and write the tables after each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="three seeds")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    found: Dict[float, Dict[str, List[Dict[str, float]]]] = {}
    for seed in (42, 43, 44) if given.full else (42,):
        for rate in RATES:
            found.setdefault(rate, {}).setdefault("order", []).append(denoise(given.output, rate, seed))
            for arm in ARMS:
                found[rate].setdefault(arm, []).append({"f1": trained(given.output, rate, seed, arm)})
                (given.output / "table.md").write_text(table(found), encoding="utf-8")
        print(table(found), flush=True)


if __name__ == "__main__":
    main()
