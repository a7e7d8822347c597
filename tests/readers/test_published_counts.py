"""The real corpora, with the counts that were published for them (skipped where RELCON_SHARED has them not)."""

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional

import pytest

from relcon.data.document import Document

Read = Callable[..., List[Document]]
Shared = Callable[[str], Path]

SEMEVAL = "data/semeval2010_task8/SemEval2010_task8_all_data"

DIRECTED = {  # train (e1,e2), (e2,e1), test (e1,e2), (e2,e1)
    "Cause-Effect": (344, 659, 134, 194),
    "Component-Whole": (470, 471, 162, 150),
    "Content-Container": (374, 166, 153, 39),
    "Entity-Destination": (844, 1, 291, 1),
    "Entity-Origin": (568, 148, 211, 47),
    "Instrument-Agency": (97, 407, 22, 134),
    "Member-Collection": (78, 612, 32, 201),
    "Message-Topic": (490, 144, 210, 51),
    "Product-Producer": (323, 394, 108, 123),
}


def labels(documents: Iterable[Document]) -> Dict[Optional[str], int]:
    return dict(Counter(relation.label for document in documents for relation in document.relations))


def semeval(part: int, other: int) -> Dict[Any, int]:
    """Published counts of a part: 0 train, 2 test."""
    found = {f"{name}({pair})": counts[part + n] for name, counts in DIRECTED.items() for n, pair in enumerate(["e1,e2", "e2,e1"])}
    return {**found, "Other": other}


def exact(documents: Iterable[Document]) -> bool:
    """Whether every word is what the text has at its offsets, and every document is sound."""
    return all(
        document.text is not None
        and document.offsets is not None
        and document.words == tuple(document.text[start:end] for start, end in document.offsets)
        for document in documents
    )


@pytest.mark.parametrize(
    ("file", "size", "expected"),
    [
        ("SemEval2010_task8_training/TRAIN_FILE.TXT", 8000, semeval(0, 1410)),
        ("SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT", 2717, semeval(2, 454)),
        ("SemEval2010_task8_testing_keys/TEST_FILE_CLEAN.TXT", 2717, {None: 2717}),
    ],
)
def test_semeval2010(file: str, size: int, expected: Any, shared: Shared, read: Read) -> None:
    documents = read("relcon.SemEval2010.v1", shared(f"{SEMEVAL}/{file}"))
    assert len(documents) == size and labels(documents) == expected and exact(documents)
    assert all(len(document.sentences) == 1 for document in documents)
    first, last = int(documents[0].id), int(documents[-1].id)
    assert (first, last) == ((1, 8000) if size == 8000 else (8001, 10717))


def test_semeval2010_mentions_of_several_words(shared: Shared, read: Read) -> None:
    documents = read("relcon.SemEval2010.v1", shared(f"{SEMEVAL}/SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT"))
    several = [d for d in documents if any(" " in d.mention_text(entity.mentions[0]) for entity in d.entities)]
    assert len(several) == 211
    assert all(d.entities[0].mentions[0].end <= d.entities[1].mentions[0].start for d in documents)


@pytest.mark.parametrize(
    ("file", "size", "classes"),
    [
        ("semeval2010_task8/opennre/train.txt", 6507, 18),
        ("semeval2010_task8/opennre/val.txt", 1493, 19),
        ("semeval2010_task8/opennre/test.txt", 2717, 19),
        ("wiki80/dev.txt", 5600, 80),
        ("wiki80/train_0.1.txt", 3920, 80),
        ("wiki80/train_0.01.txt", 400, 80),
    ],
)
def test_opennre(file: str, size: int, classes: int, shared: Shared, read: Read) -> None:
    documents = read("relcon.OpenNRE.v1", shared(f"data/{file}"))
    assert len(documents) == size and len(labels(documents)) == classes
    assert all(word.strip() for document in documents for word in document.words)


GOLD = {
    "training": {"CPR:3": 768, "CPR:4": 2254, "CPR:5": 173, "CPR:6": 235, "CPR:9": 727},
    "development": {"CPR:3": 550, "CPR:4": 1094, "CPR:5": 116, "CPR:6": 199, "CPR:9": 457},
    "test_gs": {"CPR:3": 665, "CPR:4": 1661, "CPR:5": 195, "CPR:6": 293, "CPR:9": 644},
}
ENTITIES = {
    "training": {"CHEMICAL": 13017, "GENE-Y": 8348, "GENE-N": 4387},
    "development": {"CHEMICAL": 8004, "GENE-Y": 5151, "GENE-N": 2412},
    "test_gs": {"CHEMICAL": 10810, "GENE-Y": 6658, "GENE-N": 3360},
}


