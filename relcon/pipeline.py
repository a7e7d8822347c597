"""From a config to a run: read the data, go through the stages, once or as often as the protocol says."""

import hashlib
import json
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon import processes
from relcon.checking import require_sound
from relcon.config import LoadedConfig, resolve
from relcon.errors import Interrupted, WriteError
from relcon.evaluators.pooled import pooled_stages
from relcon.files import link, link_tree, write_json
from relcon.interfaces import Artifacts, Corpus, Protocol, Stage
from relcon.model import SavedModel
from relcon.notes import Notes, noted
from relcon.protocols import Single
from relcon.runs import RunFolder, check_output, put_back, tentative
from relcon.settings import BOOKKEEPING, Training
from relcon.stages.context import StageContext
from relcon.stages.evaluate import Evaluate
from relcon.statistics import Estimate, estimates
from relcon.training.checkpoint import newest_checkpoint
from relcon.training.device import join_processes, require_device
from relcon.training.seeding import seed_torch
from relcon.training.trackers import require_trackers, tracking


@dataclass
class RunSummary:
    """What a run came to.

    folder: where it lies. figures: stage -> figure -> value, of each single run by its subfolder ("" for the only one).
    headlines: evaluation stage -> the figures that a table should show. estimates: over the runs of a protocol, else empty.
    """

    folder: Path
    figures: Dict[str, Dict[str, Dict[str, float]]] = field(default_factory=dict)
    headlines: Dict[str, List[str]] = field(default_factory=dict)
    estimates: Dict[str, Dict[str, Estimate]] = field(default_factory=dict)


def train(loaded: LoadedConfig, output: Path, *, resume: bool = False, overwrite: bool = False) -> RunSummary:
    """Run every stage of a config, once per run of its protocol.

    Everything that can be known to be wrong is said before the folder is touched: ConfigError with all mistakes of the config,
    DataError with those of the data, RelconError where `output` holds something else or a stage cannot be built. A run that
    fails before it trained or measured anything leaves nothing behind.

    Started by `torchrun` or `accelerate launch`, several processes share the work; the main one alone writes.
    """
    require_sound(loaded)
    join_processes(Training.of(loaded.tree["training"]))
    with noted() as notes:
        ready = prepare(loaded, lambda: processes.on_main(lambda: make_place(output, resume, overwrite)))
        return run_all(loaded, ready, output, notes, resume)


def run_all(loaded: LoadedConfig, ready: "Ready", output: Path, notes: Notes, resume: bool) -> RunSummary:
    """All runs of the protocol, and what they come to. notes: what components said of the data, and will say."""
    settings, corpus, runs = ready
    summary = RunSummary(output)
    with tentative(output, resume=resume):
        top = RunFolder.open(output, seed=settings.seed, resume=resume, about={"data": corpus.fingerprints()})
        notes.kept_by(top.note)
        if top.writes:
            loaded.save(output / "config.cfg")
            loaded.save_as_written(output / "config.as-written.cfg")
        top.keep_runs([subfolder for subfolder, _, _ in runs])
        if any(subfolder for subfolder, _, _ in runs):
            top.keep_only({})
        for subfolder, part, seed in runs:
            run = RunFolder.open(output / subfolder, seed=seed, resume=resume, part=subfolder) if subfolder else top
            with tracking(run, settings, loaded.tree):
                Pipeline(loaded, settings, part, run, seed).go(summary, subfolder)
    if not top.writes:
        return summary
    if len(runs) > 1:
        summarise(top, summary)
    elif top.path / runs[0][0] != top.path:
        write_json(top.path / "metrics.json", summary.figures[runs[0][0]])
    return summary


