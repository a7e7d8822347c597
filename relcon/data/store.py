"""What was read and parsed once is kept on disk, keyed by content.

Two stores share one folder. Documents: one compressed file of JSON lines per (input, reader, parser), written whole or not at all.
Parses: one SQLite database per pipeline, for single texts. Both may be deleted at any time; both are rebuilt, with a
warning, where they are damaged; both may be used by several processes at once.
"""

import gzip
import hashlib
import inspect
import json
import logging
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from relcon import __version__
from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.errors import RelconError
from relcon.files import atomic

log = logging.getLogger(__name__)

OFF = "none"
"""The `cache` argument that switches caching off."""

DAMAGED = (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, RelconError)
"""What reading a damaged cache file may raise."""


def cache_folder(cache: Optional[str]) -> Optional[Path]:
    """The folder of a `cache` argument: itself; for None the environment variable RELCON_CACHE, else ~/.cache/relcon. None for "none"."""
    chosen = cache or os.environ.get("RELCON_CACHE") or str(Path.home() / ".cache" / "relcon")
    return None if chosen == OFF else Path(chosen)


_reading_only = False


@contextmanager
def reading_only() -> Iterator[None]:
    """While this lasts, what is kept is used, and nothing is added."""
    global _reading_only
    before, _reading_only = _reading_only, True
    try:
        yield
    finally:
        _reading_only = before


# ---- documents ---------------------------------------------------------------------------------------------------------


class DocumentStore:
    """Documents of an input file or folder by a key of everything they depend on.

    cache: as `cache_folder` takes it.
    """

    def __init__(self, cache: Optional[str] = None):
        folder = cache_folder(cache)
        self.folder = folder / "documents" if folder else None

    def get(self, key: str, path: Path, make: Callable[[], List[Document]]) -> List[Document]:
        """The documents kept under a key, or freshly made ones, which are then kept.

        path: where they are read from now; their `source` follows it when the same files lie elsewhere.
        """
        if self.folder is None:
            return make()
        file = self.folder / f"{key}.jsonl.gz"
        kept = self._load(file, path)
        if kept is not None:
            return kept
        documents = make()
        self._save(file, path, documents)
        return documents

    def _load(self, file: Path, path: Path) -> Optional[List[Document]]:
        """What is kept; None where nothing is, or what there is cannot be used."""
        if not file.exists():
            return None
        try:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                head = json.loads(next(lines))
                documents = [_document(json.loads(line), path) for line in lines]
            if len(documents) == head["documents"]:
                return documents
            reason = f"{len(documents)} documents of {head['documents']}"
        except (*DAMAGED, StopIteration) as error:
            reason = f"{type(error).__name__}: {error}"
        log.warning("The cache file %s is damaged (%s): it is made anew.", file, reason)
        return None

    def _save(self, file: Path, path: Path, documents: Sequence[Document]) -> None:
        """Keep documents; where that cannot be done, say so and go on without."""
        if _reading_only:
            return
        try:
            with atomic(file, "wb") as raw, gzip.open(raw, "wt", encoding="utf-8", compresslevel=3) as lines:
                for record in ({"documents": len(documents)}, *(_row(document, path) for document in documents)):
                    lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        except (RelconError, OSError, TypeError, ValueError) as error:  # a folder that cannot be written, metadata that are no JSON
            log.warning('Nothing is cached (%s). Name another folder ([data] cache), or write cache = "none".', error)


def document_key(path: Path, reader: Any, parser: Any = None, limit: Optional[int] = None) -> str:
    """A key of everything that the documents of a path depend on: its bytes, the reader with arguments and code, the parser,
    relcon's version."""
    return hashed(__version__, path.name, fingerprint_of_path(path), describe_component(reader), describe_component(parser), limit)


def _row(document: Document, path: Path) -> List[Any]:
    """The document as a JSON list, its source relative to the path that is read.

    Not relcon's JSON-lines: those are checked word by word when they are read, which takes longer than reading the data anew.
    """
    entities = [[entity.mentions, entity.type, entity.id] for entity in document.entities]
    relations = [[each.head, each.tail, each.label, each.id, each.score] for each in document.relations]
    parse = document.parse and [document.parse.heads, document.parse.labels, document.parse.tags]
    source = document.source and [os.path.relpath(document.source.path, path), document.source.line]
    words = [document.id, document.words, document.sentences, document.text, document.offsets]
    return [*words, entities, relations, parse, source, dict(document.metadata)]


def _document(row: List[Any], path: Path) -> Document:
    """The document that `_row` wrote, its source below the path that is read now."""
    name, words, sentences, text, offsets, entities, relations, parse, source, metadata = row
    return Document(
        id=name,
        words=tuple(words),
        entities=tuple(Entity(tuple(_mention(*each) for each in mentions), type, id) for mentions, type, id in entities),
        relations=tuple(Relation(*each) for each in relations),
        sentences=tuple((start, end) for start, end in sentences),
        text=text,
        offsets=None if offsets is None else tuple((start, end) for start, end in offsets),
        parse=None if parse is None else Parse(*(tuple(column) for column in parse)),
        source=None if source is None else Source(os.path.normpath(path / source[0]), source[1]),
        metadata=metadata,
    )


def _mention(start: int, end: int, fragments: List[List[int]]) -> Mention:
    return Mention(start, end, tuple((first, last) for first, last in fragments))


# ---- parses ------------------------------------------------------------------------------------------------------------


class ParseStore:
    """JSON values by key, in one SQLite file per name.

    cache: as `cache_folder` takes it. name: what the values depend on beside their key (a pipeline's fingerprint).
    """

    def __init__(self, cache: Optional[str], name: str):
        folder = cache_folder(cache)
        self.file = folder / "parses" / f"{name}.sqlite" if folder else None

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
            return {key: json.loads(value) for key, value in found.items()}
        except sqlite3.OperationalError as error:  # not damaged: busy, or just being made by another process
            log.warning("The cache file %s cannot be read now (%s).", self.file, error)
            return {}
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            log.warning("The cache file %s is damaged (%s): it is made anew.", self.file, error)
            if not _reading_only:
                self.file.unlink(missing_ok=True)
            return {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Keep values; where that cannot be done, say so and go on without."""
        if self.file is None or not values or _reading_only:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file, timeout=60)) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT)")
                rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()]
                database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)
        except (OSError, sqlite3.Error) as error:
            log.warning('Nothing is cached in %s: %s. Name another folder (cache = "..."), or write cache = "none".', self.file, error)


# ---- keys --------------------------------------------------------------------------------------------------------------


def hashed(*parts: Any) -> str:
    """A short hash of plain values."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=repr).encode("utf-8", "surrogatepass")).hexdigest()[:32]


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
