"""The core's adjusters keep the contract, whatever their settings; adjusters that break a promise are found out."""

import pytest
import torch

from relcon.contrast import Pairing
from relcon.interfaces import Adjuster
from relcon.testing import check_adjuster

SETTINGS = [
    ("Queue", {"size": 1}),
    ("Queue", {"size": 7}),
    ("Queue", {"size": 100, "warm_up": 2}),
    ("Queue", {"size": 8, "lanes": 3, "same_label": "positive"}),
    ("Queue", {"size": 8, "same_label": "negative"}),
    ("HardestNegatives", {"k": 1}),
    ("HardestNegatives", {"k": 3, "similarity": "dot"}),
]


@pytest.mark.parametrize(("name", "arguments"), SETTINGS, ids=str)
def test_contract(name, arguments):
    check_adjuster(lambda: Adjuster.registry.get(f"relcon.{name}.v1")(**arguments))


class Careless(Adjuster):
    """An adjuster with a fault."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.before, self.calls = fault, None, 0

    def forward(self, anchors, candidates, contrast, pairing):
        p, n, weights, groups = pairing.positives, pairing.negatives, pairing.weights, pairing.groups
        rows, self.calls = len(anchors), self.calls + 1
        if self.fault == "drops":
            return candidates[1:], Pairing(p[:, 1:], n[:, 1:], weights, groups)
        if self.fault == "order":
            return candidates.flip(0), Pairing(p.flip(1), n.flip(1), weights, groups)
        if self.fault == "detached":
            return candidates.detach(), pairing
        if self.fault == "half":
            return candidates.half(), pairing
        if self.fault == "narrow":
            return torch.cat([candidates, candidates]), pairing
        if self.fault == "both":
            return candidates, Pairing(p, n + p, weights, groups)
        if self.fault == "groups":
            return candidates, Pairing(p, n, weights, groups.flip(0))
        if self.fault == "weights":
            return candidates, Pairing(p, n, 0 * weights, groups)
        if self.fault == "ignored":
            return candidates, Pairing(p, n + torch.eye(rows), weights, groups)
        if self.fault == "sides":
            return candidates, Pairing(n, p, weights, groups)
        if self.fault == "lonely":
            return candidates, Pairing(0 * p, n, weights, groups)
        if self.fault == "tags" and contrast.anchor_tags is None:
            return candidates, Pairing(p, 0 * n, weights, groups)
        if self.fault in ("lost", "forgets", "evaluation", "lost anchor"):
            before = candidates.detach() if self.before is None else self.before
            alive = ((p + n).sum(0) > 0).to(p) if self.fault != "lost" else torch.ones(rows)
            mine = ((p + n).sum(1) > 0).to(p) if self.fault != "lost anchor" else torch.ones(rows)
            more = mine[:, None] * alive[None, :]
            if self.training or self.fault == "evaluation":
                self.before = candidates.detach() + (self.calls if self.fault == "evaluation" else 0)
            return torch.cat([candidates, before]), pairing.widened(0 * more, more)
        return candidates, pairing


@pytest.mark.parametrize(
    "fault, message",
    [
        ("drops", "keep those given"),
        ("order", "first and unchanged"),
        ("detached", "no gradient"),
        ("half", "came out as"),
        ("narrow", "anchors and candidates"),
        ("both", "not sound"),
        ("groups", "changed the groups"),
        ("weights", "weights of the terms"),
        ("ignored", "was ignored"),
        ("sides", "changed sides"),
        ("lonely", "last positive"),
        ("lost", "came back"),
        ("lost anchor", "was given pairs"),
        ("evaluation", "evaluation mode"),
        ("forgets", "state dict"),
        ("tags", "without tags"),
    ],
)
def test_broken_adjusters(fault, message):
    check_adjuster(lambda: Careless(""))
    with pytest.raises(AssertionError, match=message):
        check_adjuster(lambda: Careless(fault))
