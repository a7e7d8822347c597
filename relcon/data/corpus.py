"""The `[data]` section: files of one format as named splits with one label set."""

import logging
from collections import Counter
from contextlib import closing
from difflib import get_close_matches
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Literal, Mapping, Optional, Sequence, Set, Union

import pyarrow as pa
import torch

from relcon.data.archives import unpacked
from relcon.data.building import Candidates, candidate_pieces, parsed_batches, plain_candidates
from relcon.data.columns import NotStorable
from relcon.data.document import Document, Instance
from relcon.data.labels import LabelSet, UnknownLabels
from relcon.data.reading import batches_of, document_batches, unique, where
from relcon.data.sequences import labels_of, relation_labels_of
from relcon.data.splits import hold_out
from relcon.data.store import OFF, CandidateStore, DocumentStore, candidates_key, document_key, hashed
from relcon.data.stored import StoredDocuments
from relcon.data.workers import Workers
from relcon.errors import Problem, RelconError, did_you_mean, naming
from relcon.files import read_json
from relcon.interfaces import CandidateRule, Corpus, DatasetReader, Lost, Parser, Split
from relcon.sample import resolve as resolve_path

log = logging.getLogger(__name__)

LABEL_FILE = 'all labels: a list, {"LABEL": NUMBER, ...}, or an object with the labels as keys'


