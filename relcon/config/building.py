"""Checked blocks -> components."""

from typing import Any, Dict

from relcon.components import REQUIRED, component_of, kind_of
from relcon.components import arguments as arguments_of
from relcon.errors import RelconError
from relcon.registry import INTERFACES


def resolve(block: Dict[str, Any], where: str) -> Any:
    """The component of one block, with everything inside it built first.

    confection's own `resolve` is not used: it refuses `Dict[str, Interface]`, takes a component of the wrong interface, and
    loses the place of what a constructor raises.

    block: a section of `LoadedConfig.tree`, checked before. where: its name in messages, `[stages.pretrain]`.
    Raises RelconError with the block's place where a constructor refuses a value, fails, or makes something of another interface.
    """
    return _build(block, where.strip("[]"))


def _build(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_build(inner, path) for inner in value]
    if not isinstance(value, dict):
        return value
    arguments = {key: _build(inner, f"{path}.{key}") for key, inner in value.items() if not key.startswith("@")}
    kind = kind_of(value)
    return arguments if kind is None else _call(kind, value, arguments, path)


def _call(kind: str, block: Dict[str, Any], arguments: Dict[str, Any], path: str) -> Any:
    place = getattr(block, "place", "")
    where = f"{place}: [{path}]" if place else f"[{path}]"
    name = block[f"@{kind}"]
    try:
        component = component_of(kind, name)
        known = arguments_of(component)
        if not set(arguments) <= set(known):
            raise RelconError(f"'{name}' takes no {sorted(set(arguments) - set(known))}.")
        missing = [each.name for each in known.values() if each.default is REQUIRED and each.name not in arguments]
        if missing:
            raise RelconError(f"'{name}' needs {missing}. Give them; a saved model that lacks them is of another version: train again.")
        made = component(**arguments)
    except (ValueError, RelconError) as error:
        raise RelconError(f"{where} {error}") from error
    except Exception as error:  # a stranger's constructor may raise anything
        raise RelconError(f"{where} '{name}' could not be made: {type(error).__name__}: {error}. --debug shows where.") from error
    if not isinstance(made, INTERFACES[kind]):
        raise RelconError(f"{where} '{name}' made a {type(made).__name__}, not a {INTERFACES[kind].__name__}: a defect of its package.")
    return made
