"""Checks for components that training is made of: tasks, towers, optimizers, schedules, protocols, stages."""

import copy
import math
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterable, List, Mapping, NamedTuple, Optional, Sequence
from unittest import mock

import torch
from torch import Tensor, nn

from relcon.components import component_of
from relcon.config import LoadedConfig
from relcon.contrast import Batch, Contrast, View
from relcon.data.labels import LabelSet
from relcon.dry_run import dry_run
from relcon.encoding import encode, step
from relcon.errors import Interrupted, RelconError
from relcon.files import read_json, read_jsonl
from relcon.interfaces import Corpus, OptimizerPlan, Parts, Pooler, Protocol, Schedule, Task, Tower, TowerPlan
from relcon.pipeline import train
from relcon.poolers.sentence import CLS
from relcon.poolers.spans import SpanPool
from relcon.renderers.markers import EntityMarkers
from relcon.runs import RunFolder
from relcon.testing.corpora import LABELS, tiny_instances
from relcon.testing.encoders import tiny_encoder
from relcon.testing.learning import Pull, check_step, ring
from relcon.testing.promises import check_reached, check_state, expect, other_global_randomness, same_figures, same_tensors
from relcon.towers import HeadedTower

SIGTERM = 15


def tiny_parts(labels: LabelSet = LABELS, tokens: Sequence[str] = (), **poolers: Pooler) -> Parts:
    """What the tasks of a stage share, made anew: the encoder `text`, the poolers `sentence` (its first state) and `pair` (two slots).

    labels: those of the tiny corpus unless given. tokens: that the encoder's vocabulary shall hold whole. poolers: further ones by name.
    """
    encoder = tiny_encoder()
    encoder.add_tokens(tokens)
    return Parts({"text": encoder}, {"sentence": CLS(), "pair": SpanPool(), **poolers}, labels)


# ---- tasks and towers ----------------------------------------------------------------------------------------------------


def check_task(make: Callable[[], Task], batch: Batch, parts: Optional[Callable[[], Parts]] = None, tokens: int = 16) -> None:
    """A step with gradient caching is the plain one; the gradient reaches every trainable parameter of the task's own; a task built anew
    from a state dict goes on exactly as the one that it was taken of; losses and figures are finite.

    make: builds the task, as a config would. batch: of the stream that it reads. parts: makes what it is built over (`tiny_parts`
    unless given), each time with the same names. tokens: positions per forward of a cached step.
    """
    parts = parts or (lambda: tiny_parts(tokens=make().special_tokens(LABELS)))
    there = parts()
    task = _built(make, there)
    expect(task.reads in batch, f"the task reads '{task.reads}', and the batch has {sorted(batch)}")
    check_step({"task": task}, batch, tokens)
    loss = step({"task": task}, batch).loss
    expect(math.isfinite(loss), f"the loss is {loss}")
    _check_own(task, there)
    task.zero_grad()
    task.after_step()
    for name, figure in task.figures().items():
        expect(math.isfinite(figure), f"the figure '{name}' is {figure}")
    _check_goes_on(make, parts, batch)


def _built(make: Callable[[], Task], parts: Parts, seed: int = 0) -> Task:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        task = make()
        task.build(parts)
    return task.train()


def _check_own(task: Task, parts: Parts) -> None:
    """Gradients of what is in no encoder and no pooler; which of their states are used, the stage's other tasks say as well."""
    modules: List[nn.Module] = [*parts.encoders.values(), *parts.poolers.values()]
    shared = {id(weight) for module in modules for weight in module.parameters()}
    own = {name: weight for name, weight in task.named_parameters() if id(weight) not in shared and weight.requires_grad}
    missed = [name for name, weight in own.items() if weight.grad is None]
    expect(not missed, f"no gradient reaches {missed[:3]} of the task: freeze what is not used, or use it")


