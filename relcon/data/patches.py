"""Corpora whose labels were corrected after they were published, by files that name documents by their ids (TACREV, Re-TACRED)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from relcon.data.archives import unpacked
from relcon.data.changed import ChangedCorpus, Written
from relcon.data.document import Document
from relcon.data.fields import items, need, of_kind
from relcon.data.labels import LabelSet
from relcon.data.sequences import ids_of, relation_labels_of, take
from relcon.data.store import fingerprint_of_path, hashed
from relcon.errors import RecordError, RelconError, did_you_mean, naming
from relcon.interfaces import Corpus, Split
from relcon.sample import resolve as resolve_sample

FORMS = 'a JSON array of {"id": "...", "relation": "..."}, or a JSON object of "id": "label"'


class Patch(NamedTuple):
    """New labels. labels: the id of a document -> its label. whole: whether documents that it does not name are left out."""

    labels: Dict[str, str]
    whole: bool


class PatchedCorpus(ChangedCorpus):
    """A corpus with other labels for some of its documents, each of which has one marked pair.

    A patch is a file in one of two forms. An array of `{"id", "relation"}` overwrites the labels of the documents that it names and
    leaves all others as they are (TACREV: dev and test). An object `{id: label}` overwrites likewise, and documents that it does not name
    are left out (Re-TACRED: all three splits).

    corpus: what is patched, such as TACRED (ids: `id` of its records).
    train, dev, test: the patch of each split, a file, packed (.gz), or in an archive (`patches.zip/dev.json`); null: its documents keep
        their labels.
    labels: all labels in the order of the classes. By default the corpus's own where `train` is not patched, else those that the patched
        train split has, sorted, negatives first. Negative and symmetric ones are the corpus's; a symmetric one that is no label any more
        is none.
    cache: where what is packed is unpacked, as of `relcon.Corpus.v1`.

    ValueError where no split is patched, or one that the corpus has not. RelconError where a file is missing, has another form, names a
    document twice or one that the split does not have, a document has not one relation, or a label is not in the label set.

    Source: Alt, Gabryszak and Hennig, TACRED Revisited, ACL 2020; Stoica, Platanios and Póczos, Re-TACRED, AAAI 2021.

    Config::

        [data]
        @corpora = "relcon.PatchedCorpus.v1"
        dev = "dev_patch.json"
        test = "test_patch.json"

        [data.corpus]
        @corpora = "relcon.Corpus.v1"
        train = "train.json"
        dev = "dev.json"
        test = "test.json"
        negative = ["no_relation"]

        [data.corpus.reader]
        @readers = "relcon.TACRED.v1"

        [data.corpus.candidates]
        @candidates = "relcon.AnnotatedPairs.v1"
    """

    def __init__(
        self,
        corpus: Corpus,
        train: Optional[str] = None,
        dev: Optional[str] = None,
        test: Optional[str] = None,
        labels: Optional[List[str]] = None,
        cache: Optional[str] = None,
    ):
        super().__init__(corpus)
        self.files = {name: resolve_sample(path) for name, path in (("train", train), ("dev", dev), ("test", test)) if path is not None}
        if not self.files:
            raise ValueError("train, dev, test: name the patch of one split at least")
        for name in self.files:
            if name not in corpus.splits():
                raise ValueError(f"{name}: the corpus has no such split to patch, only {', '.join(corpus.splits()) or 'none'}")
        self.declared, self.cache = labels, cache
        self._patches: Dict[str, Patch] = {}
        self._labels: Optional[LabelSet] = None

    def fingerprint(self) -> str:
        """The patches, and the labels."""
        return hashed({name: fingerprint_of_path(unpacked(file, self.cache)) for name, file in self.files.items()}, self.declared)

    @property
    def labels(self) -> LabelSet:
        """The label set, the same for every split. Reads the train split where it is patched."""
        if self._labels is None:
            before = self.corpus.labels
            names = self._names()
            self._labels = before if names is None else LabelSet(names, before.negative, before.symmetric & frozenset(names))
        return self._labels

    def documents(self, split: Split) -> Optional[Written]:
        """Those of the split with the labels of its patch. Those of one without patch are written anew where the label set is another."""
        patch = self._patch(split.name)
        if patch is None:
            return None if self.labels == self.corpus.labels else lambda: split.documents
        self._refuse_strange(split, patch)
        return lambda: patched(split.documents, patch)

    def _patch(self, name: str) -> Optional[Patch]:
        """The patch of a split, read once; None where it has none."""
        if name in self.files and name not in self._patches:
            with naming(f"[data] {name}:"):
                self._patches[name] = read_patch(unpacked(self.files[name], self.cache))
        return self._patches.get(name)

    def _names(self) -> Optional[Tuple[str, ...]]:
        """The labels in order, those of 'no relation' included; None for the corpus's own."""
        negative, patch = self.corpus.labels.negative, self._patch("train")
        if self.declared is not None:
            return (*self.declared, *sorted(negative - set(self.declared)))
        return None if patch is None else LabelSet.of(seen_labels(self.corpus.split("train"), patch), sorted(negative)).names

    def _refuse_strange(self, split: Split, patch: Patch) -> None:
        """RelconError where the patch has an id that the split does not have, or a label that the label set does not have."""
        where, known = f'[data] {split.name} = "{self.files[split.name]}"', set(ids_of(split.documents))
        strange = [name for name in patch.labels if name not in known]
        if strange:
            raise RelconError(
                f"{where} names {len(strange)} of {len(patch.labels)} documents by an id that the split does not have, first "
                f"'{strange[0]}'. Is it the patch of another split or corpus? It needs all documents of the split ([data.corpus] limit)."
            )
        for name, label in patch.labels.items():
            if label not in self.labels.names:
                raise RelconError(
                    f"{where} gives '{name}' the label '{label}', which is not in the label set.{did_you_mean(label, self.labels.names)} "
                    "Patch the train split as well, or name all labels in [data] labels."
                )


