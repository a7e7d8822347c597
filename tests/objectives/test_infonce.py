"""The softmax family against slow loops written from its formulas."""

import itertools
import math

import pytest
import torch

from relcon.contrast import Pairing
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective
from relcon.samplers.pairings import by_label, partners

DOUBLE = torch.float64
REDUCTIONS = ("anchors", "pairs", "weighted", "sum")
FAMILY = [
    {"several": several, "denominator": denominator, "own_weight": own, "weigh": weigh, "reduction": reduction, "similarity": similarity}
    for several, denominator, own, weigh, reduction, similarity in itertools.product(
        ("inside", "outside"), ("all", "own"), (1.0, 0.0, 2.0), ("term", "denominator"), REDUCTIONS, ("cosine", "dot")
    )
    if several == "outside" or (denominator == "all" and reduction != "pairs")
]


def objective(name, **arguments):
    return ContrastiveObjective.registry.get(f"relcon.{name}.v1")(**arguments)


def draw(seed, grouped=True, anchors=6, candidates=7):
    """Random vectors and a pairing with weighted positives, weighted negatives, ignored pairs, groups, terms without positives."""
    g = torch.Generator().manual_seed(seed)
    random = torch.rand(anchors, candidates, generator=g, dtype=DOUBLE)
    positives = torch.where(random < 0.25, torch.rand(anchors, candidates, generator=g, dtype=DOUBLE) + 0.1, torch.zeros((), dtype=DOUBLE))
    negatives = torch.where(random > 0.5, torch.rand(anchors, candidates, generator=g, dtype=DOUBLE) + 0.1, torch.zeros((), dtype=DOUBLE))
    positives[0] = 0
    negatives[1] = 0
    groups = torch.tensor([0, 1, 2, 3, 1, 3])[:anchors] if grouped else torch.arange(anchors)
    weights = torch.rand(int(groups.max()) + 1, generator=g, dtype=DOUBLE) + 0.2
    weights[-1] = 0.0 if seed % 2 else 1.0
    vectors = [torch.randn(n, 4, generator=g, dtype=DOUBLE, requires_grad=True) for n in (anchors, candidates)]
    return vectors[0], vectors[1], Pairing.of(positives, negatives, weights, groups)


def cosine(a, c):
    return a @ c / (a.norm() * c.norm())


def slow(a, c, pairing, temperature, similarity, several, denominator, own_weight, weigh, reduction):
    """The docstring's formula, pair by pair."""
    total, size = torch.zeros((), dtype=DOUBLE), 0.0
    for term in range(len(pairing.weights)):
        rows = [i for i in range(len(a)) if int(pairing.groups[i]) == term]
        pairs = [(i, j) for i in rows for j in range(len(c))]
        s = {(i, j): (cosine(a[i], c[j]) if similarity == "cosine" else a[i] @ c[j]) / temperature for i, j in pairs}
        positive = [p for p in pairs if pairing.positives[p] > 0]
        weight = float(pairing.weights[term])
        if not positive or weight == 0:
            continue
        t = {p: float(pairing.positives[p]) if weigh == "term" else 1.0 for p in positive}
        q = {p: float(pairing.positives[p]) if weigh == "denominator" else 1.0 for p in positive}
        repel = sum(float(pairing.negatives[p]) * s[p].exp() for p in pairs)
        attract = sum(own_weight * q[p] * s[p].exp() for p in positive)
        if several == "inside":
            below, above = attract + repel, sum(t[p] * s[p].exp() for p in positive)
            loss = torch.log(below) - torch.log(above) if below > 0 else 0.0
        else:
            loss = 0.0
            for p in positive:
                below = attract + repel if denominator == "all" else own_weight * q[p] * s[p].exp() + repel
                loss = loss + (t[p] * (torch.log(below) - s[p]) if below > 0 else 0.0)
            if reduction != "pairs":
                loss = loss / sum(t.values())
        total = total + weight * loss
        size += {"anchors": 1, "pairs": len(positive), "weighted": weight, "sum": 0}[reduction]
    return total if reduction == "sum" else total / size


