"""Sentences for joint extraction: what is cut, left out and drawn."""

import logging
from collections import Counter
from itertools import pairwise
from typing import Any, List, Sequence, Tuple

import pytest
import torch
from relcon_pspe.joint_sampler import Sentences
from relcon_pspe.tagging import FULL

from relcon.config import resolve
from relcon.contrast import Span
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Draw, Split
from relcon.testing import check_sampler, tiny_corpus, tiny_encoder, tiny_split

LABELS = LabelSet(("none", "binds"), frozenset({"none"}))


def build(**arguments: Any) -> Any:
    return resolve({"@samplers": "pspe.JointSentences.v1", **arguments}, "[sampler]")


Pairs = Sequence[Tuple[int, int]]


def document(name: str, text: str, *spans: Tuple[int, int], relations: Pairs = (), cuts: Sequence[int] = ()) -> Document:
    words = tuple(text.split())
    bounds = [0, *cuts, len(words)]
    return Document(
        name,
        words,
        tuple(Entity((Mention(*span),), "A") for span in spans),
        tuple(Relation(head, tail, "binds") for head, tail in relations),
        tuple(pairwise(bounds)) if cuts else (),
    )


def split(*documents: Document) -> Split:
    return Split("train", list(documents), [], LABELS)


def values(sampler: Any, data: Split, epoch: int = 0, vocabulary: Any = None) -> List[Sentences]:
    return [batch["sentences"] for batch in sampler.batches(data, Draw(epoch, torch.Generator().manual_seed(epoch), vocabulary))]


def test_contract() -> None:
    check_sampler(build(batch_size=5), Split("train", tiny_corpus(), [], tiny_split().labels))
    check_sampler(build(batch_size=5, drop_last=True), Split("train", tiny_corpus(), [], tiny_split().labels))


def test_a_view_for_each_word_with_its_tag() -> None:
    data = split(document("a", "Rilan blocks beta kinase now", (0, 1), (2, 4)), document("b", "Nothing"))
    (value,) = values(build(shuffle=False), data)
    assert [each.id for each in value.documents] == ["a", "b"] and value.labels is not None
    assert "".join(FULL[tag] for tag in value.labels.tolist()) == "UOBEOO"
    assert [view.unit for view in value.views] == [((Span(word, word + 1, 0),),) for word in (0, 1, 2, 3, 4, 0)]
    assert len({id(view.input) for view in value.views}) == 2, "a sentence is encoded once"


def test_documents_are_cut_and_what_is_lost_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    data = split(document("a", "Rilan binds Mep . Tor is new", (0, 1), (2, 3), (4, 5), relations=[(1, 0), (0, 2)], cuts=[4]))
    with caplog.at_level(logging.WARNING):
        (value,) = values(build(shuffle=False), data)
    assert [each.words for each in value.documents] == [("Rilan", "binds", "Mep", "."), ("Tor", "is", "new")]
    assert [len(each.relations) for each in value.documents] == [1, 0]
    assert "2 sentences to learn from (relations between sentences: 1)" in caplog.text


def test_overlapping_entities_are_dropped_or_kept(caplog: pytest.LogCaptureFixture) -> None:
    nested, plain = document("nested", "beta kinase one", (0, 2), (1, 2), relations=[(0, 1)]), document("plain", "one two", (0, 1))
    with caplog.at_level(logging.WARNING):
        (value,) = values(build(), split(nested, plain))
    assert [each.id for each in value.documents] == ["plain"]
    assert "1 sentences to learn from (sentences left out: entities overlap: 1)" in caplog.text
    (value,) = values(build(overlapping="keep", shuffle=False), split(nested, plain))
    assert value.labels is not None and "".join(FULL[tag] for tag in value.labels.tolist()) == "BEOUO"
    assert len(value.documents[0].entities) == 2


def test_the_same_span_twice_does_not_overlap() -> None:
    assert build().length(split(document("twice", "one two", (0, 1), (0, 1)))) == 1


def test_long_sentences_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    data = split(*(document(f"d{size}", "the " * size) for size in range(1, 8)))
    with caplog.at_level(logging.WARNING):
        assert sorted(len(each.words) for value in values(build(max_words=5), data) for each in value.documents) == [1, 2, 3, 4, 5]
    assert "more than 5 words: 2" in caplog.text
    vocabulary = tiny_encoder(max_length=6).vocabulary
    sampler = build(batch_size=2)
    with caplog.at_level(logging.WARNING):
        found = values(sampler, data, vocabulary=vocabulary)
    assert len(found) == sampler.length(data) == 4, "batches only get smaller"
    assert sorted(len(each.words) for value in found for each in value.documents) == [1, 2, 3, 4], "four pieces between [CLS] and [SEP]"
    assert "3 sentences have more word pieces" in caplog.text


def test_two_draws_for_each_sentence() -> None:
    data = split(*(document(f"d{number}", "one") for number in range(2000)))
    drawn = Counter(
        pair for value in values(build(), data, epoch=8) for pair in zip(value.gold_tags, value.gold_entities, strict=True)
    )
    share = 0.524633
    for pair, count in drawn.items():
        expected = 2000 * (share if pair[0] else 1 - share) * (share if pair[1] else 1 - share)
        assert abs(count - expected) < 90, "four standard deviations"
    assert all(all(value.gold_tags) and all(value.gold_entities) for value in values(build(), data, epoch=5))
    assert all(all(value.gold_tags) for value in values(build(sampling="gold"), data, epoch=50))
    assert not any(any((*value.gold_tags, *value.gold_entities)) for value in values(build(sampling="predicted"), data))


def test_nothing_to_learn_from() -> None:
    nested = split(document("nested", "beta kinase", (0, 2), (1, 2)))
    with pytest.raises(RelconError, match=r"No sentence of the split 'train' can be learnt from .*entities overlap: 1"):
        build().check(nested)
    with pytest.raises(RelconError, match="it is empty"):
        build().length(split())


@pytest.mark.parametrize("wrong", [{"k": 0}, {"sampling": "golden"}, {"overlapping": "cut"}, {"batch_size": 0}, {"warm_epochs": -1}])
def test_arguments_out_of_range(wrong: dict) -> None:
    with pytest.raises((RelconError, ValueError), match=next(iter(wrong))):
        build(**wrong)
