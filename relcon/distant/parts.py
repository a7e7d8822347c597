"""One part of the text -> one file of the corpus: link, label, filter, count."""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from relcon.data.document import Document
from relcon.data.reading import unique
from relcon.data.relations import ignored_pairs, relation_instances, unrelated_pairs
from relcon.data.stored import StoredDocuments
from relcon.distant.entities import sentences_of, within_sentences
from relcon.distant.filters import Filters
from relcon.distant.knowledge import Names, Triples, read_names, read_triples
from relcon.distant.labelling import NamePair, labelled, named_pairs, of_labels, places, without_leaked
from relcon.distant.writing import write_docred
from relcon.files import read_json, write_json
from relcon.interfaces import DatasetReader, DistantBuilder, KnowledgeBase, Linked, Rejected
from relcon.readers.docred import DocRED

LEAKAGE = "no label left after the leakage filter"
PLACE = "no label left after max_per_relation"


class Excluded(NamedTuple):
    """Evaluation data for the leakage filter. reader: of their format; None: that of the job."""

    path: Path
    reader: Optional[DatasetReader] = None


@dataclass(frozen=True, eq=False)
class Job:
    """Everything that a corpus depends on.

    builder: finds the entities. reader, text: what to read. triples: lines `head<TAB>relation<TAB>tail`. names: lines
    `surface form<TAB>id`, or None. exclude: evaluation data for the leakage filter; exclude_reader: of those without one of their own, the
    text's unless given. negative: their labels that mean 'no relation'. multi_label: every relation of a pair, otherwise that of the last
    line of the triples. relation_names: a JSON object {relation: name}, or None. part_documents: so many documents of the text become one
    file.
    """

    builder: DistantBuilder
    reader: DatasetReader
    text: Path
    triples: Path
    names: Optional[Path] = None
    filters: Filters = field(default_factory=Filters)
    exclude: Tuple[Excluded, ...] = ()
    exclude_reader: Optional[DatasetReader] = None
    negative: Tuple[str, ...] = ()
    multi_label: bool = True
    relation_names: Optional[Path] = None
    part_documents: int = 1_000


class Material(NamedTuple):
    """What was read to build with. excluded: the pairs of names of the evaluation data."""

    triples: Triples
    names: Names
    excluded: Set[NamePair]

    @property
    def base(self) -> KnowledgeBase:
        """As a builder sees it."""
        return KnowledgeBase(self.names.ids, self.triples.entities)


@lru_cache(maxsize=1)
def material_of(job: Job) -> Material:
    """Knowledge base and evaluation data, read once per process; what their readers raise where they are wrong."""
    evaluation = ((each.reader or job.exclude_reader or job.reader).read(each.path) for each in job.exclude)
    return Material(
        read_triples(job.triples, job.multi_label, job.filters.relations),
        Names({}, 0) if job.names is None else read_names(job.names),
        named_pairs(chain.from_iterable(map(unique, evaluation)), job.negative),
    )


# ---- counting ------------------------------------------------------------------------------------------------------------


@dataclass
class Counts:
    """What became of some documents.

    totals: documents that were read, and documents, entities, mentions, instances, unrelated and ignored pairs that were written; labels
    that were removed, mentions that were left out. relations: instances of each. rejected: documents that were left out, by cause.
    """

    totals: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Counts") -> None:
        """The counts of further documents."""
        for name, counter in vars(self).items():
            counter.update(vars(other)[name])

    def written(self, document: Document) -> None:
        """Count what a document of the corpus holds."""
        labels = [each.label for each in relation_instances(document)]
        self.relations.update(labels)
        self.totals["documents"] += 1
        self.totals["entities"] += len(document.entities)
        self.totals["mentions"] += sum(len(entity.mentions) for entity in document.entities)
        self.totals["instances"] += len(labels)
        self.totals["unrelated_pairs"] += sum(1 for _ in unrelated_pairs(document))
        self.totals["ignored_pairs"] += len(ignored_pairs(document))

    def as_json(self) -> Dict[str, Any]:
        """As plain values, the most frequent first."""
        return {name: dict(sorted(counter.items(), key=lambda each: (-each[1], each[0]))) for name, counter in vars(self).items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Mapping[str, int]]) -> "Counts":
        """What `as_json` gave."""
        return cls(**{name: Counter(values) for name, values in record.items()})


