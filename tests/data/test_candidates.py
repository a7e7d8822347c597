"""Candidate pairs and the gold relations that are lost, by cause."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import List, Optional, Sequence, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.candidates import (
    CAUSES,
    DISTANCE,
    REVERSED,
    SAME_ENTITY,
    SECOND,
    SENTENCES,
    TYPES,
    UNASKED,
    WINDOW,
    AnnotatedPairs,
    EntityPairs,
)
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluation import labelled_data
from relcon.interfaces import CandidateRule

LABELS = LabelSet.of(["binds", "inhibits"], negative=["none"], symmetric=["binds"])


def document(
    spans: Sequence[Tuple[int, int, str]], relations: Sequence[Tuple[int, int, Optional[str]]] = (), sentences: int = 1
) -> Document:
    """Ten words a sentence; entities with one mention each."""
    return Document(
        id="d",
        words=tuple(f"w{n}" for n in range(10 * sentences)),
        entities=tuple(Entity((Mention(start, end),), type) for start, end, type in spans),
        relations=tuple(Relation(head, tail, label) for head, tail, label in relations),
        sentences=tuple((10 * n, 10 * n + 10) for n in range(sentences)),
    )


def pairs(rule: CandidateRule, text: Document, labels: Optional[LabelSet] = LABELS) -> List[Tuple[int, int, Optional[str]]]:
    return [(each.head, each.tail, each.label) for each in rule.instances(text, labels)[0]]


def lost(rule: CandidateRule, text: Document, labels: Optional[LabelSet] = LABELS) -> List[Tuple[int, int, str, str]]:
    return [tuple(each)[1:] for each in rule.instances(text, labels)[1]]


THREE = [(0, 1, "GENE"), (2, 3, "CHEMICAL"), (5, 6, "GENE")]


def test_components_are_registered() -> None:
    assert CandidateRule.registry.get("relcon.AnnotatedPairs.v1") is AnnotatedPairs
    assert CandidateRule.registry.get("relcon.EntityPairs.v1") is EntityPairs


# ---- annotated pairs ----


def test_annotated_pairs_are_those_with_a_relation() -> None:
    text = document(THREE, [(1, 0, "inhibits"), (0, 2, "none"), (2, 1, None)])
    assert pairs(AnnotatedPairs(), text) == [(1, 0, "inhibits"), (0, 2, "none"), (2, 1, None)]
    assert [each.uid for each in AnnotatedPairs().instances(text)[0]] == ["d#1-0", "d#0-2", "d#2-1"]


def test_annotated_second_label_is_lost_and_a_repetition_is_not() -> None:
    text = document(THREE, [(0, 1, "inhibits"), (0, 1, "binds"), (0, 1, "inhibits"), (0, 1, "none"), (0, 1, None)])
    assert pairs(AnnotatedPairs(), text) == [(0, 1, "inhibits")]
    assert lost(AnnotatedPairs(), text) == [(0, 1, "binds", SECOND)]


def test_annotated_unknown_label_gives_way_to_a_known_one() -> None:
    assert pairs(AnnotatedPairs(), document(THREE, [(0, 1, None), (0, 1, "binds")])) == [(0, 1, "binds")]


def test_annotated_symmetric_label_in_both_directions_is_one_fact() -> None:
    both = document(THREE, [(0, 1, "binds"), (1, 0, "binds")])
    assert pairs(AnnotatedPairs(), both) == [(0, 1, "binds")]
    assert lost(AnnotatedPairs(), both) == []
    directed = document(THREE, [(0, 1, "inhibits"), (1, 0, "inhibits")])
    assert pairs(AnnotatedPairs(), directed) == [(0, 1, "inhibits"), (1, 0, "inhibits")]


def test_annotated_keeps_an_entity_with_itself_and_identical_spans() -> None:
    text = document([(0, 2, "A"), (0, 2, "B")], [(0, 0, "binds"), (0, 1, "inhibits")])
    assert pairs(AnnotatedPairs(), text) == [(0, 0, "binds"), (0, 1, "inhibits")]


# ---- all pairs ----


def test_undirected_pairs_come_once_in_text_order() -> None:
    text = document([(5, 6, "GENE"), (0, 1, "GENE"), (2, 4, "GENE")])
    assert pairs(EntityPairs(), text) == [(1, 2, "none"), (1, 0, "none"), (2, 0, "none")]


def test_the_head_is_the_entity_of_the_first_mention_however_mentions_are_listed() -> None:
    entities = Entity((Mention(4, 5), Mention(0, 1))), Entity((Mention(2, 3),))
    listed = Document("d", tuple("abcdef"), entities, (Relation(0, 1, "inhibits"),))
    assert pairs(EntityPairs(), listed) == [(0, 1, "inhibits")] and lost(EntityPairs(), listed) == []


def test_mentions_that_share_a_sentence_stand_closer_than_others() -> None:
    """The mention behind the full stop is nearer by words, the one in the same sentence is what made the pair a candidate."""
    entities = Entity((Mention(5, 6),)), Entity((Mention(6, 7), Mention(0, 1)))
    two = Document("d", tuple("abcdefghijkl"), entities, sentences=((0, 6), (6, 12)))
    assert Instance(two, 0, 1).mentions == (Mention(5, 6), Mention(0, 1))


def test_clre_fact_10_enumeration_without_blinding() -> None:
    """Three proteins give 3 pairs; two chemicals and three proteins 6 with the chemical as head; four drugs 6."""
    proteins = document([(n, n + 1, "PROTEIN") for n in (0, 2, 4)])
    assert len(pairs(EntityPairs(types=[["PROTEIN", "PROTEIN"]]), proteins)) == 3
    mixed = document([(0, 1, "PROTEIN"), (1, 2, "CHEMICAL"), (3, 4, "PROTEIN"), (5, 6, "CHEMICAL"), (7, 8, "PROTEIN")])
    found = pairs(EntityPairs(types=[["CHEMICAL", "PROTEIN"]]), mixed)
    assert len(found) == 6 and all(mixed.entities[head].type == "CHEMICAL" for head, _, _ in found)
    drugs = document([(n, n + 1, "DRUG") for n in (0, 2, 4, 6)])
    assert len(pairs(EntityPairs(types=[["DRUG", "DRUG"]]), drugs)) == 6


def test_directed_pairs_come_in_both_orders_as_the_types_want() -> None:
    text = document(THREE)
    assert len(pairs(EntityPairs(directed=True), text)) == 6
    assert pairs(EntityPairs(directed=True, types=[["GENE", "CHEMICAL"]]), text) == [(0, 1, "none"), (2, 1, "none")]
    assert pairs(EntityPairs(directed=True, types=[["GENE", "GENE"]]), text) == [(0, 2, "none"), (2, 0, "none")]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (EntityPairs(), [(0, 1)]),
        (EntityPairs(scope="window", window=0), [(0, 1)]),
        (EntityPairs(scope="window", window=1), [(0, 1), (1, 2)]),
        (EntityPairs(scope="window", window=2), [(0, 1), (0, 2), (1, 2)]),
        (EntityPairs(scope="document"), [(0, 1), (0, 2), (1, 2)]),
        (EntityPairs(scope="document", max_distance=12), [(0, 1), (1, 2)]),
        (EntityPairs(scope="document", max_distance=11), [(0, 1)]),
    ],
)
def test_scope_and_distance(rule: EntityPairs, expected: List[Tuple[int, int]]) -> None:
    """Entities in sentences 0, 1 (touching it from 0) and 2."""
    text = document([(0, 2, "A"), (9, 11, "A"), (23, 24, "A")], sentences=3)
    assert [(head, tail) for head, tail, _ in pairs(rule, text)] == expected


def test_an_entity_is_as_close_as_its_closest_mention() -> None:
    text = Document(
        "d",
        tuple("abcdefghij"),
        (Entity((Mention(0, 1), Mention(8, 9)), "A"), Entity((Mention(7, 8),), "A")),
        sentences=((0, 5), (5, 10)),
    )
    assert pairs(EntityPairs(max_distance=0), text) == [(0, 1, "none")]


def test_distance_and_scope_must_hold_for_the_same_mentions() -> None:
    """The mentions that share a sentence are far apart, the close ones do not share a sentence."""
    text = Document(
        "d",
        tuple("abcdefghij"),
        (Entity((Mention(0, 1), Mention(5, 6)), "A"), Entity((Mention(4, 5),), "A")),
        sentences=((0, 5), (5, 10)),
    )
    assert pairs(EntityPairs(max_distance=2), text) == []
    assert pairs(EntityPairs(max_distance=3), text) == [(0, 1, "none")]


def test_identical_and_overlapping_spans_are_pairs() -> None:
    assert len(pairs(EntityPairs(max_distance=0), document([(0, 3, "A"), (0, 3, "B"), (1, 2, "C")]))) == 3


def test_gold_labels_of_all_pairs() -> None:
    text = document(THREE, [(1, 0, "binds"), (0, 2, "inhibits"), (1, 2, None)])
    assert pairs(EntityPairs(), text) == [(0, 1, "binds"), (0, 2, "inhibits"), (1, 2, None)]
    assert lost(EntityPairs(), text) == []


def test_directed_rule_gives_a_symmetric_label_to_both_orders() -> None:
    text = document(THREE[:2], [(1, 0, "binds"), (0, 1, "binds")])
    assert pairs(EntityPairs(directed=True), text) == [(0, 1, "binds"), (1, 0, "binds")]
    assert lost(EntityPairs(directed=True), text) == []


@pytest.mark.parametrize(
    ("rule", "relation", "cause"),
    [
        (EntityPairs(), (0, 0, "binds"), SAME_ENTITY),
        (EntityPairs(), (0, 3, "binds"), SENTENCES),
        (EntityPairs(scope="window", window=0), (0, 3, "binds"), WINDOW),
        (EntityPairs(types=[["GENE", "GENE"]]), (0, 1, "binds"), TYPES),
        (EntityPairs(max_distance=3), (0, 2, "binds"), DISTANCE),
        (EntityPairs(), (1, 0, "inhibits"), REVERSED),
        (EntityPairs(types=[["CHEMICAL", "GENE"]]), (0, 1, "inhibits"), REVERSED),
        (EntityPairs(types=[["CHEMICAL", "GENE"]], directed=True), (0, 1, "inhibits"), REVERSED),
    ],
)
def test_causes_of_loss(rule: EntityPairs, relation: Tuple[int, int, str], cause: str) -> None:
    text = document([*THREE, (15, 16, "GENE")], [relation], sentences=2)
    assert lost(rule, text) == [(*relation, cause)]
    assert cause in CAUSES


def test_second_label_is_lost_and_negative_or_unlabelled_relations_never_are() -> None:
    text = document(THREE, [(0, 1, "inhibits"), (0, 1, "binds"), (0, 1, "inhibits"), (0, 0, "none"), (0, 0, None)])
    assert lost(EntityPairs(), text) == [(0, 1, "binds", SECOND)]


def test_without_a_label_set_nothing_is_negative() -> None:
    text = document(THREE, [(0, 1, "binds")])
    assert pairs(EntityPairs(), text, None) == [(0, 1, "binds"), (0, 2, None), (1, 2, None)]


@pytest.mark.parametrize(("negative", "said"), [([], "none"), (["none", "false"], "'false', 'none'")])
def test_a_negative_pair_needs_exactly_one_negative_label(negative: List[str], said: str) -> None:
    labels = LabelSet.of(["binds"], negative=negative)
    with pytest.raises(RelconError, match=f"negative declares {said}"):
        EntityPairs().instances(document(THREE), labels)
    assert pairs(EntityPairs(), document(THREE[:2], [(0, 1, "binds")]), labels) == [(0, 1, "binds")]


@pytest.mark.parametrize("arguments", [{"scope": "page"}, {"window": -1}, {"max_distance": -1}, {"types": [["A"]]}])
def test_wrong_arguments_are_named(arguments: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        EntityPairs(**arguments)


texts = st.builds(
    lambda spans, relations: document(
        [(start, min(start + length, 30), type) for start, length, type in spans],
        [(head % len(spans), tail % len(spans), label) for head, tail, label in relations],
        sentences=3,
    ),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 12), st.sampled_from("AB")), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["binds", "inhibits", "none", None])), max_size=6),
)
rules = st.builds(
    EntityPairs,
    scope=st.sampled_from(["sentence", "window", "document"]),
    types=st.sampled_from([None, [["A", "B"]], [["A", "A"], ["B", "A"]]]),
    directed=st.booleans(),
    max_distance=st.sampled_from([None, 0, 4]),
)


@given(text=texts, rule=st.one_of(rules, st.builds(AnnotatedPairs)))
@settings(max_examples=150, deadline=None)
def test_every_positive_gold_relation_is_a_label_or_lost(text: Document, rule: CandidateRule) -> None:
    instances, missed = rule.instances(text, LABELS)
    told = {(each.head, each.tail, each.label) for each in instances}
    told |= {(tail, head, label) for head, tail, label in told if label in LABELS.symmetric}
    told |= {(each.head, each.tail, each.label) for each in missed}
    told |= {(tail, head, label) for head, tail, label in told if label in LABELS.symmetric}
    gold = {(each.head, each.tail, each.label) for each in text.relations if each.label in LABELS.positive}
    assert gold <= told
    assert len({each.uid for each in instances}) == len(instances)
    assert all(each.cause in CAUSES for each in missed)


# ---- several labels, and pairs to be ignored ----


def test_second_labels_are_kept_where_that_is_wanted() -> None:
    text = document(THREE, [(0, 1, "inhibits"), (0, 1, "carries"), (2, 0, "inhibits"), (2, 0, "inhibits")])
    rule = EntityPairs(scope="document", directed=True, several="kept")
    assert lost(rule, text) == [] and lost(EntityPairs(directed=True), text) == [(0, 1, "carries", SECOND)]
    related = {(0, 1): "inhibits", (2, 0): "inhibits"}
    assert sorted(pairs(rule, text)) == [(h, t, related.get((h, t), "none")) for h in range(3) for t in range(3) if h != t]


def test_several_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="'all' is neither 'lost' nor 'kept'"):
        EntityPairs(several="all")  # type: ignore[arg-type]


def ignoring(text: Document, *ignored: Tuple[int, int]) -> Document:
    return replace(text, metadata={"ignored": [list(pair) for pair in ignored]})


def test_ignored_pairs_are_no_candidates() -> None:
    text = ignoring(document(THREE, [(0, 1, "inhibits")]), (1, 0), (2, 1))
    assert pairs(EntityPairs(directed=True), text) == [(0, 1, "inhibits"), (0, 2, "none"), (1, 2, "none"), (2, 0, "none")]
    assert lost(EntityPairs(directed=True), text) == []


def test_a_candidate_that_asks_both_ways_is_ignored_with_either() -> None:
    text = ignoring(document(THREE, [(0, 1, "inhibits")]), (1, 0))
    assert pairs(EntityPairs(), text) == [(0, 2, "none"), (1, 2, "none")]
    assert lost(EntityPairs(), text) == [(0, 1, "inhibits", UNASKED)]


def test_annotated_pairs_that_are_to_be_ignored_are_lost() -> None:
    text = ignoring(document(THREE, [(0, 1, "inhibits"), (0, 2, "none"), (1, 2, "binds")]), (0, 1), (0, 2))
    assert pairs(AnnotatedPairs(), text) == [(1, 2, "binds")]
    assert lost(AnnotatedPairs(), text) == [(0, 1, "inhibits", UNASKED)]


# ---- incomplete annotation ----


def test_without_complete_annotation_unannotated_pairs_are_not_asked_about_in_labelled_data() -> None:
    text = document(THREE, [(0, 1, "inhibits")])
    assert pairs(EntityPairs(), text) == [(0, 1, "inhibits"), (0, 2, "none"), (1, 2, "none")]
    rule = EntityPairs(complete_annotation=False)
    assert pairs(rule, text) == [(0, 1, "inhibits")]
    assert pairs(rule, text, LabelSet.of(["inhibits"])) == [(0, 1, "inhibits")], "no negative label is needed"
    assert pairs(rule, document(THREE)) == []


def test_without_complete_annotation_prediction_asks_about_all_pairs() -> None:
    rule = EntityPairs(complete_annotation=False, types=[["GENE", "CHEMICAL"]])
    assert pairs(rule, document(THREE), None) == [(0, 1, None), (2, 1, None)]


def test_without_complete_annotation_stated_negatives_stay_and_open_questions_go() -> None:
    text = document(THREE, [(0, 1, "none"), (0, 2, None), (1, 2, "binds")])
    assert pairs(EntityPairs(complete_annotation=False), text) == [(0, 1, "none"), (1, 2, "binds")]


def test_without_complete_annotation_the_same_relations_are_lost() -> None:
    text = document(THREE, [(0, 1, "inhibits"), (2, 1, "inhibits"), (0, 1, "binds")])
    assert lost(EntityPairs(complete_annotation=False), text) == lost(EntityPairs(), text) != []


def test_without_complete_annotation_other_data_that_are_evaluated_lack_relations_too() -> None:
    text, labels = document(THREE, [(0, 1, "inhibits")]), LabelSet.of(["inhibits"])
    for complete in (True, False):
        model = SimpleNamespace(labels=LABELS if complete else labels)
        rule = EntityPairs(complete_annotation=complete)
        predictor = SimpleNamespace(model=model, read=lambda path: [text], candidates=rule)
        assert labelled_data(predictor, Path("other.jsonl")).complete_annotation is complete  # type: ignore[arg-type]


def test_who_gives_negatives() -> None:
    assert EntityPairs().gives_negative and not EntityPairs(complete_annotation=False).gives_negative
