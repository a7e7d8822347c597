"""The queue against slow models of it, and against the worked facts of PSPE's specification."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.contrast import Contrast, Pairing
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective

# ---- PSPE: a lane for context keys (0), which target queries meet, and one for target keys (1) ------------------------------

TARGET, CONTEXT = [[1, 0], [0.6, 0.8]], [[0.6, 0.8], [1, 0]]  # queries
CONTEXT_KEYS, TARGET_KEYS = [[0.8, 0.6], [0, 1]], [[0, 1], [0.8, 0.6]]
CONTEXT_QUEUE, TARGET_QUEUE = [[1, 0], [-0.6, 0.8], [0, -1]], [[0.6, -0.8], [-1, 0], [0, 1]]


def infonce(**arguments):
    return ContrastiveObjective.registry.get("relcon.InfoNCE.v1")(**{"temperature": 0.2, "similarity": "dot", **arguments})


@pytest.fixture
def filled(bare):
    """PSPE's two queues of three keys."""
    queue = bare.queue(3, lanes=2)
    bare.push(queue, CONTEXT_QUEUE + TARGET_QUEUE, bare.tags([0, 0, 0, 1, 1, 1]))
    return queue


def loss(bare, queue, judge, target=TARGET):
    """Of both directions of the two sentences."""
    anchors, candidates = torch.tensor(target + CONTEXT, dtype=torch.float), torch.tensor(CONTEXT_KEYS + TARGET_KEYS, dtype=torch.float)
    tags = bare.tags([0, 0, 1, 1], key=[7, 8, 7, 8])
    contrast = bare.contrast(tags, tags)
    return judge(anchors, *queue(anchors, candidates, contrast, contrast.pairing)).item()


def test_pspe_fact_01(bare, filled):
    assert loss(bare, filled, infonce()) == pytest.approx(0.676825, abs=1e-6)
    assert loss(bare, filled, infonce(temperature=1.0)) == pytest.approx(0.967862, abs=1e-6)
    longer = [[2, 0], TARGET[1]]
    assert loss(bare, filled, infonce(), longer) == pytest.approx(0.878962, abs=1e-6)
    assert loss(bare, filled, infonce(similarity="cosine"), longer) == pytest.approx(0.676825, abs=1e-6)


def test_pspe_fact_02(bare, filled):
    anchors = torch.tensor(TARGET, dtype=torch.float, requires_grad=True)
    keys = torch.tensor(CONTEXT_KEYS, dtype=torch.float)
    contrast = bare.contrast(bare.tags([0, 0]), bare.tags([0, 0]))
    candidates, pairing = filled(anchors, keys, contrast, contrast.pairing)
    infonce()(anchors, candidates, pairing).backward()
    assert anchors.grad.tolist() == [pytest.approx([0.352994, -1.110426], abs=1e-6), pytest.approx([0.560343, -0.664486], abs=1e-6)]
    assert not candidates.requires_grad and not any(each.requires_grad for each in filled.buffers())


def test_pspe_fact_03(bare, filled):
    bare.push(filled, CONTEXT_KEYS + TARGET_KEYS, bare.tags([0, 0, 1, 1]))
    assert filled.held().vectors.tolist() == torch.tensor([[0, -1], [0.8, 0.6], [0, 1], [0, 1], [0, 1], [0.8, 0.6]]).tolist()
    assert loss(bare, bare.queue(3, lanes=2), infonce()) == 0


@pytest.mark.parametrize("size, wanted", [(3, 1.386294), (65536, 11.090370)])
def test_pspe_fact_03_where_all_are_alike(bare, size, wanted):
    queue = bare.queue(size)
    tags = bare.tags([0] * size)
    nobody = Contrast(bare.views(1), Pairing.of(torch.zeros(1, size), torch.ones(1, size)), bare.views(size), bare.tags([0]), tags)
    queue(torch.zeros(1, 2), torch.zeros(size, 2), nobody, nobody.pairing)
    queue.after_step()
    one = bare.contrast(bare.tags([0]), bare.tags([0]))
    anchors = torch.zeros(1, 2)
    assert infonce()(anchors, *queue(anchors, anchors, one, one.pairing)).item() == pytest.approx(wanted, abs=1e-5)
    assert math.isclose(wanted, math.log(1 + size), abs_tol=1e-6)


