"""Training data with noise, and with a part of their labels."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest

from relcon.config import resolve
from relcon.data.document import Document
from relcon.data.json import write_jsonl
from relcon.data.relations import ignored_pairs, relation_instances, unrelated_pairs
from relcon.errors import RelconError
from relcon.interfaces import Corpus, Split
from relcon.stages.finetune import reading_block

DOCUMENTS = 12


def documents() -> List[Dict[str, Any]]:
    """Twelve documents of four entities: pair (0, 1) has P17 and, in every third, P131 too; (1, 2) has P19; (3, 0) has P27."""
    found = []
    for number in range(DOCUMENTS):
        several = [{"h": 0, "t": 1, "r": "P131"}] if number % 3 == 0 else []
        found.append({
            "title": f"T{number}",
            "sents": [[f"w{number}", "a", "b"], ["c", "d"]],
            "vertexSet": [[{"name": str(n), "sent_id": n // 3, "pos": [n % 3, n % 3 + 1], "type": "LOC"}] for n in range(4)],
            "labels": [{"h": 0, "t": 1, "r": "P17"}, *several, {"h": 1, "t": 2, "r": "P19"}, {"h": 3, "t": 0, "r": "P27"}],
        })  # fmt: skip
    return found


def file_corpus(path: Path, **changes: Any) -> Dict[str, Any]:
    return {
        "@corpora": "relcon.Corpus.v1",
        "train": str(path),
        "test": str(path),
        "negative": ["Na"],
        "cache": "none",
        "reader": {"@readers": "relcon.DocRED.v1"},
        "candidates": {"@candidates": "relcon.EntityPairs.v1", "scope": "document", "directed": True, "several": "kept"},
        **changes,
    }


@pytest.fixture
def block(tmp_path: Path) -> Dict[str, Any]:
    """The config block of a small document-level corpus."""
    (tmp_path / "train.json").write_text(json.dumps(documents()), encoding="utf-8")
    return file_corpus(tmp_path / "train.json")


@pytest.fixture
def sentences(tmp_path: Path) -> Dict[str, Any]:
    """The config block of a sentence-level corpus: two pairs of entities, three sentences each, with explicit negatives."""
    lines = []
    for number, label in enumerate(["born", "died", "born", "lives", "lives", "died", "no_relation", "no_relation"]):
        name = "ada" if number < 3 else "bo"
        head, tail = {"pos": [1, 2], "id": name}, {"pos": [2, 3], "id": "o"}
        lines.append(json.dumps({"token": [f"s{number}", name, "orland"], "h": head, "t": tail, "relation": label}))
    (tmp_path / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    reader, rule = {"@readers": "relcon.OpenNRE.v1"}, {"@candidates": "relcon.AnnotatedPairs.v1"}
    return file_corpus(tmp_path / "train.txt", negative=["no_relation"], reader=reader, candidates=rule)


def built(name: str, corpus: Dict[str, Any], **arguments: Any) -> Corpus:
    return resolve({"@corpora": f"finecl.{name}.v1", "corpus": corpus, **arguments}, "[data]")


def facts(document: Document) -> Dict[Any, str]:
    """(head, tail, label) -> uid."""
    return {(each.head, each.tail, each.label): each.uid for each in relation_instances(document, ["Na", "no_relation"])}


def total(split: Split) -> int:
    return sum(len(facts(document)) for document in split.documents)


def wrong(split: Split) -> Dict[str, Any]:
    return {uid: true for document in split.documents for uid, true in document.metadata.get("corrupted", {}).items()}


# ---- noise -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["symmetric", "prior", "pairflip"])
def test_finecl_a13_labels_are_wrong_at_the_rate(block, mode):
    clean = resolve(block, "[data]").split("train")
    noisy = built("NoisyCorpus", block, rate=0.3, mode=mode).split("train")
    corrupted = wrong(noisy)
    assert total(clean) == total(noisy) == 40 and len(corrupted) == round(0.3 * 40)
    for before, after in zip(clean.documents, noisy.documents, strict=True):
        labels = {uid: fact for fact, uid in facts(after).items()}
        mine = {labels[uid]: true for uid, true in after.metadata.get("corrupted", {}).items()}
        restored = {(head, tail, mine.get((head, tail, label), label)) for head, tail, label in facts(after)}
        assert restored == set(facts(before)), "the true labels give the clean document back"
        assert all(label != true and (head, tail, label) not in facts(before) for (head, tail, label), true in mine.items())
        assert Counter((h, t) for h, t, _ in facts(before)) == Counter((h, t) for h, t, _ in facts(after))


def test_candidates_have_the_wrong_labels(block):
    noisy = built("NoisyCorpus", block, rate=0.5).split("train")
    labels = {(each.document.id, each.head, each.tail): each.label for each in noisy.instances}
    assert len(labels) == len(noisy.instances) == DOCUMENTS * 12 and not noisy.lost
    for document in noisy.documents:
        related = {(h, t): label for h, t, label in reversed(list(facts(document)))}
        assert all(labels[document.id, h, t] == related.get((h, t), "Na") for h in range(4) for t in range(4) if h != t)


def test_pairflip_takes_the_next_label(block):
    noisy = built("NoisyCorpus", block, rate=0.9, mode="pairflip").split("train")
    after = {"P131": "P17", "P17": "P19", "P19": "P27", "P27": "P131"}
    for document in noisy.documents:
        own = {uid: fact for fact, uid in facts(document).items()}
        for uid, true in document.metadata["corrupted"].items():
            head, tail, label = own[uid]
            assert label == after[true] or (head, tail) == (0, 1)  # of two labels one may be in the way of the other


def test_prior_draws_labels_that_occur(tmp_path, block):
    names = ["Na", "P131", "P17", "P19", "P27", "P999"]
    noisy = built("NoisyCorpus", {**block, "labels": names}, rate=0.9, mode="prior").split("train")
    assert "P999" not in {label for document in noisy.documents for _, _, label in facts(document)}
    evenly = built("NoisyCorpus", {**block, "labels": names}, rate=0.9, mode="symmetric").split("train")
    assert "P999" in {label for document in evenly.documents for _, _, label in facts(document)}


def test_the_share_may_be_that_of_every_label(block):
    noisy = built("NoisyCorpus", block, rate=0.25, per_class=True).split("train")
    assert Counter(wrong(noisy).values()) == {"P17": 3, "P131": 1, "P19": 3, "P27": 3}


def test_false_positives_of_distant_supervision(block):
    clean = resolve(block, "[data]").split("train")
    noisy = built("NoisyCorpus", block, rate=0.2, mode="ds_false_positive").split("train")
    corrupted = wrong(noisy)
    assert len(corrupted) == round(0.2 * 40 / 0.8) == 10 and set(corrupted.values()) == {None}
    assert total(noisy) == 50 and len(corrupted) / total(noisy) == 0.2
    for before, after in zip(clean.documents, noisy.documents, strict=True):
        added = facts(after).keys() - facts(before).keys()
        assert facts(before).keys() <= facts(after).keys() and len(added) == len(after.metadata.get("corrupted", ()))
        assert {(h, t) for h, t, _ in added} <= set(unrelated_pairs(before, ["Na"]))
        assert set(unrelated_pairs(after, ["Na"])) == set(unrelated_pairs(before, ["Na"])) - {(h, t) for h, t, _ in added}
    labels = Counter(each.label for each in noisy.instances)
    assert labels["Na"] == Counter(each.label for each in clean.instances)["Na"] - 10


def test_false_positives_spare_ignored_pairs_and_explicit_negatives(tmp_path):
    [record] = documents()[:1]
    path = tmp_path / "one.json"
    related = {(0, 1), (1, 2), (3, 0), (2, 0)}
    every = [(h, t) for h in range(4) for t in range(4) if h != t]
    record["labels"].append({"h": 2, "t": 0, "r": "Na"})
    record["ignored"] = [list(pair) for pair in every if pair not in related][1:]
    path.write_text(json.dumps([record]), encoding="utf-8")
    noisy = built("NoisyCorpus", file_corpus(path), rate=0.2, mode="ds_false_positive").split("train")
    [first] = [pair for pair in every if pair not in related][:1]
    assert [fact[:2] for fact in facts(noisy.documents[0])][-1] == first and len(wrong(noisy)) == 1
    with pytest.raises(RelconError, match="needs 4 candidate pairs without a relation; there are 1"):
        built("NoisyCorpus", file_corpus(path), rate=0.5, mode="ds_false_positive").split("train")


def test_foreign_texts(sentences):
    clean = resolve(sentences, "[data]").split("train")
    noisy = built("NoisyCorpus", sentences, rate=0.5, mode="kb_sentence").split("train")
    assert len(wrong(noisy)) == round(0.5 * 6)
    by_text = {document.words: document for document in clean.documents}
    for before, after in zip(clean.documents, noisy.documents, strict=True):
        assert (before.id, [each.label for each in before.relations]) == (after.id, [each.label for each in after.relations])
        assert before.entities[0].id == after.entities[0].id
        true = list(after.metadata.get("corrupted", {}).values())
        assert true == ([] if before.words == after.words else [by_text[after.words].relations[0].label])
        assert before.relations[0].label not in true


def test_foreign_texts_need_sentences(block):
    with pytest.raises(RelconError, match="'kb_sentence' is for documents with one pair and one label; 'T0' has more"):
        built("NoisyCorpus", block, rate=0.5, mode="kb_sentence").split("train")


def test_too_few_texts_are_said(tmp_path, sentences):
    text = (tmp_path / "train.txt").read_text(encoding="utf-8")
    (tmp_path / "train.txt").write_text(text.replace("died", "born").replace("lives", "born"), encoding="utf-8")
    with pytest.raises(RelconError, match="3 relation instances are to be made wrong, but only 0 can be"):
        built("NoisyCorpus", sentences, rate=0.5, mode="kb_sentence").split("train")


def test_explicit_negatives_are_not_touched(sentences):
    noisy = built("NoisyCorpus", sentences, rate=0.9).split("train")
    assert [document.relations[0].label for document in noisy.documents][6:] == ["no_relation"] * 2
    assert len(noisy.instances) == 8 and len(wrong(noisy)) == round(0.9 * 6)
    assert {each.uid for each in noisy.instances[:6]} >= set(wrong(noisy))


def test_one_label_cannot_be_wrong(tmp_path):
    [record] = documents()[1:2]
    record["labels"] = record["labels"][:1]
    (tmp_path / "one.json").write_text(json.dumps([record]), encoding="utf-8")
    with pytest.raises(RelconError, match="There is no other label for 'P17'"):
        built("NoisyCorpus", file_corpus(tmp_path / "one.json"), rate=0.9).split("train")


def test_noise_is_drawn_by_its_seed_and_leaves_other_splits(block):
    one, again, other = (wrong(built("NoisyCorpus", block, rate=0.4, seed=seed).split("train")) for seed in (1, 1, 2))
    assert one == again != other
    corpus = built("NoisyCorpus", block, rate=0.4)
    assert corpus.splits() == ["train", "test"] and corpus.labels.negative == {"Na"} and not wrong(corpus.split("test"))
    assert corpus.split("train") is corpus.split("train")


def test_no_noise_is_no_change(block):
    clean, noisy = resolve(block, "[data]").split("train"), built("NoisyCorpus", block, rate=0.0).split("train")
    assert list(noisy.documents) == list(clean.documents) and noisy.fingerprint() == clean.fingerprint()


@pytest.mark.parametrize("arguments", [{"rate": 1.0}, {"rate": -0.1}, {"rate": 0.1, "mode": "asymmetric"}])
def test_bad_arguments_are_refused(block, arguments):
    with pytest.raises((ValueError, RelconError)):
        built("NoisyCorpus", block, **arguments)


# ---- a part of the labels ----------------------------------------------------------------------------------------------


def uids(block: Dict[str, Any]) -> List[str]:
    return [uid for document in resolve(block, "[data]").split("train").documents for uid in facts(document).values()]


@pytest.fixture
def order(tmp_path: Path):
    """`order({uid: epoch})`: a file of a learning order."""

    def write(content: Any) -> str:
        path = tmp_path / "order.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def test_early_labels_are_kept(block, order):
    """All of P19 is learned in epoch 0, P17 in epoch 1, P27 later, P131 never."""
    epochs = {"P19": 0, "P17": 1, "P27": 5}
    clean = resolve(block, "[data]").split("train")
    file = order({uid: epochs[fact[2]] for document in clean.documents for fact, uid in facts(document).items() if fact[2] in epochs})
    first = built("TrimmedCorpus", block, order=file).split("train")
    assert {fact for document in first.documents for fact in facts(document)} == {(1, 2, "P19")} and len(first.documents) == DOCUMENTS
    assert all(ignored_pairs(document) == {(0, 1), (3, 0)} for document in first.documents)
    assert len(first.instances) == DOCUMENTS * 10 and not first.lost
    assert Counter(each.label for each in first.instances) == {"P19": DOCUMENTS, "Na": DOCUMENTS * 9}
    second = built("TrimmedCorpus", block, order=file, epochs=2).split("train")
    assert {fact for document in second.documents for fact in facts(document)} == {(1, 2, "P19"), (0, 1, "P17")}
    assert all(ignored_pairs(document) == {(3, 0)} for document in second.documents), "a pair that keeps a label is not ignored"


def test_a_random_part_has_the_same_size(block, order):
    file = order({uid: number % 4 for number, uid in enumerate(uids(block))})
    ways = ({}, {"instead": "random"}, {"instead": "random"}, {"instead": "random", "seed": 1})
    splits = [built("TrimmedCorpus", block, order=file, **more).split("train") for more in ways]
    kept = [{(document.id, fact) for document in split.documents for fact in facts(document)} for split in splits]
    assert [len(each) for each in kept] == [10, 10, 10, 10]
    assert kept[1] == kept[2] and len({frozenset(each) for each in kept}) == 3


def test_a_random_part_does_not_follow_the_noise_of_the_same_seed(block, order):
    """Drawn from one stream they would be the very same instances: the random part all wrong."""
    noisy = {"@corpora": "finecl.NoisyCorpus.v1", "corpus": block, "rate": 0.5, "mode": "symmetric", "seed": 3}
    before = resolve(noisy, "[data]").split("train")
    every = [uid for document in before.documents for uid in facts(document).values()]
    file = order({uid: int(number >= len(every) // 2) for number, uid in enumerate(every)})
    part = built("TrimmedCorpus", noisy, order=file, instead="random", seed=3).split("train")
    kept = sum(len(facts(document)) for document in part.documents)
    wrong = sum(len(document.metadata.get("corrupted", {})) for document in part.documents)
    assert kept == len(every) // 2 and 0.2 * kept < wrong < 0.8 * kept


def test_a_sentence_without_its_label_has_no_candidate(sentences, order):
    file = order({uid: 0 if number < 2 else 3 for number, uid in enumerate(uids(sentences))})
    trimmed = built("TrimmedCorpus", sentences, order=file).split("train")
    assert len(trimmed.documents) == 8
    assert [(each.document.id, each.label) for each in trimmed.instances] == [
        ("train-1", "born"), ("train-2", "died"), ("train-7", "no_relation"), ("train-8", "no_relation"),
    ]  # fmt: skip


def test_what_is_wrong_stays_known(block, order):
    """Of two labels of one pair one goes, and the other's uid is then that of the pair."""
    noisy = {"@corpora": "finecl.NoisyCorpus.v1", "corpus": block, "rate": 0.6, "mode": "symmetric"}
    before = resolve(noisy, "[data]").split("train")
    keep = [uid for document in before.documents for uid in facts(document).values() if not uid.endswith(":P17")]
    after = built("TrimmedCorpus", noisy, order=order(dict.fromkeys(keep, 0))).split("train")
    assert any(":P17" in uid for document in before.documents for uid in facts(document).values())
    for old, new in zip(before.documents, after.documents, strict=True):
        true = {fact: old.metadata.get("corrupted", {}).get(uid, "right") for fact, uid in facts(old).items()}
        assert {fact: new.metadata.get("corrupted", {}).get(uid, "right") for fact, uid in facts(new).items()} == {
            fact: each for fact, each in true.items() if fact in facts(new)
        }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"T0#0-1:P17": 4}, "keeps no label for epochs = 1: it names 1 of the 40 relation instances"),
        ({"elsewhere": 0}, r"\[data\] order: .*1 of its 1 instances are not in the split 'train': elsewhere\."),
        ([0], "expected an order file"),
        ({"T0#1-2": -1}, "expected a whole number from 0"),
        ({"T0#1-2": "0"}, "expected a whole number from 0"),
    ],
)
def test_a_wrong_order_is_refused(block, order, content, message):
    with pytest.raises(RelconError, match=message):
        built("TrimmedCorpus", block, order=order(content)).split("train")


