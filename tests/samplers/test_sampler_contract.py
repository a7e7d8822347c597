"""Every sampler of the core keeps the contract that plugins' samplers are held to, built from a config's block."""

from typing import Any, Dict

import pytest

from relcon.config import resolve
from relcon.testing import check_sampler, tiny_split

PLAIN: Dict[str, Any] = {"@renderers": "relcon.Plain.v1"}
BLINDED: Dict[str, Any] = {"@renderers": "relcon.Blinded.v1"}
MARKERS: Dict[str, Any] = {"@renderers": "relcon.EntityMarkers.v1"}
SWAP: Dict[str, Any] = {"@augmenters": "relcon.RandomSwap.v1"}


def two_views(**more):
    return {"@samplers": "relcon.TwoViews.v1", "renderer": BLINDED, "augmenter": SWAP, "batch_size": 4, **more}


def instances(**more):
    return {"@samplers": "relcon.Instances.v1", "renderer": MARKERS, "batch_size": 5, **more}


def same_label(**more):
    return {"@samplers": "relcon.SameLabel.v1", "renderer": PLAIN, "batch_size": 6, "negative": "own", **more}


def masked(inner):
    return {"@samplers": "relcon.MaskedPieces.v1", "sampler": inner}


BLOCKS = {
    "two views": two_views(),
    "two views, the original and one": two_views(views="original_and_one", drop_last=False, batch_size=6),
    "two views, masked": two_views(mask=["label", "sentence"], duplicates="once"),
    "two views of a shared document": two_views(renderer={**PLAIN, "unit": "sentence"}),
    "two views, drawn once": two_views(resample=False),
    "instances": instances(),
    "instances and copies": instances(augmenter=SWAP, copies=2),
    "instances and fresh copies": instances(augmenter=SWAP, copies=2, resample=True),
    "same label": same_label(),
    "same label, balanced": same_label(per_label=2),
    "same label, two views": same_label(augmenter=SWAP, duplicates="keep"),
    "masked pieces of two views": masked(two_views()),
    "masked pieces of instances": masked(instances()),
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_contract(block):
    check_sampler(resolve(block, "[sampler]"))


def test_a_fixed_order_of_fixed_views_repeats_itself():
    check_sampler(resolve(two_views(resample=False, shuffle=False), "[sampler]"), epoch_dependent=False)


@pytest.mark.parametrize("count", [4, 5, 11])
@pytest.mark.parametrize("name", ["two views", "instances", "instances and copies", "same label, balanced", "masked pieces of instances"])
def test_length_is_exact_for_any_number_of_instances(name, count):
    check_sampler(resolve(BLOCKS[name], "[sampler]"), tiny_split(count))