def make_place(output: Path, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that holds something else; what a killed --overwrite left half done is put back first."""
    put_back(output)
    check_output(output, resume=resume, overwrite=overwrite)


class Ready(NamedTuple):
    """What a run needs, checked: the settings, the data, and the runs of the protocol (subfolder, corpus, seed)."""

    settings: Training
    corpus: Corpus
    runs: List[Tuple[str, Corpus, int]]


def prepare(loaded: LoadedConfig, check_place: Callable[[], None] = lambda: None) -> Ready:
    """Find everything that can be known to be wrong before anything is written; errors as of `train`.

    check_place: looks at where the run is to lie, before the data are read.
    """
    require_sound(loaded)
    check_place()
    settings = Training.of(loaded.tree["training"])
    require_device(settings)
    require_trackers(settings)
    corpus = processes.main_first(lambda: read_corpus(loaded))
    protocol: Protocol = resolve(loaded.tree["protocol"], "[protocol]") if loaded.tree.get("protocol") else Single()
    runs = list(protocol.runs(corpus, settings.seed))
    rehearse(loaded, [part for _, part, _ in runs])
    return Ready(settings, corpus, runs)


def rehearse(loaded: LoadedConfig, corpora: Sequence[Corpus]) -> None:
    """Build every stage once and let it look at the data, so that a missing encoder or split is said before the first stage
    runs, not hours later."""
    for name, block in loaded.tree["stages"].items():
        stage: Stage = resolve(dict(block), f"[stages.{name}]")
        for corpus in corpora:
            stage.check(corpus, f"[stages.{name}]")


def read_corpus(loaded: LoadedConfig) -> Corpus:
    """The data, all splits read, so that a bad record stops the run before it starts."""
    corpus: Corpus = resolve(loaded.tree["data"], "[data]")
    for name in corpus.splits():
        corpus.split(name)
    return corpus


class Pipeline:
    """The stages of one run, one after the other.

    A stage is built only when its turn comes, seeded by its name, and skipped where the run already holds its result for this
    very config and input.
    """

    def __init__(self, loaded: LoadedConfig, settings: Training, corpus: Corpus, run: RunFolder, seed: int):
        self.loaded, self.settings, self.corpus, self.run, self.seed = loaded, settings, corpus, run, seed
        self.artifacts: Dict[str, Artifacts] = {}

    def go(self, summary: RunSummary, subfolder: str) -> None:
        """Run all stages and note their figures."""
        fingerprints = self.fingerprints()
        self.run.keep_only(fingerprints)
        done = list(takewhile(lambda name: self.run.is_done(name, fingerprints[name]), fingerprints))
        self.run.go_back(done)
        for name, block in self.loaded.tree["stages"].items():
            stage = self.build(name, block)
            if isinstance(stage, Evaluate):
                summary.headlines[name] = list(stage.headline().values())
            if name in done:
                self.artifacts[name] = Artifacts(self.run.stage_folder(name), self.run.figures(name))
            else:
                with self.told(name):
                    self.stage(name, block, stage, fingerprints[name])
            self.run.forget(self.run.path / "checkpoints" / name)
        if self.run.writes:
            publish(self.run, self.loaded.tree["stages"])
        summary.figures[subfolder] = {name: dict(artifacts.figures) for name, artifacts in self.artifacts.items()}

    def stage(self, name: str, block: Mapping[str, Any], stage: Stage, fingerprint: str) -> None:
        """Run one stage."""
        began = time.perf_counter()
        goes_on = self.run.start_stage(name, fingerprint)
        self.artifacts[name] = stage.run(self.context(name, block, goes_on))
        self.run.finish_stage(name, self.artifacts[name].figures, time.perf_counter() - began)

    def context(self, name: str, block: Mapping[str, Any], goes_on: bool = False) -> StageContext:
        """What a stage gets to work with."""
        return StageContext(
            name,
            self.run,
            self.corpus,
            self.settings,
            self.seed,
            block,
            self.loaded.tree,
            dict(self.artifacts),
            rebuild=lambda: self.build(name, block),
            goes_on=goes_on,
            log_start=self.run.log_start(),
        )
    @contextmanager
    def told(self, name: str) -> Iterator[None]:
        """An interruption says in which stage it came; a full disk, what is kept."""
        try:
            yield
        except Interrupted as left:
            left.place = left.place or f"in stage {name}"
            raise
        except WriteError as error:
            raise WriteError(f"{error} {self.kept(name)}") from error

    def kept(self, name: str) -> str:
        """What is left of a run whose stage cannot go on."""
        folders = [self.run.path / "checkpoints" / name, *(self.run.path / "checkpoints" / name).glob("snapshot_*")]
        newest = [path for path in map(newest_checkpoint, folders) if path is not None]
        kept = [f"stage {each}" for each in self.artifacts if each != name] + [f"checkpoint {path}" for path in newest[-1:]]
        return f"Kept: {', '.join(kept)}." if kept else "Nothing had been kept yet."


    def build(self, name: str, block: Mapping[str, Any]) -> Stage:
        """A fresh stage, its initial weights drawn from the run's seed and its name."""
        seed_torch(self.seed, name, "build")
        stage: Stage = resolve(dict(block), f"[stages.{name}]")
        return stage

    def fingerprints(self) -> Dict[str, str]:
        """Stage -> a hash of all that its result depends on: data, settings, seed, its block and those of the stages before it."""
        settings = {key: value for key, value in asdict(self.settings).items() if key not in BOOKKEEPING}
        found, so_far = {}, self.fingerprint("", self.loaded.tree["data"], settings, self.seed, self.corpus.fingerprints())
        for name, block in self.loaded.tree["stages"].items():
            found[name] = so_far = self.fingerprint(so_far, name, block)
        return found

    @staticmethod
    def fingerprint(*parts: Any) -> str:
        """A hash that changes with the config and the input of a stage."""
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def publish(run: RunFolder, stages: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the last model that predicts under `model/` and the last predictions beside it, where people look for them.

    Of several evaluators that write predictions the first one in the config counts.
    """
    for name in reversed(list(stages)):
        model = run.stage_folder(name) / "model"
        if (model / "model.json").exists() and SavedModel(model).predicts:
            link_tree(model, run.path / "model")
            break
    written = [run.stage_folder(name) / evaluator for name in reversed(list(stages)) for evaluator in stages[name].get("evaluators", {})]
    for folder in [folder for folder in written if (folder / "predictions.jsonl").exists()][:1]:
        for name in ("predictions.jsonl", "scores.json"):
            link(folder / name, run.path / name)


def summarise(top: RunFolder, summary: RunSummary) -> None:
    """Mean, standard deviation, interval and sum of every figure over the runs, into the top folder's `metrics.json`; and into
    `pooled.json` the figures of all folds' predictions together, where no instance is tested twice."""
    stages: Dict[str, List[Dict[str, float]]] = {}
    for figures in summary.figures.values():
        for stage, values in figures.items():
            stages.setdefault(stage, []).append(values)
    summary.estimates = {stage: estimates(values) for stage, values in stages.items()}
    write_json(
        top.path / "metrics.json",
        {stage: {name: estimate._asdict() for name, estimate in values.items()} for stage, values in summary.estimates.items()},
    )
    together = pooled_stages([top.path / subfolder for subfolder in summary.figures], list(summary.headlines))
    if together:
        write_json(top.path / "pooled.json", together)


def headline_rows(summary: RunSummary) -> List[Dict[str, Any]]:
    """One row per evaluation stage: its name and headline figures, as `mean ± half interval` over several runs."""
    rows = []
    for stage, names in summary.headlines.items():
        row: Dict[str, Any] = {"stage": stage}
        for name in names:
            row[name] = headline(summary, stage, name)
        rows.append(row)
    return rows


def headline(summary: RunSummary, stage: str, name: str) -> Optional[str]:
    """One figure for the table."""
    if summary.estimates:
        estimate = summary.estimates[stage].get(name)
        return None if estimate is None else f"{estimate.mean:.4f} ± {(estimate.high - estimate.low) / 2:.4f}"
    (figures,) = summary.figures.values()
    return f"{figures[stage][name]:.4f}" if name in figures[stage] else None
