"""A config with every default written out and a comment for every key."""

import re
import textwrap
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from relcon.checking import require_sound
from relcon.components import REQUIRED, argument_texts, arguments, component_of, docstring_text
from relcon.config import LoadedConfig
from relcon.config.overriding import apply_overrides, parse_overrides
from relcon.config.reading import parse_cfg
from relcon.config.source import Keys, Source, plain
from relcon.config.writing import notation
from relcon.settings import SECTIONS, Training

WIDTH = 118
SENTENCE = re.compile(r".*?(?<!\bal)(?<!\be\.g)(?<!\bi\.e)\.(?=\s|$)|.+", re.DOTALL)
"""The first sentence of an explanation."""


def commented(text: str, overrides: Sequence[str], notes: Mapping[Keys, Sequence[str]], head: Sequence[str], path: Path) -> str:
    """A config whose every key has a comment: what is noted of it, what stands above it in the text, and what its component says of it.

    text: a config in `.cfg` notation. overrides: laid over it, as words of the command line. notes: further lines above keys and sections.
    head: lines on top. path: what it will be called, for messages. ConfigError where the result is not sound.
    """
    source = _source(path, text, overrides)
    require_sound(LoadedConfig(source, []))
    said = _written_comments(text)
    blocks = ["\n".join(_comment(line) for line in head)]
    for section in source.sections:
        lines = list(_section(source, section, {**said, **{keys: [*said.get(keys, []), *more] for keys, more in notes.items()}}))
        if lines:
            blocks.append("\n".join(lines))
    made = "\n\n".join(blocks) + "\n"
    require_sound(LoadedConfig(_source(path, made, ()), []))
    return made


def _source(path: Path, text: str, overrides: Sequence[str]) -> Source:
    source = parse_cfg(path, text)
    apply_overrides(source, parse_overrides(overrides))
    source.check_notation()
    return source


def _written_comments(text: str) -> Dict[Keys, List[str]]:
    """The comments of a config by the key, or the section, that they stand right above."""
    found: Dict[Keys, List[str]] = {}
    section: Keys = ()
    above: List[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            above.append(line.lstrip("# "))
            continue
        if line.startswith("["):
            section = tuple(line.strip("[] ").split("."))
        key = re.match(r"[@\w]+(?=\s*=)", line)
        if above and (key or line.startswith("[")):
            found[(*section, key[0]) if key else section] = above
        above = []
    return found


# ---- sections ------------------------------------------------------------------------------------------------------------


def _section(source: Source, section: Keys, said: Mapping[Keys, Sequence[str]]) -> Iterator[str]:
    """The lines of a section; none of one that only holds others."""
    entries = {keys[-1]: source.entries[keys].value for keys in source.entries if keys[:-1] == section}
    defaults = _defaults(source, section, entries)
    holds = any(each[:-1] == section for each in source.sections)
    if not entries and not defaults and holds and section not in said:
        return
    yield from map(_comment, _above_section(source, section, said))
    yield f"[{'.'.join(section)}]"
    before: List[str] = []
    for key, value in sorted({**entries, **defaults}.items(), key=lambda each: not each[0].startswith("@")):
        above = _above_key(source, (*section, key), said)
        yield from map(_comment, above if above != before else [])  # `train, dev, test: ...` is said once
        yield f"{key} = {value}"
        before = above


def _defaults(source: Source, section: Keys, entries: Mapping[str, str]) -> Dict[str, str]:
    """What a component takes by default and the config does not say, as it is written."""
    known = arguments(Training) if section == ("training",) else _arguments(source, section)
    inner = {each[len(section)] for each in source.sections if each[: len(section)] == section and len(each) > len(section)}
    return {
        name: notation(each.default) for name, each in known.items() if name not in {*entries, *inner} and each.default is not REQUIRED
    }


def _component(source: Source, section: Keys) -> Optional[Any]:
    """The component that a section names, or None."""
    for keys, entry in source.entries.items():
        if keys[:-1] == section and keys[-1].startswith("@"):
            return component_of(keys[-1][1:], plain(entry.value))
    return None


def _arguments(source: Source, section: Keys) -> Dict[str, Any]:
    component = _component(source, section)
    return {} if component is None else arguments(component)


# ---- comments ------------------------------------------------------------------------------------------------------------


def _comment(line: str) -> str:
    return "\n".join(f"# {part}" for part in textwrap.wrap(line, WIDTH)) if line else "#"


def first_sentence(text: str) -> str:
    """The first sentence of an explanation, without what follows it."""
    paragraph = re.split(r"\n\s*\n", text.strip())[0]
    found = SENTENCE.match(paragraph)
    return " ".join((found[0] if found else paragraph).split())


def _above_section(source: Source, section: Keys, said: Mapping[Keys, Sequence[str]]) -> List[str]:
    """What a section is: what was said of it, or what the argument is that it gives, or, on top, what such sections hold."""
    if section in said:
        return list(said[section])
    if len(section) == 1:
        return [f"{section[0]}: {SECTIONS[section[0]]}"]
    explained = _explained(source, section)
    return [explained] if explained else []


def _above_key(source: Source, keys: Keys, said: Mapping[Keys, Sequence[str]]) -> List[str]:
    """What a key is: what was said of it and what its component explains."""
    noted = list(said.get(keys, []))
    component = _component(source, keys[:-1])
    if keys[-1].startswith("@") and component is not None:
        return [*noted, first_sentence(docstring_text(component))]
    explained = argument_texts(Training).get(keys[-1], "") if keys[0] == "training" else _explained(source, keys)
    return [*noted, first_sentence(explained)] if explained and not (noted and keys[0] in ("paths", "vars")) else noted


def _explained(source: Source, keys: Keys) -> str:
    """What the nearest component around says of the argument that this is, or is part of; "" where there is none."""
    for length in range(len(keys) - 1, 0, -1):
        component = _component(source, keys[:length])
        if component is not None:
            return first_sentence(argument_texts(component).get(keys[length], ""))
    return ""


def placed(overrides: Mapping[str, Any]) -> List[str]:
    """Overrides as words: `{"data.negative": ["Other"]}` -> `["--data.negative", '["Other"]']`."""
    return [word for way, value in overrides.items() for word in (f"--{way}", notation(value))]
