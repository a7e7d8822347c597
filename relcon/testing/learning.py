"""Checks for components that learn: encoders, poolers, objectives, and whole tasks through a step."""

import tempfile
from pathlib import Path
from typing import Any, Container, Dict, Iterator, Mapping, Sequence, Tuple

import torch
from torch import Tensor, nn

from relcon.config import resolve
from relcon.contrast import WHOLE, Batch, Contrast, Encoded, Input, Pairing, Spans, View
from relcon.encoding import evaluating, step
from relcon.interfaces import ContrastiveObjective, Encoder, Pooler, Request, Task, Tower
from relcon.poolers.spans import SpanPool
from relcon.testing.promises import check_reached, check_state, disturbed, expect, generator, same_tensors


def check_encoder(encoder: Encoder, inputs: Sequence[Input]) -> None:
    """Rows and places agree; an input's states do not depend on its neighbours; every trainable parameter gets a gradient; a
    cached step is the plain one; saved and built anew from its block it gives the same states.

    inputs: at least three, of different lengths. Nothing of the encoder is changed but its gradients.
    """
    with evaluating(encoder), torch.no_grad():
        prepared = encoder.prepare(inputs)
        encoded = encoder(prepared)
        _check_places(prepared, encoded, encoder.width)
        for number, each in enumerate(inputs):
            _check_alone(encoder, each, encoded, prepared.whole[number])
    encoder.zero_grad()
    encoded = encoder(encoder.prepare(inputs))
    (encoded.states[encoded.mask].pow(2).sum() + (0 if encoded.summary is None else encoded.summary.pow(2).sum())).backward()
    check_reached(encoder, "the encoder")
    encoder.zero_grad()
    views = [View(each, ((WHOLE,),)) for each in inputs]
    check_step({"task": Pull(Tower(encoder, SpanPool("mean", slots=1)))}, {"value": Contrast(views, ring(len(views)))}, tokens=16)
    _check_saved(encoder, inputs)


def _check_saved(encoder: Encoder, inputs: Sequence[Input]) -> None:
    """What `block` builds of what `save` wrote."""
    with tempfile.TemporaryDirectory() as folder:
        encoder.save(Path(folder))
        loaded = resolve(encoder.block(folder), "the block of a saved encoder")
    with evaluating(encoder), evaluating(loaded), torch.no_grad():
        mine, theirs = (each(each.prepare(inputs)).states for each in (encoder, loaded))
    expect(same_tensors(mine, theirs), "the encoder, saved and built anew from its block, gives other states")


def _check_places(prepared: Any, encoded: Encoded, width: int) -> None:
    rows, length = encoded.mask.shape
    expect(encoded.states.shape == (rows, length, width), f"states {tuple(encoded.states.shape)} for a mask {rows, length}, width {width}")
    expect(encoded.mask.dtype == torch.bool, "the mask must be boolean")
    for row, first, end in prepared.where.reshape(-1, 3).tolist():
        if first >= 0:
            expect(first < end <= length and bool(encoded.mask[row, first:end].all()), f"a word lies at [{first}, {end}) of row {row}")


def _check_alone(encoder: Encoder, each: Input, encoded: Encoded, whole: Tensor) -> None:
    """The states of an input encoded alone are those that it has among others."""
    row, start, end = whole.tolist()
    if start < 0:
        return
    alone = encoder(encoder.prepare([each])).states[0, start:end]
    worst = float((alone - encoded.states[row, start:end]).abs().max())
    expect(worst < 1e-4 * max(1.0, float(alone.abs().max())), f"an input's states differ by {worst:.1e} when it is encoded alone")


def check_pooler(pooler: Pooler, slots: int = 1, width: int = 8, idle: Container[str] = ()) -> None:
    """Vectors [U, D] of the promised width, finite where a slot is empty, untouched by positions behind the text, with
    gradients that reach the states and every trainable parameter; the same from another pooler with its state dict.

    slots: how many slots its units have. idle: names of parameters that units of so many slots do not use.
    """
    states = torch.randn(3, 6, width, generator=generator(), requires_grad=True)
    mask = torch.arange(6) < torch.tensor([6, 5, 4])[:, None]
    spans = _spans(slots)
    begins = mask & (torch.arange(6) > 0)
    vectors = pooler(Encoded(states, mask, states[:, 0], begins), spans)
    expect(vectors.shape == (3, pooler.width(width)), f"vectors {tuple(vectors.shape)}, promised [3, {pooler.width(width)}]")
    (vectors * torch.linspace(1, 2, vectors.shape[1])).sum().backward()  # their mere sum is always 0 behind a normalisation
    gradient = states.grad
    expect(bool(torch.isfinite(vectors).all()) and gradient is not None and bool(torch.isfinite(gradient).all()), "not finite")
    expect(gradient is not None and bool((gradient != 0).any()), "no gradient reaches the states")
    check_reached(pooler, "the pooler", idle)
    pooler.zero_grad()
    blurred = torch.where(mask[:, :, None], states.detach(), torch.full_like(states, 1e4))
    with evaluating(pooler), torch.no_grad():
        plain, padded = (pooler(Encoded(each, mask, states[:, 0], begins), spans) for each in (states, blurred))
        expect(torch.allclose(padded, plain), "padding changes the vectors")
        twin = disturbed(pooler)
        check_state(pooler, twin, "the pooler")
        loaded = twin(Encoded(states, mask, states[:, 0], begins), spans)
    expect(same_tensors(loaded, plain), "a pooler with the state dict of another gives other vectors: keep in buffers what it needs")


