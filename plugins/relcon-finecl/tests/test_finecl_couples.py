"""Couples of sentences: CP and Matching the Blanks."""

from collections import Counter
from itertools import combinations

import pytest
import torch

from relcon.config import resolve
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Draw, Split
from relcon.testing import check_sampler, tiny_encoder

LABELS = LabelSet.of(["born", "owns"], ["none"])
BLANKS = {"@augmenters": "relcon.EntityMasking.v1", "rate": 0.7, "token": "[B1]", "tail_token": "[B2]", "whole": True}


def sentence(number, head, tail, label=None, ids=("", ""), filler="met"):
    words = (head, filler, tail, f"s{number}")
    entities = (Entity((Mention(0, 1),), id=ids[0]), Entity((Mention(2, 3),), id=ids[1]))
    document = Document(f"d{number}", words, entities, (Relation(0, 1, label),))
    return Instance(document, 0, 1, label, f"d{number}#0-1")


def split(instances):
    return Split("train", [each.document for each in instances], list(instances), LABELS)


def sampler(kind, **arguments):
    block = {"@samplers": f"finecl.{kind}Couples.v1", "renderer": {"@renderers": "relcon.EntityMarkers.v1"}, **arguments}
    return resolve(block, "[sampler]")


def epoch(made, data, number=0):
    made.prepare(data)
    return [batch["contrast"] for batch in made.batches(data, Draw(number, torch.Generator().manual_seed(number)))]


def told(view):
    """The number of a view's sentence."""
    return view.input.words[-1]


LABELLED = [sentence(n, f"Ann{n}", f"Rome{n}", label) for n, label in enumerate(["born"] * 5 + ["owns"] * 4 + ["none"] * 3)]


# ---- CP ------------------------------------------------------------------------------------------------------------------


def test_finecl_a15_cp_loss():
    (contrast,) = epoch(sampler("Relation", couples=4), split(LABELLED[3:7]))
    order = sorted(range(4), key=lambda row: told(contrast.anchors[row]))
    vectors = torch.zeros(4, 2, dtype=torch.float64)
    vectors[order] = torch.tensor([(1, 0), (0.8, 0.6), (0, 1), (0.6, 0.8)], dtype=torch.float64)
    block = {"@objectives": "relcon.InfoNCE.v1", "temperature": 0.5, "denominator": "own", "reduction": "pairs"}
    loss = resolve(block, "[objective]")
    assert loss(vectors, vectors, contrast.pairing).item() == pytest.approx(0.870714, abs=1e-6)
    for row, expected in zip(order, (0.627123, 1.114304, 0.627123, 1.114304), strict=True):
        alone = contrast.pairing.keep(torch.arange(4) == row, torch.ones(4).bool())
        assert loss(vectors, vectors, alone).item() == pytest.approx(expected, abs=1e-6)


def test_sentences_of_a_relation_are_coupled_two_by_two():
    data = split(LABELLED)
    made = sampler("Relation", couples=2)
    assert made.length(data) == 2
    left_out = Counter()
    for number in range(12):
        batches = epoch(made, data, number)
        shown = [told(view) for contrast in batches for view in contrast.anchors]
        assert len(shown) == len(set(shown)) == 8
        left_out.update({f"s{n}" for n in range(9)} - set(shown))
        for contrast in batches:
            born = torch.tensor([int(told(view)[1:]) < 5 for view in contrast.anchors])
            same = (born[:, None] == born[None, :]) & ~torch.eye(4).bool()
            assert torch.equal(contrast.pairing.positives > 0, same) and (contrast.pairing.negatives > 0).sum() in (0, 8)
    assert len(left_out) > 1 and all(int(name[1:]) < 5 for name in left_out)


def test_sentences_that_say_nothing_are_left_out(caplog):
    shared = Document("x", ("Ann", "Rome", "s9"), (Entity((Mention(0, 2),)), Entity((Mention(1, 2),))))
    bad = [sentence(7, "Ann", "ann", "born"), Instance(shared, 0, 1, "born", "x#0-1"), LABELLED[-1], sentence(8, "Ann", "Rome", "owns")]
    with caplog.at_level("INFO"):
        made = sampler("Relation", couples=2)
        made.check(split([*LABELLED[:2], *bad]))
        (contrast,) = epoch(made, split([*LABELLED[:2], *bad]))
    assert sorted(map(told, contrast.anchors)) == ["s0", "s1"]
    assert "leaves out 3 of 6 instances (one name for both: 1, mentions overlap: 1, no relation: 1)" in caplog.text


def test_names_are_blanked_anew_in_every_epoch_head_and_tail_by_themselves():
    data = split(LABELLED[:8])
    made = sampler("Relation", couples=4, augmenter=BLANKS)
    assert list(made.special_tokens) == ["[E1]", "[/E1]", "[E2]", "[/E2]", "[B1]", "[B2]"]
    counts = Counter()
    for number in range(100):
        for contrast in epoch(made, data, number):
            counts.update((view.input.words[1] == "[B1]", view.input.words[5] == "[B2]") for view in contrast.anchors)
    total = sum(counts.values())
    shares = [counts[each] / total for each in ((True, True), (True, False), (False, True), (False, False))]
    assert total == 600 and shares == pytest.approx([0.49, 0.21, 0.21, 0.09], abs=0.06)


# ---- Matching the Blanks ---------------------------------------------------------------------------------------------------

PAIRED = [
    *(sentence(n, "Ann", "Rome") for n in range(3)),
    *(sentence(n, "ANN", "Oslo") for n in range(3, 5)),
    *(sentence(n, "Bob", "Rome") for n in range(5, 6)),
    sentence(6, "Cid", "Lima"),
]


