"""The network that makes one vector of a word's characters: ELMo's, with ReLU (Peters et al. 2018, arXiv 1802.05365).

Parameters are called as in published checkpoints of CharacterBERT.
"""

from typing import Iterator, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.activations import ACT2FN

from relcon.encoders.characters import SYMBOLS


class Highway(nn.Module):
    """Layers `y = g x + (1 - g) relu(a)` (Srivastava et al. 2015, arXiv 1505.00387): a gate g near 1 carries the input through.

    One linear map gives a, its first half, and the gate before the sigmoid, its second, whose bias starts at 1.
    width: of input and output. layers: how many.
    """

    def __init__(self, width: int, layers: int):
        super().__init__()
        linear = [nn.Linear(width, 2 * width) for _ in range(layers)]
        with torch.no_grad():
            for layer in linear:
                layer.bias[width:] = 1
        self._layers = nn.ModuleList(linear)

    def forward(self, vectors: Tensor) -> Tensor:
        """[..., width] -> [..., width]."""
        for layer in self._layers:
            changed, gate = layer(vectors).chunk(2, dim=-1)
            gate = gate.sigmoid()
            vectors = gate * vectors + (1 - gate) * changed.relu()
        return vectors


class CharacterCNN(nn.Module):
    """Spellings of words -> vectors (El Boukkouri et al. 2020, section 3): convolutions over the characters, their largest values,
    highway layers, a projection.

    Ids that pad a word take part in the convolutions, as they did in pre-training.

    width: of a vector. filters: (characters that a filter sees, number of such filters), no filter wider than a word has ids.
    dimension: of a character's embedding. activation: by its name in transformers. highways: how many highway layers.
    """

    def __init__(self, width: int, filters: Sequence[Tuple[int, int]], dimension: int = 16, activation: str = "relu", highways: int = 2):
        super().__init__()
        self.activation = ACT2FN[activation]
        self._char_embedding_weights = nn.Parameter(torch.randn(SYMBOLS, dimension))
        self.convolutions = [f"char_conv_{number}" for number in range(len(filters))]
        for name, (size, count) in zip(self.convolutions, filters, strict=True):
            self.add_module(name, nn.Conv1d(dimension, count, size))
        found = sum(count for _, count in filters)
        self._highways = Highway(found, highways)
        self._projection = nn.Linear(found, width)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors [..., width] of words from the ids [..., C] of their characters."""
        characters = F.embedding(ids.flatten(0, -2), self._char_embedding_weights).transpose(1, 2)
        vectors = self._projection(self._highways(torch.cat(list(self._found(characters)), dim=-1)))
        return vectors.unflatten(0, ids.shape[:-1])

    def _found(self, characters: Tensor) -> Iterator[Tensor]:
        """[N, filters of a size] how much each filter found somewhere in each word. characters: [N, dimension, C]."""
        for name in self.convolutions:
            yield self.activation(self.get_submodule(name)(characters).max(dim=-1).values)
