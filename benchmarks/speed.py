"""How fast relcon trains, against loops written by hand and against sentence-transformers (`pip install relcon[benchmarks]`).

    python benchmarks/speed.py --output runs/speed [--only contrast cached] [--rounds 5]

The commands of a comparison run alternately; each figure is the median over the rounds, each round the median of its steps after two that
do not count. Needs RELCON_SHARED (ChemProt, a parser, WordNet), and a machine that does nothing else. The table goes to OUTPUT/speed.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List

import torch

from relcon.config import load_config, resolve
from relcon.encoders.minilm import minilm_folder
from relcon.files import read_json, read_jsonl
from relcon.interfaces import Corpus, Draw, Sampler

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("RELCON_SHARED", HERE.parents[1] / "shared"))
CONFIG = HERE / "speed.cfg"
WARM_UP = 2
PATHS = [
    "--paths.train", str(SHARED / "data/chemprot/ChemProt_Corpus/chemprot_training"),
    "--paths.parser", str(SHARED / "models/en_ud_small"), "--paths.wordnet", str(SHARED / "nltk_data"),
]  # fmt: skip
Figures = Dict[str, float]


def relcon(output: Path, *overrides: str) -> Figures:
    """A few steps of `relcon train`; times are those between the lines of its log."""
    shutil.rmtree(output / "run", ignore_errors=True)
    command = [sys.executable, "-m", "relcon", "train", str(CONFIG), "-o", str(output / "run"), *PATHS, *overrides]
    subprocess.run(command, check=True, capture_output=True)
    steps = [line for line in read_jsonl(output / "run" / "log.jsonl") if line["event"] == "step"]
    seconds = median([later["time"] - sooner["time"] for sooner, later in pairwise(steps)][WARM_UP - 1 :])
    memory = read_json(output / "run" / "run.json")["peak_memory_bytes"] / 2**20
    padding = sum(step["figures"]["padding"] for step in steps) / len(steps)
    return {"instances_per_second": steps[0]["instances"] / seconds, "seconds": seconds, "peak_mib": memory, "padding": padding}


def baseline(output: Path, name: str, *arguments: str) -> Figures:
    """A baseline over the pairs of views that relcon drew."""
    command = [sys.executable, str(HERE / "baselines" / f"{name}.py"), str(pairs(output)), str(minilm_folder()), *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def pairs(output: Path) -> Path:
    """An epoch of the sampler's pairs of views, one a line, as texts."""
    target = output / "pairs.jsonl"
    if not target.exists():
        loaded = load_config(CONFIG, PATHS)
        corpus: Corpus = resolve(loaded.tree["data"], "[data]")
        sampler: Sampler = resolve(loaded.tree["stages"]["pretrain"]["streams"]["views"], "views")
        data = corpus.split("train")
        sampler.prepare(data)
        draw = Draw(0, torch.Generator().manual_seed(0))
        texts = [" ".join(view.input.words) for batch in sampler.batches(data, draw) for view in batch["contrast"].anchors]  # type: ignore
        target.write_text("".join(json.dumps(pair) + "\n" for pair in zip(texts[::2], texts[1::2], strict=True)), encoding="utf-8")
    return target


CACHED = ["--training.batch_size", "1024", "--training.micro_batch_tokens", "2048", "--stages.pretrain.encoders.text.max_length", "64"]
LARGE = ["--batch", "1024", "--length", "64", "--steps", "4"]
Case = Dict[str, Callable[[Path], Figures]]
CASES: Dict[str, Case] = {
    "contrast": {
        "relcon, batch 64": lambda output: relcon(output),
        "bare loop, the same micro-batches": lambda output: baseline(output, "contrast", "--tokens", "1024"),
        "bare loop, one forward": lambda output: baseline(output, "contrast", "--tokens", "0"),
        "sentence-transformers": lambda output: baseline(output, "sentence_transformers_contrast"),
    },
    "cached": {
        "relcon, batch 1,024 cached": lambda output: relcon(
            output, *CACHED, "--training.gradient_caching", "true", "--training.max_steps", "4"
        ),
        "relcon, batch 1,024 plain": lambda output: relcon(output, *CACHED, "--training.max_steps", "4"),
        "relcon, batch 32 plain": lambda output: relcon(output, *CACHED, "--training.batch_size", "32"),
        "sentence-transformers, cached": lambda output: baseline(output, "sentence_transformers_contrast", *LARGE, "--cached", "32"),
    },
}


def measure(case: Case, output: Path, rounds: int) -> Dict[str, Figures]:
    """The commands of a case, in turn; the median of each figure over the rounds."""
    found: Dict[str, List[Figures]] = {name: [] for name in case}
    for _ in range(rounds):
        for name, run in case.items():
            found[name].append(run(output))
            print(name, found[name][-1], flush=True)
    return {name: {key: median(each[key] for each in figures) for key in figures[0]} for name, figures in found.items()}


def table(figures: Dict[str, Figures]) -> str:
    """A case as Markdown; ratios are those of the first command to each."""
    first, *_ = figures.values()
    lines = ["| command | instances/s | the first against it | peak memory | padding |", "|---|---|---|---|---|"]
    for name, each in figures.items():
        ratio = first["instances_per_second"] / each["instances_per_second"]
        padding = f"{100 * each['padding']:.0f} %" if "padding" in each else "-"
        lines.append(f"| {name} | {each['instances_per_second']:.1f} | {ratio:.2f} | {each['peak_mib']:.0f} MiB | {padding} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the cases and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    results: Dict[str, Any] = {name: measure(CASES[name], given.output, given.rounds) for name in given.only}
    (given.output / "speed.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    text = "\n".join(f"## {name}\n\n{table(figures)}" for name, figures in results.items())
    (given.output / "speed.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
