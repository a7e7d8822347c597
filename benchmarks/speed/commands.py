"""The commands that are timed: relcon itself and the baselines, and the files that they read."""

import json
import os
import shutil
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Sequence

from relcon.config import load_config, resolve
from relcon.encoders.minilm import minilm_folder
from relcon.files import read_json, read_jsonl
from relcon.interfaces import Corpus, Draw, Sampler
from relcon.training.seeding import generator

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("RELCON_SHARED", HERE.parents[2] / "shared"))
CHEMPROT = SHARED / "data/chemprot/ChemProt_Corpus"
SEMEVAL = SHARED / "data/semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_training/TRAIN_FILE.TXT"
PARSER, WORDNET = str(SHARED / "models/en_ud_small"), str(SHARED / "nltk_data")
CONTRAST = ["--paths.train", str(CHEMPROT / "chemprot_training"), "--paths.parser", PARSER, "--paths.wordnet", WORDNET]
Figures = Dict[str, float]


def python(*words: str, **environment: str) -> str:
    """What a command of this Python printed; its error message, and an end, where it failed."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=os.environ | environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stderr}")
    return done.stdout


def train(output: Path, config: str, *overrides: str, warm_up: int = 1) -> Figures:
    """`relcon train`: instances per second between the ends of the steps behind the first ones, as its log has them."""
    shutil.rmtree(output / "run", ignore_errors=True)
    python("-m", "relcon", "train", str(HERE / config), "-o", str(output / "run"), *overrides)
    steps = [line for line in read_jsonl(output / "run" / "log.jsonl") if line["event"] == "step"]
    took = steps[-1]["time"] - steps[warm_up - 1]["time"]
    return {
        "instances_per_second": sum(step["instances"] for step in steps[warm_up:]) / took,
        "step_seconds": took / (len(steps) - warm_up),
        "peak_mib": read_json(output / "run" / "run.json")["peak_memory_bytes"] / 2**20,
        "padding": sum(step["figures"]["padding"] for step in steps) / len(steps),
    }


def baseline(name: str, *words: object) -> Figures:
    """A program of benchmarks/baselines; it prints its figures."""
    return json.loads(python(str(HERE.parent / "baselines" / f"{name}.py"), *map(str, words)).splitlines()[-1])


def pairs(output: Path, *overrides: str) -> Path:
    """The pairs of views that relcon's first epoch draws, in their order, as texts: one pair a line."""
    target = output / "pairs.jsonl"
    if not target.exists():
        tree = load_config(HERE / "contrast.cfg", [*CONTRAST, *overrides]).tree
        corpus: Corpus = resolve(tree["data"], "[data]")
        sampler: Sampler = resolve(tree["stages"]["pretrain"]["streams"]["views"], "views")
        data = corpus.split("train")
        sampler.prepare(data)
        draw = Draw(0, generator(tree["training"]["seed"], "pretrain", "views", 0))
        views = [view for batch in sampler.batches(data, draw) for view in batch["contrast"].anchors]  # type: ignore[union-attr]
        texts = [" ".join(view.input.words) for view in views]
        _write(target, list(zip(texts[::2], texts[1::2], strict=True)))
    return target


def marked(output: Path, sentences: int) -> Path:
    """SemEval's sentences with the four markers of the arguments in the text, and the number of their label."""
    target = output / "marked.jsonl"
    if not target.exists():
        tree = load_config(HERE / "finetune.cfg", ["--paths.train", str(SEMEVAL), "--data.limit", str(sentences)]).tree
        corpus: Corpus = resolve(tree["data"], "[data]")
        records = []
        for instance in corpus.split("train").instances:
            words: List[str] = list(instance.document.words)
            (head, tail), names = instance.mentions, corpus.labels.names
            for mention, number in sorted([(head, 1), (tail, 2)], reverse=True):
                words[mention.end : mention.end], words[mention.start : mention.start] = [f"[/E{number}]"], [f"[E{number}]"]
            records.append({"text": " ".join(words), "label": names.index(instance.label)})
        _write(target, records)
    return target


def first_step(output: Path, *, fresh: bool) -> Figures:
    """Seconds from the start of `relcon train` on all of ChemProt until the first step begins. fresh: with an empty cache."""
    cache = output / "start-cache"
    if fresh:
        shutil.rmtree(cache, ignore_errors=True)
    elif not cache.exists():
        first_step(output, fresh=True)
    shutil.rmtree(output / "run", ignore_errors=True)
    files = [f"--paths.{name} {CHEMPROT / folder}" for name, folder in SPLITS.items()]
    words = " ".join([*files, f"--paths.parser {PARSER} --paths.wordnet {WORDNET} --training.log_every 1"]).split()
    config = str(HERE.parents[1] / "configs" / "clre" / "chemprot.cfg")
    began = time.time()
    process = subprocess.Popen(
        [sys.executable, "-m", "relcon", "train", config, "-o", str(output / "run"), *words],
        env=os.environ | {"RELCON_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = output / "run" / "log.jsonl"
    while process.poll() is None and not (log.exists() and log.read_text(encoding="utf-8").endswith("\n")):
        time.sleep(0.1)
    process.kill()
    process.wait()
    step = read_jsonl(log)[0]
    return {"seconds": step["time"] - step["seconds"] - began}


SPLITS = {"train": "chemprot_training", "dev": "chemprot_development", "test": "chemprot_test_gs"}


def documents(output: Path, count: int, pairs_each: int) -> Path:
    """Invented documents of a hundred words with so many pairs each."""
    target = output / f"documents-{count}-{pairs_each}.jsonl"
    if not target.exists():
        words = f"--documents {count} --words 100 --instances {pairs_each}".split()
        python(str(HERE.parent / "make_documents.py"), *words, str(target))
    return target


@lru_cache(maxsize=1)
def document_model(output: Path) -> Path:
    """A run whose classifier saw two batches: what is timed is prediction, not what it predicts."""
    run = output / "documents-model"
    shutil.rmtree(run, ignore_errors=True)
    path = str(documents(output, 100, 10))
    python("-m", "relcon", "train", str(HERE / "documents.cfg"), "-o", str(run), "--paths.train", path, "--training.max_steps", "2")
    return run


def predict(output: Path, count: int = 1000, pairs_each: int = 10) -> Figures:
    """`relcon predict`, model loading and file writing included."""
    model, data, target = document_model(output), documents(output, count, pairs_each), output / "relations.jsonl"
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    python("-m", "relcon", "predict", str(model), str(data), "-o", str(target))
    seconds = time.perf_counter() - began
    with target.open(encoding="utf-8") as file:
        found = sum(1 for _ in file)
    return {"pairs": found, "seconds": seconds, "pairs_per_second": found / seconds}


def small_encoder(output: Path, layers: int = 2) -> Path:
    """The first layers of MiniLM as an encoder of its own, so that batches of thousands take seconds on a CPU."""
    folder = output / f"minilm-{layers}-layers"
    if not folder.exists():
        from transformers import AutoModel, AutoTokenizer

        model = AutoModel.from_pretrained(minilm_folder())
        model.encoder.layer = model.encoder.layer[:layers]
        model.config.num_hidden_layers = layers
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(folder)
    return folder


def help_page(_: Path) -> Figures:
    """`relcon --help`."""
    began = time.perf_counter()
    python("-m", "relcon", "--help")
    return {"seconds": time.perf_counter() - began}


def _write(target: Path, records: Sequence[Any]) -> None:
    target.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
