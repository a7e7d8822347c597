"""The check for registered components: the rules of `relcon/interfaces.py` for names, signatures and docstrings."""

import builtins
import inspect
import io
import json
import re
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Mapping, Optional
from unittest import mock

from torch import nn

from relcon.checking import check_example, read_example
from relcon.components import REQUIRED, argument_texts, arguments, component_of, docstring_block, docstring_text, kind_of
from relcon.config import resolve
from relcon.config.types import is_supported
from relcon.registry import registry_of
from relcon.testing.promises import expect

NAME = re.compile(r"[a-z][a-z0-9_]*\.[A-Z][A-Za-z0-9]*\.v[1-9][0-9]*")
READING = ("encoders", "extractors", "stages")
"""Registries whose components may read files while they are built: weights are what these components are, or are made of."""


def check_component(kind: str, name: str) -> None:
    """A registered component is one that configs can name: its name is `package.Thing.v1`, it is of the registry's interface and lacks
    none of its methods; arguments have types that configs can check, defaults that survive JSON and an explanation in the docstring,
    which ends with a config block that names the component and works; building that block reads no file.

    kind: the registry, "augmenters". name: as in a config. RelconError where it cannot be loaded.
    """
    expect(NAME.fullmatch(name), f"'{name}' is no name for a component: names look like package.Thing.v1")
    lacking = sorted(getattr(registry_of(kind).get(name), "__abstractmethods__", ()))
    expect(not lacking, f"{name} lacks methods of its interface: {lacking}")
    component = component_of(kind, name)
    _check_arguments(name, component)
    _check_docstring(kind, name, component)
    if kind not in READING:
        with _no_files(name):
            build_example(kind, name)


def build_example(kind: str, name: str, **arguments: Any) -> Any:
    """A component as the config block of its docstring builds it. arguments: plain values or blocks in place of those of the block."""
    return resolve({**example_block(kind, name), **arguments}, name)


def example_block(kind: str, name: str) -> Dict[str, Any]:
    """The block of a component in its docstring, as plain values. AssertionError where there is none."""
    text = docstring_block(component_of(kind, name))
    expect(text, f"the docstring of {name} does not end with `Config::` and an example block")
    found = _block(read_example(str(text)).tree, kind, name)
    expect(found is not None, f'the example block of {name} has no @{kind} = "{name}"')
    return dict(found or {})


def _block(tree: Mapping[str, Any], kind: str, name: str) -> Optional[Mapping[str, Any]]:
    """The first block of this component in a tree."""
    if kind_of(tree) == kind and tree[f"@{kind}"] == name:
        return tree
    inner = (_block(value, kind, name) for value in tree.values() if isinstance(value, Mapping))
    return next((block for block in inner if block is not None), None)


def _check_arguments(name: str, component: Any) -> None:
    texts = argument_texts(component)
    for argument in arguments(component).values():
        expect(is_supported(argument.annotation), f"{name}: configs cannot check '{argument.name}' of the type {argument.annotation}")
        sound = argument.default is REQUIRED or _survives(argument.default)
        expect(sound, f"{name}: the default of '{argument.name}' does not survive JSON")
        expect(argument.name in texts, f"{name}: the docstring does not explain '{argument.name}'. Write `{argument.name}: what it is.`")
    function = component.__init__ if inspect.isclass(component) else component
    parameters = inspect.signature(function).parameters.values()
    collecting = [each.name for each in parameters if each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    inherited = function in (nn.Module.__init__, object.__init__)
    expect(not collecting or inherited, f"{name} takes {collecting}, which configs cannot check: name the arguments")
    postponed = "annotations" in vars(inspect.getmodule(component) or object)
    expect(not postponed, f"the module of {name} has `from __future__ import annotations`: configs read annotations at run time")


def _survives(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except TypeError:
        return False


def _check_docstring(kind: str, name: str, component: Any) -> None:
    expect(component.__doc__ and docstring_text(component), f"{name} has no docstring")
    example_block(kind, name)
    problems = [str(problem) for problem in check_example(str(docstring_block(component)))]
    expect(not problems, f"the example block of {name} does not work: {' '.join(problems)}")


@contextmanager
def _no_files(name: str) -> Iterator[None]:
    """Within, opening a file by Python's own functions breaks the promise. Importing a module is not opening a file."""
    opened = []

    def refuse(file: Any, *arguments: Any, **keywords: Any) -> Any:
        opened.append(file)
        raise OSError("the constructor of a component reads no file")

    with mock.patch.object(builtins, "open", refuse), mock.patch.object(io, "open", refuse):
        try:
            yield
        finally:
            expect(not opened, f"the constructor of {name} opens {', '.join(map(str, opened))}: read files on first use, or in `prepare`")