@pytest.mark.parametrize(("part", "abstracts", "torn"), [("training", 1020, 4), ("development", 612, 0), ("test_gs", 800, 0)])
def test_chemprot(part: str, abstracts: int, torn: int, shared: Shared, read: Read) -> None:
    documents = read("relcon.ChemProt.v1", shared(f"data/chemprot/ChemProt_Corpus/chemprot_{part}"), types={})
    assert len(documents) == abstracts and labels(documents) == GOLD[part] and exact(documents)
    assert Counter(entity.type for document in documents for entity in document.entities) == ENTITIES[part]
    apart = 0
    for document in documents:
        for relation in document.relations:
            head, tail = (document.entities[number] for number in (relation.head, relation.tail))
            assert head.type == "CHEMICAL" and tail.type in ("GENE-Y", "GENE-N")
            apart += document.sentence_of(head.mentions[0].start) != document.sentence_of(tail.mentions[0].start)
    assert apart == torn


TEST = "Test/Test for DDI Extraction task"

DDI = [  # documents, sentences, entities, pairs by label, discontinuous mentions
    ("Train/DrugBank", 572, 5675, 12929, {"effect": 1535, "mechanism": 1257, "advise": 818, "int": 178 + 1, "false": 22216}, 33),
    ("Train/MedLine", 142, 1301, 1836, {"effect": 152, "mechanism": 62, "advise": 8, "int": 10, "false": 1555}, 5),
    (f"{TEST}/DrugBank", 158, 973, 2512, {"effect": 298, "mechanism": 278, "advise": 214, "int": 94, "false": 4381}, 2),
    (f"{TEST}/MedLine", 33, 326, 528, {"effect": 62, "mechanism": 24, "advise": 7, "int": 2, "false": 356}, 7),
]


@pytest.mark.parametrize(("folder", "texts", "sentences", "entities", "pairs", "discontinuous"), DDI)
def test_ddi2013(
    folder: str, texts: int, sentences: int, entities: int, pairs: Dict[str, int], discontinuous: int, shared: Shared, read: Read
) -> None:
    documents = read("relcon.DDI2013.v1", shared(f"data/ddi2013/{folder}"))
    assert (len({document.metadata["document"] for document in documents}), len(documents)) == (texts, sentences)
    assert labels(documents) == {f"DDI-{name}": count for name, count in pairs.items()} and exact(documents)
    mentions = [entity.mentions[0] for document in documents for entity in document.entities]
    assert len(mentions) == entities and sum(bool(mention.fragments) for mention in mentions) == discontinuous


def test_the_pair_without_a_type_follows_the_setting(shared: Shared, read: Read) -> None:
    documents = read("relcon.DDI2013.v1", shared("data/ddi2013/Train/DrugBank/Dextroamphetamine_ddi.xml"), untyped="unknown")
    assert labels(documents)["unknown"] == 1


def test_the_wrong_position_of_the_corpus_is_put_right(shared: Shared, read: Read) -> None:
    documents = read("relcon.DDI2013.v1", shared("data/ddi2013/Train/DrugBank/Eszopiclone_ddi.xml"))
    sentence = next(document for document in documents if document.id == "DDI-DrugBank.d216.s16")
    assert sentence.mention_text(sentence.entities[2].mentions[0]) == "(R) -warfarin"


def test_aimed_tags(shared: Shared, read: Read) -> None:
    documents = read("relcon.AIMed.v1", shared("data/aimed/aimed"))
    assert len(documents) == 225 and sum(not document.relations for document in documents) == 45
    assert sum(len(document.entities) for document in documents) == 4227 + 9  # and nine sides that are no <prot>
    assert labels(documents) == {"positive": 1066}
    assert sum(relation.head == relation.tail for document in documents for relation in document.relations) == 54


def test_aimed_folds(shared: Shared, read: Read) -> None:
    documents = read("relcon.AIMedFolds.v1", shared("data/aimed/folds_json"))
    assert len(documents) == 1169 and exact(documents)
    assert labels(documents) == {"positive": 1000, "negative": 4834}
    folds = Counter(document.metadata["fold"] for document in documents for _ in document.relations)
    assert [folds[number] for number in range(10)] == [621, 546, 593, 587, 523, 599, 605, 716, 491, 553]
    abstracts = {(document.metadata["document"], document.metadata["fold"]) for document in documents}
    assert len(abstracts) == len({abstract for abstract, _ in abstracts}) == 220


