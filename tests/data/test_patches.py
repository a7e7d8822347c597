"""Corpora whose labels a file corrects."""

import gzip
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.json import write_jsonl
from relcon.data.patches import Patch, PatchedCorpus, patched
from relcon.errors import DataError, RelconError
from relcon.interfaces import Corpus
from relcon.stages.finetune import reading_block

LABELS = ["no_relation", "org:founded_by", "org:parents", "per:siblings", "per:title"]
Built = Callable[..., Corpus]


def record(name: str, label: str) -> Dict[str, Any]:
    """A record in TACRED's form."""
    spans = {"subj_start": 0, "subj_end": 0, "obj_start": 2, "obj_end": 3, "subj_type": "PERSON", "obj_type": "TITLE"}
    return {"id": name, "token": ["Ilva", "is", "head", "gardener"], "relation": label, **spans}


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """`built(dev=[...])`: a corpus of three splits with these patches; `inner`: changes of the patched corpus's block."""
    files = {}
    for name, labels in {"train": LABELS * 2, "dev": LABELS, "test": LABELS[:2]}.items():
        files[name] = tmp_path / f"{name}.json"
        files[name].write_text(json.dumps([record(f"{name}{number}", label) for number, label in enumerate(labels)]), encoding="utf-8")
    inner = {
        "@corpora": "relcon.Corpus.v1",
        **{name: str(file) for name, file in files.items()},
        "negative": ["no_relation"],
        "symmetric": ["per:siblings"],
        "cache": str(tmp_path / "cache"),
        "reader": {"@readers": "relcon.TACRED.v1"},
        "candidates": {"@candidates": "relcon.AnnotatedPairs.v1"},
    }

    def make(changes: Dict[str, Any] = {}, labels: Any = None, **patches: Any) -> Corpus:  # noqa: B006
        block: Dict[str, Any] = {"@corpora": "relcon.PatchedCorpus.v1", "corpus": {**inner, **changes}, "labels": labels}
        for name, patch in patches.items():
            block[name] = str(tmp_path / f"{name}_patch.json")
            text = patch if isinstance(patch, str) else json.dumps(patch)
            Path(block[name]).write_text(text, encoding="utf-8")
        assert reading_block(block)["reader"] == block["corpus"]["reader"], "prediction reads as the patched corpus does"
        return resolve(block, "[data]")  # type: ignore[no-any-return]

    return make


def labels(corpus: Corpus, name: str) -> Dict[str, Any]:
    """Document -> its label, as the instances of a split have it."""
    return {each.document.id: each.label for each in corpus.split(name).instances}


# ---- the two forms -----------------------------------------------------------------------------------------------------


def test_an_array_overwrites_and_keeps_the_rest(built: Built) -> None:
    """TACREV's form."""
    dev = [{"id": "dev1", "relation": "no_relation"}, {"id": "dev4", "relation": "org:parents"}]
    corpus = built(dev=dev, test=[{"id": "test0", "relation": "per:title"}])
    assert corpus.labels.names == ("no_relation", *LABELS[1:])
    assert labels(corpus, "dev") == {**{f"dev{n}": label for n, label in enumerate(LABELS)}, "dev1": "no_relation", "dev4": "org:parents"}
    assert labels(corpus, "test") == {"test0": "per:title", "test1": "org:founded_by"}
    assert labels(corpus, "train") == {f"train{n}": label for n, label in enumerate(LABELS * 2)}


def test_an_object_drops_what_it_does_not_name_and_its_labels_are_the_label_set(built: Built) -> None:
    """Re-TACRED's form: a label goes, a renamed one and a new one come."""
    renamed = {"org:founded_by": "org:founder", "per:title": "per:identity"}
    maps = {
        name: {f"{name}{n}": renamed.get(label, label) for n, label in enumerate(each) if label not in ("org:parents", "per:siblings")}
        for name, each in {"train": LABELS * 2, "dev": LABELS, "test": LABELS[:2]}.items()
    }
    del maps["train"]["train0"]
    corpus = built(**maps)
    assert corpus.labels.names == ("no_relation", "org:founder", "per:identity")
    assert corpus.labels.negative == {"no_relation"} and corpus.labels.symmetric == frozenset(), "no pair has per:siblings any more"
    assert {name: labels(corpus, name) for name in corpus.splits()} == maps
    assert [len(corpus.split(name).documents) for name in corpus.splits()] == [5, 3, 2]
    assert {corpus.split(name).labels for name in corpus.splits()} == {corpus.labels}


