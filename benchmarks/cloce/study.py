"""The CLoCE study: do pairs made of a prompt's mistakes help, with all of the data and with few instances of each label?

    python benchmarks/cloce/study.py --output runs/cloce-study [--jobs 2] [--full]

A small encoder is first taught to guess masked words on a corpus's training text (the first stage of configs/cloce/CORPUS.cfg), once; every
arm goes on from there, with the head that was trained. KI is the prompt alone, CLoCE-S and CLoCE-D add the contrastive phase after each
epoch, and a classifier on entity markers stands beside them. On SemEval-2010 Task 8 (OpenNRE's division) and Wiki80, whose entities mostly
have types; with all training data and with K instances of each label. Without --full: SemEval with 16 instances, three seeds.

What is done is not done again, an interrupted run goes on; --only names what to run on, --arms which arms, --seeds how many of the seeds.
--jobs runs so many arms at once, each with its output in OUTPUT/TARGET/ARM.log. Further words are overrides of every run. It needs
RELCON_SHARED (the corpora).
After each run OUTPUT/table.md is written anew, at the end OUTPUT/curves.json and .png: development data after each epoch, errors and pairs.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import fmean
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from curves import best_epoch, curves_of, write_curves

from relcon.compare import compare_runs
from relcon.files import read_json
from relcon.statistics import in_percent

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data"
SEEDS, FEW_SEEDS, SHORT_SEEDS = [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3]
FEW_EPOCHS = 20
"""With few instances: in the paper's five, 8 of each label are 45 steps, in which a small encoder learns next to nothing."""

TUNE, BASE = "--stages.finetune", "KI"
ALONE = [f"{TUNE}.@stages", "relcon.Finetune.v1", f"{TUNE}.tasks.contrast", "null", f"{TUNE}.streams.pairs", "null"]
TYPED = ["--vars.types", "gold"]
CLASSIFIER = f"{TUNE}.tasks.relation"
MARKERS = [
    f"{TUNE}.streams.train.renderer.@renderers", "relcon.EntityMarkers.v1",
    f"{TUNE}.poolers.pair.@poolers", "relcon.SpanPool.v1", f"{TUNE}.poolers.pair.inside", "first",
    f"{CLASSIFIER}.@tasks", "relcon.Classification.v1", f"{CLASSIFIER}.tower.@towers", "relcon.Tower.v1",
    f"{CLASSIFIER}.tower.encoder", "text", f"{CLASSIFIER}.tower.pooler", "pair",
]  # fmt: skip


class Arm(NamedTuple):
    """How an arm differs from the config. against: the arm that it is compared with. first: whether it runs with the first seed alone."""

    words: Sequence[str]
    against: str = BASE
    first: bool = False


ARMS: Dict[str, Arm] = {
    "markers": Arm([*ALONE, *MARKERS]),
    BASE: Arm(ALONE),
    "CLoCE-S": Arm([f"{TUNE}.tasks.contrast.anchors.depth", "0"]),
    "CLoCE-D": Arm([]),
    "KI, fresh head": Arm([*ALONE, f"{CLASSIFIER}.transform", "fresh", f"{TUNE}.optimizer.head_lr", "1e-3"], first=True),
    "KI, types": Arm([*ALONE, *TYPED]),
    "CLoCE-S, types": Arm([f"{TUNE}.tasks.contrast.anchors.depth", "0", *TYPED], against="KI, types"),
    "CLoCE-D, types": Arm(TYPED, against="KI, types"),
}
FOUR = list(ARMS)[:4]


class Target(NamedTuple):
    """What is trained on. shots: instances of each label, 0 for all. arms: those that run."""

    corpus: str
    shots: int
    arms: Sequence[str]


TARGETS: Dict[str, Target] = {
    "semeval": Target("semeval", 0, [*FOUR, "KI, fresh head"]),
    "wiki80": Target("wiki80", 0, [*FOUR, "KI, types", "CLoCE-S, types", "CLoCE-D, types"]),
    **{f"{corpus}-{shots}": Target(corpus, shots, FOUR) for corpus in ("semeval", "wiki80") for shots in (8, 16, 32)},
}
SHORT = ["semeval-16"]
"""What runs without --full."""

