"""Pairs, hard negatives, tags and the samplers made of them."""

import logging
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from relcon_cldr.encoder import GraphConvolution
from relcon_cldr.pairs import candidate_pairs, hard_negatives, opponents, read_sentence
from relcon_cldr.samplers import BalancedTokens, CandidatePairs, RelationGraphs, SentenceGraphs
from relcon_cldr.tags import Chunk, Tags

from relcon.config import resolve
from relcon.contrast import WHOLE
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Split
from relcon.objectives.infonce import InfoNCE
from relcon.poolers.spans import SpanPool
from relcon.renderers.plain import Plain
from relcon.testing import check_sampler, tiny_encoder

TYPES = ["Drug", "Adverse-Effect"]
LABELS = LabelSet.of(["Adverse-Effect"], ["none"])
D, A = TYPES


def document(words, entities, relations=(), name="doc"):
    """entities: (type, start, end). relations: (head, tail), the effect first."""
    words = tuple(words.split()) if isinstance(words, str) else tuple(f"w{n}" for n in range(words))
    made = tuple(Entity((Mention(start, end),), kind) for kind, start, end in entities)
    return Document(name, words, made, tuple(Relation(head, tail, "Adverse-Effect") for head, tail in relations))


RASH = document("abirol caused severe rash .", [(A, 2, 4), (D, 0, 1)], [(0, 1)], "rash")
TWO = document(14, [(A, 7, 8), (D, 10, 11), (D, 12, 13)], [(0, 1), (0, 2)], "two")


