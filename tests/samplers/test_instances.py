"""Labelled instances one by one, and plain data augmentation."""

from itertools import chain

import pytest

from relcon.errors import RelconError
from relcon.interfaces import Sampler

Instances = Sampler.registry.get("relcon.Instances.v1")


def epoch(sampler, data, draw):
    """(uid, label number, last word) of every view of an epoch."""
    return [
        (uid, int(label), view.input.words[-1])
        for batch in sampler.batches(data, draw)
        for uid, label, view in zip(batch["instances"].uids, batch["instances"].labels, batch["instances"].views, strict=True)
    ]


def test_every_instance_once_with_its_label_and_uid_and_the_last_batch_is_kept(make, parts):
    data, sampler = make(10), Instances(parts.renderer, batch_size=4)
    assert sampler.length(data) == 3 == len(list(sampler.batches(data, parts.draw())))
    wanted = sorted((i.uid, data.labels.number(i.label), "end") for i in data.instances)
    assert sorted(epoch(sampler, data, parts.draw())) == wanted


def test_order_changes_with_the_epoch_and_repeats_with_the_generator(make, parts):
    data, sampler = make(10), Instances(parts.renderer, batch_size=4)
    assert epoch(sampler, data, parts.draw(0)) == epoch(sampler, data, parts.draw(0)) != epoch(sampler, data, parts.draw(1))
    still = Instances(parts.renderer, batch_size=4, shuffle=False)
    assert [uid for uid, *_ in epoch(still, data, parts.draw())] == [i.uid for i in data.instances]


def test_batches_of_a_pool_are_of_like_length_and_in_random_order(parts):
    lengths = [3 + 7 * number % 40 for number in range(64)]
    words = [("A", "meets", "B", *("on",) * (length - 3)) for length in lengths]
    data = parts.split([parts.instance(number, words=each) for number, each in enumerate(words)])

    def batches(pool):
        return [
            [len(view.input.words) for view in batch["instances"].views]
            for batch in Instances(parts.renderer, batch_size=4, pool=pool).batches(data, parts.draw())
        ]

    def padding(found):
        return 1 - sum(map(sum, found)) / sum(len(each) * max(each) for each in found)

    pooled, plain = batches(16), batches(1)
    assert sorted(map(sum, pooled)) != sorted(map(sum, plain)) and sorted(chain(*pooled)) == sorted(chain(*plain))
    assert padding(pooled) < 0.05 < 0.2 < padding(plain)
    longest = [max(each) for each in pooled]
    assert longest != sorted(longest), "batches of a pool come in random order"
    assert len({tuple(sorted(each)) for each in batches(2)} & {tuple(sorted(each)) for each in pooled}) < 4


def test_copies_carry_label_and_a_uid_of_their_own(make, parts):
    data, sampler = make(5), Instances(parts.renderer, batch_size=8, augmenter=parts.augmenter, copies=3)
    seen = epoch(sampler, data, parts.draw())
    assert sampler.length(data) == 3 and len(seen) == 20
    for instance in data.instances:
        mine = {uid: (label, last) for uid, label, last in seen if uid.split("~")[0] == instance.uid}
        assert sorted(mine) == [instance.uid] + [f"{instance.uid}~{n}" for n in (1, 2, 3)]
        assert {label for label, _ in mine.values()} == {data.labels.number(instance.label)}
        assert mine[instance.uid][1] == "end" and len({last for _, last in mine.values()}) == 4


def test_copies_stay_the_same_unless_drawn_anew(make, parts):
    data = make(5)
    arguments = {"batch_size": 8, "augmenter": parts.augmenter, "copies": 2}
    fixed, fresh = Instances(parts.renderer, **arguments), Instances(parts.renderer, **arguments, resample=True)
    assert sorted(epoch(fixed, data, parts.draw(0))) == sorted(epoch(fixed, data, parts.draw(1)))
    assert sorted(epoch(fresh, data, parts.draw(0))) != sorted(epoch(fresh, data, parts.draw(1)))


def test_an_instance_without_label_is_refused_by_name(parts):
    data = parts.split([parts.instance(0), parts.instance(7, None)])
    with pytest.raises(RelconError, match=r"d7#0-1.*no label"):
        list(Instances(parts.renderer).batches(data, parts.draw()))


def test_an_unknown_label_and_an_empty_split_are_refused(make, parts):
    with pytest.raises(RelconError, match=r"'bind' is not a label.*'binds'"):
        list(Instances(parts.renderer).batches(parts.split([parts.instance(0, "bind")]), parts.draw()))
    with pytest.raises(RelconError, match="'train' has no instances"):
        Instances(parts.renderer).length(make(0))


def test_a_renderer_that_loses_views_is_named(make, parts, monkeypatch):
    whole = parts.renderer.__class__.__call__
    monkeypatch.setattr(parts.renderer.__class__, "__call__", lambda self, instances: whole(self, instances)[:-1])
    with pytest.raises(RelconError, match=r"made 7 views of 8 instances: a defect of its package"):
        list(Instances(parts.renderer, batch_size=4).batches(make(8), parts.draw()))


@pytest.mark.parametrize("arguments", [{"copies": 2}, {"batch_size": 0}, {"copies": -1}])
def test_arguments_out_of_range_are_refused(parts, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Instances(parts.renderer, **arguments)


def test_an_augmenter_without_copies_is_refused(parts):
    with pytest.raises(ValueError, match="copies"):
        Instances(parts.renderer, augmenter=parts.augmenter)
