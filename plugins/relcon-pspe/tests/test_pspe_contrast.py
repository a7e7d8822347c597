"""The contrast of span pairs with the core's queue, objective and momentum tower: acceptance facts."""

from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor

from relcon.config import resolve
from relcon.contrast import Contrast
from relcon.data.document import Document
from relcon.data.labels import LabelSet
from relcon.encoding import step
from relcon.interfaces import Draw, Parts, Split, TowerPlan
from relcon.testing import tiny_encoder

TARGET_QUERIES, CONTEXT_QUERIES = [[1.0, 0.0], [0.6, 0.8]], [[0.6, 0.8], [1.0, 0.0]]
CONTEXT_KEYS, TARGET_KEYS = [[0.8, 0.6], [0.0, 1.0]], [[0.0, 1.0], [0.8, 0.6]]
CONTEXT_QUEUE, TARGET_QUEUE = [[1.0, 0.0], [-0.6, 0.8], [0.0, -1.0]], [[0.6, -0.8], [-1.0, 0.0], [0.0, 1.0]]
TOWER = {"@towers": "pspe.Tower.v1", "encoder": "text", "pooler": "spans"}


def task(similarity: str = "dot", temperature: float = 0.2, size: int = 3) -> Any:
    block: Dict[str, Any] = {
        "@tasks": "relcon.Contrastive.v1",
        "stream": "sentences",
        "weight": 0.3,
        "anchors": TOWER,
        "candidates": {"@towers": "relcon.Momentum.v1", "momentum": 0.999},
        "adjusters": {"queue": {"@adjusters": "relcon.Queue.v1", "size": size, "lanes": 2}},
        "objective": {"@objectives": "relcon.InfoNCE.v1", "temperature": temperature, "similarity": similarity},
    }
    return resolve(block, "[task]").train().double()


def contrast(count: int, first: int = 0) -> Contrast:
    """What the sampler says of so many sentences."""
    documents = [Document(f"d{number}", ("word", "word", f"{number}")) for number in range(first, first + count)]
    sampler = resolve({"@samplers": "pspe.SpanPairs.v1", "batch_size": count, "max_span": 1, "shuffle": False}, "[sampler]")
    draw = Draw(0, torch.Generator(), tiny_encoder().vocabulary)
    (batch,) = sampler.batches(Split("train", documents, [], LabelSet(())), draw)
    value = batch["contrast"]
    assert isinstance(value, Contrast)
    return value


