"""The beginning of a file or folder, from which a reader tells whether it is of its format."""

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from relcon.errors import RelconError

BYTES, NAMES = 1 << 20, 1000
"""So much of a file is looked at, and so many names of a folder."""


@dataclass(frozen=True, eq=False)
class Glimpse:
    """What may be seen of a path without reading it all.

    path: the file or folder. names: names of the files in a folder, sorted; () for a file. raw: the first bytes of a file; b"" for a
    folder. whole: whether that is all of the file.
    """

    path: Path
    names: Tuple[str, ...] = ()
    raw: bytes = b""
    whole: bool = True

    @cached_property
    def text(self) -> str:
        """The beginning as UTF-8 text; bytes that are none become the replacement character."""
        return self.raw.decode("utf-8-sig", errors="replace")

    @cached_property
    def lines(self) -> List[str]:
        """Its whole lines that are not blank, without line ends."""
        found = self.text.splitlines()
        return [line for line in (found if self.whole else found[:-1]) if line.strip()]

    @property
    def is_array(self) -> bool:
        """Whether it is one JSON array."""
        return self.text.lstrip().startswith("[")

    @cached_property
    def record(self) -> Optional[Any]:
        """The first record of JSON: the first item of an array, the object of the first line, or the one object that the file is. None
        where there is none, or it is longer than what is looked at."""
        text = self.text.lstrip()
        text = text[1:].lstrip() if self.is_array else text
        try:
            return json.JSONDecoder().raw_decode(text)[0] if text.startswith(("{", "[")) else None
        except (ValueError, RecursionError):
            return None

    def has(self, *keys: str) -> bool:
        """Whether the first record is an object with all these keys."""
        return isinstance(self.record, dict) and all(key in self.record for key in keys)

    def value(self, key: str) -> Any:
        """What stands under a key of the first record; None where that has no such key."""
        return self.record.get(key) if isinstance(self.record, dict) else None

    def objects(self, key: str) -> Optional[List[Dict[str, Any]]]:
        """The objects in a list of the first record; None where that has no such key, or another value there."""
        found = self.value(key)
        return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else None

    def first(self, pattern: str) -> "Glimpse":
        """Of a folder, its first file whose path in it fits a pattern ("*.json", "**/*.xml"), if there is one; else itself."""
        found = min((path for path in islice(self.path.glob(pattern), NAMES) if path.is_file()), default=self.path)
        return self if found == self.path else glimpse(found)


def glimpse(path: Path) -> Glimpse:
    """The beginning of a path. RelconError where there is nothing, or it cannot be read."""
    path = Path(path)
    try:
        if path.is_dir():
            return Glimpse(path, tuple(sorted(file.name for file in islice(path.iterdir(), NAMES) if file.is_file())))
        with path.open("rb") as file:
            raw = file.read(BYTES)
            return Glimpse(path, raw=raw, whole=not file.read(1))
    except OSError as error:
        raise RelconError(f"{path} cannot be read: {error.strerror or error}.") from error
