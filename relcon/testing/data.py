"""Checks for components that bring data in: readers, writers, candidate rules, corpora, parsers, synonyms, builders."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, Optional, Sequence, Tuple

from relcon.data.document import Document, Instance
from relcon.data.glimpse import glimpse
from relcon.data.labels import LabelSet
from relcon.data.relations import LEFT_OUT
from relcon.errors import RelconError
from relcon.interfaces import (
    CandidateRule,
    Corpus,
    DatasetReader,
    DistantBuilder,
    KnowledgeBase,
    Linked,
    Lost,
    PairBuilder,
    Parser,
    Rejected,
    SynonymSource,
    Writer,
)
from relcon.testing.corpora import LABELS, tiny_corpus
from relcon.testing.promises import check_sound, copies, expect, no_global_randomness, other_global_randomness

Contents = Dict[Path, bytes]

DAMAGES: Tuple[Tuple[str, Callable[[bytes], bytes]], ...] = (
    ("that is empty", lambda raw: b""),
    ("that is cut in the middle", lambda raw: raw[: len(raw) // 2]),
    ("with a byte in it that is no UTF-8", lambda raw: raw[: len(raw) // 3] + b"\xff" + raw[len(raw) // 3 :]),
    ("with a zero byte in it", lambda raw: raw[: len(raw) // 2] + b"\0" + raw[len(raw) // 2 :]),
    ("without its first bytes", lambda raw: raw[7:]),
    ("whose figures are others", lambda raw: raw.translate(bytes.maketrans(b"0123456789", b"9876543210"))),
    ("without quotes", lambda raw: raw.replace(b'"', b"")),
    ("with other brackets", lambda raw: raw.translate(bytes.maketrans(b"{}[]<>", b"[]{}()"))),
)
"""What is done to the files of a reader, and what they are then."""


# ---- readers and writers -------------------------------------------------------------------------------------------------


def check_reader(reader: DatasetReader, path: Path, unlabelled: Optional[Path] = None) -> None:
    """A stream of sound documents with ids of their own, the same each time, each of which says where it was read; the files stay as they
    are; damaged and missing ones give the same kind of documents or a RelconError, nothing else; a likeness is said in words.

    path: a file or folder of the format, small and sound. unlabelled: another without labels: its documents have none.
    """
    before = _contents(path)
    stream = reader.read(path)
    expect(iter(stream) is stream, "read must return an iterator, so that documents come one by one")
    documents = list(stream)
    expect(documents, f"{path} gave no document")
    _check_documents(documents)
    for document in documents:
        _check_source(document)
        _check_left_out(document)
    expect(_contents(path) == before, f"the reader changed {path}")
    expect(list(reader.read(path)) == documents, f"{path}, read twice, gave two different lists of documents")
    _check_likeness(reader, path)
    _check_refusals(reader, before, path)
    if unlabelled is not None:
        labels = {relation.label for document in reader.read(unlabelled) for relation in document.relations}
        expect(labels <= {None}, f"{unlabelled} has no labels, but its documents have {sorted(map(str, labels))}")


def _contents(path: Path) -> Contents:
    """The files at or below a path, from there."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return {file.relative_to(path): file.read_bytes() for file in sorted(files)}


def _check_documents(documents: Sequence[Document]) -> None:
    """Documents that may stand in one split."""
    seen: Dict[str, int] = {}
    for number, document in enumerate(documents):
        expect(isinstance(document, Document), f"number {number} of the stream is a {type(document).__name__}, not a Document")
        check_sound(document, f"document '{document.id}'")
        expect(document.id and document.id not in seen, f"the id '{document.id}' is that of documents {seen.get(document.id)} and {number}")
        seen[document.id] = number


def _check_source(document: Document) -> None:
    source = document.source
    expect(source is not None, f"document '{document.id}' does not say where it was read (source)")
    if source is not None:
        file = Path(source.path)
        expect(file.exists(), f"document '{document.id}' says that it was read in {file}, which does not exist")
        if source.line is not None and file.is_file():
            count = file.read_bytes().count(b"\n") + 1
            expect(1 <= source.line <= count, f"document '{document.id}' says line {source.line} of {file}, which has {count}")


def _check_left_out(document: Document) -> None:
    counts = document.metadata.get(LEFT_OUT, {})
    fits = isinstance(counts, dict) and all(isinstance(cause, str) and type(n) is int and n > 0 for cause, n in counts.items())
    expect(fits, f'metadata["{LEFT_OUT}"] of document \'{document.id}\' must be cause -> number above 0, not {counts!r}')


