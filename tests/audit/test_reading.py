"""Labels that a label set lacks: whose label set that is, in a corpus that changes another one, and what is looked at all the same."""

from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional

import pytest

from relcon.data.changed import ChangedCorpus, Written
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Corpus, Split


def sells(name: str, label: str, seller: str = "Orsk", buyer: str = "Zorvane") -> Dict[str, Any]:
    entities = [{"type": "FIRM", "words": [0, 1]}, {"type": "FIRM", "words": [3, 4]}]
    relations = [{"head": 0, "tail": 1, "label": label}]
    return {"id": name, "words": [seller, "sells", name, buyer], "entities": entities, "relations": relations}


TRAIN = [sells("t0", "supplies"), sells("t1", "supplies")]
DEV = [sells("d0", "supplies"), sells("d1", "supplies")]
SOLD = {"t0": "sold", "t1": "sold"}
"""A patch of the training data, whose labels it renames."""


@Corpus.register("audittest.Renamed.v1")
class Renamed(ChangedCorpus):
    """Training data under one new label; no training data where that label set is another than its own.

    corpus: the other one. labels: the label set.
    """

    def __init__(self, corpus: Corpus, labels: Optional[List[str]] = None):
        super().__init__(corpus)
        self.declared = labels

    def fingerprint(self) -> str:
        return "renamed"

    @property
    def labels(self) -> LabelSet:
        return LabelSet(tuple(self.declared or ["none", "sold"]), frozenset({"none"}))

    def documents(self, split: Split) -> Optional[Written]:
        if split.name != "train":
            return lambda: split.documents
        if self.declared is not None:
            raise RelconError("The labels of train are fixed.")
        return lambda: (replace(each, relations=(replace(each.relations[0], label="sold"),)) for each in split.documents)


@pytest.fixture
def changed(config) -> Callable[..., None]:
    """`changed("relcon.PatchedCorpus.v1", train=FILE)`: the same config, its corpus changed by another one."""

    def write(name: str, **patches: str) -> None:
        outer = ["[data]", f'@corpora = "{name}"', *(f'{split} = "{file}"' for split, file in patches.items())]
        config.write_text("\n".join([*outer, config.read_text().replace("[data", "[data.corpus")]))

    return write


@pytest.fixture
def patched(changed, write_json) -> Callable[..., None]:
    """`patched(train={"t0": "sold"})`: the corpus is patched so."""

    def write(**patches: Any) -> None:
        changed("relcon.PatchedCorpus.v1", **{name: write_json(f"{name}_patch", patch) for name, patch in patches.items()})

    return write


def test_a_patch_of_dev_that_was_forgotten(audited, patched):
    patched(train=SOLD)
    (data,) = audited(train=TRAIN, dev=DEV).corpora
    (error,) = [each for each in data.findings if each.severity == "error"]
    assert (error.check, error.where, error.count) == ("unknown labels", "dev", 2)
    assert '[data] labels = ["none", "sold", "supplies"]; or, where they are' in error.remedy, "the label set is that of the patched corpus"
    assert error.remedy.endswith("my.cfg:1: [data]"), "a patch would do as well"
    assert [(split.name, split.documents, split.relations) for split in data.splits] == [("train", 2, {"sold": 2}), ("dev", 2, {})]


@pytest.mark.parametrize("declared", [False, True])
def test_labels_that_the_patched_corpus_lacks_before_the_patch(audited, patched, config, declared):
    """Both corpora have one label set, and both have to know more, whether the outer one declares it or has it from its train split."""
    patched(train=[{"id": "t0", "relation": "supplies"}])
    if declared:
        config.write_text(config.read_text().replace("[data]", '[data]\nlabels = ["none", "supplies"]', 1))
    (data,) = audited(train=TRAIN, dev=[*DEV, sells("d2", "joins")]).corpora
    (error,) = [each for each in data.findings if each.severity == "error"]
    assert (error.where, '[data.corpus] labels = ["none", "supplies", "joins"]' in error.remedy) == ("dev", True)
    assert '[data] labels = ["none", "supplies", "joins"] and ' in error.remedy
    assert [split.labels for split in data.splits] == [{"supplies": 2}, {"supplies": 2}]


def test_a_label_that_is_unknown_before_its_patch_ends_no_audit(audited, patched):
    patched(train=SOLD)
    (data,) = audited("--data.corpus.labels", '["none", "buys"]', train=TRAIN).corpora
    (error,) = [each for each in data.findings if each.severity == "error"]
    assert (error.check, error.where) == ("unknown labels", "train") and "(supplies 2)" in error.message
    assert '[data.corpus] labels = ["none", "buys", "supplies"]' in error.remedy
    assert [split.labels for split in data.splits] == [{"sold": 2}], "the patched data are looked at"


def test_what_could_be_read_is_looked_at_where_wider_labels_would_lose_it(audited, changed):
    changed("audittest.Renamed.v1")
    (data,) = audited(train=TRAIN, dev=DEV).corpora
    (error,) = [each for each in data.findings if each.severity == "error"]
    assert (error.check, error.where) == ("unknown labels", "dev") and error.message.endswith("dev could not be looked at.")
    assert '[data] labels = ["none", "sold", "supplies"]' in error.remedy
    assert [(split.name, split.labels) for split in data.splits] == [("train", {"sold": 2})]
    assert not [each for each in data.findings if each.check == "labels in other splits alone"], "not all splits are known"


def test_relations_of_unknown_labels_are_left_out_of_every_check(audited):
    nested = sells("d1", "suplies")
    nested["entities"][1]["words"] = [0, 2]
    unknown, known = sells("d0", "suplies"), sells("d2", "supplies", "Havel", "Tarn")
    (data,) = audited(train=TRAIN, dev=[unknown, nested, known]).corpora
    checks = {each.check: each for each in data.findings}
    assert checks["unknown labels"].count == 2
    assert "entity pairs in two splits" not in checks, "Orsk and Zorvane are related in train"
    assert "related entities that overlap" not in checks and checks["overlapping entities"].count == 1
    assert data.splits[1].relations == {"supplies": 1} and data.splits[1].documents == 3
