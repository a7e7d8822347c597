"""The contrastive task, through the encoding engine."""

import pytest
import torch
from torch import nn

from relcon.contrast import Contrast, Pairing, Tags, Text, View
from relcon.encoding import step
from relcon.interfaces import Adjuster, ContrastiveObjective, Task, TowerPlan
from relcon.samplers.pairings import partners

TEXTS = ["the cat sees a dog", "the cat hears a dog", "a bird sees the cat", "a bird hears the cat today"]


def objective(name="NTXent", **arguments):
    return ContrastiveObjective.registry.get(f"relcon.{name}.v1")(**arguments)


def task(parts, anchors, judge=None, **arguments):
    made = Task.registry.get("relcon.Contrastive.v1")("views", anchors, judge or objective(), **arguments)
    made.build(parts)
    return made


def vectors(tower, views):
    """The views one by one: nothing shared, nothing batched."""
    rows = []
    for each in views:
        prepared = tower.encoder.prepare([each.input])
        rows.append(tower.head(tower.encoder(prepared).states[:, 0]))
    return torch.cat(rows)


def test_loss_and_gradient_are_the_objectives_on_the_towers_vectors(make, plan, view):
    parts = make()
    contrastive = task(parts, plan(head=[16, 8]))
    views = [view(text) for text in TEXTS]
    step({"contrast": contrastive}, {"contrast": Contrast(views, partners(4))})
    got = [parameter.grad.clone() for parameter in contrastive.parameters() if parameter.grad is not None]
    contrastive.zero_grad()
    z = vectors(contrastive.tower, views)
    plain = objective()(z, z, partners(4))
    plain.backward()
    want = [parameter.grad for parameter in contrastive.parameters() if parameter.grad is not None]
    assert len(got) == len(want) > 0
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    wanted, figures = objective().figures(z, z, partners(4)), contrastive.figures()
    assert {key: figures[key] for key in wanted} == pytest.approx(wanted, abs=1e-5)


def test_candidates_without_a_tower_of_their_own_are_the_anchors_vectors(make, plan, view):
    contrastive = task(make(), plan())
    views = [view(text) for text in TEXTS]
    assert list(contrastive.requests(Contrast(views, partners(4)))) == ["anchors"]
    both = contrastive.requests(Contrast(views[:1], Pairing.of(torch.ones(1, 3), torch.zeros(1, 3)), views[1:]))
    assert both["candidates"].views == views[1:] and both["candidates"].tower is both["anchors"].tower


def test_a_second_tower_sees_the_anchors_where_there_are_no_candidates(make, plan, view):
    contrastive = task(make(), plan(head=[8]), candidates=plan(head=[8]))
    views = [view(text) for text in TEXTS]
    requests = contrastive.requests(Contrast(views, partners(4)))
    assert requests["candidates"].views == views and requests["candidates"].tower is not requests["anchors"].tower
    result = step({"contrast": contrastive}, {"contrast": Contrast(views, partners(4))})
    assert result.inputs == 4 and contrastive.candidate_tower.head[0].weight.grad.abs().sum() > 0


def test_lost_views_neither_attract_nor_repel(make, plan, view):
    parts = make(max_length=8)
    contrastive = task(parts, plan("mention"))
    long = Text(tuple(["the"] * 10 + ["dog"]))
    views = [view(TEXTS[0], 1), view(TEXTS[1], 1), view(TEXTS[2], 1), View(long, view("a " * 10 + "dog", 10).unit)]
    result = step({"contrast": contrastive}, {"contrast": Contrast(views, partners(4))})
    figures = contrastive.figures()
    assert result.lost == 1 and figures["terms"] == 4 and figures["idle_terms"] == 2
    judged = objective()
    z = torch.cat([parts.encoders["text"](parts.encoders["text"].prepare([each.input])).states[:, 2] for each in views[:3]])
    pairing = Pairing.of(torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]]), torch.tensor([[0.0, 0, 1], [0, 0, 1], [1, 1, 0]]))
    assert result.loss == pytest.approx(judged(z, z, pairing).item(), abs=1e-5)


