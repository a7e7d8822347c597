"""The PSPE study: does pre-training on plain sentences help a small encoder to find entities and relations jointly?

    python benchmarks/pspe/study.py --output runs/pspe-study [--full]

Each arm pre-trains (configs/pspe/pretrain_text.cfg) on OUTPUT/text.txt, sentences of which none is measured on, and fine-tunes the joint
extractor on SciERC (configs/pspe/scierc.cfg) with a tenth and all of the training sentences; "fine-tuning alone" pre-trains for no step,
so that everything else is the same. What is done is not done again, an interrupted run goes on; --only names arms. --full: more
steps, three seeds for every arm, more epochs, and ADE's first fold (configs/pspe/ade.cfg) too. Further words are overrides of every run. It
needs RELCON_SHARED (the corpora).
The tables go to OUTPUT/TARGET.md, the curves of pre-training to OUTPUT/curves.png and .json.
"""

import argparse
import os
from pathlib import Path
from statistics import fmean
from typing import Any, Dict, List, NamedTuple, Sequence

from curves import write_curves
from text import build

from relcon.compare import compare_runs
from relcon.config import load_config
from relcon.files import read_json
from relcon.pipeline import train
from relcon.statistics import in_percent

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data"
STEPS, FULL_STEPS, PIECES = 300, 2000, 48
"""Optimizer steps of pre-training (32 sentences each), and the longest sentence in word pieces."""
SEEDS = [1, 2, 3]
WIDTH = 384
"""Of the small encoder's states."""

TASKS, SENTENCES, JOINT = "--stages.pretrain.tasks", "--stages.pretrain.streams.sentences", "--stages.joint"
FIGURES = {
    "entity": "entity_f1.without_overlaps",
    "relation": "relation_f1.without_overlaps",
    "strict": "strict_f1.without_overlaps",
    "strict, all sentences": "strict_f1",
}
"""The columns; the first three leave out sentences whose entities overlap, as the published figures do."""


class Arm(NamedTuple):
    """How an arm differs. pretrain: overrides of pre-training. joint: of fine-tuning. after: the arm whose pre-training it takes."""

    pretrain: Sequence[str] = ()
    joint: Sequence[str] = ()
    after: str = ""


class Target(NamedTuple):
    """What is fine-tuned on.

    config: of configs/pspe. words: overrides. epochs, full_epochs: of fine-tuning. ablations: whether all arms run on it, or the first
    two alone. full: only with --full.
    """

    config: str
    words: Sequence[str]
    epochs: int
    full_epochs: int
    ablations: bool = False
    full: bool = False


ALONE, PSPE = "fine-tuning alone", "PSPE"
ARMS: Dict[str, Arm] = {
    ALONE: Arm(["--training.max_steps", "0", "--training.epochs", "0"]),
    PSPE: Arm(),
    "without TBO": Arm([f"{TASKS}.boundary", "null", f"{SENTENCES}.boundary", "0.0"]),
    "without SPO": Arm([f"{TASKS}.permutation", "null", f"{SENTENCES}.permuted", "0"]),
    "without CSPO": Arm([f"{TASKS}.contrast", "null"]),
    "without the span encoders' weights": Arm(
        joint=[f"{JOINT}.poolers.spans.@poolers", "pspe.SpanPair.v1", f"{JOINT}.poolers.spans.state", str(WIDTH)], after=PSPE
    ),
    "without projection": Arm([f"{TASKS}.contrast.anchors.head", "[]"]),
    "momentum encoder": Arm(
        joint=[f"{JOINT}.encoders.text", "pretrain.text_momentum", f"{JOINT}.poolers.spans", "pretrain.spans_momentum"], after=PSPE
    ),
}
SCIERC = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", str(DATA / f"scierc/json/{name}.json"))]
ADE = ["--paths.train", str(DATA / "ade/ade_full_spert.json"), "--paths.folds", str(DATA / "ade/cv_splits.json")]
TENTH = ["--protocol.@protocols", "relcon.Share.v1", "--protocol.share", "0.1", "--protocol.by", "sentence", "--protocol.draw", "exact"]
TARGETS: Dict[str, Target] = {
    "scierc-10": Target("scierc", [*SCIERC, *TENTH], 15, 60, ablations=True),
    "scierc-100": Target("scierc", [*SCIERC, "--protocol.@protocols", "relcon.Seeds.v1"], 4, 30),
    "ade": Target("ade", ADE, 20, 20, full=True),
}
PAPER = {
    "scierc-10": {ALONE: "29.5", PSPE: "34.1"},
    "scierc-100": {ALONE: "33.0", PSPE: "33.6"},
}
"""Strict F1 of the paper's BERT-base, sentences with overlapping entities left out: SciERC (table 7); of a tenth ACE05 (table 5)."""


