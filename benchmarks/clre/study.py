"""The CLRE study: does contrastive pre-training help a small encoder on SemEval-2010 Task 8 and on ChemProt?

    python benchmarks/clre/study.py semeval  --output runs/clre-study [--full]
    python benchmarks/clre/study.py chemprot --output runs/clre-study [--full]

Each arm is the corpus's config (`semeval.cfg`, `chemprot.cfg`) with the overrides below; arms that are done are not run again.
It needs RELCON_SHARED (the corpora, a parser, WordNet). The table goes to OUTPUT/CORPUS.md. The share of the data, steps, seeds
and learning rates stand in the configs. `--full` takes all of the data, three seeds for every arm and 1,000 contrastive steps.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Dict, List

from relcon.compare import compare_runs
from relcon.config import load_config
from relcon.files import read_json
from relcon.pipeline import train
from relcon.statistics import estimate

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("RELCON_SHARED", HERE.parents[2] / "shared"))
AUGMENTER = "--stages.pretrain.streams.views.augmenter.@augmenters"
HEADLINE = ("fine-tuning alone", "synonyms")
ARMS: Dict[str, List[str]] = {
    "fine-tuning alone": ["--stages.pretrain.max_steps", "0", "--stages.pretrain.epochs", "0"],
    "synonyms": [],
    "swap": [AUGMENTER, "clre.PathPreservingSwap.v1"],
    "deletion": [AUGMENTER, "clre.PathPreservingDeletion.v1"],
    "external text": ["--stages.pretrain.data.@corpora", "relcon.Corpus.v1"],
}
PROFILES = {"semeval": "semeval2010.official", "chemprot": "chemprot.cpr5"}
PAPER = {"chemprot": {"fine-tuning alone": "75.3", "synonyms": "75.8", "external text": "76.3"}}
"""F1 of the same profile in the paper's table 3: BioBERT alone, +CL, +CLEK, all of the training data."""


def paths(corpus: str, output: Path) -> List[str]:
    """The overrides that name the files of a corpus."""
    common = ["--paths.parser", str(SHARED / "models/en_ud_small"), "--paths.wordnet", str(SHARED / "nltk_data")]
    if corpus == "semeval":
        folder = SHARED / "data/semeval2010_task8/SemEval2010_task8_all_data"
        files = {
            "train": folder / "SemEval2010_task8_training/TRAIN_FILE.TXT",
            "test": folder / "SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT",
            "external": SHARED / "data/wiki80/train_0.1.txt",
        }
    else:
        folder = SHARED / "data/chemprot/ChemProt_Corpus"
        files = {
            "train": folder / "chemprot_training",
            "dev": folder / "chemprot_development",
            "test": folder / "chemprot_test_gs",
            "external": output / "chemprot_protein_pairs.jsonl",
        }
    return common + [word for name, file in files.items() for word in (f"--paths.{name}", str(file))]


def external(corpus: str) -> List[str]:
    """The external text of an arm of its own: Wikipedia pairs for SemEval, protein-protein pairs of ChemProt's training abstracts."""
    reader = "relcon.OpenNRE.v1" if corpus == "semeval" else "relcon.JSONLines.v1"
    block = "--stages.pretrain.data"
    words = [f"{block}.train", "${paths.external}", f"{block}.labelled", "false", f"{block}.reader.@readers", reader]
    words += [f"{block}.candidates.@candidates", "relcon.AnnotatedPairs.v1"]
    if corpus == "semeval":
        words += [f"{block}.parser.@parsers", "relcon.SpacyParser.v1", f"{block}.parser.pipeline", "${paths.parser}"]
    return words


