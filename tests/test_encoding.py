"""Views to vectors, and the step: what is shared, cut into micro-batches and cached changes no loss and no gradient."""

import pytest
import torch
from torch import nn

from relcon.config.building import resolve
from relcon.contrast import WHOLE, Contrast, Labelled, Pairing, Span, Text, View
from relcon.data.labels import LabelSet
from relcon.encoding import embed, encode, step
from relcon.errors import RelconError
from relcon.interfaces import Parts, Request, Task, Tower
from relcon.planning import locate, plan
from relcon.poolers.sentence import CLS
from relcon.poolers.spans import SpanPool
from relcon.testing import check_step, tiny_encoder, tiny_instances

WORDS = ("low", "doses", "of", "abirol", "strongly", "blocks", "beta", "kinase", "in", "cells", "while", "the", "loss", "fell")


def views(count, pool=((WHOLE,),)):
    """Texts of different lengths, not in the order of their lengths."""
    return [View(Text(tuple(WORDS[n % 5 :][: 3 + 4 * n % 7])), pool) for n in range(count)]


class Pull(Task):
    """A joint task: positives together, negatives apart."""

    reads = "contrast"

    def __init__(self, tower, weight=1.0):
        super().__init__()
        self.tower, self.weight = tower, weight
        self.scale = nn.Parameter(torch.tensor(0.7))

    def build(self, parts):
        """Built already."""

    def requests(self, value):
        return {"anchors": Request(self.tower, value.anchors)}

    def loss(self, value, vectors, alive):
        x = vectors["anchors"]
        pairing = value.pairing.keep(alive["anchors"], alive["anchors"]).to(x)
        return ((pairing.negatives - pairing.positives) * torch.tanh(self.scale * x @ x.T / x.shape[1])).mean()


class Sort(Task):
    """A separable task: classes of views, and of one more view of each input that is asked for late."""

    reads, joint = "labelled", False

    def __init__(self, tower, weight=1.0):
        super().__init__()
        self.tower, self.weight, self.seen = tower, weight, []

    def build(self, parts):
        """Built already."""

    def requests(self, value):
        return {"views": Request(self.tower, value.views)}

    def part(self, value, vectors, numbers, more):
        late = more(self.tower, [value.views[n] for n in numbers.tolist()])
        self.seen += numbers.tolist()
        return nn.functional.cross_entropy(vectors + late, value.labels[numbers].to(vectors.device), reduction="sum")


def ring(count):
    me = torch.arange(count)
    positives = (me[None, :] == (me[:, None] + 1) % count).float()
    return Pairing.of(positives, 1 - positives - torch.eye(count))


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    return getattr(torch, request.param)


