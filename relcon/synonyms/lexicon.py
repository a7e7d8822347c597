"""Synonyms from a file of one's own."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

from relcon.errors import DataError, Problem, RelconError, place
from relcon.interfaces import SynonymSource
from relcon.sample import resolve as resolve_path

Entry = Tuple[str, List[str]]


class Lexicon(SynonymSource):
    """A file that says word by word what may stand in for it.

    Two forms, told apart by the ending:

    * `.json`: one object, `{"quickly": ["fast", "at once"], ...}`;
    * any other: a line per word, `quickly<TAB>fast<TAB>at once`; empty lines and lines that begin with `#` are skipped.

    UTF-8. A word that stands in several lines has the synonyms of all of them. Synonyms are inserted as they are written.

    Args:
        path: the file.
        ignore_case: whether "Quickly" has the synonyms of "quickly".

    Raises, at the first look-up, RelconError where the file is missing or empty, DataError with file and line where it is
    wrong.

    Config::

        [synonyms]
        @synonyms = "relcon.Lexicon.v1"
        path = "my_synonyms.tsv"
    """

    def __init__(self, path: str, ignore_case: bool = True):
        self.path, self.ignore_case = path, ignore_case
        self._entries: Optional[Dict[str, List[str]]] = None

    def synonyms(self, word: str) -> List[str]:
        """The file's synonyms of this word, sorted, without the word itself."""
        if self._entries is None:
            self._entries = self._read()
        return [synonym for synonym in self._entries.get(self._key(word), []) if self._key(synonym) != self._key(word)]

    def _read(self) -> Dict[str, List[str]]:
        found: Dict[str, Set[str]] = {}
        for word, synonyms in read_lexicon(resolve_path(self.path)):
            found.setdefault(self._key(word), set()).update(synonyms)
        return {word: sorted(synonyms) for word, synonyms in found.items()}

    def _key(self, word: str) -> str:
        return word.lower() if self.ignore_case else word


def read_lexicon(path: Path) -> List[Entry]:
    """The entries of a lexicon file, in order; for the two forms and the errors see `Lexicon`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RelconError(f"The lexicon {path} does not exist. Set `path` in the [...synonyms] section.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RelconError(f"The lexicon {path} cannot be read: {error}. It must be a UTF-8 text file.") from error
    entries, problems = _from_json(path, text) if path.suffix == ".json" else _from_lines(path, text)
    if problems:
        raise DataError(problems, f"The lexicon {path} has mistakes:")
    if not entries:
        raise RelconError(f"The lexicon {path} is empty. Write a word and its synonyms on each line, with tabs between.")
    return entries


def _from_lines(path: Path, text: str) -> Tuple[List[Entry], List[Problem]]:
    entries: List[Entry] = []
    problems: List[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, *synonyms = (field.strip() for field in line.split("\t"))
        if word and synonyms and all(synonyms):
            entries.append((word, synonyms))
        else:
            problems.append(Problem(place(path, number), "expected a word, a tab and its synonyms with tabs between, none of them empty."))
    return entries, problems


def _from_json(path: Path, text: str) -> Tuple[List[Entry], List[Problem]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [], [Problem(place(path, getattr(error, "lineno", None)), f"not valid JSON ({error}).")]
    if not isinstance(value, dict):
        return [], [Problem(place(path, 1), 'expected one object, {"word": ["synonym", ...], ...}.')]
    wrong = [word for word, synonyms in value.items() if not (word.strip() and _filled_list(synonyms))]
    problems = [Problem(place(path, _line_of(word, text)), f"'{word}' must have a list of synonyms, none of them empty.") for word in wrong]
    return list(value.items()), problems


def _filled_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) and each.strip() for each in value)


def _line_of(word: str, text: str) -> Optional[int]:
    """The line on which a key stands; None where it is written with escapes of its own."""
    at = text.find(json.dumps(word, ensure_ascii=False))
    return None if at < 0 else text.count("\n", 0, at) + 1
