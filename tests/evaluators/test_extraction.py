"""Scores of extractors: hand-computed figures of small documents."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.bins import binned
from relcon.evaluators.extracted import Extracted
from relcon.evaluators.facts import Said, Sentence, heard, items, said_of, told
from relcon.evaluators.pooled import pooled
from relcon.interfaces import Evaluator, Extractor, Model, Split

LABELS = LabelSet.of(["ORG-AFF", "PHYS", "PER-SOC"], negative=["none"])
KINDS = ("entity", "relation", "strict", "span")

Place = Tuple[int, int, str]
Link = Tuple[int, int, str]


class Known(Extractor):
    """Finds what it was told to find, by document."""

    def __init__(self, documents: Sequence[Document]):
        self.labels, self.documents = LABELS, {document.id: document for document in documents}

    def extract(self, documents: Sequence[Document]) -> List[Document]:
        return [self.documents[document.id] for document in documents]

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError


class Classifier(Model):
    """Any other model."""

    labels = LABELS

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError


def document(places: Sequence[Place], links: Sequence[Link] = (), name: str = "d", words: int = 12, **more: Any) -> Document:
    """A document of numbered words. links: by place of the entities."""
    entities = tuple(Entity((Mention(start, end),), kind) for start, end, kind in places)
    return Document(name, tuple(f"w{n}" for n in range(words)), entities, tuple(Relation(*link) for link in links), **more)


def split(*documents: Document) -> Split:
    return Split("dev", list(documents), [], LABELS)


def evaluator(**arguments: Any) -> Evaluator:
    return resolve({"@evaluators": "relcon.Extraction.v1", **arguments}, "[evaluator]")


def measure(gold: Sequence[Document], found: Sequence[Document], folder: Optional[Path] = None, **arguments: Any) -> Dict[str, float]:
    return evaluator(**arguments).evaluate(Known(found), split(*gold), folder)


def shares(figures: Dict[str, float], kind: str, suffix: str = "") -> Tuple[float, float, float]:
    return figures[f"{kind}_precision{suffix}"], figures[f"{kind}_recall{suffix}"], figures[f"{kind}_f1{suffix}"]


GOLD = document([(0, 2, "PER"), (4, 5, "ORG"), (7, 8, "GPE")], [(0, 1, "ORG-AFF"), (0, 2, "PHYS")])
FOUND = document(
    [(0, 2, "PER"), (4, 5, "GPE"), (7, 8, "GPE"), (9, 10, "PER")], [(0, 1, "ORG-AFF"), (0, 2, "PHYS"), (0, 3, "PHYS")]
)  # fmt: skip


def test_pspe_fact_15_metrics() -> None:
    figures = measure([GOLD], [FOUND])
    assert shares(figures, "entity") == pytest.approx((0.5, 0.666667, 0.571429), abs=1e-6)
    assert shares(figures, "relation") == pytest.approx((0.666667, 1, 0.8), abs=1e-6)
    assert shares(figures, "strict") == pytest.approx((0.333333, 0.5, 0.4), abs=1e-6)
    assert shares(figures, "span") == pytest.approx((0.75, 1, 0.857143), abs=1e-6)
    assert figures["entity_and_strict"] == pytest.approx(0.571429 + 0.4, abs=1e-6)


def test_pspe_fact_15_swapped_arguments() -> None:
    swapped = replace(FOUND, relations=(Relation(0, 1, "ORG-AFF"), Relation(2, 0, "PHYS"), Relation(0, 3, "PHYS")))
    assert shares(measure([GOLD], [swapped]), "relation") == pytest.approx((1 / 3, 1 / 2, 0.4))
    assert shares(measure([GOLD], [swapped], undirected=["PHYS"]), "relation") == pytest.approx((2 / 3, 1, 0.8))
    assert shares(measure([GOLD], [swapped], undirected=["ORG-AFF"]), "relation") == pytest.approx((1 / 3, 1 / 2, 0.4))


def test_nothing_below_is_nothing() -> None:
    nothing = document([])
    figures = measure([GOLD], [nothing])
    assert all(shares(figures, kind) == (0, 0, 0) for kind in KINDS)
    figures = measure([GOLD, document([], name="e")], [nothing, document([(0, 1, "PER")], name="e")])
    assert shares(figures, "entity") == (0, 0, 0) and (figures["entities"], figures["relations"]) == (3, 2)


def test_sets_are_those_of_a_document() -> None:
    """The same words of another document are another entity."""
    figures = measure([document([(0, 1, "PER")], name="a"), document([(3, 4, "PER")], name="b")],
                      [document([(3, 4, "PER")], name="a"), document([(0, 1, "PER")], name="b")], primary="entity")  # fmt: skip
    assert figures["entity_f1"] == 0


def test_what_is_said_twice_counts_once() -> None:
    twice = document([(0, 2, "PER"), (0, 2, "PER"), (4, 5, "ORG")], [(0, 2, "ORG-AFF"), (1, 2, "ORG-AFF")])
    once = document([(0, 2, "PER"), (4, 5, "ORG")], [(0, 1, "ORG-AFF")])
    for figures in (measure([twice], [once]), measure([once], [twice])):
        assert [figures[f"{kind}_f1"] for kind in KINDS] == [1, 1, 1, 1]
        assert (figures["entities"], figures["relations"], figures["overlapping_sentences"]) == (2, 1, 0)


def test_labels_that_mean_no_relation_and_pairs_that_are_only_asked_about() -> None:
    asked = replace(GOLD, relations=(*GOLD.relations, Relation(1, 2, "none"), Relation(1, 0)))
    found = replace(FOUND, relations=(*FOUND.relations, Relation(1, 2, "none"), Relation(1, 0)))
    assert measure([asked], [FOUND]) == measure([GOLD], [found]) == measure([GOLD], [FOUND])


@pytest.mark.parametrize("ignored, kept", [([], True), ([[1, 2]], False), ([[2, 1]], False), ([[0, 2]], True)])
def test_a_relation_of_a_pair_that_is_to_be_ignored_is_not_wrong(ignored: List[List[int]], kept: bool, tmp_path: Path) -> None:
    """Where a relation is annotated for it, the pair is asked about."""
    gold = replace(GOLD, metadata={"ignored": ignored})
    found = replace(GOLD, relations=(Relation(0, 1, "ORG-AFF"), Relation(0, 2, "PER-SOC"), Relation(1, 2, "PHYS")))
    figures = measure([gold], [found], tmp_path)
    assert shares(figures, "strict")[0] == pytest.approx(1 / 3 if kept else 1 / 2)
    assert figures.get("strict_predicted/PHYS", 0) == kept and figures["strict_predicted/PER-SOC"] == 1
    record = json.loads((tmp_path / "predictions.jsonl").read_text(encoding="utf-8"))
    assert len(record["predicted"]["relations"]) == 2 + kept and len(record["predicted"]["entities"]) == 3


def test_a_label_that_the_model_does_not_know_is_missed() -> None:
    gold = replace(GOLD, relations=(*GOLD.relations, Relation(1, 2, "PART-WHOLE")))
    figures = measure([gold], [GOLD])
    assert shares(figures, "strict") == pytest.approx((1, 2 / 3, 0.8))
    assert figures["strict_recall/PART-WHOLE"] == 0 and figures["strict_support/PART-WHOLE"] == 1


def test_mentions_share_a_sentence_or_stand_closest() -> None:
    """Of two entities, one with mentions in both sentences: two pairs. Of two that never meet: the closest two mentions."""
    both = Entity((Mention(0, 1), Mention(5, 6)), "PER")
    first, last = Entity((Mention(2, 3),), "ORG"), Entity((Mention(6, 7), Mention(8, 9)), "ORG")
    words, sentences = tuple("abcdefghi"), ((0, 4), (4, 9))
    gold = Document("d", words, (both, first, last), (Relation(0, 2, "ORG-AFF"), Relation(1, 2, "PHYS")), sentences)
    assert {(item.place, item.label) for item in items(said_of(gold), "relation")} == {
        ((((5, 6),), ((6, 7),)), "ORG-AFF"), ((((5, 6),), ((8, 9),)), "ORG-AFF"), ((((2, 3),), ((6, 7),)), "PHYS"),
    }  # fmt: skip
    apart = document([(5, 6, "PER"), (6, 7, "ORG")], [(0, 1, "ORG-AFF")], words=9, sentences=sentences)
    figures = measure([gold], [apart])
    assert shares(figures, "entity") == pytest.approx((1, 2 / 5, 4 / 7)) and shares(figures, "strict") == pytest.approx((1, 1 / 3, 0.5))


def test_a_discontinuous_mention_is_its_fragments() -> None:
    parts = Document("d", tuple("abcde"), (Entity((Mention(0, 4, ((0, 1), (3, 4))),), "PER"),))
    whole = Document("d", tuple("abcde"), (Entity((Mention(0, 4),), "PER"),))
    assert measure([parts], [whole], primary="entity")["span_f1"] == 0
    assert measure([parts], [parts], primary="entity")["span_f1"] == 1


SENTENCES = ((0, 4), (4, 12))
NESTED = document([(0, 2, "PER"), (1, 2, "ORG"), (4, 5, "PER"), (6, 7, "ORG")], [(0, 1, "ORG-AFF"), (2, 3, "ORG-AFF")], sentences=SENTENCES)
FLAT = document([(0, 2, "PER"), (4, 5, "PER"), (6, 7, "ORG")], [(1, 2, "ORG-AFF")], sentences=SENTENCES)


def test_pspe_d22_both_variants_are_reported() -> None:
    figures = measure([NESTED], [FLAT])
    assert shares(figures, "entity") == pytest.approx((1, 3 / 4, 6 / 7)) and shares(figures, "strict") == pytest.approx((1, 1 / 2, 2 / 3))
    assert shares(figures, "entity", ".without_overlaps") == shares(figures, "strict", ".without_overlaps") == (1, 1, 1)
    assert (figures["sentences"], figures["overlapping_sentences"], figures["entities.without_overlaps"]) == (2, 1, 2)


def test_overlapping_decides_over_primary_figure_and_tables() -> None:
    count, drop = evaluator(primary="entity_and_strict"), evaluator(primary="entity_and_strict", overlapping="drop")
    assert (count.primary, drop.primary, evaluator().primary) == ("entity_and_strict", "entity_and_strict.without_overlaps", "strict_f1")
    figures = {each: each.evaluate(Known([FLAT]), split(NESTED)) for each in (count, drop)}
    assert [figures[each][each.primary] for each in (count, drop)] == pytest.approx([6 / 7 + 2 / 3, 2])
    assert [figures[each]["entity_support/ORG"] for each in (count, drop)] == [2, 1]
    assert [figures[each]["strict_f1"] for each in (count, drop)] == pytest.approx([2 / 3, 2 / 3])


@pytest.mark.parametrize(
    "places, overlapping",
    [([(0, 2), (2, 3)], False), ([(0, 2), (1, 3)], True), ([(0, 5), (1, 2), (6, 7)], True), ([(0, 1)], False), ([], False)],
)
def test_overlaps(places: List[Tuple[int, int]], overlapping: bool) -> None:
    said = said_of(document([(start, end, "PER") for start, end in places]))
    assert Sentence(12, said, Said()).overlapping is overlapping


def test_a_mention_in_the_gap_of_another_does_not_overlap() -> None:
    around, inside = Mention(0, 6, ((0, 1), (5, 6))), Mention(2, 3)
    said = said_of(Document("d", ("w",) * 12, (Entity((around,), "PER"), Entity((inside,), "PER"))))
    assert not Sentence(12, said, Said()).overlapping


def test_entity_numbers_do_not_count_from_the_end() -> None:
    record = {"entities": [{"type": "PER", "words": [[0, 1]]}] * 2, "relations": [{"head": 0, "tail": -1, "label": "PHYS"}]}
    with pytest.raises(IndexError):
        heard(record)


def test_a_split_of_parts_of_documents_is_refused() -> None:
    with pytest.raises(RelconError, match="has only some of the pairs of its documents"):
        evaluator().check(Split("dev", [GOLD], [], LABELS, partial=True))


def test_two_types_of_the_same_words_overlap() -> None:
    assert Sentence(12, said_of(document([(0, 1, "PER"), (0, 1, "ORG")])), Said()).overlapping


def test_tables_by_type_and_label(tmp_path: Path) -> None:
    figures = measure([GOLD], [FOUND], tmp_path)
    table = json.loads((tmp_path / "entities.json").read_text())
    assert table["GPE"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1.0, "predicted": 2.0}
    assert table["ORG"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1.0, "predicted": 0.0}
    head, *lines = (tmp_path / "relations.tsv").read_text().splitlines()
    assert head == "class\tprecision\trecall\tf1\tsupport\tpredicted"
    assert lines == ["ORG-AFF\t0.0000\t0.0000\t0.0000\t1\t1", "PHYS\t0.5000\t1.0000\t0.6667\t1\t2"]
    assert figures["strict_f1/PHYS"] == pytest.approx(2 / 3) and figures["entity_predicted/PER"] == 2
    assert json.loads((tmp_path / "scores.json").read_text())["figures"] == figures


def test_untyped_entities_have_a_name(tmp_path: Path) -> None:
    bare = document([(0, 1, ""), (2, 3, "")], [(0, 1, "PHYS")])
    assert measure([bare], [bare], tmp_path)["entity_f1/untyped"] == 1


def test_bins_by_hand(tmp_path: Path) -> None:
    """Sentences of 4 and 8 words with 2 annotated entities each."""
    gold, found = [NESTED, document([(0, 1, "PER")], name="e", words=11)], [FLAT, document([], name="e", words=11)]
    measure(gold, found, tmp_path, word_bins=[1, 5, 11])
    bins = json.loads((tmp_path / "bins.json").read_text())
    assert [(each["bin"], each["sentences"]) for each in bins["words"]] == [("1-4", 1), ("5-10", 1), (">10", 1)]
    assert [each["strict_f1"] for each in bins["words"]] == [0, 1, 0]
    assert [(each["bin"], each["sentences"]) for each in bins["gold_entities"]][:3] == [("0-1", 1), ("2", 2), ("3", 0)]
    assert bins["gold_entities"][1]["entity_f1"] == pytest.approx(6 / 7) and bins["gold_entities"][-1]["bin"] == ">8"
    assert (tmp_path / "bins.png").read_bytes().startswith(b"\x89PNG")


def test_a_sentence_below_all_bins_is_in_none() -> None:
    sentences = [Sentence(words, Said(), Said()) for words in (2, 7)]
    assert [(each.name, each.sentences) for each in binned(sentences, [2, 7], [5])] == [(">4", 1)]


def test_predictions_are_read_again(tmp_path: Path) -> None:
    measure([GOLD], [FOUND], tmp_path)
    (line,) = (tmp_path / "predictions.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["gold"]["entities"][0] == {"text": "w0 w1", "type": "PER", "words": [[0, 2]]}
    assert record["predicted"]["relations"][-1] == {"head": 0, "tail": 3, "label": "PHYS"}
    assert record["text"].startswith("w0 w1 ") and record["sentences"] == [[0, 12]]
    assert Extracted.from_record(record) == Extracted.of(GOLD, FOUND)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from(["PER", "ORG", ""])), min_size=1, max_size=5).flatmap(
        lambda places: st.tuples(
            st.just(places), st.lists(st.tuples(*2 * [st.integers(0, len(places) - 1)], st.sampled_from(["PHYS", "PER-SOC"])), max_size=4)
        )
    )
)
def test_what_is_told_is_heard(drawn: Tuple[List[Tuple[int, int, str]], List[Link]]) -> None:
    places, links = drawn
    one = document([(start, start + size, kind) for start, size, kind in places], links)
    said = said_of(one)
    names = {entity.spans: "some" for entity in said.entities}
    assert heard(json.loads(json.dumps(told(said, names)))) == said


def test_folds_taken_together(tmp_path: Path) -> None:
    measure([NESTED], [FLAT], tmp_path / "a")
    measure([replace(GOLD, id="other")], [replace(FOUND, id="other")], tmp_path / "b")
    figures = pooled([tmp_path / "a", tmp_path / "b"])
    whole = measure([NESTED, replace(GOLD, id="other")], [FLAT, replace(FOUND, id="other")])
    assert figures is not None and figures == {name: value for name, value in whole.items() if "/" not in name}
    assert shares(figures, "strict") == pytest.approx((2 / 4, 2 / 4, 0.5))
    assert pooled([tmp_path / "a", tmp_path / "a"]) is None


def test_a_sentence_separator_in_a_text_is_a_character(tmp_path: Path) -> None:
    odd = replace(GOLD, words=("a\u2028b", *GOLD.words[1:]))
    measure([odd], [replace(FOUND, words=odd.words)], tmp_path)
    assert pooled([tmp_path]) is not None


def test_what_cannot_be_measured() -> None:
    with pytest.raises(RelconError, match=r"measures a model that finds entities by itself.* relcon.Scores.v1"):
        evaluator().evaluate(Classifier(), split(GOLD))
    with pytest.raises(RelconError, match="No document of the split 'dev' has an entity"):
        evaluator().check(split(document([])))
    bare = split(document([(0, 1, "PER"), (2, 3, "ORG")], [(0, 1, "none")]))
    with pytest.raises(RelconError, match=r'has a relation, .*primary = "entity"'):
        evaluator().check(bare)
    evaluator(primary="entity").check(bare)
    with pytest.raises(RelconError, match=r"undirected: 'PHYZ' is no relation of this task. Did you mean 'PHYS'\?"):
        evaluator(undirected=["PHYZ"]).check(split(GOLD))


@pytest.mark.parametrize("arguments", [{"entity_bins": [2, 1]}, {"word_bins": [1, 1]}])
def test_groups_must_rise(arguments: Dict[str, Any]) -> None:
    with pytest.raises(RelconError, match="does not rise"):
        evaluator(**arguments)
