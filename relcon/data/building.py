"""What is made of stored documents, piece by piece and kept by content: their parses, and their candidate pairs."""

from itertools import chain
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import pyarrow as pa

from relcon.data.arrow import ArrowFile, Piece
from relcon.data.columns import NotStorable, to_batch
from relcon.data.document import Document, Instance, instance_uid
from relcon.data.labels import LabelSet
from relcon.data.stored import StoredDocuments, StoredInstances
from relcon.data.workers import Workers
from relcon.interfaces import CandidateRule, Lost, Parser

CANDIDATES = pa.schema([("document", pa.int32()), ("head", pa.int32()), ("tail", pa.int32()), ("label", pa.string())])
"""One row an instance; `document` is its number in the file of documents."""


class Candidates(NamedTuple):
    """The instances of documents and the gold relations that were lost."""

    instances: Sequence[Instance]
    lost: Tuple[Lost, ...]


# ---- parses ------------------------------------------------------------------------------------------------------------


def parsed_batches(documents: StoredDocuments, parser: Parser, workers: Workers) -> Iterator[pa.RecordBatch]:
    """The documents with parses, as record batches."""
    return workers.map(parse_rows, (parser, documents.source.below, documents), _stretches(documents))


def parse_rows(parser: Parser, path: Path, documents: StoredDocuments, rows: range) -> pa.RecordBatch:
    """Some of the documents with parses, in whatever process."""
    return to_batch(parser.parse(list(documents.take(rows))), path)


# ---- candidate pairs ---------------------------------------------------------------------------------------------------


def candidate_pieces(documents: StoredDocuments, rule: CandidateRule, labels: Optional[LabelSet], workers: Workers) -> Iterator[Piece]:
    """The candidate pairs of documents by a rule, with the lost relations as notes. labels: None leaves all without a label.

    NotStorable where the rule makes instances that are not of the document it is given.
    """
    return workers.map(candidates_of_rows, (rule, labels, documents), _stretches(documents))


def candidates_of_rows(rule: CandidateRule, labels: Optional[LabelSet], documents: StoredDocuments, rows: range) -> Piece:
    """The candidate pairs of some documents, in whatever process."""
    pairs: List[Tuple[int, int, int, Optional[str]]] = []
    lost: List[Lost] = []
    for number in rows:
        document = documents[number]
        found, missed = candidates_of(document, rule, labels)
        for each in found:
            _refuse_foreign(each, document)
        pairs += [(number, each.head, each.tail, each.label) for each in found]
        lost += missed
    arrays = [pa.array([pair[n] for pair in pairs], field.type) for n, field in enumerate(CANDIDATES)]
    return Piece(pa.record_batch(arrays, schema=CANDIDATES), {"lost": lost})


def candidates_of(document: Document, rule: CandidateRule, labels: Optional[LabelSet]) -> Tuple[List[Instance], List[Lost]]:
    """What the rule finds in a document; without label set: no labels, and nothing is lost."""
    if labels is not None:
        return rule.instances(document, labels)
    return [Instance(each.document, each.head, each.tail, None, each.uid) for each in rule.instances(document)[0]], []


def read_candidates(file: ArrowFile, documents: StoredDocuments) -> Candidates:
    """The candidate pairs of a file, as instances of the documents."""
    document, head, tail = (file.column(name).to_numpy() for name in ("document", "head", "tail"))
    label = file.column("label").combine_chunks().dictionary_encode()
    codes = label.indices.fill_null(-1).to_numpy().astype(np.int32)
    instances = StoredInstances(documents.source, document, head, tail, codes, label.dictionary.to_pylist())
    return Candidates(instances, tuple(Lost(*each) for notes in file.notes for each in notes["lost"]))


def plain_candidates(documents: Sequence[Document], rule: CandidateRule, labels: Optional[LabelSet]) -> Candidates:
    """The candidate pairs of documents, all in memory."""
    made = [candidates_of(document, rule, labels) for document in documents]
    return Candidates(list(chain.from_iterable(found for found, _ in made)), tuple(chain.from_iterable(lost for _, lost in made)))


def _refuse_foreign(instance: Instance, document: Document) -> None:
    if instance.document is not document or instance.uid != instance_uid(document, instance.head, instance.tail):
        raise NotStorable(f"the candidate rule makes instances of documents or names of its own ('{instance.uid}')")


def _stretches(documents: StoredDocuments) -> List[range]:
    """The documents of each record batch of their file."""
    ends = documents.source.file.ends
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]
