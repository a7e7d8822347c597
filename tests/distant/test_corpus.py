"""A whole corpus: what is written, what is kept when it is cut short, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.json import write_jsonl
from relcon.data.relations import ignored_pairs, relation_instances
from relcon.distant import corpus, parts
from relcon.distant.corpus import build_distant
from relcon.distant.parts import Excluded
from relcon.errors import DataError, RelconError
from relcon.interfaces import DistantBuilder, Linked, Rejected


def many(small, count=10):
    return [small.about(f"d{number}") for number in range(count)]


def test_documents_in_docreds_form(world, small, tmp_path):
    build_distant(world([replace(small.about(), id="A title")]), tmp_path / "out")
    (record,) = small.records(tmp_path / "out")
    assert list(record) == ["title", "sents", "vertexSet", "labels", "ignored"]
    assert (record["title"], [len(sentence) for sentence in record["sents"]]) == ("A title", [12, 5])
    assert record["vertexSet"][0] == [
        {"name": "Ada Holm", "sent_id": 0, "pos": [0, 2], "type": "X", "id": "Q1"},
        {"name": "She", "sent_id": 1, "pos": [0, 1], "type": "X", "id": "Q1"},
    ]
    assert record["labels"][0] == {"h": 0, "t": 1, "r": "P19", "evidence": [], "uid": "A title#0-1"}


def test_the_manifest_counts(world, small, tmp_path):
    test = Document("t", ("Norland", "Ada", "Holm"), (Entity((Mention(0, 1),)), Entity((Mention(1, 3),))), (Relation(0, 1, "x"),))
    write_jsonl([test], tmp_path / "test.jsonl")
    manifest = build_distant(world(many(small, 3), exclude=(Excluded(tmp_path / "test.jsonl"),)), tmp_path / "out")
    assert manifest == json.loads((tmp_path / "out/manifest.json").read_text())
    expected = {"documents_read": 3, "documents": 3, "entities": 12, "mentions": 15, "instances": 6, "unrelated_pairs": 27}
    expected |= {"ignored_pairs": 3, "labels_removed_for_leakage": 3, "mentions_left_out": 0, "names_repeated": 0}
    assert {name: manifest[name] for name in expected} == expected
    assert (manifest["relations"], manifest["rejected"]) == ({"P17": 3, "P19": 3}, {})
    assert {"arguments", "inputs", "versions"} <= set(manifest)
    assert [entry["file"] for entry in manifest["inputs"]["exclude"]] == ["test.jsonl"]
    assert str(tmp_path) not in json.dumps(manifest), "a corpus is the same wherever it was built"


def test_a_document_that_the_leakage_filter_leaves_without_labels_goes(world, small, tmp_path):
    everybody = replace(small.about("t"), relations=tuple(Relation(h, t, "x") for h in range(3) for t in range(3) if h != t))
    write_jsonl([everybody], tmp_path / "test.jsonl")
    with pytest.raises(RelconError, match="2 left out: no label left after the leakage filter"):
        build_distant(world(many(small, 2), exclude=(Excluded(tmp_path / "test.jsonl"),)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_written_is_read_back(world, small, tmp_path):
    """By the reader of DocRED's form, with the same relations, identities and ignored pairs."""
    test = Document("t", ("Norland", "she"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),))), (Relation(0, 1, "x"),))
    write_jsonl([test], tmp_path / "test.jsonl")
    rows = [*small.triples, ("Q1", "P20", "Q2")]
    build_distant(world(many(small, 5), triples=rows, exclude=(Excluded(tmp_path / "test.jsonl"),), part_documents=2), tmp_path / "out")
    reader = resolve({"@readers": "relcon.DocRED.v1"}, "[reader]")
    documents = list(reader.read(tmp_path / "out/documents"))
    assert [document.id for document in documents] == [f"d{n}" for n in range(5)]
    for document in documents:
        found = {(each.head, each.tail, each.label, each.uid) for each in relation_instances(document)}
        name = document.id
        assert found == {(0, 1, "P19", f"{name}#0-1:P19"), (0, 1, "P20", f"{name}#0-1:P20"), (1, 2, "P17", f"{name}#1-2")}
        assert {relation.id for relation in document.relations} == {uid for *_, uid in found}
        assert ignored_pairs(document) == {(0, 2)}
        assert document.words == small.about().words and document.sentences == small.about().sentences
        assert [entity.id for entity in document.entities] == ["Q1", "Q2", "Q3", "Q4"]