def _check_likeness(reader: DatasetReader, path: Path) -> None:
    reason = type(reader).sniff(glimpse(path))
    expect(reason is None or (isinstance(reason, str) and reason), f"sniff must give a reason in words or None, not {reason!r}")


def _check_refusals(reader: DatasetReader, contents: Contents, path: Path) -> None:
    """Damaged copies of the files, and a path where there is nothing."""
    with tempfile.TemporaryDirectory() as folder:
        missing = Path(folder) / "nothing-here"
        expect(_refused(reader, missing, "a path where there is nothing"), "a path where there is nothing was read without a word")
        for what, damage in DAMAGES:
            copy = Path(folder) / path.name
            for name, raw in contents.items():
                file = copy / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(damage(raw))
            _refused(reader, copy, f"a file {what}")


def _refused(reader: DatasetReader, path: Path, what: str) -> bool:
    """Whether the reader refuses a path with a RelconError; AssertionError where it fails in another way or makes unsound documents."""
    try:
        for document in reader.read(path):
            check_sound(document, f"a document of {what}")
    except RelconError:
        return True
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{what} gave {type(error).__name__} ({error}): raise RelconError, or DataError with file and line") from error
    return False


def check_writer(writer: Writer, documents: Optional[Sequence[Document]] = None) -> None:
    """What it writes comes back as it was where `losses` names nothing, and in the same number and order anyway, but for what is `unfit`;
    the count is told; documents are not modified; the same documents give the same bytes; what fails in between leaves nothing.

    documents: the tiny corpus unless given.
    """
    documents = tiny_corpus() if documents is None else documents
    before = copies(documents)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        fit = [document for document in documents if not writer.unfit(document)]
        count = writer.write(iter(documents), place / "first")
        expect(count == len(fit), f"{len(fit)} documents are not unfit and were written, but write said {count}")
        expect(list(documents) == before, "the writer modified a document")
        writer.write(iter(documents), place / "second")
        same = _contents(place / "first") == _contents(place / "second")
        expect(same, "the same documents, written twice, gave different files")
        read = list(DatasetReader.registry.get(writer.reader)(**writer.options).read(place / "first"))
        expect(len(read) == len(fit), f"{len(fit)} documents were written, {len(read)} came back by {writer.reader}")
        for document, back in zip(fit, read, strict=True):
            _check_back(writer, document, back)
        _check_whole(writer, documents, place / "third")


def _check_back(writer: Writer, document: Document, back: Document) -> None:
    losses = writer.losses(document)
    fits = all(isinstance(cause, str) and type(count) is int and count > 0 for cause, count in losses.items())
    expect(fits, f"losses of document '{document.id}' must be cause -> number above 0, not {losses!r}")
    if not losses:
        for part in ("words", "entities", "relations", "sentences"):
            mine, theirs = getattr(document, part), getattr(back, part)
            expect(mine == theirs, f"losses names nothing for document '{document.id}', but its {part} came back as {theirs}, not {mine}")


def _check_whole(writer: Writer, documents: Sequence[Document], path: Path) -> None:
    def breaking() -> Iterator[Document]:
        yield from documents[:1]
        raise RelconError("the documents end here")

    try:
        writer.write(breaking(), path)
    except RelconError:
        left = sorted(each.name for each in path.parent.iterdir() if each.name not in ("first", "second"))
        expect(not left, f"documents that broke off left {left}: write under another name, rename at the end (relcon.files)")
        return
    raise AssertionError("an error of the documents was swallowed")


# ---- pairs and splits ----------------------------------------------------------------------------------------------------


def check_candidates(rule: CandidateRule, documents: Optional[Sequence[Document]] = None, labels: Optional[LabelSet] = None) -> None:
    """Each pair once, of entities that there are, under its uid, with a label of the label set; every gold relation is a candidate's
    label or lost with a cause; documents without labels give candidates without labels and nothing lost; the same each time.

    documents: the tiny corpus unless given. labels: their label set.
    """
    documents = tiny_corpus() if documents is None else documents
    labels = labels or LABELS
    before = copies(documents)
    for document in documents:
        instances, lost = rule.instances(document, labels)
        again, same = rule.instances(document, labels)
        expect([_pair(each) for each in instances] == [_pair(each) for each in again] and lost == same, "two calls gave different pairs")
        _check_pairs(document, instances, labels)
        _check_gold(document, instances, lost, labels)
        expect(all(each.label in labels.positive for each in lost), f"a relation without a positive label is lost: {lost}")
        unlabelled = replace(document, relations=tuple(replace(each, label=None) for each in document.relations))
        instances, lost = rule.instances(unlabelled)
        expect(all(each.label is None for each in instances) and not lost, f"'{document.id}', without labels, got some or lost some")
    expect(list(documents) == before, "the rule modified a document")


