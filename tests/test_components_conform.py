"""The rules for registered components, for every name that an installed package offers."""

import json
from pathlib import Path

import pytest

from relcon.registry import INTERFACES
from relcon.testing import check_component

NAMES = Path(__file__).parent / "registered_names.json"
OFFERS = [(kind, offer) for kind in INTERFACES for offer in INTERFACES[kind].registry.offers() if offer.package != "--code"]


def names():
    """What the core and the plugins that ship beside it offer: package -> registry -> names."""
    found = {}
    for kind, offer in OFFERS:
        if offer.package in ("relcon", "relcon-clre", "relcon-cloce", "relcon-cldr", "relcon-finecl", "relcon-pspe"):
            found.setdefault(offer.package, {}).setdefault(kind, []).append(offer.name)
    return found


def test_the_registered_names_are_those_we_know_of():
    """A name in a user's config must not vanish; a changed result gets `.v2` beside `.v1`. A plugin need not be installed."""
    known = json.loads(NAMES.read_text())
    found = names()
    assert found == {package: known.get(package) for package in found}, (
        "The registered names changed. If that is meant: python tests/test_components_conform.py > tests/registered_names.json"
    )


@pytest.mark.parametrize("kind, name", [(kind, offer.name) for kind, offer in OFFERS])
def test_component(kind, name):
    check_component(kind, name)


if __name__ == "__main__":
    print(json.dumps(names(), indent=2))
