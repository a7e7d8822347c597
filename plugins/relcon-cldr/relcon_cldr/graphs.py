"""Small graphs over the words of a sentence, as inputs of a graph encoder (CoNLL 2021, section 3.2)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Tuple

import torch
from torch import Tensor

from relcon.contrast import Input, Text
from relcon_cldr.pairs import Node, Pair

Normalisation = Literal["symmetric", "row", "self_weight"]


@dataclass(frozen=True, eq=False)
class Graph(Input):
    """Nodes over the words of a text, with edges between them.

    text: where the nodes' first vectors come from. nodes: word spans. edges: pairs of node numbers, without direction.
    """

    text: Text
    nodes: Tuple[Node, ...]
    edges: Tuple[Tuple[int, int], ...]


def graph_of(text: Text, pairs: Tuple[Pair, ...], whole: bool = False) -> Graph:
    """The graph whose edges are these pairs; each node comes once, in the order met. whole: all other words are nodes too, behind them."""
    met = dict.fromkeys(node for pair in pairs for node in pair)
    taken = {word for start, end in met for word in range(start, end)}
    others = [(word, word + 1) for word in range(len(text.words)) if whole and word not in taken]
    nodes = (*met, *others)
    number = {node: place for place, node in enumerate(nodes)}
    return Graph(text, nodes, tuple((number[one], number[other]) for one, other in pairs))


def two_nodes(text: Text, pair: Pair) -> Graph:
    """The graph of one pair: two nodes in the pair's order and an edge."""
    return Graph(text, pair, ((0, 1),))


def adjacency(graph: Graph, normalisation: Normalisation, self_weight: float = 0.8) -> Tensor:
    """[N, N] with how much of each node flows into each, self-loops included.

    normalisation: of A + I with its degrees D: `symmetric` D^-1/2 (A + I) D^-1/2 (eq. 2; Kipf and Welling, ICLR 2017), `row`
    D^-1 (A + I). `self_weight` lambda: lambda I + (1 - lambda) D^-1 A with the degrees of A, for two nodes eq. 5's
    [[lambda, 1 - lambda], [1 - lambda, lambda]].
    """
    return _adjacency(len(graph.nodes), tuple(graph.edges), normalisation, self_weight).clone()


@lru_cache(maxsize=1024)
def _adjacency(size: int, edges: Tuple[Tuple[int, int], ...], normalisation: Normalisation, self_weight: float) -> Tensor:
    """As `adjacency`; graphs of few nodes are of few kinds, and all pairs of words of one."""
    bare = torch.zeros(size, size)
    for one, other in edges:
        bare[one, other] = bare[other, one] = 1.0
    eye = torch.eye(size)
    if normalisation == "self_weight":
        return self_weight * eye + (1 - self_weight) * bare / bare.sum(1, keepdim=True).clamp(min=1)
    looped = bare + eye
    degree = looped.sum(1)
    if normalisation == "row":
        return looped / degree[:, None]
    return looped / (degree[:, None] * degree[None, :]).sqrt()
