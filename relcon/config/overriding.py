"""Overrides from the command line: `--training.seed 3`, any key by its path; an override beats the file. And sections of another file,
laid over a config in the same way.

Overriding a block's `@kind` replaces the component: on the command line the old arguments that the new one knows are kept, the others are
dropped; a block of another file replaces all of it.
"""

import json
from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Sequence, Set

from relcon.components import arguments, component_of
from relcon.config.source import KEY, LITERALS, VARIABLE, Entry, Keys, Override, Source, is_json, label, plain
from relcon.config.types import alternatives, is_dict, parameter
from relcon.errors import ConfigError, Problem, RelconError
from relcon.registry import interface_of


@dataclass(frozen=True)
class Layer:
    """Sections that another file lays over a config: a block in place of that of its name, any other section's keys over those that are
    there; null leaves a part out.

    title: where they stand ("[axes.contrast.clre] of sweep.cfg"). overrides: their keys. bare: sections in which nothing stands, with
    their places; they are made where they are missing.
    """

    title: str
    overrides: Sequence[Override]
    bare: Mapping[Keys, str] = field(default_factory=dict)


def parse_overrides(words: Sequence[str]) -> List[Override]:
    """`["--training.seed", "3", "--paths.train=x"]` -> overrides. ConfigError names every word that is none.

    An override without a value has the empty one, which is a mistake like any other in the config's values: it hides none of them.
    """
    found: List[Override] = []
    problems: List[Problem] = []
    rest = list(words)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        if not name.startswith("--") or not all(map(KEY.fullmatch, name[2:].split("."))) or name.startswith("--DEFAULT"):
            problems.append(Problem(name, "is not an override. Overrides look like --section.key VALUE."))
            continue
        keys = tuple(name[2:].split("."))
        if not given and (not rest or rest[0].startswith("--")):
            found.append(Override(keys, ""))
        else:
            found.append(Override(keys, _notation(keys, value if given else rest.pop(0))))
    if problems:
        raise ConfigError(problems)
    return found


def _notation(keys: Keys, word: str) -> str:
    """A word of the command line in config notation: JSON as it is, anything else a text. Paths are texts, whatever they look like."""
    if keys[0] == "paths" and not word.startswith('"') and word not in ("null", "None"):
        return _text(word)
    if is_json(word) or word in LITERALS or VARIABLE.fullmatch(word) or word[:1] in ("[", "{", '"'):
        return word
    return _text(word)


def _text(word: str) -> str:
    quoted = json.dumps(word, ensure_ascii=False)
    return quoted if VARIABLE.search(word) else quoted.replace("$", "$$")


def apply_overrides(source: Source, overrides: Sequence[Override]) -> None:
    """Put overrides into the source: replaced components first, outer before inner, then values in the order given."""
    swaps = [override for override in overrides if override.keys[-1].startswith("@")]
    for override in sorted(swaps, key=lambda each: len(each.keys)):
        _replace_component(source, override)
    for override in overrides:
        if override not in swaps:
            _set_value(source, override)


def lay(source: Source, layer: Layer) -> None:
    """Lay the sections of another file over the source."""
    apply_overrides(source, layer.overrides)
    for override in layer.overrides:
        if override.keys[-1].startswith("@") and override.keys[:-1] in source.sections:
            source.sections[override.keys[:-1]] = override.place  # the block stands there now
    for keys, where in layer.bare.items():
        if keys not in source.sections:
            _put_section(source, Override(keys, "", where), keys)


def _replace_component(source: Source, override: Override) -> None:
    block = override.keys[:-1]
    if not _reach(source, override, block):
        return
    known = set() if override.whole else _argument_names(override)
    for keys in list(source.below(block)):
        child = keys[len(block)]
        if child.startswith("@") or (known is not None and child not in known):
            source.dropped.update((gone, override.place) for gone in source.remove(keys))
    _put(source, override)


def _argument_names(override: Override) -> Optional[Set[str]]:
    """What the new component takes; None where it cannot be had, which `relcon check` reports."""
    try:
        return set(arguments(component_of(override.keys[-1][1:], json.loads(override.value))))
    except (RelconError, ValueError):
        return None


def _set_value(source: Source, override: Override) -> None:
    there = override.keys in source.sections or override.keys in source.entries
    if there and override.value == "null" and _holds_parts(source, override.keys[:-1]):
        source.dropped.update((gone, override.place) for gone in source.remove(override.keys))  # the part is left out
    elif override.keys in source.sections:
        source.remove(override.keys)
        _put(source, override)
    elif override.keys in source.entries or _reach(source, override, override.keys[:-1]):
        _put(source, override)


def _holds_parts(source: Source, section: Keys) -> bool:
    """Whether a section holds parts by names of the user's own: `stages`, or an argument that is a dictionary of components (`tasks`)."""
    if len(section) < 2:
        return section == ("stages",)
    block, argument = section[:-1], section[-1]
    names = [(keys[-1][1:], entry.value) for keys, entry in source.entries.items() if keys[:-1] == block and keys[-1].startswith("@")]
    return any(_takes_parts(kind, value, argument) for kind, value in names)


def _takes_parts(kind: str, value: str, argument: str) -> bool:
    """Whether an argument of a component is a dictionary of components. False where the component cannot be had, as
    `relcon check` reports."""
    try:
        annotation = arguments(component_of(kind, json.loads(value)))[argument].annotation
    except (RelconError, ValueError, KeyError):
        return False
    inner = [part for branch in alternatives(annotation) if is_dict(branch) for part in alternatives(parameter(branch))]
    return any(interface_of(part) is not None for part in inner)


def _put(source: Source, override: Override) -> None:
    if override.keys not in source.entries:
        source.added[override.keys] = override
    source.entries[override.keys] = Entry(override.value, override.place)


def _reach(source: Source, override: Override, section: Keys) -> bool:
    """Make the section that the override lands in. False where a value stands in the way, which is reported or set in place."""
    for n in range(1, len(section) + 1):
        entry = source.entries.get(section[:n])
        if entry is None:
            continue
        if override.keys[-1].startswith("@") and n == len(section):
            source.remove(section)  # a string ("pretrain.text") or null makes room for a block
        else:
            _set_inside(source, override, section[:n], entry)
            return False
    _put_section(source, override, section)
    return True


def _put_section(source: Source, override: Override, section: Keys) -> None:
    """Make a section and those above it, where they are missing."""
    source.added.update((made, override) for made in source.section(section, override.place))


def _set_inside(source: Source, override: Override, keys: Keys, entry: Entry) -> None:
    """Override a key of a dictionary that is written as one value (`classes = {"a": 1}`)."""
    value = json.loads(entry.value) if is_json(entry.value) else None
    inner: Any = value
    *way, last = override.keys[len(keys) :]
    for key in way:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        reason = "a reference; override what it refers to" if VARIABLE.search(entry.value) else "a value, not a section"
        source.problems.append(Problem(override.place, f"{label(keys)} = {entry.value} is {reason}."))
        return
    inner[last] = plain(override.value)
    source.entries[keys] = Entry(json.dumps(value, ensure_ascii=False), override.place)
