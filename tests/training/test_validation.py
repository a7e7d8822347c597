"""The loss on held-out data is what one computes by hand from the batches, and measuring it leaves no trace in training."""

import math
from typing import Any, Dict, List

import pytest
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from relcon.augmenters.deletion import RandomDeletion
from relcon.contrast import Batch
from relcon.encoding import embed
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Split
from relcon.objectives.infonce import NTXent
from relcon.poolers.sentence import CLS
from relcon.renderers.markers import EntityMarkers
from relcon.renderers.plain import Plain
from relcon.samplers.instances import Instances
from relcon.samplers.two_views import TwoViews
from relcon.tasks.classification import Classification
from relcon.tasks.contrastive import Contrastive
from relcon.testing import tiny_encoder, tiny_split
from relcon.towers import HeadedTower
from relcon.training.loop import Loop, NonFiniteLoss, Stream
from relcon.training.schedules import Constant
from relcon.training.seeding import generator
from relcon.training.validation import validate, validation_seconds

TEMPERATURE, WEIGHT = 0.1, 0.5


def held_out(count: int = 5) -> Split:
    """The last documents of the tiny corpus."""
    whole = tiny_split(12)
    return Split("dev", whole.documents[-count:], whole.instances[-count:], whole.labels)


@pytest.fixture
def loop() -> Loop:
    """A contrast and a classifier, each with a stream of its own, over one encoder with dropout."""
    torch.manual_seed(0)
    encoder, data = tiny_encoder(dropout=0.3), tiny_split(12)
    encoder.add_tokens(EntityMarkers().special_tokens)
    parts = Parts({"text": encoder}, {"sentence": CLS()}, data.labels)
    tasks: Dict[str, Any] = {
        "contrast": Contrastive("views", HeadedTower("text", "sentence"), NTXent(TEMPERATURE)),
        "relation": Classification("train", HeadedTower("text", "sentence"), weight=WEIGHT),
    }
    for task in tasks.values():
        task.build(parts)
    samplers = {"views": TwoViews(Plain(), RandomDeletion(), 2, drop_last=False), "train": Instances(EntityMarkers(), 4)}
    streams = {name: Stream(sampler, data, encoder.vocabulary) for name, sampler in samplers.items()}
    modules = nn.ModuleDict(tasks)
    optimizer = torch.optim.SGD(modules.parameters(), lr=0.1)
    return Loop("stage", modules, tasks, streams, optimizer, Constant(), Accelerator(cpu=True), steps=100, seed=3)


def batches(loop: Loop, name: str, data: Split, epoch: int) -> List[Batch]:
    """What a stream draws from held-out data."""
    stream = loop.streams[name]
    return list(stream.sampler.batches(data, Draw(epoch, generator(3, "stage", "validation", name, epoch), stream.vocabulary)))


def nt_xent(vectors: Tensor) -> float:
    """Rows 2k and 2k + 1 are partners."""
    unit = F.normalize(vectors, dim=1)
    logits = unit @ unit.T / TEMPERATURE
    rows = []
    for row in range(len(unit)):
        others = [column for column in range(len(unit)) if column != row]
        rows.append(float(torch.logsumexp(logits[row, others], 0) - logits[row, row ^ 1]))
    return sum(rows) / len(rows)


def test_the_loss_is_that_of_the_batches(loop: Loop) -> None:
    data = held_out()
    contrast, relation = loop.tasks["contrast"], loop.tasks["relation"]
    contrasts: List[Any] = [batch["contrast"] for batch in batches(loop, "views", data, 2)]
    labelled: List[Any] = [batch["instances"] for batch in batches(loop, "train", data, 2)]
    assert [len(each.anchors) for each in contrasts] == [4, 4, 2] and [len(each.views) for each in labelled] == [4, 1]
    first = [nt_xent(embed(contrast.tower, each.anchors)) for each in contrasts[:2]]  # type: ignore[arg-type]
    second = [float(F.cross_entropy(embed(relation.tower, each.views), each.labels)) for each in labelled]  # type: ignore[arg-type]
    parts = {"contrast": sum(first) / 3, "relation": sum(second) / 2}  # a lone pair has no negative, so its loss is 0
    found = validate(loop, data, 2)
    assert found.parts == pytest.approx(parts, abs=1e-5)
    assert found.loss == pytest.approx(parts["contrast"] + WEIGHT * parts["relation"], abs=1e-5)
    assert found.batches == 5 and min(first + second) > 0.01


def test_it_is_the_same_whatever_went_before_and_another_in_every_epoch(loop: Loop) -> None:
    found = []
    for noise, epoch in ((1, 0), (2, 0), (1, 1)):
        torch.manual_seed(noise)
        found.append(validate(loop, held_out(), epoch).parts)
    assert found[0] == found[1] and found[0]["contrast"] != found[2]["contrast"]


def test_training_goes_on_as_if_nobody_had_looked(loop: Loop) -> None:
    def epochs(look: bool) -> Any:
        """Two epochs, from the same weights."""
        loop.modules.load_state_dict(start)
        loop.done, records = 0, []
        for epoch in range(2):
            records += [{**vars(record), "seconds": 0} for record in loop.epoch(epoch)]
            if look:
                validate(loop, held_out(), epoch)
        return records

    start = {name: tensor.clone() for name, tensor in loop.modules.state_dict().items()}
    assert epochs(look=True) == epochs(look=False)


def test_it_learns_nothing_and_puts_the_mode_back(loop: Loop) -> None:
    before = {name: tensor.clone() for name, tensor in loop.modules.state_dict().items()}
    loop.modules.train()
    validate(loop, held_out(), 0)
    assert all(tensor.equal(before[name]) for name, tensor in loop.modules.state_dict().items())
    assert all(part.training for part in loop.modules.modules())
    assert all(parameter.grad is None for parameter in loop.modules.parameters())


def test_a_loss_that_is_not_finite_is_said(loop: Loop) -> None:
    with torch.no_grad():
        loop.tasks["relation"].tower.head[-1].bias[0] = math.nan  # type: ignore[union-attr, index, operator]
    with pytest.raises(NonFiniteLoss, match=r"the loss on 'dev' after epoch 1 is nan. Its batch held tiny-"):
        validate(loop, held_out(), 0)


def test_a_contrast_that_compares_nothing_is_refused(loop: Loop) -> None:
    with pytest.raises(RelconError, match="task 'contrast' measures nothing on 'dev': none of its 2 terms there has both"):
        validate(loop, held_out(1), 0)


def test_the_estimate_is_a_time(loop: Loop) -> None:
    assert validation_seconds(loop, held_out()) > 0