FIGURES = {"semeval": "semeval2010.micro18", "wiki80": "micro"}
"""Whose F1 the table shows. Wiki80 has no label for 'no relation', so its micro-F1 is its accuracy."""


# ---- runs ----------------------------------------------------------------------------------------------------------------


def files(corpus: str) -> List[str]:
    """The overrides that name the files of a corpus."""
    if corpus == "semeval":
        folder = DATA / "semeval2010_task8/opennre"
        found = {"train": folder / "train.txt", "dev": folder / "val.txt", "test": folder / "test.txt"}
    else:
        found = {"train": DATA / "wiki80/train_0.1.txt", "test": DATA / "wiki80/dev.txt"}
    return [word for name, file in found.items() for word in (f"--paths.{name}", str(file))]


def pretrained(corpus: str, output: Path) -> Path:
    """Where the masked-word training of a corpus lies."""
    return output / "pretrained" / corpus


def pretraining(corpus: str) -> List[str]:
    """The overrides of that training."""
    return [*files(corpus), "--stages.finetune", "null", "--stages.evaluate", "null"]


def folder_of(arm: str, target: str, output: Path) -> Path:
    """Where the runs of an arm lie."""
    return output / target / "_".join("".join(sign if sign.isalnum() or sign == "-" else " " for sign in arm).split())


def seeds_of(arm: str, target: str, full: bool, most: Optional[int] = None) -> List[int]:
    """The seeds of an arm; the first so many of them."""
    if ARMS[arm].first:
        return SEEDS[:1]
    return (SEEDS if not TARGETS[target].shots else FEW_SEEDS if full else SHORT_SEEDS)[:most]


def fine_tuning(arm: str, target: str, output: Path, full: bool, most: Optional[int] = None) -> List[str]:
    """The overrides of an arm."""
    where = TARGETS[target]
    model = pretrained(where.corpus, output) / "stages/pretrain/model"
    words = [*files(where.corpus), "--stages.pretrain.@stages", "relcon.Saved.v1", "--stages.pretrain.path", str(model)]
    words += [*ARMS[arm].words, "--protocol.seeds", json.dumps(seeds_of(arm, target, full, most))]
    if not where.shots:
        return [*words, "--protocol.@protocols", "relcon.Seeds.v1"]
    words += ["--protocol.@protocols", "relcon.KShot.v1", "--protocol.shots", str(where.shots), "--protocol.on_rare", "keep"]
    return [*words, "--training.epochs", str(FEW_EPOCHS)]


class Work(NamedTuple):
    """A run: the config of a corpus with overrides, into a folder."""

    corpus: str
    words: List[str]
    folder: Path