def test_names_of_relations(world, small, tmp_path):
    (tmp_path / "names.json").write_text(json.dumps({"P17": "country", "P19": "place of birth", "P99": "unused"}))
    build_distant(world([small.about()], relation_names=tmp_path / "names.json"), tmp_path / "out")
    assert json.loads((tmp_path / "out/rel_info.json").read_text()) == {"P17": "country", "P19": "place of birth"}
    (tmp_path / "names.json").write_text("[1]")
    with pytest.raises(RelconError, match=r"names\.json: expected an object of names"):
        build_distant(world([small.about()], relation_names=tmp_path / "names.json"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


# ---- interruptions and processes -------------------------------------------------------------------------------------------


class Stop(BaseException):
    """As a signal would end the building."""


@pytest.mark.parametrize("after", [0, 1, 3])
def test_resumed_is_uninterrupted(world, small, tmp_path, monkeypatch, after):
    """Cut short after some parts, in the middle of one that has written its documents but not its counts."""
    job = world(many(small), part_documents=2)
    build_distant(job, tmp_path / "whole")
    write, done = parts.write_json, []

    def stopping(path, value):
        if len(done) == after:
            raise Stop
        done.append(path)
        write(path, value)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(parts, "write_json", stopping)
        build_distant(job, tmp_path / "cut")
    assert not (tmp_path / "cut/manifest.json").exists()
    with pytest.raises(RelconError, match=r"holds a corpus, or a part of one\. Go on with it \(--resume\)"):
        build_distant(job, tmp_path / "cut")
    built = []
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "build_part", lambda *given: built.append(given[-1]) or parts.build_part(*given))
        patch.setattr(corpus, "document_batches", None)  # the text is not read again
        build_distant(job, tmp_path / "cut", resume=True)
    assert len(built) == 5 - after
    assert small.contents(tmp_path / "cut") == small.contents(tmp_path / "whole")


def test_cut_short_while_the_text_is_read(world, small, tmp_path, monkeypatch):
    job = world(many(small), part_documents=4)
    build_distant(job, tmp_path / "whole")

    def stopping(*given):
        raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(corpus, "document_batches", stopping)
        build_distant(job, tmp_path / "cut")
    build_distant(job, tmp_path / "cut", resume=True)
    assert small.contents(tmp_path / "cut") == small.contents(tmp_path / "whole")


def test_two_workers_make_what_one_makes(world, small, tmp_path):
    job = world(many(small), part_documents=3, filters={"max_per_relation": 2})
    assert build_distant(job, tmp_path / "one") == build_distant(job, tmp_path / "two", workers=2)
    assert small.contents(tmp_path / "one") == small.contents(tmp_path / "two")


def test_so_many_documents_of_a_relation_in_the_whole_corpus(world, small, tmp_path, monkeypatch):
    """However it is cut into parts, and when building stops while relations are limited."""
    jobs = [world(many(small), part_documents=size, filters={"max_per_relation": 4}) for size in (3, 100)]
    manifest = build_distant(jobs[0], tmp_path / "parts")
    assert set(manifest["relations"].values()) == {4}
    records = small.records(tmp_path / "parts")
    assert manifest["documents"] == 10 - manifest["rejected"].get("no label left after max_per_relation", 0) == len(records)
    assert manifest["labels_removed_for_max_per_relation"] == 3 * 10 - manifest["instances"] and manifest["instances"] == 3 * 4
    build_distant(jobs[1], tmp_path / "whole")
    assert small.records(tmp_path / "whole") == records
    write, written = parts.write_docred, []

    def stopping(documents, path):
        if path.parent.name == "documents" and len(written) == 1:
            raise Stop
        written.extend([path] * (path.parent.name == "documents"))
        write(documents, path)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(parts, "write_docred", stopping)
        build_distant(jobs[0], tmp_path / "cut")
    build_distant(jobs[0], tmp_path / "cut", resume=True)
    assert len(written) == 1 and small.contents(tmp_path / "cut") == small.contents(tmp_path / "parts")


def test_a_finished_corpus_is_not_built_again(world, small, tmp_path, monkeypatch):
    job = world(many(small))
    manifest = build_distant(job, tmp_path / "out")
    monkeypatch.setattr(corpus, "build_part", None)
    assert build_distant(job, tmp_path / "out", resume=True) == manifest


def test_other_inputs_are_not_resumed(world, small, tmp_path):
    build_distant(world(many(small)), tmp_path / "out")
    with pytest.raises(RelconError, match=r"multi_label of arguments, triples of inputs changed"):
        build_distant(world(many(small), triples=small.triples[:2], multi_label=False), tmp_path / "out", resume=True)


def test_overwriting_leaves_nothing_of_before(world, small, tmp_path):
    build_distant(world(many(small), part_documents=2), tmp_path / "out")
    fewer = world(many(small, 3), part_documents=2)
    build_distant(fewer, tmp_path / "out", overwrite=True)
    build_distant(fewer, tmp_path / "fresh")
    assert small.contents(tmp_path / "out") == small.contents(tmp_path / "fresh")


# ---- what is refused -------------------------------------------------------------------------------------------------------


def test_a_wrong_input_leaves_the_corpus_as_it_was(world, small, tmp_path):
    build_distant(world(many(small, 2)), tmp_path / "out")
    before = small.contents(tmp_path / "out")
    job = world(many(small, 2))
    Path(job.text).write_text(Path(job.text).read_text() + "{\n")
    with pytest.raises(DataError, match=r"text\.jsonl:3: not JSON"):
        build_distant(job, tmp_path / "out", overwrite=True)
    assert small.contents(tmp_path / "out") == before
    with pytest.raises(DataError):
        build_distant(job, tmp_path / "new/out")
    assert not (tmp_path / "new/out").exists()


def test_folders_that_are_refused(world, small, tmp_path):
    job = world(many(small, 2))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    with pytest.raises(RelconError, match=r"holds files that are no such corpus \(thesis\.tex\)"):
        build_distant(job, tmp_path / "mine", overwrite=True)
    with pytest.raises(RelconError, match="is a file; a folder is needed"):
        build_distant(job, job.text)
    with pytest.raises(RelconError, match="nothing to resume"):
        build_distant(job, tmp_path / "none", resume=True)
    with pytest.raises(RelconError, match="exclude each other"):
        build_distant(job, tmp_path / "none", resume=True, overwrite=True)


def test_repeated_ids_are_named(world, small, tmp_path):
    with pytest.raises(DataError, match=r"text\.jsonl:2: .*'d'"):
        build_distant(world([small.about(), small.about()]), tmp_path / "out")


# ---- a builder of somebody else ----------------------------------------------------------------------------------------------


class EveryWord(DistantBuilder):
    """Each word that is a name is an entity; texts that begin with a number are given up."""

    def link(self, documents, base):
        return [self.one(document, base) for document in documents]

    def one(self, document, base):
        if document.words[0].isdigit():
            return Rejected("texts that begin with a number")
        places = [n for n, word in enumerate(document.words) if word in base.entities]
        entities = tuple(Entity((Mention(n, n + 1),), "", document.words[n]) for n in places)
        return Linked(replace(document, entities=entities, relations=()), [(entity.id,) for entity in entities])


def test_another_builder(world, small, tmp_path):
    job = world([Document("a", ("Q1", "and", "Q2")), Document("b", ("1", "Q1", "Q2"))])
    manifest = build_distant(replace(job, builder=EveryWord()), tmp_path / "out")
    assert (manifest["relations"], manifest["rejected"]) == ({"P19": 1}, {"texts that begin with a number": 1})
