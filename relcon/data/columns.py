"""Documents as columns of Arrow record batches, and back.

Written with Arrow's own conversion, a batch at a time. Read one document at a time from the memory of the batch: Arrow's conversion of a
single row takes ten times as long.
"""

import json
import os
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Sequence, Tuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source, WordSpan, group_of
from relcon.data.sequences import HASH_BYTES, content_hash

SPANS = pa.list_(pa.list_(pa.int32(), 2))
MENTION = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("fragments", SPANS)])
ENTITY = pa.struct([("mentions", pa.list_(MENTION)), ("type", pa.string()), ("id", pa.string()), ("score", pa.float64())])
RELATION = pa.struct(
    [("head", pa.int32()), ("tail", pa.int32()), ("label", pa.string()), ("id", pa.string()), ("score", pa.float64())]
)
PARSE = pa.struct([("heads", pa.list_(pa.int32())), ("labels", pa.list_(pa.string())), ("tags", pa.list_(pa.string()))])
SOURCE = pa.struct([("path", pa.string()), ("line", pa.int64())])
DOCUMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("words", pa.list_(pa.string())),
        ("sentences", SPANS),
        ("text", pa.string()),
        ("offsets", SPANS),
        ("entities", pa.list_(ENTITY)),
        ("relations", pa.list_(RELATION)),
        ("parse", PARSE),
        ("source", SOURCE),
        ("metadata", pa.string()),
        ("group", pa.string()),
        ("hash", pa.binary(HASH_BYTES)),
    ]
)
"""One row a document. `source` is relative to the path that was read; `metadata` is JSON; `group` and `hash` are what `group_of` and
`content_hash` say of it, so that nobody decodes all documents to ask."""


class NotStorable(Exception):
    """Something that columns cannot hold; who keeps it must keep it as it is, in memory."""


# ---- writing -----------------------------------------------------------------------------------------------------------


def to_batch(documents: Sequence[Document], path: Path) -> pa.RecordBatch:
    """Documents as one record batch, their sources relative to the path that is read.

    NotStorable where they cannot be written: metadata that are no JSON, text that is not Unicode (half a surrogate pair).
    """
    try:
        rows = [_row(document, path) for document in documents]
        arrays = [pa.array([row[n] for row in rows], field.type) for n, field in enumerate(DOCUMENTS)]
    except (TypeError, ValueError, OverflowError) as error:
        raise NotStorable(str(error)) from error
    return pa.record_batch(arrays, schema=DOCUMENTS)


def _row(document: Document, path: Path) -> List[Any]:
    """The values of a document in the order of the columns."""
    parse, source = document.parse, document.source
    return [
        document.id,
        document.words,
        document.sentences,
        document.text,
        document.offsets,
        [vars(each) | {"mentions": [mention._asdict() for mention in each.mentions]} for each in document.entities],
        [vars(each) for each in document.relations],
        None if parse is None else vars(parse),
        None if source is None else {"path": _relative(source.path, str(path)), "line": source.line},
        json.dumps(dict(document.metadata), ensure_ascii=False),
        group_of(document),
        content_hash(document),
    ]


@lru_cache(maxsize=256)
def _relative(file: str, path: str) -> str:
    return os.path.relpath(file, path)


# ---- reading -----------------------------------------------------------------------------------------------------------


def notes_of(batch: pa.RecordBatch) -> Dict[str, Any]:
    """What is to be known of a batch of documents without reading it: the labels of its relations."""
    labels = batch.column("relations").values.field("label")
    return {"labels": sorted(pc.unique(labels).drop_null().to_pylist())}


class DocumentRows:
    """The documents of a record batch, decoded one by one.

    batch: with the columns of `DOCUMENTS`. path: their sources lie below it.
    """

    def __init__(self, batch: pa.RecordBatch, path: Path):
        self.path = str(path)
        self.id, self.text, self.metadata = (_Strings(batch.column(name)) for name in ("id", "text", "metadata"))
        self.words = _Words(batch.column("words"))
        self.sentences, self.offsets = (_Spans(batch.column(name)) for name in ("sentences", "offsets"))
        self.entities, self.relations = _Entities(batch.column("entities")), _Relations(batch.column("relations"))
        self.parses, self.sources = _Parses(batch.column("parse")), _Sources(batch.column("source"))

    def __getitem__(self, row: int) -> Document:
        source = self.sources[row]
        return Document(
            id=self.id.one(row),
            words=self.words[row] or (),
            entities=self.entities[row],
            relations=self.relations[row],
            sentences=self.sentences[row] or (),
            text=self.text[row],
            offsets=self.offsets[row],
            parse=self.parses[row],
            source=source and Source(_absolute(self.path, source.path), source.line),
            metadata=json.loads(self.metadata.one(row)),
        )


@lru_cache(maxsize=256)
def _absolute(path: str, relative: str) -> str:
    return os.path.normpath(os.path.join(path, relative))


def _values(array: pa.Array, kind: Literal["i", "q", "d"] = "i") -> "memoryview[Any]":
    """[N] the numbers of a column without a copy. A memoryview gives Python's numbers, and faster than an array of numpy does.

    kind: of a number: "i" 32 bits, "q" 64 bits, "d" a float of 64 bits.
    """
    size = np.dtype(kind).itemsize
    data: memoryview[Any] = memoryview(array.buffers()[1] or b"")[size * array.offset : size * (array.offset + len(array))]
    return data.cast(kind)  # type: ignore[call-overload, no-any-return]


