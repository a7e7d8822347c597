"""What was read and parsed once is kept on disk, keyed by content.

Three stores share one folder. Documents: one Arrow file per (input, reader, parser), memory-mapped. Candidate pairs: one Arrow file
per (documents, candidate rule, labels). Answers: one SQLite database per source of them (parses of a pipeline, synonyms of a
WordNet, states of an encoder). All may be deleted at any time; all are rebuilt, with a warning, where they are damaged; all may be used
by several processes at once.
"""

import hashlib
import inspect
import json
import logging
import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence, Union

import pyarrow as pa

from relcon import __version__
from relcon.data.arrow import ArrowFolder, Piece
from relcon.data.building import CANDIDATES, Candidates, read_candidates
from relcon.data.columns import DOCUMENTS, notes_of
from relcon.data.labels import LabelSet
from relcon.data.stored import DocumentFile, StoredDocuments

log = logging.getLogger(__name__)

OFF = "none"
"""The `cache` argument that switches caching off."""

def _below(cache: Optional[str], name: str) -> Optional[Path]:
    folder = cache_folder(cache)
    return folder and folder / name


def cache_folder(cache: Optional[str]) -> Optional[Path]:
    """The folder of a `cache` argument: itself; for None the environment variable RELCON_CACHE, else ~/.cache/relcon. None for "none"."""
    chosen = cache or os.environ.get("RELCON_CACHE") or str(Path.home() / ".cache" / "relcon")
    return None if chosen == OFF else Path(chosen)


# ---- documents ---------------------------------------------------------------------------------------------------------


class DocumentStore:
    """Documents of an input file or folder by a key of everything they depend on.

    cache: as `cache_folder` takes it.
    """

    def __init__(self, cache: Optional[str] = None):
        self.folder = ArrowFolder(_below(cache, "documents"), DOCUMENTS)

    def get(self, key: str, path: Path, make: Callable[[], Iterable[pa.RecordBatch]]) -> StoredDocuments:
        """The documents kept under a key, or freshly made ones, which are then kept.

        path: where they are read from now; their `source` follows it when the same files lie elsewhere. make: record batches of
        documents (`to_batch`). NotStorable where they cannot be put into columns; whatever `make` raises.
        """
        file = self.folder.get(key, lambda: (Piece(batch, notes_of(batch)) for batch in make()))
        return StoredDocuments(DocumentFile(file, path))


class CandidateStore:
    """The candidate pairs of stored documents by a key of everything they depend on.

    cache: as `cache_folder` takes it.
    """

    def __init__(self, cache: Optional[str] = None):
        self.folder = ArrowFolder(_below(cache, "candidates"), CANDIDATES)

    def get(self, key: str, documents: StoredDocuments, make: Callable[[], Iterable[Piece]]) -> Candidates:
        """The pairs kept under a key, or freshly made ones (`candidate_pieces`), which are then kept."""
        return read_candidates(self.folder.get(key, make), documents)


def document_key(path: Path, reader: Any, parser: Any = None, limit: Optional[int] = None) -> str:
    """A key of everything that the documents of a path depend on: its bytes, the reader with arguments and code, the parser,
    relcon's version."""
    return hashed(__version__, path.name, fingerprint_of_path(path), describe_component(reader), describe_component(parser), limit)


# ---- answers -----------------------------------------------------------------------------------------------------------


class Codec(NamedTuple):
    """How answers lie on disk. to_disk: an answer as text or bytes. from_disk: back again; ValueError where it cannot be."""

    to_disk: Callable[[Any], Union[str, bytes]]
    from_disk: Callable[[Any], Any]


JSON = Codec(partial(json.dumps, ensure_ascii=False), json.loads)


class AnswerStore:
    """What a slow source answered, by key, in one SQLite file per kind and name.

    cache: as `cache_folder` takes it. kind: of the answers (`parses`, `synonyms`), a folder. name: what they depend on beside their
    key (a pipeline's fingerprint). codec: how they lie on disk; as JSON unless said.
    """

    def __init__(self, cache: Optional[str], kind: str, name: str, codec: Codec = JSON):
        self.codec = codec
        folder = _below(cache, kind)
        self.file = folder / f"{name}.sqlite" if folder else None

    def get(self, keys: Sequence[str]) -> Dict[str, Any]:
        """What is kept of these keys."""
        wanted = sorted(set(keys))
        if self.file is None or not self.file.exists():
            return {}
        try:
            with closing(sqlite3.connect(self.file, timeout=60)) as database:
                found: Dict[str, Any] = {}
                for start in range(0, len(wanted), 500):
                    some = wanted[start : start + 500]
                    marks = ",".join("?" * len(some))
                    found.update(database.execute(f"SELECT key, value FROM entries WHERE key IN ({marks})", some).fetchall())
            return {key: self.codec.from_disk(value) for key, value in found.items()}
        except sqlite3.OperationalError as error:  # not damaged: busy, or just being made by another process
            log.warning("The cache file %s cannot be read now (%s).", self.file, error)
            return {}
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            log.warning("The cache file %s is damaged (%s): it is made anew.", self.file, error)
            self.file.unlink(missing_ok=True)
            return {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Keep values; where that cannot be done, say so and go on without."""
        if self.file is None or not values:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file, timeout=60)) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT)")
                rows = [(key, self.codec.to_disk(value)) for key, value in values.items()]
                database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)
        except (OSError, sqlite3.Error) as error:
            log.warning('Nothing is cached in %s: %s. Name another folder (cache = "..."), or write cache = "none".', self.file, error)


# ---- keys --------------------------------------------------------------------------------------------------------------


def hashed(*parts: Any) -> str:
    """A short hash of plain values."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=repr).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def candidates_key(documents: str, rule: Any, labels: Optional[LabelSet]) -> str:
    """A key of everything that candidate pairs depend on: the key of the documents, the rule with arguments and code, the labels."""
    named = None if labels is None else [labels.names, sorted(labels.negative), sorted(labels.symmetric)]
    return hashed(documents, describe_component(rule), named)


def fingerprint_of_path(path: Path) -> str:
    """A hash of the bytes of a file, or of names and bytes of all files below a folder."""
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(f"\0{file.relative_to(path)}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape"))
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:32]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(file for file in path.rglob("*") if file.is_file())


def describe_component(component: Any) -> Any:
    """What a component's work depends on, as plain values: its class, the code that defines it, its arguments.

    A component that knows better (it uses a model on disk) has a method `fingerprint() -> str`.
    """
    if component is None or isinstance(component, (str, int, float, bool)):
        return component
    if isinstance(component, (list, tuple)):
        return [describe_component(each) for each in component]
    if isinstance(component, dict):
        return [[str(key), describe_component(each)] for key, each in sorted(component.items(), key=str)]
    kind = type(component)
    name, code = f"{kind.__module__}.{kind.__qualname__}", _code(kind)
    if hasattr(component, "fingerprint"):
        return [name, code, component.fingerprint()]
    if hasattr(component, "__dict__"):
        return [name, code, describe_component(vars(component))]
    return [name, repr(component)]


def _code(kind: type) -> str:
    """A hash of the source files of a class and its bases, and of this folder, so that changed code makes new entries."""
    files = {Path(file) for each in kind.__mro__ if (file := _source_file(each))} | set(Path(__file__).parent.glob("*.py"))
    return hashed(sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()))


def _source_file(kind: type) -> Optional[str]:
    """The file of a class; None for a built-in one."""
    try:
        return inspect.getsourcefile(kind)
    except TypeError:
        return None
