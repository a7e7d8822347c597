"""The contrastive task: towers encode both sides of a contrast, an objective judges them."""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

import torch
from torch import Tensor, nn

from relcon.contrast import Contrast, Pairing
from relcon.interfaces import Adjuster, ContrastiveObjective, Parts, Request, Task, Tower, TowerPlan
from relcon.tasks.precision import full_precision


class Judged(NamedTuple):
    """What the objective saw last, kept for the log."""

    anchors: Tensor
    candidates: Tensor
    pairing: Pairing


class Contrastive(Task):
    """Anchors and candidates of a contrast through towers, a pairing, an objective.

    stream: the sampler that feeds it. reads: which value of its batches. weight: its factor in the stage's loss.
    anchors: the tower of the anchors. candidates: another tower for the candidates, which may follow that of the anchors
    (`relcon.Momentum.v1`); the same one unless said.
    objective: judges vectors. adjusters: steps between vectors and objective, in the order written (a queue, a miner).

    Vectors reach adjusters and objective in float32 at least, whatever precision the encoder runs in. Views that were cropped
    away neither attract nor repel. The log gets the objective's figures of the last batch and, since it last asked, `terms`, how
    many terms the loss had, `idle_terms`, how many of them taught nothing (a softmax without a positive or a negative), and
    `positives` and `negatives`, how many an anchor has on average of those that have any, with what adjusters added (a queue).

    Config::

        [task]
        @tasks = "relcon.Contrastive.v1"
        stream = "views"
        [task.anchors]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "sentence"
        head = [384, 384]
        [task.objective]
        @objectives = "relcon.NTXent.v1"
    """

    joint = True

    def __init__(
        self,
        stream: str,
        anchors: TowerPlan,
        objective: ContrastiveObjective,
        reads: str = "contrast",
        weight: float = 1.0,
        candidates: Optional[TowerPlan] = None,
        adjusters: Optional[Dict[str, Adjuster]] = None,
    ):
        super().__init__()
        if anchors.follows is not None:
            raise ValueError(f"anchors: a {type(anchors).__name__} tower follows that of the {anchors.follows}; give them one of their own")
        self.stream, self.reads, self.weight = stream, reads, weight
        self.anchor_plan, self.candidate_plan = anchors, candidates
        self.objective = objective
        self.adjusters: Mapping[str, Adjuster] = adjusters or {}
        self.adjusting = nn.ModuleList(self.adjusters.values())
        self.tower: Tower
        self.candidate_tower: Optional[Tower] = None
        self._last: Optional[Judged] = None
        self._counts = {"terms": 0, "idle_terms": 0}
        self._pairs: List[Tensor] = []

    def build(self, parts: Parts) -> None:
        """Make the towers over the stage's encoders and poolers."""
        self.tower = self.anchor_plan.build(parts)
        if self.candidate_plan is not None:
            self.candidate_tower = self.candidate_plan.build_beside(parts, self.tower)

    def requests(self, value: Contrast) -> Dict[str, Request]:
        """`anchors`, and `candidates` unless they are the very same vectors."""
        wanted = {"anchors": Request(self.tower, value.anchors)}
        if value.candidates is not None or self.candidate_tower is not None:
            views = value.anchors if value.candidates is None else value.candidates
            wanted["candidates"] = Request(self.candidate_tower or self.tower, views)
        return wanted

    def loss(self, value: Contrast, vectors: Mapping[str, Tensor], alive: Mapping[str, Tensor]) -> Tensor:
        """The objective over all vectors of the batch, a scalar."""
        with full_precision(vectors["anchors"]) as full:
            anchors = full(vectors["anchors"])
            candidates = full(vectors["candidates"]) if "candidates" in vectors else anchors
            kept = {side: mask.to(anchors.device) for side, mask in alive.items()}
            pairing = value.pairing.to(anchors).keep(kept["anchors"], kept.get("candidates", kept["anchors"]))
            for adjuster in self.adjusters.values():
                candidates, pairing = adjuster(anchors, candidates, value, pairing)
            self._counts["terms"] += pairing.terms()
            self._counts["idle_terms"] += self.objective.idle(pairing)
            self._pairs.append(pairing.taking_part())
            self._last = Judged(anchors.detach(), candidates.detach(), pairing)
            return self.objective(anchors, candidates, pairing)

    def figures(self) -> Dict[str, float]:
        """The objective's figures of the last batch; `terms`, `idle_terms`, `positives` and `negatives` since the last call. The latter
        two are left out where no anchor had a pair."""
        if self._last is None:
            return {}
        figures = {**self.objective.figures(*self._last), **{name: float(count) for name, count in self._counts.items()}}
        anchors, positives, negatives = torch.stack(self._pairs).sum(0).tolist()
        if anchors:
            figures |= {"positives": positives / anchors, "negatives": negatives / anchors}
        self._last, self._counts, self._pairs = None, dict.fromkeys(self._counts, 0), []
        return figures

    def why_idle(self) -> str:
        """What the adjusters say; where none has to do with it, that the batches lack pairs."""
        return " ".join(filter(None, (adjuster.why_idle() for adjuster in self.adjusters.values()))) or super().why_idle()

    def towers(self) -> List[Tower]:
        """That of the anchors, and that of the candidates where it is another."""
        return [self.tower] if self.candidate_tower is None else [self.tower, self.candidate_tower]

    def after_step(self) -> None:
        """Pass the end of the step on to towers and adjusters."""
        for tower in self.towers():
            tower.after_step()
        for adjuster in self.adjusters.values():
            adjuster.after_step()

    def training_only(self) -> Sequence[nn.Module]:
        """The adjusters."""
        return list(self.adjusters.values())
