"""Instances of one label attract each other."""

from collections import Counter

import pytest
import torch

from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective, Sampler

SameLabel = Sampler.registry.get("relcon.SameLabel.v1")


def names(batch):
    return [view.input.words[0] for view in batch["contrast"].anchors]


@pytest.mark.parametrize("per_label", [0, 2, 3])
@pytest.mark.parametrize("count", [1, 7, 16, 17])
def test_every_instance_once_and_length_exact(make, parts, per_label, count):
    data, sampler = make(count), SameLabel(parts.renderer, batch_size=4, per_label=per_label)
    batches = list(sampler.batches(data, parts.draw()))
    assert len(batches) == sampler.length(data)
    assert Counter(name for batch in batches for name in names(batch)) == Counter(f"A{n}" for n in range(count))


def test_a_label_with_one_instance_is_met_too(parts):
    data = parts.split([parts.instance(n, "binds") for n in range(7)] + [parts.instance(7, "blocks")])
    batches = list(SameLabel(parts.renderer, batch_size=4, per_label=2).batches(data, parts.draw()))
    assert "A7" in {name for batch in batches for name in names(batch)}


def test_per_label_gives_company(make, parts):
    data = make(60, ("binds", "blocks", "none"))
    label = {f"A{n}": i.label for n, i in enumerate(data.instances)}
    several = 0
    for batch in SameLabel(parts.renderer, batch_size=4, per_label=2, negative="own").batches(data, parts.draw()):
        row = [label[name] for name in names(batch)]
        assert row[0] == row[1] and row[2] == row[3]
        assert batch["contrast"].pairing.without_positives() == 0
        several += row[0] != row[2]
    assert several >= 5  # of 15 batches: labels are mixed, not met one after the other


def test_order_changes_with_the_epoch_and_repeats_with_the_generator(make, parts):
    data = make(12)
    for per_label in (0, 2):
        sampler = SameLabel(parts.renderer, batch_size=4, per_label=per_label)
        a, b, c = ([names(batch) for batch in sampler.batches(data, parts.draw(e))] for e in (0, 0, 1))
        assert a == b != c


@pytest.mark.parametrize(("policy", "terms", "attract", "repel"), [("ignore", 2, 2, 0), ("own", 4, 4, 8), ("negatives", 2, 2, 4)])
def test_what_no_relation_does(parts, policy, terms, attract, repel):
    data = parts.split([parts.instance(n, label) for n, label in enumerate(["binds", "binds", "none", "none"])])
    pairing = next(iter(SameLabel(parts.renderer, 4, negative=policy).batches(data, parts.draw())))["contrast"].pairing
    assert (pairing.terms(), int(pairing.positives.sum()), int(pairing.negatives.sum())) == (terms, attract, repel)


def test_with_an_augmenter_every_instance_has_a_positive(make, parts):
    data = parts.split([parts.instance(0, "binds"), parts.instance(1, "blocks")])
    contrast = next(iter(SameLabel(parts.renderer, 2, augmenter=parts.augmenter).batches(data, parts.draw())))["contrast"]
    rows = [view.input.words for view in contrast.anchors]
    assert rows[0][0] == rows[2][0] and rows[0][-1] == "end" != rows[2][-1]
    assert contrast.pairing.positives.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]


def test_a_duplicate_changes_neither_loss_nor_gradient(parts):
    """The whole way from instances: the copy of a sentence in a batch costs nothing, wherever it stands."""
    base = [parts.instance(n, label) for n, label in enumerate(["binds", "binds", "blocks", "blocks"])]
    twin = parts.instance(9, "binds", base[0].document.words)
    vectors = {i.document.words: torch.randn(3, generator=torch.Generator().manual_seed(n)) for n, i in enumerate(base)}
    loss = ContrastiveObjective.registry.get("relcon.SupCon.v1")()

    def gradient(instances, duplicates):
        sampler = SameLabel(parts.renderer, 5, duplicates=duplicates)
        contrast = next(iter(sampler.batches(parts.split(instances), parts.draw())))["contrast"]
        leaves = {key: vector.double().requires_grad_() for key, vector in vectors.items()}
        z = torch.stack([leaves[view.input.words] for view in contrast.anchors])
        value = loss(z, z, contrast.pairing)
        return value.detach(), torch.stack(torch.autograd.grad(value, list(leaves.values())))

    plain = gradient(base, "once")
    torch.testing.assert_close(gradient([*base, twin], "once"), plain)
    torch.testing.assert_close(gradient([twin, *base], "once"), plain)
    assert abs(float(gradient([*base, twin], "keep")[0] - plain[0])) > 1e-3


def test_an_instance_without_label_is_refused(parts):
    with pytest.raises(RelconError, match=r"d3#0-1.*no label"):
        list(SameLabel(parts.renderer).batches(parts.split([parts.instance(3, None)]), parts.draw()))
