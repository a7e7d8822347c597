"""PSPE's span and span-pair encoders: the acceptance facts, the slow formulas, independence of what else is encoded, mistakes."""

from typing import Any, Dict, List, Sequence, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_pspe.blocks import Block
from relcon_pspe.pairs import TO_FIRST, TO_SECOND
from relcon_pspe.spans import words_of
from torch import Tensor, nn
from torch.nn import functional

from relcon.config import resolve
from relcon.contrast import Encoded, Span, Spans, Text, View
from relcon.data.labels import LabelSet
from relcon.encoding import encode
from relcon.errors import RelconError
from relcon.interfaces import Parts, Tower
from relcon.testing import check_pooler, tiny_encoder

Slot = Sequence[Tuple[int, int]]
"""Spans of positions [start, end)."""

Unit = Tuple[int, Sequence[Slot]]
"""A row and its slots."""

TINY = {"state": 6, "kernels": [2, 3, 4], "channels": 3, "out": 5, "dropout": 0.0}
WORDS_ONLY = torch.tensor([False, *[True] * 8, False])
"""Where words begin in a row of eight words, each of one piece, between special tokens."""


def build(name: str, **arguments: Any) -> Any:
    """A pooler of the plugin, as a config builds it."""
    return resolve({"@poolers": f"pspe.{name}.v1", **arguments}, "[pooler]")


def located(*units: Unit) -> Spans:
    """Units as `locate` gives them."""
    slots = len(units[0][1])
    flat = [
        (row, start, end, slots * number + slot)
        for number, (row, unit) in enumerate(units)
        for slot, spans in enumerate(unit)
        for start, end in spans
    ]
    row, start, end, slot = torch.tensor(flat, dtype=torch.long).reshape(-1, 4).T
    home = torch.tensor([row for row, _ in units])
    return Spans(row, start, end, slot, len(units), slots, torch.ones(len(units), dtype=torch.bool), home)


def rows(states: Tensor, begins: Tensor) -> Encoded:
    """States [B, L, H] without padding. begins: [B, L]."""
    return Encoded(states, torch.ones_like(begins), states[:, 0].tanh(), begins)


def line(values: Sequence[float]) -> Encoded:
    """One row of words of one number each."""
    return rows(torch.tensor(values)[None, :, None], torch.ones(1, len(values), dtype=torch.bool))


# ---- the specification, slowly -------------------------------------------------------------------------------------------


def slow_span(pooler: Any, words: Tensor) -> Tensor:
    """[out] of words [w, H], with k zeros before and behind them."""
    maxima = []
    for convolution in pooler.convolutions:
        (kernel,) = convolution.kernel_size
        padded = functional.pad(words, (0, 0, kernel, kernel))
        windows = functional.conv1d(padded.T[None], convolution.weight, convolution.bias)[0].T
        maxima.append(functional.gelu(windows).max(0).values)
    features = torch.cat(maxima)
    return pooler.mlp(torch.zeros_like(features) if pooler.empty == "zero" and not len(words) else features)  # type: ignore[no-any-return]


def words_in(encoded: Encoded, row: int, spans: Slot) -> Tensor:
    """[w, H] of the words in any of these spans."""
    assert encoded.begins is not None
    inside = [at for at in range(encoded.mask.shape[1]) if encoded.begins[row, at] and any(start <= at < end for start, end in spans)]
    return encoded.states[row, inside]


def slow_pair(pooler: Any, encoded: Encoded, row: int, unit: Sequence[Slot]) -> Tensor:
    """[out] of a pair whose slots have spans."""
    length = encoded.mask.shape[1]
    hulls = [(min(start for start, _ in slot), max(end for _, end in slot)) for slot in unit]
    swapped = hulls[1][0] < hulls[0][0]
    (first, a, b), (second, c, d) = [(unit[slot], *hulls[slot]) for slot in ((1, 0) if swapped else (0, 1))]
    around = [[(0, a)], first, [(b, c)] if b < c else [], second, [(max(b, d), length)]]
    vectors = [slow_span(pooler.span, words_in(encoded, row, spans)) for spans in around]
    scores = []
    for number, vector in enumerate(vectors):
        to_first, to_second = (number - 1, number - 3) if not swapped else (number - 3, number - 1)
        places = torch.cat([pooler.positions.weight[to_first + 3], pooler.positions.weight[to_second + 3]])
        summary = encoded.summary[row]  # type: ignore[index]
        inside = pooler.of_segment.weight @ vector + pooler.of_sentence.weight @ summary + pooler.of_positions.weight @ places
        scores.append(pooler.score.weight[0] @ functional.gelu(inside))
    return sum(weight * vector for weight, vector in zip(torch.stack(scores).softmax(0), vectors, strict=True))  # type: ignore[return-value]


