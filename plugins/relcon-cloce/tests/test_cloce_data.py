"""CLoCE's data: few shots, patched labels, types from a pipeline, and the metric."""

import hashlib
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
import spacy
import torch

from relcon.config import load_config, resolve
from relcon.data.corpus import PartCorpus
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Split

SEMEVAL = "data/semeval2010_task8/opennre"
CONFIGS = Path(__file__).parents[3] / "configs/cloce"
PATCHES = {
    "tacrev": {split: f"{split}_patch.json" for split in ("dev", "test")},
    "retacred": {split: f"{split}_id2label.json" for split in ("train", "dev", "test")},
}
"""Config -> the file of each split's patch, as its head names it."""

RETACRED = {"rare": 6, "scarce": 23, "few": 25, **{f"r{number}": 44 for number in range(36)}, "no_relation": 99}
"""As many training instances of 40 labels as matter for up to 32 shots: three labels have fewer."""


def split_of(sizes):
    """A split with so many instances of each label, the labels mixed."""
    labels = [label for _, label in sorted((number, label) for label, size in sizes.items() for number in range(size))]
    documents = [Document(f"d{number}", ("a", "b"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),)))) for number in range(len(labels))]
    instances = [Instance(document, 0, 1, label, document.id) for document, label in zip(documents, labels, strict=True)]
    return Split("train", documents, instances, LabelSet(tuple(sizes), frozenset(["no_relation"])))


def drawn(corpus, shots, **arguments):
    """The training instances of the runs of seeds 1 and 2."""
    protocol = resolve({"@protocols": "relcon.KShot.v1", "shots": shots, "seeds": [1, 2], **arguments}, "[protocol]")
    return [part.split("train").instances for _, part, _ in protocol.runs(corpus, 0)]


# ---- few shots ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", ["independent", "cumulative"])
@pytest.mark.parametrize("shots", [8, 16, 32])
def test_cloce_g15_sizes_where_all_classes_are_large_enough(shots, draw):
    corpus = PartCorpus({"train": split_of({f"r{number}": 40 for number in range(41)} | {"no_relation": 200})})
    one, two = drawn(corpus, shots, draw=draw)
    assert len(one) == len(two) == 42 * shots and {each.uid for each in one} != {each.uid for each in two}
    assert set(Counter(each.label for each in one).values()) == {shots}, "the negative label included"
    assert [[each.uid for each in part] for part in drawn(corpus, shots, draw=draw)] == [[each.uid for each in part] for part in (one, two)]


def test_cloce_g15_steps_of_eight_shots():
    """336 instances in batches of 16: 21 steps an epoch, 105 in five."""
    corpus = PartCorpus({"train": split_of({f"r{number}": 9 for number in range(41)} | {"no_relation": 50})})
    sampler = resolve(
        {"@samplers": "relcon.Instances.v1", "batch_size": 16, "renderer": {"@renderers": "cloce.Prompt.v1", "types": "none"}}, "[s]"
    )
    protocol = resolve({"@protocols": "relcon.KShot.v1", "shots": 8, "seeds": [1]}, "[protocol]")
    ((_, part, _),) = protocol.runs(corpus, 0)
    assert sampler.length(part.split("train")) == 21


@pytest.mark.parametrize("draw", ["independent", "cumulative"])
@pytest.mark.parametrize(("shots", "size"), [(8, 318), (16, 630), (32, 1238)])
def test_cloce_g15_rare_classes_give_what_they_have(shots, size, draw):
    corpus = PartCorpus({"train": split_of(RETACRED)})
    one, _ = drawn(corpus, shots, draw=draw, on_rare="keep")
    assert len(one) == size and Counter(each.label for each in one)["rare"] == 6
    with pytest.raises(RelconError, match=f"{shots} shots need {shots} instances of every label, but 'rare' has 6"):
        drawn(corpus, shots, draw=draw)


