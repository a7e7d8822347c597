"""What the core's samplers tell a queue about their views."""

import subprocess
import sys

import pytest
import torch

from relcon.interfaces import Adjuster, Sampler
from relcon.samplers.common import tags_of

TwoViews = Sampler.registry.get("relcon.TwoViews.v1")
SameLabel = Sampler.registry.get("relcon.SameLabel.v1")


def contrasts(sampler, data, draw):
    return [batch["contrast"] for batch in sampler.batches(data, draw)]


def test_numbers_of_keys_are_the_same_in_every_process():
    keys = [("Ä", 1), ("Ä", 2), "\ud800"]
    code = f"from relcon.samplers.common import tags_of; print(tags_of({keys!r}).key.tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": "7"})
    numbers = tags_of(keys).key.tolist()
    assert str(numbers) == done.stdout.strip() and len(set(numbers)) == 3 and min(numbers) >= 0


def test_two_views_of_an_instance_have_one_key_in_every_epoch(make, parts):
    data = make(6)
    sampler = TwoViews(parts.renderer, parts.augmenter, 3)
    keys = {}
    for epoch in (0, 1):
        for contrast in contrasts(sampler, data, parts.draw(epoch)):
            assert contrast.candidate_tags is None and contrast.anchor_tags.lane.tolist() == [0] * 6
            assert contrast.anchor_tags.label.tolist() == [-1] * 6
            for view, key in zip(contrast.anchors, contrast.anchor_tags.key.tolist(), strict=True):
                keys.setdefault(view.input.words[0], set()).add(key)
    assert [len(each) for each in keys.values()] == [1] * 6 and len(set.union(*keys.values())) == 6


@pytest.mark.parametrize("mask", [[], ["label"], ["sentence"], ["label", "sentence"]])
def test_a_queue_is_told_of_what_is_masked_in_the_batch(parts, mask):
    """Another pair of the same sentence, and another sentence of the same label: as the batch has it, so has the queue."""
    first = parts.instance(0, "binds")
    other_pair = parts.instance(0, "blocks", first.document.words)
    other_pair = type(other_pair)(other_pair.document, 1, 0, "blocks", "turned")
    data = parts.split([first, other_pair, parts.instance(2, "binds"), parts.instance(3, None)])
    (contrast,) = contrasts(TwoViews(parts.renderer, parts.nothing, 4, mask=mask, shuffle=False), data, parts.draw())
    queue = Adjuster.registry.get("relcon.Queue.v1")(size=10).train()
    vectors = torch.ones(8, 2)
    queue(vectors, vectors, contrast, contrast.pairing)
    queue.after_step()
    later = queue(vectors, vectors, contrast, contrast.pairing)[1].negatives[:, 8:]
    assert torch.equal(later, contrast.pairing.negatives)


@pytest.mark.parametrize("augmenter", [False, True])
def test_same_label_names_class_and_content(parts, augmenter):
    first = parts.instance(0, "binds")
    data = parts.split([first, parts.instance(1, "blocks"), parts.instance(2, "binds", first.document.words)])
    sampler = SameLabel(parts.renderer, 3, augmenter=parts.augmenter if augmenter else None)
    (contrast,) = contrasts(sampler, data, parts.draw())
    tags, names = contrast.anchor_tags, [view.input.words[0] for view in contrast.anchors]
    assert tags.label.tolist() == [1 if name == "A0" else 2 for name in names]
    assert len(names) == (6 if augmenter else 3) == len(tags.key) and len(set(zip(names, tags.key.tolist(), strict=True))) == 2


def test_no_relation_that_is_ignored_and_duplicates_never_enter_a_queue(parts):
    labels = ["binds", "none", "blocks", "none"]
    twin = parts.instance(9, "binds", parts.instance(0).document.words)
    data = parts.split([*(parts.instance(n, label) for n, label in enumerate(labels)), twin])
    (contrast,) = contrasts(SameLabel(parts.renderer, 5), data, parts.draw())
    queue = Adjuster.registry.get("relcon.Queue.v1")(size=10).train()
    vectors = torch.arange(5.0)[:, None]
    queue(vectors, vectors, contrast, contrast.pairing)
    queue.after_step()
    names = [contrast.anchors[int(row)].input.words[0] for row in queue.held().vectors[:, 0]]
    assert sorted(names) == ["A0", "A2"]
