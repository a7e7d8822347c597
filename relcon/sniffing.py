"""Which reader a file or folder is for: all registered ones are asked, and those that answer try to read the first documents."""

import logging
import re
from itertools import islice
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Tuple

from relcon.components import REQUIRED, arguments
from relcon.data.document import Document
from relcon.data.glimpse import Glimpse, glimpse
from relcon.errors import ProblemsError, RelconError
from relcon.interfaces import DatasetReader

logger = logging.getLogger(__name__)

TRIED = 3
"""So many documents are read."""

ANSWER = re.compile(r"[0-9]+\t[^\s(]+(\(e[12],e[12]\))?\s*")
"""A line of a key, or of a system's answers: an item and its label."""


class Likeness(NamedTuple):
    """A reader for which a path may be.

    reader: its registered name. reason: what the path looks like, in words. read: how many of the first documents it read, with its
    defaults. failure: why it read no more, in words; "" where nothing is wrong with them.
    """

    reader: str
    reason: str
    read: int
    failure: str


class Tried(NamedTuple):
    """A likeness, with what its order depends on. marked: how many entities and relations there are. own: it is of the core."""

    likeness: Likeness
    last_resort: bool
    marked: int
    own: bool


def sniff(path: Path) -> List[Likeness]:
    """The readers for which a file or folder looks right, the likeliest first; [] where none knows it.

    Those that read its first documents come before those that do not, then those that find more entities and relations in them, then those
    of the core. A reader that takes whatever is text is named where no other answers. RelconError where there is nothing at the path, or in
    the file, it cannot be read, or it holds answers to items whose text is elsewhere.
    """
    seen = glimpse(Path(path))
    if seen.path.is_file() and not seen.raw.strip():
        raise RelconError(f"{path} is empty. Give a file with data.")
    found = [tried for name in DatasetReader.registry.names() if (tried := _tried(name, seen)) is not None]
    known = [each for each in found if not each.last_resort]
    if not known and seen.lines and all(ANSWER.fullmatch(line) for line in seen.lines):
        raise RelconError(
            f"{path} is no corpus: each line is an item and its label (ID<TAB>Label), as in a key or a system's answers, and the text is "
            "elsewhere. Give the file with the text; relcon score GOLD PREDICTED compares such files."
        )
    found = known or found
    return [each.likeness for each in sorted(found, key=_order)]


def _order(tried: Tried) -> Tuple[Any, ...]:
    return bool(tried.likeness.failure), -tried.marked, not tried.own, tried.likeness.reader


def _tried(name: str, seen: Glimpse) -> Optional[Tried]:
    """What becomes of a reader that is asked; None where it does not know the path, or cannot be asked."""
    try:
        reader: Any = DatasetReader.registry.get(name)
        reason = reader.sniff(seen) if isinstance(reader, type) and issubclass(reader, DatasetReader) else None
    except Exception as error:  # a stranger's reader may raise anything, and must not hide the others
        logger.warning("'%s' could not be asked whether %s is for it: %s: %s", name, seen.path, type(error).__name__, error)
        return None
    if reason is None:
        return None
    documents, failure = _first_documents(reader, seen.path)
    marked = sum(len(document.entities) + len(document.relations) for document in documents)
    return Tried(Likeness(name, reason, len(documents), failure), reader.last_resort, marked, name.startswith("relcon."))


def _first_documents(reader: Any, path: Path) -> Tuple[List[Document], str]:
    """The first documents that a reader with its defaults finds, and what was wrong with the next."""
    found: List[Document] = []
    try:
        needed = [name for name, argument in arguments(reader).items() if argument.default is REQUIRED]
        if needed:
            return [], f"not tried, because it must be told {' and '.join(needed)}"
        for document in islice(reader().read(path), TRIED):
            found.append(document)
    except ProblemsError as error:
        return found, str(error.problems[0])
    except Exception as error:  # as above
        return found, str(error) or type(error).__name__
    return found, ""