def _spans(slots: int) -> Spans:
    """Two whole units and one whose slots are empty, as `locate` gives them."""
    slot = torch.arange(2 * slots)
    start = 1 + slot % 2
    home = torch.arange(3)
    return Spans(slot // slots, start, start + 2, slot, 3, slots, torch.tensor([True, True, False]), home)


def check_step(tasks: Mapping[str, Task], batch: Batch, tokens: int = 16, tolerance: float = 1e-5) -> None:
    """Cached steps give the loss and every gradient of the same step with all graphs at hand, dropout on.

    tasks: built. batch: what their stream gave. tokens: positions per forward. tolerance: relative, for float32.
    """
    modules = nn.ModuleDict(dict(tasks))
    outcomes = []
    for cache in (False, True):
        modules.zero_grad()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            loss = step(tasks, batch, tokens=tokens, cache=cache).loss
            after = torch.get_rng_state()
        outcomes.append((loss, _gradients(modules), after))
    modules.zero_grad()
    (loss, plain, state), (other, cached, moved) = outcomes
    expect(plain.keys() == cached.keys(), f"caching changes which parameters get gradients: {sorted(plain.keys() ^ cached.keys())[:3]}")
    size = max([float(gradient.abs().max()) for gradient in plain.values()], default=0.0)
    expect(size > 0, "the step gives no gradient")
    worst = max(float((plain[name] - cached[name]).abs().max()) for name in plain)
    expect(worst <= tolerance * max(size, 1.0), f"gradients under caching differ by {worst:.1e} (the largest is {size:.1e})")
    expect(abs(loss - other) <= tolerance * max(abs(loss), 1.0), f"the loss is {loss}, under caching {other}")
    expect(torch.equal(state, moved), "caching moves the random stream on differently")


def _gradients(modules: nn.Module) -> Dict[str, Tensor]:
    return {name: parameter.grad.clone() for name, parameter in modules.named_parameters() if parameter.grad is not None}


class Pull(Task):
    """A joint task for the checks: squared distances of positives, less those of negatives."""

    reads = "value"

    def __init__(self, tower: Tower):
        super().__init__()
        self.tower = tower

    def build(self, parts: Any) -> None:
        """Nothing to make."""

    def requests(self, value: Contrast) -> Dict[str, Request]:
        """The anchors."""
        return {"anchors": Request(self.tower, value.anchors)}

    def loss(self, value: Contrast, vectors: Mapping[str, Tensor], alive: Mapping[str, Tensor]) -> Tensor:
        """Scaled by the number of pairs."""
        x = vectors["anchors"]
        pairing = value.pairing.to(x)
        return ((pairing.positives - 0.5 * pairing.negatives) * torch.tanh(x @ x.T / x.shape[1])).mean()


def ring(count: int) -> Pairing:
    """Each attracts its successor and repels the others."""
    me = torch.arange(count)
    positives = (me[None, :] == (me[:, None] + 1) % count).float()
    return Pairing.of(positives, 1 - positives - torch.eye(count))


# ---- objectives ----------------------------------------------------------------------------------------------------------


def check_objective(objective: ContrastiveObjective, duplicates: bool = True) -> None:
    """A finite scalar with finite gradients, also without positives, negatives or both; blind to the order of the batch and to
    pairs in neither mask; float32 and float64 agree; a duplicate taken out by `distinct` changes nothing; every trainable parameter
    gets a gradient, and the state dict holds all that the loss depends on.

    duplicates: False for an objective whose value must depend on how many views there are (a plain sum is fine).
    """
    objective.eval()
    anchors, pairing = _batch()
    _check_finite(objective, anchors, pairing)
    _check_order(objective, anchors, pairing)
    _check_ignored(objective, anchors, pairing)
    loss, _ = _value(objective, anchors, pairing)
    single, _ = _value(objective, anchors.float(), pairing)
    expect(torch.isclose(loss, single.double(), rtol=1e-4, atol=1e-5), f"{loss} in float64, {single} in float32")
    if duplicates:
        _check_duplicate(objective, anchors, pairing)
    objective.zero_grad()
    _value(objective, anchors, pairing)
    check_reached(objective, "the objective")
    objective.zero_grad()
    twin = disturbed(objective)
    check_state(objective, twin, "the objective")
    expect(same_tensors(_value(twin, anchors, pairing)[0], loss), "an objective with the state dict of another gives another loss")


def _batch() -> Tuple[Tensor, Pairing]:
    """Six views of three classes."""
    anchors = torch.randn(6, 5, generator=generator(), dtype=torch.double)
    label = torch.tensor([0, 0, 1, 1, 2, 2])
    same = (label[:, None] == label[None, :]).double()
    return anchors, Pairing.of(same - torch.eye(6), 1 - same, weights=torch.ones(6, dtype=torch.double))


def _value(objective: ContrastiveObjective, views: Tensor, pairing: Pairing) -> Tuple[Tensor, Tensor]:
    """The loss and its gradient with respect to the views."""
    views = views.clone().requires_grad_()
    loss = objective(views, views, pairing)
    expect(loss.shape == (), f"the loss has the shape {tuple(loss.shape)}, expected a scalar")
    if loss.requires_grad:
        loss.backward()
    return loss.detach(), torch.zeros_like(views) if views.grad is None else views.grad


def _check_finite(objective: ContrastiveObjective, anchors: Tensor, pairing: Pairing) -> None:
    for what, changed in _thinned(pairing):
        for views in (anchors, torch.zeros_like(anchors), anchors[:1].repeat(6, 1)):
            loss, gradient = _value(objective, views, changed)
            expect(bool(torch.isfinite(loss)) and bool(torch.isfinite(gradient).all()), f"loss or gradient is not finite {what}")
    _, gradient = _value(objective, anchors, pairing)
    expect(bool((gradient != 0).any()), "the gradient is zero for a batch with positives and negatives")


def _thinned(pairing: Pairing) -> Iterator[Tuple[str, Pairing]]:
    """The pairing and what may be left of it."""
    nothing = torch.zeros_like(pairing.positives)
    some = (torch.arange(6) > 2).double()[:, None]
    yield "for a full batch", pairing
    yield "where some anchors have no positive", Pairing.of(pairing.positives * some, pairing.negatives)
    yield "without positives", Pairing.of(nothing, pairing.negatives)
    yield "without negatives", Pairing.of(pairing.positives, nothing)
    yield "without any pair", Pairing.of(nothing, nothing)


def _check_order(objective: ContrastiveObjective, anchors: Tensor, pairing: Pairing) -> None:
    order = torch.randperm(6, generator=generator(3))
    moved = Pairing.of(pairing.positives[order][:, order], pairing.negatives[order][:, order], pairing.weights[order])
    loss, gradient = _value(objective, anchors, pairing)
    other, back = _value(objective, anchors[order], moved)
    expect(torch.isclose(loss, other) and torch.allclose(gradient[order], back), "the order of the batch changes the loss")


def _check_ignored(objective: ContrastiveObjective, anchors: Tensor, pairing: Pairing) -> None:
    loss, gradient = _value(objective, anchors, pairing)
    stranger = torch.full((1, anchors.shape[1]), 3.0, dtype=torch.double)
    nothing = torch.zeros(6, 1, dtype=torch.double)
    views = anchors.clone().requires_grad_()
    other = objective(views, torch.cat([views, stranger]), pairing.widened(nothing, nothing))
    other.backward()
    expect(torch.isclose(loss, other.detach()), f"a candidate in neither mask changes the loss from {loss} to {other}")
    expect(views.grad is not None and torch.allclose(gradient, views.grad), "a candidate in neither mask changes the gradient")


def _check_duplicate(objective: ContrastiveObjective, anchors: Tensor, pairing: Pairing) -> None:
    more = [*range(6), 0]
    widened = Pairing.of(pairing.positives[more][:, more], pairing.negatives[more][:, more], torch.ones(7, dtype=torch.double))
    loss, gradient = _value(objective, anchors, pairing)
    other, back = _value(objective, anchors[more], widened.distinct(torch.tensor(more)))
    same = torch.allclose(gradient, back[:6]) and bool((back[6] == 0).all())
    expect(torch.isclose(loss, other) and same, f"a duplicate that `distinct` took out changes the loss from {loss} to {other}")