def run(work: Work, given: argparse.Namespace) -> bool:
    """Do it in a process of its own, unless it is done. Whether it is; FOLDER.log says why not."""
    folder = work.folder
    if (folder / "metrics.json").exists():  # written last
        return True
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "relcon", "train", str(ROOT / f"configs/cloce/{work.corpus}.cfg"), "--output", str(folder)]
    command += [*(["--resume"] if (folder / "run.json").exists() else []), *work.words, *given.words]
    threads = str(max(1, (os.cpu_count() or 1) // given.jobs))
    with open(f"{folder}.log", "a", encoding="utf-8") as log:
        return subprocess.run(command, stdout=log, stderr=log, env={"OMP_NUM_THREADS": threads, **os.environ}).returncode == 0


def run_all(targets: Sequence[str], given: argparse.Namespace) -> List[Path]:
    """Everything; the folders of what failed."""
    output = given.output
    corpora = list(dict.fromkeys(TARGETS[target].corpus for target in targets))
    failed = in_parallel([Work(each, pretraining(each), pretrained(each, output)) for each in corpora], targets, given)
    good = [target for target in targets if pretrained(TARGETS[target].corpus, output) not in failed]
    arms = [
        Work(TARGETS[target].corpus, fine_tuning(arm, target, output, given.full, given.seeds), folder_of(arm, target, output))
        for target in good
        for arm in TARGETS[target].arms
        if given.arms is None or arm in given.arms
    ]
    return failed + in_parallel(arms, targets, given)


def in_parallel(work: Sequence[Work], targets: Sequence[str], given: argparse.Namespace) -> List[Path]:
    """Several runs at once, the tables after each; the folders of those that failed."""
    failed = []
    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = {pool.submit(run, each, given): each.folder for each in work}
        for done in as_completed(waiting):
            if not done.result():
                failed.append(waiting[done])
                print(f"{waiting[done]} failed: see {waiting[done]}.log", flush=True)
            (given.output / "table.md").write_text(tables(targets, given.output), encoding="utf-8")
    return failed


# ---- tables --------------------------------------------------------------------------------------------------------------


def stages(folder: Path) -> Dict[str, Dict[str, Any]]:
    """Seed -> the stages of its run, as `run.json` has them."""
    return {file.parent.name: read_json(file)["stages"] for file in sorted(folder.glob("seeds/*/run.json"))}


def done(target: str, output: Path) -> Dict[str, Path]:
    """The arms of a target that are through, with their folders."""
    folders = {arm: folder_of(arm, target, output) for arm in TARGETS[target].arms}
    return {arm: folder for arm, folder in folders.items() if (folder / "metrics.json").exists()}


def row(arm: str, target: str, output: Path) -> List[str]:
    """One line of a target's table."""
    folders = done(target, output)
    runs = stages(folders[arm])
    profile = FIGURES[TARGETS[target].corpus]
    key = "scores.f1" if profile == "micro" else f"scores.{profile}.f1"
    against = ARMS[arm].against
    p = "-" if arm == BASE or against not in folders else f"{significance(folders[arm], folders[against], profile, list(runs)):.3f}"
    tuned = [each["finetune"] for each in runs.values()]
    best = [best_epoch(folders[arm] / "seeds" / seed) for seed in runs]
    return [
        arm,
        str(len(runs)),
        in_percent([each["evaluate"]["figures"][key] for each in runs.values()]),
        p,
        f"{fmean(each.epoch for each in best):.1f}",
        in_percent([each.accuracy for each in best]),
        in_percent([each.f1 for each in best]),
        f"{fmean(each['figures']['steps'] for each in tuned):.0f}",
        f"{fmean(each['figures'].get('after_steps', 0) for each in tuned):.0f}",
        f"{fmean(each['seconds'] for each in tuned):.0f} s",
    ]


def significance(folder: Path, other: Path, profile: str, runs: Sequence[str]) -> float:
    """Two-sided p of the difference in F1 on the test data, by approximate randomisation over the seeds that both have."""
    if len(runs) > 1:
        return compare_runs(folder, other, profile=profile).p_randomisation
    return compare_runs(folder / "seeds" / runs[0], other / "seeds" / runs[0], profile=profile).p_randomisation


def tables(targets: Sequence[str], output: Path) -> str:
    """What is through, as Markdown."""
    parts = []
    for target in targets:
        arms = done(target, output)
        head = [target, "seeds", "test micro-F1", "p", "best epoch", "its dev accuracy", "its dev F1", "steps", "after epochs", "training"]
        lines = [head, ["---"] * len(head), *(row(arm, target, output) for arm in arms)]
        parts += ["".join(f"| {' | '.join(line)} |\n" for line in lines)] if arms else []
    return "\n".join(parts)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1, help="arms at once")
    parser.add_argument("--full", action="store_true", help="both corpora, all of the data and 8, 16 and 32 instances, five seeds of these")
    parser.add_argument("--only", nargs="*", choices=list(TARGETS), help="what to run on")
    parser.add_argument("--arms", nargs="*", choices=list(ARMS), help="only these arms")
    parser.add_argument("--seeds", type=int, help="only the first so many seeds")
    given, given.words = parser.parse_known_args()
    given.output.mkdir(parents=True, exist_ok=True)
    targets = given.only or (list(TARGETS) if given.full else SHORT)
    failed = run_all(targets, given)
    folders = {target: done(target, given.output) for target in targets}
    write_curves({target: {arm: curves_of(folder) for arm, folder in arms.items()} for target, arms in folders.items()}, given.output)
    print(tables(targets, given.output))
    if failed:
        raise SystemExit(f"{len(failed)} runs failed: {', '.join(map(str, failed))}")


if __name__ == "__main__":
    main()
