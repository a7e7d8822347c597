"""Distant supervision as FineCL's corpus was made: fact A14, and entity linking by hyperlinks and recognised names."""

import json
from pathlib import Path

import pytest

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.json import write_jsonl
from relcon.distant.corpus import build_distant
from relcon.distant.parts import Excluded, Job
from relcon.errors import RelconError
from relcon.interfaces import KnowledgeBase, Rejected

STORE = [("Q1", "P19", "Q2"), ("Q1", "P27", "Q3"), ("Q2", "P17", "Q3")]


def entity(id, *spans):
    return Entity(tuple(Mention(*span) for span in spans), "", id)


FOUR = Document("d", ("Ada", "of", "Wick", "in", "Norland", "saw", "Bo", ";", "she", "left"),
                (entity("Q1", (0, 1), (8, 9)), entity("Q2", (2, 3)), entity("Q3", (4, 5)), entity("Q4", (6, 7))))  # fmt: skip


def built(folder: Path, store=STORE, exclude=(), **arguments):
    """The manifest and the only document of a corpus over FOUR."""
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl([FOUR], folder / "text.jsonl")
    (folder / "kb.tsv").write_text("".join("\t".join(triple) + "\n" for triple in store))
    job = Job(
        builder=resolve({"@distant": "relcon.LinkedText.v1"}, "[linker]"),
        reader=resolve({"@readers": "relcon.JSONLines.v1"}, "[reader]"),
        text=folder / "text.jsonl",
        triples=folder / "kb.tsv",
        exclude=exclude,
        **arguments,
    )
    manifest = build_distant(job, folder / "out")
    (record,) = json.loads((folder / "out/documents/documents-00000.json").read_text())
    return manifest, record


def labels(record):
    return [(label["h"], label["t"], label["r"]) for label in record["labels"]]


def test_finecl_a14_instances_and_unrelated_pairs(tmp_path):
    manifest, record = built(tmp_path)
    assert labels(record) == [(0, 1, "P19"), (0, 2, "P27"), (1, 2, "P17")]
    assert (manifest["instances"], manifest["unrelated_pairs"], manifest["ignored_pairs"]) == (3, 9, 0)
    assert len({label["uid"] for label in record["labels"]}) == 3


@pytest.mark.parametrize("head, tail", [(0, 1), (1, 0)])
def test_finecl_a14_leakage(tmp_path, head, tail):
    """A test set that labels (Norland, she), in either direction."""
    test = Document("t", ("norland", "She"), (entity("", (0, 1)), entity("", (1, 2))), (Relation(head, tail, "P1"),))
    write_jsonl([test], tmp_path / "test.jsonl")
    manifest, record = built(tmp_path / "corpus", exclude=(Excluded(tmp_path / "test.jsonl"),))
    assert (labels(record), record["ignored"]) == ([(0, 1, "P19"), (1, 2, "P17")], [[0, 2]])
    assert (manifest["instances"], manifest["unrelated_pairs"], manifest["ignored_pairs"]) == (2, 9, 1)
    assert manifest["labels_removed_for_leakage"] == 1


def test_finecl_a14_several_relations_of_a_pair(tmp_path):
    store = [*STORE, ("Q2", "P131", "Q3")]
    every, last = built(tmp_path / "every", store)[1], built(tmp_path / "last", store, multi_label=False)[1]
    assert len(labels(every)) == 4 and [label for *pair, label in labels(every) if pair == [1, 2]] == ["P17", "P131"]
    assert labels(last) == [(0, 1, "P19"), (0, 2, "P27"), (1, 2, "P131")]


# ---- entity linking ----------------------------------------------------------------------------------------------------------

NAMES = {"ada holm": "Q1", "holm": "Q9", "wick": "Q2", "old wick": "Q5", "bay of fundy": "Q3", "fundy": "Q8", "io": "Q4", "bo lind": "Q6"}
KNOWN = set(NAMES.values()) - {"Q6"}


def text(*sentences, anchors=(), names=()):
    """A document of sentences; names: the recognised ones, as (first word, end, type)."""
    words = [sentence.split() for sentence in sentences]
    ends = [sum(map(len, words[: n + 1])) for n in range(len(words))]
    spans = tuple(zip([0, *ends], ends, strict=False))
    entities = tuple(Entity((Mention(start, end),), type) for start, end, type in names)
    metadata = {"anchors": [list(each) for each in anchors]} if anchors else {}
    return Document("d", tuple(word for each in words for word in each), entities, sentences=spans, metadata=metadata)


def link(document, **arguments):
    linker = resolve({"@distant": "finecl.EntityLinker.v1", **arguments}, "[linker]")
    base = KnowledgeBase(NAMES, KNOWN)
    linker.check(base)
    (found,) = linker.link([document], base)
    return found


def entities(document, **arguments):
    found = link(document, **arguments)
    assert [keys for keys in found.keys] == [(entity.id,) for entity in found.document.entities]
    return {each.id: ([tuple(mention[:2]) for mention in each.mentions], each.type) for each in found.document.entities}