def _pair(instance: Instance) -> Tuple[int, int, Optional[str], str]:
    return instance.head, instance.tail, instance.label, instance.uid


def _check_pairs(document: Document, instances: Sequence[Instance], labels: LabelSet) -> None:
    places = range(len(document.entities))
    for each in instances:
        expect(each.document is document, f"a candidate of document '{document.id}' is of another document")
        expect(each.head in places and each.tail in places, f"a candidate of '{document.id}' names entities {each.head} and {each.tail}")
        expect(each.label is None or each.label in labels.names, f"a candidate of '{document.id}' has the unknown label '{each.label}'")
    pairs = [(each.head, each.tail) for each in instances]
    expect(len(set(pairs)) == len(pairs), f"a pair of document '{document.id}' is a candidate twice")
    expect(len({each.uid for each in instances}) == len(pairs) and all(each.uid for each in instances), "candidates need uids of their own")


def _check_gold(document: Document, instances: Sequence[Instance], lost: Sequence[Lost], labels: LabelSet) -> None:
    """Each gold relation is accounted for: its pair is a candidate with a label that the document gives it, or it is lost."""
    gone = {(each.head, each.tail, each.label) for each in lost}
    given = {(each.head, each.tail): each.label for each in instances}
    gold = {(each.head, each.tail, each.label) for each in document.relations if each.label in labels.positive}
    gold |= {(tail, head, label) for head, tail, label in gold if label in labels.symmetric}
    for head, tail, label in gold:
        ways = [(head, tail), (tail, head)] if label in labels.symmetric else [(head, tail)]
        kept = any((*way, given.get(way)) in gold or (*way, label) in gone for way in ways)
        expect(kept, f"the relation {head} {label} {tail} of document '{document.id}' is neither a candidate's label nor lost")


def check_corpus(make: Callable[[], Corpus]) -> None:
    """Splits by name, with one label set; sound documents, whose ids are unique within a split; instances of these documents with labels
    of the label set; an unknown split is refused; the same each time it is built, whatever the global random streams give.

    make: builds the corpus, as a config would.
    """
    corpus = make()
    expect(corpus.splits(), "the corpus has no split")
    with no_global_randomness("the corpus"):
        for name in corpus.splits():
            _check_split(corpus, name)
    _check_unknown(corpus)
    with other_global_randomness():
        expect(make().fingerprints() == corpus.fingerprints(), "the corpus, built twice, has different splits")


def _check_split(corpus: Corpus, name: str) -> None:
    split = corpus.split(name)
    expect(split.name == name, f"the split '{name}' is called '{split.name}'")
    expect(split.labels == corpus.labels, f"the split '{name}' has a label set of its own")
    _check_documents(split.documents)
    known = {id(document) for document in split.documents}
    uids = [each.uid for each in split.instances]
    expect(len(set(uids)) == len(uids), f"two instances of '{name}' have the same uid")
    for each in split.instances:
        expect(id(each.document) in known or each.document in split.documents, f"instance '{each.uid}' is of no document of '{name}'")
        expect(each.label is None or each.label in corpus.labels.names, f"instance '{each.uid}' has the unknown label '{each.label}'")
    expect(corpus.split(name).fingerprint() == split.fingerprint(), f"the split '{name}', asked for twice, differs")


def _check_unknown(corpus: Corpus) -> None:
    try:
        corpus.split("no such split")
    except RelconError:
        return
    raise AssertionError("a split that there is not was handed out: raise RelconError")


# ---- what documents and words get ----------------------------------------------------------------------------------------


