"""Two views of every instance."""

import pytest
import torch

from relcon.errors import RelconError
from relcon.interfaces import Sampler

TwoViews = Sampler.registry.get("relcon.TwoViews.v1")


def words(batch):
    return [view.input.words for view in batch["contrast"].anchors]


def epoch(sampler, data, draw):
    return [words(batch) for batch in sampler.batches(data, draw)]


def test_rows_are_partners_of_one_instance_and_every_instance_is_met_once(make, parts):
    data = make(12)
    batches = list(TwoViews(parts.renderer, parts.augmenter, batch_size=4).batches(data, parts.draw()))
    assert [len(batch["contrast"].anchors) for batch in batches] == [8, 8, 8]
    names = [row[0] for batch in batches for row in words(batch)]
    assert names[0::2] == names[1::2] and sorted(names[0::2]) == sorted(f"A{n}" for n in range(12))
    assert batches[0]["contrast"].candidates is None
    pairing = batches[0]["contrast"].pairing
    assert torch.equal(pairing.positives.nonzero(), torch.tensor([[i, i ^ 1] for i in range(8)]))
    assert torch.equal(pairing.negatives, 1 - torch.eye(8) - pairing.positives)


def test_the_augmenter_is_told_which_pair_to_protect_and_prepares(make, parts):
    data, sampler = make(4), TwoViews(parts.renderer, parts.augmenter, batch_size=4)
    sampler.prepare(data)
    list(sampler.batches(data, parts.draw()))
    assert parts.augmenter.prepared == 4 and parts.augmenter.pairs == [(0, 1)] * 8


def test_both_views_are_changed_or_one_is_the_original(make, parts):
    data = make(4)
    both = words(next(iter(TwoViews(parts.renderer, parts.augmenter, 4).batches(data, parts.draw()))))
    assert all(row[-1] != "end" for row in both) and all(a != b for a, b in zip(both[0::2], both[1::2], strict=True))
    one = words(next(iter(TwoViews(parts.renderer, parts.augmenter, 4, views="original_and_one").batches(data, parts.draw()))))
    assert all(row[-1] == "end" for row in one[0::2]) and all(row[-1] != "end" for row in one[1::2])


@pytest.mark.parametrize("views", ["two_augmented", "original_and_one"])
def test_unchanged_copies_stay_two_inputs(make, parts, views):
    batch = next(iter(TwoViews(parts.renderer, parts.nothing, 4, views=views).batches(make(4), parts.draw())))
    assert len({id(view.input) for view in batch["contrast"].anchors}) == 8


def test_views_are_drawn_anew_in_each_epoch_or_stay(make, parts):
    data = make(8)
    fresh = TwoViews(parts.renderer, parts.augmenter, 4, shuffle=False)
    fixed = TwoViews(parts.renderer, parts.augmenter, 4, shuffle=False, resample=False)
    other = TwoViews(parts.renderer, parts.augmenter, 4, shuffle=False, resample=False, seed=1)
    assert epoch(fresh, data, parts.draw(0)) != epoch(fresh, data, parts.draw(1))
    assert epoch(fixed, data, parts.draw(0)) == epoch(fixed, data, parts.draw(1)) != epoch(other, data, parts.draw(0))
    first, second = epoch(fixed, data, parts.draw(0))[0][:2]
    assert first != second


def test_same_generator_same_batches_other_epoch_other_order(make, parts):
    data, sampler = make(9), TwoViews(parts.renderer, parts.augmenter, 3)
    assert epoch(sampler, data, parts.draw(0)) == epoch(sampler, data, parts.draw(0))
    orders = [[row[0] for batch in epoch(sampler, data, parts.draw(e)) for row in batch] for e in (0, 1)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])


@pytest.mark.parametrize(("count", "drop_last", "want"), [(8, True, 2), (9, True, 2), (11, False, 3), (8, False, 2)])
def test_length_is_exact(make, parts, count, drop_last, want):
    data, sampler = make(count), TwoViews(parts.renderer, parts.augmenter, 4, drop_last=drop_last)
    assert sampler.length(data) == want == len(list(sampler.batches(data, parts.draw())))


def test_order_of_the_data_without_shuffling(make, parts):
    rows = epoch(TwoViews(parts.renderer, parts.augmenter, 3, shuffle=False), make(6), parts.draw())
    assert [row[0] for batch in rows for row in batch[::2]] == [f"A{n}" for n in range(6)]


def test_data_that_fill_no_batch_are_refused(make, parts):
    with pytest.raises(RelconError, match=r"3 instances, fewer than one batch of 4.*drop_last"):
        TwoViews(parts.renderer, parts.augmenter, 4).length(make(3))
    with pytest.raises(RelconError, match="no instances"):
        list(TwoViews(parts.renderer, parts.augmenter, 4).batches(make(0), parts.draw()))
    with pytest.raises(ValueError, match="batch_size"):
        TwoViews(parts.renderer, parts.augmenter, 1)


def test_views_of_one_label_or_one_sentence_do_not_repel(parts):
    same = ("A", "meets", "B", "end")
    twins = [parts.instance(0, "binds", same), parts.instance(1, "blocks", same)]
    data = parts.split([*twins, parts.instance(2, "binds"), parts.instance(3, None)])

    def negatives(mask):
        sampler = TwoViews(parts.renderer, parts.augmenter, 4, shuffle=False, mask=mask)
        return next(iter(sampler.batches(data, parts.draw())))["contrast"].pairing.negatives[::2, ::2].tolist()

    assert negatives(None) == [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    assert negatives(["label"]) == [[0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0]]
    assert negatives(["sentence"]) == [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    assert negatives(["label", "sentence"]) == [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0]]


def test_a_duplicate_takes_no_part_where_asked(parts):
    same = ("A", "meets", "B", "end")
    data = parts.split([parts.instance(0, words=same), parts.instance(1), parts.instance(2, words=same)])
    sampler = TwoViews(parts.renderer, parts.nothing, 3, shuffle=False, duplicates="once")
    pairing = next(iter(sampler.batches(data, parts.draw())))["contrast"].pairing
    assert pairing.weights.tolist() == [1, 1, 1, 1, 0, 0] and pairing.terms() == 4 and pairing.idle() == 0
    assert not pairing.positives[4:].any() and not pairing.negatives[:, 4:].any()
    assert pairing.negatives[0].tolist() == [0, 0, 1, 1, 0, 0]
