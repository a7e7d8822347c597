"""Corpora: files to splits with one label set, and what goes wrong with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import pytest

from relcon.data.candidates import SENTENCES, AnnotatedPairs, EntityPairs
from relcon.data.corpus import FileCorpus, PartCorpus, describe
from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.data.labels import LabelSet
from relcon.data.splits import group_of
from relcon.errors import DataError, RelconError
from relcon.interfaces import Corpus, DatasetReader, Parser, Split
from relcon.readers.jsonlines import JSONLines


class Lines(DatasetReader):
    """One document a line: `ID GROUP LABEL LABEL ...`, one entity pair per label; "?" for a pair without label."""

    def __init__(self) -> None:
        self.reads: List[str] = []

    def fingerprint(self) -> str:
        return "always the same"

    def read(self, path: Path) -> Iterator[Document]:
        self.reads.append(path.name)
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            name, group, *labels = line.split()
            entities = tuple(Entity((Mention(place, place + 1),), "GENE") for place in range(len(labels) + 1))
            relations = tuple(Relation(0, place, None if label == "?" else label) for place, label in enumerate(labels, start=1))
            yield Document(
                name, ("w",) * 9, entities, relations, ((0, 5), (5, 9)), source=Source(str(path), number), metadata={"document": group}
            )


class Stars(Parser):
    """Every word hangs on the first."""

    def parse(self, documents: Sequence[Document]) -> List[Document]:
        return [replace(each, parse=Parse((0,) * 9, ("dep",) * 9)) for each in documents]


@pytest.fixture
def files(tmp_path: Path) -> Dict[str, str]:
    """Train with 40 abstracts of two sentences, dev and test."""
    made = {
        "train": [f"d{number} g{number // 2} {('no', 'A', 'A', 'B')[number % 4]}" for number in range(80)],
        "dev": ["e1 g1 A", "e2 g2 no no"],
        "test": ["t1 g1 B A"],
    }
    paths = {}
    for name, lines in made.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
        paths[name] = str(tmp_path / f"{name}.txt")
    return paths


def corpus(files: Dict[str, Any], **more: Any) -> FileCorpus:
    return FileCorpus(**{"reader": Lines(), "candidates": AnnotatedPairs(), "negative": ["no"], "cache": "none", **files, **more})


def rewritten(files: Dict[str, str], name: str, *lines: str) -> Dict[str, str]:
    Path(files[name]).write_text("\n".join(lines))
    return files


def labels(split: Split) -> List[Optional[str]]:
    return [instance.label for instance in split.instances]


def test_component_is_registered() -> None:
    assert Corpus.registry.get("relcon.Corpus.v1") is FileCorpus


def test_splits_and_their_label_set(files: Dict[str, str]) -> None:
    made = corpus(files)
    assert made.splits() == ["train", "dev", "test"]
    assert made.labels == LabelSet(("no", "A", "B"), frozenset(["no"]))
    assert all(made.split(name).labels is made.labels and made.split(name).name == name for name in made.splits())
    assert len(made.split("train").instances) == 80 and labels(made.split("dev")) == ["A", "no", "no"]


def test_splits_are_read_when_they_are_wanted_and_once(files: Dict[str, str]) -> None:
    made = corpus(files)
    assert made.reader.reads == []
    assert made.split("dev") is made.split("dev")
    assert made.reader.reads == ["dev.txt", "train.txt"]  # train for the labels
    declared = corpus(files, labels=["no", "A", "B"])
    declared.split("test")
    assert declared.reader.reads == ["test.txt"]


def test_unknown_split(files: Dict[str, str]) -> None:
    del files["dev"]
    with pytest.raises(RelconError, match=r"\[data\] has no split 'dev'.*Give its file: \[data\] dev"):
        corpus(files).split("dev")


def test_declared_labels_keep_their_order(files: Dict[str, str]) -> None:
    assert corpus(files, labels=["B", "no", "A", "rare"]).labels.names == ("B", "no", "A", "rare")
    assert corpus(files, labels=["B", "A"], symmetric=["B"]).labels == LabelSet(("B", "A", "no"), frozenset(["no"]), frozenset(["B"]))
    with pytest.raises(RelconError, match=r"symmetric names 'AA'.*Did you mean 'A'"):
        _ = corpus(files, labels=["A", "B"], symmetric=["AA"]).labels


def test_labels_come_from_the_first_split_where_there_is_no_train(files: Dict[str, str]) -> None:
    assert corpus({"test": files["test"]}, negative=[]).labels.names == ("A", "B")


@pytest.mark.parametrize("text", ['["B", "no", "A"]', '{"A": 2, "B": 0, "no": 1}', '{"B": "born in", "no": "nothing", "A": {}}'])
def test_labels_may_be_a_file(files: Dict[str, str], tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    assert corpus(files, labels=str(tmp_path / "labels.json")).labels.names == ("B", "no", "A")


@pytest.mark.parametrize("text", ["3", "[]", "[1]", '["A", "A"]', "{"])
def test_a_file_of_no_labels_is_named(files: Dict[str, str], tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(RelconError, match=r"\[data\] labels: .*labels.json.*xpected all labels: a list"):
        _ = corpus(files, labels=str(tmp_path / "labels.json")).labels


def test_a_declared_label_that_is_nowhere_is_refused(files: Dict[str, str]) -> None:
    """Among the labels, in any file, or given by the candidate rule is somewhere."""
    test = {"test": files["test"]}
    with pytest.raises(RelconError, match=r"negative names 'no', a label that no pair of the data has. Valid: 'A', 'B'"):
        _ = corpus(test).labels
    assert corpus({"dev": files["test"], "test": files["dev"]}).labels.names == ("no", "A", "B")
    assert corpus(test, labels=["no", "A", "B"]).labels.names == ("no", "A", "B")
    assert corpus(test, candidates=EntityPairs()).labels.names == ("no", "A", "B")
    with pytest.raises(RelconError, match=r"symmetric names 'AA', a label that no pair"):
        _ = corpus(test, candidates=EntityPairs(), symmetric=["AA"]).labels


# ---- development data out of train ----


def test_dev_share_keeps_documents_whole_and_labels_in_proportion(files: Dict[str, str]) -> None:
    del files["dev"]
    made = corpus(files, dev_share=0.2)
    assert made.splits() == ["train", "dev", "test"]
    train, dev = made.split("train"), made.split("dev")
    assert {group_of(each) for each in train.documents} & {group_of(each) for each in dev.documents} == set()
    assert (len(train.instances), len(dev.instances)) == (64, 16)
    assert sorted(labels(dev)) == ["A"] * 8 + ["B"] * 4 + ["no"] * 4
    again, other = corpus(files, dev_share=0.2), corpus(files, dev_share=0.2, seed=1)
    assert [each.uid for each in again.split("dev").instances] == [each.uid for each in dev.instances]
    assert [each.uid for each in other.split("dev").instances] != [each.uid for each in dev.instances]


def test_dev_share_by_instance_may_divide_documents(files: Dict[str, str]) -> None:
    del files["dev"]
    rewritten(files, "train", *(f"d{number} g{number} A B no A" for number in range(10)))
    by_instance = corpus(files, dev_share=0.5, split_by="instance")
    groups = [{group_of(each) for each in by_instance.split(name).documents} for name in ("train", "dev")]
    assert groups[0] & groups[1] and len(by_instance.split("dev").instances) == 20


# ---- candidates ----


def test_lost_relations_are_kept_with_their_split(files: Dict[str, str]) -> None:
    rewritten(files, "dev", "e1 g1 A no no no A")
    made = corpus(files, candidates=EntityPairs())
    (lost,) = made.split("dev").lost
    assert (lost.document, lost.tail, lost.cause) == ("e1", 5, SENTENCES)
    assert labels(made.split("dev"))[:4] == ["A", "no", "no", "no"]


def test_an_unlabelled_test_split_has_no_labels(files: Dict[str, str]) -> None:
    rewritten(files, "test", "t1 g1 ? ?")
    assert labels(corpus(files, candidates=EntityPairs()).split("test")) == [None] * 3
    assert labels(corpus(files).split("test")) == [None, None]


def test_text_alone(files: Dict[str, str]) -> None:
    made = corpus(files, labelled=False, candidates=EntityPairs())
    assert len(made.labels) == 0 and set(labels(made.split("train"))) == {None} and made.split("train").lost == ()
    rewritten(files, "train", "d1 g1 ?", "d2 g2 ?")
    assert labels(corpus(files, labelled=False).split("train")) == [None, None]


def test_no_candidate_at_all_is_refused_with_causes_and_types(files: Dict[str, str]) -> None:
    with pytest.raises(RelconError, match=r"no candidate pair in 80 documents.*not in the filter: 60. Entity types in the data: GENE\."):
        corpus(files, candidates=EntityPairs(types=[["PROTEIN", "PROTEIN"]])).split("train")
    with pytest.raises(RelconError, match=r"no candidate pair in 2 documents.*Lost gold relations: none"):
        corpus(rewritten(files, "train", "d1 g1", "d2 g2"), labelled=False).split("train")


def test_lost_relations_are_said(files: Dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    corpus(rewritten(files, "dev", "e1 g1 A no no no A"), candidates=EntityPairs()).split("dev")
    assert f"[data] dev: 1 gold relations are no candidates and count against recall ({SENTENCES}: 1)" in caplog.text


# ---- reading ----


def test_limit_and_parser(files: Dict[str, str]) -> None:
    made = corpus(files, limit=3, parser=Stars())
    assert made.labels.names == ("no", "A", "B")  # B comes fourth in the file
    assert [each.id for each in made.split("train").documents] == ["d0", "d1", "d2"]
    assert all(each.parse is not None for each in made.split("train").documents)


def test_documents_are_cached_by_content(files: Dict[str, str], tmp_path: Path) -> None:
    cached = {"cache": str(tmp_path / "cache"), "parser": Stars()}
    first = corpus(files, **cached).split("dev")
    second = corpus(files, **cached)
    assert second.split("dev").documents == first.documents and second.reader.reads == []
    assert second.split("dev").documents[0].source == Source(files["dev"], 1)
    rewritten(files, "dev", "e1 g1 B")
    third = corpus(files, **cached)
    assert labels(third.split("dev")) == ["B"] and third.reader.reads == ["dev.txt"]


def test_paths_are_relative_to_the_working_directory(files: Dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(files["train"]).parent)
    assert len(corpus({"train": "train.txt"}).split("train").documents) == 80


# ---- bad data ----


def test_missing_files_are_found_before_anything_is_read(files: Dict[str, str]) -> None:
    files["test"] += "x"
    made = corpus(files)
    with pytest.raises(RelconError, match=r"\[data\] test = .*test.txtx.* does not exist \(looked in /"):
        made.split("train")
    assert made.reader.reads == []


def test_no_files() -> None:
    with pytest.raises(RelconError, match="names no file"):
        _ = corpus({}).labels


def test_empty_file(files: Dict[str, str]) -> None:
    with pytest.raises(RelconError, match=r"\[data\] train = .*train.txt.* is empty"):
        corpus(rewritten(files, "train")).split("train")


def test_no_relations_at_all(files: Dict[str, str]) -> None:
    with pytest.raises(RelconError, match=r"has no relations: none of its 2 documents.*labelled = false"):
        corpus(rewritten(files, "train", "d1 g1 ?", "d2 g2")).split("train")
    with pytest.raises(RelconError, match="has no relations"):
        corpus(files, labels=["A", "no"]).split("train")


def test_unknown_labels_are_listed_once_each_with_file_and_line(files: Dict[str, str]) -> None:
    rewritten(files, "dev", "e1 g1 A", "e2 g2 Aa", *(f"f{number} g3 C" for number in range(12)))
    with pytest.raises(DataError) as caught:
        corpus(files).split("dev")
    assert len(caught.value.problems) == 2
    text = str(caught.value)
    assert f"{files['dev']}:2: label 'Aa' is unknown. Did you mean 'A'? Correct it, or add it to [data] labels." in text
    assert f"{files['dev']}:3: label 'C' is unknown (12 relations)." in text


def test_declared_labels_are_checked_in_train_too(files: Dict[str, str]) -> None:
    with pytest.raises(DataError, match="label 'B' is unknown"):
        corpus(files, labels=["no", "A"]).split("train")


def test_repeated_ids_are_refused(files: Dict[str, str]) -> None:
    with pytest.raises(DataError, match=r"dev.txt:1: document id 'e1' is used 2 times"):
        corpus(rewritten(files, "dev", "e1 g1 A", "e1 g2 A")).split("dev")


@pytest.mark.parametrize("more", [{"dev_share": 1.0}, {"dev_share": -0.1}, {"dev_share": 0.1}, {"limit": 0}, {"split_by": "page"}])
def test_wrong_arguments_are_named(files: Dict[str, str], more: Dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(more))):
        corpus(files, **more)


# ---- description ----


def test_description(files: Dict[str, str]) -> None:
    rewritten(files, "dev", "e1 g1 A no no no A", "e2 g1")
    described = describe(corpus(files, candidates=EntityPairs()))
    assert json.loads(json.dumps(described)) == described
    assert (described["labels"], described["negative"], list(described["splits"])) == (["no", "A", "B"], ["no"], ["train", "dev", "test"])
    dev = described["splits"]["dev"]
    assert (dev["documents"], dev["instances"], dev["unlabelled"]) == (2, 10, 0)
    assert (dev["labels"], dev["absent"], dev["lost"]) == ({"no": 9, "A": 1, "B": 0}, ["B"], {SENTENCES: 1})


def test_fingerprints_follow_what_is_seen(files: Dict[str, str]) -> None:
    first, again = corpus(files).fingerprints(), corpus(files).fingerprints()
    assert first == again and list(first) == ["train", "dev", "test"]
    parsed = corpus(files, parser=Stars()).fingerprints()
    other_labels = corpus(files, symmetric=["A"]).fingerprints()
    rewritten(files, "dev", "e1 g1 B")
    changed = corpus(files).fingerprints()
    assert first["train"] == changed["train"] and len({each["dev"] for each in (first, parsed, other_labels, changed)}) == 4


def test_what_the_rule_declares_of_the_annotation_reaches_every_split(files: Dict[str, str]) -> None:
    incomplete = corpus(files, candidates=EntityPairs(complete_annotation=False))
    assert [incomplete.split(name).complete_annotation for name in incomplete.splits()] == [False, False, False]
    assert corpus(files).split("train").complete_annotation


def test_parts_as_a_corpus(files: Dict[str, str]) -> None:
    made = corpus(files)
    parts = PartCorpus({"train": made.split("train"), "test": made.split("dev")})
    assert parts.splits() == ["train", "test"] and parts.split("test") is made.split("dev") and parts.labels == made.labels
    assert parts.fingerprints()["test"] == made.fingerprints()["dev"]
    with pytest.raises(RelconError, match="no split 'dev'"):
        parts.split("dev")
    with pytest.raises(ValueError, match="2 label sets"):
        PartCorpus({"train": made.split("train"), "test": corpus(files, negative=[]).split("test")})



def test_text_without_pairs_needs_no_rule_for_them(tmp_path):
    file = tmp_path / "text.jsonl"
    file.write_text("".join(f'{{"id": "{n}", "words": ["line", "{n}", "."]}}\n' for n in range(10)))
    corpus = FileCorpus(JSONLines(), train=str(file), labelled=False, dev_share=0.2, cache="none")
    train, dev = corpus.split("train"), corpus.split("dev")
    assert (len(train.documents), len(dev.documents)) == (8, 2) and not train.instances and not train.lost
    assert not {each.id for each in train.documents} & {each.id for each in dev.documents}
    with pytest.raises(ValueError, match="candidates: say which pairs are asked about, or labelled = false"):
        FileCorpus(JSONLines(), train=str(file))


def test_a_negative_label_that_only_a_complete_annotation_would_give_is_refused(files: Dict[str, str]) -> None:
    rewritten(files, "train", "a g A", "b g A B")
    three = corpus({**files, "dev": None, "test": None}, candidates=EntityPairs(complete_annotation=False), negative=[])
    assert [each.label for each in three.split("train").instances] == ["A", "A", "B"]
    with pytest.raises(RelconError, match="'no', a label that no pair of the data has"):
        corpus({**files, "dev": None, "test": None}, candidates=EntityPairs(complete_annotation=False)).split("train")


def test_an_unlabelled_split_asks_about_all_pairs_whatever_is_annotated(files: Dict[str, str]) -> None:
    rewritten(files, "test", "t g ? ?")
    part = corpus({**files, "dev": None}, candidates=EntityPairs(complete_annotation=False)).split("test")
    assert [(each.head, each.tail, each.label) for each in part.instances] == [(0, 1, None), (0, 2, None), (1, 2, None)]
