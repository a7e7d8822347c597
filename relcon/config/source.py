"""A config file as it stands: sections and keys, each with its place. Nothing is interpreted yet."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from relcon.errors import ConfigError, Problem, place

Keys = Tuple[str, ...]
"""The way to a value: `("stages", "pretrain", "max_steps")`."""

VARIABLE = re.compile(r"\$\{([^}]*)\}")
KEY = re.compile(r"[@*\w][\w\-@/+() ,]*")
"""What a key or a part of a section's name may look like."""

LITERALS: Dict[str, Optional[bool]] = {"True": True, "False": False, "None": None}
"""What confection reads beside JSON."""


@dataclass
class Entry:
    """A value in config notation (JSON, a bare text, or text with `${...}`) and where it was written."""

    value: str
    place: str


@dataclass(frozen=True)
class Override:
    """A value that is put over the file's.

    keys: the way to it. value: in config notation. written: where it stands (`sweep.cfg:12`); "" for a word of the command line.
    whole: whether a component that it names takes the place of the former one with all that was in it; otherwise the old arguments that
        the new one knows are kept.
    """

    keys: Keys
    value: str
    written: str = ""
    whole: bool = False

    @property
    def place(self) -> str:
        """How messages name it: `--training.seed`, `sweep.cfg:12`."""
        return self.written or self.named(".".join(self.keys))

    def named(self, way: str) -> str:
        """How a way is written where this override stands."""
        return way if self.written else f"--{way}"


@dataclass
class Source:
    """Sections and entries of a config in the order of the file, with the place of each.

    problems: what is wrong with the notation; entries concerned are left out. implied: sections that are there only because
    others stand in them. added: what overrides put where the file has nothing, with the override. dropped: what
    overrides took away with a component, with their places. broken: entries whose value is
    not to be trusted, because a problem was reported; with the value as written.
    """

    path: Path
    text: str = ""
    sections: Dict[Keys, str] = field(default_factory=dict)
    entries: Dict[Keys, Entry] = field(default_factory=dict)
    problems: List[Problem] = field(default_factory=list)
    implied: Set[Keys] = field(default_factory=set)
    added: Dict[Keys, Override] = field(default_factory=dict)
    dropped: Dict[Keys, str] = field(default_factory=dict)
    broken: Dict[Keys, str] = field(default_factory=dict)

    def at(self, line: int) -> str:
        """A line of the file as a place."""
        return place(self.path, line)

    def section(self, keys: Keys, where: str) -> List[Keys]:
        """Make sure that a section and the sections above it exist; those that were made."""
        made = [keys[:n] for n in range(1, len(keys) + 1) if keys[:n] not in self.sections]
        self.sections.update((each, where) for each in made)
        return made

    def below(self, keys: Keys) -> Iterator[Keys]:
        """Sections and entries inside a section."""
        for each in (*self.sections, *self.entries):
            if len(each) > len(keys) and each[: len(keys)] == keys:
                yield each

    def remove(self, keys: Keys) -> List[Keys]:
        """Take away an entry, or a section with all that it holds; what was taken away."""
        taken = [keys, *self.below(keys)]
        for each in taken:
            self.sections.pop(each, None)
            self.entries.pop(each, None)
        return taken

    def where(self, keys: Keys) -> str:
        """The place of a value, or of the nearest thing around it."""
        for n in range(len(keys), 0, -1):
            if keys[:n] in self.entries:
                return self.entries[keys[:n]].place
            if keys[:n] in self.sections:
                return self.sections[keys[:n]]
        return place(self.path)

    def target(self, keys: Keys, name: str) -> Keys:
        """What `${name}` means in the value of a key: a key of the same section (`${seed}`), else the way from the top."""
        way = tuple(name.strip().replace(":", ".").split("."))
        sibling = (*keys[:-1], *way)
        return sibling if len(way) == 1 and sibling in self.entries else way

    def check_notation(self) -> None:
        """Report every value whose notation is wrong."""
        for keys, entry in self.entries.items():
            message = mistaken(entry.value)
            if message and keys not in self.broken:
                self.spoil(keys, message)

    def spoil(self, keys: Keys, message: str) -> None:
        """Report an entry and take its value out of play."""
        self.problems.append(Problem(self.entries[keys].place, f"{label(keys)}: {message}"))
        self.quiet(keys)

    def quiet(self, keys: Keys) -> None:
        """Take an entry's value out of play without a report of its own."""
        self.broken[keys] = self.entries[keys].value
        self.entries[keys].value = "null"


def label(keys: Keys) -> str:
    """How messages name a key: `[stages.pretrain] max_steps`."""
    return f"[{'.'.join(keys[:-1])}] {keys[-1]}" if len(keys) > 1 else keys[0]


def read_text(path: Path) -> str:
    """The text of a config file; ConfigError where it cannot be read or is empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([Problem("", f"{path} does not exist. Give the path of a .cfg or .yaml config.")]) from None
    except IsADirectoryError:
        raise ConfigError([Problem("", f"{path} is a folder. Give the path of a .cfg or .yaml config.")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(place(path), f"not UTF-8 text (byte {error.start}).")]) from None
    except OSError as error:
        raise ConfigError([Problem(place(path), f"cannot be read: {error.strerror}.")]) from None
    if not text.strip():
        raise ConfigError([Problem(place(path), "the config is empty.")])
    return text


def is_json(text: str) -> bool:
    """Whether this is a JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def plain(value: str) -> Any:
    """A value in config notation without `${...}`: JSON, True, False, None, or a text as it is."""
    return json.loads(value) if is_json(value) else LITERALS.get(value, value)


def mistaken(value: str) -> Optional[str]:
    """What is wrong with a value's notation, or None. JSON and bare texts are right, with or without `${...}`."""
    if is_json(VARIABLE.sub("0", value)):
        return None
    if not value:
        return 'there is no value. Write null, "" or a value.'
    if value[0] == value[-1] == "'":
        return f"texts stand in double quotes: write {json.dumps(value[1:-1])}."
    if re.search(r"\s[#;]", value):
        return f"a comment needs a line of its own; here it would become part of the value {json.dumps(value)}."
    if value[0] in '["{':
        advice = "Texts in lists need double quotes, and lines that continue a list must be indented."
        if value.startswith("{"):
            advice = f"A text that begins with a brace needs double quotes around it: {json.dumps(value)}."
        return f"not valid JSON: {value}. {advice}"
    if "\n" in value:
        return "the next line is indented, which makes it part of this value. Start every key and section at the left margin."
    return None