def test_a_missing_order_is_said(block, tmp_path):
    with pytest.raises(RelconError, match=r"\[data\] order: .*gone\.json does not exist"):
        built("TrimmedCorpus", block, order=str(tmp_path / "gone.json")).split("train")


# ---- the corpus that reads the files -----------------------------------------------------------------------------------


def test_changed_documents_are_kept_like_others(block, tmp_path):
    cached = {**block, "cache": str(tmp_path / "cache")}
    one = built("NoisyCorpus", cached, rate=0.5).split("train")
    files = sorted((tmp_path / "cache").rglob("*.arrow"))
    again = built("NoisyCorpus", cached, rate=0.5).split("train")
    assert sorted((tmp_path / "cache").rglob("*.arrow")) == files and files
    assert one.fingerprint() == again.fingerprint() and wrong(one) == wrong(again)
    assert wrong(built("NoisyCorpus", cached, rate=0.5, seed=3).split("train")) != wrong(one)


def test_a_dev_part_of_documents_is_clean_and_one_of_pairs_refused(block):
    parted = {**block, "dev_share": 0.25}
    corpus = built("NoisyCorpus", parted, rate=0.5)
    ids = [{document.id for document in corpus.split(name).documents} for name in ("train", "dev")]
    assert not ids[0] & ids[1] and not wrong(corpus.split("dev")) and wrong(corpus.split("train"))
    with pytest.raises(RelconError, match="train and dev have documents in common"):
        built("NoisyCorpus", {**parted, "split_by": "instance"}, rate=0.5).split("train")


def test_a_corpus_that_cannot_find_pairs_says_so(block):
    from relcon.data.corpus import PartCorpus

    part = PartCorpus({"train": resolve(block, "[data]").split("train")})
    with pytest.raises(RelconError, match="PartCorpus finds no candidate pairs in changed documents"):
        part.rewritten("train", lambda: [], "")


def test_a_model_knows_the_reader_of_the_corpus_that_is_changed(block):
    noisy = {"@corpora": "finecl.NoisyCorpus.v1", "corpus": block, "rate": 0.5}
    trimmed = {"@corpora": "finecl.TrimmedCorpus.v1", "corpus": noisy, "order": "order.json"}
    assert reading_block(trimmed) == reading_block(block) == block


def test_relcons_own_format_works_as_well(block, tmp_path):
    clean = resolve(block, "[data]").split("train")
    write_jsonl([replace(document, id=f"x{document.id}") for document in clean.documents], tmp_path / "train.jsonl")
    lines = file_corpus(tmp_path / "train.jsonl", reader={"@readers": "relcon.JSONLines.v1"})
    assert len(wrong(built("NoisyCorpus", lines, rate=0.3).split("train"))) == 12
