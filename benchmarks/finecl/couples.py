"""Couples of sentences that share a pair of entities, or a relation: Matching the Blanks and CP on the DDI corpus, which repeats its pairs.

    python benchmarks/finecl/couples.py --output runs/finecl-couples [--full]

Each arm pre-trains for equally many steps on DDI's training documents (of CP with their labels), less the tenth that is development data,
and is fine-tuned on a tenth of the pairs; micro-F1 over the four types, on the test documents. Runs that are done are not repeated, an
interrupted one goes on. --full: three seeds. It needs RELCON_SHARED (the corpora). The table goes to OUTPUT/table.md.
"""

import argparse
import os
from pathlib import Path
from typing import Dict, List, Tuple

from relcon.config import load_config
from relcon.files import read_json
from relcon.pipeline import train
from relcon.statistics import in_percent

ROOT = Path(__file__).parents[2]
DDI = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data/ddi2013"
STEPS, EPOCHS, SHARE, DEV_SHARE = 100, 4, 0.1, 0.1
SEEDS = [42, 43, 44]
ARMS: Dict[str, Tuple[str, int]] = {"no pre-training": ("mtb", 0), "Matching the Blanks": ("mtb", STEPS), "CP": ("cp", STEPS)}
"""The config of each arm, and its steps of pre-training."""


def overrides(config: str, steps: int, seed: int) -> List[str]:
    """What makes a config of configs/finecl one for the DDI corpus."""
    words = ["--paths.distant", str(DDI / "Train"), "--paths.train", str(DDI / "Train"), "--paths.dev", "null"]
    words += ["--paths.test", str(DDI / "Test"), "--data.reader.@readers", "relcon.DDI2013.v1", "--data.negative", '["DDI-false"]']
    for data in ("--data", "--stages.pretrain.data"):
        words += [f"{data}.dev_share", str(DEV_SHARE)]
    words += ["--stages.pretrain.data.negative", '["DDI-false"]', "--vars.length", "128"]
    words += ["--stages.pretrain.max_steps", str(steps)] if steps else ["--stages.pretrain.epochs", "0"]
    words += ["--protocol.@protocols", "relcon.Share.v1", "--protocol.share", str(SHARE), "--protocol.seeds", f"[{seed}]"]
    if config == "mtb":
        words += ["--stages.pretrain.streams.couples.sampler.entities", "name"]  # DDI's ids number the mentions of a sentence
    return [*words, "--training.epochs", str(EPOCHS), "--training.seed", str(seed)]


def figure(arm: str, output: Path, seed: int) -> float:
    """Micro-F1 of an arm on the test documents."""
    config, steps = ARMS[arm]
    folder = output / f"{'-'.join(arm.lower().split())}-{seed}"
    train(load_config(ROOT / f"configs/finecl/{config}.cfg", overrides(config, steps, seed)), folder, resume=folder.exists())
    found = read_json(folder / "metrics.json")["evaluate"]["scores.f1"]
    return float(found["mean"] if isinstance(found, dict) else found)


def main() -> None:
    """Run everything and write the table after each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="three seeds")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    found: Dict[str, List[float]] = {}
    for seed in SEEDS if given.full else SEEDS[:1]:
        for arm in ARMS:
            found.setdefault(arm, []).append(figure(arm, given.output, seed))
            rows = "".join(f"| {name} | {ARMS[name][1]} | {in_percent(values)} |\n" for name, values in found.items())
            text = f"| DDI, {SHARE:.0%} of the pairs | steps of pre-training | micro-F1 |\n| --- | --- | --- |\n{rows}"
            (given.output / "table.md").write_text(text, encoding="utf-8")
    print((given.output / "table.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
