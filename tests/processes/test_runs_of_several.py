"""A whole run by two processes through the command line: what it writes is what one process writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from relcon.data.json import document_to_json
from relcon.testing import tiny_corpus, tiny_encoder_folder

CONFIG = Path(__file__).parent / "run.cfg"
TIMES = {"time", "seconds", "peak_memory_bytes"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data and an encoder."""
    folder = tmp_path_factory.mktemp("several")
    records = [{**document_to_json(document), "source": None} for document in tiny_corpus(26)]
    for record in records:
        record.pop("source")
    for name, part in (("train", records[:15]), ("dev", records[15:21]), ("test", records[21:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in part), encoding="utf-8")
    tiny_encoder_folder(folder / "encoder", layers=1)
    return folder


def train(place, output, count, *more):
    """`relcon train` by so many processes; how it ended."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)] if count > 1 else []
    paths = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", place / f"{name}.jsonl")]
    words = [sys.executable, *launch, "-m", "relcon", "train", CONFIG, "-o", output, *paths, "--paths.encoder", place / "encoder", *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RELCON_CACHE": str(place / "cache")}
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, env=environment)


@pytest.fixture(scope="module")
def runs(place):
    """The folders of the same run by one and by two processes."""
    folders = {}
    for count in (1, 2):
        folders[count] = place / f"run{count}"
        done = train(place, folders[count], count)
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count("The run lies in") == 1, "one process speaks"
    return folders


def log_of(run):
    """The log without times."""
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in (run / "log.jsonl").read_text().splitlines()]


def unpadded(record):
    """The figures of a step that do not depend on how it was cut into micro-batches."""
    return {key: value for key, value in record["figures"].items() if key != "padding"}


def test_weights_are_those_of_one_process(runs):
    files = sorted(path.relative_to(runs[1]) for path in runs[1].rglob("*.safetensors"))
    assert files and files == sorted(path.relative_to(runs[2]) for path in runs[2].rglob("*.safetensors"))
    for file in files:
        alone, shared = load_file(runs[1] / file), load_file(runs[2] / file)
        for name, weight in alone.items():
            # rounding grows in Adam, by how much depends on the processor; a wrong gradient moves weights by a step of 1e-3
            assert torch.allclose(weight, shared[name], atol=1e-4), (file, name)


def test_log_and_metrics_are_those_of_one_process(runs):
    alone, shared = log_of(runs[1]), log_of(runs[2])
    assert [(each["event"], each["stage"], each.get("step")) for each in alone] == [(e["event"], e["stage"], e.get("step")) for e in shared]
    for one, other in zip(alone, shared, strict=True):
        if "loss" in one:
            assert other["loss"] == pytest.approx(one["loss"], abs=1e-5) and other.get("instances") == one.get("instances")
        if one["event"] == "step":
            assert unpadded(other) == pytest.approx(unpadded(one), abs=1e-4)
    metrics = [json.loads((runs[count] / "metrics.json").read_text()) for count in (1, 2)]
    assert metrics[0]["evaluate"] == pytest.approx(metrics[1]["evaluate"], abs=1e-6)
    uids = [[json.loads(line)["id"] for line in (runs[count] / "predictions.jsonl").read_text().splitlines()] for count in (1, 2)]
    assert uids[0] == uids[1] and len(uids[0]) == len(set(uids[0]))


def test_two_processes_resume(runs, place):
    """A run that two processes began and left is finished by two, and is that of an uninterrupted run."""
    output = place / "resumed"
    broken = train(place, output, 2, "--training.checkpoint_every", 2, "--stages.evaluate.split", "train", "--stages.finetune.max_steps", 3)
    assert broken.returncode == 0, broken.stderr[-3000:]
    done = train(place, output, 2, "--resume")
    assert done.returncode == 0, done.stderr[-3000:]
    assert log_of(output) == log_of(runs[2])
    state = json.loads((output / "run.json").read_text())
    assert len(state["resumed"]) == 1 and {stage["state"] for stage in state["stages"].values()} == {"done"}


def test_a_mistake_ends_all(place):
    done = train(place, place / "wrong", 2, "--stages.finetune.classifier", "relations")
    assert done.returncode != 0 and "[stages.finetune] classifier" in done.stderr and not (place / "wrong").exists()
