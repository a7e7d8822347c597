"""PSPE's learning rates, by layer and by step."""

from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from torch import nn

from relcon.config import resolve
from relcon.testing import tiny_encoder_folder

FINE_TUNING = {"@optimizers": "relcon.BertAdamW.v1", "lr": 2.5e-5, "layer_decay": 0.9}
EXPECTED = {11: 2.5e-5, 10: 2.25e-5, 6: 1.476225e-5, 0: 7.845265e-6}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.ModuleDict:
    """An encoder of twelve layers, a span encoder and a head."""
    folder: Path = tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "bert", width=8, layers=12)
    encoder = resolve({"@encoders": "relcon.Transformer.v1", "path": str(folder)}, "[encoder]")
    pooler = resolve({"@poolers": "pspe.Span.v1", "state": 8, "channels": 2, "out": 4}, "[pooler]")
    return nn.ModuleDict({"encoder": encoder, "pooler": pooler, "head": nn.Linear(4, 2)})


def rates(model: nn.Module, **arguments: Any) -> Dict[str, float]:
    """Name of each parameter -> its rate."""
    optimizer: torch.optim.Optimizer = resolve({**FINE_TUNING, **arguments}, "[optimizer]").build(model)
    rate = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    return {name: rate[id(weight)] for name, weight in model.named_parameters()}


@pytest.mark.parametrize("optimizer", ["relcon.AdamW.v1", "relcon.BertAdamW.v1", "relcon.Adam.v1"])
def test_pspe_fact_14_rates_of_layers(model: nn.ModuleDict, optimizer: str) -> None:
    found = rates(model, **{"@optimizers": optimizer})
    for layer, rate in EXPECTED.items():
        inside = {found.pop(name) for name in list(found) if f"layer.{layer}." in name}
        assert inside and all(each == pytest.approx(rate, abs=1e-11) for each in inside)
    others = {rate for name, rate in found.items() if "layer." not in name}
    assert others == {2.5e-5}, "embeddings, BERT's pooler, span encoder and head"


def test_pspe_fact_14_heads_may_have_another_rate(model: nn.ModuleDict) -> None:
    found = rates(model, head_lr=1e-3)
    assert {rate for name, rate in found.items() if name.startswith(("pooler", "head"))} == {1e-3}
    assert {rate for name, rate in found.items() if "embeddings" in name} == {2.5e-5}
    assert all(rate == pytest.approx(EXPECTED[0], abs=1e-11) for name, rate in found.items() if "layer.0." in name)


def test_pspe_fact_14_embeddings_may_lie_below_the_lowest_layer(model: nn.ModuleDict) -> None:
    found = rates(model, decay_embeddings=True)
    assert all(rate == pytest.approx(2.5e-5 * 0.9**12) for name, rate in found.items() if "embeddings" in name)


@pytest.mark.parametrize(("step", "rate"), [(9_000, 5e-5), (18_000, 1e-4), (29_000, 5e-5), (40_000, 0.0)])
def test_pspe_fact_14_rates_of_steps(step: int, rate: float) -> None:
    schedule = resolve({"@schedules": "relcon.LinearWarmup.v1", "warm_steps": 18_000}, "[schedule]")
    assert 1e-4 * schedule.factor(step, 40_000) == pytest.approx(rate, abs=1e-12)