@pytest.fixture(scope="module")
def semeval():
    """SemEval in OpenNRE's division."""
    folder = Path(os.environ.get("RELCON_SHARED", "../shared")) / SEMEVAL
    if not folder.exists():
        pytest.skip(f"{folder} is not there: set RELCON_SHARED to the folder with the corpora")
    files = {name: str(folder / f"{part}.txt") for name, part in {"train": "train", "dev": "val", "test": "test"}.items()}
    return resolve(
        {
            "@corpora": "relcon.Corpus.v1",
            **files,
            "negative": ["Other"],
            "labels": str(folder / "rel2id.json"),
            "cache": "none",
            "reader": {"@readers": "relcon.OpenNRE.v1"},
            "candidates": {"@candidates": "relcon.AnnotatedPairs.v1"},
        },
        "[data]",
    )


@pytest.mark.parametrize(("shots", "size"), [(8, 144), (16, 288), (32, 576)])
def test_cloce_g15_sizes_of_semeval(shots, size, semeval):
    """18 labels occur in training; the nineteenth occurs in the other two parts alone, and stays in the label set."""
    one, _ = drawn(semeval, shots, on_rare="keep")
    assert len(one) == size and len(semeval.labels) == 19 and len(set(each.label for each in one)) == 18
    assert {each.label for name in ("dev", "test") for each in semeval.split(name).instances} == set(semeval.labels.names)


# ---- patches -----------------------------------------------------------------------------------------------------------


def record(name, label):
    spans = {"subj_start": 0, "subj_end": 1, "obj_start": 5, "obj_end": 5, "subj_type": "PERSON", "obj_type": "CITY"}
    return {"id": name, "token": ["Orla", "Venn", "was", "born", "in", "Tarn", "."], "relation": label, **spans}


def patched(folder, **patches):
    """A patched corpus of ten records a split, `per:title` and `no_relation` by turns."""
    block = {"@corpora": "relcon.Corpus.v1", "negative": ["no_relation"], "cache": "none"}
    block |= {"reader": {"@readers": "relcon.TACRED.v1"}, "candidates": {"@candidates": "relcon.AnnotatedPairs.v1"}}
    for name in ("train", "dev", "test"):
        block[name] = str(folder / f"{name}.json")
        records = [record(f"{name}{number}", ["per:title", "no_relation"][number % 2]) for number in range(10)]
        (folder / f"{name}.json").write_text(json.dumps(records), encoding="utf-8")
    for name, patch in patches.items():
        (folder / f"{name}_patch.json").write_text(json.dumps(patch), encoding="utf-8")
    files = {name: str(folder / f"{name}_patch.json") for name in patches}
    return resolve({"@corpora": "relcon.PatchedCorpus.v1", "corpus": block, **files}, "[data]")


def test_cloce_g14_an_array_changes_no_size(tmp_path):
    patches = {name: [{"id": f"{name}{number}", "relation": "no_relation"} for number in (0, 2, 4)] for name in ("dev", "test")}
    corpus = patched(tmp_path, **patches)
    counts = {name: Counter(each.label for each in corpus.split(name).instances) for name in corpus.splits()}
    assert counts == {name: {"per:title": 5 - 3 * (name != "train"), "no_relation": 5 + 3 * (name != "train")} for name in counts}


def test_cloce_g14_an_object_keeps_exactly_what_it_names(tmp_path):
    kept = {name: {f"{name}{number}": ["per:identity", "no_relation"][number % 2] for number in range(size)} for name, size in
            {"train": 7, "dev": 4, "test": 3}.items()}  # fmt: skip
    corpus = patched(tmp_path, **kept)
    assert {name: len(corpus.split(name).instances) for name in kept} == {"train": 7, "dev": 4, "test": 3}
    assert Counter(each.label for each in corpus.split("train").instances) == {"per:identity": 4, "no_relation": 3}
    assert corpus.labels.names == ("no_relation", "per:identity")