def loss(made: Any, queries: Tensor, keys: Tensor, first: int = 10) -> Tensor:
    """queries, keys: [2 B, D], of the target views and then the context views; of the context views and then the target views."""
    alive = torch.ones(len(queries), dtype=torch.bool)
    value = contrast(len(queries) // 2, first)
    return made.loss(value, {"anchors": queries, "candidates": keys}, {"anchors": alive, "candidates": alive})  # type: ignore[no-any-return]


def rows(*sides: List[List[float]]) -> Tensor:
    return torch.tensor([row for side in sides for row in side], dtype=torch.float64)


def filled(**arguments: Any) -> Any:
    """The task with the queues of the facts."""
    made = task(**arguments)
    keys = rows(CONTEXT_QUEUE, TARGET_QUEUE)
    loss(made, keys, keys, first=0)
    for adjuster in made.adjusters.values():
        adjuster.after_step()
    return made


QUERIES, KEYS = rows(TARGET_QUERIES, CONTEXT_QUERIES), rows(CONTEXT_KEYS, TARGET_KEYS)


@pytest.mark.parametrize(("temperature", "expected"), [(0.2, 0.676825), (1.0, 0.967862)])
@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_pspe_fact_01_loss(similarity: str, temperature: float, expected: float) -> None:
    made = filled(similarity=similarity, temperature=temperature)
    assert float(loss(made, QUERIES, KEYS)) == pytest.approx(expected, abs=1e-6)


def test_pspe_fact_01_each_direction_meets_the_other_view_s_queue() -> None:
    """Queries at right angles to everything of one side have an even softmax there: ln 4."""
    nothing = torch.zeros_like(QUERIES)
    target, context = (torch.cat([QUERIES[:2], nothing[2:]]), torch.cat([nothing[:2], QUERIES[2:]]))
    even = torch.log(torch.tensor(4.0)).item()
    assert float(loss(filled(), target, KEYS)) == pytest.approx((0.842395 + even) / 2, abs=1e-6)
    assert float(loss(filled(), context, KEYS)) == pytest.approx((0.511255 + even) / 2, abs=1e-6)


@pytest.mark.parametrize(("similarity", "expected"), [("dot", 0.878962), ("cosine", 0.676825)])
def test_pspe_fact_01_longer_vectors(similarity: str, expected: float) -> None:
    queries = QUERIES.clone()
    queries[0] = torch.tensor([2.0, 0.0])
    assert float(loss(filled(similarity=similarity), queries, KEYS)) == pytest.approx(expected, abs=1e-6)


def test_pspe_fact_02_gradients() -> None:
    """Those of the target direction's mean; the loss is half of it."""
    made, queries, keys = filled(), QUERIES.clone().requires_grad_(), KEYS.clone().requires_grad_()
    loss(made, queries, keys).backward()
    assert queries.grad is not None
    found = 2 * queries.grad[:2]
    torch.testing.assert_close(found, rows([[0.352994, -1.110426], [0.560343, -0.664486]]), rtol=0, atol=1e-6)
    assert not made.adjusters["queue"].held().vectors.requires_grad


def test_pspe_fact_02_keys_receive_none() -> None:
    """In a step, whose keys come from the momentum copy."""
    pooler = resolve({"@poolers": "pspe.SpanPair.v1", "state": 32, "channels": 2, "out": 4, "attention": 4, "positions": 2}, "[pooler]")
    made, seen = task().float(), {}
    made.build(Parts({"text": tiny_encoder()}, {"spans": pooler}, LabelSet(())))
    judged = made.loss
    made.loss = lambda value, vectors, alive: judged(value, seen.setdefault(len(seen), vectors), alive)
    for first in (0, 2):
        step({"contrast": made}, {"contrast": contrast(2, first)})
        made.after_step()
    assert bool(seen[1]["anchors"].grad.any()), "its queue is not empty"
    assert seen[1]["candidates"].grad is None
    assert not [name for name, each in made.candidate_tower.named_parameters() if each.grad is not None]


def test_pspe_fact_03_first_in_first_out() -> None:
    made = filled()
    loss(made, QUERIES, KEYS)
    made.adjusters["queue"].after_step()
    held = made.adjusters["queue"].held()
    expected = rows([[0, -1], [0.8, 0.6], [0, 1]], [[0, 1], [0, 1], [0.8, 0.6]])
    assert held.vectors.tolist() == expected.tolist() and held.tags.lane.tolist() == [0, 0, 0, 1, 1, 1]


def test_pspe_fact_03_an_empty_queue() -> None:
    made, queries = task(), QUERIES.clone().requires_grad_()
    found = loss(made, queries, KEYS)
    found.backward()
    assert float(found) == 0.0 and queries.grad is not None and not bool(queries.grad.any())
    assert made.figures()["idle_terms"] == 4


@pytest.mark.parametrize(("size", "expected"), [(3, 1.386294), (65_536, 11.090370)])
def test_pspe_fact_03_equal_similarities(size: int, expected: float) -> None:
    made = task(size=size)
    queue = made.adjusters["queue"]
    queue.vectors = torch.zeros(2, size, 2, dtype=torch.float64)
    queue.keys.fill_(-1)
    queue.pushed.fill_(size)
    assert float(loss(made, QUERIES, torch.zeros_like(KEYS))) == pytest.approx(expected, abs=1e-6)


def test_pspe_fact_04_momentum() -> None:
    pooler = resolve({"@poolers": "pspe.SpanPair.v1", "state": 32, "channels": 2, "out": 4, "attention": 4, "positions": 2}, "[pooler]")
    parts = Parts({"text": tiny_encoder()}, {"spans": pooler}, LabelSet(()))
    leader = resolve({**TOWER, "head": [3]}, "[tower]").build(parts).double()
    plan = resolve({"@towers": "relcon.Momentum.v1", "momentum": 0.999}, "[candidates]")
    assert isinstance(plan, TowerPlan)
    follower = plan.build_beside(parts, leader)
    pairs = list(zip(leader.parameters(), follower.parameters(), strict=True))
    assert pairs and all(one is not other and one.equal(other) for one, other in pairs), "it begins as a copy"
    names = {name for name, _ in follower.named_parameters()}
    assert all(any(name.startswith(part) for name in names) for part in ("encoder.", "pooler.span.", "pooler.positions", "head."))
    with torch.no_grad():
        leader.head[0][2].bias.copy_(torch.tensor([3.0, 0, 0.5]))
        follower.head[0][2].bias.copy_(torch.tensor([1.0, -2, 0.5]))
    expected = {1: [1.002, -1.998, 0.5], 2: [1.003998, -1.996002, 0.5], 1000: [2.264609, -0.735391, 0.5]}
    for number in range(1, 1001):
        follower.after_step()
        if number in expected:
            assert follower.head[0][2].bias.tolist() == pytest.approx(expected[number], abs=1e-6)
    assert leader.head[0][2].bias.tolist() == [3, 0, 0.5] and not any(each.requires_grad for each in follower.parameters())
