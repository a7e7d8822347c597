"""Which line of the config would change something."""

import json
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from relcon.components import arguments, component_of, kind_of, nested
from relcon.config import LoadedConfig
from relcon.config.source import Keys


class ConfigLines:
    """The lines of a config that say what the data are.

    corpus: the way to the block that names the files and the candidate rule, within those corpora that change what another one reads.
    """

    def __init__(self, loaded: LoadedConfig):
        self.loaded = loaded
        self.corpus: Keys = ("data",)
        self.block: Mapping[str, Any] = loaded.tree["data"]
        while (inner := nested(self.block, "corpora")) is not None:
            self.corpus, self.block = (*self.corpus, inner), self.block[inner]

    def setting(self, keys: Keys, value: Any) -> str:
        """`run.cfg:9: [data.candidates] scope = "window"`: a key with another value, at the line where it stands or would have to stand."""
        return f"{self.loaded.where(keys)}: [{'.'.join(keys[:-1])}] {keys[-1]} = {json.dumps(value, ensure_ascii=False)}"

    def data(self, key: str, value: Any) -> str:
        """A key of the corpus with another value."""
        return self.setting((*self.corpus, key), value)

    def key(self, key: str) -> str:
        """`run.cfg:9: [data] symmetric`: a key of the corpus, whatever its value."""
        return f"{self.loaded.where((*self.corpus, key))}: [{'.'.join(self.corpus)}] {key}"

    def candidates(self, key: str, value: Any) -> str:
        """A key of the candidate rule with another value."""
        return self.setting((*self.corpus, "candidates", key), value)

    def section(self, keys: Keys) -> str:
        """`run.cfg:9: [data.candidates]`."""
        return f"{self.loaded.where(keys)}: [{'.'.join(keys)}]"

    def files(self, splits: List[str]) -> str:
        """The lines that name the files of some splits; a split without a file of its own comes out of that of train."""
        named = [name if self.block.get(name) is not None else "train" for name in splits]
        return "; ".join(self.data(name, self.block[name]) for name in dict.fromkeys(named) if self.block.get(name) is not None)

    @property
    def stages(self) -> Dict[str, Mapping[str, Any]]:
        """The stages that work on the corpus of `[data]`, by name."""
        return {name: block for name, block in self.loaded.tree["stages"].items() if isinstance(block, dict) and block.get("data") is None}

    def blocks(self, stage: str, kind: str) -> Iterator[Tuple[Keys, Mapping[str, Any]]]:
        """The blocks of a registry in a stage, wherever they stand."""
        yield from _blocks(self.loaded.tree["stages"][stage], ("stages", stage), f"@{kind}")


def _blocks(value: Any, keys: Keys, kind: str) -> Iterator[Tuple[Keys, Mapping[str, Any]]]:
    if not isinstance(value, dict):
        return
    if kind in value:
        yield keys, value
    for key, inner in value.items():
        yield from _blocks(inner, (*keys, key), kind)


def argument(block: Mapping[str, Any], name: str) -> Any:
    """What a component block says of an argument: its value, or the default; None where the component has no such argument."""
    kind = str(kind_of(block))
    known = arguments(component_of(kind, block[f"@{kind}"]))
    return block.get(name, known[name].default) if name in known else None
