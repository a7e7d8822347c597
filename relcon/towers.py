"""A tower as a config names it: encoder, pooler and the task's own head."""

from itertools import pairwise
from typing import List, Literal, Mapping, Optional, TypeVar

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
    activation: between linear layers: relu, gelu or tanh. bias: whether linear layers have one.
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
    ):
        if activation not in ACTIVATIONS:
            raise RelconError(f"activation '{activation}' is unknown.{did_you_mean(activation, ACTIVATIONS)}")
        if any(width < 1 for width in head):
            raise RelconError(f"head must be a list of widths of at least 1, got {head}.")
        if not 0 <= dropout < 1:
            raise RelconError(f"dropout must lie in [0, 1), got {dropout}.")
        self.encoder, self.pooler, self.head, self.activation = encoder, pooler, list(head), activation
        self.bias, self.dropout, self.depth = bias, dropout, depth

    def build(self, parts: Parts, out: Optional[int] = None) -> Tower:
        """The tower. out: append dropout and a linear layer to so many classes."""
        encoder = _named(parts.encoders, self.encoder, "encoder")
        pooler = _named(parts.poolers, self.pooler, "pooler")
        width = pooler.width(encoder.width)
        layers = projection([width, *self.head], self.activation, self.bias)
        if out is not None:
            layers += [ACTIVATIONS[self.activation]()] if layers else []
            layers += [nn.Dropout(self.dropout), classification_layer((self.head or [width])[-1], out)]
        head = nn.Sequential(*layers).to(next(encoder.parameters())) if layers else None
        return Tower(encoder, pooler, head, self.depth)


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


def _named(parts: Mapping[str, Part], name: str, kind: str) -> Part:
    if name not in parts:
        raise RelconError(f"a tower names the {kind} '{name}', which this stage does not have.{did_you_mean(name, parts)}")
    return parts[name]
