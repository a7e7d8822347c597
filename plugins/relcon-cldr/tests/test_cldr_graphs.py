"""Graphs, the graph encoder and the three losses: the paper's formulas on numbers computed by hand."""

import math

import pytest
import torch
from relcon_cldr.encoder import GraphConvolution
from relcon_cldr.graphs import Graph, adjacency, graph_of, two_nodes
from relcon_cldr.states import FrozenStates

from relcon.contrast import WHOLE, Pairing, Span, Text, View
from relcon.encoding import embed
from relcon.errors import RelconError
from relcon.interfaces import Tower
from relcon.objectives.infonce import InfoNCE
from relcon.poolers.spans import SpanPool
from relcon.testing import tiny_encoder

W = torch.tensor([[1.0, -0.5], [0.5, 1.0]])
TEXT = Text(("a", "b", "c"))
STAR = Graph(TEXT, ((0, 1), (1, 2), (2, 3)), ((0, 1), (0, 2)))


class Given(torch.nn.Module):
    """Stands for the encoder of a graph encoder whose features a test sets."""

    width = 2


def convolution(features, **arguments):
    """A graph encoder with the weights above and given features of every text: [W, 2]."""
    encoder = GraphConvolution(Given(), **arguments)
    encoder.weight.data = W.clone()
    encoder.frozen.of = lambda texts: [torch.tensor(features) for _ in texts]
    return encoder


def states(encoder, graph):
    """The nodes of one graph after the convolution."""
    return encoder(encoder.prepare([graph])).states[0].detach()


def close(found, wanted, digits=6):
    torch.testing.assert_close(torch.as_tensor(found), torch.tensor(wanted), atol=2 * 10**-digits, rtol=0)  # float32


def test_cldr_fact_01_normalisation():
    close(adjacency(STAR, "symmetric"), [[0.333333, 0.408248, 0.408248], [0.408248, 0.5, 0], [0.408248, 0, 0.5]])
    close(adjacency(STAR, "row"), [[1 / 3, 1 / 3, 1 / 3], [1 / 2, 1 / 2, 0], [1 / 2, 0, 1 / 2]])
    close(adjacency(two_nodes(TEXT, ((0, 1), (1, 2))), "symmetric"), [[0.5, 0.5], [0.5, 0.5]])
    close(adjacency(two_nodes(TEXT, ((0, 1), (1, 2))), "self_weight", 0.8), [[0.8, 0.2], [0.2, 0.8]])


def test_cldr_fact_01_lambda_of_a_half_makes_both_nodes_equal():
    encoder = convolution([[1.0, 0.0], [0.0, 1.0]], self_weight=0.5, bias=False)
    close(states(encoder, two_nodes(TEXT, ((0, 1), (1, 2)))), [[0.75, 0.25], [0.75, 0.25]])


FEATURES = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.5]]
"""Drug, adverse effect, two other words."""

WORDS = torch.tensor([[0.9, 0.2], [0.1, 0.8], [-0.3, 0.7], [0.5, -0.6]])
PAIRS = [(0, 1), (0, 2), (3, 1)]


def graphs_of_pairs(**arguments):
    """[3, 4] the graph vectors of the gold pair and two wrong ones, by fact 2's weights."""
    encoder = convolution(FEATURES, **arguments)
    text = Text(("d", "a", "n", "m"))
    views = [View(two_nodes(text, ((i, i + 1), (j, j + 1))), ((Span(0, 1),), (Span(1, 2),))) for i, j in PAIRS]
    return embed(Tower(encoder, SpanPool(inside="first", slots=2)), views)


def text_pairs(relu=False):
    pairs = torch.stack([torch.cat([WORDS[i], WORDS[j]]) for i, j in PAIRS])
    return pairs.relu() if relu else pairs


def eq5(graphs, copies=1, **arguments):
    first = torch.tensor([[1.0, 0.0, 0.0]])
    pairing = Pairing.of(torch.block_diag(*[first] * copies), torch.block_diag(*[1 - first] * copies))
    return InfoNCE(temperature=0.1, **arguments)(text_pairs()[:1].repeat(copies, 1), graphs.repeat(copies, 1), pairing).item()