def seen_labels(split: Split, patch: Patch) -> Set[str]:
    """The labels that the documents of a split have when they are patched."""
    ids = ids_of(split.documents)
    new = {patch.labels[name] for name in ids if name in patch.labels}
    if patch.whole:
        return new
    return new | relation_labels_of(take(split.documents, [number for number, name in enumerate(ids) if name not in patch.labels]))


def patched(documents: Iterable[Document], patch: Patch) -> Iterator[Document]:
    """The documents with the labels of a patch. RelconError where one that it names has not one relation."""
    for document in documents:
        if document.id in patch.labels:
            yield relabelled(document, patch.labels[document.id])
        elif not patch.whole:
            yield document


def relabelled(document: Document, label: str) -> Document:
    """A document of one relation with another label."""
    if len(document.relations) != 1:
        raise RelconError(
            f"Document '{document.id}' has {len(document.relations)} relations, so a patch that names it does not say which of them it "
            "means. Patches are for corpora with one marked pair per document."
        )
    return replace(document, relations=(replace(document.relations[0], label=label),))


# ---- the files ---------------------------------------------------------------------------------------------------------


def read_patch(file: Path) -> Patch:
    """A patch in either form. RelconError where the file is missing, or has another form."""
    try:
        value = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_distinct)
        patch = Patch(_entries(value), False) if isinstance(value, list) else Patch(_mapping(value), True)
    except OSError as error:
        raise RelconError(f"{file} cannot be read ({error.strerror}); expected {FORMS}.") from None
    except RecordError as error:
        raise RelconError(f"expected {FORMS} in {file}, but {error}.") from None
    except (ValueError, RecursionError) as error:
        raise RelconError(f"expected {FORMS} in {file}, but it is not JSON that can be read: {error}.") from None
    if not patch.labels:
        raise RelconError(f"{file} names no document; expected {FORMS}.")
    return patch


def _entries(value: List[Any]) -> Dict[str, str]:
    """`[{"id", "relation"}, ...]`"""
    pairs = []
    for number, entry in enumerate(items(value, dict, "the array")):
        owner = f"item {number}"
        pairs.append((need(entry, "id", str, owner), need(entry, "relation", str, owner)))
    return _distinct(pairs)


def _mapping(value: Any) -> Dict[str, str]:
    """`{id: label, ...}`"""
    return {name: of_kind(label, str, f"the label of '{name}'") for name, label in of_kind(value, dict, "the file").items()}


def _distinct(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """Pairs of key and value as a dictionary. RecordError where a key comes twice: JSON would keep the last."""
    found: Dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RecordError(f"'{key}' stands there twice")
        found[key] = value
    return found