class FileCorpus(Corpus):
    """Files or folders read by one reader, their candidate pairs, and the label set they share. Each split is read on first use.

    reader: the format. candidates: which pairs of entities are asked about; null: none, of text that is read for its sentences alone
        (`labelled = false`).
    train, dev, test: file or folder of each split, relative to the working directory (`sample:train.jsonl`: a file of the sample
        corpus that comes with relcon; `corpus.zip/train.jsonl`: a place in an archive); null for a split that there is none of.
    dev_share: without `dev`, the share of `train` (0 to 1) that becomes the dev split, stratified by label and drawn with `seed`.
    split_by: "document" keeps the sentences of one document (`metadata["document"]`, else the id) on one side of that division;
        "instance" divides pair by pair.
    negative: labels that mean 'no relation'. symmetric: labels that hold in both directions. One that neither the data nor `labels`
        have is refused, unless it is negative and the candidate rule gives it to pairs without a relation.
    labels: all labels in the order of the classes, or a JSON file of them: a list, {label: number} (`rel2id.json`), or an object with the
        labels as keys (DocRED's `rel_info.json`). By default those seen in `train` (in the first split, where there is no train), sorted,
        negatives first. A label in the data that is not among them is a DataError with its file and line.
    labelled: false where the corpus is read for its text alone (pre-training): its labels are ignored.
    parser: parses the documents that come without a parse.
    cache: folder for the read and parsed documents and their candidate pairs, keyed by content; null for the usual folder (environment
        variable RELCON_CACHE, else ~/.cache/relcon), "none" for a temporary one (below TMPDIR) that is gone at the end. What a reader
        made that skips bad records is read anew each time, so that every run says which.
    limit: only the first so many documents of each file, for a quick look. The label set is that of the whole file.
    seed: draws the dev share. It does not follow `[training] seed`, so that runs with several seeds see the same division.
    workers: so many processes read, parse and find the pairs when something is not cached yet; the result does not depend on it. Files
        whose every line is a record are read in parallel, all formats are parsed and searched for pairs in parallel. Each process loads
        relcon and the parser anew: worth it from some thousand documents on.

    A dev or test split in which no document has a labelled relation counts as unlabelled: its instances have no label.

    Config::

        [data]
        @corpora = "relcon.Corpus.v1"
        train = "train.jsonl"
        test = "test.jsonl"
        dev_share = 0.1
        negative = ["no_relation"]

        [data.reader]
        @readers = "relcon.JSONLines.v1"

        [data.candidates]
        @candidates = "relcon.AnnotatedPairs.v1"
    """

    def __init__(
        self,
        reader: DatasetReader,
        candidates: Optional[CandidateRule] = None,
        train: Optional[str] = None,
        dev: Optional[str] = None,
        test: Optional[str] = None,
        dev_share: float = 0.0,
        split_by: Literal["document", "instance"] = "document",
        negative: Optional[List[str]] = None,
        symmetric: Optional[List[str]] = None,
        labels: Union[List[str], str, None] = None,
        labelled: bool = True,
        parser: Optional[Parser] = None,
        cache: Optional[str] = None,
        limit: Optional[int] = None,
        seed: int = 0,
        workers: int = 1,
    ):
        if not 0 <= dev_share < 1:
            raise ValueError(f"dev_share: {dev_share} is not from 0 to below 1")
        if dev_share and (dev is not None or train is None):
            raise ValueError("dev_share takes the dev split out of train: it needs train, and excludes dev")
        if split_by not in ("document", "instance"):
            raise ValueError(f"split_by: '{split_by}' is neither 'document' nor 'instance'")
        if limit is not None and limit < 1:
            raise ValueError(f"limit: {limit} is below 1")
        if workers < 1:
            raise ValueError(f"workers: {workers} is below 1")
        if candidates is None and labelled:
            raise ValueError("candidates: say which pairs are asked about, or labelled = false for text without any")
        self.files = {name: resolve_path(path) for name, path in (("train", train), ("dev", dev), ("test", test)) if path is not None}
        self.reader, self.candidates, self.parser = reader, candidates, parser
        self.dev_share, self.split_by, self.seed, self.limit, self.cache = dev_share, split_by, seed, limit, cache
        self.declared, self.negative, self.symmetric = labels, negative or [], symmetric or []
        self.labelled = labelled
        self._labels: Optional[LabelSet] = None
        self._documents: Dict[str, Sequence[Document]] = {}
        self._keys: Dict[str, str] = {}
        self._paths: Dict[str, Path] = {}
        self._workers = Workers(workers)
        self._splits: Dict[str, Split] = {}

    @property
    def labels(self) -> LabelSet:
        """The label set, the same for every split. Reads the train split where the labels are not declared."""
        if self._labels is None:
            with closing(self._workers):
                self._labels = self._label_set() if self.labelled else LabelSet(())
        return self._labels

    def splits(self) -> List[str]:
        """The names of the splits that there are."""
        return ["train", "dev", *list(self.files)[1:]] if self.dev_share else list(self.files)

    def split(self, name: str) -> Split:
        """A split, read on first use.

        RelconError where there is none of that name, its file is missing or empty, or train has no relations; DataError
        (`UnknownLabels`) where it has labels that are not in the label set.
        """
        if name not in self.splits():
            raise RelconError(f"[data] has no split '{name}'.{did_you_mean(name, self.splits())} Give its file: [data] {name} = \"...\".")
        if name not in self._splits:
            self._make(name)
        return self._splits[name]

    def rewritten(
        self, name: str, documents: Callable[[], Iterable[Document]], key: Any, labels: Optional[LabelSet] = None
    ) -> Split:
        """A split with other documents in place of its own, cached like these, and their candidate pairs.

        RelconError where train and dev have documents in common, so that pairs of the one would come back into the other; DataError where
        the documents have labels that are not in the label set.
        """
        if self.dev_share and self.split_by == "instance":
            raise RelconError(
                f"The documents of '{name}' cannot be changed, since train and dev have documents in common. "
                'Divide them by document ([data] split_by = "document").'
            )
        self.split(name)
        file = name if name in self.files else "train"
        key = hashed(self._keys[file], name, self.dev_share, self.seed, key)
        with closing(self._workers):
            changed = self._changed(name, key, self._path(file), documents)
            return self._paired(name, file, key, changed, self.labels if labels is None else labels)

    def _changed(self, name: str, key: str, path: Path, documents: Callable[[], Iterable[Document]]) -> Sequence[Document]:
        """Changed documents in columns, or, where these cannot hold them, as a list."""
        try:
            return self._store().get(key, path, lambda: batches_of(documents(), path))
        except NotStorable as error:
            log.warning("[data] %s: the changed documents are held in memory (%s).", name, error)
        return list(documents())

    def _make(self, name: str) -> None:
        """Read a split, and the one that it is divided from."""
        with closing(self._workers):
            if self.dev_share and name != "test":
                generator = torch.Generator().manual_seed(self.seed)
                train, dev = hold_out(self._whole("train"), self.dev_share, generator, by=self.split_by)
                self._splits.update(train=train, dev=dev)
            else:
                self._splits[name] = self._whole(name)

    def _whole(self, file: str) -> Split:
        """Everything in the file of a split, with its candidates."""
        documents, labels = self._read(file), self.labels
        if self.labelled and file == "train" and not relation_labels_of(documents):
            raise self._no_relations(file)
        return self._paired(file, file, self._keys[file], documents, labels)

    def _paired(self, name: str, file: str, key: str, documents: Sequence[Document], labels: LabelSet) -> Split:
        """Documents that are kept under a key, as a split with its candidates. file: the split in whose file they were read."""
        seen = relation_labels_of(documents)
        labelled = self.labelled and bool(seen)
        if labelled:
            _refuse_unknown(documents, seen, labels, f"[data] {name} has labels that are not in the label set:")
        elif self.labelled:
            log.info("[data] %s counts as unlabelled.", name)
        instances, lost = self._candidates(name, key, documents, labels if labelled else None)
        self._refuse_none(file, documents, instances, lost)
        complete = self.candidates is None or self.candidates.complete_annotation
        return Split(name, documents, instances, labels, lost, complete)

    def _candidates(self, file: str, key: str, documents: Sequence[Document], labels: Optional[LabelSet]) -> Candidates:
        """The candidate pairs of all documents, which are kept under a key; without label set, of unlabelled ones."""
        if self.candidates is None:
            return Candidates([], ())
        if isinstance(documents, StoredDocuments):
            try:
                pieces = partial(candidate_pieces, documents, self.candidates, labels, self._workers)
                return CandidateStore(self.cache).get(candidates_key(key, self.candidates, labels), documents, pieces)
            except NotStorable as error:
                log.warning("[data] %s: the candidate pairs are held in memory (%s).", file, error)
        return plain_candidates(documents, self.candidates, labels)

    def _refuse_none(self, file: str, documents: Sequence[Document], instances: Sequence[Instance], lost: Sequence[Lost]) -> None:
        """RelconError where there is no candidate pair at all; a warning where gold relations are lost, with their causes."""
        causes = "; ".join(f"{cause}: {count}" for cause, count in Counter(each.cause for each in lost).most_common())
        if not instances and self.candidates is not None:
            types = sorted({entity.type for document in documents for entity in document.entities})
            raise RelconError(
                f'[data] {file} = "{self.files[file]}" has no candidate pair in {len(documents)} documents. Lost gold relations: '
                f"{causes or 'none'}. Entity types in the data: {', '.join(types) or 'no entities'}. Check [data.candidates]."
            )
        if lost:
            log.warning("[data] %s: %d gold relations are no candidates and count against recall (%s).", file, len(lost), causes)

    def _label_set(self) -> LabelSet:
        first = next(iter(self.files), None)
        if first is None:
            raise RelconError('[data] names no file. Give at least one of train, dev and test, for example --data.train "train.jsonl".')
        if self.declared is not None:
            with naming("[data] labels:"):
                names = read_labels(resolve_path(self.declared)) if isinstance(self.declared, str) else self.declared
            labels = _declared(names, self.negative, self.symmetric)
            self._refuse_nowhere(set(names))
            return labels
        seen = self._labels_in(first)
        if not seen:
            raise self._no_relations(first)
        self._refuse_nowhere(seen)
        return LabelSet.of(seen, self.negative, self.symmetric)

    def _labels_in(self, file: str) -> Set[str]:
        """The labels of a whole file, whatever the limit."""
        return relation_labels_of(self._read(file) if self.limit is None else list(self.reader.read(self._path(file))))

    def _refuse_nowhere(self, known: Set[str]) -> None:
        """RelconError where `negative` or `symmetric` names a label that is not known, in no file, and given by no rule."""
        for key, names in (("negative", self.negative), ("symmetric", self.symmetric)):
            given = set(self.negative) if key == "symmetric" or self.candidates is None or self.candidates.gives_negative else set()
            if set(names) <= known | given:
                self._warn_of_near(set(names) - known, known)
                continue
            known = known.union(*map(self._labels_in, self.files))
            for name in names:
                if name not in known | given:
                    raise RelconError(
                        f"[data] {key} names '{name}', a label that no pair of the data has.{did_you_mean(name, known)} Correct it, "
                        "or name all labels in [data] labels."
                    )

    @staticmethod
    def _warn_of_near(given: Set[str], known: Set[str]) -> None:
        """Say so where a name that a rule gives to pairs without a relation is nearly that of a label in the data."""
        for name in sorted(given):
            for near in get_close_matches(name, known, n=1, cutoff=0.8):
                log.warning("[data] negative names '%s', a label that no pair of the data has. Did you mean '%s'?", name, near)

    def _no_relations(self, file: str) -> RelconError:
        return RelconError(
            f'[data] {file} = "{self.files[file]}" has no relations: none of its {len(self._read(file))} documents has a labelled one, '
            "so there is nothing to learn from. Check the file and the reader, or write [data] labelled = false to use its text for "
            "pre-training, or its entities, alone."
        )

    def _read(self, name: str) -> Sequence[Document]:
        """The documents of a file, parsed where there is a parser."""
        if name not in self._documents:
            for split, file in self.files.items():
                if not self._path(split).exists():
                    raise RelconError(f'[data] {split} = "{file}" does not exist (looked in {Path.cwd()}).')
            path = self._path(name)
            self._keys[name] = document_key(path, self.reader, self.parser, self.limit)
            self._documents[name] = self._stored(name, path)
            if not self._documents[name]:
                raise RelconError(f'[data] {name} = "{self.files[name]}" is empty: the reader found no document in it.')
        return self._documents[name]

    def _path(self, name: str) -> Path:
        """Where the file of a split lies, unpacked where it is given as an archive."""
        if name not in self._paths:
            self._paths[name] = unpacked(self.files[name], self.cache)
        return self._paths[name]

    def _stored(self, name: str, path: Path) -> Sequence[Document]:
        """The documents in columns, or, where these cannot hold them, as a list."""
        try:
            make = self._raw if self.parser is None else self._parsed
            return self._store().get(self._keys[name], path, partial(make, path))
        except NotStorable as error:
            log.warning("[data] %s: nothing is cached, and all documents are held in memory (%s).", name, error)
        documents = list(unique(islice(self.reader.read(path), self.limit)))
        if self.parser is None:
            return documents
        with naming("[data.parser]"):
            return self.parser.parse(documents)

    def _raw(self, path: Path) -> Iterator[pa.RecordBatch]:
        return document_batches(self.reader, path, self.limit, self._workers)

    def _parsed(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Parsed documents. They are stored without parse first: a bad record shows before the first parse, and another parser needs
        no second reading."""
        assert self.parser is not None
        key = document_key(path, self.reader, None, self.limit)
        documents = self._store().get(key, path, partial(self._raw, path))
        with naming("[data.parser]"):
            yield from parsed_batches(documents, self.parser, self._workers)

    def _store(self) -> DocumentStore:
        """Where documents are kept. What a reader leaves out it says only while it reads."""
        return DocumentStore(self.cache if self.reader.cacheable else OFF)


class PartCorpus(Corpus):
    """Splits that are already there, as a corpus: what a protocol makes of another corpus, or a test in memory.

    splits: by name, all with the same label set.
    """

    def __init__(self, splits: Mapping[str, Split]):
        self.parts = dict(splits)
        sets = {split.labels for split in self.parts.values()}
        if len(sets) != 1:
            raise ValueError(f"{len(sets)} label sets for {len(self.parts)} splits; one is needed")
        (self._labels,) = sets

    @property
    def labels(self) -> LabelSet:
        """The label set of all splits."""
        return self._labels

    def splits(self) -> List[str]:
        """The names of the splits."""
        return list(self.parts)

    def split(self, name: str) -> Split:
        """A split; RelconError where there is none of that name."""
        if name not in self.parts:
            raise RelconError(f"This corpus has no split '{name}'.{did_you_mean(name, self.parts)}")
        return self.parts[name]


def describe(corpus: Corpus) -> Dict[str, Any]:
    """What is in a corpus, for logs and reports; reads every split, so that faulty data show before training starts.

    Returns {"labels", "negative", "symmetric", "splits": {name: {"documents", "instances", "unlabelled", "labels": {label: count},
    "absent": labels without an example, "lost": {cause: count}}}}, ready for JSON.
    """
    labels = corpus.labels
    return {
        "labels": list(labels.names),
        "negative": sorted(labels.negative),
        "symmetric": sorted(labels.symmetric),
        "splits": {name: _counts(corpus.split(name), labels) for name in corpus.splits()},
    }


def _counts(split: Split, labels: LabelSet) -> Dict[str, Any]:
    found = Counter(labels_of(split.instances))
    return {
        "documents": len(split.documents),
        "instances": len(split.instances),
        "unlabelled": found[None],
        "labels": {name: found[name] for name in labels.names},
        "absent": [name for name in labels.names if not found[name]],
        "lost": dict(Counter(lost.cause for lost in split.lost)),
    }


def read_labels(file: Path) -> List[str]:
    """The labels of a JSON file: a list of them, {label: number} in the order of the numbers, or the keys of any other object as they come.
    RelconError where it is something else, or names a label twice."""
    value = read_json(file, LABEL_FILE)
    if isinstance(value, dict) and all(type(number) is int for number in value.values()):
        value = sorted(value, key=value.__getitem__)
    names = list(value) if isinstance(value, (dict, list)) else []
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise RelconError(f"{file}: expected {LABEL_FILE}, no label twice.")
    return names


def _declared(names: Sequence[str], negative: Sequence[str], symmetric: Sequence[str]) -> LabelSet:
    """The declared labels in their order, negative ones that are missing among them at the end."""
    for name in symmetric:
        if name not in names:
            raise RelconError(f"[data] symmetric names '{name}', which is not among [data] labels.{did_you_mean(name, names)}")
    names = [*names, *(name for name in negative if name not in names)]
    return LabelSet(tuple(names), frozenset(negative), frozenset(symmetric))


def _refuse_unknown(documents: Sequence[Document], seen: Set[str], labels: LabelSet, heading: str) -> None:
    known = set(labels.names)
    if seen <= known:
        return
    found: Dict[str, List[Document]] = {}
    for document in documents:
        for relation in document.relations:
            if relation.label is not None and relation.label not in known:
                found.setdefault(relation.label, []).append(document)
    problems = [Problem(where(places[0]), _unknown(label, len(places), known)) for label, places in found.items()]
    raise UnknownLabels(problems, heading, labels, {label: len(places) for label, places in found.items()})


def _unknown(label: str, relations: int, known: Set[str]) -> str:
    """What is wrong with a label, named once however many relations have it."""
    often = f" ({relations} relations)" if relations > 1 else ""
    return f"label '{label}' is unknown{often}.{did_you_mean(label, known)} Correct it, or add it to [data] labels."
