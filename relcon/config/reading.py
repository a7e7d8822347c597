"""Files -> `Source`: the `.cfg` notation of confection, and the same tree as YAML."""

import json
import re
from pathlib import Path
from typing import Any, List, Optional, Tuple

import yaml

from relcon.config.source import KEY, VARIABLE, Entry, Keys, Source, label, plain, read_text
from relcon.errors import ConfigError, Problem, place

_HEADER = re.compile(r"\[(?P<name>[^\]]+)\]\s*(?:[#;].*)?$")
_OPTION = re.compile(r"(?P<key>[^\s=:][^=:]*?)\s*[=:]\s*(?P<value>.*)$")

NOWHERE: Keys = ()
"""The section of keys that stand below a header that cannot be used; they are passed over."""


def read_source(path: Path) -> Source:
    """A config file by its suffix: `.cfg`, `.yaml` or `.yml`. ConfigError where it is no readable file of these."""
    parsers = {".cfg": parse_cfg, ".yaml": parse_yaml, ".yml": parse_yaml}
    if path.suffix not in parsers:
        raise ConfigError([Problem(place(path), "a config's name ends in .cfg, .yaml or .yml.")])
    source = parsers[path.suffix](path, read_text(path))
    for keys in sorted(set(source.sections) & set(source.entries)):
        source.spoil(keys, f"is a key here and a section at {source.sections[keys]}; remove one of them.")
        source.remove(keys)
    return source


# ---- .cfg ---------------------------------------------------------------------------------------------------------------


def parse_cfg(path: Path, text: str) -> Source:
    """The `.cfg` notation: sections, `key = value`, comments on lines of their own, indented lines continue a list."""
    source = Source(path, text)
    section: Optional[Keys] = None
    entry: Optional[Entry] = None
    margin = 0
    for number, line in enumerate(source.text.split("\n"), start=1):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        indent = len(line) - len(line.lstrip())
        if entry is not None and indent > margin:
            entry.value += "\n" + content
            continue
        margin = indent
        section, entry = _read_line(source, number, content, section)
    return source


def _read_line(source: Source, number: int, content: str, section: Optional[Keys]) -> Tuple[Optional[Keys], Optional[Entry]]:
    """One line that continues nothing -> the section it stands in and the entry it opens."""
    header, option = _HEADER.match(content), _OPTION.match(content)
    if header:
        return _open_section(source, number, header["name"]), None
    if option is None or not KEY.fullmatch(option["key"]):
        source.problems.append(Problem(source.at(number), f"'{content}' is neither [section] nor key = value nor # comment."))
        return section, None
    if section == NOWHERE:
        return section, Entry("", "")
    if section is None:
        source.problems.append(Problem(source.at(number), f"'{option['key']}' stands before the first [section]."))
        return section, None
    keys = (*section, option["key"])
    entry = Entry(option["value"], source.at(number))
    if keys in source.entries:
        source.problems.append(Problem(source.at(number), f"{label(keys)} was given at {source.entries[keys].place} already."))
    else:
        source.entries[keys] = entry
    return section, entry


def _open_section(source: Source, number: int, name: str) -> Keys:
    keys = tuple(part.strip() for part in name.split("."))
    where = source.at(number)
    if not all(KEY.fullmatch(key) for key in keys) or keys == ("DEFAULT",):
        source.problems.append(Problem(where, f"[{name}] cannot be the name of a section. Names look like [stages.pretrain]."))
        return NOWHERE
    if keys in source.sections and keys not in source.implied:
        source.problems.append(Problem(where, f"[{name}] was opened at {source.sections[keys]} already; write its keys there."))
    source.implied.update(source.section(keys, where))
    source.implied.discard(keys)
    source.sections[keys] = where
    return keys


# ---- YAML ---------------------------------------------------------------------------------------------------------------


def parse_yaml(path: Path, text: str) -> Source:
    """The same tree as YAML. Plain values mean what they mean in a `.cfg` (`no` is a text, `1e-3` a number)."""
    source = Source(path, text)
    try:
        root = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigError([Problem(place(path, line), f"not valid YAML: {error.problem}.")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError([Problem(place(path), f"not valid YAML: {error}.")]) from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError([Problem(place(path, 1), "a config is a mapping of sections (paths:, training:, data:, stages:).")])
    _read_mapping(source, root, (), [])
    return source


def _read_mapping(source: Source, node: yaml.MappingNode, keys: Keys, around: List[yaml.Node]) -> None:
    for key, value in node.value:
        here = (*keys, str(key.value))
        where = source.at(key.start_mark.line + 1)
        name = key.value if isinstance(key, yaml.ScalarNode) else "? ..."
        if not KEY.fullmatch(name) or here == ("DEFAULT",):
            source.problems.append(Problem(where, f"'{name}' cannot be the name of a section."))
        elif here in source.sections or here in source.entries:
            source.problems.append(Problem(where, f"{label(here)} was given at {source.where(here)} already."))
        elif any(value is outer for outer in (*around, node)):
            source.problems.append(Problem(where, f"{label(here)} contains itself (a YAML alias)."))
        elif _is_section(value):
            source.sections[here] = where
            _read_mapping(source, value, here, [*around, node])
        else:
            source.entries[here] = Entry(_notation(value), where)


def _is_section(node: yaml.Node) -> bool:
    """A mapping is a section unless its keys could not stand in a `.cfg` (`CPR:3`); then it is one value."""
    return isinstance(node, yaml.MappingNode) and all(KEY.fullmatch(str(key.value)) for key, _ in node.value)


def _notation(node: yaml.Node) -> str:
    """A YAML value in config notation."""
    if isinstance(node, yaml.ScalarNode):
        if node.style is None or VARIABLE.fullmatch(node.value):
            return "null" if node.value in ("", "~") else node.value
        return json.dumps(node.value, ensure_ascii=False)
    return json.dumps(_plain(node), ensure_ascii=False)


def _plain(node: yaml.Node) -> Any:
    """A YAML list or mapping as Python values, its plain scalars read as in a `.cfg`."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return node.value
    if node.value in ("", "~"):
        return None
    return plain(node.value)