@pytest.mark.parametrize("arguments", FAMILY, ids=lambda a: "-".join(str(v) for v in a.values()))
@pytest.mark.parametrize("grouped", [True, False])
def test_infonce_equals_its_formula(arguments, grouped):
    for seed in (0, 1):
        a, c, pairing = draw(seed, grouped)
        fast = objective("InfoNCE", temperature=0.3, **arguments)(a, c, pairing)
        plain = slow(a, c, pairing, 0.3, **arguments)
        torch.testing.assert_close(fast, plain, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(torch.autograd.grad(fast, (a, c)), torch.autograd.grad(plain, (a, c)), rtol=1e-8, atol=1e-10)


def slow_supcon(z, labels, temperature, placement):
    """Khosla et al., equations 2 and 3."""
    losses = []
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        same = [j for j in others if labels[j] == labels[i]]
        if same:
            below = sum((cosine(z[i], z[j]) / temperature).exp() for j in others)
            shares = [(cosine(z[i], z[j]) / temperature).exp() / below for j in same]
            out = -sum(torch.log(share) for share in shares) / len(same)
            losses.append(out if placement == "out" else -torch.log(sum(shares) / len(same)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("placement", ["out", "in"])
def test_supcon_equals_the_papers_equations(placement):
    z = torch.randn(9, 5, generator=torch.Generator().manual_seed(0), dtype=DOUBLE, requires_grad=True)
    labels = [0, 0, 0, 1, 1, 2, 2, 2, 3]
    fast = objective("SupCon", temperature=0.3, placement=placement)(z, z, by_label(labels))
    plain = slow_supcon(z, labels, 0.3, placement)
    torch.testing.assert_close(fast, plain)
    torch.testing.assert_close(torch.autograd.grad(fast, z), torch.autograd.grad(plain, z))


def test_ntxent_equals_an_independent_library():
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    z = torch.randn(12, 8, generator=torch.Generator().manual_seed(0), dtype=DOUBLE, requires_grad=True)
    ours = objective("NTXent", temperature=0.2)(z, z, partners(12))
    theirs = losses.NTXentLoss(temperature=0.2)(z, torch.arange(12) // 2)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(theirs, z))


@pytest.mark.parametrize("name", ["NTXent", "SupCon", "InfoNCE"])
def test_one_positive_makes_the_family_one_loss(name):
    z = torch.randn(8, 5, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    torch.testing.assert_close(objective(name, temperature=0.1)(z, z, partners(8)), slow_supcon(z, [0, 0, 1, 1, 2, 2, 3, 3], 0.1, "out"))


def test_scale_multiplies_ntxent():
    z = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    plain, scaled = (objective("NTXent", scale=scale)(z, z, partners(6)) for scale in (1.0, 0.25))
    torch.testing.assert_close(scaled, plain / 4)


def test_ntxent_refuses_several_positives_and_names_the_way_out():
    z = torch.randn(4, 3)
    with pytest.raises(RelconError, match="SupCon"):
        objective("NTXent")(z, z, by_label([0, 0, 0, 1]))


def test_ntxent_leaves_out_anchors_that_lost_their_partner():
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(2), dtype=DOUBLE)
    alive = torch.tensor([True, True, True, True, True, False])
    kept = objective("NTXent")(z, z, partners(6).keep(alive, alive))
    losses = [slow_terms(z, i, i ^ 1, [j for j in range(5) if j != i]) for i in range(4)]
    torch.testing.assert_close(kept, sum(losses) / 4)


def slow_terms(z, anchor, positive, candidates):
    s = torch.stack([cosine(z[anchor], z[j]) / 0.1 for j in candidates])
    return s.exp().sum().log() - cosine(z[anchor], z[positive]) / 0.1


OBJECTIVES = {
    "ntxent": lambda: objective("NTXent"),
    "supcon-in": lambda: objective("SupCon", placement="in"),
    "supcon-out": lambda: objective("SupCon"),
    "own": lambda: objective("InfoNCE", denominator="own"),
    "literal": lambda: objective("InfoNCE", denominator="own", own_weight=0.0),
    "inside-literal": lambda: objective("InfoNCE", several="inside", own_weight=0.0),
    "dot": lambda: objective("InfoNCE", similarity="dot", temperature=0.05),
    "bce": lambda: objective("PairwiseBCE"),
    "margin": lambda: objective("MarginPairs", trainable=True),
}


@pytest.mark.parametrize("make", OBJECTIVES.values(), ids=OBJECTIVES)
def test_gradients_are_those_of_the_loss(make):
    loss, (a, c, pairing) = make().double(), draw(3)
    if type(loss).__name__ == "NTXent":
        pairing = Pairing.of(torch.eye(6, 7, dtype=DOUBLE), 1 - torch.eye(6, 7, dtype=DOUBLE))
    assert torch.autograd.gradcheck(lambda x, y: loss(x, y, pairing), (a, c))


@pytest.mark.parametrize("make", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
@pytest.mark.parametrize("shape", ["equal", "opposite", "random"])
def test_extreme_similarities_stay_finite(make, scale, shape):
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)) * scale
    if shape != "random":
        z = z[:1].repeat(6, 1) * (torch.tensor([1, -1, 1, -1, 1, -1.0])[:, None] if shape == "opposite" else 1)
    z.requires_grad_()
    loss = make()(z, z, partners(6))
    (gradient,) = torch.autograd.grad(loss, z)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all()


@pytest.mark.parametrize("make", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("pairs", ["none", "positives", "negatives"])
def test_batches_with_nothing_to_learn_give_finite_gradients_and_are_counted(make, pairs):
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    full, zero = partners(4), torch.zeros(4, 4)
    pairing = Pairing.of(full.positives if pairs == "positives" else zero, full.negatives if pairs == "negatives" else zero)
    loss = make()
    value = loss(z, z, pairing)
    (gradient,) = torch.autograd.grad(value, z)
    assert torch.isfinite(value) and torch.isfinite(gradient).all()
    alone = type(loss).__name__ in ("PairwiseBCE", "MarginPairs")
    assert loss.idle(pairing) == (0 if alone and pairs != "none" else 4)


@pytest.mark.parametrize("make", OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_duplicate_changes_neither_loss_nor_gradient(make):
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=DOUBLE, requires_grad=True)
    keys, labels = [0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 2]
    loss = make().double()
    plain = loss(z, z, by_label(labels))
    twice = torch.cat([z, z[:2]])
    doubled = loss(twice, twice, by_label(labels + labels[:2]).distinct(torch.tensor(keys + keys[:2])))
    torch.testing.assert_close(doubled, plain)
    torch.testing.assert_close(torch.autograd.grad(doubled, z), torch.autograd.grad(plain, z))


def test_precision_of_float32():
    a, c, pairing = draw(4)
    a, c, loss = a.detach(), c.detach(), objective("InfoNCE")
    assert float(loss(a.float(), c.float(), pairing)) == pytest.approx(float(loss(a, c, pairing)), rel=1e-5)
    assert loss(a.float(), c.float(), pairing).dtype == torch.float32


def test_a_queue_of_negatives_is_a_larger_softmax():
    q, size = torch.tensor([[1.0, 0.0]], dtype=DOUBLE), 65536
    one, none = torch.ones(1, 1), torch.zeros(1, 1)
    pairing = Pairing.of(one, none).widened(torch.zeros(1, size), torch.ones(1, size))
    loss = objective("InfoNCE", similarity="dot", temperature=0.2)(q, q.expand(size + 1, 2), pairing)
    assert float(loss) == pytest.approx(math.log(size + 1), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("NTXent", {"temperature": 0.0}, "temperature"),
        ("NTXent", {"scale": 0.0}, "scale"),
        ("InfoNCE", {"temperature": -1.0}, "temperature"),
        ("InfoNCE", {"own_weight": -1.0}, "own_weight"),
        ("InfoNCE", {"several": "inside", "denominator": "own"}, "inside"),
        ("InfoNCE", {"several": "inside", "reduction": "pairs"}, "inside"),
        ("MarginPairs", {"margin": 0.0}, "margin"),
        ("MarginPairs", {"margin": 2.5}, "margin"),
        ("MarginPairs", {"margin": 0.5, "smallest": 0.5, "trainable": True}, "smallest"),
    ],
)
def test_values_out_of_range_are_refused_by_name(name, arguments, named):
    with pytest.raises(ValueError, match=named):
        objective(name, **arguments)


def test_figures_say_how_alike_pairs_are_and_how_often_the_positive_wins():
    z = torch.tensor([[1.0, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0.6, 0.8]])
    figures = objective("NTXent").figures(z, z, partners(4))
    assert figures["positive_similarity"] == pytest.approx(0.7)
    assert figures["negative_similarity"] == pytest.approx((0 + 0 + 0.6 + 0.36) / 4)
    assert figures["nearest"] == pytest.approx(0.75)  # rows 0 (0.8 > 0), 1 (0.8 > 0.6), 3 (0.6 > 0.36); not 2 (0.6 = 0.6)
    assert objective("NTXent").figures(z, z, Pairing.of(torch.zeros(4, 4), torch.zeros(4, 4))) == {}
