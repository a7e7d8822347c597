"""The folder of a run: what is in it, who may write to it, what of it is done.

config.cfg  config.as-written.cfg  run.json  metrics.json  pooled.json  log.jsonl  predictions.jsonl  scores.json  trackers/
stages/NAME/  checkpoints/NAME/  model/  plots/  (folds/ or seeds/: the same once more each)
"""

import importlib.metadata
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterator, List, Mapping, Optional, Protocol, Sequence

from relcon import processes
from relcon.errors import Interrupted, RelconError, WriteError
from relcon.files import LEFTOVER, append_jsonl, cut, read_json, read_object, remove_leftovers, size, write_json

PACKAGES = ("relcon", "torch", "transformers", "accelerate", "spacy", "catalogue", "confection", "scikit-learn")


REPEATS = ("folds", "seeds")
"""Folders below a run over folds or seeds, each of which holds runs."""


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def git_revision() -> Optional[str]:
    """The revision of the working directory, or None outside a checkout."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def provenance() -> Dict[str, Any]:
    """What a run's results depend on beside its config: how it was called, with which versions of what."""
    return {
        "command": sys.argv,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "git": git_revision(),
    }


def peak_memory() -> int:
    """The most memory that this process held so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


OWN = (
    "config.cfg", "config.as-written.cfg", "run.json", "metrics.json", "log.jsonl", "predictions.jsonl", "scores.json", "pooled.json",
    "stages", "checkpoints", "model", "folds", "seeds", "trackers", "plots", ".replaced",
)  # fmt: skip
"""All that a run, or `relcon plot`, puts into its folder. Nothing else is ever moved or deleted there."""

DERIVED = ("metrics.json", "predictions.jsonl", "scores.json", "pooled.json", "model")
"""What is made anew of the finished stages whenever a run ends."""


def check_output(path: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that holds something else, before anything is written. RelconError says which option goes on."""
    if resume and overwrite:
        raise RelconError("--resume and --overwrite exclude each other: go on with the run, or start it anew.")
    try:
        there = path.exists()
    except OSError as error:  # a name too long for the file system
        raise RelconError(f"--output {path} is no possible folder: {error.strerror}. Choose another folder.") from error
    if there and not path.is_dir():
        raise RelconError(f"--output {path} is a file; a folder is needed.")
    refuse_unwritable(path)
    names = {each.name for each in path.iterdir() if not LEFTOVER.fullmatch(each.name)} if path.is_dir() else set()
    filled = bool(names)
    if filled and not is_run(path):
        raise RelconError(f"--output {path} holds files that are no relcon run. Choose an empty or new folder.")
    if filled and not resume and not overwrite:
        ways = "Go on with it (--resume), replace it (--overwrite), or choose another folder."
        raise RelconError(f"--output {path} holds another run. {ways}")
    if resume and not filled:
        raise RelconError(f"There is no run to resume in {path}. Leave out --resume to start one.")
    foreign = sorted(names - set(OWN)) if overwrite else []
    if foreign:
        shown = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
        raise RelconError(f"--output {path} holds files that relcon did not write ({shown}). Move them away, or choose another folder.")


