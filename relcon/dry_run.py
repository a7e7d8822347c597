"""`relcon train --dry-run`: the stages of a run, walked through in a temporary folder with a few steps each."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable, Set

from relcon.config import LoadedConfig
from relcon.errors import RelconError
from relcon.interfaces import Artifacts
from relcon.pipeline import Pipeline, prepare
from relcon.plans import Plan, StagePlan
from relcon.runs import RunFolder
from relcon.training.device import accelerator_for


def dry_run(loaded: LoadedConfig, check_place: Callable[[], None] = lambda: None) -> Plan:
    """What `train` would do with this config, and an estimate of time and memory from a few real steps of every stage.

    Everything that `train` checks is checked, and all data are read; errors as of `train`. Stages hand on through a temporary
    folder; nothing else is written but the cache of read and parsed documents, which `train` then finds. Under a protocol the first
    run is walked through.
    check_place: looks at where the run is to lie.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="relcon-dry-run-") as folder:
        ready = prepare(loaded, check_place)
        settings = replace(ready.settings, trackers=[])
        _, corpus, seed = ready.runs[0]
        device = str(accelerator_for(settings).device)
        plan = Plan([subfolder for subfolder, _, _ in ready.runs], device, time.perf_counter() - began)
        walk = Walk(Pipeline(loaded, settings, corpus, RunFolder.open(Path(folder), seed=seed), seed))
        for name in loaded.tree["stages"]:
            plan.stages[name] = walk.stage(name)
    return plan


class Walk:
    """One walk through the stages. silent: those that could not be planned, so that nothing can be had from them."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline = pipeline
        self.silent: Set[str] = set()

    def stage(self, name: str) -> StagePlan:
        """The plan of a stage; without an estimate where it cannot say, or needs what such a stage hands on."""
        block = self.pipeline.loaded.tree["stages"][name]
        stage = self.pipeline.build(name, block)
        note = "not measured: this kind of stage does not say what it would do"
        try:
            found = stage.plan(self.pipeline.context(name, block))
        except RelconError:
            if not self.silent:
                raise
            found, note = None, f"not measured: it may need what {' or '.join(sorted(self.silent))} hands on"
        if found is None:
            self.silent.add(name)
            return StagePlan(block["@stages"], notes=[note])
        self.pipeline.artifacts[name] = Artifacts(self.pipeline.run.stage_folder(name), found.figures)
        return found
