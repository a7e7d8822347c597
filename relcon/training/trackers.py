"""Trackers by name: what the run's log says goes to TensorBoard and its like as well, as scalars `STAGE/KEY`."""

import hashlib
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Dict, Iterator, List, Mapping, Optional, Set, Tuple

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker, get_available_trackers

from relcon.errors import RelconError
from relcon.files import read_json, read_jsonl, write_json
from relcon.runs import RunFolder
from relcon.settings import Training
from relcon.training.device import accelerator_for

FOLDER = "trackers"
"""Below a run's folder: files of the trackers, and `places.json`, where each stage begins among their steps."""

PACKAGES = {"comet_ml": "comet-ml", "tensorboard": "relcon[tensorboard]"}
"""What to install for a tracker, where it has another name."""


def require_trackers(settings: Training) -> None:
    """RelconError where a tracker's package is not installed."""
    there = {str(name) for name in get_available_trackers()}
    for name in settings.trackers:
        if name not in LOGGER_TYPE_TO_CLASS:
            here = f"accelerate {version('accelerate')}"
            raise RelconError(f"[training] trackers: {here} does not know '{name}'. Install a newer accelerate.")
        if name not in there:
            raise RelconError(f"[training] trackers: '{name}' is not installed. Install it with: pip install {PACKAGES.get(name, name)}")


@contextmanager
def tracking(run: RunFolder, settings: Training, config: Mapping[str, Any]) -> Iterator[None]:
    """While this lasts, everything in the run's log goes to the configured trackers, each with a run of its own for this folder.

    config: what the trackers show beside the figures. In other than the main process nothing is tracked.
    """
    if not (settings.trackers and run.writes):
        yield
        return
    accelerator_for(settings)  # trackers ask accelerate which process this is, which must not settle on another device for good
    trackers = [opened(name, run) for name in dict.fromkeys(settings.trackers)]
    listener = Tracked(run, trackers)
    for tracker in trackers:
        if tracker.name != "tensorboard" and not listener.resumed:  # TensorBoard would show them as a second, empty run
            tracker.store_init_configuration(flat(config))
    run.listeners.append(listener)
    try:
        yield
    finally:
        run.listeners.remove(listener)
        for tracker in trackers:
            tracker.finish()


def opened(name: str, run: RunFolder) -> GeneralTracker:
    """One of accelerate's trackers, started for a run. What it writes to disk lies in the run's folder as far as it lets us say so."""
    folder = run.path / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    title = "/".join(run.path.absolute().parts[-3:] if run.part else run.path.absolute().parts[-1:])
    arguments: Dict[str, Dict[str, Any]] = {
        "wandb": {"name": title, "dir": str(folder), "id": identity(run), "resume": "allow"},
        "mlflow": {"run_name": title},
    }
    kind = LOGGER_TYPE_TO_CLASS[name]
    if kind.requires_logging_directory:
        tracker = kind(name, logging_dir=str(folder), **arguments.get(name, {}))
    else:
        tracker = kind("relcon", **arguments.get(name, {}))
    if hasattr(tracker, "start"):  # before accelerate 1.9 they start when they are made
        tracker.start()
    return tracker


def identity(run: RunFolder) -> str:
    """A name for this run and no other, the same when it is resumed."""
    return hashlib.sha256(f"{run.path.absolute()} {run.state.get('started')}".encode()).hexdigest()[:16]


class Tracked:
    """Passes records of a run's log on to trackers.

    Their steps count optimizer steps over all stages, so that they grow from stage to stage: a stage begins where the one before
    it ended. A resumed run goes on there; what a record of the same step of the same attempt said already is not said again.
    """

    def __init__(self, run: RunFolder, trackers: List[GeneralTracker]):
        self.run, self.trackers = run, trackers
        self.file = run.path / FOLDER / "places.json"
        self.resumed = self.file.exists()
        self.places: Dict[str, Dict[str, int]] = read_json(self.file) if self.resumed else {}
        self.last = 0
        self.seen: Set[Tuple[Any, ...]] = set()
        for number, record in enumerate(self.lines()):
            self.note(number, record)

    def lines(self) -> List[Dict[str, Any]]:
        """What the log holds so far."""
        return read_jsonl(self.run.path / "log.jsonl") if (self.run.path / "log.jsonl").exists() else []

    def begin(self, stage: str, goes_on: bool) -> None:
        """A stage begins; goes_on: it is an interrupted attempt that goes on."""
        if not goes_on or stage not in self.places:
            self.places[stage] = {"step": self.last, "line": len(self.lines())}
            self.seen = {each for each in self.seen if each[0] != stage}
            write_json(self.file, self.places)

    def record(self, record: Mapping[str, Any]) -> None:
        """A line of the log."""
        step = self.note(-1, record)
        if step is not None:
            for tracker in self.trackers:
                tracker.log(scalars(record), step=step)

    def note(self, line: int, record: Mapping[str, Any]) -> Optional[int]:
        """The step of a record in the trackers; None where it was said before, or is of no stage. line: of a log written earlier."""
        place = self.places.get(str(record.get("stage")))
        if place is None or 0 <= line < place["line"]:
            return None
        key = tuple(record.get(name) for name in ("stage", "event", "step", "epoch"))
        step = max(self.last, place["step"] + int(record.get("step", 0)))
        self.last = step
        if key in self.seen:
            return None
        self.seen.add(key)
        return step


def scalars(record: Mapping[str, Any]) -> Dict[str, float]:
    """The numbers of a record, named `STAGE/KEY`; those of other events than a step `STAGE/EVENT.KEY`, of a phase `STAGE/PHASE.KEY`."""
    names = [record.get("phase"), None if record["event"] == "step" else record["event"]]
    prefix = "".join(f"{name}." for name in names if name)
    return {
        f"{record['stage']}/{prefix}{key}": value
        for key, value in flat({key: value for key, value in record.items() if key not in ("stage", "event", "time")}).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def flat(tree: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    """Sections as one level of names (`training.seed`); lists as text."""
    found: Dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = str(value) if isinstance(value, (list, tuple)) else value
    return found
