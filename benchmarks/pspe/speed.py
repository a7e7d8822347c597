"""How fast PSPE pre-trains and extracts: beside a bare loop, with a small queue and a large one, against one encoding for each pair.

    python benchmarks/pspe/speed.py --output runs/pspe-speed [--rounds 5] [--steps 12] [--sentences 400] [--only pretraining queue joint]

Every measurement is a process of its own and one line of OUTPUT/measured.jsonl; those that stand there already are not repeated. The rounds
alternate between the measurements, and OUTPUT/table.md has the medians over the rounds. All sentences are invented, of 20 words and 8
entities, and cropped nowhere. The bare loop gets the very batches that relcon draws, cut into pieces, so its time holds neither sampling
nor tokenising; before it is timed, both take two steps from the same weights and without dropout, and must find the same losses.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, NamedTuple

from pretraining import BATCH, CONFIG, WARM_UP, built, drawn, losses, plain, sentences, weights
from safetensors.torch import save_file

from relcon.config import load_config, resolve
from relcon.encoders.minilm import minilm_folder
from relcon.files import read_jsonl

sys.path.insert(0, str(Path(__file__).parents[1] / "speed"))
from commands import Figures, baseline, python, train

HERE = Path(__file__).parent
QUEUES = (1024, 65536)

CLOSE = 1e-3
"""Losses that differ by a smaller share are the same: relcon decays no biases, the bare loop all weights."""


class Sizes(NamedTuple):
    """How much is measured: optimizer steps of a training, sentences of a prediction."""

    steps: int
    sentences: int


# ---- pre-training ----------------------------------------------------------------------------------------------------------


def prepared(output: Path, sizes: Sizes) -> Path:
    """The batches that relcon draws, as the bare loop reads them; it must find the same losses in the first two of them."""
    file, start = output / f"batches-{sizes.steps}.jsonl", output / "weights.safetensors"
    if file.exists():
        return file
    made = built(output, sizes.steps, QUEUES[1])
    batches = list(drawn(made))
    lines = [json.dumps(plain(batch, made.parts.encoders["text"])) + "\n" for batch in batches]
    save_file({name: tensor.contiguous() for name, tensor in weights(made).items()}, start)
    trial = output / "first-batches.jsonl"
    trial.write_text("".join(lines[:2]), encoding="utf-8")
    ours, theirs = losses(made, 2), baseline("pspe_pretrain", trial, minilm_folder(), "--weights", start)["losses"]
    print(f"the losses of the first batches: relcon {ours}, the bare loop {theirs}", flush=True)
    if len(batches) != sizes.steps or any(abs(one - other) > CLOSE * one for one, other in zip(ours, theirs, strict=True)):
        raise SystemExit("The bare loop does not do what relcon does.")
    file.write_text("".join(lines), encoding="utf-8")
    return file


def of_relcon(output: Path, sizes: Sizes) -> Figures:
    """Sentences per second of relcon's steps."""
    data = sentences(output, sizes.steps * BATCH)
    found = train(output, str(CONFIG), "--paths.train", str(data), "--training.max_steps", str(sizes.steps), warm_up=WARM_UP)
    return {"rate": BATCH / found["step_seconds"]}


def of_the_bare_loop(output: Path, sizes: Sizes) -> Figures:
    """Sentences per second of the bare loop's."""
    return {"rate": baseline("pspe_pretrain", prepared(output, sizes), minilm_folder(), "--warm-up", WARM_UP)["instances_per_second"]}


def with_a_queue_of(size: int) -> Callable[[Path, Sizes], Figures]:
    """A step with a full queue."""

    def measure(output: Path, sizes: Sizes) -> Figures:
        words = [str(HERE / "pretraining.py"), str(output), "--queue", str(size), "--steps", str(sizes.steps)]
        return json.loads(python(*words).splitlines()[-1])  # type: ignore[no-any-return]

    return measure


# ---- extraction ------------------------------------------------------------------------------------------------------------


def training_of(config: str) -> Callable[[Path, Sizes], Figures]:
    """Sentences per second in training."""

    def measure(output: Path, sizes: Sizes) -> Figures:
        words = ["--paths.train", str(sentences(output, sizes.sentences)), "--training.max_steps", str(sizes.steps)]
        found = train(output, str(HERE / config), *words, warm_up=WARM_UP)
        return {"rate": sentences_of_a_batch(config, words) / found["step_seconds"]}

    return measure


