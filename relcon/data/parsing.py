"""Dependency parses from a spaCy pipeline, over the words that a document already has."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple

from tqdm import tqdm

from relcon.data.document import Document, Parse, WordSpan
from relcon.data.store import AnswerStore, fingerprint_of_path, hashed
from relcon.errors import RelconError
from relcon.interfaces import Parser

UNUSED = ["ner", "lemmatizer", "senter", "sentencizer", "textcat", "textcat_multilabel", "entity_linker", "entity_ruler", "spancat"]
"""Parts of a pipeline that a parse does not need, or that would move sentence boundaries."""

FREE, STARTS, INSIDE = None, True, False
"""What spaCy may be told of a word: the parser decides, a sentence starts here, no sentence starts here."""


@dataclass(frozen=True)
class Words:
    """What is sent to the parser. spaces: [W] whether white space follows. starts: [W] one of FREE, STARTS, INSIDE."""

    words: Tuple[str, ...]
    spaces: Tuple[bool, ...]
    starts: Tuple[Optional[bool], ...]


@dataclass(frozen=True)
class Parsed:
    """What comes back: the parse and the sentences it is a tree of each."""

    parse: Parse
    sentences: Tuple[WordSpan, ...]


class SpacyParser(Parser):
    """Dependency parses from a spaCy pipeline. The document's words are kept; documents that have a parse are left alone.

    The sentences of the document are kept too: the parser may cut none of them, so that every two words of a sentence are
    connected. With `split_sentences` it decides itself where sentences end, though never inside an entity, and the document's
    sentences become the parser's.

    pipeline: an installed package ("en_core_web_sm") or a directory.
    split_sentences: let the parser find the sentence boundaries.
    batch_size: texts that spaCy takes at once.
    cache: folder for parses, keyed by words and pipeline; null for the usual folder (environment variable RELCON_CACHE, else
        ~/.cache/relcon), "none" for no cache.

    Config::

        [parser]
        @parsers = "relcon.SpacyParser.v1"
        pipeline = "en_core_web_sm"
    """

    def __init__(self, pipeline: str, split_sentences: bool = False, batch_size: int = 256, cache: Optional[str] = None):
        if batch_size < 1:
            raise ValueError(f"batch_size: {batch_size} is below 1")
        self.pipeline, self.split_sentences, self.batch_size, self.cache = pipeline, split_sentences, batch_size, cache

    def parse(self, documents: Sequence[Document]) -> List[Document]:
        """The documents with `parse` set, in order. RelconError where the pipeline is missing (it says how to get it)."""
        without = [document for document in documents if document.parse is None]
        parsed = iter(self._parsed([self._words(document) for document in without]))
        return [document if document.parse is not None else self._with(document, next(parsed)) for document in documents]

    def parse_words(self, texts: Sequence[Tuple[Sequence[str], Sequence[WordSpan]]]) -> List[Parse]:
        """Parses of bare (words, sentences) pairs, for callers that change the words first (blinding). The sentences are kept."""
        asked = [Words(tuple(words), (True,) * len(words), sentence_starts(len(words), sentences)) for words, sentences in texts]
        return [parsed.parse for parsed in self._parsed(asked)]

    def fingerprint(self) -> str:
        """What the parses depend on; "missing" where the pipeline is not installed."""
        return hashed(pipeline_fingerprint(self.pipeline) or "missing", self.split_sentences)

    def _words(self, document: Document) -> Words:
        if not self.split_sentences:
            return Words(document.words, spaces_after(document), sentence_starts(len(document.words), document.sentences))
        starts: List[Optional[bool]] = [FREE] * len(document.words)
        for entity in document.entities:
            for mention in entity.mentions:
                starts[mention.start + 1 : mention.end] = [INSIDE] * (mention.end - mention.start - 1)
        return Words(document.words, spaces_after(document), tuple(starts))

    def _with(self, document: Document, parsed: Parsed) -> Document:
        sentences = parsed.sentences if self.split_sentences else document.sentences
        return replace(document, parse=parsed.parse, sentences=sentences)

    def _parsed(self, asked: Sequence[Words]) -> List[Parsed]:
        """Answers in order; each distinct question is looked up or parsed once."""
        store = AnswerStore(self.cache, "parses", self.fingerprint())
        keys = [hashed(each.words, each.spaces, each.starts) for each in asked]
        found = {key: _from_record(record) for key, record in store.get(keys).items()}
        missing = {key: each for key, each in zip(keys, asked, strict=True) if key not in found}
        fresh = dict(zip(missing, self._run(list(missing.values())), strict=True))
        store.put({key: _to_record(parsed) for key, parsed in fresh.items()})
        return [found.get(key) or fresh[key] for key in keys]

    def _run(self, asked: Sequence[Words]) -> Iterator[Parsed]:
        """Parse, in batches and with a progress bar."""
        if not asked:
            return
        nlp = load_pipeline(self.pipeline)
        docs = nlp.pipe((_spacy_doc(nlp.vocab, each) for each in asked), batch_size=self.batch_size)
        progress = tqdm(zip(asked, docs, strict=True), total=len(asked), desc="parsing", unit="text", disable=None, leave=False)
        yield from (self._result(each, doc) for each, doc in progress)

    def _result(self, asked: Words, doc: Any) -> Parsed:
        parse = Parse(tuple(word.head.i for word in doc), tuple(word.dep_ for word in doc), tuple(word.tag_ for word in doc))
        sentences = tuple((sentence.start, sentence.end) for sentence in doc.sents)
        starts = {start for start, _ in sentences}
        for word, wish in enumerate(asked.starts):
            if wish is not FREE and wish != (word in starts):
                raise RelconError(
                    f'The spaCy pipeline "{self.pipeline}" moves the given sentence boundaries (at word {word}, {asked.words[word]!r}). '
                    "Use one whose sentence boundaries come from its parser."
                )
        return Parsed(parse, sentences)


def sentence_starts(size: int, sentences: Iterable[WordSpan]) -> Tuple[bool, ...]:
    """[W] whether a sentence starts at each word."""
    first = {start for start, _ in sentences}
    return tuple(word in first or word == 0 for word in range(size))


def spaces_after(document: Document) -> Tuple[bool, ...]:
    """[W] whether white space follows each word in the original text; True everywhere where the text is not known."""
    if document.offsets is None:
        return (True,) * len(document.words)
    gaps = zip(document.offsets, document.offsets[1:], strict=False)
    return (*(end < start for (_, end), (start, _) in gaps), False)[: len(document.words)]


@lru_cache(maxsize=4)
def load_pipeline(pipeline: str) -> Any:
    """The spaCy pipeline, loaded once per process. RelconError where it is missing or has no parser."""
    import spacy  # slow to import: only where something is parsed

    try:
        nlp = spacy.load(pipeline, exclude=UNUSED)
    except (OSError, ValueError) as error:
        raise RelconError(
            f'The spaCy pipeline "{pipeline}" cannot be loaded ({str(error).splitlines()[0]}). Get one with '
            "`python -m spacy download en_core_web_sm`, or give the directory of a pipeline (`pipeline` in the parser's section)."
        ) from error
    if "parser" not in nlp.pipe_names:
        raise RelconError(f'The spaCy pipeline "{pipeline}" has no dependency parser (its parts: {", ".join(nlp.pipe_names) or "none"}).')
    return nlp


@lru_cache(maxsize=4)
def pipeline_fingerprint(pipeline: str) -> Optional[str]:
    """Changes when the pipeline changes: version of the package, or a hash of the directory's files. None where it is missing."""
    import importlib.metadata
    from pathlib import Path

    if Path(pipeline).is_dir():
        return fingerprint_of_path(Path(pipeline))
    try:
        return f"{pipeline} {importlib.metadata.version(pipeline)}"
    except importlib.metadata.PackageNotFoundError:
        return None


def _spacy_doc(vocab: Any, asked: Words) -> Any:
    from spacy.tokens import Doc

    starts: Any = [*asked.starts]
    return Doc(vocab, words=list(asked.words), spaces=list(asked.spaces), sent_starts=starts)


def _to_record(parsed: Parsed) -> List[Any]:
    return [parsed.parse.heads, parsed.parse.labels, parsed.parse.tags, parsed.sentences]


def _from_record(record: Any) -> Parsed:
    heads, labels, tags, sentences = record
    return Parsed(Parse(tuple(heads), tuple(labels), tuple(tags)), tuple((start, end) for start, end in sentences))