@pytest.mark.parametrize(
    ("file", "size", "entities", "mentions", "relations"),
    [
        ("docred/train_annotated_200.json", 200, 3821, 5072, 2539),
        ("docred/test.json", 1000, 19539, 26704, 0),
        ("redocred/dev_revised.json", 500, 9684, 13189, 17284),
        ("redocred/test_revised.json", 500, 9779, 13018, 17448),
    ],
)
def test_docred(file: str, size: int, entities: int, mentions: int, relations: int, shared: Shared, read: Read) -> None:
    documents = read("relcon.DocRED.v1", shared(f"data/{file}"), rel_info=str(shared("data/docred/rel_info.json")))
    assert [document.id for document in documents] == [document.metadata["title"] for document in documents] and len(documents) == size
    assert sum(len(document.entities) for document in documents) == entities
    assert sum(len(entity.mentions) for document in documents for entity in document.entities) == mentions
    found = [(d.id, r.head, r.tail, r.label) for d in documents for r in d.relations]
    assert len(found) == len(set(found)) == relations
    assert all(word.strip() for document in documents for word in document.words)


def test_docred_has_pairs_with_several_relations(shared: Shared, read: Read) -> None:
    documents = read("relcon.DocRED.v1", shared("data/docred/train_annotated_200.json"))
    pairs = Counter((d.id, r.head, r.tail) for d in documents for r in d.relations)
    assert sum(count > 1 for count in pairs.values()) == 186
    assert sum(len(document.metadata.get("evidence", ())) for document in documents) == 2539 - 70
    names = [
        (document.mention_text(mention), name)
        for document in documents
        for entity, written in zip(document.entities, document.metadata["names"], strict=True)
        for mention, name in zip(entity.mentions, written, strict=True)
    ]
    assert sum(text != name for text, name in names) == 94 + 9  # 94 differ in spacing, 9 more in words of white space, which are left out


def test_ade(shared: Shared, read: Read) -> None:
    """Every relation leads from the effect to the drug; some effects are named after the drug and overlap it."""
    documents = read("relcon.SpERT.v1", shared("data/ade/ade_full_spert.json"))
    assert [document.id for document in documents] == [str(number) for number in range(4272)]
    assert sum(len(document.words) for document in documents) == 90714 and all(document.relations for document in documents)
    assert Counter(entity.type for document in documents for entity in document.entities) == {"Drug": 5063, "Adverse-Effect": 5776}
    assert labels(documents) == {"Adverse-Effect": 6821}
    ends = Counter((d.entities[r.head].type, d.entities[r.tail].type) for d in documents for r in d.relations)
    assert ends == {("Adverse-Effect", "Drug"): 6821}


SCIERC = [  # abstracts, sentences, entities, relations; as measured in the release that everyone uses: the paper says 8,089 and 4,716
    ("train", 350, 1861, 5598, 3219),
    ("dev", 50, 275, 811, 455),
    ("test", 100, 551, 1685, 974),
]


@pytest.mark.parametrize(("part", "abstracts", "sentences", "entities", "relations"), SCIERC)
def test_scierc(part: str, abstracts: int, sentences: int, entities: int, relations: int, shared: Shared, read: Read) -> None:
    documents = read("relcon.DyGIE.v1", shared(f"data/scierc/json/{part}.json"))
    assert (len({document.metadata["document"] for document in documents}), len(documents)) == (abstracts, sentences)
    assert sum(len(document.entities) for document in documents) == entities
    assert sum(labels(documents).values()) == relations
    assert set(labels(documents)) == {"USED-FOR", "CONJUNCTION", "EVALUATE-FOR", "HYPONYM-OF", "PART-OF", "FEATURE-OF", "COMPARE"}
    types = {entity.type for document in documents for entity in document.entities}
    assert types == {"Task", "Method", "Metric", "Material", "OtherScientificTerm", "Generic"}


def test_scierc_as_whole_abstracts(shared: Shared, read: Read) -> None:
    documents = read("relcon.DyGIE.v1", shared("data/scierc/json/dev.json"), unit="document")
    assert len(documents) == 50 and sum(len(document.sentences) for document in documents) == 275
    assert sum(len(document.entities) for document in documents) == 811 and sum(labels(documents).values()) == 455


def test_ade_overlapping_entities(shared: Shared, read: Read) -> None:
    documents = read("relcon.SpERT.v1", shared("data/ade/ade_full_spert.json"))
    mentions = [[entity.mentions[0] for entity in document.entities] for document in documents]
    overlaps = [sum(one.overlaps(other) for one, other in combinations(each, 2)) for each in mentions]
    assert (sum(overlaps), sum(map(bool, overlaps))) == (120, 119)


