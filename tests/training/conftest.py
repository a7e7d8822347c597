"""Real processes that train, to be killed: forked from a server that has torch loaded already, so that each starts at once.

No test inherits accelerate's settings of another: it keeps precision and device for the whole process.
"""

import contextlib
import json
import multiprocessing
import os
import runpy
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import pytest
import torch
from safetensors.torch import load_file

from relcon.data.json import document_to_json
from relcon.testing import tiny_corpus, tiny_encoder_folder
from relcon.training.device import forget_settings

HERE = Path(__file__).parent / "data"
LOADED = [
    "relcon.cli.main",
    "relcon.pipeline",
    "relcon.cli.tables",
    "relcon.stages.finetune",
    "relcon.encoders.transformer",
    "relcon.samplers.instances",
]
MODELS = ["transformers.models.bert.modeling_bert", "transformers.models.bert.tokenization_bert", "accelerate", "sklearn.metrics"]
PATIENCE = 300
"""Seconds after which a process that did not do what it should is a failure."""


@dataclass
class Command:
    """A process that runs the command line."""

    process: BaseProcess
    out: Path
    err: Path

    def kill_when(self, reached: Callable[[], bool]) -> bool:
        """SIGKILL as soon as something is true. False where the process ended by itself before."""
        began = time.monotonic()
        while self.process.is_alive():
            assert time.monotonic() - began < PATIENCE, "the process hangs"
            with contextlib.suppress(FileNotFoundError):  # what we look into may go while we look
                if reached():
                    self.process.kill()
                    self.process.join(PATIENCE)
                    return True
            time.sleep(0.002)
        return False

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait; it is an error where the process ends before."""
        began = time.monotonic()
        while not reached():
            assert time.monotonic() - began < PATIENCE, "the process hangs"
            assert self.process.is_alive(), f"ended too early: {self.err.read_text()}"
            time.sleep(0.002)

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def ended(self) -> int:
        """Its exit code; negative for a signal that killed it."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, "the process hangs"
        return self.process.exitcode


@dataclass
class Workshop:
    """A place for runs: data, a tiny encoder, the config, and processes that train with it."""

    folder: Path
    context: Any
    started: List[BaseProcess] = field(default_factory=list)

    def words(self, output: Path, *more: Any) -> List[str]:
        """The words of `relcon train`."""
        files = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", self.folder / f"{name}.jsonl")]
        given = ["train", HERE / "resume.cfg", "-o", output, "--code", HERE / "queue.py", *files, "--paths.encoder", self.folder / "bert"]
        return [str(word) for word in [*given, *more]]

    def start(self, words: Sequence[str], limit: int = 0, slow: float = 0.0) -> Command:
        """A process that runs a command. limit: largest file, in bytes. slow: seconds more per step."""
        out, err = (self.folder / f"{kind}-{len(self.started)}" for kind in ("out", "err"))
        given = {"WORDS": list(words), "OUT": str(out), "ERR": str(err), "LIMIT": limit, "SLOW": slow}
        process = self.context.Process(target=runpy.run_path, args=(str(HERE / "process.py"), given))
        process.start()
        self.started.append(process)
        return Command(process, out, err)

    def train(self, output: Path, *more: Any, **options: Any) -> Command:
        """`relcon train`; with --resume where there is a run."""
        resume = ["--resume"] if (output / "run.json").exists() else []
        return self.start(self.words(output, *more, *resume), **options)

    def finish(self, output: Path, *more: Any) -> None:
        """Train, or go on, to the end."""
        command = self.train(output, *more)
        assert command.ended() == 0, command.err.read_text()

    # ---- what a run came to ----

    @staticmethod
    def log_lines(run: Path) -> int:
        """How many lines the log of a run has."""
        return (run / "log.jsonl").read_bytes().count(b"\n") if (run / "log.jsonl").exists() else 0

    @staticmethod
    def differences(run: Path, other: Path) -> List[str]:
        """The files in which two runs differ; of a log, the first line."""
        ours, theirs = results(run), results(other)
        return sorted(
            name + first(ours.get(name), theirs.get(name)) for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
        )


@pytest.fixture(scope="session")
def server() -> Any:
    """Starts processes from one that has everything loaded."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LOADED, *MODELS])
    return context


@pytest.fixture(scope="module")
def workshop(server: Any) -> Iterator[Workshop]:
    """In memory where the system has a place there: tests of exactness need no disk."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="relcon-", dir=base))
    tiny_encoder_folder(folder / "bert", layers=1)
    records = [{**document_to_json(document)} for document in tiny_corpus(24)]
    for name, part in (("train", records[:16]), ("dev", records[16:20]), ("test", records[20:])):
        lines = [json.dumps({key: value for key, value in record.items() if key != "source"}) + "\n" for record in part]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    shop = Workshop(folder, server)
    yield shop
    for process in shop.started:
        with contextlib.suppress(ValueError):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


# ---- what must be equal --------------------------------------------------------------------------------------------------

ASIDE = ("time", "seconds", "peak_memory_bytes")


def log_of(run: Path) -> List[Dict[str, Any]]:
    """The lines of a log without its times."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key not in ASIDE} for line in lines]


def results(run: Path) -> Dict[str, Any]:
    """All that a run came to, by file: tensors, figures, predictions, logs; only times and the run's own records are left out."""
    found: Dict[str, Any] = {}
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.is_dir() or path.name in ("run.json", "config.cfg", "config.as-written.cfg"):
            continue
        if path.name == "log.jsonl":
            found[name] = log_of(path.parent)
        elif path.name == "done.json":  # the length of a log depends on its times
            found[name] = json.loads(path.read_text(encoding="utf-8"))["figures"]
        elif path.suffix == ".safetensors":
            found[name] = {key: (tensor.dtype, tensor.tolist()) for key, tensor in load_file(path).items()}
        else:
            found[name] = path.read_text(encoding="utf-8").replace(str(run), "RUN")
    return found


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """As a new process finds them."""
    yield
    forget_settings()
    torch.set_float32_matmul_precision("highest")


def first(ours: Any, theirs: Any) -> str:
    """The first line in which two logs differ, for a message."""
    if not isinstance(ours, list) or not isinstance(theirs, list):
        return ""
    found = next(((a, b) for a, b in zip(ours, theirs, strict=False) if a != b), (len(ours), len(theirs)))
    return f": {found[0]} instead of {found[1]}"
