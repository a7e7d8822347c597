"""Trees -> `.cfg` text: sections depth first in their order, every default of every component filled in."""

import json
import re
from dataclasses import asdict
from typing import Any, Callable, Dict, List

from relcon.components import REQUIRED, arguments, component_of, kind_of
from relcon.config.source import Keys
from relcon.errors import ConfigError, Problem
from relcon.settings import Training

_PLAIN_KEY = re.compile(r"[@*\w][^=:\n\]]*$")


def fill(tree: Dict[str, Any]) -> Dict[str, Any]:
    """The same tree with `[training]` and every component's defaults filled in. RelconError where it is not sound."""
    filled = {key: _fill(value) for key, value in tree.items()}
    filled["training"] = asdict(Training.of(tree.get("training", {})))
    return filled


def _fill(value: Any) -> Any:
    if isinstance(value, list):
        return [_fill(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    filled = {key: _fill(inner) for key, inner in value.items()}
    kind = kind_of(value)
    if kind is None:
        return filled
    known = arguments(component_of(kind, value[f"@{kind}"]))
    return {
        **filled,
        **{
            name: _default(each.default, value[f"@{kind}"], name)
            for name, each in known.items()
            if name not in value and each.default is not REQUIRED
        },
    }


def _default(value: Any, component: str, argument: str) -> Any:
    try:
        return json.loads(json.dumps(value))
    except TypeError:
        raise ConfigError([Problem("", f"the default {value!r} of '{argument}' of '{component}' cannot be written to a config.")]) from None


def write(tree: Dict[str, Any], is_section: Callable[[Keys], bool]) -> str:
    """A tree as `.cfg` text.

    is_section: which dictionaries stand as sections of their own; those that hold components always do.
    """
    blocks: List[str] = []
    for key, value in tree.items():
        if isinstance(value, dict):
            _write_section((key,), value, is_section, blocks)
    return "\n\n".join(blocks) + "\n"


def _write_section(keys: Keys, section: Dict[str, Any], is_section: Callable[[Keys], bool], blocks: List[str]) -> None:
    sections = {key for key, value in section.items() if isinstance(value, dict) and _stands_alone((*keys, key), value, is_section)}
    values = sorted((key for key in section if key not in sections), key=lambda key: not key.startswith("@"))
    blocks.append("\n".join([f"[{'.'.join(keys)}]", *(f"{key} = {notation(section[key])}" for key in values)]))
    for key in section:
        if key in sections:
            _write_section((*keys, key), section[key], is_section, blocks)


def _stands_alone(keys: Keys, value: Dict[str, Any], is_section: Callable[[Keys], bool]) -> bool:
    """Whether a dictionary becomes a section; one whose keys a `.cfg` cannot hold (`CPR:3`) stays a value."""
    return _holds_component(value) or (is_section(keys) and all(_PLAIN_KEY.match(key) for key in value))


def _holds_component(value: Any) -> bool:
    return isinstance(value, dict) and (kind_of(value) is not None or any(_holds_component(inner) for inner in value.values()))


def notation(value: Any) -> str:
    """A value as a config writes it."""
    return json.dumps(value, ensure_ascii=False).replace("$", "$$")