def licensed(name):
    """The corpus of a config, and its files: those of TACRED and the patches, all in TACRED_FOLDER. Skips where they are not there."""
    folder = Path(os.environ.get("TACRED_FOLDER", ""))
    files = {split: folder / f"{split}.json" for split in ("train", "dev", "test")}
    files |= {f"{split}_patch": folder / file for split, file in PATCHES[name].items()}
    missing = [str(file) for file in files.values() if "TACRED_FOLDER" not in os.environ or not file.is_file()]
    if missing:
        pytest.skip(f"TACRED (LDC2018T24) is licensed: set TACRED_FOLDER to a folder with {', '.join(map(str, missing))}")
    words = [word for key, file in files.items() for word in (f"--paths.{key}", str(file))]
    return resolve(load_config(CONFIGS / f"{name}.cfg", words).tree["data"], "[data]"), files


def counts(corpus):
    """Labels of each split."""
    return {name: Counter(each.label for each in corpus.split(name).instances) for name in ("train", "dev", "test")}


def test_cloce_g14_tacrev_on_the_licensed_files():
    """Sizes are TACRED's; the relabelled files are those whose checksums TACREV's authors published."""
    corpus, files = licensed("tacrev")
    assert {name: found.total() for name, found in counts(corpus).items()} == {"train": 68124, "dev": 22631, "test": 15509}
    assert len(corpus.labels) == 42
    sums = {"dev": (1590, "ce23ba10ca15bde94a3f733679bf1b05"), "test": (936, "dbcce82f5ab67fbfd1062db6cc6b66cd")}
    for name, (size, checksum) in sums.items():
        assert len({each["id"] for each in json.loads(files[f"{name}_patch"].read_text(encoding="utf-8"))}) == size
        labels = {each.document.id: each.label for each in corpus.split(name).instances}
        records = [{**each, "relation": labels[each["id"]]} for each in json.loads(files[name].read_text(encoding="utf-8"))]
        assert hashlib.md5(json.dumps(records).encode()).hexdigest() == checksum


def test_cloce_g14_retacred_on_the_licensed_files():
    found = counts(licensed("retacred")[0])
    assert {name: labels.total() for name, labels in found.items()} == {"train": 58465, "dev": 19584, "test": 13418}
    assert found["train"]["no_relation"] == 38761 and (len(found["train"]), len(found["test"])) == (40, 39)
    assert found["train"].most_common()[:-5:-1] == [
        ("per:country_of_death", 6), ("org:dissolved", 23), ("per:country_of_birth", 25), ("per:stateorprovince_of_birth", 44),
    ]  # fmt: skip


# ---- types -------------------------------------------------------------------------------------------------------------

