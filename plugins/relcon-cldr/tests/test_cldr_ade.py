"""What the specification says of the ADE corpus, on the corpus itself."""

import os
from pathlib import Path

import pytest
from relcon_cldr.pairs import candidate_pairs, read_sentence
from relcon_cldr.reading import gold_of, losses
from relcon_cldr.scores import Read, authors, joint, pairs_alone, strict
from relcon_cldr.tags import Tags

from relcon.readers.spert import SpERT

TYPES = ["Drug", "Adverse-Effect"]


@pytest.fixture(scope="module")
def documents():
    file = Path(os.environ.get("RELCON_SHARED", "../shared")) / "data/ade/ade_full_spert.json"
    if not file.exists():
        pytest.skip(f"{file} is not there: set RELCON_SHARED to the folder with the corpora")
    return list(SpERT().read(file))


def test_cldr_fact_09_what_tags_and_pairs_can_say(documents):
    tags = Tags(TYPES)
    assert len(documents) == 4272
    assert sum(len(candidate_pairs(len(document.words))) for document in documents) == 1_152_202
    assert sum(len(each.chunks) for each in gold_of(documents, tags)) == 10_740
    assert sum(len(each.chunks) for each in gold_of(documents, tags, "lenient")) == 10_832
    numbers = [tag for document in documents for tag in tags.of(document)]
    assert [numbers.count(tag) for tag in (4, 3, 2, 0, 1)] == [71_858, 7_053, 5_701, 5_039, 1_063]


def test_what_the_preprocessing_loses(documents):
    assert losses(documents, Tags(TYPES)) == {
        "overlapping_pairs": 120,
        "overlapping_sentences": 119,
        "lost_entities": 120,
        "relations_with_lost": 206,
        "same_last_word": 5,
    }


def test_pairs_are_drug_first_and_the_effect_often_comes_first_in_the_text(documents):
    sentences = [read_sentence(document, TYPES) for document in documents]
    assert sum(sentence.lost for sentence in sentences) == 5
    assert all(sentence.pairs for sentence in sentences if not sentence.lost)
    assert sum(effect < drug for sentence in sentences for drug, effect in sentence.pairs) == 3_795


def test_the_ceiling_of_perfect_tags_and_pairs(documents):
    gold = gold_of(documents, Tags(TYPES))
    perfect = [Read(frozenset(pair for pair in each.pairs if len(pair) == 2), each.chunks) for each in gold]
    assert sum(len(each.pairs) for each in gold) == 6_821
    found = strict(gold, perfect)
    assert (found.tp, found.tp + found.fp) == (6_619, 6_816)
    assert (found.precision, found.recall, found.f1) == pytest.approx((0.971097, 0.970386, 0.970741), abs=5e-7)
    assert authors(gold, perfect).f1 == pytest.approx(0.984970, abs=5e-7)
    # four right pairs stand between two chunks of one type, where a drug lies inside an effect: `joint` does not predict these
    assert (joint(gold, perfect).tp, joint(gold, perfect).f1) == (6_615, pytest.approx(0.984668, abs=5e-7))
    assert pairs_alone(gold, perfect).recall == pytest.approx(6_816 / 6_821)
