"""Documents as JSON: what is written is read back."""

import json
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import relcon.readers
from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.data.json import document_from_json, document_to_json, write_jsonl
from relcon.data.tokens import split_words
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

CHARACTERS = st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from('ab 𝛂\r\n\u2028"\\'))
NAMES = st.text(CHARACTERS, max_size=5)
LABELS = st.text(CHARACTERS, min_size=1, max_size=5).filter(str.strip)
SCORES = st.none() | st.floats(0, 1)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), NAMES)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document with any of: text, fragments, nested and repeated mentions, sentences, parse, metadata."""
    text: Optional[str] = draw(st.text(CHARACTERS, max_size=30))
    words: Tuple[str, ...]
    words, offsets = split_words(text or "")
    if not words or draw(st.booleans()):
        text, offsets = None, None
        words = tuple(draw(st.lists(st.sampled_from(["KLR2", "KLR2", "binds", "𝛂-fen", "a b", "\r\n."]), min_size=1, max_size=8)))
    size = len(words)
    spans = st.tuples(st.integers(0, size - 1), st.integers(1, size)).map(lambda span: (span[0], max(span[0] + 1, span[1])))
    entities = draw(st.lists(st.tuples(st.lists(mentions(spans), min_size=1, max_size=3), NAMES, NAMES, SCORES), max_size=4))
    numbers = st.integers(0, max(len(entities) - 1, 0))
    relation = st.builds(Relation, numbers, numbers, st.none() | LABELS, NAMES, SCORES)
    borders = [0, *sorted(draw(st.sets(st.integers(1, size), max_size=3)) - {size}), size]
    labels = draw(st.none() | st.lists(NAMES, min_size=size, max_size=size))
    heads = st.lists(st.integers(0, size - 1), min_size=size, max_size=size).map(tuple)
    return Document(
        id=draw(NAMES),
        words=words,
        entities=tuple(Entity(tuple(found), *rest) for found, *rest in entities),
        relations=tuple(draw(st.lists(relation, max_size=3))) if entities else (),
        sentences=tuple(pairwise(borders)),
        text=text,
        offsets=offsets,
        parse=None if labels is None else Parse(draw(heads), tuple(labels), tuple(labels) if draw(st.booleans()) else ()),
        source=draw(st.none() | st.builds(Source, NAMES, st.none() | st.integers(1, 9))),
        metadata=draw(st.dictionaries(NAMES, VALUES, max_size=2)),
    )


def mentions(spans: st.SearchStrategy) -> st.SearchStrategy:
    """Mentions in one piece and in several."""

    def discontinuous(parts: List[Tuple[int, int]]) -> Mention:
        return Mention(min(start for start, _ in parts), max(end for _, end in parts), tuple(sorted(parts)))

    return st.one_of(spans.map(lambda span: Mention(*span)), st.lists(spans, min_size=2, max_size=3).map(discontinuous))


@settings(max_examples=80, deadline=None)
@given(documents())
def test_a_document_survives(document: Document) -> None:
    assert document_from_json(json.loads(json.dumps(document_to_json(document)))) == document


@settings(max_examples=40, deadline=None)
@given(documents())
def test_what_is_written_fits_the_schema(document: Document) -> None:
    schema = json.loads((Path(relcon.readers.__file__).parent / "document.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document_to_json(document))))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents(), min_size=1, max_size=5, unique_by=lambda document: document.id))
def test_a_file_survives(tmp_path: Path, some: List[Document]) -> None:
    path = tmp_path / "some.jsonl"
    assert write_jsonl(some, path) == len(some)
    assert list(DatasetReader.registry.get("relcon.JSONLines.v1")().read(path)) == some


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("relcon.ChemProt.v1", "chemprot/ChemProt_Corpus/chemprot_development"),
        ("relcon.AIMedFolds.v1", "aimed/folds_json/test_1.json"),
        ("relcon.DDI2013.v1", "ddi2013/Test/Test for DDI Extraction task"),
    ],
)
def test_real_documents_survive(name: str, path: str, tmp_path: Path, shared: Callable[[str], Path]) -> None:
    some = list(islice(DatasetReader.registry.get(name)().read(shared(f"data/{path}")), 100))
    write_jsonl(some, tmp_path / "some.jsonl")
    assert list(DatasetReader.registry.get("relcon.JSONLines.v1")().read(tmp_path / "some.jsonl")) == some


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def failing() -> Any:
        yield Document("one", ("a",))
        raise KeyError("broken source")

    path = tmp_path / "some.jsonl"
    path.write_text("as it was")
    with pytest.raises(KeyError):
        write_jsonl(failing(), path)
    assert path.read_text() == "as it was" and [file.name for file in tmp_path.iterdir()] == ["some.jsonl"]


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match="cannot be written"):
        write_jsonl([Document("one", ("a",))], tmp_path)