# ---- what it holds -------------------------------------------------------------------------------------------------------


@st.composite
def histories(draw):
    """A size, a number of lanes, and steps of batches of (lane, key, label)."""
    lanes = draw(st.integers(1, 3))
    entry = st.tuples(st.integers(0, lanes - 1), st.integers(-1, 3), st.integers(-1, 2))
    batch = st.lists(entry, min_size=1, max_size=6)
    return draw(st.integers(1, 7)), lanes, draw(st.lists(st.lists(batch, max_size=3), min_size=1, max_size=6))


@settings(max_examples=80, deadline=None)
@given(histories())
def test_a_queue_is_a_list_per_lane_that_forgets_its_oldest(bare, history):
    size, lanes, steps = history
    queue, lists, number = bare.queue(size, lanes=lanes), [[] for _ in range(lanes)], 0
    for batches in steps:
        for batch in batches:
            before = [row.tolist() for row in queue.held().vectors]
            lane, key, label = zip(*batch, strict=True)
            vectors = torch.arange(number, number + len(batch)).float()[:, None] * torch.ones(2)
            tags = bare.tags(lane, key, label)
            contrast = bare.contrast(tags, tags)
            queue(vectors, vectors, contrast, contrast.pairing)
            assert [row.tolist() for row in queue.held().vectors] == before, "filled before the step was done"
            for at, entry in enumerate(batch):
                lists[entry[0]].append((float(number + at), *entry))
            number += len(batch)
        queue.after_step()
        held = queue.held()
        wanted = [entry for one in lists for entry in one[-size:]]
        assert held.vectors.shape[0] == len(wanted)
        columns = [held.vectors[:, 0].tolist() if len(wanted) else [], *(column.tolist() for column in held.tags)]
        assert list(zip(*columns, strict=True)) == wanted