def test_batches_without_positives_are_counted_until_the_log_asks(make, plan, view):
    contrastive = task(make(), plan())
    views, nothing = [view(text) for text in TEXTS], torch.zeros(4, 4)
    for pairing in (partners(4), Pairing.of(nothing, 1 - torch.eye(4)), Pairing.of(nothing, nothing)):
        step({"contrast": contrastive}, {"contrast": Contrast(views, pairing)})
    figures = contrastive.figures()
    assert figures["terms"] == 12 and figures["idle_terms"] == 8
    assert contrastive.figures() == {}


def pairs(contrastive, *contrasts):
    """Positives and negatives per anchor over these batches."""
    for contrast in contrasts:
        step({"contrast": contrastive}, {"contrast": contrast})
    figures = contrastive.figures()
    return figures.get("positives"), figures.get("negatives")


def test_pairs_per_anchor_of_two_views(make, plan, view):
    views = [view(text) for text in TEXTS]
    assert pairs(task(make(), plan()), Contrast(views, partners(4))) == (1, 2), "2N - 2 negatives of N = 2 texts"


def test_pairs_per_anchor_of_several_positives(make, plan, view):
    """Labels a a a b: three anchors have two positives and one negative, the last has three negatives."""
    same = torch.tensor([[0.0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    pairing = Pairing.of(same, 1 - same - torch.eye(4))
    contrastive = task(make(), plan(), objective("SupCon"))
    assert pairs(contrastive, Contrast([view(text) for text in TEXTS], pairing)) == (6 / 4, 6 / 4)


def test_pairs_per_anchor_where_each_has_one_candidate(make, plan, view):
    """Candidate i is the positive or the negative of anchor i, all else is ignored."""
    attracts = torch.diag(torch.tensor([1.0, 0, 1, 0]))
    contrastive = task(make(), plan(), objective("MarginPairs"))
    views = [view(text) for text in TEXTS]
    assert pairs(contrastive, Contrast(views, Pairing.of(attracts, torch.eye(4) - attracts), views)) == (0.5, 0.5)


def test_anchors_without_a_pair_or_a_weight_do_not_count(make, plan, view):
    positives = torch.tensor([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    pairing = Pairing.of(positives, torch.zeros(4, 4), torch.tensor([1.0, 1, 0, 1]))
    contrastive = task(make(), plan(), objective("MarginPairs"))
    views = [view(text) for text in TEXTS]
    assert pairs(contrastive, Contrast(views, pairing)) == (1, 0)
    assert pairs(contrastive, Contrast(views, Pairing.of(torch.zeros(4, 4), torch.zeros(4, 4)))) == (None, None)


def test_pairs_per_anchor_are_means_since_the_log_last_asked(make, plan, view):
    views = [view(text) for text in TEXTS]
    contrastive = task(make(), plan())
    both = Contrast(views[:2], partners(2)), Contrast(views, partners(4))
    assert pairs(contrastive, *both) == (1, 8 / 6)
    assert pairs(contrastive, both[0]) == (1, 0)


def test_queued_keys_count_as_pairs(make, plan, view):
    contrastive = task(make(), plan(), adjusters={"queue": Adjuster.registry.get("relcon.Queue.v1")(size=10)})
    tags = [Tags(torch.zeros(4, dtype=torch.long), torch.arange(4) + start, torch.full((4,), -1)) for start in (0, 4)]
    views = [view(text) for text in TEXTS]
    first, second = (Contrast(views, partners(4), anchor_tags=each) for each in tags)
    assert pairs(contrastive, first) == (1, 2)
    contrastive.after_step()
    assert pairs(contrastive, second) == (1, 6)


class Probe(nn.Module):
    """Stands before an objective and notes what reaches it."""

    def __init__(self):
        super().__init__()
        self.inner, self.seen = objective(), []

    def forward(self, anchors, candidates, pairing):
        self.seen.append((anchors.dtype, torch.is_autocast_enabled("cpu"), (anchors @ anchors.T).dtype))
        return self.inner(anchors, candidates, pairing)

    def idle(self, pairing):
        return 0

    def figures(self, anchors, candidates, pairing):
        return {}


def test_the_objective_never_sees_half_precision(make, plan, view):
    probe = Probe()
    contrastive = task(make(), plan(head=[8]), probe)
    batch = {"contrast": Contrast([view(text) for text in TEXTS], partners(4))}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        step({"contrast": contrastive}, batch)
    contrastive.double()
    step({"contrast": contrastive}, batch)
    assert probe.seen == [(torch.float32, False, torch.float32), (torch.float64, False, torch.float64)]


class Memory(Adjuster):
    """The candidates of the step before as further negatives."""

    def __init__(self):
        super().__init__()
        self.before = self.now = None
        self.steps = 0

    def forward(self, anchors, candidates, contrast, pairing):
        self.now = candidates.detach()
        if self.before is None:
            return candidates, pairing
        more = torch.ones(len(anchors), len(self.before))
        return torch.cat([candidates, self.before]), pairing.widened(0 * more, more)

    def after_step(self):
        self.before, self.steps = self.now, self.steps + 1


def test_a_view_that_was_cropped_away_never_enters_a_queue(make, plan, view):
    queue = Adjuster.registry.get("relcon.Queue.v1")(size=10)
    contrastive = task(make(max_length=8), plan("mention"), adjusters={"queue": queue})
    long = View(Text(tuple(["the"] * 10 + ["dog"])), view("a " * 10 + "dog", 10).unit)
    tags = Tags(torch.zeros(4, dtype=torch.long), torch.arange(4), torch.full((4,), -1))
    views = [view(TEXTS[0], 1), view(TEXTS[1], 1), view(TEXTS[2], 1), long]
    for _ in range(2):
        assert step({"contrast": contrastive}, {"contrast": Contrast(views, partners(4), anchor_tags=tags)}).lost == 1
        contrastive.after_step()
    assert queue.held().tags.key.tolist() == [0, 1, 2] * 2 and bool(queue.held().vectors.abs().sum(1).all())


def test_what_adjusters_remember_is_for_training_only(make, plan):
    follow = TowerPlan.registry.get("relcon.Momentum.v1")()
    queue = Adjuster.registry.get("relcon.Queue.v1")(size=10)
    contrastive = task(make(), plan(head=[8]), candidates=follow, adjusters={"queue": queue})
    assert contrastive.training_only() == [queue]
    assert task(make(), plan(head=[8]), candidates=plan(head=[8])).training_only() == []


class Hardest(Adjuster):
    """Keeps the first negative of each anchor alone."""

    def forward(self, anchors, candidates, contrast, pairing):
        first = (pairing.negatives.cumsum(1) == 1) & (pairing.negatives > 0)
        return candidates, Pairing(pairing.positives, pairing.negatives * first, pairing.weights, pairing.groups)


def test_where_it_learns_nothing_its_adjusters_say_why(make, plan):
    queue = Adjuster.registry.get("relcon.Queue.v1")(size=10)
    assert task(make(), plan(), adjusters={"miner": Hardest(), "queue": queue}).why_idle() == queue.why_idle()
    for adjusters in ({}, {"miner": Hardest()}):
        assert "larger batch_size" in task(make(), plan(), adjusters=adjusters).why_idle()


def test_adjusters_come_between_vectors_and_objective_in_their_order(make, plan, view):
    memory = Memory()
    contrastive = task(make(), plan(), adjusters={"queue": memory, "miner": Hardest()})
    views = [view(text) for text in TEXTS[:2]]
    only = Contrast(views, partners(2))
    step({"contrast": contrastive}, {"contrast": only})
    assert contrastive.figures()["idle_terms"] == 2
    contrastive.after_step()
    step({"contrast": contrastive}, {"contrast": only})
    assert memory.steps == 1 and contrastive.figures()["idle_terms"] == 0
    z = memory.now
    pairing = partners(2).widened(torch.zeros(2, 2), torch.tensor([[1.0, 0], [1, 0]]))
    result = step({"contrast": contrastive}, {"contrast": only})
    assert result.loss == pytest.approx(objective()(z, torch.cat([z, z]), pairing).item(), abs=1e-5)


def test_weight_and_a_trainable_margin(make, plan, view):
    judge = objective("MarginPairs", margin=1.9, trainable=True)
    contrastive = task(make(), plan(), judge, weight=0.5)
    result = step({"contrast": contrastive}, {"contrast": Contrast([view(text) for text in TEXTS], partners(4))})
    assert result.loss == pytest.approx(0.5 * result.parts["contrast"]) and float(judge.rho.grad) != 0
    assert "margin" in contrastive.figures()