def build(precision=torch.float64, dropout=0.2):
    """A joint and a separable task on one encoder, heads with dropout of their own."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = tiny_encoder(dropout=dropout).to(precision)
        head = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 8)).to(precision)
        labels = nn.Sequential(nn.Dropout(dropout), nn.Linear(32, 3)).to(precision)
    tasks = {"sort": Sort(Tower(encoder, SpanPool("mean", 1), labels), 0.5), "pull": Pull(Tower(encoder, SpanPool("mean", 1), head), 2.0)}
    shared = views(7)
    batch = {"contrast": Contrast(shared, ring(7)), "labelled": Labelled(shared[2:] + views(2), torch.tensor([0, 1, 2, 0, 1, 2, 0]))}
    return encoder, nn.ModuleDict(tasks), batch


def outcome(tokens, cache, precision=torch.float64, dropout=0.2, **arguments):
    _, tasks, batch = build(precision, dropout)
    torch.manual_seed(5)
    result = step(dict(tasks.items()), batch, tokens=tokens, cache=cache, **arguments)
    return result, {n: p.grad for n, p in tasks.named_parameters() if p.grad is not None}, torch.get_rng_state()


def worst(one, other):
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.parametrize("tokens", [1, 16, 32])
def test_cached_is_plain_with_dropout(tokens, precision):
    limit = 1e-5 if precision == torch.float32 else 1e-10
    plain, cached = outcome(tokens, False, precision), outcome(tokens, True, precision)
    assert abs(plain[0].loss - cached[0].loss) < limit and plain[0].parts == pytest.approx(cached[0].parts, abs=limit)
    assert worst(plain[1], cached[1]) < limit
    assert max(float(gradient.abs().max()) for gradient in plain[1].values()) > 1e-3
    assert any(name.startswith("pull.scale") for name in plain[1]), "the objective's own parameters get gradients too"
    assert torch.equal(plain[2], cached[2]), "the random stream moves on in the same way"


def test_micro_batches_change_nothing_without_dropout():
    whole = outcome(0, False, dropout=0.0)
    for tokens, cache in ((1, False), (24, False), (24, True)):
        other = outcome(tokens, cache, dropout=0.0)
        assert abs(whole[0].loss - other[0].loss) < 1e-10 and worst(whole[1], other[1]) < 1e-10


def test_dropout_differs_from_micro_batch_to_micro_batch_and_from_step_to_step():
    _, tasks, batch = build()
    losses = {step(dict(tasks.items()), batch, tokens=16).loss for _ in range(3)}
    assert len(losses) == 3
    same = [View(Text(("low", "doses")), ((WHOLE,),)) for _ in range(4)]
    pull = Seeing(tasks["pull"].tower)
    step({"pull": pull}, {"contrast": Contrast(same, ring(4))}, tokens=1)
    assert len({tuple(row) for row in pull.vectors.tolist()}) == 4


class Seeing(Pull):
    """Keeps the vectors that it saw."""

    def loss(self, value, vectors, alive):
        self.vectors = vectors["anchors"].detach()
        return super().loss(value, vectors, alive)


def test_the_loss_is_the_weighted_sum_and_gradients_are_its_scaled_ones():
    result, gradients, _ = outcome(24, True)
    assert result.loss == pytest.approx(2.0 * result.parts["pull"] + 0.5 * result.parts["sort"])
    _, halved, _ = outcome(24, True, scale=0.5)
    assert worst({name: gradient / 2 for name, gradient in gradients.items()}, halved) < 1e-12


def test_gradients_are_added_and_can_be_left_out():
    _, tasks, batch = build(dropout=0.0)
    result = step(dict(tasks.items()), batch, tokens=24, backward=False)
    assert all(p.grad is None for p in tasks.parameters()) and result.parts.keys() == {"pull", "sort"}
    step(dict(tasks.items()), batch)
    once = {n: p.grad.clone() for n, p in tasks.named_parameters() if p.grad is not None}
    step(dict(tasks.items()), batch)
    assert worst({n: 2 * g for n, g in once.items()}, {n: p.grad for n, p in tasks.named_parameters() if p.grad is not None}) < 1e-10


@pytest.mark.parametrize("tokens, cache, calls, rows", [(0, False, 1, 9), (32, False, 3, 9), (32, True, 6, 18)])
def test_a_shared_input_is_encoded_once_per_pass(tokens, cache, calls, rows):
    encoder, tasks, batch = build()
    ran = []
    encoder.model.register_forward_hook(lambda module, arguments, out: ran.append(len(out.last_hidden_state)))
    result = step(dict(tasks.items()), batch, tokens=tokens, cache=cache)
    assert (len(ran), sum(ran)) == (calls, rows) and result.inputs == 9 and result.views == 14


def test_a_separable_task_alone_is_never_encoded_twice():
    encoder, tasks, batch = build()
    ran = []
    encoder.model.register_forward_hook(lambda *_: ran.append(1))
    step({"sort": tasks["sort"]}, batch, tokens=24, cache=True)
    assert len(ran) == 3 and sorted(tasks["sort"].seen) == list(range(7))


def test_equal_inputs_are_encoded_separately():
    encoder, _, _ = build()
    text = Text(("low", "doses"))
    twins = [View(text, ((WHOLE,),)), View(text, ((WHOLE,),)), View(Text(("low", "doses")), ((WHOLE,),))]
    pull = Seeing(Tower(encoder, CLS()))
    assert step({"pull": pull}, {"contrast": Contrast(twins, ring(3))}).inputs == 2
    assert torch.equal(pull.vectors[0], pull.vectors[1]) and not torch.equal(pull.vectors[0], pull.vectors[2])


def test_inputs_of_like_length_share_a_micro_batch_and_padding_is_counted():
    encoder, _, _ = build(dropout=0.0)
    short, long = Text(("low",)), Text(tuple(WORDS))
    mixed = [View(text, ((WHOLE,),)) for text in (short, long, Text(("of",)), Text(tuple(WORDS[::-1])))]
    result = step({"pull": Pull(Tower(encoder, CLS()))}, {"contrast": Contrast(mixed, ring(4))}, tokens=2 * (len(WORDS) + 2))
    assert result.tokens == result.positions == 2 * 3 + 2 * (len(WORDS) + 2)
    assert step({"pull": Pull(Tower(encoder, CLS()))}, {"contrast": Contrast(mixed, ring(4))}).positions == 4 * (len(WORDS) + 2)


def test_the_order_of_views_is_kept():
    encoder, _, _ = build(dropout=0.0)
    tower = Tower(encoder, SpanPool("mean", 1))
    alone = torch.cat([embed(tower, [view]) for view in views(6)])
    for tokens in (1, 16, 4096):
        assert torch.allclose(embed(tower, views(6), tokens=tokens), alone, atol=1e-12)


def test_cropped_inputs_and_lost_views_are_counted_and_marked():
    encoder = tiny_encoder(max_length=8)
    long = Text(tuple(WORDS[:10]))
    asked = [View(long, ((Span(0, 1),),)), View(long, ((Span(8, 10),),)), View(long, ((Span(0, 1), Span(9, 10)),)), View(long, ((),))]
    tower = Tower(encoder, SpanPool("mean", 1))
    vectors, alive = encode(tower, asked)
    assert alive.tolist() == [True, False, True, True]
    assert vectors[1].eq(0).all() and torch.equal(vectors[0], vectors[2])
    result = step({"pull": Pull(tower)}, {"contrast": Contrast(asked, ring(4))})
    assert (result.cropped, result.lost, result.inputs) == (1, 1, 1)


def test_a_lost_input_loses_its_whole_views_too():
    encoder = tiny_encoder(max_length=8)
    lost, fine = Text(tuple(WORDS), keep=((0, 10),)), Text(("low",))
    alive = encode(Tower(encoder, CLS()), [View(lost, ((WHOLE,),)), View(fine, ((WHOLE,),))])[1]
    assert alive.tolist() == [False, True]


def test_lost_views_do_not_count_in_a_separable_mean():
    encoder = tiny_encoder(max_length=8, dropout=0.0)
    tower = Tower(encoder, SpanPool("mean", 1), nn.Linear(32, 3))
    long = Text(tuple(WORDS))
    both = [View(long, ((Span(0, 1),),)), View(long, ((Span(12, 13),),))]
    losses = [step({"sort": Sort(tower)}, {"labelled": Labelled(v, torch.tensor([1, 2])[: len(v)])}).loss for v in (both, both[:1])]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    result = step({"sort": Sort(tower)}, {"labelled": Labelled(both[1:], torch.tensor([1]))})
    assert result.loss == 0.0 and result.lost == 1


def test_words_and_pieces():
    encoder = tiny_encoder()
    text = Text(("low", "zq", "doses"), second=("abirol",))
    prepared = encoder.prepare([text])

    def find(*spans):
        return locate(prepared, {text: 0}, [View(text, (spans,))])

    found = find(Span(0, 1), Span(1, 3), Span(1, 2, 1), Span(3, 4), WHOLE)
    assert list(zip(found.start.tolist(), found.end.tolist(), strict=True)) == [(1, 2), (2, 5), (3, 4), (6, 7), (0, 8)]
    for wrong in (Span(4, 5), Span(2, 5), Span(1, 2, 2), Span(0, 1, 1), Span(2, 2)):
        with pytest.raises(IndexError):
            find(wrong)


def test_a_word_that_only_a_longer_neighbour_has_is_an_error():
    encoder = tiny_encoder()
    short = Text(("low",))
    with pytest.raises(IndexError, match="does not have"):
        encode(Tower(encoder, SpanPool("mean", 1)), [View(Text(tuple(WORDS)), ((WHOLE,),)), View(short, ((Span(3, 4),),))])


def test_units_of_different_sizes_are_an_error():
    text = Text(("low",))
    with pytest.raises(ValueError, match="one number of slots"):
        encode(Tower(tiny_encoder(), CLS()), [View(text, ((WHOLE,),)), View(text, ((WHOLE,), (WHOLE,)))])


def test_towers_of_different_depth_run_apart():
    encoder, _, _ = build(dropout=0.0)
    shared = views(3)
    requests = {("a", "x"): Request(Tower(encoder, CLS(), depth=0), shared), ("b", "x"): Request(Tower(encoder, CLS()), shared)}
    assert [planned.ready().depth for planned in plan(requests)] == [0, None]


def test_a_frozen_tower_gets_no_gradient_and_the_other_does():
    encoder, _, _ = build()
    frozen = tiny_encoder(freeze_layers=2, dropout=0.1).double()

    class Across(Pull):
        def requests(self, value):
            return {"anchors": Request(self.tower, value.anchors), "candidates": Request(Tower(frozen, CLS()), value.anchors)}

        def loss(self, value, vectors, alive):
            return (vectors["anchors"] * vectors["candidates"]).sum(1).pow(2).mean()

    task = Across(Tower(encoder, CLS()))
    check_step({"across": task}, {"contrast": Contrast(views(5), ring(5))}, tokens=16)
    step({"across": task}, {"contrast": Contrast(views(5), ring(5))}, tokens=16, cache=True)
    assert all(p.grad is None for p in frozen.parameters()) and any(p.grad is not None for p in encoder.parameters())


def test_evaluation_mode_is_left_as_it_was():
    _, tasks, _ = build()
    tower = tasks["pull"].tower
    tasks.train()
    tower.head.eval()
    state = torch.get_rng_state()
    one, two = embed(tower, views(3)), embed(tower, views(3))
    assert torch.equal(one, two) and not one.requires_grad
    assert tower.encoder.training and not tower.head.training
    assert torch.equal(state, torch.get_rng_state())
    with pytest.raises(ValueError, match="no views"):
        embed(tower, [])


def test_mixed_precision_context_is_around_encoders_and_not_around_losses():
    _, tasks, batch = build(torch.float32)
    seen = {}

    class Watching(Pull):
        def loss(self, value, vectors, alive):
            seen["vectors"], seen["autocast"] = vectors["anchors"].dtype, torch.is_autocast_enabled("cpu")
            return super().loss(value, {"anchors": vectors["anchors"].float()}, alive)

    task = Watching(tasks["pull"].tower)
    for cache in (False, True):
        step({"pull": task}, batch, tokens=24, cache=cache, autocast=lambda: torch.autocast("cpu", torch.bfloat16))
        assert seen == {"vectors": torch.bfloat16, "autocast": False}
    assert all(bool(torch.isfinite(p.grad).all()) for p in tasks["pull"].parameters() if p.grad is not None)


def test_registered_parts_through_a_cached_step():
    tower = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "pair", "head": [16, 16]}
    block = {"@tasks": "relcon.Contrastive.v1", "stream": "views", "anchors": tower, "objective": {"@objectives": "relcon.NTXent.v1"}}
    pooler = resolve({"@poolers": "relcon.SpanPool.v1", "inside": "first"}, "pooler")
    renderer = resolve({"@renderers": "relcon.EntityMarkers.v1"}, "renderer")
    encoder = tiny_encoder(dropout=0.1)
    encoder.add_tokens(renderer.special_tokens)
    task = resolve(block, "task")
    task.build(Parts({"text": encoder}, {"pair": pooler}, LabelSet(("a",))))
    check_step({"contrast": task}, {"contrast": Contrast(renderer(tiny_instances(8)), ring(8))}, tokens=24)


def test_a_value_that_the_stream_does_not_give():
    pull = Pull(Tower(tiny_encoder(), CLS()))
    with pytest.raises(RelconError, match="Task 'pull' reads 'contrast', which its stream does not give"):
        step({"pull": pull}, {"contrasts": Contrast(views(3), ring(3))})
    with pytest.raises(ValueError, match="no views"):
        step({"pull": pull}, {"contrast": Contrast([], ring(3))})
