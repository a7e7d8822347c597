"""The one layer that everything called MLP in PSPE is built of."""

from torch import nn

DEVIATION = 0.02
"""Of the normal weights that linear layers and tables begin with."""


class Block(nn.Sequential):
    """A linear layer, GELU, layer normalisation and dropout, in this order: PSPE's MLP (the released code of Wang et al. 2020).

    into, out: widths. dropout: behind the normalisation (eps 1e-12). Weights begin as N(0, 0.02), biases as 0.
    """

    def __init__(self, into: int, out: int, dropout: float = 0.1):
        super().__init__(linear(into, out), nn.GELU(), nn.LayerNorm(out, eps=1e-12), nn.Dropout(dropout))


def linear(into: int, out: int, bias: bool = True) -> nn.Linear:
    """A linear layer that begins with N(0, 0.02) and a bias of 0."""
    layer = nn.Linear(into, out, bias)
    nn.init.normal_(layer.weight, std=DEVIATION)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
