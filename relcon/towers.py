"""Towers as a config names them: encoder, pooler and the task's own head, or a slow copy of another tower."""

import re
from copy import deepcopy
from itertools import pairwise
from typing import Dict, List, Literal, Mapping, Optional, TypeVar

import torch
from torch import nn

from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Parts, Tower, TowerPlan

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}

Part = TypeVar("Part")


class HeadedTower(TowerPlan):
    """An encoder and a pooler of the stage, by name, with a head of the task's own.

    The head is a projection, linear layers with an activation between them (Chen et al., 2020, "A Simple Framework for
    Contrastive Learning of Visual Representations"; Glorot-uniform weights, zero biases). A classification task appends
    (behind an activation where there is a projection) dropout and a linear layer to its classes (truncated normal weights of
    deviation 0.02, zero bias).

    encoder, pooler: names in the stage's `encoders` and `poolers`. head: the output width of each linear layer; empty: none.
    activation: between linear layers: relu, gelu or tanh. bias: whether linear layers have one. output: an activation behind the last of
    them, or behind the pooler where there is no head; null: none.
    dropout: before the classification layer. depth: how many encoder layers to run; 0: embeddings alone, null: all.

    Building raises RelconError where a name is unknown.

    Config::

        [anchors]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "sentence"
        head = [384, 384]
    """

    def __init__(
        self,
        encoder: str,
        pooler: str,
        head: List[int] = [],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        activation: Literal["relu", "gelu", "tanh"] = "relu",
        bias: bool = True,
        dropout: float = 0.0,
        depth: Optional[int] = None,
        output: Optional[Literal["relu", "gelu", "tanh"]] = None,
    ):
        for name, value in (("activation", activation), ("output", output)):
            if value is not None and value not in ACTIVATIONS:
                raise RelconError(f"{name} '{value}' is unknown.{did_you_mean(value, ACTIVATIONS)}")
        if any(width < 1 for width in head):
            raise RelconError(f"head must be a list of widths of at least 1, got {head}.")
        if not 0 <= dropout < 1:
            raise RelconError(f"dropout must lie in [0, 1), got {dropout}.")
        self.encoder, self.pooler, self.head, self.activation = encoder, pooler, list(head), activation
        self.bias, self.dropout, self.depth, self.output = bias, dropout, depth, output

    def build(self, parts: Parts, out: Optional[int] = None) -> Tower:
        """The tower. out: append dropout and a linear layer to so many classes."""
        encoder = part_named(parts.encoders, self.encoder, "encoder")
        pooler = part_named(parts.poolers, self.pooler, "pooler")
        width = pooler.width(encoder.width)
        layers = projection([width, *self.head], self.activation, self.bias)
        if self.output is not None:
            layers.append(ACTIVATIONS[self.output]())
        if out is not None:
            layers += [ACTIVATIONS[self.activation]()] if layers and self.output is None else []
            layers += [nn.Dropout(self.dropout), classification_layer((self.head or [width])[-1], out)]
        head = nn.Sequential(*layers).to(next(encoder.parameters())) if layers else None
        return Tower(encoder, pooler, head, self.depth)


