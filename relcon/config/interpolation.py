"""`${section.key}`: a source as a tree of values.

confection reads structure and values; references are followed here. Its own interpolation stops at the first mistake, names
neither file nor line, and joins `["${a.x}", "${a.y}"]` into one text (seen in 1.3.4).

A text that is nothing but a reference takes what it refers to: a value with its type, or a copy of a section. Within a longer
text the value is put in as text. `$$` is a dollar sign.
"""

import json
import re
from contextlib import suppress
from typing import Any, Dict, Tuple

from confection import Config

from relcon.config.source import VARIABLE, Keys, Source
from relcon.errors import did_you_mean

_DOLLAR = re.compile(r"\$\$|\$\{(?P<name>[^}]*)\}|\$")
_TEXT_OR_VARIABLE = re.compile(r'"(?:\\.|[^"\\])*"|\$\{[^}]*\}')


class Section(Dict[str, Any]):
    """A section's values; `place` says where the section stands."""

    place: str = ""


class _Broken(Exception):
    """A value cannot be had. Its message is empty where the mistake was reported already."""


def interpolate(source: Source) -> Section:
    """All values with every reference followed; what cannot be followed is noted in `source.problems`."""
    return _Interpolation(source).run()


def notation(source: Source) -> str:
    """The source in the notation that confection reads: every parent section before its children."""
    lines = []
    for keys in sorted(source.sections, key=len):
        lines.append(f"[{'.'.join(keys)}]")
        for entry, value in source.entries.items():
            if entry[:-1] == keys:
                lines.append(f"{entry[-1]} = " + value.value.replace("\n", "\n    "))
    return "\n".join(lines) + "\n"


class _Interpolation:
    def __init__(self, source: Source):
        self.source = source
        self.tree: Dict[str, Any] = Config().from_str(notation(source), interpolate=False)
        self.done: Dict[Keys, Any] = {}

    def run(self) -> Section:
        for keys in list(self.source.entries):
            with suppress(_Broken):
                self.entry(keys, ())
        return self.located(self.tree, ())

    def located(self, node: Dict[str, Any], keys: Keys) -> Section:
        """The finished tree in the order of the source, each section with its place."""
        section = Section()
        section.place = self.source.where(keys)
        for key in [*(each[-1] for each in self.source.entries if each[:-1] == keys), *node]:
            inner = (*keys, key)
            if inner in self.source.sections:
                section[key] = self.located(node[key], inner)
            elif inner in self.source.entries:
                section[key] = None if inner in self.source.broken else self.placed(self.done[inner], inner)
        return section

    def placed(self, value: Any, keys: Keys) -> Any:
        """A fresh copy of a value; dictionaries in it get the place of the entry that they come from."""
        if isinstance(value, dict):
            section = Section((key, self.placed(inner, keys)) for key, inner in value.items())
            section.place = self.source.where(keys)
            return section
        return [self.placed(inner, keys) for inner in value] if isinstance(value, list) else value

    def entry(self, keys: Keys, trail: Tuple[Keys, ...]) -> Any:
        """The value of an entry. trail: the entries that led here."""
        if keys in trail:
            raise _Broken("refers to itself: " + " -> ".join(".".join(each) for each in (*trail[trail.index(keys) :], keys)) + ".")
        if keys in self.source.broken:
            raise _Broken
        if keys not in self.done:
            try:
                value = self.read(keys)
                self.done[keys] = self.follow(value, keys, (*trail, keys)) if "$" in self.source.entries[keys].value else value
            except _Broken as broken:
                self.source.spoil(keys, str(broken)) if str(broken) else self.source.quiet(keys)
                raise _Broken from None
        return self.done[keys]

    def read(self, keys: Keys) -> Any:
        """An entry as confection reads it; by ourselves, every bare reference a text, where it has any or stands in no section."""
        raw = self.source.entries[keys].value
        if "$" not in raw and len(keys) > 1:
            node: Any = self.tree
            for key in keys:
                node = node[key]
            return node
        try:
            return json.loads(_TEXT_OR_VARIABLE.sub(lambda found: found[0] if found[0][0] == '"' else json.dumps(found[0]), raw))
        except ValueError:
            return raw

    def follow(self, value: Any, keys: Keys, trail: Tuple[Keys, ...]) -> Any:
        """A value with its references followed."""
        if isinstance(value, dict):
            return {key: self.follow(inner, keys, trail) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.follow(inner, keys, trail) for inner in value]
        if not isinstance(value, str):
            return value
        whole = VARIABLE.fullmatch(value)
        if whole:
            return self.look_up(self.source.target(keys, whole[1]), whole[1], trail)
        return _DOLLAR.sub(lambda found: self.text(found, keys, trail), value)

    def text(self, found: "re.Match[str]", keys: Keys, trail: Tuple[Keys, ...]) -> str:
        """A reference, or a dollar sign, inside a longer text."""
        if found[0] == "$$":
            return "$"
        if found["name"] is None:
            raise _Broken("a dollar sign stands alone. Write $$ for a dollar sign, ${section.key} for a reference.")
        value = self.look_up(self.source.target(keys, found["name"]), found["name"], trail)
        if isinstance(value, (dict, list)) or value is None:
            shown = "null" if value is None else "a list" if isinstance(value, list) else "a section"
            raise _Broken(f"{found[0]} is {shown}, which cannot be part of a text.")
        return value if isinstance(value, str) else json.dumps(value)

    def look_up(self, way: Keys, name: str, trail: Tuple[Keys, ...]) -> Any:
        """The value at the end of the way: an entry, a part of one (a dictionary written as one value), or a section."""
        if way in self.source.sections:
            inner = [each for each in (*self.source.entries, *self.source.sections) if each[:-1] == way]
            return {each[-1]: self.look_up(each, name, trail) for each in inner}
        for n in range(len(way), 0, -1):
            if way[:n] in self.source.entries:
                value = self.entry(way[:n], trail)
                for key in way[n:]:
                    value = value.get(key, _Broken) if isinstance(value, dict) else _Broken
                if value is not _Broken:
                    return value
        if way in self.source.dropped:
            raise _Broken(f"${{{name}}} is gone, because {self.source.dropped[way]} replaced the component that it belonged to.")
        valid = [".".join(each) for each in (*self.source.entries, *self.source.sections) if each not in self.source.added]
        raise _Broken(f"${{{name}}} names nothing in this config.{did_you_mean(name, set(valid) - {'.'.join(trail[-1])})}")