def matched(graphs, relu):
    pairing = Pairing.of(torch.diag(torch.tensor([1.0, 0, 0])), torch.diag(torch.tensor([0, 1.0, 1])), groups=torch.zeros(3).long())
    return InfoNCE(temperature=0.1)(text_pairs(relu), graphs, pairing).item()


def test_cldr_fact_02_graph_vectors():
    close(graphs_of_pairs(bias=False), [[0.9, 0, 0.6, 0.7], [1.1, 0, 1.4, 0.3], [0, 1, 0.25, 1]])


def test_cldr_fact_02_losses():
    graphs = graphs_of_pairs(bias=False)
    close(eq5(graphs), 0.091890)
    close(matched(graphs, relu=False), 0.004755)
    close(matched(graphs, relu=True), 0.082100)
    close(eq5(graphs, copies=2, reduction="sum"), 0.183780)
    close(eq5(graphs, copies=2), 0.091890)


def test_cldr_fact_02_with_a_bias():
    encoder = convolution(FEATURES)
    encoder.bias.data = torch.tensor([0.1, -0.1])
    text = Text(("d", "a", "n", "m"))
    views = [View(two_nodes(text, ((i, i + 1), (j, j + 1))), ((Span(0, 1),), (Span(1, 2),))) for i, j in PAIRS]
    graphs = embed(Tower(encoder, SpanPool(inside="first", slots=2)), views)
    close(eq5(graphs), 0.107074)
    close(matched(graphs, relu=True), 0.102334)


def test_cldr_fact_03_clgs():
    encoder = convolution([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]], activation="tanh", normalisation="symmetric", bias=False)
    close(states(encoder, STAR), [[0.321513, 0.693130], [0.577196, 0.287534], [0.156940, 0.497423]])
    view = [View(STAR, ((WHOLE,),))]
    mean, largest = (embed(Tower(encoder, SpanPool(inside=inside, slots=1)), view) for inside in ("mean", "max"))
    close(mean, [[0.351883, 0.492695]])
    close(largest, [[0.577196, 0.693130]])
    candidates = torch.cat([mean, torch.tensor([[0.3, -0.1], [-0.2, 0.5]])])
    pairing = Pairing.of(torch.tensor([[1.0, 0, 0]]), torch.tensor([[0, 1.0, 1]]))
    sentence = torch.tensor([[0.2, 0.4]])
    close(InfoNCE(temperature=0.1)(sentence, candidates, pairing).item(), 0.038843)
    close(InfoNCE(temperature=1.0)(sentence, candidates, pairing).item(), 0.766703)


def tokens(vectors, tags, anchors=None):
    """Every other token sampled: equal tags attract."""
    same = torch.tensor(tags)[:, None] == torch.tensor(tags)[None, :]
    other = ~torch.eye(len(tags), dtype=torch.bool)
    weights = torch.ones(len(tags)) if anchors is None else torch.tensor(anchors)
    return torch.tensor(vectors), Pairing.of((same & other).float(), (~same).float(), weights)


@pytest.mark.parametrize("temperature, total, mean", [(0.1, 0.005704, 0.001426), (0.5, 1.634816, 0.408704)])
def test_cldr_fact_04_clner(temperature, total, mean):
    vectors, pairing = tokens([[1.0, 0], [0.9, 0.1], [0, 1], [0.2, 0.8], [-1, 0.2]], [0, 0, 2, 2, 4])
    for reduction, wanted in (("sum", total), ("anchors", mean)):
        close(InfoNCE(temperature=temperature, several="inside", reduction=reduction)(vectors, vectors, pairing).item(), wanted)


def test_cldr_fact_05_several_positives_stand_inside_the_logarithm():
    vectors, pairing = tokens([[1.0, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]], [2, 2, 2, 4], anchors=[1.0, 1, 1, 0])
    close(InfoNCE(temperature=0.5, several="inside")(vectors, vectors, pairing).item(), 0.309102)
    close(InfoNCE(temperature=0.5)(vectors, vectors, pairing).item(), 1.162501)


# ---- the encoder on texts ------------------------------------------------------------------------------------------------