def test_anchors_are_linked_by_page_else_by_text():
    document = text("The BAY lies by Wick .", anchors=[("bay", "Bay_of_Fundy"), ("Wick", "No such page")])
    assert entities(document) == {"Q3": ([(1, 2)], ""), "Q2": ([(4, 5)], "")}
    assert entities(text("Wick lies .", anchors=[("Wick", "Bay%20of%20Fundy")])) == {"Q3": ([(0, 1)], "")}


def test_recognised_names_are_linked_where_no_anchor_has_their_text():
    document = text("Ada Holm saw Wick .", anchors=[("Wick", "Bay of Fundy")], names=[(0, 2, "PERSON"), (3, 4, "GPE")])
    assert entities(document) == {"Q1": ([(0, 2)], "PERSON"), "Q3": ([(3, 4)], "")}


def test_unknown_ids_and_short_forms_are_dropped():
    document = text("Bo Lind saw Io in Wick .", names=[(0, 2, "PERSON"), (3, 4, "GPE"), (5, 6, "GPE")])
    assert set(entities(document)) == {"Q2"}
    assert set(entities(document, min_characters=2)) == {"Q2", "Q4"}


def test_the_longest_form_wins():
    document = text("Old Wick and Wick .", "Wick again .", names=[(0, 2, "GPE"), (3, 4, "GPE"), (5, 6, "GPE")])
    assert entities(document) == {"Q5": ([(0, 2)], "GPE"), "Q2": ([(5, 6)], "GPE")}


def test_every_occurrence_is_a_mention_also_at_the_last_word():
    document = text("wick is WICK is Wick", "In wick Ada Holm", names=[(0, 1, "GPE"), (7, 9, "PERSON")])
    assert entities(document) == {"Q2": ([(0, 1), (2, 3), (4, 5)], "GPE"), "Q1": ([(7, 9)], "PERSON")}


def test_mentions_of_one_id_over_the_document_are_one_entity():
    document = text("Wick .", "Ada Holm .", "Wick .", names=[(0, 1, ""), (2, 4, "PERSON"), (5, 6, "GPE")])
    assert entities(document) == {"Q2": ([(0, 1), (5, 6)], "GPE"), "Q1": ([(2, 4)], "PERSON")}


def test_an_ambiguous_form_gives_up_the_document():
    document = text("Wick and Wick .", anchors=[("Wick", "Old Wick"), ("wick", "Wick")])
    assert link(document) == Rejected("one surface form with two links in a sentence")
    apart = text("Wick .", "Wick .", anchors=[("Wick", "Old Wick", 0), ("wick", "Wick", 1)])
    assert entities(apart) == {"Q5": ([(0, 1)], ""), "Q2": ([(2, 3)], "")}


@pytest.mark.parametrize("anchors", [["Wick"], [["Wick"]], [["Wick", 3]], [["Wick", "Wick", "0"]], "Wick"])
def test_anchors_that_are_none(anchors):
    document = Document("d7", ("Wick",), metadata={"anchors": anchors})
    with pytest.raises(RelconError, match=r"document 'd7': the metadata 'anchors' must be a list of \[text, page\]"):
        link(document)


def test_a_spacy_pipeline_recognises_names(tmp_path):
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Wick"}, {"label": "PERSON", "pattern": "Ada Holm"}])
    nlp.to_disk(tmp_path / "pipeline")
    document = text("Ada Holm left Wick", names=[(2, 3, "X")])
    assert entities(document, pipeline=str(tmp_path / "pipeline")) == {"Q1": ([(0, 2)], "PERSON"), "Q2": ([(3, 4)], "GPE")}
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(RelconError, match=r"recognises no names \(its parts: none\)"):
        link(document, pipeline=str(tmp_path / "blank"))


def test_what_the_linker_needs():
    linker = resolve({"@distant": "finecl.EntityLinker.v1", "pipeline": "no_such_pipeline"}, "[linker]")
    with pytest.raises(RelconError, match="give a table of names with --names"):
        linker.check(KnowledgeBase({}, KNOWN))
    with pytest.raises(RelconError, match=r'The spaCy pipeline "no_such_pipeline" cannot be loaded .*`python -m spacy download'):
        linker.check(KnowledgeBase(NAMES, KNOWN))
    assert linker.fingerprint() != resolve({"@distant": "finecl.EntityLinker.v1"}, "[linker]").fingerprint()
    with pytest.raises(RelconError, match="must be at least 1"):
        resolve({"@distant": "finecl.EntityLinker.v1", "min_characters": 0}, "[linker]")


def test_linked_text_becomes_a_corpus(tmp_path):
    write_jsonl([text("Ada Holm of Wick", anchors=[("Wick", "wick")], names=[(0, 2, "PERSON")])], tmp_path / "text.jsonl")
    (tmp_path / "kb.tsv").write_text("Q1\tP19\tQ2\n")
    (tmp_path / "names.tsv").write_text("".join(f"{form}\t{name}\n" for form, name in NAMES.items()))
    linker, reader = resolve({"@distant": "finecl.EntityLinker.v1"}, "[linker]"), resolve({"@readers": "relcon.JSONLines.v1"}, "[reader]")
    job = Job(builder=linker, reader=reader, text=tmp_path / "text.jsonl", triples=tmp_path / "kb.tsv", names=tmp_path / "names.tsv")
    manifest = build_distant(job, tmp_path / "out")
    assert (manifest["entities"], manifest["relations"]) == (2, {"P19": 1})
