"""How fast CLDR trains and its spaces are read, beside bare loops.

    python benchmarks/cldr/speed.py --output runs/cldr-speed [--model runs/cldr-study/CLDR_and_CLNER/folds/fold_01/model] [--rounds 5]

Prints: a CLDR step against a bare loop that encodes the same sentences and graphs; reading relations off a saved space (--model);
a step of CharacterBERT against BERT of the same size on the same sentences, both with random weights. It needs RELCON_SHARED.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Dict, List

import torch
from relcon_cldr.extractor import NearestNeighbours
from transformers import BertConfig, BertModel

from relcon.config import load_config, resolve
from relcon.contrast import Text
from relcon.encoders import character_loading
from relcon.encoders.character_bert import CharacterBERT
from relcon.encoders.minilm import minilm_folder
from relcon.files import read_jsonl
from relcon.interfaces import Draw
from relcon.pipeline import train
from relcon.readers.spert import SpERT

ROOT = Path(__file__).parents[2]
ADE = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared")) / "data/ade"
STEPS, WARM_UP, BATCH = 60, 20, 8


def step_of_relcon(output: Path) -> float:
    """Sentences per second of CLDR's stage, the first steps left out."""
    began = training(output, STEPS)
    train(began, output / "run", overwrite=True)
    steps = [line for line in read_jsonl(next((output / "run").rglob("log.jsonl"))) if line["event"] == "step"]
    return (len(steps) - WARM_UP) * BATCH / (steps[-1]["time"] - steps[WARM_UP - 1]["time"])


def training(output: Path, steps: int):
    """The config of CLDR's stage alone, with the loss of equation 5, which the bare loop has."""
    text = (ROOT / "configs/cldr/cldr.cfg").read_text(encoding="utf-8")
    config = output / "cldr.cfg"
    config.write_text(text[: text.index("[stages.neighbours]")], encoding="utf-8")
    words = ["--paths.train", str(ADE / "ade_full_spert.json"), "--paths.folds", str(ADE / "cv_splits.json")]
    words += ["--training.max_steps", str(steps), "--training.log_every", "1"]
    words += ["--stages.relations.validation", "null", "--stages.relations.patience", "0"]
    words += ["--stages.relations.streams.graphs.rule", "paper", "--stages.relations.streams.graphs.similarity", "eq5"]
    words += ["--stages.relations.tasks.contrast.anchors.output", "null"]
    return load_config(config, words)


def step_of_a_bare_loop(output: Path) -> float:
    """The same of the bare loop, on batches that relcon's sampler drew."""
    file = output / "batches.jsonl"
    if not file.exists():
        tree = training(output, STEPS).tree
        protocol = resolve(tree["protocol"], "[protocol]")
        ((_, corpus, _),) = protocol.runs(resolve(tree["data"], "[data]"), 1)
        sampler = resolve(tree["stages"]["relations"]["streams"]["graphs"], "sampler")
        drawn = sampler.batches(corpus.split("train"), Draw(0, torch.Generator().manual_seed(1)))
        file.write_text("".join(json.dumps(plain(batch["contrast"])) + "\n" for _, batch in zip(range(STEPS), drawn, strict=False)))
    words = [str(ROOT / "benchmarks/baselines/cldr.py"), str(file), str(minilm_folder()), "--steps", str(STEPS), "--warm-up", str(WARM_UP)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["instances_per_second"])


def plain(contrast) -> List:
    """A contrast as [words, groups of pairs] of each sentence."""
    texts = list(dict.fromkeys(view.input for view in contrast.anchors))
    groups: Dict[int, List] = {id(text): [] for text in texts}
    for anchor, row in zip(contrast.anchors, contrast.pairing.positives + contrast.pairing.negatives, strict=True):
        graphs = [contrast.candidates[number].input for number in row.nonzero()[:, 0].tolist()]
        groups[id(anchor.input)].append([[end - 1 for _, end in graph.nodes] for graph in graphs])
    return [[list(text.words), groups[id(text)]] for text in texts]


def reading(folder: Path, sentences: int = 100) -> Dict[str, float]:
    """Candidate pairs per second of a saved space, encoding included, and the peak resident memory."""
    block = json.loads((folder / "model.json").read_text(encoding="utf-8"))["extractor"]
    model: NearestNeighbours = resolve({**block, "path": str(folder)}, "extractor")
    documents = list(SpERT().read(ADE / "ade_full_spert.json"))[:sentences]
    began = time.perf_counter()
    pairs = sum(len(each.pairs) for each in model.read(documents))
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"training pairs": len(model.neighbourhood.index.pairs), "pairs/s": pairs / seconds, "peak MiB": memory}


def characters(output: Path, steps: int = 4) -> Dict[str, float]:
    """Sentences per second, forward and backward over 16 sentences: CharacterBERT, and BERT of the same size with its word pieces."""
    from transformers import AutoTokenizer

    documents = list(SpERT().read(ADE / "ade_full_spert.json"))[: 16 * (steps + 1)]
    torch.manual_seed(0)
    folder = output / "character_bert"
    if not folder.exists():
        character_loading.save(folder, character_loading.build(character_loading.PUBLISHED), character_loading.PUBLISHED)
    encoder, found = CharacterBERT(str(folder)), {}
    tokenizer, bert = AutoTokenizer.from_pretrained(minilm_folder()), BertModel(BertConfig()).train()
    for name in ("CharacterBERT", "BERT"):
        ends = []
        for start in range(0, len(documents), 16):
            words = [list(document.words) for document in documents[start : start + 16]]
            if name == "BERT":
                states = bert(**tokenizer(words, is_split_into_words=True, padding=True, return_tensors="pt")).last_hidden_state
            else:
                states = encoder(encoder.prepare([Text(tuple(each)) for each in words])).states
            states.square().mean().backward()
            ends.append(time.perf_counter())
        found[name] = 16 * steps / (ends[-1] - ends[0])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    rounds = [(step_of_relcon(given.output), step_of_a_bare_loop(given.output)) for _ in range(given.rounds)]
    ours, bare = (median(each) for each in zip(*rounds, strict=True))
    print(f"| CLDR step | sentences/s | against the bare loop |\n| --- | --- | --- |\n| relcon | {ours:.1f} | {ours / bare:.2f} |")
    print(f"| bare loop | {bare:.1f} | 1.00 |\n")
    if given.model is not None:
        print(" ".join(f"{name}: {value:,.0f};" for name, value in reading(given.model).items()))
    print(" ".join(f"{name}: {value:.1f} sentences/s;" for name, value in characters(given.output).items()))


if __name__ == "__main__":
    main()
