"""Precision and compilation: what a step computes in bf16, what torch.compile must not change, what is refused."""

import shutil

import pytest
import torch
from torch import nn

from relcon.contrast import WHOLE, Contrast, Pairing, Text, View
from relcon.encoding import embed, step
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective, Parts, Tower
from relcon.objectives.infonce import NTXent
from relcon.poolers.sentence import CLS
from relcon.poolers.spans import SpanPool
from relcon.settings import Training
from relcon.tasks.contrastive import Contrastive
from relcon.tasks.precision import full_precision
from relcon.testing import tiny_encoder, tiny_encoder_folder
from relcon.towers import HeadedTower
from relcon.training import compiling, device
from relcon.training.compiling import compile_encoders, require_compiler
from relcon.training.device import accelerator_for, require_device

WORDS = ("low", "doses", "of", "abirol", "strongly", "blocks", "beta", "kinase", "in", "cells", "while", "the", "loss", "fell")


class Noting(ContrastiveObjective):
    """NT-Xent that notes which precision it sees."""

    def __init__(self):
        super().__init__()
        self.inner, self.seen = NTXent(), set()

    def forward(self, anchors, candidates, pairing):
        self.seen |= {anchors.dtype, candidates.dtype, torch.get_float32_matmul_precision()}
        return self.inner(anchors, candidates, pairing)