def test_finecl_a15_mtb_loss():
    (contrast,) = epoch(sampler("EntityPair", couples=2), split(PAIRED[3:6] + PAIRED[:1]))
    assert len(contrast.anchors) == len(contrast.candidates) == 2
    left = torch.tensor([(1, 0.5), (0.2, -1)], dtype=torch.float64)
    right = torch.tensor([(0.8, 1), (1, 0.4)], dtype=torch.float64)
    loss = resolve({"@objectives": "relcon.PairwiseBCE.v1"}, "[objective]")
    assert loss(left, right, contrast.pairing).item() == pytest.approx(0.419574, abs=1e-6)


def names(view):
    return view.input.words[1].lower(), view.input.words[5].lower()


def test_couples_of_one_pair_attract_and_those_that_share_one_entity_repel():
    data, made = split(PAIRED), sampler("EntityPair", couples=4)
    assert made.length(data) == 2  # 3 + 1 couples, and as many that repel
    repelled = []
    for number in range(2):
        batches = epoch(made, data, number)
        attract = [
            frozenset((told(one), told(other)))
            for contrast in batches
            for one, other in list(zip(contrast.anchors, contrast.candidates, strict=True))[::2]
        ]
        assert sorted(map(sorted, attract)) == sorted(map(list, [*combinations(["s0", "s1", "s2"], 2), ("s3", "s4")]))
        for contrast in batches:
            assert torch.equal(contrast.pairing.positives, torch.diag(torch.tensor([1.0, 0, 1, 0])))
            assert torch.equal(contrast.pairing.negatives, torch.diag(torch.tensor([0.0, 1, 0, 1])))
            for one, other in list(zip(contrast.anchors, contrast.candidates, strict=True))[1::2]:
                assert sum(a == b for a, b in zip(names(one), names(other), strict=True)) == 1
                repelled.append((told(one), told(other)))
    assert repelled[:4] != repelled[4:]


def test_a_pair_with_many_sentences_gives_a_few_of_them():
    many = [sentence(n, "Ann", "Rome") for n in range(12)] + [sentence(12, "Ann", "Oslo")]
    made = sampler("EntityPair", couples=100, sentences=3)
    assert made.length(split(many)) == 1
    shown = [{told(view) for view in epoch(made, split(many), number)[0].anchors[::2]} for number in range(3)]
    assert all(len(each) <= 3 for each in shown) and shown[0] != shown[1]
    assert sampler("EntityPair", couples=56).length(split(many)) == 1  # 8 sentences: 28 couples, twice


def test_an_entity_is_its_id_where_it_has_one():
    same = ("q1", "q2")
    ids = [sentence(0, "Ann", "Rome", ids=same), sentence(1, "she", "Rome", ids=same), sentence(2, "Ann", "Oslo", ids=("q1", ""))]
    (contrast,) = epoch(sampler("EntityPair", couples=2), split(ids))
    assert {told(contrast.anchors[0]), told(contrast.candidates[0])} == {"s0", "s1"}


def test_ids_that_number_mentions_are_passed_over_where_names_say_who_is_who():
    mentions = ("T1", "T2")
    data = split([
        sentence(0, "Ann", "Rome", ids=mentions),
        sentence(1, "ann", "Rome", ids=("T3", "T4")),
        sentence(2, "Bo", "Oslo", ids=mentions),
        sentence(3, "Ann", "Oslo", ids=("T5", "T2")),
    ])
    assert sampler("EntityPair", couples=2, entities="name").material(data).pairs == [[0, 1]]
    assert sampler("EntityPair", couples=2).material(data).pairs == [[0, 2]]


def test_a_corpus_without_couples_is_refused_in_words():
    with pytest.raises(RelconError, match=r"No two of the 3 instances of the split 'train' have the same head and tail"):
        sampler("EntityPair").check(split([PAIRED[0], PAIRED[3], PAIRED[6]]))
    with pytest.raises(RelconError, match=r"share one entity and not the other"):
        sampler("EntityPair").check(split(PAIRED[:3]))
    with pytest.raises(RelconError, match=r"have the same relation, so RelationCouples has no couple"):
        sampler("Relation").check(split([LABELLED[0], LABELLED[6], LABELLED[10]]))
    with pytest.raises(RelconError, match="couples must be an even number"):
        sampler("Relation", couples=3)
    with pytest.raises(RelconError, match="one makes no couple"):
        sampler("EntityPair", sentences=1)


@pytest.mark.parametrize("kind, data", [("Relation", LABELLED), ("EntityPair", PAIRED)])
def test_both_keep_the_contract_of_samplers(kind, data):
    check_sampler(sampler(kind, couples=4), split(data))
    check_sampler(sampler(kind, couples=2, augmenter=BLANKS), split(data))


def test_blanks_and_markers_are_never_masked():
    inner = {"@samplers": "finecl.RelationCouples.v1", "renderer": {"@renderers": "relcon.EntityMarkers.v1"}, "augmenter": BLANKS}
    made = resolve({"@samplers": "relcon.MaskedPieces.v1", "rate": 0.9, "sampler": inner}, "[sampler]")
    encoder = tiny_encoder()
    encoder.add_tokens(made.special_tokens)
    data = split(LABELLED)
    made.check(data)
    (batch,) = made.batches(data, Draw(0, torch.Generator().manual_seed(0), encoder.vocabulary))
    words = {view.input.words[view.unit[0][0].start] for view in batch["masked"].views}
    assert "met" in words and not any(word.startswith("[") for word in words)
