"""Candidates, divisions and parses on the real corpora, where RELCON_SHARED has them."""

from pathlib import Path
from typing import Callable

import pytest

from relcon.data.candidates import SAME_ENTITY, SENTENCES, AnnotatedPairs, EntityPairs
from relcon.data.corpus import FileCorpus, describe
from relcon.data.parsing import SpacyParser
from relcon.data.paths import dependency_path
from relcon.data.sequences import ids_of
from relcon.data.splits import group_of
from relcon.interfaces import DatasetReader
from relcon.protocols import GivenFolds, KFold, read_folds

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


TABLE_1 = [  # relations and entities to train on, relations and entities to test on
    (6155, 9769, 666, 1070),
    (6097, 9713, 724, 1126),
    (6133, 9748, 688, 1091),
    (6164, 9771, 657, 1068),
    (6173, 9785, 648, 1054),
    (6089, 9713, 732, 1126),
    (6155, 9768, 666, 1071),
    (6117, 9754, 704, 1085),
    (6133, 9760, 688, 1079),
    (6173, 9770, 648, 1069),
]
"""The ten folds of ADE: Theodoropoulos et al., CoNLL 2021, Table 1."""


@pytest.fixture(scope="module")
def ade(shared: Shared) -> FileCorpus:
    return FileCorpus(reader("SpERT"), AnnotatedPairs(), str(shared("data/ade/ade_full_spert.json")), cache="none")


def test_ade_in_its_published_folds(ade: FileCorpus, shared: Shared) -> None:
    runs = list(GivenFolds(file=str(shared("data/ade/cv_splits.json"))).runs(ade, 1))
    counts = {each.id: (len(each.relations), len(each.entities)) for each in ade.split("train").documents}
    found = []
    for _, part, _ in runs:
        sides = [[counts[name] for name in ids_of(part.split(side).documents)] for side in ("train", "test")]
        found.append(tuple(sum(numbers) for side in sides for numbers in zip(*side, strict=True)))
    assert found == TABLE_1
    sizes = [tuple(len(part.split(side).documents) for side in ("train", "test")) for _, part, _ in runs]
    assert sizes == [(3845, 427)] * 9 + [(3843, 429)]


def test_ade_has_the_validation_parts_of_cldr(ade: FileCorpus, shared: Shared) -> None:
    file = str(shared("data/ade/cv_splits.json"))
    runs = list(GivenFolds(file=file, dev_share=0.1, dev_draw="sample", seed=42, only=[1, 10]).runs(ade, 1))
    sizes = [[len(part.split(side).documents) for side in ("dev", "train")] for _, part, _ in runs]
    assert sizes == [[384, 3461], [384, 3459]]
    listed = read_folds(file)["split_1"].train
    places = (2619, 456, 102, 3037, 1126, 1003, 914, 571)
    assert {listed[place] for place in places} <= set(ids_of(runs[0][1].split("dev").documents))