# ---- facts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "expected"), [("tanh", [0.609181, 0.300200]), ("gelu", [0.556194, 0.479703])])
def test_pspe_fact_05_attention(activation: str, expected: List[float]) -> None:
    pair = build("SpanPair", state=2, out=2, attention=2, positions=1, dropout=0.0, activation=activation)
    with torch.no_grad():
        pair.of_segment.weight.copy_(torch.eye(2))
        pair.of_sentence.weight.copy_(torch.tensor([[1.0, 1], [0, 1]]))
        pair.of_positions.weight.copy_(torch.eye(2))
        pair.score.weight.copy_(torch.tensor([[1.0, -1]]))
        pair.positions.weight.copy_(torch.arange(-3, 4)[:, None] / 10)
    vectors = torch.tensor([[[1.0, 0], [0, 1], [0, 0], [1, 1], [-1, 1]]])
    summary = torch.tensor([[0.5, -0.5]])
    assert pair.attend(vectors, summary)[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert pair.attend(vectors, summary, torch.tensor([False])).equal(pair.attend(vectors, summary))
    assert pair.attend(vectors, summary, torch.tensor([True]))[0].tolist() != pytest.approx(expected, abs=1e-3)


def test_pspe_fact_06_rows_of_relative_positions() -> None:
    assert (TO_FIRST, TO_SECOND) == ((2, 3, 4, 5, 6), (0, 1, 2, 3, 4))
    pair = build("SpanPair")
    assert pair.positions.num_embeddings == 7
    there, back = pair.rows.tolist()
    assert [tuple(rows) for rows in zip(*there, strict=True)] == [TO_FIRST, TO_SECOND]
    assert [tuple(rows) for rows in zip(*back, strict=True)] == [TO_SECOND, TO_FIRST]


def maxima(weights: List[float], *spans: List[float]) -> List[float]:
    """The only feature of each span, all of them encoded at once."""
    encoder = build("Span", state=1, kernels=[2], channels=1, out=1)
    with torch.no_grad():
        encoder.convolutions[0].weight.copy_(torch.tensor([[weights]]))
        encoder.convolutions[0].bias.fill_(0.1)
    values = [value for span in spans for value in span]
    ends = torch.tensor([len(span) for span in spans]).cumsum(0).tolist()
    units: List[Unit] = [(0, [[(end - len(span), end)] if span else []]) for span, end in zip(spans, ends, strict=True)]
    encoded = line([*values, 9.0])
    return encoder.features(encoded.states, words_of(encoded, located(*units)))[:, 0].tolist()  # type: ignore[no-any-return]


def test_pspe_fact_08_span_convolution() -> None:
    found = maxima([0.5, -0.25], [2.0, -1.0], [3.0], [-3.0], [])
    assert found == pytest.approx([1.230514, 1.512321, 0.681987, 0.053983], abs=1e-6)
    assert maxima([0.5, -0.25], [-1.0, 2.0])[0] == pytest.approx(0.950767, abs=1e-6), "the released code reads words in reverse"
    assert maxima([-1.0, -1.0], [1.0, 2.0])[0] == pytest.approx(0.053983, abs=1e-6), "the window of zeros wins"


@pytest.mark.parametrize("other", [[], [7.0], [7.0, 8.0], [7.0, 8.0, 9.0], [7.0] * 6])
def test_pspe_fact_08_whatever_stands_beside_it(other: List[float]) -> None:
    assert maxima([0.5, -0.25], [3.0], other)[0] == maxima([0.5, -0.25], other, [3.0])[1] == pytest.approx(1.512321, abs=1e-6)


def test_pspe_fact_09_block() -> None:
    block = Block(3, 3).eval()
    with torch.no_grad():
        block[0].weight.copy_(torch.eye(3))
        assert block(torch.tensor([1.0, -1, 2])).tolist() == pytest.approx([-0.043701, -1.202310, 1.246010], abs=1e-6)
    assert [type(layer) for layer in block] == [nn.Linear, nn.GELU, nn.LayerNorm, nn.Dropout]
    assert block[1](torch.tensor([1.0, -1, 2])).tolist() == pytest.approx([0.841345, -0.158655, 1.954500], abs=1e-6)


def count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


class Wide(nn.Module):
    """What a tower asks of an encoder of BERT's size."""

    width = 768

    def __init__(self) -> None:
        super().__init__()
        self.any = nn.Linear(1, 1)


def test_pspe_fact_17_shapes_and_parameters() -> None:
    pair = build("SpanPair")
    assert count(pair.span.convolutions) == 691_500 and count(pair.span.mlp) == 90_900
    assert count(pair.of_segment, pair.of_sentence, pair.of_positions, pair.score) == 634_500
    assert count(pair.positions) == 700 and count(pair) == 1_417_600
    assert (pair.width(768), build("Span").width(768), build("Span", slots=2).width(768)) == (300, 300, 600)
    states = torch.randn(1, 10, 768)
    encoded = rows(states, WORDS_ONLY[None])
    assert pair(encoded, located((0, [[(1, 3)], [(5, 6)]]))).shape == pair(encoded, located((0, [[(1, 3)]]))).shape == (1, 300)
    block = {"@towers": "pspe.Tower.v1", "encoder": "text", "pooler": "spans", "head": [768, 768]}
    tower = resolve(block, "[tower]").build(Parts({"text": Wide()}, {"spans": pair}, LabelSet(("r",))))  # type: ignore[dict-item]
    assert [count(layer) for layer in tower.head] == [232_704, 592_128]
    assert tower.head(torch.randn(2, 300)).shape == (2, 768)


# ---- against the formulas ------------------------------------------------------------------------------------------------

LENGTH = 9
spans_of_positions = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 4)).map(lambda each: (each[0], min(sum(each), LENGTH)))


