"""Protocols: which runs there are, with which data and seeds."""

from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.data.corpus import PartCorpus
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.data.splits import group_of
from relcon.errors import RelconError
from relcon.interfaces import Corpus, Protocol, Split
from relcon.protocols import GivenFolds, KFold, KShot, Seeds, Share, Single, natural

LABELS = LabelSet(("no", "A"), frozenset(["no"]))
Shared = Callable[[str], Path]


def made(name: str, documents: int = 40) -> Split:
    """Sentences with two pairs each ("no" and "A"), two sentences to an abstract, twenty of them to a fold number."""
    texts, instances = [], []
    for number in range(documents):
        metadata = {"document": f"g{number // 2}", "fold": number // 20 + 9}
        text = Document(f"{name}{number}", ("w",) * 9, (Entity((Mention(0, 1),)),) * 3, metadata=metadata)
        texts.append(text)
        instances += [Instance(text, 0, tail, label, f"{name}{number}#{tail}") for tail, label in ((1, "no"), (2, "A"))]
    return Split(name, texts, instances, LABELS)


def corpus(*names: str) -> Corpus:
    return PartCorpus({name: made(name) for name in names or ("train",)})


def uids(split: Split) -> List[str]:
    return [instance.uid for instance in split.instances]


@pytest.mark.parametrize("component", [Single, Seeds, KFold, GivenFolds, KShot, Share])
def test_components_are_registered(component: type) -> None:
    assert Protocol.registry.get(f"relcon.{component.__name__}.v1") is component


def test_single_and_seeds() -> None:
    data = corpus("train", "test")
    assert list(Single().runs(data, 7)) == [("", data, 7)]
    assert list(Seeds([3, 1]).runs(data, 7)) == [("seeds/seed_3", data, 3), ("seeds/seed_1", data, 1)]


@pytest.mark.parametrize("by", ["document", "instance"])
def test_k_fold(by: Any) -> None:
    data = corpus()
    runs = list(KFold(folds=10, by=by).runs(data, 7))
    assert [folder for folder, _, _ in runs] == [f"folds/fold_{number:02d}" for number in range(1, 11)]
    assert {seed for _, _, seed in runs} == {7}
    tested = Counter(uid for _, part, _ in runs for uid in uids(part.split("test")))
    assert tested == Counter(uids(data.split("train")))
    for _, part, _ in runs:
        assert part.splits() == ["train", "test"] and part.labels is LABELS
        train, test = part.split("train"), part.split("test")
        assert set(uids(train)) | set(uids(test)) == set(tested) and len(test.instances) == 8
        if by == "document":
            assert {group_of(each) for each in train.documents} & {group_of(each) for each in test.documents} == set()


def test_folds_do_not_follow_the_seed_of_the_run() -> None:
    def folds(seed: int, run: int) -> List[List[str]]:
        return [uids(part.split("test")) for _, part, _ in KFold(folds=5, seed=seed).runs(corpus(), run)]

    assert folds(0, 1) == folds(0, 2) != folds(1, 1)


def test_development_data_of_a_fold() -> None:
    for _, part, _ in KFold(folds=4, dev_share=0.2).runs(corpus(), 7):
        assert part.splits() == ["train", "dev", "test"]
        assert len(part.split("dev").instances) == 12
        groups = [{group_of(each) for each in part.split(name).documents} for name in part.splits()]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 20
    (_, kept, _), *_ = KFold(folds=4).runs(corpus("train", "dev"), 7)
    assert uids(kept.split("dev")) == uids(made("dev"))
    with pytest.raises(RelconError, match="dev_share makes a dev split, but"):
        list(KFold(dev_share=0.1).runs(corpus("train", "dev"), 7))


@pytest.mark.parametrize("protocol", [KFold(), GivenFolds(key="fold")])
def test_a_test_split_is_not_passed_over_in_silence(protocol: Protocol) -> None:
    with pytest.raises(RelconError, match=r"which nothing would read. Leave out \[data\] test"):
        list(protocol.runs(corpus("train", "test"), 7))


def test_rare_label_in_k_fold() -> None:
    whole = made("train", 6)
    with pytest.raises(RelconError, match=r"10 folds need at least 10 documents, but split 'train' has 3"):
        list(KFold().runs(PartCorpus({"train": whole}), 7))
    few = Split("train", whole.documents, [each for each in whole.instances if each.label == "no" or each.uid == "train0#2"], LABELS)
    with pytest.raises(RelconError, match=r"3 folds by document.*'A' has 1"):
        list(KFold(folds=3).runs(PartCorpus({"train": few}), 7))
    assert len(list(KFold(folds=3, on_rare="keep").runs(PartCorpus({"train": few}), 7))) == 3


def test_folds_by_metadata_come_in_natural_order() -> None:
    runs = list(GivenFolds(key="fold").runs(corpus(), 7))
    assert [folder for folder, _, _ in runs] == ["folds/fold_01", "folds/fold_02"]
    assert [part.split("test").documents[0].metadata["fold"] for _, part, _ in runs] == [9, 10]
    assert natural("test-2") < natural("test-10") < natural("test-a")
    with pytest.raises(RelconError, match=r"'train0' has no such metadata \(it has: document, fold\)"):
        list(GivenFolds(key="part").runs(corpus(), 7))


def test_folds_from_lists(tmp_path: Path) -> None:
    folds = {"2": range(2, 20, 3), "10": range(4, 20, 3), "1": [1], "3": range(0, 20, 3)}
    for number, groups in folds.items():
        (tmp_path / f"test-{number}").write_text("\n".join([*(f"g{group}" for group in groups), "elsewhere", ""]))
    runs = list(GivenFolds(lists=[str(tmp_path / "test-*")], dev_share=0.1).runs(corpus(), 7))
    tested = [{group_of(each) for each in part.split("test").documents} for _, part, _ in runs]
    assert tested == [{f"g{group}" for group in folds[number]} for number in ("1", "2", "3", "10")]
    assert runs[0][1].splits() == ["train", "dev", "test"]
    with pytest.raises(RelconError, match=r"no file is named .*nothing-"):
        list(GivenFolds(lists=[str(tmp_path / "nothing-*")]).runs(corpus(), 7))
    with pytest.raises(RelconError, match="finds 1 fold"):
        list(GivenFolds(lists=[str(tmp_path / "test-1")]).runs(corpus(), 7))


def test_k_shot() -> None:
    data = corpus("train", "dev", "test")
    runs = list(KShot(shots=4, seeds=[1, 2]).runs(data, 7))
    assert [(folder, seed) for folder, _, seed in runs] == [("seeds/seed_1", 1), ("seeds/seed_2", 2)]
    drawn = [part.split("train") for _, part, _ in runs]
    assert all(Counter(each.label for each in split.instances) == {"no": 4, "A": 4} for split in drawn)
    assert uids(drawn[0]) != uids(drawn[1])
    assert runs[0][1].split("dev") is data.split("dev") and runs[0][1].split("test") is data.split("test")
    (_, part, _), = KShot(shots=4, seeds=[1], dev_shots=2).runs(data, 7)
    assert len(part.split("dev").instances) == 4 and uids(part.split("train")) == uids(drawn[0])


def test_k_shot_with_too_few_examples() -> None:
    with pytest.raises(RelconError, match="41 shots need 41 instances of every label, but 'no' has 40"):
        list(KShot(shots=41, seeds=[1]).runs(corpus(), 7))
    (_, part, _), = KShot(shots=41, seeds=[1], on_rare="keep").runs(corpus(), 7)
    assert len(part.split("train").instances) == 80


@pytest.mark.parametrize("by", ["document", "instance"])
def test_share(by: Any) -> None:
    data = corpus("train", "test")
    runs = list(Share(share=0.1, seeds=[5, 6], by=by).runs(data, 7))
    drawn = [part.split("train") for _, part, _ in runs]
    assert all(Counter(each.label for each in split.instances) == {"no": 4, "A": 4} for split in drawn)
    assert uids(drawn[0]) != uids(drawn[1]) and runs[0][1].split("test") is data.split("test")


@pytest.mark.parametrize(
    ("component", "arguments"),
    [
        (Seeds, {"seeds": []}),
        (Seeds, {"seeds": [1, 1]}),
        (KFold, {"folds": 1}),
        (KFold, {"dev_share": 1.0}),
        (GivenFolds, {"key": "a", "lists": ["b"]}),
        (GivenFolds, {"key": None}),
        (KShot, {"shots": 0, "seeds": [1]}),
        (Share, {"share": 1.0, "seeds": [1]}),
    ],
)
def test_wrong_arguments_are_named(component: Callable[..., Protocol], arguments: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        component(**arguments)
