"""A config as it was loaded: values, the place of each, and what was found wrong on the way."""

from pathlib import Path
from typing import List, Optional, Sequence, Union

from relcon.config.code import load_code
from relcon.config.interpolation import Section, interpolate
from relcon.config.overriding import Layer, apply_overrides, lay, parse_overrides
from relcon.config.reading import read_source
from relcon.config.source import VARIABLE, Keys, Override, Source
from relcon.config.writing import fill, write
from relcon.errors import Problem
from relcon.files import atomic


class LoadedConfig:
    """A config with its overrides, every reference followed.

    path: its file. text: the file as written. tree: its values, section in section; `[training]` is there even where the file
    leaves it out. problems: what was found wrong so far; `relcon.checking.check_config` adds the rest.
    overrides: the words of the command line. laid: titles of the layers that were laid over the file before.
    """

    def __init__(self, source: Source, overrides: Sequence[str], laid: Sequence[str] = ()):
        self.source, self.overrides, self.laid = source, list(overrides), list(laid)
        self.path, self.text = source.path, source.text
        self.tree: Section = interpolate(source)
        if self.tree.get("training") is None:
            self.tree["training"] = Section()

    @property
    def problems(self) -> List[Problem]:
        """What was found wrong while loading."""
        return list(self.source.problems)

    def where(self, keys: Keys) -> str:
        """The place of a value: `run.cfg:9` or `--training.seed`; of the nearest thing around it where it has none."""
        return self.source.where(keys)

    def added(self, keys: Keys) -> Optional[Override]:
        """The override that put something where the file has nothing, or None."""
        return self.source.added.get(keys)

    def refers_to(self, way: Keys) -> bool:
        """Whether some value takes what stands there, or something in it."""
        targets = (self.source.target(keys, name) for keys, entry in self.source.entries.items() for name in VARIABLE.findall(entry.value))
        return any(target[: len(way)] == way for target in targets)

    def broken(self, keys: Keys) -> bool:
        """Whether the value was found wrong while loading, so that nothing more is said of it."""
        return keys in self.source.broken

    def origin(self, keys: Keys) -> Keys:
        """Where a value comes from: the end of its chain of references (`data.train = ${paths.train}` -> `paths.train`), whether it is a
        reference or stands in a block that is one."""
        seen = set()
        while keys not in seen:
            seen.add(keys)
            size = next((size for size in range(len(keys), 0, -1) if keys[:size] in self.source.entries), 0)
            whole = VARIABLE.fullmatch(self.source.entries[keys[:size]].value) if size else None
            if whole is None:
                break
            keys = (*self.source.target(keys[:size], whole[1]), *keys[size:])
        return keys

    def save(self, path: Union[str, Path]) -> None:
        """Write the config that repeats this run: references followed, overrides applied, every default filled in."""
        with atomic(path) as file:
            file.write(write(fill(self.tree), self.is_section))

    def save_as_written(self, path: Union[str, Path]) -> None:
        """Write the file as it was, with its comments; layers and overrides are listed in comments on top."""
        head = f"# laid over it: {', '.join(self.laid)}\n" if self.laid else ""
        head += f"# overrides: {' '.join(self.overrides)}\n" if self.overrides else ""
        with atomic(path) as file:
            file.write(head + self.text)

    def is_section(self, keys: Keys) -> bool:
        """Whether the file has a section there (rather than a dictionary written as one value)."""
        return keys in self.source.sections


def load_config(
    path: Union[str, Path], overrides: Sequence[str] = (), code: Sequence[Union[str, Path]] = (), layers: Sequence[Layer] = ()
) -> LoadedConfig:
    """A `.cfg` or `.yaml` config with overrides.

    overrides: words as on the command line, `["--training.seed", "3", "--paths.train=x"]`.
    code: Python files with components, run first.
    layers: sections of other files, laid over it one after the other before the overrides.
    Raises ConfigError where the file cannot be read or an override is none. Mistakes within are collected in `problems`.
    """
    import_code(code)
    parsed = parse_overrides(overrides)
    source = read_source(Path(path))
    for layer in layers:
        lay(source, layer)
    apply_overrides(source, parsed)
    source.check_notation()
    return LoadedConfig(source, overrides, [layer.title for layer in layers])


def import_code(files: Sequence[Union[str, Path]]) -> None:
    """Run every `--code` file, once per process."""
    for file in files:
        load_code(Path(file))