def contrast(count=6):
    """Pairs of texts, each the other's positive, in one value."""
    views = [View(Text(tuple(WORDS[n % 5 :][: 3 + 4 * n % 7])), ((WHOLE,),)) for n in range(count)]
    same = torch.eye(count).roll(count // 2, 0)
    return {"contrast": Contrast(views, Pairing.of(same, 1 - same - torch.eye(count)))}


def task(dropout=0.1, encoder=None):
    torch.manual_seed(0)
    made = Contrastive("views", HeadedTower("text", "sentence", head=[16]), Noting())
    mean = SpanPool("mean", slots=1)  # under these random weights [CLS] is the same for every text
    made.build(Parts({"text": encoder or tiny_encoder(dropout=dropout)}, {"sentence": mean}, None))
    return made


def run(contrastive, batch, **options):
    """A step from the same random numbers: its loss and gradients."""
    contrastive.zero_grad()
    torch.manual_seed(5)
    loss = step({"contrast": contrastive}, batch, **options).loss
    return loss, {name: each.grad.clone() for name, each in contrastive.named_parameters() if each.grad is not None}


def farthest(some, others):
    assert some.keys() == others.keys()
    size = max(float(each.abs().max()) for each in some.values())
    return max(float((some[name] - others[name]).abs().max()) for name in some) / size


# ---- bf16 --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bf16():
    return accelerator_for(Training(device="cpu", precision="bf16")).autocast


def test_bf16_is_near_float32_and_leaves_losses_and_weights_in_float32(bf16):
    contrastive, batch = task(dropout=0.0), contrast()
    loss, gradients = run(contrastive, batch)
    half, halved = run(contrastive, batch, autocast=bf16)
    assert half != loss, "bf16 changed nothing: was it on?"
    assert half == pytest.approx(loss, rel=0.02)
    assert farthest(gradients, halved) < 0.1
    assert contrastive.objective.seen == {torch.float32, "highest"}
    assert {each.dtype for each in contrastive.parameters()} == {torch.float32} == {each.dtype for each in halved.values()}


def test_the_encoder_itself_runs_in_bf16(bf16):
    encoder = tiny_encoder()
    seen = []
    encoder.model.encoder.layer[0].attention.self.query.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    with bf16():
        encoder(encoder.prepare([Text(WORDS)]))
    assert seen == [torch.bfloat16]


def test_gradient_caching_under_bf16_is_the_plain_step(bf16):
    contrastive, batch = task(dropout=0.2), contrast()
    loss, plain = run(contrastive, batch, tokens=24, autocast=bf16)
    other, cached = run(contrastive, batch, tokens=24, cache=True, autocast=bf16)
    assert other == pytest.approx(loss, rel=1e-5)  # the same micro-batches, the same dropout, the same rounding
    assert farthest(plain, cached) < 0.02


# ---- tf32 --------------------------------------------------------------------------------------------------------------


def test_tf32_needs_a_gpu_that_has_it(monkeypatch):
    with pytest.raises(RelconError, match='"tf32" needs an NVIDIA GPU'):
        require_device(Training(device="cpu", precision="tf32"))
    monkeypatch.setattr(device, "has_tf32", lambda: True)
    require_device(Training(precision="tf32"))


@pytest.mark.parametrize("precision, matmul, mixed", [("tf32", "high", "no"), ("no", "highest", "no"), ("bf16", "highest", "bf16")])
def test_what_a_precision_switches(precision, matmul, mixed):
    try:
        assert accelerator_for(Training(device="cpu", precision=precision)).mixed_precision == mixed
        assert torch.get_float32_matmul_precision() == matmul
        with full_precision(torch.zeros(1)):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == matmul
    finally:
        torch.set_float32_matmul_precision("highest")


# ---- attention ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_attention_takes_the_fast_path_without_a_mask_where_nothing_is_padded(kind, monkeypatch):
    encoder = tiny_encoder(kind)
    assert encoder.model.config._attn_implementation == "sdpa"
    masks = []
    fast = nn.functional.scaled_dot_product_attention

    def spy(*given, **named):
        masks.append(named.get("attn_mask") is not None)
        return fast(*given, **named)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", spy)
    alike, mixed = [Text(WORDS[:4]), Text(WORDS[:4])], [Text(WORDS[:4]), Text(WORDS)]
    encoder(encoder.prepare(mixed))
    assert masks == [True, True], "one call a layer"
    masks.clear()
    encoder.eval()
    padless = encoder(encoder.prepare(alike))
    assert masks == [False, False]
    together = encoder(encoder.prepare(mixed))
    length = padless.states.shape[1]
    assert torch.allclose(padless.states[0], together.states[0, :length], atol=1e-5), "the mask changes nothing of what it hides"


# ---- compilation -------------------------------------------------------------------------------------------------------


def test_a_machine_without_a_compiler_is_refused(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RelconError, match=r"needs a C\+\+ compiler, and none of g\+\+.*apt install"):
        require_device(Training(device="cpu", compile=True))
    monkeypatch.setenv("CXX", "icpx")
    with pytest.raises(RelconError, match="CXX names 'icpx', which is not there"):
        require_compiler()


def test_a_compiler_that_does_not_work_is_refused(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")

    def broken(function):
        def call(_):
            raise RuntimeError("Python.h: no such file\nmore")

        return call

    monkeypatch.setattr(compiling.torch, "compile", broken)
    with pytest.raises(RelconError, match=r"does not work on this machine \(RuntimeError: Python.h: no such file\)"):
        require_compiler()


def test_what_compilation_must_not_change(tmp_path):
    """Names, saved files and depth; with a backend that traces and compiles nothing, so that it is quick."""
    folder = tiny_encoder_folder(tmp_path / "tiny")
    plain, compiled = tiny_encoder(dropout=0.1), tiny_encoder(dropout=0.1)
    torch._dynamo.reset()
    compiled.compile(dynamic=True, backend="aot_eager")
    assert list(compiled.state_dict()) == list(plain.state_dict())
    compiled.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "model.safetensors").stat().st_size == (folder / "model.safetensors").stat().st_size
    for depth in (None, 1, 0):
        one, other = (embed(Tower(encoder, CLS(), None, depth), contrast()["contrast"].anchors) for encoder in (plain, compiled))
        assert torch.allclose(one, other, atol=1e-5)
    torch._dynamo.reset()


@pytest.mark.skipif(not any(shutil.which(name) for name in compiling.COMPILERS), reason="there is no C++ compiler")
def test_a_compiled_step_is_the_plain_one():
    """The real compiler, one layer: loss and gradients with dropout."""
    require_compiler()
    torch._dynamo.reset()
    plain, compiled = task(dropout=0.2, encoder=tiny_encoder(dropout=0.2)), task(dropout=0.2, encoder=tiny_encoder(dropout=0.2))
    compiled.load_state_dict(plain.state_dict())
    compile_encoders([compiled.tower.encoder])
    batch = contrast()
    loss, gradients = run(plain, batch)
    other, others = run(compiled, batch)
    assert other == pytest.approx(loss, rel=1e-4)
    assert farthest(gradients, others) < 1e-3
    torch._dynamo.reset()
