"""A small knowledge base and text about it, on disk and in memory."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import pytest

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention
from relcon.distant.filters import Filters
from relcon.distant.parts import Job

TRIPLES = [("Q1", "P19", "Q2"), ("Q1", "P27", "Q3"), ("Q2", "P17", "Q3")]
TEXT = "Ada Holm was born in Wick , a town in Norland . She met Bo Lind ."


def entity(id: str, *spans: Any) -> Entity:
    """An entity of these mentions."""
    return Entity(tuple(Mention(*span) for span in spans), "X", id)


def about(name: str = "d", ids: str = "Q1 Q2 Q3 Q4") -> Document:
    """A document of two sentences with four entities, the first of which has two mentions."""
    first, second, third, fourth = ids.split(" ")
    entities = (entity(first, (0, 2), (12, 13)), entity(second, (5, 6)), entity(third, (10, 11)), entity(fourth, (14, 16)))
    return Document(name, tuple(TEXT.split()), entities, sentences=((0, 12), (12, 17)))


def lines(path: Path, rows: Any) -> Path:
    """A file of columns with tabs between."""
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., Job]:
    """`world([document, ...], filters={...})`: a job over these documents and the small knowledge base."""
    from relcon.data.json import write_jsonl

    def make(documents: List[Document], triples: Any = TRIPLES, linker: Any = None, filters: Any = None, **arguments: Any) -> Job:
        write_jsonl(documents, tmp_path / "text.jsonl")
        return Job(
            builder=resolve(linker or {"@distant": "relcon.LinkedText.v1"}, "[linker]"),
            reader=resolve({"@readers": "relcon.JSONLines.v1"}, "[reader]"),
            text=tmp_path / "text.jsonl",
            triples=lines(tmp_path / "triples.tsv", triples),
            filters=Filters(**(filters or {})),
            **arguments,
        )

    return make


def records(folder: Path) -> List[Dict[str, Any]]:
    """The documents of a corpus."""
    files = sorted((folder / "documents").glob("*.json"))
    return [record for file in files for record in json.loads(file.read_text(encoding="utf-8"))]


def contents(folder: Path) -> Dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def small() -> SimpleNamespace:
    """The functions and the triples of this file, for tests that build their own worlds."""
    return SimpleNamespace(about=about, lines=lines, records=records, contents=contents, triples=TRIPLES)
