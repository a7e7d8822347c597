"""Negatives that outlive the batch: vectors of earlier steps, first in, first out."""

import logging
from typing import Any, Dict, List, Literal, NamedTuple, Tuple

import torch
from torch import Tensor

from relcon.contrast import Contrast, Pairing, Tags
from relcon.errors import RelconError
from relcon.interfaces import Adjuster

logger = logging.getLogger(__name__)


class Held(NamedTuple):
    """Vectors [E, D] with the tags [E] of each."""

    vectors: Tensor
    tags: Tags


class Queue(Adjuster):
    """Candidates of earlier steps as further candidates of every batch, first in, first out; no gradient reaches them.

    MoCo (He et al. 2020, arXiv 1911.05722), there filled by a momentum encoder (`relcon.Momentum.v1`); PSPE has two queues in
    one, a lane for each kind of vector (Wang et al. 2020, EMNLP).

    size: vectors kept per lane, at least 1. lanes: how many queues; a contrast's tags say which of them an anchor is held
    against and a candidate goes into.
    warm_up: the first so many optimizer steps go by without the queue, which fills meanwhile. It is empty in the first step, so
    0 and 1 are the same. An objective whose negatives come from the queue alone learns nothing meanwhile.
    same_label: what a queued vector with the anchor's label does: `ignore`: nothing; `positive`: it attracts (supervised contrast
    with a memory); `negative`: labels are not looked at, it repels.

    An anchor is repelled (or attracted) with weight 1 by the queued vectors of its lane, but never by those with its own key:
    they are its own sentence in an earlier step. Keys and labels of -1 are unknown and equal nothing.

    Filled in training mode only, after the optimizer step, with the candidates of all its batches in their order: the batches
    that are accumulated to one step see the same queue. A candidate is stored, and an anchor is held against the queue, where it
    is in any pair of the batch: views that were cropped away, and those that the sampler leaves out, are not. So a miner stands
    behind the queue in `adjusters`, not before it. Checkpoints hold the queue; saved models do not.

    It logs how many optimizer steps fill it, and a warning where sentences (keys) come again before it is full: it is larger than the data.

    Costs size x lanes x width x 4 bytes, and a similarity with each of them per anchor. ValueError where a number is too small.
    RelconError where the contrast has no tags, or names a lane that the queue does not have.

    Config::

        [adjuster]
        @adjusters = "relcon.Queue.v1"
        size = 4096
    """

    needs_tags = True
    adds_negatives = True

    vectors: Tensor
    keys: Tensor
    labels: Tensor
    pushed: Tensor
    steps: Tensor

    def __init__(
        self,
        size: int,
        lanes: int = 1,
        warm_up: int = 0,
        same_label: Literal["ignore", "positive", "negative"] = "ignore",
    ):
        super().__init__()
        for name, value, least in (("size", size, 1), ("lanes", lanes, 1), ("warm_up", warm_up, 0)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self.size, self.lanes, self.warm_up, self.same_label = size, lanes, warm_up, same_label
        self._waiting: List[Held] = []
        self._warned = False
        self.register_buffer("vectors", torch.zeros(lanes, size, 0))  # their width is known at the first fill
        self.register_buffer("keys", torch.zeros(lanes, size, dtype=torch.long))
        self.register_buffer("labels", torch.zeros(lanes, size, dtype=torch.long))
        self.register_buffer("pushed", torch.zeros(lanes, dtype=torch.long))  # into each lane since the beginning
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, anchors: Tensor, candidates: Tensor, contrast: Contrast, pairing: Pairing) -> Tuple[Tensor, Pairing]:
        """Candidates [C + E, D], those of the batch first, and the pairing [A, C + E]. E: how many vectors are held."""
        mine, theirs = (_on(anchors, self._sound(tags)) for tags in tags_of(contrast))
        if self.training:
            self._note(candidates, theirs, pairing)
        held = self.held()
        if not len(held.vectors) or self.steps < self.warm_up:
            return candidates, pairing
        attract, repel = self._judged(mine, held.tags, _in_a_pair(pairing, side=1))
        more = pairing.widened(attract.to(pairing.positives), repel.to(pairing.negatives))
        return torch.cat([candidates, held.vectors.to(candidates)]), more

    def why_idle(self) -> str:
        """It is empty or unused at first, and may hold nothing but the anchors' own sentences."""
        first = max(self.warm_up, 1)
        steps = f"{first} optimizer steps (warm_up)" if first > 1 else "optimizer step"
        return (
            f"Its queue (relcon.Queue.v1) gives no negatives in the first {steps}, in which it fills, and never an anchor's own sentence "
            "of an earlier step. Give an epoch more steps than that: lower batch_size, accumulate or warm_up, or give more sentences."
        )

    @torch.no_grad()
    def after_step(self) -> None:
        """Take in what the batches of the step brought."""
        self._warn_of_repeats()
        for batch in self._waiting:
            self._push(batch)
        self._waiting = []
        self.steps += 1
        if self.steps == 1:
            self._tell_when_full()

    def held(self) -> Held:
        """What the queue holds: lane after lane, the oldest vector of a lane first."""
        count = self.pushed.clamp(max=self.size)
        lane = torch.arange(self.lanes, device=count.device).repeat_interleave(count)
        age = torch.arange(len(lane), device=count.device) - (count.cumsum(0) - count)[lane]  # 0: the oldest of its lane
        place = (self.pushed - count)[lane].add(age) % self.size
        return Held(self.vectors[lane, place], Tags(lane, self.keys[lane, place], self.labels[lane, place]))

    def _judged(self, mine: Tags, theirs: Tags, takes_part: Tensor) -> Tuple[Tensor, Tensor]:
        """[A, E] bool each: which queued vectors attract and which repel each anchor."""
        met = takes_part[:, None] & (mine.lane[:, None] == theirs.lane) & ~_known_and_equal(mine.key, theirs.key)
        alike = _known_and_equal(mine.label, theirs.label)
        if self.same_label == "negative":
            return torch.zeros_like(met), met
        return (met & alike if self.same_label == "positive" else torch.zeros_like(met)), met & ~alike

    def _note(self, candidates: Tensor, tags: Tags, pairing: Pairing) -> None:
        """Keep a batch's own candidates until the step is done. They come first: adjusters in front append theirs."""
        stored = _in_a_pair(pairing, side=0)[: len(tags.key)]
        own = candidates.detach()[: len(tags.key)]
        self._waiting.append(Held(own[stored], Tags(*(column[stored] for column in tags))))

    def _push(self, batch: Held) -> None:
        """The newest vectors of every lane over the oldest ones."""
        if not self.vectors.shape[2]:
            self.vectors = batch.vectors.new_zeros(self.lanes, self.size, batch.vectors.shape[1])
        for lane in range(self.lanes):
            newest = (batch.tags.lane == lane).nonzero()[:, 0]
            place = (self.pushed[lane] + torch.arange(len(newest), device=newest.device))[-self.size :] % self.size
            self.pushed[lane] += len(newest)
            newest = newest[-self.size :]
            self.vectors[lane, place] = batch.vectors[newest].to(self.vectors)
            self.keys[lane, place] = batch.tags.key[newest]
            self.labels[lane, place] = batch.tags.label[newest]

    def _tell_when_full(self) -> None:
        """After the first step: how many such steps fill it."""
        brought = min((count for count in self.pushed.tolist() if count), default=self.size)
        if brought < self.size:
            steps = -(-self.size // brought)
            told = "The queue of %d vectors a lane (relcon.Queue.v1) is full after %d optimizer steps of %d each"
            logger.info(told, self.size, steps, brought)

    def _warn_of_repeats(self) -> None:
        """Once: a lane that is not full yet gets a sentence that it holds."""
        for lane, count in enumerate(self.pushed.tolist()):
            new = [batch.tags.key[(batch.tags.lane == lane) & (batch.tags.key >= 0)] for batch in self._waiting]
            if not self._warned and new and 0 < count < self.size and bool(torch.isin(torch.cat(new), self.keys[lane, :count]).any()):
                self._warned = True
                told = (
                    "Sentences come again before the queue of %d vectors a lane (relcon.Queue.v1) is full: it holds %d. From now on it "
                    "holds several vectors of one sentence, of different ages. Give more sentences, or a `size` of at most %d."
                )
                logger.warning(told, self.size, count, count)

    def _sound(self, tags: Tags) -> Tags:
        """The tags, or RelconError where they name a lane that there is not."""
        lanes = tags.lane.unique().tolist()
        if lanes and not 0 <= lanes[0] <= lanes[-1] < self.lanes:
            raise RelconError(
                f"the tags of a contrast name the lanes {lanes}, but this queue (relcon.Queue.v1) has lanes = {self.lanes}, numbered from "
                "0. Set `lanes` to what the sampler uses."
            )
        return tags

    def _load_from_state_dict(self, state_dict: Dict[str, Any], prefix: str, *rest: Any) -> None:
        """A queue that was never filled takes the width of the one that is loaded (and the other way round)."""
        stored = state_dict.get(f"{prefix}vectors")
        if stored is not None and stored.shape[:2] == self.vectors.shape[:2]:
            self.vectors = self.vectors.new_zeros(stored.shape, dtype=stored.dtype)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def tags_of(contrast: Contrast) -> Tuple[Tags, Tags]:
    """Tags of anchors and candidates; where the candidates are the anchors, theirs are the same unless they have their own.

    RelconError where there are none, or not one for each view.
    """
    views = contrast.anchors if contrast.candidates is None else contrast.candidates
    theirs = contrast.anchor_tags if contrast.candidates is None and contrast.candidate_tags is None else contrast.candidate_tags
    if contrast.anchor_tags is None or theirs is None:
        raise RelconError(
            "relcon.Queue.v1 needs to know which vectors of other steps are the same sentence or label, but this stream's sampler gives "
            "no tags (Contrast.anchor_tags and candidate_tags). relcon.TwoViews.v1 and relcon.SameLabel.v1 do."
        )
    for tags, count in ((contrast.anchor_tags, len(contrast.anchors)), (theirs, len(views))):
        if {len(column) for column in tags} != {count}:
            raise RelconError(f"the tags of a contrast have {[len(column) for column in tags]} entries for {count} views: one for each.")
    return contrast.anchor_tags, theirs


def _on(like: Tensor, tags: Tags) -> Tags:
    return Tags(*(column.to(like.device) for column in tags))


def _in_a_pair(pairing: Pairing, side: int) -> Tensor:
    """Which anchors (side 1) or candidates (side 0) attract or repel anything."""
    return ((pairing.positives > 0) | (pairing.negatives > 0)).any(side)


def _known_and_equal(mine: Tensor, theirs: Tensor) -> Tensor:
    """[A, E] bool. -1 is unknown."""
    return (mine[:, None] == theirs) & (mine[:, None] >= 0)
