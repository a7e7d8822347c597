"""Arrow files in a folder, by key: written as a stream, whole or not at all, and memory-mapped when they are read."""

import json
import logging
import mmap
import os
import tempfile
import weakref
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

import pyarrow as pa

from relcon.errors import RelconError
from relcon.files import atomic

log = logging.getLogger(__name__)

DAMAGED = (OSError, ValueError, TypeError, KeyError, pa.ArrowException)
"""What opening a damaged file may raise."""

NOTES = "relcon"
"""The key of the notes in a batch's own metadata."""


class Piece(NamedTuple):
    """A record batch and what is to be known of it without reading it, as plain values for JSON."""

    batch: pa.RecordBatch
    notes: Dict[str, Any]


class ArrowFile:
    """A memory-mapped file of record batches. Opening it reads the notes and no row.

    path: as `ArrowFolder` wrote it. schema: what must be in it. ValueError, OSError or an Arrow error where it is damaged.
    """

    def __init__(self, path: Path, schema: pa.Schema):
        self.path, self.schema = path, schema
        with open(path, "rb") as file:
            self.pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = pa.ipc.open_file(pa.py_buffer(self.pages))
        if reader.schema != schema:
            raise ValueError("it has other columns")
        found = [reader.get_batch_with_custom_metadata(number) for number in range(reader.num_record_batches)]
        self.batches = [batch for batch, _ in found]
        self.notes: List[Dict[str, Any]] = [json.loads(notes[NOTES]) for _, notes in found]
        self.ends = list(accumulate(batch.num_rows for batch in self.batches))
        self.sound = [False] * len(self.batches)

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def locate(self, row: int) -> Tuple[int, int]:
        """The number of the batch that holds a row, and the row's place in it."""
        number = bisect_right(self.ends, row)
        return number, row - (self.ends[number - 1] if number else 0)

    def batch(self, number: int) -> pa.RecordBatch:
        """A batch, checked when it is first asked for, so that no damage within the file is read as data.

        RelconError where it is damaged; the file is then removed.
        """
        if not self.sound[number]:
            self._check(self.batches[number])
            self.sound[number] = True
            self.release()
        return self.batches[number]

    def release(self) -> None:
        """Let go of the pages that were read, where the system can be asked to. They are read again when they are needed.

        The system takes them back itself when memory is short; until then they would count as this process's, up to the whole file.
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            self.pages.madvise(mmap.MADV_DONTNEED)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of all batches, still in the file. It alone is read and checked."""
        found = pa.chunked_array([batch.column(name) for batch in self.batches], self.schema.field(name).type)
        self._check(found)
        return found

    def _check(self, data: Union[pa.RecordBatch, pa.ChunkedArray]) -> None:
        try:
            data.validate(full=True)
        except DAMAGED as error:
            self.path.unlink(missing_ok=True)
            reason = str(error).splitlines()[0]
            raise RelconError(f"The cache file {self.path} is damaged ({reason}). It has been removed: start again.") from error


class _NoRoom(Exception):
    """A batch could not be written, because the disk is full or gone."""


class ArrowFolder:
    """Arrow files by key. Where there is no folder, or it cannot be written, they lie in a temporary one until they are let go.

    A temporary file rather than memory: what does not fit in memory does not fit there without a cache either.
    """

    def __init__(self, folder: Optional[Path], schema: pa.Schema):
        self.folder, self.schema = folder, schema

    def get(self, key: str, make: Callable[[], Iterable[Piece]]) -> ArrowFile:
        """The file of a key, or a freshly made one, which is then kept. RelconError where it can be written nowhere."""
        if self.folder is not None:
            file = self.folder / f"{key}.arrow"
            kept = self._open(file)
            if kept is not None:
                return kept
            reason = _unwritable(self.folder)
            try:
                if reason is None:
                    return self._write(file, make)
            except _NoRoom as error:
                reason = str(error)
            log.warning('Nothing is cached (%s: %s). Name another folder ([data] cache), or write cache = "none".', self.folder, reason)
        return self._temporary(key, make)

    def _open(self, file: Path) -> Optional[ArrowFile]:
        """What is kept; None where nothing is, or what there is cannot be used."""
        if not file.exists():
            return None
        try:
            return ArrowFile(file, self.schema)
        except DAMAGED as error:
            log.warning("The cache file %s is damaged (%s: %s): it is made anew.", file, type(error).__name__, error)
            return None

    def _write(self, file: Path, make: Callable[[], Iterable[Piece]]) -> ArrowFile:
        """Stream to a file. _NoRoom where the disk does not take it; whatever `make` raises."""
        with atomic(file, "wb") as raw, pa.ipc.new_file(raw, self.schema) as writer:
            for piece in make():
                notes = json.dumps(piece.notes, ensure_ascii=False)
                try:
                    writer.write_batch(piece.batch, custom_metadata={NOTES: notes})
                except OSError as error:
                    raise _NoRoom(error.strerror or str(error)) from error
        return ArrowFile(file, self.schema)

    def _temporary(self, key: str, make: Callable[[], Iterable[Piece]]) -> ArrowFile:
        handle, name = tempfile.mkstemp(".arrow", f"{key[:8]}-", _scratch())
        os.close(handle)
        try:
            made = self._write(Path(name), make)
        except _NoRoom as error:
            raise RelconError(f"{name} cannot be written: {error}. Set TMPDIR to a folder with more room.") from error
        weakref.finalize(made, Path(name).unlink, missing_ok=True)
        return made


def _unwritable(folder: Path) -> Optional[str]:
    """Why nothing can be written to a folder, which is made where it is missing; None where it can be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return None if os.access(folder, os.W_OK) else "not writable"


@lru_cache(maxsize=1)
def _temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder of this process, removed at its end."""
    return tempfile.TemporaryDirectory(prefix="relcon-", ignore_cleanup_errors=True)


def _scratch() -> str:
    return _temporary_folder().name
