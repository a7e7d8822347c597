"""Several splits as one: what a list of all their items would be, without decoding any."""

from dataclasses import replace
from pathlib import Path
from typing import List

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.candidates import AnnotatedPairs
from relcon.data.corpus import FileCorpus, PartCorpus
from relcon.data.joining import joined, split_names, split_of
from relcon.data.json import document_to_json
from relcon.data.sequences import groups_of, hashes_of, ids_of, labels_of, pairs_of, take
from relcon.data.splits import hold_out
from relcon.data.stored import StoredDocuments
from relcon.errors import RelconError
from relcon.files import append_jsonl
from relcon.interfaces import Lost, Split
from relcon.readers.jsonlines import JSONLines
from relcon.testing import tiny_corpus, tiny_split

WHOLE = tiny_split(12)


def part(start: int, end: int, name: str) -> Split:
    """Documents [start, end) of the tiny corpus, as lists."""
    lost = [Lost(document.id, 0, 1, "inhibits", "cause") for document in WHOLE.documents[start:end][:1]]
    return Split(name, WHOLE.documents[start:end], WHOLE.instances[start:end], WHOLE.labels, lost)


@pytest.fixture
def corpus(tmp_path: Path) -> FileCorpus:
    """Train and dev in files of their own, a label of its own in dev; documents lie in Arrow files."""
    for name, documents in (("train", tiny_corpus(12)[:7]), ("dev", tiny_corpus(12)[7:])):
        for document in documents:
            record = document_to_json(document)
            record.pop("source", None)
            append_jsonl(tmp_path / f"{name}.jsonl", record)
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("train", "dev")}
    return FileCorpus(JSONLines(), AnnotatedPairs(), **files, negative=["none"], cache="none")


def uids(split: Split) -> List[str]:
    return [instance.uid for instance in split.instances]


def test_a_sum_is_what_lists_of_all_items_are() -> None:
    parts = [part(0, 5, "train"), part(5, 5, "dev"), part(5, 12, "more")]
    made = joined(parts)
    assert made.name == "train+dev+more" and made.labels is WHOLE.labels
    assert list(made.documents) == list(WHOLE.documents) and uids(made) == uids(WHOLE)
    assert [each.document for each in made.lost] == ["tiny-0", "tiny-5"]
    assert ids_of(made.documents) == ids_of(WHOLE.documents) and hashes_of(made.documents) == hashes_of(WHOLE.documents)
    assert groups_of(made.documents) == groups_of(WHOLE.documents) and labels_of(made.instances) == labels_of(WHOLE.instances)
    assert made.fingerprint() == WHOLE.fingerprint() != joined(parts[::-1]).fingerprint()
    assert made.complete_annotation and not joined([parts[0], replace(parts[1], complete_annotation=False)]).complete_annotation


def test_items_are_those_of_their_own_split(corpus: FileCorpus) -> None:
    made = split_of(corpus, "train + dev")
    train, dev = corpus.split("train"), corpus.split("dev")
    assert isinstance(dev.documents, StoredDocuments)
    assert made.name == "train+dev" and len(made.documents) == 12 and len(made.instances) == 12
    assert made.documents[8] is dev.documents[1] and made.documents[-12] is train.documents[0]
    assert made.instances[8].document is made.documents[8]
    assert made.fingerprint() == WHOLE.fingerprint()
    with pytest.raises(IndexError):
        made.documents[12]


def test_one_name_is_the_split_itself(corpus: FileCorpus) -> None:
    assert split_of(corpus, "dev") is corpus.split("dev")
    assert split_names("train+ dev") == ["train", "dev"]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 12), st.lists(st.integers(0, 11), max_size=15))
def test_parts_are_taken_as_of_a_list(cut: int, numbers: List[int]) -> None:
    made = joined([part(0, cut, "train"), part(cut, 12, "dev")])
    documents, instances = take(made.documents, numbers), take(made.instances, numbers)
    assert [each.id for each in documents] == ids_of(documents) == [f"tiny-{number}" for number in numbers]
    assert [each.uid for each in instances] == [WHOLE.instances[number].uid for number in numbers]
    assert list(made.documents[1:cut]) == list(WHOLE.documents[1:cut])
    plain = pairs_of([WHOLE.instances[number] for number in numbers], WHOLE.documents)
    pairs = pairs_of(instances, made.documents)
    assert pairs.labels == plain.labels and [column.tolist() for column in pairs[:4]] == [column.tolist() for column in plain[:4]]
    assert all(column.dtype == plain.document.dtype for column in pairs[:4])


def test_a_sum_can_be_divided_again(corpus: FileCorpus) -> None:
    made = split_of(corpus, "train+dev")
    rest, held = hold_out(made, 0.25, torch.Generator().manual_seed(0))
    assert sorted(ids_of(rest.documents) + ids_of(held.documents)) == sorted(ids_of(made.documents))
    assert len(held.instances) == 3


def test_common_documents_are_refused() -> None:
    with pytest.raises(RelconError, match="'train' and 'dev' cannot be joined: 2 documents are in both, the first is 'tiny-3'"):
        joined([part(0, 5, "train"), part(3, 8, "dev")])
    with pytest.raises(RelconError, match="'train' and 'train' cannot be joined: 5 documents"):
        split_of(PartCorpus({"train": part(0, 5, "train")}), "train+train")


def test_an_unknown_name_is_refused(corpus: FileCorpus) -> None:
    with pytest.raises(RelconError, match=r"no split 'dve'. Did you mean 'dev'\?"):
        split_of(corpus, "train+dve")