def _check_goes_on(make: Callable[[], Task], parts: Callable[[], Parts], batch: Batch) -> None:
    first, second = _built(make, parts()), _built(make, parts(), seed=1)
    plans = [torch.optim.SGD((weight for weight in task.parameters() if weight.requires_grad), lr=0.01) for task in (first, second)]
    _losses(first, plans[0], batch, range(2))
    check_state(first, second, "the task")
    whole, resumed = (_losses(task, optimizer, batch, range(2, 4)) for task, optimizer in zip((first, second), plans, strict=True))
    advice = "keep in buffers what it needs"
    expect(whole == resumed, f"a task with the state of another goes on differently ({resumed}, not {whole}): {advice}")


def _losses(task: Task, optimizer: torch.optim.Optimizer, batch: Batch, numbers: Sequence[int]) -> List[float]:
    """The losses of some steps, each with randomness of its own."""
    losses = []
    for number in numbers:
        with torch.random.fork_rng():
            torch.manual_seed(number)
            losses.append(step({"task": task}, batch).loss)
        optimizer.step()
        optimizer.zero_grad()
        task.after_step()
    return losses


def check_tower(make: Callable[[], TowerPlan], parts: Callable[[], Parts], views: Optional[Sequence[View]] = None) -> None:
    """Finite vectors, one per view, of as many classes where these are asked for; a gradient for every trainable parameter in front of
    them; the same vectors from a tower with its state dict. One that follows another trains nothing of itself.

    make: builds the plan, as a config would. parts: makes the encoders and poolers that it names. views: pairs of the tiny corpus, marked,
    unless given.
    """
    plan = make()
    views = views or EntityMarkers()(tiny_instances(4))
    if plan.follows is not None:
        _check_follower(plan, parts(), views)
        return
    tower = plan.build(parts(), out=3).train()
    expect(_vectors(tower, views).shape == (len(views), 3), f"with out = 3 the tower gives {tuple(_vectors(tower, views).shape)}")
    step({"task": Pull(tower)}, {"value": Contrast(list(views), ring(len(views)))})
    check_reached(nn.ModuleList(part for part in (tower.pooler, tower.head) if part is not None), "the tower")
    twin = make().build(parts(), out=3)
    check_state(tower, twin, "the tower")
    expect(same_tensors(_vectors(twin, views), _vectors(tower, views)), "a tower with the state dict of another gives other vectors")


def _vectors(tower: Tower, views: Sequence[View]) -> Tensor:
    vectors = encode(tower, views)[0]
    expect(bool(torch.isfinite(vectors).all()), "the vectors of the tower are not finite")
    return vectors


def _check_follower(plan: TowerPlan, parts: Parts, views: Sequence[View]) -> None:
    other = HeadedTower("text", "pair").build(parts)
    tower = plan.build_beside(parts, other)
    expect(not any(weight.requires_grad for weight in tower.parameters()), "a tower that follows another must train nothing of itself")
    expect(parts.copies, "a tower that follows another adds its copies to the stage's parts")
    expect(same_tensors(_vectors(tower, views), _vectors(other, views)), "a tower that follows another must begin as its copy")
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(0.1 * torch.ones_like(weight))
    before = _vectors(tower, views)
    tower.after_step()
    expect(not same_tensors(before, _vectors(tower, views)), "a tower that follows another did not follow it after a step")


# ---- optimizers, schedules, protocols ------------------------------------------------------------------------------------