def refuse_unwritable(path: Path) -> None:
    """RelconError where the folder cannot be made or written to."""
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise RelconError(f"--output {path} cannot be made: {nearest} is a file, not a folder. Choose another folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise RelconError(f"--output {path} cannot be written (permission denied for {nearest}). Choose another folder.")


def models_below(path: Path) -> List[Path]:
    """Of a run over folds or seeds, the folders of its runs that have a model."""
    return sorted(folder for name in REPEATS for folder in (path / name).glob("*") if (folder / "model" / "model.json").exists())


def whole_run(path: Path) -> Path:
    """The folder of the whole run to which one of its folds or seeds belongs; any other folder stands for itself."""
    path = path.resolve()
    return path.parent.parent if path.parent.name in REPEATS and is_run(path.parent.parent) else path


def is_run(path: Path) -> bool:
    """Whether a folder holds a run, rather than anything else that has a `run.json`."""
    if not (path / "run.json").is_file():
        return False
    state = read_json(path / "run.json")
    return isinstance(state, dict) and {"stages", "versions", "seed"} <= set(state)


def put_back(path: Path) -> None:
    """Undo a start that was killed while it set a former run aside: without a `run.json` there is no new run yet."""
    with suppress(OSError):  # what cannot be looked at cannot be put back; the checks that follow say why
        if (path / ".replaced").is_dir() and not (path / "run.json").exists():
            move_own(path / ".replaced", path)
            shutil.rmtree(path / ".replaced", ignore_errors=True)


@contextmanager
def tentative(path: Path, *, resume: bool) -> Iterator[None]:
    """The folder of a run, undone where the run stops before it has a result.

    A new run sets aside what it replaces (--overwrite). When it fails before it trained or measured anything, its folder is made
    what it was: gone, empty, or with the run that was to be replaced. A resumed run is never undone. Interrupted and WriteError
    are told whether anything was kept. The main process does all this; the others wait until the folder is there.
    """
    if not processes.is_main():
        processes.wait()
        yield
        return
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    aside = path / ".replaced"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        path.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        if not resume:
            move_own(path, aside)
    except OSError as error:
        raise RelconError(f"--output {path} cannot be written: {error.strerror}. Choose another folder.") from error
    processes.wait()
    try:
        yield
    except BaseException as error:
        kept = resume or has_results(path)
        if isinstance(error, (Interrupted, WriteError)):
            error.kept = kept
        if not kept:
            remove_own(path, keep=aside)
            move_own(aside, path)
            shutil.rmtree(aside, ignore_errors=True)
            for folder in made:
                folder.rmdir()
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def has_results(path: Path) -> bool:
    """Whether a run trained or measured anything that is worth keeping."""
    found = (file for name in ("log.jsonl", "metrics.json", "model.json") for file in path.rglob(name))
    return any(".replaced" not in file.relative_to(path).parts for file in found)


def move_own(source: Path, target: Path) -> None:
    """Move what belongs to a run into another folder."""
    for name in OWN:
        if (source / name).exists() and name != ".replaced":
            target.mkdir(exist_ok=True)
            (source / name).rename(target / name)


def remove_own(path: Path, keep: Path) -> None:
    """Delete what belongs to a run, `keep` excepted."""
    for name in OWN:
        if path / name != keep:
            remove(path / name)


def remove(path: Path) -> None:
    """Delete a file or a whole folder, where it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class Listener(Protocol):
    """Whoever hears what goes into a run's log."""

    def begin(self, stage: str, goes_on: bool) -> None:
        """A stage begins; goes_on: an interrupted attempt at the same work goes on."""

    def record(self, record: Mapping[str, Any]) -> None:
        """A line of the log."""


class RunFolder:
    """One run's folder. All writing of a run's records goes through here; of several processes the main one alone writes.

    path: the folder. part: its place below the folder of a protocol's run (`folds/fold_01`), "" where it is the whole run.
    `state` mirrors `run.json`; `listeners` hear of every stage that begins and every line of the log.
    """

    def __init__(self, path: Path, part: str = ""):
        self.path, self.part = path, part
        self.writes = processes.is_main()
        self.state: Dict[str, Any] = {}
        self.listeners: List[Listener] = []

    @classmethod
    def open(
        cls, path: Path, *, seed: int, resume: bool = False, about: Optional[Mapping[str, Any]] = None, part: str = ""
    ) -> "RunFolder":
        """Make or reopen the folder. about: further facts for `run.json` (data fingerprints).

        A reopened run has the facts of now; those that changed are kept under `resumed`, as they were before.
        """
        run = cls(path, part)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RelconError(f"--output {path} cannot be made: {error.strerror}.") from error
        facts = {**provenance(), "seed": seed, **(about or {})}
        if resume and (path / "run.json").exists():
            before = read_object(path / "run.json")
            changed = {key: before[key] for key, value in facts.items() if key in before and before[key] != value}
            resumed = [*before.get("resumed", []), {"time": now(), "before": changed, "stages": []}]
            run.state = {**before, **facts, "resumed": resumed}
        else:
            run.state = {"started": now(), **facts, "stages": {}, "test_reads": []}
        run.write_state()
        processes.wait()  # until all have read what was there
        return run

    def keep_only(self, stages: Mapping[str, str]) -> None:
        """Forget what the run no longer makes: stages that are not among these or had another fingerprint, and all that was made
        of them. What is done for good stays.

        stages: name -> fingerprint, of the stages that the run will have.
        """
        for name, stage in list(self.state["stages"].items()):
            if stage.get("fingerprint") != stages.get(name):
                del self.state["stages"][name]
                self.forget(self.stage_folder(name), self.path / "checkpoints" / name, self.path / "plots")
        self.forget(*(self.path / name for name in DERIVED))
        self.write_state()
        if any(stage.get("figures") for stage in self.state["stages"].values()):
            self.write_figures(self.state["stages"])

    def keep_runs(self, subfolders: Collection[str]) -> None:
        """Remove the folds and seeds below the folder that the run no longer has."""
        if not self.writes:
            return
        for folder in (each for name in REPEATS for each in (self.path / name).glob("*")):
            if folder.relative_to(self.path).as_posix() not in subfolders:
                remove(folder)
        for name in REPEATS:
            if (self.path / name).is_dir() and not any((self.path / name).iterdir()):
                (self.path / name).rmdir()

    # ---- stages ----

    def stage_folder(self, name: str) -> Path:
        """Where a stage keeps its results."""
        return self.path / "stages" / name

    def is_done(self, name: str, fingerprint: str) -> bool:
        """Whether the stage ended well with this very config and input."""
        stage = self.state["stages"].get(name, {})
        return stage.get("state") == "done" and stage.get("fingerprint") == fingerprint

    def go_back(self, done: Sequence[str]) -> None:
        """Forget what lies behind the stages that are done, but for the one that comes next: it may be gone on with, and what was
        made of another result is of no use."""
        former: List[str] = list(self.state["stages"])
        upcoming = [name for name in former if name not in done][:1]
        self.state["stages"] = {name: self.state["stages"][name] for name in [*done, *upcoming]}
        self.write_state()

    def start_stage(self, name: str, fingerprint: str) -> bool:
        """Note that a stage begins. True where an interrupted attempt with the same fingerprint left a checkpoint to go on from;
        otherwise what another attempt left behind is removed, and its lines of the log."""
        before, checkpoints = self.state["stages"].get(name, {}), self.path / "checkpoints" / name
        same = before.get("fingerprint") == fingerprint and before.get("state") == "running"
        goes_on = same and checkpoints.is_dir() and any(checkpoints.iterdir())
        if not goes_on:
            self.state["stages"].pop(name, None)
            self.cut_log(self.log_start())
            self.forget(self.stage_folder(name), checkpoints)
        found = before.get("found", {}) if goes_on else {}
        self.state["stages"][name] = {"state": "running", "fingerprint": fingerprint, "started": now(), "found": found}
        self.stage_folder(name).mkdir(parents=True, exist_ok=True)
        self.write_state()
        for listener in self.listeners:
            listener.begin(name, goes_on)
        return goes_on

    def find(self, stage: str, what: str, measure: Callable[[], int]) -> int:
        """What a stage measured of this machine, once: a resumed run goes on with the same number."""
        found = self.state["stages"].setdefault(stage, {}).setdefault("found", {})
        if what not in found:
            found[what] = measure()
            self.write_state()
        return found[what]

    def finish_stage(self, name: str, figures: Mapping[str, float], seconds: float) -> None:
        """Note that a stage ended well, and its figures in `metrics.json` and the log. The state comes last: whatever is cut short
        before it is done again."""
        self.log(event="final", stage=name, figures=dict(figures))
        stage = self.state["stages"][name]
        self.write_figures({**self.state["stages"], name: {**stage, "figures": dict(figures)}})
        stage.update(state="done", seconds=round(seconds, 2), figures=dict(figures), log=self.log_length())
        self.state["peak_memory_bytes"] = peak_memory()
        self.write_state()

    def write_figures(self, stages: Mapping[str, Any]) -> None:
        """Bring `metrics.json` up to date."""
        if not self.writes:
            return
        write_json(self.path / "metrics.json", {each: stage["figures"] for each, stage in stages.items() if stage.get("figures")})

    def figures(self, name: str) -> Dict[str, float]:
        """What a finished stage measured."""
        return self.state["stages"][name]["figures"]

    # ---- records ----

    def note(self, messages: Sequence[str]) -> None:
        """Keep what components said, each message once."""
        self.state["notes"] = list(dict.fromkeys([*self.state.get("notes", []), *messages]))
        self.write_state()

    def note_test_read(self, stage: str, model: str, fingerprint: str) -> None:
        """Every look at the test split is listed, with the fingerprint of the model that looked."""
        self.state["test_reads"].append({"time": now(), "stage": stage, "model": model, "fingerprint": fingerprint})
        self.write_state()

    def log(self, **record: Any) -> None:
        """One line of `log.jsonl`, which every listener (a tracker) hears of."""
        if not self.writes:
            return
        append_jsonl(self.path / "log.jsonl", {"time": round(time.time(), 3), **record})
        for listener in self.listeners:
            listener.record(record)

    def log_length(self) -> int:
        """The length of `log.jsonl` in bytes."""
        return size(self.path / "log.jsonl")

    def log_start(self) -> int:
        """How long `log.jsonl` was when the last of the finished stages ended."""
        done = [stage for stage in self.state["stages"].values() if stage.get("state") == "done"]
        return max((stage.get("log", self.log_length()) for stage in done), default=0)

    def cut_log(self, length: int) -> None:
        """Take away the lines of steps that will be done again."""
        if self.writes:
            cut(self.path / "log.jsonl", length)

    def note_resumed(self, stage: str, checkpoint: Optional[str], damaged: Sequence[str]) -> None:
        """List from where a stage was gone on with (None: from its start), and checkpoints that could not be used."""
        if self.state.get("resumed"):
            self.state["resumed"][-1]["stages"].append({"stage": stage, "checkpoint": checkpoint, "damaged": list(damaged)})
            self.write_state()

    def write_state(self) -> None:
        """Bring `run.json` up to date."""
        if self.writes:
            write_json(self.path / "run.json", self.state)

    def forget(self, *paths: Path) -> None:
        """Delete files and folders of the run."""
        if self.writes:
            for path in paths:
                remove(path)