def sentences_of_a_batch(config: str, words: List[str]) -> float:
    """How many sentences a batch is: of the extractor as many as it says, of the classifier as many as have so many pairs."""
    tree = load_config(HERE / config, words).tree
    data = resolve(tree["data"], "[data]").split("train")
    share = 1.0 if config == "joint.cfg" else len(data.documents) / len(data.instances)
    return float(tree["training"]["batch_size"] * share)


def prediction_of(config: str) -> Callable[[Path, Sizes], Figures]:
    """Sentences per second of `relcon predict`, by a model that was trained for two steps; its start is taken off."""

    def measure(output: Path, sizes: Sizes) -> Figures:
        run = output / f"model-{Path(config).stem}"
        if not run.exists():
            data = sentences(output, sizes.sentences)
            words = ["--paths.train", str(data), "--training.max_steps", "2"]
            python("-m", "relcon", "train", str(HERE / config), "-o", str(run), *words)
        took = [seconds_of_prediction(output, run, count) for count in (1, sizes.sentences)]
        return {"rate": (sizes.sentences - 1) / (took[1] - took[0])}

    return measure


def seconds_of_prediction(output: Path, run: Path, count: int) -> float:
    """How long `relcon predict` takes for so many sentences."""
    found = output / "found.jsonl"
    found.unlink(missing_ok=True)
    began = time.perf_counter()
    python("-m", "relcon", "predict", str(run), str(sentences(output, count)), "-o", str(found))
    return time.perf_counter() - began


# ---- the page --------------------------------------------------------------------------------------------------------------

ARMS: Dict[str, Dict[str, Callable[[Path, Sizes], Figures]]] = {
    "pretraining": {"relcon": of_relcon, "bare loop": of_the_bare_loop},
    "queue": {f"{size:,} keys": with_a_queue_of(size) for size in QUEUES},
    "joint": {
        "training, joint": training_of("joint.cfg"),
        "training, an encoding per pair": training_of("pairs.cfg"),
        "prediction, joint": prediction_of("joint.cfg"),
        "prediction, an encoding per pair": prediction_of("pairs.cfg"),
    },
}
"""What is measured, by the part of the page."""


def measure(output: Path, parts: List[str], rounds: int, sizes: Sizes) -> List[Dict[str, object]]:
    """All measurements, those that are missing made and written down as they come."""
    file = output / "measured.jsonl"
    known = read_jsonl(file) if file.exists() else []
    done = {(line["part"], line["arm"], line["round"]) for line in known}
    arms = [(part, arm) for part in parts for arm in ARMS[part]]
    for number in range(rounds):
        for part, arm in arms:
            if (part, arm, number) not in done:
                line = {"part": part, "arm": arm, "round": number, **ARMS[part][arm](output, sizes)}
                with file.open("a", encoding="utf-8") as target:
                    target.write(json.dumps(line) + "\n")
                print(json.dumps(line), flush=True)
                known.append(line)
    return known


def table(lines: List[Dict[str, object]]) -> str:
    """Medians as Markdown, each part under its name."""
    page = ""
    for part in (part for part in ARMS if any(line["part"] == part for line in lines)):
        found = {arm: [line for line in lines if (line["part"], line["arm"]) == (part, arm)] for arm in ARMS[part]}
        names = [name for name in next(iter(found.values()))[0] if name not in ("part", "arm", "round")]
        rows = [[arm, *(f"{median(line[name] for line in measured):,.3f}" for name in names)] for arm, measured in found.items()]
        head = [part, *("sentences/s" if name == "rate" else name.replace("_", " ") for name in names)]
        page += "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows]) + "\n"
    return page


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12, help=f"of each training, more than {WARM_UP}, the first of which do not count")
    parser.add_argument("--sentences", type=int, default=400, help="that extraction trains on and predicts")
    parser.add_argument("--only", nargs="*", choices=list(ARMS), default=list(ARMS))
    given = parser.parse_args()
    if given.steps <= WARM_UP:
        parser.error(f"--steps: {given.steps} is not above {WARM_UP}")
    output = given.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    os.environ["RELCON_CACHE"] = str(output / "cache")
    page = table(measure(output, given.only, given.rounds, Sizes(given.steps, given.sentences)))
    (output / "table.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