def check_optimizer(plan: OptimizerPlan) -> None:
    """Every trainable parameter once, no frozen one; steps that lower a loss; one with the state dict of another goes on as that; a module
    that trains nothing is refused."""
    module = _Module()
    optimizer = plan.build(module)
    held = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    trainable = {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
    expect(len(set(held)) == len(held), "a parameter is in the optimizer twice")
    expect({id(weight) for weight in trainable.values()} == set(held), "the optimizer must hold all trainable parameters, and no others")
    losses = [_descend(module, optimizer) for _ in range(20)]
    expect(losses[-1] < losses[0], f"20 steps took the loss from {losses[0]:.4f} to {losses[-1]:.4f}")
    twin = _Module()
    twin.load_state_dict(module.state_dict())
    resumed = plan.build(twin)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    whole, gone_on = ([_descend(*each) for _ in range(3)] for each in ((module, optimizer), (twin, resumed)))
    expect(whole == gone_on, f"an optimizer with the state of another goes on differently: {gone_on}, not {whole}")
    for weight in module.parameters():
        weight.requires_grad_(False)
    try:
        plan.build(module)
    except RelconError:
        return
    raise AssertionError("a module that trains nothing was given an optimizer: raise RelconError")


class _Module(nn.Module):
    """An encoder whose first layer is frozen, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = tiny_encoder(freeze_layers=1), nn.Linear(32, 1)
        with torch.no_grad():
            self.head.weight.copy_(torch.linspace(-1, 1, 32)[None])
            self.head.bias.zero_()


def _descend(module: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    """A step against the square of all trainable weights."""
    loss = torch.stack([weight.pow(2).sum() for weight in module.parameters() if weight.requires_grad]).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


def check_schedule(schedule: Schedule) -> None:
    """A finite factor of at least 0 for every step, the same each time, and above 0 for some."""
    for steps in (1, 2, 10, 1000):
        factors = [schedule.factor(number, steps) for number in range(steps)]
        expect(all(math.isfinite(factor) and factor >= 0 for factor in factors), f"a factor for {steps} steps is negative or not finite")
        expect(any(factor > 0 for factor in factors) or steps < 3, f"the rate is 0 in all of {steps} steps")
        expect([schedule.factor(number, steps) for number in range(steps)] == factors, "the same step had two factors")


def check_protocol(make: Callable[[], Protocol], corpus: Corpus) -> None:
    """Runs in folders of their own below that of the run; a corpus that can be trained on, no instance of which is in two splits; the same
    each time, whatever the global random streams give; the corpus is left as it was.

    make: builds the protocol, as a config would. corpus: one that it can work with.
    """
    before = corpus.fingerprints()
    with other_global_randomness():
        runs = list(make().runs(corpus, 7))
    expect(runs, "the protocol makes no run")
    folders = [folder for folder, _, _ in runs]
    expect(len(set(folders)) == len(folders), f"two runs have the same folder: {folders}")
    below = all(not Path(folder).is_absolute() and ".." not in Path(folder).parts for folder in folders)
    expect(below and (len(folders) == 1 or "" not in folders), f"the folders of the runs must lie below that of the run: {folders}")
    for folder, part, seed in runs:
        expect(type(seed) is int, f"the seed of run '{folder}' is {seed!r}")
        expect("train" in part.splits(), f"the corpus of run '{folder}' has no train split")
        _check_apart(folder, part)
    again = [(folder, part.fingerprints(), seed) for folder, part, seed in make().runs(corpus, 7)]
    expect(again == [(folder, part.fingerprints(), seed) for folder, part, seed in runs], "two calls gave different runs")
    expect(corpus.fingerprints() == before, "the protocol changed the corpus")


def _check_apart(folder: str, corpus: Corpus) -> None:
    seen: Mapping[Any, str] = {}
    for name in corpus.splits():
        keys = {(id(each.document), each.head, each.tail) for each in corpus.split(name).instances}
        shared = [seen[key] for key in keys if key in seen]
        expect(not shared, f"run '{folder}' has an instance in '{name}' and in '{(shared or [''])[0]}'")
        seen = {**seen, **dict.fromkeys(keys, name)}


# ---- stages --------------------------------------------------------------------------------------------------------------


class _Ran(NamedTuple):
    """What came of a run. figures: by stage. files: what the stages wrote, by path."""

    figures: Mapping[str, Mapping[str, float]]
    files: Mapping[str, bytes]


def check_stage(load: Callable[[], LoadedConfig], folder: Path) -> None:
    """Finite figures, and no others than `measures` names; the same figures and the very same files in a second run, whatever the global
    random streams give, and in one that is interrupted within every stage and goes on each time; a dry run walks through.

    All stages of the config are checked: those that only get a stage under test something to work on (a model, an order) keep the same
    promises.

    load: a small config that has the stage, behind those whose results it takes, without a protocol. `[training] log_every = 1` and
    `checkpoint_every = 1` let a stage that trains be interrupted between two steps and go on from there. folder: an empty one, to which
    the runs are written.
    """
    whole, stages = _run(load, folder / "whole"), load().tree["stages"]
    for stage, figures in whole.figures.items():
        expect(all(math.isfinite(figure) for figure in figures.values()), f"stage '{stage}' measured {figures}")
        _check_named(stages[stage], stage, figures)
    lines = Counter(record.get("stage") for record in read_jsonl(folder / "whole" / "log.jsonl"))
    with other_global_randomness():
        for stage in stages:
            _interrupt(load, folder / "resumed", stage, after=(lines[stage] + 1) // 2)
        resumed = _run(load, folder / "resumed", resume=True)
        if resumed != whole:  # whether it is for the interruptions
            _check_same(whole, _run(load, folder / "again"), "a second run")
    _check_same(whole, resumed, "a run that was interrupted and resumed")
    _check_dry(load, stages)


def _run(load: Callable[[], LoadedConfig], folder: Path, resume: bool = False) -> _Ran:
    train(load(), folder, resume=resume)
    written = sorted(path for path in (folder / "stages").rglob("*") if path.is_file())
    files = {path.relative_to(folder / "stages").as_posix(): path.read_bytes() for path in written}
    return _Ran(read_json(folder / "metrics.json"), files)


def _check_named(block: Mapping[str, Any], stage: str, figures: Iterable[str]) -> None:
    """`relcon check` holds what later stages ask for against the names that a stage gives."""
    named = component_of("stages", block["@stages"]).measures(block)
    unnamed = [] if named is None else sorted({*figures} - {*named})
    expect(not unnamed, f"stage '{stage}' measured {unnamed}, which its `measures` does not name")


def _check_same(whole: _Ran, other: _Ran, what: str) -> None:
    expect(whole.figures.keys() == other.figures.keys(), f"{what} has the stages {sorted(other.figures)}, not {sorted(whole.figures)}")
    for stage, figures in whole.figures.items():
        differing = same_figures(figures, other.figures[stage])
        expect(not differing, f"{what} came to other figures of stage '{stage}': {differing}")
    changed = [name for name in sorted({*whole.files, *other.files}) if whole.files.get(name) != other.files.get(name)]
    expect(not changed, f"{what} left other files, or other bytes in them: {changed[:3]}")


def _interrupt(load: Callable[[], LoadedConfig], folder: Path, stage: str, after: int) -> None:
    """A run, or what is left of one, that is told to end when a stage has written so many lines to the log."""
    log, written = RunFolder.log, 0

    def counting(run: RunFolder, **record: Any) -> None:
        nonlocal written
        log(run, **record)
        written += record.get("stage") == stage
        if written == after:
            raise Interrupted(SIGTERM)

    with mock.patch.object(RunFolder, "log", counting):
        try:
            train(load(), folder, resume=folder.exists())
        except Interrupted:
            return
    raise AssertionError(f"stage '{stage}' wrote fewer lines to the log than in the first run, where {after} were half of them")


def _check_dry(load: Callable[[], LoadedConfig], stages: Mapping[str, Mapping[str, Any]]) -> None:
    try:
        plan = dry_run(load())
    except RelconError as error:
        raise AssertionError(f"a dry run stops, because a plan leaves too little for the next stage: {error}") from error
    for stage, planned in plan.stages.items():
        _check_named(stages[stage], stage, planned.figures)
