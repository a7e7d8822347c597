"""Protocols: which runs there are, with which data and seeds."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.data.corpus import PartCorpus
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.data.splits import Fold, group_of, sampled
from relcon.errors import RelconError
from relcon.interfaces import Corpus, Protocol, Split
from relcon.protocols import GivenFolds, KFold, KShot, Seeds, Share, Single, natural, read_folds

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


def groups(split: Split) -> List[str]:
    """The documents of a split, each once."""
    return list(dict.fromkeys(map(group_of, split.documents)))


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
        sides = [groups(part.split(name)) for name in part.splits()]
        assert sum(map(len, sides)) == len(set().union(*sides)) == 20
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


FOLDS = {  # the last two leave out documents
    "f10": {"train set": ["g5", "g4", "g3", "g2", "g1"], "test set": [f"g{number}" for number in range(8, 20)]},
    "f9": {"train set": [f"g{number}" for number in range(19, 3, -1)], "test set": ["g0", "g1", "g2", "g3"]},
    "f11": {"train set": ["g0", "g8", "g9", "g10", "g11"], "test set": ["g4", "g5", "g6", "g7"]},
}


@pytest.fixture
def stated(tmp_path: Path) -> Callable[..., str]:
    """`stated(folds)`: the name of a file of folds."""

    def write(folds: Any) -> str:
        (tmp_path / "folds.json").write_text(folds if isinstance(folds, str) else json.dumps(folds))
        return str(tmp_path / "folds.json")

    return write


def test_folds_from_a_file(stated: Callable[..., str]) -> None:
    file = stated(FOLDS)
    assert list(read_folds(file)) == ["f9", "f10", "f11"] and read_folds(file)["f9"] == Fold(*FOLDS["f9"].values())
    runs = list(GivenFolds(file=file).runs(corpus(), 7))
    assert [folder for folder, _, _ in runs] == ["folds/fold_01", "folds/fold_02", "folds/fold_03"]
    for name, (_, part, seed) in zip(("f9", "f10", "f11"), runs, strict=True):
        assert part.splits() == ["train", "test"] and seed == 7
        for split in part.splits():
            assert sorted(groups(part.split(split))) == sorted(FOLDS[name][f"{split} set"])


def test_documents_without_pairs_stay_in_their_folds(stated: Callable[..., str]) -> None:
    whole = made("train")
    bare = Split("train", whole.documents, [each for each in whole.instances if group_of(each.document) not in ("g1", "g8")], LABELS)
    (_, first, _), (_, second, _), _ = GivenFolds(file=stated(FOLDS)).runs(PartCorpus({"train": bare}), 7)
    assert "g1" in groups(first.split("test")) and "g8" in groups(second.split("test"))
    assert "g8" in groups(first.split("train")) and "g1" in groups(second.split("train"))


def changed(fold: str, side: str, documents: List[Any]) -> Any:
    return {**FOLDS, fold: {**FOLDS[fold], side: documents}}


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (changed("f11", "train set", ["g0", "g88"]), r"Fold 'f11' names 1 documents .* does not have: 'g88'\. Did you mean 'g8'\?"),
        (changed("f11", "train set", ["g0", "g4"]), "Fold 'f11' names 1 documents more than once.*: 'g4'"),
        (changed("f11", "test set", ["g3", "g4", "g5", "g6", "g7"]), "1 are in several folds: 'g3'"),
        (changed("f11", "test set", ["g4", "g6", "g7"]), "1 are in no fold: 'g5'"),
        (changed("f11", "train set", []), "1 are a fold without any document on one side: 'f11'"),
        ({"f9": FOLDS["f9"]}, "finds 1 fold; cross-validation needs at least two"),
        ({}, "finds 0 fold"),
        (changed("f11", "train set", ["g0", 8]), r"folds\.json, but item 1 of the 'train set' of fold 'f11' must be a string"),
        (changed("f11", "dev set", ["g0"]), "fold 'f11' has an unknown key 'dev set'"),
        ({**FOLDS, "f11": {"train": ["g0"], "test set": []}}, "fold 'f11' has an unknown key 'train'. Did you mean 'train set'"),
        ({**FOLDS, "f11": {"test set": []}}, "'train set' is missing in fold 'f11'"),
        ({**FOLDS, "f11": ["g0"]}, "fold 'f11' must be an object, here it is a list"),
        ([], "expected a JSON object .* in .*folds.json, but the file must be an object, here it is a list"),
        ("{'f9'", r"folds\.json, but it is not JSON that can be read: .* line 1 column 2"),
        ("[" * 100_000, "it is not JSON that can be read"),
    ],
)
def test_faulty_files_of_folds(folds: Any, message: str, stated: Callable[..., str]) -> None:
    with pytest.raises(RelconError, match=message):
        list(GivenFolds(file=stated(folds)).runs(corpus(), 7))


def test_files_of_folds_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match=r"file: nowhere\.json does not exist \(looked in /"):
        read_folds("nowhere.json")
    with pytest.raises(RelconError, match="is a folder; expected a JSON object"):
        read_folds(str(tmp_path))
    (tmp_path / "folds.json").write_bytes(b"{\"f\xff")
    with pytest.raises(RelconError, match=r"is not UTF-8 text \(byte 4\); expected a JSON object"):
        read_folds(str(tmp_path / "folds.json"))


def test_the_dev_part_of_a_fold_by_pythons_draw(stated: Callable[..., str]) -> None:
    """By the places in the list of the file; where there is none, in the corpus."""
    (_, first, _), (_, second, _), _ = GivenFolds(file=stated(FOLDS), dev_share=0.25, dev_draw="sample", seed=42).runs(corpus(), 7)
    for part, name in ((first, "f9"), (second, "f10")):
        listed = FOLDS[name]["train set"]
        drawn = {listed[place] for place in sampled(len(listed), 0.25, 42)}
        assert part.splits() == ["train", "dev", "test"] and set(groups(part.split("dev"))) == drawn
        assert set(groups(part.split("train"))) == set(listed) - drawn
    (_, by_key, _), _ = GivenFolds(key="fold", dev_share=0.25, dev_draw="sample", seed=42).runs(corpus(), 7)
    assert set(groups(by_key.split("dev"))) == {f"g{10 + place}" for place in sampled(10, 0.25, 42)}
    with pytest.raises(RelconError, match="dev_share makes a dev split, but"):
        list(GivenFolds(key="fold", dev_share=0.25, dev_draw="sample").runs(corpus("train", "dev"), 7))


@pytest.mark.parametrize("protocol", [KFold, GivenFolds])
def test_some_folds_alone_are_those_of_all(protocol: Any, stated: Callable[..., str]) -> None:
    arguments = {"dev_share": 0.2, **({"folds": 3} if protocol is KFold else {"file": stated(FOLDS)})}
    whole = list(protocol(**arguments).runs(corpus(), 7))
    some = list(protocol(**arguments, only=[3, 2]).runs(corpus(), 7))
    assert [folder for folder, _, _ in some] == ["folds/fold_02", "folds/fold_03"]
    for (_, one, _), (_, other, _) in zip(some, whole[1:], strict=True):
        assert [uids(one.split(name)) for name in one.splits()] == [uids(other.split(name)) for name in other.splits()]
    for number in (0, 4):
        with pytest.raises(RelconError, match=f"only names fold {number}, but the folds are numbered from 1 to 3"):
            list(protocol(**arguments, only=[1, number]).runs(corpus(), 7))


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


def test_cumulative_shots_depend_on_the_seeds_before_and_independent_ones_do_not() -> None:
    def drawn(draw: Any, seeds: List[int]) -> Dict[str, Any]:
        runs = KShot(shots=4, seeds=seeds, dev_shots=2, draw=draw).runs(corpus("train", "dev"), 7)
        return {folder: [uids(part.split(name)) for name in ("train", "dev")] for folder, part, _ in runs}

    with pytest.raises(ValueError, match="from 0 to"):
        drawn("cumulative", [-1])
    assert drawn("independent", [1, 2])["seeds/seed_2"] == drawn("independent", [2])["seeds/seed_2"]
    both = drawn("cumulative", [1, 2])
    assert both["seeds/seed_1"] == drawn("cumulative", [1])["seeds/seed_1"] and both == drawn("cumulative", [1, 2])
    assert both["seeds/seed_2"] != drawn("cumulative", [2])["seeds/seed_2"]
    assert all(len(train) == 8 and len(dev) == 4 for train, dev in both.values())


def test_k_shot_with_too_few_examples() -> None:
    with pytest.raises(RelconError, match="41 shots need 41 instances of every label, but 'no' has 40"):
        list(KShot(shots=41, seeds=[1]).runs(corpus(), 7))
    (_, part, _), = KShot(shots=41, seeds=[1], on_rare="keep").runs(corpus(), 7)
    assert len(part.split("train").instances) == 80


@pytest.mark.parametrize("by", ["document", "sentence", "instance"])
def test_share(by: Any) -> None:
    data = corpus("train", "test")
    runs = list(Share(share=0.1, seeds=[5, 6], by=by).runs(data, 7))
    drawn = [part.split("train") for _, part, _ in runs]
    assert all(Counter(each.label for each in split.instances) == {"no": 4, "A": 4} for split in drawn)
    assert uids(drawn[0]) != uids(drawn[1]) and runs[0][1].split("test") is data.split("test")


@pytest.mark.parametrize(("by", "size"), [("instance", {"no": 3, "A": 3}), ("document", {"no": 2, "A": 2})])
def test_an_exact_share_rounds_up_by_label_and_down_by_document(by: Any, size: Dict[str, int]) -> None:
    """0.07 of 40 pairs of a label is 2.8; of 20 documents of two sentences 1.4."""
    data = corpus("train", "test")
    (_, one, _), (_, two, _) = Share(share=0.07, seeds=[5, 6], by=by, draw="exact").runs(data, 7)
    drawn = [part.split("train") for part in (one, two)]
    assert all(Counter(each.label for each in split.instances) == size for split in drawn)
    assert uids(drawn[0]) != uids(drawn[1]) and uids(drawn[0]) == [uid for uid in uids(data.split("train")) if uid in uids(drawn[0])]


@pytest.mark.parametrize(("by", "sizes"), [("document", [4, 8, 20]), ("sentence", [4, 8, 20]), ("instance", [8, 16, 40])])
def test_exact_shares_of_one_seed_lie_in_each_other(by: Any, sizes: List[int]) -> None:
    """10 % in 20 % in 50 %, whatever the seed of the config and the other seeds; sizes: in sentences, in pairs by instance."""
    shares = [Share(share=share, seeds=seeds, by=by, draw="exact") for share, seeds in ((0.1, [5]), (0.2, [6, 5]), (0.5, [5, 7]))]
    drawn = [dict((name, part.split("train")) for name, part, _ in each.runs(corpus(), n))["seeds/seed_5"] for n, each in enumerate(shares)]
    found = [set(uids(split)) if by == "instance" else {each.id for each in split.documents} for split in drawn]
    assert [len(each) for each in found] == sizes and found[0] < found[1] < found[2]


def test_a_share_may_be_drawn_once_for_all_runs_and_knows_the_whole() -> None:
    data = corpus("train", "test")
    runs = list(Share(share=0.1, seeds=[5, 6], draw_seed=5).runs(data, 7))
    one, two = (part.split("train") for _, part, _ in runs)
    (_, drawn, _), *_ = Share(share=0.1, seeds=[5, 6]).runs(data, 7)
    assert uids(one) == uids(two) == uids(drawn.split("train")) and [seed for *_, seed in runs] == [5, 6]
    assert one.whole is data.split("train") and one.fingerprint() == replace(one, whole=None).fingerprint()


def test_a_share_by_sentence_parts_the_sentences_of_a_document() -> None:
    ((_, part, _),) = Share(share=0.5, seeds=[1], by="sentence", draw="exact").runs(corpus(), 7)
    drawn = part.split("train")
    assert len(drawn.documents) == 20 and len(drawn.instances) == 40
    assert len(groups(drawn)) > 10, "two sentences belong to each document"


def test_an_exact_share_is_not_off_by_one_in_floating_point_and_never_empty() -> None:
    (_, part, _), = Share(share=0.07, seeds=[1], draw="exact").runs(PartCorpus({"train": made("train", 100)}), 7)
    assert len(part.split("train").instances) == 2 * 7, "0.07 * 100 is 7.000000000000001"
    with pytest.raises(RelconError, match=r"A share of 0\.01 of split 'train' is none of its 40 documents"):
        list(Share(share=0.01, seeds=[1], by="document", draw="exact").runs(corpus(), 7))


@pytest.mark.parametrize(
    ("component", "arguments"),
    [
        (Seeds, {"seeds": []}),
        (Seeds, {"seeds": [1, 1]}),
        (KFold, {"folds": 1}),
        (KFold, {"dev_share": 1.0}),
        (GivenFolds, {"key": "a", "lists": ["b"]}),
        (GivenFolds, {"key": None}),
        (GivenFolds, {"file": "a", "key": "b"}),
        (GivenFolds, {"lists": ["a"], "file": "b"}),
        (GivenFolds, {"dev_draw": "random", "key": "a"}),
        (GivenFolds, {"only": [], "key": "a"}),
        (KFold, {"only": [1, 1]}),
        (KShot, {"shots": 0, "seeds": [1]}),
        (KShot, {"draw": "shuffled", "shots": 1, "seeds": [1]}),
        (Share, {"share": 1.0, "seeds": [1]}),
        (Share, {"draw": "some", "share": 0.5, "seeds": [1]}),
    ],
)
def test_wrong_arguments_are_named(component: Callable[..., Protocol], arguments: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        component(**arguments)