def test_a_patch_may_be_packed(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCON_CACHE", str(tmp_path / "cache"))
    plain, both = built(dev=[{"id": "dev0", "relation": "per:title"}]), tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as file:
        file.write(tmp_path / "dev_patch.json", "patches/dev.json")
        file.writestr("README", "")
    (tmp_path / "dev.json.gz").write_bytes(gzip.compress((tmp_path / "dev_patch.json").read_bytes()))
    for packed in (both / "patches/dev.json", tmp_path / "dev.json.gz"):
        corpus = PatchedCorpus(plain.corpus, dev=str(packed), cache=str(tmp_path / "mine"))  # type: ignore[attr-defined]
        assert labels(corpus, "dev") == labels(plain, "dev") and corpus.fingerprint() == plain.fingerprint()  # type: ignore[attr-defined]
    assert list((tmp_path / "mine").iterdir()) and not (tmp_path / "cache/archives").exists()
    with pytest.raises(RelconError, match=r"holds no 'dve\.json'"):
        PatchedCorpus(plain.corpus, dev=str(both / "dve.json")).split("dev")  # type: ignore[attr-defined]


def test_a_negative_label_stays_where_the_patch_leaves_none(built: Built) -> None:
    corpus = built(train={"train1": "org:founded_by", "train4": "per:title"}, dev={"dev1": "per:title"}, test={"test0": "no_relation"})
    assert corpus.labels.names == ("no_relation", "org:founded_by", "per:title")


def test_an_array_for_train_may_bring_a_label_and_take_one(built: Built) -> None:
    train = [{"id": f"train{n}", "relation": "per:identity"} for n in (4, 9)]
    other = [{"id": "dev4", "relation": "per:identity"}]
    corpus = built(train=train, dev=other)
    assert corpus.labels.names == ("no_relation", "org:founded_by", "org:parents", "per:identity", "per:siblings")
    assert Counter(labels(corpus, "train").values())["per:identity"] == 2 and corpus.split("test").labels == corpus.labels
    assert corpus.labels.symmetric == {"per:siblings"}


def test_the_order_of_labels_may_be_given(built: Built) -> None:
    order = ["per:identity", *reversed(LABELS[1:])]
    corpus = built(labels=order, dev=[{"id": "dev0", "relation": "per:identity"}])
    assert corpus.labels.names == (*order, "no_relation") and labels(corpus, "dev")["dev0"] == "per:identity"
    assert corpus.split("train").labels == corpus.labels


def test_what_is_kept_on_disk_follows_the_patch(built: Built) -> None:
    before = labels(built(dev=[{"id": "dev0", "relation": "per:title"}]), "dev")
    after = labels(built(dev=[{"id": "dev0", "relation": "org:parents"}]), "dev")
    assert (before["dev0"], after["dev0"]) == ("per:title", "org:parents")
    again = built(dev=[{"id": "dev0", "relation": "org:parents"}])
    assert again.fingerprints() == built(dev=[{"id": "dev0", "relation": "org:parents"}]).fingerprints()


documents = st.lists(st.sampled_from("abcdef"), unique=True).map(
    lambda names: [Document(n, ("x", "y"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),))), (Relation(0, 1, "old"),)) for n in names]
)


@given(documents, st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["new", "old"])), st.booleans())
def test_labels_are_those_of_the_patch_and_order_stays(before: List[Document], new: Dict[str, str], whole: bool) -> None:
    after = {each.id: each.relations[0].label for each in patched(before, Patch(new, whole))}
    assert list(after) == [each.id for each in before if not whole or each.id in new]
    assert after == {name: new.get(name, "old") for name in after}


