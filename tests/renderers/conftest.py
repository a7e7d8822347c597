"""Documents for renderers: one sentence by words, arguments by their spans."""

import pytest

from relcon.config.building import resolve
from relcon.data.document import Document, Entity, Instance, Mention


@pytest.fixture(scope="session")
def renderer():
    """`renderer("Plain", unit="sentence")`: a renderer as a config builds it."""
    return lambda name, **arguments: resolve({"@renderers": f"relcon.{name}.v1", **arguments}, "renderer")


@pytest.fixture(scope="session")
def pair():
    """`pair("a b c", (0, 1), (2, 3))`: an instance; each argument is a span, or a list of mentions, and may have a type."""

    def make(text, head, tail, types=("", ""), sentences=()):
        entities = tuple(Entity(tuple(map(mention, many(spans))), kind) for spans, kind in zip((head, tail), types, strict=True))
        return Instance(Document("d", tuple(text.split()), entities, sentences=sentences), 0, 1, uid="d#0-1")

    return make


def many(spans):
    return spans if isinstance(spans, list) else [spans]


def mention(span):
    return span if isinstance(span, Mention) else Mention(*span)


@pytest.fixture(scope="session")
def shown():
    """The words of a view as one string."""
    return lambda view: " ".join(view.input.words)


@pytest.fixture(scope="session")
def slots():
    """The words of each slot of a view."""
    return lambda view: [[" ".join(view.input.words[span.start : span.end]) for span in slot] for slot in view.unit]