SCIBERT = [  # lines, labels, the largest label and its count, items in which '<< >>' comes first
    ("chemprot/scibert/train.txt", 4169, 13, ("INHIBITOR", 1642), 4169),
    ("chemprot/scibert/dev.txt", 2427, 12, ("INHIBITOR", 812), 2427),
    ("chemprot/scibert/test.txt", 3469, 12, ("INHIBITOR", 1255), 3469),
    ("scierc/scibert/train.txt", 3219, 7, ("USED-FOR", 1690), 1408),
    ("scierc/scibert/dev.txt", 455, 7, ("USED-FOR", 214), 197),
    ("scierc/scibert/test.txt", 974, 7, ("USED-FOR", 533), 403),
]


@pytest.mark.parametrize(("file", "size", "classes", "largest", "first"), SCIBERT)
def test_scibert(file: str, size: int, classes: int, largest: Any, first: int, shared: Shared, read: Read) -> None:
    documents = read("relcon.SciBERT.v1", shared(f"data/{file}"), head="<<")
    assert len(documents) == size and len(labels(documents)) == classes and exact(documents)
    assert Counter(labels(documents)).most_common(1) == [largest]  # type: ignore[arg-type]
    assert sum(document.entities[0].mentions[0] < document.entities[1].mentions[0] for document in documents) == first


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_scierc_is_the_same_in_both_forms(part: str, shared: Shared, read: Read) -> None:
    """Sentence, spans, label and direction of SciBERT's edition, whose head is in [[ ]], are those of the corpus."""

    def found(documents: Iterable[Document]) -> Any:
        return Counter(
            (document.words, *(document.entities[number].mentions[0] for number in (each.head, each.tail)), each.label)
            for document in documents
            for each in document.relations
        )

    whole = found(read("relcon.DyGIE.v1", shared(f"data/scierc/json/{part}.json")))
    assert found(read("relcon.SciBERT.v1", shared(f"data/scierc/scibert/{part}.txt"))) == whole


@pytest.mark.parametrize(
    ("file", "relation", "sentences", "relations"), [("DRUG-AE.rel", "Adverse-Effect", 4272, 6821), ("DRUG-DOSE.rel", "Dose", 213, 279)]
)
def test_ade_as_released(file: str, relation: str, sentences: int, relations: int, shared: Shared, read: Read) -> None:
    documents = read("relcon.ADE.v1", shared(f"data/ade/ADE-Corpus-V2/{file}"), relation=relation)
    assert len(documents) == sentences and labels(documents) == {relation: relations} and exact(documents)
    types = Counter(entity.type for document in documents for entity in document.entities)
    assert types == ({"Adverse-Effect": 5776, "Drug": 5063} if file == "DRUG-AE.rel" else {"Dose": 230, "Drug": 261})
    assert len({document.metadata["document"] for document in documents}) == (1644 if file == "DRUG-AE.rel" else 168)


def test_ade_is_the_same_in_both_forms(shared: Shared, read: Read) -> None:
    """Sentences and the characters of both arguments of every relation, white space aside, are those of SpERT's edition."""

    def place(document: Document, number: int) -> Any:
        start, end, _ = document.entities[number].mentions[0]
        before = len("".join(document.words[:start]))
        return document.entities[number].type, before, before + len("".join(document.words[start:end]))

    def found(documents: Iterable[Document]) -> Any:
        return Counter(
            ("".join(document.words), place(document, each.head), place(document, each.tail))
            for document in documents
            for each in document.relations
        )

    released = found(read("relcon.ADE.v1", shared("data/ade/ADE-Corpus-V2/DRUG-AE.rel")))
    assert found(read("relcon.SpERT.v1", shared("data/ade/ade_full_spert.json"))) == released


def test_ade_negative_sentences(shared: Shared, read: Read) -> None:
    documents = read("relcon.ADE.v1", shared("data/ade/ADE-Corpus-V2/ADE-NEG.txt"))
    assert len(documents) == 16695 and not any(document.entities for document in documents) and exact(documents)


def test_fewrel(shared: Shared, read: Read) -> None:
    names = str(shared("data/fewrel/pid2name.json"))
    documents = read("relcon.FewRel.v1", shared("data/fewrel/val_wiki.json"), pid2name=names)
    assert len(documents) == 11200 and set(labels(documents).values()) == {700} and len(labels(documents)) == 16
    assert labels(documents)["spouse"] == 700 and documents[-1].metadata["relation"].startswith("P")
    several = [entity for document in documents for entity in document.entities if len(entity.mentions) > 1]
    assert len(several) == 425 and all(word.strip() for document in documents for word in document.words)