@st.composite
def texts(draw: Any) -> Encoded:
    """Up to three rows, words beginning anywhere."""
    begins = torch.tensor(draw(st.lists(st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH), min_size=1, max_size=3)))
    states = torch.randn(
        *begins.shape, TINY["state"], dtype=torch.float64, generator=torch.Generator().manual_seed(draw(st.integers(0, 99)))
    )
    return rows(states.requires_grad_(), begins)


def gradients(vectors: Tensor, encoded: Encoded, pooler: nn.Module) -> List[Tensor]:
    """Those of the states and of all parameters, of a sum that weighs every number otherwise."""
    weights = torch.linspace(-1, 2, vectors.numel(), dtype=vectors.dtype).view_as(vectors)
    wanted = [encoded.states, *pooler.parameters()]
    found = torch.autograd.grad((vectors * weights).sum(), wanted, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(leaf) if each is None else each for leaf, each in zip(wanted, found, strict=True)]


def agree(pooler: Any, encoded: Encoded, units: List[Unit], slow: List[Tensor]) -> None:
    """Vectors and gradients are those of the formula; a unit alone has the vector that it has beside others."""
    vectors = pooler(encoded, located(*units))
    torch.testing.assert_close(vectors, torch.stack(slow))
    for mine, theirs in zip(gradients(vectors, encoded, pooler), gradients(torch.stack(slow), encoded, pooler), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)
    for number, unit in enumerate(units):
        torch.testing.assert_close(pooler(encoded, located(unit))[0], vectors[number])


@settings(deadline=None, max_examples=20)
@given(st.data(), texts(), st.sampled_from(["cnn", "zero"]), st.integers(1, 2))
def test_spans_are_those_of_the_formula_and_depend_on_nothing_else(data: Any, encoded: Encoded, empty: str, slots: int) -> None:
    torch.manual_seed(0)
    pooler = build("Span", **TINY, empty=empty, slots=slots).double()
    slot = st.lists(spans_of_positions, max_size=2)
    unit = st.tuples(st.integers(0, len(encoded.mask) - 1), st.lists(slot, min_size=slots, max_size=slots))
    units = data.draw(st.lists(unit, min_size=1, max_size=5))
    slow = [torch.cat([slow_span(pooler, words_in(encoded, row, slot)) for slot in unit]) for row, unit in units]
    agree(pooler, encoded, units, slow)


@settings(deadline=None, max_examples=15)
@given(st.data(), texts(), st.sampled_from(["cnn", "zero"]))
def test_pairs_are_those_of_the_formula_and_depend_on_nothing_else(data: Any, encoded: Encoded, empty: str) -> None:
    """Spans may overlap, stand in either order, consist of several, and have no word at all."""
    torch.manual_seed(0)
    pooler = build("SpanPair", **TINY, empty=empty, attention=4, positions=2).double()
    nn.init.normal_(pooler.positions.weight)
    slot = st.lists(spans_of_positions, min_size=1, max_size=2)
    units = data.draw(
        st.lists(st.tuples(st.integers(0, len(encoded.mask) - 1), st.lists(slot, min_size=2, max_size=2)), min_size=1, max_size=4)
    )
    agree(pooler, encoded, units, [slow_pair(pooler, encoded, row, unit) for row, unit in units])