# ---- one part ------------------------------------------------------------------------------------------------------------


def build_part(job: Job, documents: StoredDocuments, corpus: Path, counts: Path, rows: range) -> None:
    """Build the documents of some rows and write them to the folder `corpus`, then their counts to the folder `counts`: a part is done when
    its counts are there. Nothing of it depends on other parts, so `max_per_relation` is left to `limit_relations`. No file of documents
    where none is left."""
    number = rows.start // job.part_documents
    part = Part(job, material_of(job))
    built = part.build([documents[row] for row in rows])
    if built:
        write_docred(built, documents_file(corpus, number))
    write_json(counts_file(counts, number), part.counts.as_json())


def documents_file(folder: Path, number: int) -> Path:
    """Where the documents of a part lie."""
    return folder / f"documents-{number:05d}.json"


def documents_files(folder: Path) -> List[Path]:
    """The documents of all parts."""
    return sorted(folder.glob("documents-?????.json"))


def counts_file(folder: Path, number: int) -> Path:
    """Where the counts of a part lie."""
    return folder / f"counts-{number:05d}.json"


def read_counts(files: Iterable[Path]) -> Counts:
    """The counts of all parts together."""
    whole = Counts()
    for file in files:
        whole.add(Counts.from_json(read_json(file)))
    return whole


def limit_relations(filters: Filters, parts: Path, corpus: Path) -> Counts:
    """Write the documents of all parts to the folder `corpus`, at most `max_per_relation` of each relation. What is drawn depends on the
    documents alone, not on how they are cut into parts, and the parts stay as they are, so that it may be done again."""
    files, counts, reader, number = documents_files(parts), Counts(), DocRED(), 0
    kept = places((document for file in files for document in reader.read(file)), filters.max_per_relation or 0, Random(str(filters.seed)))
    for file in files:
        left = []
        for document in reader.read(file):
            found = of_labels(document, kept.get(number, ()))
            number += 1
            counts.totals["labels_removed_for_max_per_relation"] += len(document.relations) - len(found.relations)
            if found.relations:
                left.append(found)
                counts.written(found)
            else:
                counts.rejected[PLACE] += 1
        if left:
            write_docred(left, corpus / file.name)
    return counts


class Part:
    """Documents of the text -> documents of the corpus; `counts` says what became of them."""

    def __init__(self, job: Job, material: Material):
        self.job, self.filters, self.material = job, job.filters, material
        self.counts = Counts()

    def build(self, documents: Sequence[Document]) -> List[Document]:
        """The documents that are left, labelled."""
        self.counts.totals["documents_read"] += len(documents)
        built = [made for unit in self._units(documents) if (made := self._labelled(unit)) is not None]
        if self.filters.max_per_relation is None:
            for document in built:
                self.counts.written(document)
        return built

    def _units(self, documents: Sequence[Document]) -> Iterator[Linked]:
        """The linked documents, or their sentences, that the filters let pass."""
        for found in self.job.builder.link(documents, self.material.base):
            if isinstance(found, Rejected):
                self.counts.rejected[found.cause] += 1
                continue
            linked, lost = within_sentences(found)
            self.counts.totals["mentions_left_out"] += lost
            for unit in [linked] if self.filters.unit == "document" else sentences_of(linked):
                if self._passes(self.filters.fault_of_text(unit.document)):
                    yield unit

    def _labelled(self, unit: Linked) -> Optional[Document]:
        """With its labels, those of evaluation data taken away; None where the filters leave it out."""
        document = labelled(unit, self.material.triples)
        clean = without_leaked(document, self.material.excluded)
        self.counts.totals["labels_removed_for_leakage"] += len(document.relations) - len(clean.relations)
        fault = LEAKAGE if document.relations and not clean.relations else self.filters.fault_of_labels(clean)
        return clean if self._passes(fault) else None

    def _passes(self, fault: Optional[str]) -> bool:
        if fault is not None:
            self.counts.rejected[fault] += 1
        return fault is None
