"""Learning rates over the steps. CLRE's fact 11 (both schedules at its printed steps) stands in the plugin's tests."""

import math

import pytest
import torch
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from relcon.interfaces import Schedule


def schedule(name, **arguments):
    return Schedule.registry.get(f"relcon.{name}.v1")(**arguments)


def library(make, steps, warm):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, seen = make(optimizer, warm, steps), []
    for _ in range(steps + 1):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


@pytest.mark.parametrize(("name", "make"), [("LinearWarmup", get_linear_schedule_with_warmup), ("Cosine", get_cosine_schedule_with_warmup)])
@pytest.mark.parametrize(("steps", "warmup", "warm"), [(1, 0.1, 0), (7, 0.5, 3), (100, 0.29, 29), (40, 0.0, 0)])
def test_equals_hugging_faces(name, make, steps, warmup, warm):
    want = library(make, steps, warm)
    assert [schedule(name, warmup=warmup).factor(t, steps) for t in range(steps + 1)] == pytest.approx(want)


@pytest.mark.parametrize(("warm", "horizon"), [(3, 20), (0, 7), (50, 20)])
def test_linear_warmup_by_steps_to_a_horizon_of_its_own_equals_hugging_faces(warm, horizon):
    want = library(get_linear_schedule_with_warmup, horizon, warm)[:6]
    assert [schedule("LinearWarmup", warm_steps=warm, horizon=horizon).factor(t, 6) for t in range(6)] == pytest.approx(want)


@pytest.mark.parametrize("arguments", [{"warm_steps": -1}, {"horizon": 0}])
def test_warm_steps_and_horizon_out_of_range(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        schedule("LinearWarmup", **arguments)


def test_bert_linear_falls_when_the_warmup_ends():
    factors = [schedule("BertLinear").factor(t, 100) for t in range(101)]
    assert factors[:11] == pytest.approx([t / 10 for t in range(10)] + [0.9])
    assert factors[11:] == pytest.approx([1 - t / 100 for t in range(11, 101)]) and factors[100] == 0


def test_constant_rises_and_stays():
    assert [schedule("Constant").factor(t, 10) for t in (0, 5, 20)] == [1, 1, 1]
    assert [schedule("Constant", warmup=0.2).factor(t, 10) for t in range(4)] == [0, 0.5, 1, 1]


@pytest.mark.parametrize("name", ["LinearWarmup", "BertLinear", "Cosine", "Constant"])
def test_factors_stay_between_0_and_1_and_bad_arguments_are_refused(name):
    for steps in (1, 2, 3, 17):
        assert all(0 <= schedule(name, warmup=0.3).factor(t, steps) <= 1 for t in range(steps + 3))
    for warmup in (-0.1, 1.0, math.inf):
        with pytest.raises(ValueError, match="warmup"):
            schedule(name, warmup=warmup)
    with pytest.raises(ValueError, match="steps"):
        schedule(name).factor(0, 0)
