"""The graph side: one graph convolution over the frozen states of a sentence's words (CoNLL 2021, section 3.2)."""

from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Sequence

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from relcon.contrast import Encoded, Input, Prepared
from relcon.errors import RelconError
from relcon.interfaces import Encoder
from relcon_cldr.graphs import Graph, adjacency
from relcon_cldr.states import FrozenStates

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
INITIAL = ("kaiming", "uniform", "xavier")
WEIGHTS = "graph.safetensors"


class GraphConvolution(Encoder):
    """Graphs over words -> states of their nodes: activation(A X W + b), one layer.

    X are the last-layer states of the nodes' words (their mean, for a node of several) under `features`, an encoder of texts that is
    never trained: they are computed once, and kept on disk by the encoder's weights. A is the graph's normalised adjacency. A node whose
    word the encoder's limit cropped away is lost, with the views that need it.

    features: the encoder at the start, mostly the very one that the text side starts from.
    activation: `relu` (CLDR) or `tanh` (CLGS: states of texts may be negative, so those of graphs must be).
    normalisation: `self_weight` (CLDR): a node keeps the share `self_weight` of itself and gets the rest from its neighbours; `symmetric`
    (CLGS, eq. 2) or `row`: the degrees of A + I. self_weight: lambda of the paper, 0 to 1.
    bias: whether there is a b; the released code has one, the paper has none. initial: W at the start: `kaiming` (normal, fan in),
    `uniform` (+- 1 / sqrt(width)) or `xavier` (normal, gain 0.02); b is 0.
    subword: which word pieces stand for a word: `first`, `last` or `mean`. cache: folder for states; null for the usual one, "none"
    for none. path: a folder that `save` wrote, for W and b.

    Theodoropoulos et al., CoNLL 2021, eq. 1-3. ValueError where an argument is none of these; RelconError where the folder's weights do
    not fit.

    Config::

        [encoder]
        @encoders = "cldr.GraphConvolution.v1"
        activation = "relu"
        self_weight = 0.8

        [encoder.features]
        @encoders = "relcon.MiniLM.v1"
    """

    reads = "graphs"

    def __init__(
        self,
        features: Encoder,
        activation: Literal["relu", "tanh"] = "relu",
        normalisation: Literal["self_weight", "symmetric", "row"] = "self_weight",
        self_weight: float = 0.8,
        bias: bool = True,
        initial: Literal["kaiming", "uniform", "xavier"] = "kaiming",
        subword: Literal["first", "last", "mean"] = "first",
        cache: Optional[str] = None,
        path: Optional[str] = None,
    ):
        super().__init__()
        if activation not in ACTIVATIONS or normalisation not in ("self_weight", "symmetric", "row") or initial not in INITIAL:
            raise ValueError(f"activation, normalisation, initial: {activation!r}, {normalisation!r}, {initial!r} are not all known")
        if not 0 <= self_weight <= 1:
            raise ValueError(f"self_weight must lie in [0, 1], not {self_weight}")
        self.activation, self.normalisation, self.self_weight = activation, normalisation, self_weight
        self.initial, self.subword, self.cache = initial, subword, cache
        self.width = features.width
        self.frozen = FrozenStates(features, subword, cache)  # no module of this one: neither trained nor in checkpoints
        self.weight = nn.Parameter(torch.empty(self.width, self.width))
        self.bias = nn.Parameter(torch.zeros(self.width)) if bias else None
        self._start() if path is None else self._load(Path(path))

    def lengths(self, inputs: Sequence[Input]) -> List[int]:
        """Nodes of each graph."""
        return [len(graph.nodes) for graph in self._graphs(inputs)]

    def prepare(self, inputs: Sequence[Input]) -> Prepared:
        """Graphs as rows of nodes: features [B, N, H], adjacency [B, N, N], mask [B, N]."""
        graphs = self._graphs(inputs)
        counts = torch.tensor([len(graph.nodes) for graph in graphs], dtype=torch.long)
        size = int(counts.max()) if graphs else 0
        row = torch.arange(len(graphs)).repeat_interleave(counts)
        place = torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
        nodes = node_vectors(self.frozen.of([graph.text for graph in graphs]), graphs, self.width)
        lost = nodes.isnan().any(1)
        features = torch.zeros(len(graphs), size, self.width)
        features[row, place] = nodes.nan_to_num()
        weights = torch.zeros(len(graphs), size, size)
        for number, graph in enumerate(graphs):
            weights[number, : len(graph.nodes), : len(graph.nodes)] = adjacency(graph, self.normalisation, self.self_weight)
        where = torch.full((len(graphs), size, 3), -2)
        where[row, place] = torch.stack([row, place.where(~lost, -1), (place + 1).where(~lost, -1)], 1)
        broken = torch.zeros(len(graphs), dtype=torch.long).index_add(0, row, lost.long()) > 0
        whole = torch.stack([torch.arange(len(graphs)), broken.long().neg(), counts.where(~broken, -1)], 1)
        mask = torch.arange(size) < torch.tensor(self.lengths(inputs))[:, None]
        cropped = int((whole[:, 1] < 0).sum())
        return Prepared({"features": features, "adjacency": weights, "mask": mask}, where, whole, cropped)

    def forward(self, prepared: Prepared, depth: Optional[int] = None) -> Encoded:
        """States [B, N, H]. depth: 0 gives the nodes' first vectors."""
        features, weights, mask = (prepared.tensors[name].to(self.weight.device) for name in ("features", "adjacency", "mask"))
        if depth == 0:
            return Encoded(features, mask)
        mixed: Tensor = weights @ (features @ self.weight)
        return Encoded(ACTIVATIONS[self.activation](mixed if self.bias is None else mixed + self.bias), mask)

    def save(self, folder: Path) -> None:
        """Write W and b, and the encoder of the first vectors beside them."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}, folder / WEIGHTS)
        self.frozen.tower.encoder.save(folder / "features")

    def block(self, folder: str) -> Dict[str, Any]:
        """The config block that builds it again."""
        return {
            "@encoders": "cldr.GraphConvolution.v1",
            "features": self.frozen.tower.encoder.block(f"{folder}/features"),
            "activation": self.activation,
            "normalisation": self.normalisation,
            "self_weight": self.self_weight,
            "bias": self.bias is not None,
            "initial": self.initial,
            "subword": self.subword,
            "cache": self.cache,
            "path": folder,
        }

    def _graphs(self, inputs: Sequence[Input]) -> List[Graph]:
        """The inputs, which must be graphs."""
        graphs = [each for each in inputs if isinstance(each, Graph)]
        if len(graphs) < len(inputs):
            others = sorted({type(each).__name__ for each in inputs if not isinstance(each, Graph)})
            raise TypeError(f"{type(self).__name__} reads graphs, not {', '.join(others)}")
        return graphs

    def _start(self) -> None:
        """Draw W."""
        if self.initial == "kaiming":
            nn.init.kaiming_normal_(self.weight.T)  # rows of W are its inputs
        elif self.initial == "xavier":
            nn.init.xavier_normal_(self.weight, gain=0.02)
        else:
            nn.init.uniform_(self.weight, -(self.width**-0.5), self.width**-0.5)

    def _load(self, folder: Path) -> None:
        """W and b as they were saved."""
        try:
            self.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise RelconError(f"{folder / WEIGHTS} cannot be read or does not fit this graph encoder ({reason}).") from error


def node_vectors(states: Sequence[Tensor], graphs: Sequence[Graph], width: int) -> Tensor:
    """[M, H] of every node of every graph the mean of its words' states; NaN where one of them is. states: [W, H] of each graph's text."""
    texts = list({id(words): words for words in states}.values())
    start = dict(zip(map(id, texts), accumulate((len(words) for words in texts), initial=0), strict=False))
    shifts = [start[id(words)] for words in states]
    spans = [(shift + first, shift + end) for graph, shift in zip(graphs, shifts, strict=True) for first, end in graph.nodes]
    sizes = torch.tensor([end - first for first, end in spans], dtype=torch.long)
    positions = torch.tensor([word for first, end in spans for word in range(first, end)], dtype=torch.long)
    summed = torch.zeros(len(spans), width)
    if texts:
        summed.index_add_(0, torch.arange(len(spans)).repeat_interleave(sizes), torch.cat(texts)[positions])
    return summed / sizes[:, None]
