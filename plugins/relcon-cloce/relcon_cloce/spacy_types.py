"""Entity types for data that have none, from a spaCy pipeline."""

from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Iterator, Sequence

from relcon.data.document import Document, Entity
from relcon.data.parsing import pipeline_fingerprint, spaces_after
from relcon.data.store import describe_component, hashed
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader


class SpacyTypes(DatasetReader):
    """Reads as another reader does, and gives entities without a type that of the named entity which a spaCy pipeline finds there, as
    prompts can show it (CLoCE, anonymous submission, names types but does not say where those of untyped data come from).

    The type is the label of the named entity that covers the last word of the first mention for which there is one. Where there is none,
    the entity stays without type. Words, labels and types that the data have stay as they are. It is a reader, so that a saved model
    reads new files as its training data. One process reads, whatever `workers` the corpus has.

    reader: that of the format.
    pipeline: an installed package ("en_core_web_sm") or a directory, with a part that finds named entities.
    batch_size: texts that spaCy takes at once.

    RelconError where the pipeline is missing or finds no named entities. ValueError where batch_size is below 1.

    Config::

        [reader]
        @readers = "cloce.SpacyTypes.v1"
        pipeline = "en_core_web_sm"

        [reader.reader]
        @readers = "relcon.OpenNRE.v1"
    """

    def __init__(self, reader: DatasetReader, pipeline: str, batch_size: int = 256):
        if batch_size < 1:
            raise ValueError(f"batch_size: {batch_size} is below 1")
        self.reader, self.pipeline, self.batch_size = reader, pipeline, batch_size

    @property
    def cacheable(self) -> bool:
        """As of the other reader."""
        return self.reader.cacheable

    def fingerprint(self) -> str:
        """The other reader and the pipeline; "missing" where it is not installed."""
        return hashed(pipeline_fingerprint(self.pipeline) or "missing", describe_component(self.reader))

    def read(self, path: Path) -> Iterator[Document]:
        """The other reader's documents, with types."""
        return self._typed(self.reader.read(path))

    def _typed(self, documents: Iterator[Document]) -> Iterator[Document]:
        while batch := list(islice(documents, self.batch_size)):
            nlp = load_recogniser(self.pipeline)
            docs = nlp.pipe((_spacy_doc(nlp.vocab, document) for document in batch), batch_size=self.batch_size)
            yield from (typed(document, [word.ent_type_ for word in doc]) for document, doc in zip(batch, docs, strict=True))


def typed(document: Document, types: Sequence[str]) -> Document:
    """The document with types for entities that have none. types: [W] of the named entity that each word lies in, "" for none."""
    entities = (each if each.type else replace(each, type=type_of(each, types)) for each in document.entities)
    return replace(document, entities=tuple(entities))


def type_of(entity: Entity, types: Sequence[str]) -> str:
    """The type at the last word of the first mention that has one there; "" where none has."""
    return next((types[mention.end - 1] for mention in entity.mentions if types[mention.end - 1]), "")


@lru_cache(maxsize=4)
def load_recogniser(pipeline: str) -> Any:
    """The spaCy pipeline, loaded once per process. RelconError where it is missing or finds no named entities."""
    import spacy  # slow to import: only where types are looked for

    try:
        nlp = spacy.load(pipeline)
    except (OSError, ValueError) as error:
        raise RelconError(
            f'The spaCy pipeline "{pipeline}" cannot be loaded ({str(error).splitlines()[0]}). Get one with '
            "`python -m spacy download en_core_web_sm`, or give the directory of a pipeline (`pipeline` in the reader's section)."
        ) from error
    if not any("doc.ents" in nlp.get_pipe_meta(part).assigns for part in nlp.pipe_names):
        raise RelconError(
            f'The spaCy pipeline "{pipeline}" finds no named entities (its parts: {", ".join(nlp.pipe_names) or "none"}). '
            "Give one with a part that does, such as `ner`."
        )
    return nlp


def _spacy_doc(vocab: Any, document: Document) -> Any:
    from spacy.tokens import Doc

    return Doc(vocab, words=list(document.words), spaces=list(spaces_after(document)))
