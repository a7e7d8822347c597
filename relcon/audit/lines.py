"""Which line of the config would change something."""

import json
from glob import glob
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from relcon.components import arguments, component_of, kind_of, nested
from relcon.config import LoadedConfig
from relcon.config.source import Keys
from relcon.data.archives import origin

DATA: Keys = ("data",)
"""Where the corpus of the run stands; stages may have others."""


class ConfigLines:
    """The lines of a config that say what the data of a corpus are.

    way: that to the corpus, and outer: its block. chain: the ways to it and to those that each changes, outermost first. corpus: the last
    of them, to the block that names the files and the candidate rule; block: that block.
    """

    def __init__(self, loaded: LoadedConfig, way: Keys = DATA):
        self.loaded, self.way = loaded, way
        self.outer: Dict[str, Any] = block_at(loaded, way)
        self.chain: List[Keys] = [way]
        self.block = self.outer
        while (inner := nested(self.block, "corpora")) is not None:
            self.chain.append((*self.chain[-1], inner))
            self.block = self.block[inner]
        self.corpus = self.chain[-1]

    @property
    def name(self) -> str:
        """`[data]`, `[vars.distant]`."""
        return title(self.way)

    @property
    def rule(self) -> str:
        """`[data.candidates]`."""
        return title((*self.corpus, "candidates"))

    def with_labels(self, labels: Mapping[Keys, List[str]]) -> Dict[str, Any]:
        """The block of the corpus with other `labels` at some ways of the chain."""
        block = self.outer
        for way, names in labels.items():
            block = _changed(block, (*way[len(self.way) :], "labels"), names)
        return block

    def takes(self, way: Keys, key: str) -> bool:
        """Whether a corpus of the chain has such an argument."""
        return key in arguments(component_of("corpora", block_at(self.loaded, way)["@corpora"]))

    def named(self, keys: Keys) -> str:
        """`run.cfg:9: [data.candidates] scope`: a key, whatever its value, at the line where it stands or would have to stand."""
        return f"{self.loaded.where(keys)}: {title(keys[:-1])} {keys[-1]}"

    def setting(self, keys: Keys, value: Any) -> str:
        """`run.cfg:9: [data.candidates] scope = "window"`: a key with another value."""
        return f"{self.named(keys)} = {json.dumps(value, ensure_ascii=False)}"

    def data(self, key: str, value: Any) -> str:
        """A key of the corpus with another value."""
        return self.setting((*self.corpus, key), value)

    def key(self, key: str) -> str:
        """`run.cfg:9: [data] symmetric`: a key of the corpus, whatever its value."""
        return self.named((*self.corpus, key))

    def candidates(self, key: str, value: Any) -> str:
        """A key of the candidate rule with another value."""
        return self.setting((*self.corpus, "candidates", key), value)

    def section(self, keys: Keys) -> str:
        """`run.cfg:9: [data.candidates]`."""
        return f"{self.loaded.where(keys)}: {title(keys)}"

    def files(self, splits: List[str]) -> str:
        """The lines that name the files of some splits; a split without a file of its own comes out of that of train."""
        named = [name if self.block.get(name) is not None else "train" for name in splits]
        return "; ".join(self.data(name, self.block[name]) for name in dict.fromkeys(named) if self.block.get(name) is not None)

    def protocol(self) -> str:
        """The keys of `[protocol]` that say how the data are divided, whatever their values."""
        stated = arguments_in(self.loaded.tree["protocol"]).items()
        keys = [self.named(("protocol", name)) for name, value in stated if value is not None and name not in ("seed", "seeds")]
        return "; ".join(keys) or self.section(("protocol",))

    @property
    def stages(self) -> Dict[str, Mapping[str, Any]]:
        """The stages that work on this corpus, by name."""
        tree = self.loaded.tree
        return {name: block for name, block in _stages(self.loaded) if (block.get("data") or tree["data"]) == self.outer}

    def blocks(self, stage: str, kind: str) -> Iterator[Tuple[Keys, Mapping[str, Any]]]:
        """The blocks of a registry in a stage, wherever they stand."""
        yield from _blocks(self.loaded.tree["stages"][stage], ("stages", stage), f"@{kind}")


def corpora_of(loaded: LoadedConfig) -> List[ConfigLines]:
    """The corpora of a config, each once: that of `[data]`, then those that stages have of their own, named by where they are written."""
    found = [ConfigLines(loaded)]
    for name, block in _stages(loaded):
        for keys in _outermost(block, ("stages", name), "@corpora"):
            lines = ConfigLines(loaded, loaded.origin(keys))
            found += [lines] if all(lines.outer != each.outer for each in found) else []
    return found


def inputs_of(loaded: LoadedConfig) -> List[Path]:
    """What an audit reads: the config, and the files, folders and archives that its corpora and its protocol name."""
    named = [text for lines in corpora_of(loaded) for text in _texts(lines.outer)]
    divided = list(_texts(loaded.tree.get("protocol")))
    matching = [file for text in divided for file in glob(text)]  # lists of folds may be named by wildcards
    paths = [_input(text) for text in (*named, *divided, *matching)]
    return [loaded.path, *(path for path in paths if path is not None)]


def title(keys: Keys) -> str:
    """`[data.candidates]`."""
    return f"[{'.'.join(keys)}]"


def block_at(loaded: LoadedConfig, keys: Keys) -> Any:
    """What stands in the config at the end of a way; None where nothing does."""
    value: Any = loaded.tree
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _stages(loaded: LoadedConfig) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    """Those that were not left out."""
    return ((name, block) for name, block in loaded.tree["stages"].items() if isinstance(block, dict))


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _input(text: str) -> Optional[Path]:
    """What a text of the config would be read from, if it is a path; None where nothing can be called so."""
    try:
        return origin(text) if text else None
    except OSError:  # longer than names may be
        return None


def _outermost(value: Any, keys: Keys, kind: str) -> Iterator[Keys]:
    """The ways to the blocks of a registry that are in no other such block."""
    if isinstance(value, dict) and kind in value:
        yield keys
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _outermost(inner, (*keys, key), kind)


def _changed(block: Mapping[str, Any], keys: Keys, value: Any) -> Dict[str, Any]:
    """A copy of a block with another value at the end of a way."""
    inner = value if len(keys) == 1 else _changed(block[keys[0]], keys[1:], value)
    return {**block, keys[0]: inner}


def _blocks(value: Any, keys: Keys, kind: str) -> Iterator[Tuple[Keys, Mapping[str, Any]]]:
    if not isinstance(value, dict):
        return
    if kind in value:
        yield keys, value
    for key, inner in value.items():
        yield from _blocks(inner, (*keys, key), kind)


def argument(block: Mapping[str, Any], name: str) -> Any:
    """What a component block says of an argument: its value, or the default; None where the component has no such argument."""
    return arguments_in(block).get(name)


def arguments_in(block: Mapping[str, Any]) -> Dict[str, Any]:
    """All arguments of a component block: values and defaults."""
    kind = str(kind_of(block))
    known = arguments(component_of(kind, block[f"@{kind}"]))
    return {name: block.get(name, each.default) for name, each in known.items()}
