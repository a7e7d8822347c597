"""The rules for registered components, for every name that an installed package offers."""

import inspect
import json
import re
from pathlib import Path

import pytest
from torch import nn

from relcon.checking import check_example
from relcon.components import REQUIRED, arguments, component_of, docstring_block, docstring_text, kind_of
from relcon.config import resolve
from relcon.config.loaded import LoadedConfig
from relcon.config.reading import parse_cfg
from relcon.config.types import is_supported
from relcon.registry import INTERFACES
from relcon.testing import check_adjuster

NAMES = Path(__file__).parent / "registered_names.json"
OFFERS = [(kind, offer) for kind in INTERFACES for offer in INTERFACES[kind].registry.offers() if offer.package != "--code"]
every = pytest.mark.parametrize("kind, name", [(kind, offer.name) for kind, offer in OFFERS])


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


@every
def test_name(kind, name):
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[A-Z][A-Za-z0-9]*\.v[1-9][0-9]*", name), "names look like package.Thing.v1"


@every
def test_interface(kind, name):
    component_of(kind, name)  # raises where it is none of the registry's interface
    assert not inspect.isabstract(component_of(kind, name)), "its interface has methods that it lacks"


@every
def test_arguments(kind, name):
    component = component_of(kind, name)
    for argument in arguments(component).values():
        assert is_supported(argument.annotation), f"{argument.name}: configs cannot check {argument.annotation}"
        if argument.default is not REQUIRED:
            assert json.loads(json.dumps(argument.default)) == argument.default, f"{argument.name}: its default must survive JSON"
    function = component.__init__ if inspect.isclass(component) else component
    collecting = [p.name for p in inspect.signature(function).parameters.values() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    assert not collecting or function in (nn.Module.__init__, object.__init__), f"{collecting} cannot be checked; name the arguments"


@every
def test_annotations_are_resolved_at_run_time(kind, name):
    module = inspect.getmodule(component_of(kind, name))
    assert "annotations" not in vars(module), "no `from __future__ import annotations` in modules that define components"


@every
def test_docstring(kind, name):
    component = component_of(kind, name)
    assert component.__doc__ and docstring_text(component), "a component needs a docstring"
    block = docstring_block(component)
    assert block, "the docstring ends with `Config::` and an example block"
    assert f'@{kind} = "{name}"' in block, "the example block names the component itself"


@every
def test_example_block(kind, name):
    block = docstring_block(component_of(kind, name))
    assert block, "the docstring ends with `Config::` and an example block"
    assert [str(problem) for problem in check_example(block)] == []


@pytest.mark.parametrize("kind, name", [(kind, offer.name) for kind, offer in OFFERS if kind == "adjusters"])
def test_adjuster(kind, name):
    """As its example block builds it."""
    block = docstring_block(component_of(kind, name))
    example = LoadedConfig(parse_cfg(Path("example.cfg"), block), []).tree
    (section,) = (section for section in example.values() if kind_of(section) == kind)
    check_adjuster(lambda: resolve(section, name))


if __name__ == "__main__":
    print(json.dumps(names(), indent=2))