@pytest.fixture
def pair() -> Any:
    torch.manual_seed(0)
    return build("SpanPair", **TINY, attention=4, positions=2)


@pytest.fixture
def encoded() -> Encoded:
    return rows(torch.randn(1, 10, 6, generator=torch.Generator().manual_seed(1)), WORDS_ONLY[None])


def test_a_unit_of_one_slot_is_its_span(pair: Any, encoded: Encoded) -> None:
    found = pair(encoded, located((0, [[(2, 5)]]), (0, [[]])))
    torch.testing.assert_close(found[0], slow_span(pair.span, encoded.states[0, 2:5]))
    torch.testing.assert_close(found[1], slow_span(pair.span, encoded.states[0, :0]))


def test_head_and_tail_are_told_apart(pair: Any, encoded: Encoded) -> None:
    there, back = pair(encoded, located((0, [[(2, 3)], [(5, 7)]]), (0, [[(5, 7)], [(2, 3)]])))
    assert not torch.allclose(there, back, rtol=0, atol=1e-6)


def test_a_slot_without_spans_stands_behind_the_text(pair: Any, encoded: Encoded) -> None:
    """Behind the last word there is nothing, so the empty span [9, 9) of special positions is the same."""
    found = pair(encoded, located((0, [[(2, 4)], []]), (0, [[(2, 4)], [(9, 10)]])))
    torch.testing.assert_close(found[0], found[1])
    assert bool(torch.isfinite(pair(encoded, located((0, [[], []])))).all())


@pytest.mark.parametrize(("name", "slots"), [("Span", 1), ("SpanPair", 1), ("SpanPair", 2), ("Sentence", 2)])
def test_pooler_contract(name: str, slots: int) -> None:
    pooler = build(name, **({} if name == "Sentence" else {**TINY, "state": 8}))
    of_pairs = [each for each, _ in pooler.named_parameters() if not each.startswith("span.")] if name == "SpanPair" else []
    check_pooler(pooler, slots, idle=of_pairs if slots == 1 else ())


def test_of_several_slots_side_by_side() -> None:
    check_pooler(build("Span", **{**TINY, "state": 8}, slots=3), 3)


# ---- through an encoder --------------------------------------------------------------------------------------------------


def test_first_pieces_of_words_are_what_is_read() -> None:
    """`zqx` is three pieces; a span of it and its neighbour has two vectors, and a piece that begins no word is in no span."""
    torch.manual_seed(0)
    encoder, span = tiny_encoder().eval(), build("Span", **{**TINY, "state": 32}).eval()
    text = Text(("low", "zqx", "doses"))
    units = [((Span(1, 3),),), ((Span(1, 2, 0),),), ((Span(1, 2, 2),),)]
    states = encoder(encoder.prepare([text])).states[0]
    found, alive = encode(Tower(encoder, span), [View(text, unit) for unit in units])
    expected = [slow_span(span, states[at]) for at in ([2, 5], [2], [])]
    torch.testing.assert_close(found, torch.stack(expected))
    assert bool(alive.all())


def test_cropped_words_are_in_no_segment() -> None:
    torch.manual_seed(0)
    encoder = tiny_encoder(max_length=6).eval()
    pair = build("SpanPair", **{**TINY, "state": 32}, attention=4, positions=2).eval()
    long, short = Text(("low", "doses", "of", "cells", "blocks", "in")), Text(("low", "doses", "of", "cells"))
    unit = ((Span(0, 1),), (Span(2, 3),))
    found, _ = encode(Tower(encoder, pair), [View(long, unit), View(short, unit)])
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize(("vector", "kind", "pooled"), [("pooler", "bert", True), ("first", "bert", False)])
def test_the_vector_of_a_sentence(vector: str, kind: Any, pooled: bool) -> None:
    encoder = tiny_encoder(kind).eval()
    text = Text(("low", "doses"))
    made = encoder(encoder.prepare([text]))
    found, _ = encode(Tower(encoder, build("Sentence", vector=vector)), [View(text, ((Span(1, 2),),))])
    torch.testing.assert_close(found[0], made.summary[0] if pooled else made.states[0, 0])
    without, _ = encode(Tower(encoder, build("Sentence", vector=vector), depth=2), [View(text, ((Span(1, 2),),))])
    torch.testing.assert_close(without[0], made.states[0, 0])


