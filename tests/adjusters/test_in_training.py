"""Queue and momentum tower in the training loop: windows of accumulated batches, checkpoints."""

from pathlib import Path
from typing import Any, Dict, List

import torch
from accelerate import Accelerator
from torch import Tensor

from relcon.config import resolve
from relcon.contrast import Pairing
from relcon.interfaces import Parts
from relcon.model import Trained
from relcon.objectives.infonce import InfoNCE
from relcon.poolers.sentence import CLS
from relcon.testing import tiny_encoder, tiny_split
from relcon.training.checkpoint import resume, save_checkpoint
from relcon.training.loop import Loop, Stream
from relcon.training.position import Position
from relcon.training.schedules import Constant

TASK = {
    "@tasks": "relcon.Contrastive.v1",
    "stream": "views",
    "anchors": {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "sentence", "head": [8]},
    "candidates": {"@towers": "relcon.Momentum.v1", "momentum": 0.9},
    "adjusters": {"queue": {"@adjusters": "relcon.Queue.v1", "size": 14, "warm_up": 2}},
    "objective": {"@objectives": "relcon.InfoNCE.v1"},
}
VIEWS = {
    "@samplers": "relcon.TwoViews.v1",
    "renderer": {"@renderers": "relcon.Blinded.v1"},
    "augmenter": {"@augmenters": "relcon.RandomSwap.v1"},
    "batch_size": 3,
}


class Watched(InfoNCE):
    """Notes the candidates of every loss."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: List[Tensor] = []

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss."""
        self.seen.append(candidates.detach().clone())
        return super().forward(anchors, candidates, pairing)


def start(warm_up: int = 2, **settings: Any) -> "tuple[Trained, Loop]":
    """A stage's modules and loop, the same every time."""
    torch.manual_seed(0)
    parts = Parts({"text": tiny_encoder()}, {"sentence": CLS()}, tiny_split().labels)
    block: Dict[str, Any] = {**TASK, "adjusters": {"queue": {**TASK["adjusters"]["queue"], "warm_up": warm_up}}}  # type: ignore[index]
    task = resolve(block, "task")
    task.objective = Watched()
    task.build(parts)
    trained = Trained(parts, {"contrast": task}, {"poolers": {}, "tasks": {"contrast": block}})
    modules = trained.modules()
    optimizer = torch.optim.AdamW([each for each in modules.parameters() if each.requires_grad], lr=1e-3)
    streams = {"views": Stream(resolve(VIEWS, "views"), tiny_split(12), None)}
    accelerator = Accelerator(cpu=True)
    return trained, Loop("stage", modules, trained.tasks, streams, optimizer, Constant(), accelerator, steps=100, seed=3, **settings)


def test_the_batches_of_a_window_see_the_same_queue_and_enter_it_in_order() -> None:
    trained, loop = start(warm_up=0, accumulate=2)
    task = trained.tasks["contrast"]
    assert len(list(loop.epoch(0))) == 2, "four batches of three instances, two to a step"
    seen = task.objective.seen
    assert [len(each) for each in seen] == [6, 6, 18, 18]
    assert torch.equal(seen[2][6:], torch.cat([seen[0], seen[1]])) and torch.equal(seen[3][6:], seen[2][6:])
    newest = torch.cat([seen[0], seen[1], seen[2][:6], seen[3][:6]])[-14:]
    assert torch.equal(task.adjusters["queue"].held().vectors, newest)


def test_the_follower_moves_with_every_step_and_the_optimizer_leaves_it_alone() -> None:
    trained, loop = start()
    task = trained.tasks["contrast"]
    wanted = {name: each.detach().clone() for name, each in task.candidate_tower.named_parameters()}
    for _ in loop.epoch(0):
        for name, each in task.tower.named_parameters():
            wanted[name] = 0.9 * wanted[name] + 0.1 * each.detach()
        for name, each in task.candidate_tower.named_parameters():
            torch.testing.assert_close(each.detach(), wanted[name])
    assert not torch.equal(task.tower.head[0].weight, task.candidate_tower.head[0].weight)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, loop = start()
    for epoch in range(2):
        list(loop.epoch(epoch))
    stopped, loop = start()
    list(loop.epoch(0))
    save_checkpoint(tmp_path, stopped, loop, Position(epoch=1), log=0)
    resumed, loop = start()
    assert resume(tmp_path, loop) is not None
    list(loop.epoch(1))
    wanted, found = (each.modules().state_dict() for each in (whole, resumed))
    assert wanted.keys() == found.keys() and any(name.endswith(".vectors") for name in wanted)
    for name in wanted:
        assert torch.equal(wanted[name], found[name]), f"{name} differs after a resume"
    seen = [each.tasks["contrast"].objective.seen[-1] for each in (whole, resumed)]
    assert len(seen[0]) == 6 + 14 and torch.equal(*seen)