class Momentum(TowerPlan):
    """A copy of the anchors' tower that follows it slowly and is not trained: the momentum encoder of MoCo.

    Encoder, pooler and head are copied when training begins. After each optimizer step every parameter k of the copy moves
    towards its model q: k = momentum k + (1 - momentum) q (He et al. 2020, arXiv 1911.05722, eq. 2). No gradient reaches it.
    Buffers are its own, as in MoCo's code.

    momentum: in [0, 1]; 0 is the anchors' tower of the step before, 1 stays what it was. dropout: whether the copy runs with
    dropout in training, as PSPE's does; otherwise in evaluation mode.
    suffix: the stage hands the copies on as NAME_SUFFIX: where anchors have the encoder `text` and the pooler `sentence`, a later
    stage takes `text = "pretrain.text_momentum"` and `sentence = "pretrain.sentence_momentum"`. The copied head ends with
    training.

    For `candidates` of relcon.Contrastive.v1, mostly with a queue (`relcon.Queue.v1`). ValueError where momentum is out of range;
    RelconError where it has no tower to follow, or where the stage has a part of the copy's name already.

    Config::

        [candidates]
        @towers = "relcon.Momentum.v1"
        momentum = 0.999
    """

    follows = "anchors"

    def __init__(self, momentum: float = 0.999, dropout: bool = True, suffix: str = "momentum"):
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum must lie in [0, 1], got {momentum}")
        if not re.fullmatch(r"\w+", suffix):
            raise ValueError(f"suffix must be of letters, digits and underscores, got '{suffix}'")
        self.momentum, self.dropout, self.suffix = momentum, dropout, suffix

    def build(self, parts: Parts, out: Optional[int] = None) -> Tower:
        """RelconError: by itself it has nothing to follow."""
        raise RelconError(
            "relcon.Momentum.v1 follows another tower: use it for `candidates` of relcon.Contrastive.v1, and relcon.Tower.v1 here."
        )

    def build_beside(self, parts: Parts, other: Tower) -> Tower:
        """The follower; copies of the other's encoder and pooler join the stage's parts."""
        twin = Follower(other, self.momentum, self.dropout)
        twin.encoder = self._hand_on(parts.encoders, other.encoder, twin.encoder, parts)
        twin.pooler = self._hand_on(parts.poolers, other.pooler, twin.pooler, parts)
        return twin

    def _hand_on(self, shared: Dict[str, Part], model: Part, twin: Part, parts: Parts) -> Part:
        """Put a copy beside its model, under a name of its own. In a saved model the copy is there already, and is the twin."""
        name = next(name for name, part in shared.items() if part is model)
        copy = f"{name}_{self.suffix}"
        if parts.saved_copies.get(copy) == name:
            return shared[copy]
        if copy in shared:
            raise RelconError(f"a momentum tower's copy of '{name}' would be called '{copy}', which this stage has. Set another suffix.")
        shared[copy], parts.copies[copy] = twin, name
        return twin


class Follower(Tower):
    """A copy of a tower that follows it.

    leader: what it copies and follows. momentum: how much of itself it keeps in each step. dropout: whether it has any.
    """

    def __init__(self, leader: Tower, momentum: float, dropout: bool = True):
        twin = deepcopy(leader)
        super().__init__(twin.encoder, twin.pooler, twin.head, twin.depth)
        self.requires_grad_(False)
        self._leader = (leader,)  # in a tuple, so that its parameters are not the follower's
        self.momentum, self.dropout = momentum, dropout

    @torch.no_grad()
    def after_step(self) -> None:
        """Move every parameter towards the leader's."""
        for mine, theirs in zip(self.parameters(), self._leader[0].parameters(), strict=True):
            mine.lerp_(theirs.to(mine), 1 - self.momentum)

    def train(self, mode: bool = True) -> "Follower":
        """In evaluation mode always where it has no dropout."""
        super().train(mode and self.dropout)
        return self


def projection(widths: List[int], activation: str, bias: bool) -> List[nn.Module]:
    """Linear layers from width to width with an activation between them."""
    layers: List[nn.Module] = []
    for into, out in pairwise(widths):
        linear = nn.Linear(into, out, bias)
        nn.init.xavier_uniform_(linear.weight)
        if bias:
            nn.init.zeros_(linear.bias)
        layers += [ACTIVATIONS[activation](), linear] if layers else [linear]
    return layers


def classification_layer(into: int, out: int) -> nn.Linear:
    """A linear layer that starts as BERT's classifiers do: normal weights cut off at two deviations of 0.02, zero bias."""
    linear = nn.Linear(into, out)
    nn.init.trunc_normal_(linear.weight, std=0.02, a=-0.04, b=0.04)
    nn.init.zeros_(linear.bias)
    return linear


def part_named(parts: Mapping[str, Part], name: str, kind: str) -> Part:
    """The stage's part that a tower names; RelconError with the nearest name where it has none. kind: `encoder` or `pooler`."""
    if name not in parts:
        raise RelconError(f"a tower names the {kind} '{name}', which this stage does not have.{did_you_mean(name, parts)}")
    return parts[name]