BARE = {"@readers": "cloce.SpacyTypes.v1", "reader": {"@readers": "relcon.OpenNRE.v1"}}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A folder with a spaCy pipeline that knows two names."""
    nlp = spacy.blank("en")
    patterns = [{"label": "PERSON", "pattern": "Orla Venn"}, {"label": "GPE", "pattern": "Tarn"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    folder = tmp_path_factory.mktemp("pipeline") / "ruler"
    nlp.to_disk(folder)
    return str(folder)


def test_the_reader_within_and_the_pipeline_are_what_types_depend_on(pipeline, tmp_path):
    def described(**within):
        return resolve({**BARE, "pipeline": pipeline, "reader": {**BARE["reader"], **within}}, "[reader]")

    assert described().fingerprint() == described().fingerprint() != described(untyped=["UNK"]).fingerprint()
    assert described().cacheable and not described(on_error="skip").cacheable
    before = described().fingerprint()
    shutil.copytree(pipeline, tmp_path / "other")
    (tmp_path / "other/meta.json").write_text("{}")
    pipeline = str(tmp_path / "other")
    assert described().fingerprint() != before


def typed(folder, pipeline, records, batch_size=256, **files):
    (folder / "train.txt").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    corpus = {
        "@corpora": "relcon.Corpus.v1",
        "train": str(folder / "train.txt"),
        **files,
        "negative": ["NA"],
        "cache": "none",
        "reader": {**BARE, "pipeline": pipeline, "batch_size": batch_size},
        "candidates": {"@candidates": "relcon.AnnotatedPairs.v1"},
    }
    return resolve(corpus, "[data]")


def sentence(words, head, tail, relation="NA"):
    return {"token": words.split(), "h": head, "t": tail, "relation": relation}


def test_untyped_entities_get_the_type_at_their_last_word(tmp_path, pipeline):
    records = [
        sentence("Dr Orla Venn of Tarn", {"pos": [0, 3]}, {"pos": [4, 5]}, "lives in"),
        sentence("Orla Venn Street , Tarn", {"pos": [0, 3]}, {"pos": [4, 5], "type": "TOWN"}),
    ]
    corpus = typed(tmp_path, pipeline, records)
    split = corpus.split("train")
    assert [[entity.type for entity in document.entities] for document in split.documents] == [["PERSON", "GPE"], ["", "TOWN"]]
    assert [each.label for each in split.instances] == ["lives in", "NA"] and corpus.labels.names == ("NA", "lives in")
    assert split.documents[0].entities == typed(tmp_path, pipeline, records, batch_size=1).split("train").documents[0].entities
    renderer = resolve({"@renderers": "cloce.Prompt.v1"}, "[renderer]")
    renderer.check(split)
    assert " ".join(renderer(split.instances[:1])[0].input.second).startswith("the relation of person Dr Orla Venn and gpe Tarn is ")


def test_a_split_without_labels_stays_without(tmp_path, pipeline):
    records = [sentence("Orla Venn of Tarn", {"pos": [0, 2]}, {"pos": [3, 4]}, label) for label in ("lives in", "NA")]
    (tmp_path / "new.txt").write_text(json.dumps({**records[0], "relation": None}), encoding="utf-8")
    corpus = typed(tmp_path, pipeline, records, test=str(tmp_path / "new.txt"))
    [instance] = corpus.split("test").instances
    assert instance.label is None and [entity.type for entity in instance.document.entities] == ["PERSON", "GPE"]


def test_a_pipeline_that_finds_no_names_is_named(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "bare")
    corpus = typed(tmp_path, str(tmp_path / "bare"), [sentence("a b", {"pos": [0, 1]}, {"pos": [1, 2]})])
    with pytest.raises(RelconError, match=r"bare\" finds no named entities \(its parts: sentencizer\)"):
        corpus.split("train")


def test_a_missing_pipeline_is_named(tmp_path):
    corpus = typed(tmp_path, "no_such_pipeline", [sentence("a b", {"pos": [0, 1]}, {"pos": [1, 2]})])
    with pytest.raises(RelconError, match='"no_such_pipeline" cannot be loaded'):
        corpus.split("train")


# ---- the metric --------------------------------------------------------------------------------------------------------


class Says:
    """A model that predicts given labels."""

    def __init__(self, labels, predicted):
        self.labels, self.predicted = labels, predicted

    def probabilities(self, instances):
        return torch.nn.functional.one_hot(torch.tensor([self.labels.number(name) for name in self.predicted]), len(self.labels)).float()


def test_cloce_g11_micro_f1_without_the_negative_label_and_accuracy_beside_it():
    gold, predicted = ["A", "A", "B", "no_relation", "no_relation", "C"], ["A", "B", "B", "A", "no_relation", "C"]
    whole = split_of({"A": 1, "B": 1, "C": 1, "no_relation": 1})
    instances = [Instance(whole.documents[0], 0, 1, label, f"u{number}") for number, label in enumerate(gold)]
    data = Split("dev", whole.documents, instances, whole.labels)
    scores = resolve({"@evaluators": "relcon.Scores.v1", "profile": "micro"}, "[selection]")
    figures = scores.evaluate(Says(whole.labels, predicted), data)
    assert scores.primary == "f1"
    found = {key: figures[key] for key in ("precision", "recall", "f1", "accuracy")}
    assert found == pytest.approx({"precision": 0.6, "recall": 0.75, "f1": 2 / 3, "accuracy": 2 / 3}, abs=1e-6)
    nothing = scores.evaluate(Says(whole.labels, ["no_relation"] * 6), data)
    assert nothing["f1"] == 0 and nothing["accuracy"] == pytest.approx(1 / 3)