def _bounds(array: pa.Array) -> memoryview:
    """[N + 1] where the items of each row begin and end in the values of a list or string column."""
    data = memoryview(array.buffers()[1] or bytes(4))[4 * array.offset : 4 * (array.offset + len(array) + 1)]
    return data.cast("i")


class _Column:
    """Rows of which some may be null."""

    def __init__(self, array: pa.Array):
        self.valid = array.is_valid().to_pylist() if array.null_count else None

    def null(self, row: int) -> bool:
        """Whether the row has no value."""
        return self.valid is not None and not self.valid[row]


class _Strings(_Column):
    """A string column."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        self.bounds, self.data = _bounds(array), memoryview(array.buffers()[2] or b"")

    def __getitem__(self, row: int) -> Optional[str]:
        return None if self.null(row) else self.one(row)

    def one(self, row: int) -> str:
        """The string of a row that has one."""
        return str(self.data[self.bounds[row] : self.bounds[row + 1]], "utf-8")

    def several(self, start: int, end: int) -> List[str]:
        """The strings of these rows, "" for null: decoded at once and cut, which takes a third of the time."""
        ends = self.bounds[start : end + 1].tolist()
        raw = self.data[ends[0] : ends[-1]]
        joined = str(raw, "utf-8")
        cuts = [each - ends[0] for each in ends] if len(joined) == len(raw) else _characters(raw, ends)
        return [joined[one:two] for one, two in pairwise(cuts)]


def _characters(raw: memoryview, ends: List[int]) -> List[int]:
    """Bounds in bytes -> bounds in characters, of text that is not all ASCII."""
    begins = (np.frombuffer(raw, np.uint8) & 0xC0) != 0x80  # all bytes of a character but its first are 10xxxxxx
    counts = np.concatenate([[0], np.cumsum(begins)])
    cuts: List[int] = counts[np.asarray(ends) - ends[0]].tolist()
    return cuts


class _Lists(_Column):
    """A list column."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        self.bounds = _bounds(array)

    def range(self, row: int) -> Tuple[int, int]:
        """The items of a row, as places in the values."""
        return self.bounds[row], self.bounds[row + 1]


class _Scores(_Column):
    """Probabilities, or null."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        self.items = _values(array, "d")

    def __getitem__(self, row: int) -> Optional[float]:
        return None if self.null(row) else self.items[row]


class _Words(_Lists):
    """A list of strings each."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        self.items = _Strings(array.values)

    def __getitem__(self, row: int) -> Tuple[str, ...]:
        return tuple(self.items.several(*self.range(row)))


class _Numbers(_Lists):
    """A list of whole numbers each."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        self.items = _values(array.values)

    def __getitem__(self, row: int) -> Tuple[int, ...]:
        start, end = self.range(row)
        return tuple(self.items[start:end])


class _Spans(_Lists):
    """A list of [start, end) each, or null."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        self.items = _values(array.values.values)

    def __getitem__(self, row: int) -> Optional[Tuple[WordSpan, ...]]:
        if self.null(row):
            return None
        start, end = self.range(row)
        numbers = self.items[2 * start : 2 * end].tolist()
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))


class _Entities(_Lists):
    """Entities with their mentions; scores may be null."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        mentions, kinds, names, scores = array.values.flatten()
        self.mentions, self.kinds, self.names, self.scores = _Mentions(mentions), _Strings(kinds), _Strings(names), _Scores(scores)

    def __getitem__(self, row: int) -> Tuple[Entity, ...]:
        start, end = self.range(row)
        kinds, names = self.kinds.several(start, end), self.names.several(start, end)
        numbers = range(start, end)
        return tuple(map(Entity, map(self.mentions.__getitem__, numbers), kinds, names, map(self.scores.__getitem__, numbers)))


class _Mentions(_Lists):
    """Mentions with their fragments."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        starts, ends, fragments = array.values.flatten()
        self.starts, self.ends, self.fragments = _values(starts), _values(ends), _Spans(fragments)

    def __getitem__(self, row: int) -> Tuple[Mention, ...]:
        return tuple(Mention(self.starts[each], self.ends[each], self.fragments[each] or ()) for each in range(*self.range(row)))


class _Relations(_Lists):
    """Relations; labels and scores may be null."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        heads, tails, labels, names, scores = array.values.flatten()
        self.heads, self.tails, self.labels, self.names = _values(heads), _values(tails), _Strings(labels), _Strings(names)
        self.scores = _Scores(scores)

    def __getitem__(self, row: int) -> Tuple[Relation, ...]:
        start, end = self.range(row)
        labels, names = self.labels.several(start, end), self.names.several(start, end)
        return tuple(self._one(start + n, label, name) for n, (label, name) in enumerate(zip(labels, names, strict=True)))

    def _one(self, row: int, label: str, name: str) -> Relation:
        known = None if self.labels.null(row) else label
        return Relation(self.heads[row], self.tails[row], known, name, self.scores[row])


class _Parses(_Column):
    """Dependency parses, or null."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        heads, labels, tags = array.flatten()
        self.heads, self.labels, self.tags = _Numbers(heads), _Words(labels), _Words(tags)

    def __getitem__(self, row: int) -> Optional[Parse]:
        return None if self.null(row) else Parse(self.heads[row], self.labels[row], self.tags[row])


class _Sources(_Column):
    """Where documents were read, relative; or null."""

    def __init__(self, array: pa.Array):
        super().__init__(array)
        paths, lines = array.flatten()
        self.paths, self.lines, self.known = _Strings(paths), _values(lines, "q"), _Column(lines)

    def __getitem__(self, row: int) -> Optional[Source]:
        if self.null(row):
            return None
        return Source(self.paths.one(row), None if self.known.null(row) else self.lines[row])