@pytest.fixture
def features():
    return tiny_encoder(max_length=12)


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "cache")


def test_features_are_the_frozen_encoders_states_of_the_words(features, cache):
    encoder = GraphConvolution(features, cache=cache)
    text = Text(("low", "doses", "of", "abirol"))
    found = encoder.prepare([two_nodes(text, ((0, 1), (2, 4)))]).tensors["features"][0]
    with torch.no_grad():
        features.eval()
        prepared = features.prepare([text])
        rows = features(prepared).states[0]
    first = prepared.where[0, :, 1]
    torch.testing.assert_close(found[0], rows[first[0]])
    torch.testing.assert_close(found[1], (rows[first[2]] + rows[first[3]]) / 2)


def test_states_are_computed_once_and_kept_on_disk(features, cache, monkeypatch):
    calls = []
    forward = type(features).forward
    monkeypatch.setattr(type(features), "forward", lambda self, *rest: calls.append(1) or forward(self, *rest))
    text = Text(("low", "doses", "of", "abirol"))
    states = FrozenStates(features, cache=cache)
    first = states.of([text, Text(text.words)])
    states.of([text])
    again = FrozenStates(features, cache=cache).of([text])
    assert len(calls) == 1
    assert torch.equal(first[0], again[0])


def test_other_weights_have_other_states(features, cache):
    text = Text(("low", "doses"))
    before = FrozenStates(features, cache=cache).of([text])[0]
    with torch.no_grad():
        next(features.parameters()).mul_(2)
    assert not torch.equal(before, FrozenStates(features, cache=cache).of([text])[0])


def test_a_node_that_cropping_took_loses_its_view(features, cache):
    encoder = GraphConvolution(features, cache=cache)
    long = Text(tuple("abcdefghijklmnop"))
    from relcon.encoding import encode

    views = [View(two_nodes(long, ((0, 1), (at, at + 1))), ((Span(0, 1),), (Span(1, 2),))) for at in (1, 15)]
    vectors, alive = encode(Tower(encoder, SpanPool(inside="first", slots=2)), views)
    assert alive.tolist() == [True, False]
    assert not vectors.isnan().any()


def test_only_w_and_b_train_and_are_in_its_state(features, cache):
    encoder = GraphConvolution(features, cache=cache)
    assert sorted(encoder.state_dict()) == ["bias", "weight"]
    encoder(encoder.prepare([two_nodes(Text(("low", "doses")), ((0, 1), (1, 2)))])).states.sum().backward()
    assert all(parameter.grad is None for parameter in features.parameters())
    assert encoder.weight.grad is not None


def test_saved_and_loaded_equal(features, cache, tmp_path):
    from relcon.config.building import resolve

    encoder = GraphConvolution(features, activation="tanh", normalisation="row", bias=False, cache=cache)
    encoder.save(tmp_path / "graph")
    again = resolve(encoder.block(str(tmp_path / "graph")), "encoder")
    graph = graph_of(Text(("low", "doses", "of")), (((0, 1), (1, 2)), ((0, 1), (2, 3))))
    assert torch.equal(states(encoder, graph), states(again, graph))


@pytest.mark.parametrize("arguments", [{"self_weight": 1.5}, {"activation": "gelu"}, {"initial": "zeros"}])
def test_arguments_out_of_range(features, arguments):
    with pytest.raises(ValueError):
        GraphConvolution(features, **arguments)


def test_weights_of_another_width_are_refused(features, cache, tmp_path):
    GraphConvolution(Given(), cache=cache).frozen  # noqa: B018
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2, 2), "bias": torch.zeros(2)}, tmp_path / "graph.safetensors")
    with pytest.raises(RelconError, match="does not fit"):
        GraphConvolution(features, path=str(tmp_path))


@pytest.mark.parametrize("initial, deviation", [("kaiming", math.sqrt(2 / 32)), ("xavier", 0.02 * math.sqrt(2 / 64))])
def test_initial_weights(features, initial, deviation):
    torch.manual_seed(0)
    assert GraphConvolution(features, initial=initial).weight.std().item() == pytest.approx(deviation, rel=0.1)
