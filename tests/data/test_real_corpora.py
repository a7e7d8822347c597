"""Candidates, divisions and parses on the real corpora, where RELCON_SHARED has them."""

from pathlib import Path
from typing import Callable

import pytest

from relcon.data.candidates import SAME_ENTITY, SENTENCES, AnnotatedPairs, EntityPairs
from relcon.data.corpus import FileCorpus, describe
from relcon.data.parsing import SpacyParser
from relcon.data.paths import dependency_path
from relcon.data.splits import group_of
from relcon.interfaces import DatasetReader
from relcon.protocols import GivenFolds, KFold

Shared = Callable[[str], Path]


def reader(name: str) -> DatasetReader:
    built: DatasetReader = DatasetReader.registry.get(f"relcon.{name}.v1")()
    return built


@pytest.fixture(scope="module")
def aimed(shared: Shared) -> FileCorpus:
    train = str(shared("data/aimed/folds_json"))
    return FileCorpus(reader("AIMedFolds"), AnnotatedPairs(), train, negative=["negative"], symmetric=["positive"], cache="none")


def test_aimed_has_its_published_pairs_and_folds(aimed: FileCorpus) -> None:
    """5,834 pairs, 1,000 of them positive, in the fold sizes that the corpus comes with."""
    assert describe(aimed)["splits"]["train"]["labels"] == {"negative": 4834, "positive": 1000}
    sizes = [len(part.split("test").instances) for _, part, _ in GivenFolds(key="fold").runs(aimed, 1)]
    assert sizes == [621, 546, 593, 587, 523, 599, 605, 716, 491, 553]


def test_aimed_by_document_has_no_abstract_on_both_sides(aimed: FileCorpus) -> None:
    for _, part, _ in KFold().runs(aimed, 1):
        train, test = part.split("train"), part.split("test")
        assert not {group_of(each) for each in train.documents} & {group_of(each) for each in test.documents}
        assert sum(each.label == "positive" for each in test.instances) == 100


def test_aimed_by_instance_has_the_published_fold_size(aimed: FileCorpus) -> None:
    """CLRE, Table 2: 5,251 training and 583 test pairs in one fold."""
    sizes = {(len(part.split("train").instances), len(part.split("test").instances)) for _, part, _ in KFold(by="instance").runs(aimed, 1)}
    assert sizes == {(5251, 583), (5250, 584)}


def test_aimed_original_in_the_folds_of_its_file_lists(shared: Shared) -> None:
    """225 abstracts; what is no pair of two proteins of one sentence is lost, by cause."""
    folder = shared("data/aimed/aimed")
    made = FileCorpus(reader("AIMed"), EntityPairs(), str(folder), negative=["negative"], symmetric=["positive"], cache="none")
    train = describe(made)["splits"]["train"]
    assert (train["labels"]["positive"], train["lost"]) == (1000, {SAME_ENTITY: 54, SENTENCES: 9})
    runs = list(GivenFolds(lists=[str(folder / "splits" / "test-203-*")]).runs(made, 1))
    assert [len(part.split("test").documents) for _, part, _ in runs] == [22, 23] * 5
    listed = (folder / "splits" / "test-203-10").read_text().split()
    assert sorted(each.id for each in runs[9][1].split("test").documents) == sorted(listed)


def test_semeval_pairs_all_have_a_path(shared: Shared) -> None:
    """The first fifty sentences, each known to be one: every pair is connected, and the path ends in the two mentions."""
    train = shared("data/semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_training/TRAIN_FILE.TXT")
    parser = SpacyParser(str(shared("models/en_ud_small")), cache="none")
    made = FileCorpus(reader("SemEval2010"), AnnotatedPairs(), str(train), negative=["Other"], parser=parser, cache="none", limit=50)
    for instance in made.split("train").instances:
        head, tail = instance.mentions
        path = dependency_path(instance.document, head, tail)
        assert path is not None and head.start <= path[0] < head.end and tail.start <= path[-1] < tail.end