@pytest.mark.parametrize("same_label", ["ignore", "positive", "negative"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_who_meets_whom(bare, same_label, data):
    """Against a double loop over anchors and queued vectors."""
    entry = st.tuples(st.integers(0, 1), st.integers(-1, 2), st.integers(-1, 2))
    stored, mine = (data.draw(st.lists(entry, min_size=1, max_size=6)) for _ in range(2))
    queue = bare.queue(8, lanes=2, same_label=same_label)
    bare.push(queue, torch.ones(len(stored), 2), bare.tags(*zip(*stored, strict=True)))
    tags = bare.tags(*zip(*mine, strict=True))
    contrast, vectors = bare.contrast(tags, tags), torch.ones(len(mine), 2)
    candidates, pairing = queue(vectors, vectors, contrast, contrast.pairing)
    assert len(candidates) == len(mine) + len(stored)
    pairing.check()
    theirs = list(zip(*(column.tolist() for column in queue.held().tags), strict=True))
    for row, (lane, key, label) in enumerate(mine):
        for column, (other_lane, other_key, other_label) in enumerate(theirs, len(mine)):
            met = lane == other_lane and not (key == other_key and key != -1)
            alike = label == other_label and label != -1
            attracts = met and alike and same_label == "positive"
            repels = met and (not alike or same_label == "negative")
            assert (pairing.positives[row, column].item(), pairing.negatives[row, column].item()) == (attracts, repels)


def test_no_gradient_reaches_what_is_queued(bare):
    queue, weight, tags = bare.queue(4), torch.ones(2, requires_grad=True), bare.tags([0, 0])
    contrast = bare.contrast(tags, tags)
    for _ in range(2):
        vectors = torch.tensor([[1.0, 0], [0, 1]]) * weight
        candidates, _ = queue(vectors, vectors, contrast, contrast.pairing)
        queue.after_step()
    assert len(candidates) == 4
    (queued,) = torch.autograd.grad(candidates[2:].sum(), weight, retain_graph=True)
    (own,) = torch.autograd.grad(candidates[:2].sum(), weight)
    assert queued.tolist() == [0, 0] and own.tolist() == [1, 1]


def test_what_is_in_no_pair_is_neither_stored_nor_held_against_the_queue(bare):
    queue = bare.queue(4)
    tags = bare.tags([0, 0, 0], key=[1, 2, 3])
    contrast = bare.contrast(tags, tags)
    alive = torch.tensor([True, False, True])
    vectors = torch.tensor([[1.0], [2], [3]])
    queue(vectors, vectors, contrast, contrast.pairing.keep(alive, alive))
    queue.after_step()
    assert queue.held().vectors.tolist() == [[1], [3]] and queue.held().tags.key.tolist() == [1, 3]
    pairing = queue(vectors, vectors, bare.contrast(bare.tags([0] * 3), tags), contrast.pairing.keep(alive, alive))[1]
    assert pairing.negatives[:, 3:].tolist() == [[1, 1], [0, 0], [1, 1]]


def test_it_stores_the_batchs_own_candidates_behind_another_queue(bare):
    one, two = bare.queue(4), bare.queue(4)
    tags = bare.tags([0, 0], key=[1, 2])
    for number in range(2):
        contrast, vectors = bare.contrast(tags, tags), torch.full((2, 1), float(number))
        candidates, pairing = one(vectors, vectors, contrast, contrast.pairing)
        two(vectors, candidates, contrast, pairing)
        one.after_step()
        two.after_step()
    assert two.held().vectors.tolist() == one.held().vectors.tolist() == [[0], [0], [1], [1]]


# ---- when ----------------------------------------------------------------------------------------------------------------


def test_the_first_steps_go_by_without_it_while_it_fills(bare):
    queue = bare.queue(10, warm_up=3)
    tags = bare.tags([0, 0])
    seen = []
    for _ in range(5):
        contrast, vectors = bare.contrast(tags, tags), torch.ones(2, 3)
        seen.append(len(queue(vectors, vectors, contrast, contrast.pairing)[0]))
        queue.after_step()
    assert seen == [2, 2, 2, 2 + 6, 2 + 8]


def test_it_fills_in_training_alone_and_takes_part_in_evaluation(bare):
    queue, tags = bare.queue(4), bare.tags([0, 0])
    bare.push(queue, torch.ones(2, 3), tags)
    queue.eval()
    contrast, vectors = bare.contrast(tags, tags), torch.zeros(2, 3)
    assert len(queue(vectors, vectors, contrast, contrast.pairing)[0]) == 4
    queue.train()
    queue.after_step()
    assert queue.held().vectors.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_how_long_it_takes_to_fill_is_said_once(bare, caplog):
    caplog.set_level("INFO", logger="relcon.adjusters.queue")
    for size, lanes in ((5, [0, 1, 1]), (1, [0, 1]), (3, [0, 0])):
        queue = bare.queue(size, lanes=2)
        for _ in range(3):
            bare.push(queue, torch.ones(len(lanes), 2), bare.tags(lanes))
    assert [record.getMessage() for record in caplog.records] == [
        "The queue of 5 vectors a lane (relcon.Queue.v1) is full after 5 optimizer steps of 1 each",
        "The queue of 3 vectors a lane (relcon.Queue.v1) is full after 2 optimizer steps of 2 each",
    ]


@pytest.mark.parametrize("size, keys, held", [(5, [[1, 2], [3, 1], [2, 3]], 2), (2, [[1, 2], [1, 2]], None), (5, [[-1, -1]] * 3, None)])
def test_sentences_that_come_again_before_it_is_full(bare, caplog, size, keys, held):
    """Once, whichever lane it is; sentences of another lane are others, and unknown ones equal nothing."""
    queue = bare.queue(size, lanes=3)
    bare.push(queue, torch.ones(2, 2), bare.tags([0, 0], key=keys[0]))
    for own in keys:
        bare.push(queue, torch.ones(2, 2), bare.tags([1, 1], key=own))
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == (held is not None)
    assert held is None or f"before the queue of 5 vectors a lane (relcon.Queue.v1) is full: it holds {held}." in said[0]


@pytest.mark.parametrize("stop", [0, 1, 4])
def test_loaded_into_a_fresh_one_it_goes_on_as_if_it_had_never_stopped(bare, stop):
    def run(queue, numbers):
        outs = []
        for number in numbers:
            vectors = torch.randn(3, 2, generator=torch.Generator().manual_seed(number), dtype=torch.double)
            tags = bare.tags([0, 1, 1], key=[number, number, number + 1])
            contrast = bare.contrast(tags, tags)
            candidates, pairing = queue(vectors, vectors, contrast, contrast.pairing)
            outs.append((candidates.clone(), pairing.negatives))
            queue.after_step()
        return outs

    whole, stopped = bare.queue(4, lanes=2, warm_up=2), bare.queue(4, lanes=2, warm_up=2)
    wanted = run(whole, range(7))
    run(stopped, range(stop))
    for fresh in (bare.queue(4, lanes=2, warm_up=2), copy.deepcopy(whole)):  # never filled, and filled with something else
        fresh.load_state_dict(copy.deepcopy(stopped.state_dict()))
        torch.testing.assert_close(run(fresh, range(stop, 7)), wanted[stop:], rtol=0, atol=0)


# ---- mistakes ------------------------------------------------------------------------------------------------------------


def test_without_tags_it_says_what_it_misses(bare):
    vectors, pairing = torch.ones(2, 2), Pairing.of(torch.eye(2), torch.zeros(2, 2))
    tags = bare.tags([0, 0])
    for contrast in (Contrast(bare.views(2), pairing), Contrast(bare.views(2), pairing, bare.views(2), tags)):
        with pytest.raises(RelconError, match=r"gives no tags.*relcon.TwoViews.v1"):
            bare.queue(4)(vectors, vectors, contrast, pairing)
    assert len(bare.queue(4)(vectors, vectors, Contrast(bare.views(2), pairing, anchor_tags=tags), pairing)[0]) == 2
    with pytest.raises(RelconError, match="entries for 2 views"):
        bare.queue(4)(vectors, vectors, Contrast(bare.views(2), pairing, anchor_tags=bare.tags([0])), pairing)


@pytest.mark.parametrize("lane", [2, -1])
def test_a_lane_that_is_not_there(bare, lane):
    tags = bare.tags([0, lane])
    contrast = bare.contrast(tags, tags)
    with pytest.raises(RelconError, match="lanes = 2"):
        bare.queue(4, lanes=2)(torch.ones(2, 2), torch.ones(2, 2), contrast, contrast.pairing)


@pytest.mark.parametrize("arguments", [{"size": 0}, {"size": 1, "lanes": 0}, {"size": 1, "warm_up": -1}])
def test_numbers_out_of_range(bare, arguments):
    with pytest.raises(ValueError, match="must be at least"):
        bare.queue(**arguments)


@pytest.mark.parametrize(
    ("warm_up", "first"), [(0, "first optimizer step,"), (1, "first optimizer step,"), (5, "first 5 optimizer steps (warm_up),")]
)
def test_why_a_contrast_that_it_feeds_learns_nothing(bare, warm_up, first):
    said = bare.queue(4, warm_up=warm_up).why_idle()
    assert first in said and "lower batch_size, accumulate or warm_up" in said