def check_parser(parser: Parser, documents: Optional[Sequence[Document]] = None) -> None:
    """The same documents with a tree over each sentence; the same each time, and for a document alone; nothing modified.

    documents: the tiny corpus unless given, without its parses.
    """
    documents = [replace(document, parse=None) for document in (tiny_corpus() if documents is None else documents)]
    before = copies(documents)
    parsed = parser.parse(documents)
    expect(documents == before, "the parser modified a document")
    expect([replace(each, parse=None) for each in parsed] == documents, "the parser changed more of a document than its parse")
    expect(parser.parse(documents) == parsed, "two calls gave different parses")
    expect(parser.parse(documents[-1:]) == parsed[-1:], "the parse of a document depends on the others")
    for document in parsed:
        _check_trees(document)


def _check_trees(document: Document) -> None:
    parse, size = document.parse, len(document.words)
    expect(parse is not None, f"document '{document.id}' came back without a parse")
    if parse is None:
        return
    fits = len(parse.heads) == len(parse.labels) == size and len(parse.tags) in (0, size)
    expect(fits, f"the parse of '{document.id}' has another number of heads, labels or tags than its {size} words")
    for start, end in document.sentences:
        for word in range(start, end):
            expect(start <= parse.heads[word] < end, f"word {word} of '{document.id}' has its head in another sentence")
            expect(_rooted(parse.heads, word, end - start), f"word {word} of '{document.id}' hangs on a circle, not on a root")


def _rooted(heads: Sequence[int], word: int, most: int) -> bool:
    for _ in range(most):
        word = heads[word]
    return heads[word] == word


def check_synonyms(source: SynonymSource, words: Sequence[str]) -> None:
    """Sorted replacements without the word itself, the same each time and when looked up together; an unknown word has none.

    words: some of which it knows.
    """
    found = {word: source.synonyms(word) for word in words}
    expect(any(found.values()), "the source knows none of the words")
    for word, others in found.items():
        expect(others == sorted(set(others)), f"the synonyms of '{word}' are not sorted, or one comes twice: {others}")
        expect(word not in others and all(other.strip() for other in others), f"the synonyms of '{word}' hold the word itself, or nothing")
    expect({word: source.synonyms(word) for word in reversed(words)} == found, "the same words had other synonyms the second time")
    expect(source.look_up(words) == found, "look_up gives other synonyms than synonyms")
    expect(source.synonyms("qxzvwk") == [], "a word that is none has synonyms")


# ---- builders ------------------------------------------------------------------------------------------------------------


def check_builder(make: Callable[[], PairBuilder]) -> None:
    """Sound documents with pairs, under ids of their own, one by one and the same each time; what was left out is counted.

    make: builds the builder, as a config would.
    """
    builder = make()
    with no_global_randomness("the builder"):
        documents = list(builder.build())
    expect(documents, "the builder made no document")
    _check_documents(documents)
    expect(any(document.relations for document in documents), "no document has a pair")
    skipped = builder.skipped()
    fits = all(isinstance(cause, str) and type(count) is int and count >= 0 for cause, count in skipped.items())
    expect(fits, f"skipped must be cause -> number, not {skipped!r}")
    expect(list(builder.build()) == documents and builder.skipped() == skipped, "a second build gave something else")
    with other_global_randomness():
        expect(list(make().build()) == documents, "another builder of the same block gave something else")


def check_distant(builder: DistantBuilder, documents: Sequence[Document], base: KnowledgeBase) -> None:
    """One answer for each document, in order, that does not depend on the others: sound, with keys for each entity that the knowledge
    base knows, or rejected for a cause; nothing modified.

    documents: text, in which the knowledge base knows something.
    """
    builder.check(base)
    before = copies(documents)
    answers = builder.link(documents, base)
    expect(list(documents) == before, "the builder modified a document")
    expect(len(answers) == len(documents), f"{len(documents)} documents got {len(answers)} answers")
    expect(any(isinstance(each, Linked) and any(each.keys) for each in answers), "the builder links nothing")
    for document, answer in zip(documents, answers, strict=True):
        expect(builder.link([document], base) == [answer], f"what becomes of document '{document.id}' depends on the others")
        if isinstance(answer, Rejected):
            expect(answer.cause, f"document '{document.id}' is rejected without a cause")
            continue
        check_sound(answer.document, f"document '{document.id}'")
        expect(len(answer.keys) == len(answer.document.entities), f"{len(answer.keys)} keys for the entities of '{document.id}'")
        unknown = [key for keys in answer.keys for key in keys if key not in base.entities]
        expect(not unknown, f"document '{document.id}' has keys that the knowledge base does not know: {unknown[:3]}")
