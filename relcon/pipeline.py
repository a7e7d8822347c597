"""From a config to a run: read the data, go through the stages, once or as often as the protocol says."""

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon.checking import require_sound
from relcon.config import LoadedConfig, resolve
from relcon.evaluators.pooled import pooled_stages
from relcon.files import write_json
from relcon.interfaces import Artifacts, Corpus, Protocol, Stage
from relcon.protocols import Single
from relcon.runs import RunFolder, check_output, tentative
from relcon.settings import Training
from relcon.stages.context import StageContext
from relcon.stages.evaluate import Evaluate
from relcon.statistics import Estimate, estimates
from relcon.training.device import require_device
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
    """
    ready = prepare(loaded, lambda: check_output(output, resume=resume, overwrite=overwrite))
    settings, corpus, runs = ready.settings, ready.corpus, ready.runs
    summary = RunSummary(output)
    with tentative(output, resume=resume):
        top = RunFolder.open(output, seed=settings.seed, resume=resume, about={"data": corpus.fingerprints()})
        loaded.save(output / "config.cfg")
        loaded.save_as_written(output / "config.as-written.cfg")
        for subfolder, part, seed in runs:
            run = RunFolder.open(output / subfolder, seed=seed, resume=resume, part=subfolder) if subfolder else top
            with tracking(run, settings, loaded.tree):
                Pipeline(loaded, settings, part, run, seed).go(summary, subfolder)
    if len(runs) > 1:
        summarise(top, summary)
    elif top.path / runs[0][0] != top.path:
        write_json(top.path / "metrics.json", summary.figures[runs[0][0]])
    return summary


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
    corpus = read_corpus(loaded)
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
        computed = {key: value for key, value in self.loaded.tree["training"].items() if key != "trackers"}
        fingerprint = self.fingerprint("", self.loaded.tree["data"], computed, self.seed, self.corpus.fingerprints())
        for name, block in self.loaded.tree["stages"].items():
            fingerprint = self.fingerprint(fingerprint, name, block)
            stage = self.build(name, block)
            if isinstance(stage, Evaluate):
                summary.headlines[name] = list(stage.headline().values())
            if self.run.is_done(name, fingerprint):
                self.artifacts[name] = Artifacts(self.run.stage_folder(name), self.run.figures(name))
            else:
                self.stage(name, block, stage, fingerprint)
        publish(self.run, self.loaded.tree["stages"])
        summary.figures[subfolder] = {name: dict(artifacts.figures) for name, artifacts in self.artifacts.items()}

    def stage(self, name: str, block: Mapping[str, Any], stage: Stage, fingerprint: str) -> None:
        """Run one stage."""
        began = time.perf_counter()
        goes_on = self.run.start_stage(name, fingerprint)
        self.artifacts[name] = stage.run(self.context(name, block, goes_on))
        self.run.finish_stage(name, self.artifacts[name].figures, time.perf_counter() - began)
        shutil.rmtree(self.run.path / "checkpoints" / name, ignore_errors=True)

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
        )

    def build(self, name: str, block: Mapping[str, Any]) -> Stage:
        """A fresh stage, its initial weights drawn from the run's seed and its name."""
        seed_torch(self.seed, name, "build")
        stage: Stage = resolve(dict(block), f"[stages.{name}]")
        return stage

    @staticmethod
    def fingerprint(*parts: Any) -> str:
        """A hash that changes with the config and the input of a stage."""
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def publish(run: RunFolder, stages: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the last classifier under `model/` and the last predictions beside it, where people look for them.

    Of several evaluators that write predictions the first one in the config counts. Files are linked, not copied, where the file
    system allows it.
    """
    for name in reversed(list(stages)):
        if stages[name].get("classifier"):
            link_tree(run.stage_folder(name) / "model", run.path / "model")
            break
    written = [run.stage_folder(name) / evaluator for name in reversed(list(stages)) for evaluator in stages[name].get("evaluators", {})]
    for folder in [folder for folder in written if (folder / "predictions.jsonl").exists()][:1]:
        for name in ("predictions.jsonl", "scores.json"):
            link(folder / name, run.path / name)


def link_tree(source: Path, target: Path) -> None:
    """The same files under another folder."""
    shutil.rmtree(target, ignore_errors=True)
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        link(file, target / file.relative_to(source))


def link(source: Path, target: Path) -> None:
    """The same file under another name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another device, or a file system without hard links
        shutil.copy2(source, target)


def summarise(top: RunFolder, summary: RunSummary) -> None:
    """Mean, standard deviation and interval of every figure over the runs, into the top folder's `metrics.json`; and into
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