def split(*documents, name="train"):
    instances = [Instance(each, r.head, r.tail, r.label, f"{each.id}#{n}") for each in documents for n, r in enumerate(each.relations)]
    return Split(name, list(documents), instances, LABELS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def only(sampler, *documents):
    """The one contrast of an epoch."""
    (batch,) = sampler.batches(split(*documents), Draw(0, generator()))
    return batch["contrast"]


# ---- pairs ---------------------------------------------------------------------------------------------------------------


def test_a_pair_is_drug_first_by_last_words_or_whole_phrases():
    assert read_sentence(RASH, TYPES).pairs == (((0, 1), (3, 4)),)
    assert read_sentence(RASH, TYPES, "mean").pairs == (((0, 1), (2, 4)),)


def test_cldr_fact_07_opponents():
    sentence = read_sentence(RASH, TYPES)
    (pair,) = sentence.pairs
    assert [opponents(sentence, pair, kept, "paper") for kept in (0, 1)] == [[1, 4], [1, 2, 4]]
    assert [opponents(sentence, pair, kept, "code") for kept in (0, 1)] == [[1, 2, 4], [1, 2, 4]]
    assert [1 + len(hard_negatives(sentence, pair, 8, rule, generator())) for rule in ("paper", "code")] == [6, 7]


def test_cldr_fact_08_two_relations():
    sentence = read_sentence(TWO, TYPES)
    pair = sentence.pairs[0]
    assert pair == ((10, 11), (7, 8))
    assert opponents(sentence, pair, 0, "paper") == [n for n in range(14) if n not in (7, 10)]
    assert opponents(sentence, pair, 1, "paper") == [n for n in range(14) if n not in (7, 10, 12)]
    pairs = candidate_pairs(14).tolist()
    assert len(pairs) == 91
    assert sum(frozenset(pair) in sentence.gold for pair in pairs) == 2


def test_half_of_the_negatives_keep_each_side():
    sentence = read_sentence(TWO, TYPES)
    found = hard_negatives(sentence, sentence.pairs[0], 8, "paper", generator())
    assert [one == (10, 11) for one, _ in found] == [True] * 4 + [False] * 4
    assert len(set(found)) == 8
    assert len(hard_negatives(sentence, sentence.pairs[0], -1, "paper", generator())) == 23


def test_arguments_with_one_last_word_are_no_pair():
    both = document("high abirol levels", [(A, 0, 2), (D, 1, 2)], [(0, 1)])
    assert (read_sentence(both, TYPES).pairs, read_sentence(both, TYPES).lost) == ((), 1)


# ---- CLDR ----------------------------------------------------------------------------------------------------------------


def test_cldr_sets_a_relation_against_its_own_wrong_pairs():
    contrast = only(RelationGraphs(TYPES, batch_size=2, shuffle=False), RASH, TWO)
    assert len(contrast.anchors) == 3
    sizes = [6, 9, 9]
    assert len(contrast.candidates) == sum(sizes)
    assert contrast.pairing.positives.sum(1).tolist() == [1, 1, 1]
    assert contrast.pairing.negatives.sum(1).tolist() == [5, 8, 8]
    starts = [0, 6, 15]
    for row, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        assert contrast.pairing.positives[row, start] == 1
        assert contrast.pairing.negatives[row].nonzero()[:, 0].tolist() == list(range(start + 1, start + size))
    assert contrast.pairing.weights.tolist() == [1, 0.5, 0.5]


def test_a_sentence_is_one_text_however_many_relations_and_negatives():
    for similarity in ("eq5", "matched"):
        contrast = only(RelationGraphs(TYPES, batch_size=2, similarity=similarity), RASH, TWO)
        assert len({id(view.input) for view in contrast.anchors}) == 2
        assert {id(view.input.text) for view in contrast.candidates} == {id(view.input) for view in contrast.anchors}


@pytest.mark.parametrize("similarity", ["eq5", "matched"])
def test_the_encoder_reads_every_sentence_once(similarity, tmp_path, monkeypatch):
    text, features = tiny_encoder(max_length=64), tiny_encoder(max_length=64)
    graph = GraphConvolution(features, cache=str(tmp_path))
    read = {"text": [], "features": []}
    for name, encoder in (("text", text), ("features", features)):
        prepare = encoder.prepare
        monkeypatch.setattr(encoder, "prepare", lambda inputs, name=name, prepare=prepare: read[name].extend(inputs) or prepare(inputs))
    towers = [{"@towers": "relcon.Tower.v1", "encoder": name, "pooler": "pair"} for name in ("text", "graph")]
    task = resolve(
        {
            "@tasks": "relcon.Contrastive.v1",
            "stream": "graphs",
            "anchors": towers[0],
            "candidates": towers[1],
            "objective": {"@objectives": "relcon.InfoNCE.v1"},
        },
        "task",
    )
    task.build(Parts({"text": text, "graph": graph}, {"pair": SpanPool(inside="first", slots=2)}, LABELS))
    for _ in range(2):
        step({"contrast": task}, {"contrast": only(RelationGraphs(TYPES, batch_size=2, similarity=similarity), RASH, TWO)})
    assert len(read["text"]) == 2 * 2
    assert len(read["features"]) == 2  # in the first step alone


def test_matched_pairs_meet_their_own_graphs_in_one_term_per_relation():
    contrast = only(RelationGraphs(TYPES, batch_size=2, similarity="matched", shuffle=False), RASH, TWO)
    assert len(contrast.anchors) == len(contrast.candidates) == 24
    assert contrast.pairing.groups.tolist() == [0] * 6 + [1] * 9 + [2] * 9
    everything = contrast.pairing.positives + contrast.pairing.negatives
    assert torch.equal(everything, torch.eye(24))
    assert contrast.pairing.positives.diagonal().nonzero()[:, 0].tolist() == [0, 6, 15]
    for view, graph in zip(contrast.anchors, contrast.candidates, strict=True):
        assert tuple((span.start, span.end) for (span,) in view.unit) == graph.input.nodes


def test_weights_give_the_mean_over_sentences_of_the_mean_over_relations():
    contrast = only(RelationGraphs(TYPES, batch_size=2, shuffle=False), RASH, TWO)
    torch.manual_seed(0)
    anchors, candidates = torch.randn(3, 4), torch.randn(24, 4)
    each = [
        InfoNCE()(anchors[row : row + 1], candidates, type(contrast.pairing).of(*(m[row : row + 1] for m in (
            contrast.pairing.positives, contrast.pairing.negatives))))
        for row in range(3)
    ]
    wanted = (each[0] + (each[1] + each[2]) / 2) / 2
    torch.testing.assert_close(InfoNCE(reduction="weighted")(anchors, candidates, contrast.pairing), wanted)


def test_negatives_are_drawn_anew_in_every_epoch_and_the_same_for_one_seed():
    sampler = RelationGraphs(TYPES, batch_size=1, shuffle=False)

    def nodes(epoch, seed):
        (batch,) = sampler.batches(split(TWO), Draw(epoch, generator(seed)))
        return [view.input.nodes for view in batch["contrast"].candidates]

    assert nodes(0, 1) == nodes(0, 1) != nodes(1, 2)


def test_an_epoch_has_every_usable_sentence_once_and_says_what_it_leaves_out(caplog):
    bare, tiny = document("no drug here", [], name="bare"), document("abirol rash", [(A, 1, 2), (D, 0, 1)], [(0, 1)], "tiny")
    data = split(RASH, bare, TWO, tiny)
    sampler = RelationGraphs(TYPES, batch_size=2)
    with caplog.at_level(logging.INFO):
        batches = list(sampler.batches(data, Draw(0, generator())))
    assert len(batches) == sampler.length(data) == 1
    assert "2 of 4 sentences are used" in caplog.text
    assert "no relation between Drug and Adverse-Effect: 1" in caplog.text
    assert 'no hard negative exists under rule = "paper": 1' in caplog.text


def test_without_any_usable_sentence_nothing_is_trained():
    with pytest.raises(RelconError, match="No sentence of the split 'train' can be used"):
        RelationGraphs(TYPES).check(split(document("no drug here", [])))


@pytest.mark.parametrize("arguments", [{"negatives": 3}, {"negatives": 0}, {"rule": "both"}, {"batch_size": 0}, {"similarity": "eq6"}])
def test_arguments_out_of_range(arguments):
    with pytest.raises(ValueError):
        RelationGraphs(TYPES, **arguments)


@pytest.mark.parametrize("types", [["Drug"], ["Drug", "Drug"], ["a", "b", "c"]])
def test_types_must_be_two(types):
    with pytest.raises(RelconError, match="two entity types"):
        RelationGraphs(types)


@pytest.mark.parametrize("make", [RelationGraphs, SentenceGraphs, BalancedTokens])
def test_they_keep_the_contract_of_samplers(make):
    others = [document(9 + n, [(A, 2, 4), (D, n % 2, n % 2 + 1)], [(0, 1)], f"other {n}") for n in range(5)]
    check_sampler(make(TYPES, batch_size=2), split(RASH, TWO, *others))


def test_candidate_pairs_keep_the_contract_of_samplers():
    check_sampler(CandidatePairs(TYPES, "Adverse-Effect", Plain(), batch_size=1), split(RASH, TWO))


# ---- CLGS ----------------------------------------------------------------------------------------------------------------


def test_clgs_sets_a_sentence_against_its_own_wrong_graphs():
    contrast = only(SentenceGraphs(TYPES, batch_size=2, negatives=4, shuffle=False), RASH, TWO)
    assert [view.unit[0][0] for view in contrast.anchors] == [(0, 5, -1), (0, 14, -1)]
    assert all(view.unit == ((WHOLE,),) for view in contrast.candidates)
    assert contrast.pairing.positives.sum(1).tolist() == [1, 1]
    assert contrast.pairing.negatives.sum(1).tolist() == [4, 4]
    true = contrast.candidates[5].input
    assert (true.nodes, true.edges) == (((10, 11), (7, 8), (12, 13)), ((0, 1), (2, 1)))


def test_clgs_wrong_graphs_are_different_and_have_as_many_relations():
    sampler = SentenceGraphs(TYPES, negatives=8)
    sentence = read_sentence(TWO, TYPES)
    found = sampler.wrong(sentence, generator())
    assert len({frozenset(pairs) for pairs in found}) == 8
    assert all(len(set(pairs)) == 2 for pairs in found)
    assert [[pair[0] for pair in pairs] == [(10, 11), (12, 13)] for pairs in found] == [True] * 4 + [False] * 4
    assert all(pair not in sentence.pairs for pairs in found for pair in pairs)


def test_clgs_a_short_sentence_has_fewer_graphs():
    assert len(SentenceGraphs(TYPES, negatives=8).wrong(read_sentence(RASH, TYPES), generator())) == 2 + 3


def test_clgs_whole_graphs_have_every_word_as_a_node():
    contrast = only(SentenceGraphs(TYPES, batch_size=1, graph="whole"), RASH)
    assert all(len(view.input.nodes) == 5 and len(view.input.edges) == 1 for view in contrast.candidates)


@pytest.mark.parametrize("sentence, wrong", [(RASH, 5), (TWO, 23)])
def test_clgs_all_wrong_graphs(sentence, wrong):
    found = SentenceGraphs(TYPES, negatives=-1).wrong(read_sentence(sentence, TYPES), generator())
    assert 0.8 * wrong <= len(found) <= wrong
    long = document(80, [(A, 7, 8), (D, 10, 11)], [(0, 1)], "long")
    assert 50 <= len(SentenceGraphs(TYPES, negatives=-1).wrong(read_sentence(long, TYPES), generator())) <= 64


# ---- CLNER ---------------------------------------------------------------------------------------------------------------


def test_tags_write_later_entities_over_earlier_ones():
    both = document("high abirol levels", [(A, 0, 3), (D, 1, 2)])
    assert [Tags(TYPES).names[tag] for tag in Tags(TYPES).of(both)] == ["B-Adverse-Effect", "B-Drug", "I-Adverse-Effect"]


def test_cldr_fact_10_chunks():
    tags = Tags(TYPES)
    numbers = [3, 3, 4, 0, 3, 3, 2, 2, 3, 1]  # I-AE I-AE O B-Drug I-AE I-AE B-AE B-AE I-AE I-Drug
    strict = [Chunk(0, 3, 3), Chunk(1, 6, 6), Chunk(1, 7, 8)]
    lenient = [Chunk(1, 0, 1), Chunk(0, 3, 3), Chunk(1, 4, 5), Chunk(1, 6, 6), Chunk(1, 7, 8), Chunk(0, 9, 9)]
    assert tags.chunks(numbers, "strict") == strict
    assert tags.chunks(numbers, "lenient") == lenient


@given(st.lists(st.integers(0, 4), max_size=12))
def test_chunks_are_apart_in_order_and_end_within(numbers):
    tags = Tags(TYPES)
    for rule in ("strict", "lenient"):
        chunks = tags.chunks(numbers, rule)
        assert all(one.last < other.first for one, other in pairwise(chunks))
        assert all(0 <= chunk.first <= chunk.last < len(numbers) for chunk in chunks)
    assert {chunk.first for chunk in tags.chunks(numbers, "strict")} <= {word for word, tag in enumerate(numbers) if tag in (0, 2)}


def test_an_entity_of_another_type_is_named():
    with pytest.raises(RelconError, match="type 'Dose', but `types` names 'Drug', 'Adverse-Effect' only"):
        Tags(TYPES).of(document("ten mg", [("Dose", 0, 2)]))


POOLS = [20, 4, 22, 27, 270]
SAMPLED = [[19, 4, 15, 15, 27], [19, 3, 19, 19, 20], [14, 4, 21, 14, 27], [13, 4, 13, 26, 24], [12, 4, 12, 22, 30]]


@pytest.mark.parametrize("kind", range(5))
def test_cldr_fact_06_balanced_sampling(kind):
    tags = torch.arange(5).repeat_interleave(torch.tensor(POOLS))
    anchor = int((tags == kind).nonzero()[0])
    drawn = BalancedTokens(TYPES).sample(anchor, tags, generator())
    assert torch.bincount(tags[drawn], minlength=5).tolist() == SAMPLED[kind]
    assert len(drawn.unique()) == 80
    assert anchor not in drawn.tolist()


def pairing_of(strategy, **arguments):
    tags = torch.arange(5).repeat_interleave(torch.tensor([6, 2, 6, 6, 40]))
    return tags, BalancedTokens(TYPES, samples=20, positives=5, strategy=strategy, **arguments).pairing(tags, generator())


@pytest.mark.parametrize("strategy", ["balanced", "hard", "fixed", "types"])
def test_words_of_the_anchors_tag_attract_and_all_others_repel(strategy):
    tags, pairing = pairing_of(strategy)
    kinds = tags // 2 if strategy == "types" else tags
    same = kinds[:, None] == kinds[None, :]
    assert not bool((pairing.positives.bool() & ~same).any())
    assert not bool((pairing.negatives.bool() & same).any())
    assert not bool(pairing.positives.diagonal().any())
    if strategy == "hard":
        assert torch.equal(pairing.negatives.bool(), ~same)
    if strategy == "fixed":
        used = (pairing.positives + pairing.negatives).bool() | torch.eye(len(tags), dtype=torch.bool)
        assert int(used[-1].sum()) <= 21
    if strategy == "types":
        assert (pairing.positives + pairing.negatives).sum(1).tolist() == [20] * len(tags)


def test_all_words_of_the_batch_are_anchors():
    contrast = only(BalancedTokens(TYPES, batch_size=2, shuffle=False), RASH, TWO)
    assert len(contrast.anchors) == 5 + 14
    assert contrast.candidates is None
    assert len({id(view.input) for view in contrast.anchors}) == 2


# ---- candidate pairs -----------------------------------------------------------------------------------------------------


def test_every_pair_of_words_is_a_candidate_with_its_class():
    sampler = CandidatePairs(TYPES, "Adverse-Effect", Plain(), batch_size=2, shuffle=False)
    (batch,) = sampler.batches(split(RASH, TWO), Draw(0, generator()))
    pairs = batch["pairs"]
    assert len(pairs.views) == len(pairs.labels) == 10 + 91
    assert int(pairs.labels.sum()) == 3
    chosen = [tuple(span[0].start for span in view.unit) for view, label in zip(pairs.views, pairs.labels.tolist(), strict=True) if label]
    assert chosen == [(0, 3), (7, 10), (7, 12)]
def test_without_complete_annotation_entities_that_may_be_related_are_left_out():
    text = document(14, [(A, 6, 8), (D, 10, 11), (D, 12, 13)], [(0, 1)])
    data = replace(split(text), complete_annotation=False)
    (batch,) = CandidatePairs(TYPES, "Adverse-Effect", Plain(), shuffle=False).batches(data, Draw(0, generator()))
    seen = {tuple(span[0].start for span in view.unit) for view in batch["pairs"].views}
    assert {(i, j) for i in range(14) for j in range(i + 1, 14)} - seen == {(7, 12)}, "and no pair of other words"
    assert int(batch["pairs"].labels.sum()) == 1
    for make in (RelationGraphs, SentenceGraphs):
        make(TYPES).check(data)
        for types, rule in ((TYPES, "code"), (None, "paper")):
            with pytest.raises(RelconError, match="may be related"):
                make(types, rule=rule).check(data)
            make(types, rule=rule).check(split(text))


def test_between_two_types_a_relation_that_means_no_relation_is_none():
    entities = [(A, 7, 8), (D, 10, 11), (D, 12, 13)]
    text = document(14, entities, [(0, 1), (0, 2)])
    text = replace(text, relations=(text.relations[0], replace(text.relations[1], label="none")))
    for complete in (True, False):  # of the second pair the annotation says something
        data = replace(split(text), complete_annotation=complete)
        (batch,) = CandidatePairs(TYPES, "Adverse-Effect", Plain()).batches(data, Draw(0, generator()))
        assert len(batch["pairs"].views) == 91 and int(batch["pairs"].labels.sum()) == 1
    assert len(only(RelationGraphs(TYPES, similarity="eq5"), text).anchors) == 1
    with pytest.raises(RelconError, match="no relation between Drug and Adverse-Effect: 1"):
        RelationGraphs(TYPES).check(split(replace(text, relations=text.relations[1:])))


def test_without_types_the_head_is_the_first_slot_and_the_tail_the_second():
    sentence = Document(
        "d", tuple("abcde"), (Entity((Mention(3, 5),)), Entity((Mention(0, 1),)), Entity((Mention(1, 2),))),
        (Relation(0, 1, "Cause"), Relation(1, 2, "Other")),
    )  # fmt: skip
    read = read_sentence(sentence, None)
    assert read.pairs == (((4, 5), (0, 1)), ((0, 1), (1, 2)))
    assert read.members == (frozenset({3, 4, 0}), frozenset({0, 1}))
    assert opponents(read, read.pairs[0], kept=0, rule="paper") == [2, 3]  # not a and b, which are tails
    assert opponents(read, read.pairs[0], kept=0, rule="code") == [1, 2, 3]
    made = resolve({"@samplers": "cldr.RelationGraphs.v1", "types": None, "rule": "code"}, "[sampler]")
    contrast = only(made, sentence)
    assert len(contrast.anchors) == 2
    with pytest.raises(RelconError, match=r"can be used \(no relation: 1\)"):
        made.check(split(Document("none", ("a", "b"), sentence.entities[1:])))