def pretrained(name: str, given: argparse.Namespace) -> Path:
    """The folder of an arm's pre-training."""
    arm = ARMS[name]
    if arm.after:
        return pretrained(arm.after, given)
    text = given.output / "text.txt"
    if not text.exists():
        print(f"{build(DATA, text)} sentences in {text}", flush=True)
    words = ["--paths.text", str(text), "--training.max_steps", str(FULL_STEPS if given.full else STEPS), "--training.log_every", "5"]
    words += [f"{SENTENCES}.max_pieces", str(PIECES), *arm.pretrain]
    return run("pretrain_text", [*words, *given.words], given.output / "pretrained" / slug(name))


def fine_tuned(name: str, target: str, given: argparse.Namespace) -> Path:
    """The folder of an arm's runs on a target."""
    where, seeds = TARGETS[target], SEEDS if given.full or (name in (ALONE, PSPE) and TARGETS[target].ablations) else SEEDS[:1]
    model = pretrained(name, given) / "stages/pretrain/model"
    words = [*where.words, "--stages.pretrain.@stages", "relcon.Saved.v1", "--stages.pretrain.path", str(model), *ARMS[name].joint]
    words += ["--training.epochs", str(where.full_epochs if given.full else where.epochs)]
    words += [] if where.config == "ade" else ["--protocol.seeds", str(seeds)]
    return run(where.config, [*words, *given.words], given.output / target / slug(name))


def run(config: str, words: List[str], folder: Path) -> Path:
    """A run, unless it is done."""
    if not (folder / "metrics.json").exists():  # written last
        train(load_config(ROOT / f"configs/pspe/{config}.cfg", words), folder, resume=(folder / "run.json").exists())
    return folder


# ---- tables --------------------------------------------------------------------------------------------------------------


def parts(folder: Path) -> Dict[str, Dict[str, Any]]:
    """Seed or fold -> the stages of its run, as `run.json` has them."""
    found = sorted(folder.glob("seeds/*/run.json")) + sorted(folder.glob("folds/*/run.json"))
    return {file.parent.relative_to(folder).as_posix(): read_json(file)["stages"] for file in found}


def row(name: str, target: str, given: argparse.Namespace) -> List[str]:
    """One line of a target's table."""
    folder, alone = given.output / target / slug(name), given.output / target / slug(ALONE)
    runs = parts(folder)
    figures = {title: [each["evaluate"]["figures"][f"extraction.{key}"] for each in runs.values()] for title, key in FIGURES.items()}
    before = read_json(pretrained(name, given) / "run.json")["stages"]["pretrain"]
    seconds = before["seconds"] + fmean(each["joint"]["seconds"] for each in runs.values())
    p = "-" if name == ALONE else f"{significance(folder, alone, list(runs)):.3f}"
    paper = PAPER.get(target, {}).get(name, "-")
    return [name, str(len(runs)), *map(in_percent, figures.values()), p, f"{before['figures']['steps']:.0f}", f"{seconds:.0f} s", paper]


def significance(folder: Path, alone: Path, runs: Sequence[str]) -> float:
    """Two-sided p of the difference in strict F1, by approximate randomisation over the documents of the runs that both have."""
    if len(runs) > 1:
        return compare_runs(folder, alone, profile="strict.without_overlaps").p_randomisation
    return compare_runs(folder / runs[0], alone / runs[0], profile="strict.without_overlaps").p_randomisation


def table(names: Sequence[str], target: str, given: argparse.Namespace) -> str:
    """The arms of a target as Markdown."""
    head = [f"{target}, F1 in percent", "runs", *FIGURES, "p", "steps of pre-training", "training", "paper, strict"]
    lines = [head, ["---"] * len(head), *(row(name, target, given) for name in names)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def slug(name: str) -> str:
    """A name as a folder's."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in name).split())


def main() -> None:
    """Run what is asked for and write the tables after every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="more steps, three seeds, more epochs, ADE")
    parser.add_argument("--only", nargs="*", choices=list(ARMS), default=list(ARMS), help="arms beside fine-tuning alone")
    given, given.words = parser.parse_known_args()
    given.output.mkdir(parents=True, exist_ok=True)
    chosen = list(dict.fromkeys([ALONE, *given.only]))
    for target, where in TARGETS.items():
        done: List[str] = []
        for name in chosen if given.full or not where.full else ():
            if where.ablations or name in (ALONE, PSPE):
                fine_tuned(name, target, given)
                done.append(name)
                (given.output / f"{target}.md").write_text(table(done, target, given), encoding="utf-8")
        if done:
            print(table(done, target, given), flush=True)
    trained = {name: pretrained(name, given) for name in chosen if name != ALONE and not ARMS[name].after}
    write_curves(trained, given.output)


if __name__ == "__main__":
    main()