# ---- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "but it is not JSON that can be read"),
        ("[" * 100_000, "but it is not JSON that can be read"),
        ("7", "but the file must be an object, here it is a whole number, 7"),
        ("[7]", "but item 0 of the array must be an object, here it is a whole number, 7"),
        ('[{"relation": "per:title"}]', "but 'id' is missing in item 0; expected a string"),
        ('[{"id": "dev0", "relation": null}]', "but 'relation' of item 0 must be a string, here it is null"),
        ('[{"id": "dev0", "relation": "per:title"}, {"id": "dev0", "relation": "per:title"}]', "but 'dev0' stands there twice"),
        ('{"dev0": "per:title", "dev0": "org:parents"}', "but 'dev0' stands there twice"),
        ('{"dev0": 3}', "but the label of 'dev0' must be a string, here it is a whole number, 3"),
        ("[]", "names no document"),
        ("{}", "names no document"),
    ],
)
def test_a_file_of_another_form_is_named(text: str, message: str, built: Built) -> None:
    with pytest.raises(RelconError) as caught:
        built(dev=text).split("dev")
    said = str(caught.value)
    assert said.startswith("[data] dev:") and message in said and "dev_patch.json" in said and "or a JSON object of" in said


def test_unknown_ids_are_counted_and_the_first_is_named(built: Built) -> None:
    patch = {"test0": "per:title", "dev1": "per:title", "test1": "per:title"}
    with pytest.raises(RelconError, match=r"dev_patch.json\" names 2 of 3 documents by an id .* first 'test0'.*patch of another split"):
        built(dev=patch).split("dev")


def test_a_label_outside_of_the_label_set_is_named(built: Built) -> None:
    with pytest.raises(RelconError, match=r"dev_patch.json\" gives 'dev1' the label 'per:titel', which is not .* Did you mean 'per:title'"):
        built(dev=[{"id": "dev1", "relation": "per:titel"}]).split("dev")


def test_an_unpatched_split_with_a_label_that_went_is_named(built: Built) -> None:
    corpus = built(train={f"train{n}": label for n, label in enumerate(LABELS) if label != "org:parents"})
    with pytest.raises(DataError, match=r"(?s)dev has labels that are not in the label set.*label 'org:parents' is unknown"):
        corpus.split("dev")


def test_a_document_must_have_one_relation(built: Built, tmp_path: Path) -> None:
    both = (Relation(0, 1, "A"), Relation(1, 0, "A"))
    two = Document("a", ("x", "y"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),))), both)
    write_jsonl([two], tmp_path / "two.jsonl")
    changes = {"train": str(tmp_path / "two.jsonl"), "dev": None, "test": None, "negative": [], "symmetric": []}
    corpus = built({**changes, "reader": {"@readers": "relcon.JSONLines.v1"}}, train={"a": "A"})
    with pytest.raises(RelconError, match="Document 'a' has 2 relations, so a patch that names it does not say which"):
        corpus.split("train")


def test_a_missing_file_is_named(built: Built, tmp_path: Path) -> None:
    corpus = built(dev=[{"id": "dev0", "relation": "per:title"}])
    (tmp_path / "dev_patch.json").unlink()
    with pytest.raises(RelconError, match=r"dev: .*dev_patch\.json cannot be read"):
        corpus.split("dev")


@pytest.mark.parametrize(
    ("changes", "patches", "message"),
    [
        ({}, {}, "name the patch of one split at least"),
        ({"test": None}, {"test": {"test0": "per:title"}}, "test: the corpus has no such split to patch, only train, dev"),
    ],
)
def test_patches_must_fit_the_splits(changes: Dict[str, Any], patches: Dict[str, Any], message: str, built: Built) -> None:
    with pytest.raises(RelconError, match=message):
        built(changes, **patches)