def build_external(output: Path) -> None:
    """Protein-protein pairs of ChemProt's training abstracts; no sentence of the test abstracts is among them."""
    target = output / "chemprot_protein_pairs.jsonl"
    if not target.exists():
        folder = SHARED / "data/chemprot/ChemProt_Corpus"
        command = [
            sys.executable, "-m", "relcon", "build-pairs", str(HERE / "protein_pairs.cfg"), "--output", str(target),
            "--builder.input", str(folder / "chemprot_training"), "--builder.exclude", f'["{folder / "chemprot_test_gs"}"]',
        ]  # fmt: skip
        subprocess.run(command, check=True)


def run_arm(corpus: str, arm: str, output: Path, full: bool) -> Path:
    """Train and evaluate one arm, unless it is done; its folder."""
    folder = output / corpus / arm.replace(" ", "_")
    if (folder / "metrics.json").exists():
        return folder  # written last
    words = paths(corpus, output) + ARMS[arm] + (external(corpus) if arm == "external text" else [])
    if arm not in HEADLINE and not full:
        words += ["--protocol.seeds", "[1]"]
    if full:
        words += ["--protocol.@protocols", "relcon.Seeds.v1", "--data.limit", "null", "--stages.pretrain.max_steps", "1000"]
    train(load_config(HERE / f"{corpus}.cfg", words), folder, resume=(folder / "run.json").exists())
    return folder


def seeds(folder: Path) -> Dict[str, Dict[str, float]]:
    """Seed -> figures of the evaluation stage, and the seconds of each stage."""
    found = {}
    for run in sorted((folder / "seeds").iterdir()):
        state = read_json(run / "run.json")["stages"]
        found[run.name] = {
            **state["evaluate"]["figures"],
            "steps": state["pretrain"]["figures"]["steps"],
            "seconds": state["pretrain"]["seconds"] + state["finetune"]["seconds"],
        }
    return found


def significance(baseline: Path, folder: Path, runs: List[str]) -> float:
    """Two-sided p of the difference, by approximate randomisation over the instances of the seeds that both have."""
    if len(runs) > 1:
        return compare_runs(baseline, folder).p_randomisation
    return compare_runs(baseline / "seeds" / runs[0], folder / "seeds" / runs[0]).p_randomisation


def row(corpus: str, arm: str, folder: Path, baseline: Path) -> str:
    """One line of the table."""
    runs = seeds(folder)
    figures = list(runs.values())
    f1, rate = ([each[name] for each in figures] for name in ("scores.f1", "shift.rate"))
    spread = estimate(f1) if len(f1) > 1 else None
    interval = "one seed" if spread is None else f"± {100 * (spread.high - spread.low) / 2:.1f}"
    same = [seeds(baseline)[name] for name in runs]
    gain = sum(a["scores.f1"] - b["scores.f1"] for a, b in zip(figures, same, strict=True)) / len(runs)
    p = "-" if folder == baseline else f"{significance(baseline, folder, list(runs)):.3f}"
    seconds = sum(each["seconds"] for each in figures) / len(runs)
    return (
        f"| {arm} | {len(runs)} | {100 * fmean(f1):.1f} ({interval}) | {100 * gain:+.1f} | {p} | {100 * fmean(rate):.1f} % "
        f"| {figures[0]['steps']:.0f} | {seconds:.0f} s | {PAPER.get(corpus, {}).get(arm, '-')} |"
    )


def table(corpus: str, folders: Dict[str, Path]) -> str:
    """The results as Markdown."""
    baseline = folders["fine-tuning alone"]
    lines = [
        f"| arm | seeds | {PROFILES[corpus]} F1 (95 % interval) | against fine-tuning alone, same seeds | p "
        "| prediction shift | contrastive steps | training | paper |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [row(corpus, arm, folder, baseline) for arm, folder in folders.items()]) + "\n"


def main() -> None:
    """Run all arms of a corpus and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=sorted(PROFILES))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    if given.corpus == "chemprot":
        build_external(given.output)
    folders = {arm: run_arm(given.corpus, arm, given.output, given.full) for arm in ARMS}
    text = table(given.corpus, folders)
    (given.output / f"{given.corpus}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
