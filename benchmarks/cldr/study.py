"""The CLDR study: what do the spaces of CLGS, CLDR and CLNER know of ADE's relations and entities, on a small encoder?

    python benchmarks/cldr/study.py --output runs/cldr-study [--full]

Each arm is a config of configs/cldr with the overrides below, on the first published fold (--full: on all ten); arms that are done are
not run again, an interrupted one goes on. It needs RELCON_SHARED (the corpora). The table goes to OUTPUT/table.md.
"""

import argparse
import os
from pathlib import Path
from typing import Dict, List, NamedTuple

from relcon.config import load_config
from relcon.files import read_json
from relcon.pipeline import train

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared"))
EPOCHS = ["--training.epochs", "3"]
"""Fewer than the configs have, so that two cores do an arm in half an hour."""

GRAPHS, CONTRAST = "--stages.relations.streams.graphs", "--stages.relations.tasks.contrast"
AS_WRITTEN = [f"{GRAPHS}.rule", "paper", f"{GRAPHS}.similarity", "eq5", f"{CONTRAST}.anchors.output", "null"]
"""CLDR with equation 5 and the paper's wrong words."""


class Arm(NamedTuple):
    """A config and its overrides."""

    config: str
    overrides: List[str]


ARMS: Dict[str, Arm] = {
    "untouched encoder": Arm(
        "cldr", ["--training.epochs", "0", "--stages.relations.validation", "null", "--stages.relations.patience", "0"]
    ),
    "CLGS": Arm("clgs", EPOCHS),
    "CLDR and CLNER": Arm("joint", ["--training.epochs", "4"]),
    "equation 5": Arm("cldr", [*EPOCHS, "--stages.relations.optimizer.lr", "2e-4", *AS_WRITTEN]),
    "linear layer, encoder along": Arm("linear", ["--training.epochs", "2"]),
}
FIGURES = {
    "graph finding": ("evaluate", "graphs.accuracy"),
    "linear layer P": ("probe", "linear.precision"),
    "linear layer R": ("probe", "linear.recall"),
    "linear layer F1": ("probe", "linear.f1"),
    "NER": ("evaluate", "extraction.entities_f1"),
    "NER, entity list": ("evaluate", "extraction.listed_entities_f1"),
    "RE strict": ("evaluate", "extraction.strict_f1"),
    "RE authors": ("evaluate", "extraction.authors_f1"),
    "RE joint": ("evaluate", "extraction.joint_f1"),
    "RE-": ("evaluate", "extraction.pairs_f1"),
}
ELSEWHERE = {
    ("CLGS", "linear layer P"): ("evaluate", "linear.precision"),
    ("CLGS", "linear layer R"): ("evaluate", "linear.recall"),
    ("CLGS", "linear layer F1"): ("evaluate", "linear.f1"),
    ("linear layer, encoder along", "linear layer P"): ("evaluate", "pairs.precision"),
    ("linear layer, encoder along", "linear layer R"): ("evaluate", "pairs.recall"),
    ("linear layer, encoder along", "linear layer F1"): ("evaluate", "pairs.f1"),
}
"""Figures that an arm has under another name."""


def run(name: str, arm: Arm, output: Path, full: bool) -> Dict[str, Dict[str, float]]:
    """The figures of an arm: of its one fold, or the means over ten."""
    folder = output / name.replace(",", "").replace(" ", "_")
    ade = SHARED / "data/ade"
    words = ["--paths.train", str(ade / "ade_full_spert.json"), "--paths.folds", str(ade / "cv_splits.json"), *arm.overrides]
    words += ["--protocol.only", "null"] if full else []
    train(load_config(ROOT / f"configs/cldr/{arm.config}.cfg", words), folder, resume=folder.exists())
    found = read_json(folder / "metrics.json")
    return {
        stage: {key: value["mean"] if isinstance(value, dict) else value for key, value in figures.items()}
        for stage, figures in found.items()
    }


def table(found: Dict[str, Dict[str, Dict[str, float]]]) -> str:
    """All arms as Markdown, in percent."""
    lines = [["", *found], ["---"] * (len(found) + 1)]
    for title, usual in FIGURES.items():
        row = [title]
        for name, figures in found.items():
            stage, figure = ELSEWHERE.get((name, title), usual)
            value = figures.get(stage, {}).get(figure)
            row.append("" if value is None else f"{100 * value:.1f}")
        lines.append(row)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Run what is asked for and write the table after every arm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="*", choices=list(ARMS), default=list(ARMS))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    found: Dict[str, Dict[str, Dict[str, float]]] = {}
    for name in given.only:
        found[name] = run(name, ARMS[name], given.output, given.full)
        (given.output / "table.md").write_text(table(found), encoding="utf-8")
        print(table(found), flush=True)


if __name__ == "__main__":
    main()
