"""The training loop: what it does to weights, rates and random streams, against plain computations."""

from itertools import islice
from typing import Any, Dict, Iterable, List

import pytest
import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch import nn

from relcon.contrast import Batch
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Sampler, Split
from relcon.poolers.sentence import CLS
from relcon.renderers.markers import EntityMarkers
from relcon.samplers.instances import Instances
from relcon.tasks.classification import Classification
from relcon.testing import tiny_encoder, tiny_split
from relcon.towers import HeadedTower
from relcon.training.loop import Loop, NonFiniteLoss, Phase, Stream
from relcon.training.schedules import BertLinear, Constant


def classification() -> Classification:
    torch.manual_seed(0)
    encoder = tiny_encoder(dropout=0.0)
    encoder.add_tokens(EntityMarkers().special_tokens)
    task = Classification("train", HeadedTower("text", "sentence"))
    task.build(Parts({"text": encoder}, {"sentence": CLS()}, tiny_split().labels))
    return task


def loop(task: Classification, batch_size: int, **changes: Any) -> Loop:
    data = tiny_split(12)
    sampler = Instances(EntityMarkers(), batch_size, shuffle=False)
    settings: Dict[str, Any] = {"steps": 100, "seed": 3, "clip": 0.0, **changes}
    optimizer = torch.optim.SGD(task.parameters(), lr=0.1)
    return Loop(
        "stage", task, {"relation": task}, {"train": Stream(sampler, data, None)}, optimizer, Constant(), Accelerator(cpu=True), **settings
    )


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def test_accumulated_batches_are_one_large_batch() -> None:
    instances = len(tiny_split(12).instances)
    whole, parts = classification(), classification()
    next(loop(whole, instances).epoch(0))
    assert instances % 2 == 0
    accumulated = loop(parts, instances // 2, accumulate=2)
    assert accumulated.steps_per_epoch == 1
    next(accumulated.epoch(0))
    assert torch.allclose(weights(whole), weights(parts), atol=1e-6)


def test_the_last_step_of_an_epoch_averages_the_batches_that_are_left() -> None:
    instances = len(tiny_split(12).instances)
    size = -(-instances // 3)  # three batches, two per step: the second step has one
    task = classification()
    running = loop(task, size, accumulate=2)
    records = list(running.epoch(0))
    assert len(records) == running.steps_per_epoch == 2
    assert [record.instances for record in records] == [2 * size, instances - 2 * size]
    assert records[1].loss == pytest.approx(records[1].parts["relation"])


def test_clipping_bounds_the_step() -> None:
    task = classification()
    before = weights(task)
    next(loop(task, 4, clip=0.01).epoch(0))
    assert (weights(task) - before).norm() <= 0.1 * 0.01 * 1.001  # learning rate times the largest norm


def test_the_schedule_sets_the_rate_of_each_step() -> None:
    running = loop(classification(), 4, steps=6)
    running.schedule = BertLinear(warmup=0.5)
    rates = [record.rate for epoch in range(running.epochs) for record in running.epoch(epoch)]
    assert rates == pytest.approx([0.1 * running.schedule.factor(step, 6) for step in range(6)])


def test_steps_end_in_the_middle_of_an_epoch() -> None:
    running = loop(classification(), 2, steps=3)
    assert running.steps_per_epoch > 3
    assert [record.step for record in running.epoch(0)] == [1, 2, 3]
    assert list(running.epoch(1)) == []


def test_an_epoch_repeats_itself_from_seed_and_number_alone() -> None:
    def after(noise: int) -> torch.Tensor:
        torch.manual_seed(0)
        encoder = tiny_encoder(dropout=0.3)
        encoder.add_tokens(EntityMarkers().special_tokens)
        task = Classification("train", HeadedTower("text", "sentence"))
        task.build(Parts({"text": encoder}, {"sentence": CLS()}, tiny_split().labels))
        torch.manual_seed(noise)  # what went on before the epoch must not matter
        list(loop(task, 4).epoch(1))
        return weights(task)

    assert torch.equal(after(1), after(2))


class Cycle(Sampler):
    """A second stream that notes which epochs it was asked for."""

    def __init__(self, inner: Sampler):
        self.inner, self.asked = inner, []  # type: ignore[var-annotated]

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        self.asked.append(draw.epoch)
        return self.inner.batches(data, draw)

    def length(self, data: Split) -> int:
        return self.inner.length(data)


class Miscounted(Cycle):
    """A sampler that promises another number of batches than it gives."""

    said = 0

    def length(self, data: Split) -> int:
        return self.said


@pytest.mark.parametrize("difference, there", [(-1, "more"), (2, "{}")])
def test_a_sampler_that_gives_other_than_it_promises(difference: int, there: str) -> None:
    running = loop(classification(), 4)
    stream = running.streams["train"]
    gives = stream.sampler.length(stream.data)
    sampler = Miscounted(stream.sampler)
    sampler.said = gives + difference
    running.streams = {"train": Stream(sampler, stream.data, None)}
    said = f"Miscounted promises {sampler.said} batches in epoch 1, but there are {there.format(gives)}: a defect of its package"
    with pytest.raises(RelconError, match=said):
        list(islice(running.batches("train", 0), 3 * sampler.said))  # a stream has no end of its own


def test_an_epoch_is_one_pass_over_the_first_stream_and_others_go_round() -> None:
    first, second = classification(), classification()
    second.stream = "other"
    data = tiny_split(12)
    other = Cycle(Instances(EntityMarkers(), len(data.instances)))  # one batch an epoch
    running = loop(first, 4)
    running.tasks = {"relation": first, "second": second}
    running.streams = {**running.streams, "other": Stream(other, data, None)}
    running.modules = nn.ModuleList([first, second])
    records: List[Any] = list(running.epoch(0))
    assert len(records) == running.steps_per_epoch
    assert other.asked[: len(records)] == list(range(len(records)))
    assert set(records[0].parts) == {"relation", "second"}
    assert records[0].loss == pytest.approx(sum(records[0].parts.values()))


def test_a_loss_that_is_not_finite_changes_no_weight_and_names_the_batch() -> None:
    task = classification()
    with torch.no_grad():
        task.tower.head[-1].bias[0] = float("nan")  # type: ignore[index]
    before = weights(task)
    running = loop(task, 4)
    with pytest.raises(NonFiniteLoss, match="step 1") as raised:
        next(running.epoch(0))
    assert tiny_split(12).instances[0].uid in str(raised.value)
    assert torch.equal(weights(task).nan_to_num(7.0), before.nan_to_num(7.0))


def test_a_scaled_loss_moves_the_weights_as_the_bare_one_does() -> None:
    """As in float16 on a GPU; the scaler of the CPU scales just so."""
    bare, scaled = classification(), classification()
    next(loop(bare, 6, clip=0.5).epoch(0))
    running = loop(scaled, 6, clip=0.5)
    running.accelerator.scaler = torch.amp.GradScaler("cpu")
    running.optimizer = AcceleratedOptimizer(running.optimizer, device_placement=False, scaler=running.accelerator.scaler)
    running.accelerator.unscale_gradients = lambda optimizer: running.accelerator.scaler.unscale_(optimizer.optimizer)  # asks for a GPU
    next(running.epoch(0))
    assert running.accelerator.scaler.get_scale() > 1
    assert torch.allclose(weights(bare), weights(scaled), atol=1e-6)


def phase(following: Loop, **changes: Any) -> Phase:
    """A phase over the same task and data, with an optimizer of its own."""
    return Phase(
        "stage.after",
        following.modules,
        following.tasks,
        following.streams,
        torch.optim.SGD(following.modules.parameters(), lr=0.1),
        Constant(),
        following.accelerator,
        steps=0,
        seed=3,
        title="after",
        **changes,
    )


def test_a_phase_counts_its_rate_in_epochs_and_its_steps_as_they_come() -> None:
    following = loop(classification(), 6)
    after = phase(following, of=4)
    after.schedule = BertLinear(0.0)
    following.phases = [after]
    assert after.epochs == 4
    rates = []
    for number in range(3):
        after.begin(0)
        assert after.steps == after.done + 2
        rates += [round(record.rate, 6) for record in after.epoch(number)]
    assert rates == [0.1, 0.1, 0.075, 0.075, 0.05, 0.05] and following.all_done == 6
    list(after.epoch(3, skip=1))
    assert after.done == 7, "what is done of an epoch is not done again"


def test_a_phase_without_a_batch_says_which_stream_lacks_it() -> None:
    following = loop(classification(), 6)
    after = phase(following, of=1)
    assert after.why_empty() is None
    after.streams = {**following.streams, "none": Stream(Nothing(), tiny_split(12), None)}
    assert after.why_empty() == "the stream 'none' has no batch"


class Nothing(Sampler):
    """No batch at all."""

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        return []

    def length(self, data: Split) -> int:
        return 0