# ---- the tower -----------------------------------------------------------------------------------------------------------


def tower(**arguments: Any) -> Any:
    return resolve({"@towers": "pspe.Tower.v1", "encoder": "text", "pooler": "spans", **arguments}, "[tower]")


def parts() -> Parts:
    return Parts({"text": tiny_encoder()}, {"spans": build("SpanPair", **{**TINY, "state": 32})}, LabelSet(("r",)))


def test_the_head_is_of_blocks_and_a_classifier_has_a_linear_layer_more() -> None:
    torch.manual_seed(0)
    head = tower(head=[300, 128], dropout=0.25).build(parts(), out=40).head
    assert [type(layer) for layer in head] == [Block, Block, nn.Linear]
    assert [layer[3].p for layer in head[:2]] == [0.25, 0.25] and [layer[2].eps for layer in head[:2]] == [1e-12, 1e-12]
    assert [tuple(layer[0].weight.shape) for layer in head[:2]] == [(300, 5), (128, 300)] and tuple(head[2].weight.shape) == (40, 128)
    for layer in (head[1][0], head[2]):
        assert 0.019 < layer.weight.std().item() < 0.021 and not bool(layer.bias.any())


def test_without_a_head_vectors_are_the_poolers() -> None:
    assert tower().build(parts()).head is None
    assert [type(layer) for layer in tower().build(parts(), out=3).head] == [nn.Linear]


# ---- mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Span", "SpanPair"])
def test_states_of_another_width_are_refused(name: str) -> None:
    with pytest.raises(RelconError, match=rf"pspe\.{name}\.v1 has state = 768, but the encoder's states are 32 wide\. Write state = 32\."):
        build(name).width(32)


def test_other_units_are_refused(pair: Any, encoded: Encoded) -> None:
    with pytest.raises(RelconError, match="slots = 1, but the views have 2"):
        build("Span", **TINY)(encoded, located((0, [[(1, 2)], [(3, 4)]])))
    with pytest.raises(RelconError, match="one slot or two, but the views have 3"):
        pair(encoded, located((0, [[(1, 2)], [(3, 4)], [(5, 6)]])))


def test_an_input_of_several_rows_is_refused(pair: Any) -> None:
    spans = located((0, [[(1, 2)], [(3, 4)]]))
    spans.row[1] = 1
    with pytest.raises(RelconError, match="cuts an input into several"):
        pair(rows(torch.randn(2, 10, 6), WORDS_ONLY.repeat(2, 1)), spans)


def test_states_without_word_starts_are_refused(pair: Any, encoded: Encoded) -> None:
    with pytest.raises(ValueError, match=r"Encoded\.begins"):
        pair(Encoded(encoded.states, encoded.mask, encoded.summary), located((0, [[(1, 2)], [(3, 4)]])))


WRONG: List[Tuple[str, Dict[str, Any]]] = [
    ("Span", {"kernels": []}),
    ("Span", {"kernels": [2, 0]}),
    ("Span", {"channels": 0}),
    ("Span", {"slots": 0}),
    ("Span", {"dropout": 1.0}),
    ("SpanPair", {"attention": 0}),
    ("SpanPair", {"positions": 0}),
    ("SpanPair", {"state": 0}),
]


@pytest.mark.parametrize(("name", "arguments"), WRONG)
def test_numbers_out_of_range_are_refused_by_name(name: str, arguments: Dict[str, Any]) -> None:
    with pytest.raises((RelconError, ValueError), match=next(iter(arguments))):
        build(name, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Span", {"empty": "one"}), ("SpanPair", {"activation": "relu"}), ("SpanPair", {"vector": "last"}), ("Sentence", {"vector": "last"})],
)
def test_unknown_words_are_refused_by_name(name: str, arguments: Dict[str, Any]) -> None:
    with pytest.raises((RelconError, ValueError), match=next(iter(arguments))):
        build(name, **arguments)


@pytest.mark.parametrize("arguments", [{"head": [8, 0]}, {"dropout": 1.0}])
def test_mistakes_of_a_tower_are_named(arguments: Dict[str, Any]) -> None:
    with pytest.raises(RelconError, match=next(iter(arguments))):
        tower(**arguments)
    with pytest.raises(RelconError, match=r"pooler 'spans'.*Did you mean 'span'"):
        tower().build(Parts({"text": tiny_encoder()}, {"span": build("Span")}, LabelSet(("r",))))
