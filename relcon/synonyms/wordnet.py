"""Synonyms from WordNet, read by nltk."""

import inspect
import re
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from relcon import __version__
from relcon.data.store import AnswerStore, fingerprint_of_path, hashed
from relcon.errors import RelconError
from relcon.interfaces import SynonymSource

HOW_TO_GET = (
    "Get it with `python -m nltk.downloader wordnet` and leave `directory` empty, or set `directory` in the [...synonyms] section "
    "to a folder that holds WordNet's files or `corpora/wordnet`."
)

SOUND = "Its files must be whole, writable by their owner only (`chmod -R go-w`), and no links that leave the folder."


class WordNet(SynonymSource):
    """All lemmas of all synsets of a word in Princeton WordNet, whatever the part of speech (Fellbaum, 1998).

    The look-up ignores case and finds base forms ("neurons" has the synonyms of "neuron"). Synonyms are lower-case, `_` and
    `-` are spaces, every character but a-z and space is dropped, and so is what is empty then or equals the word without
    case. They are neither inflected nor disambiguated.

    Answers are kept on disk: opening WordNet takes seconds, and a corpus asks for tens of thousands of forms.

    Args:
        directory: a folder with WordNet's files, or with `corpora/wordnet` (or `corpora/wordnet.zip`) below it. It may lie
            anywhere; naming it here allows nltk to read it. None: nltk's own data folders (`NLTK_DATA`, `~/nltk_data`, ...).
        cache: folder for answers, keyed by word and WordNet's files; null for the usual folder (environment variable RELCON_CACHE,
            else ~/.cache/relcon), "none" for no cache.

    Raises RelconError at the first look-up where WordNet is missing or incomplete; the message says how to get it.

    Config::

        [synonyms]
        @synonyms = "relcon.WordNet.v1"
        directory = null
    """

    def __init__(self, directory: Optional[str] = None, cache: Optional[str] = None):
        self.directory, self.cache = directory, cache
        self._reader: Optional[Any] = None
        self._store: Optional[AnswerStore] = None

    def synonyms(self, word: str) -> List[str]:
        """Cleaned lemma names, sorted; [] where WordNet does not know the word."""
        if self._reader is None:
            self._reader = open_wordnet(self.directory)
        names = {cleaned(name) for synset in self._reader.synsets(word) for name in synset.lemma_names()}
        return sorted(names - {"", word.lower()})

    def look_up(self, words: Sequence[str]) -> Dict[str, List[str]]:
        """The `synonyms` of many words; WordNet is opened only for those that were never asked for."""
        if self._store is None:
            self._store = AnswerStore(self.cache, "synonyms", wordnet_fingerprint(self.directory))
        found: Dict[str, List[str]] = self._store.get(words)
        fresh = {word: self.synonyms(word) for word in words if word not in found}
        self._store.put(fresh)
        return found | fresh


def cleaned(name: str) -> str:
    """A lemma name as running text: "nerve_cell" -> "nerve cell", "atomic_number_49" -> "atomic number"."""
    return " ".join(re.sub(r"[^a-z ]", "", re.sub(r"[_-]", " ", name.lower())).split())


@lru_cache(maxsize=2)
def wordnet_fingerprint(directory: Optional[str]) -> str:
    """What the answers depend on beside the word: WordNet's files, how they are read and cleaned; see `WordNet` for `directory`."""
    code = [inspect.getsource(part) for part in (WordNet.synonyms, cleaned)]
    return hashed(__version__, version("nltk"), code, fingerprint_of_path(_files(directory)))


def _files(directory: Optional[str]) -> Path:
    """WordNet's folder or zip. Where its directory is named nltk is not asked: importing that takes seconds."""
    folder = Path(directory or "").expanduser()
    places = [folder, folder / "corpora" / "wordnet"] if directory else []
    for place in places:
        if (place / "data.noun").exists():
            return place
    found = _find(directory)
    return Path(found.zipfile.filename if hasattr(found, "zipfile") else str(found))


@lru_cache(maxsize=2)
def open_wordnet(directory: Optional[str]) -> Any:
    """nltk's reader over a WordNet, opened once per process (it takes seconds); see `WordNet` for `directory`."""
    from nltk.corpus.reader.wordnet import WordNetCorpusReader  # nltk is slow to import: only when WordNet is wanted

    class EnglishWordNet(WordNetCorpusReader):
        """The reader over English alone."""

        def map_wn(self, version: str = "wordnet") -> None:
            """No map to other languages: it would need nltk's own copy of WordNet beside this one."""

    root = _find(directory)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The multilingual functions are not available")
            return EnglishWordNet(root, None)
    except (OSError, ValueError, LookupError) as error:
        raise RelconError(f"WordNet in {root} cannot be read: {error} {_advice(root)}") from error


def _find(directory: Optional[str]) -> Any:
    """The folder or zip with WordNet's files, as nltk wants it."""
    import nltk.data

    if directory is None:
        return _below(None, "nltk has no WordNet.")
    folder = Path(directory).expanduser().resolve()
    if not folder.is_dir():
        raise RelconError(f"WordNet directory {directory} does not exist. {HOW_TO_GET}")
    if str(folder) not in map(str, nltk.data.path):
        nltk.data.path.append(str(folder))  # nltk (3.10) reads no folder outside its data path
    if (folder / "data.noun").exists():
        return nltk.data.FileSystemPathPointer(str(folder))
    return _below(str(folder), f"{directory} holds no WordNet: neither data.noun nor corpora/wordnet.")


def _below(folder: Optional[str], otherwise: str) -> Any:
    """`corpora/wordnet`, unpacked or zipped, in a folder or in nltk's own ones; RelconError where there is none."""
    import nltk.data

    places = [folder] if folder else [str(place) for place in nltk.data.path]
    for name in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):
        try:
            return nltk.data.find(name, paths=places)
        except LookupError:
            continue
    refused = [place for place in places for name in ("wordnet", "wordnet.zip") if Path(place, "corpora", name).exists()]
    if refused:
        raise RelconError(f"nltk refuses to read the WordNet below {refused[0]}. {SOUND}")
    raise RelconError(f"{otherwise} {HOW_TO_GET}")


def _advice(root: Any) -> str:
    """What to do about a WordNet that is there and cannot be read."""
    folder = Path(str(root))
    if folder.is_dir() and not (folder / "lexnames").exists():
        return f"The file `lexnames` is missing (Debian's wordnet-base leaves it out). {HOW_TO_GET}"
    return f"{SOUND} {HOW_TO_GET}"
