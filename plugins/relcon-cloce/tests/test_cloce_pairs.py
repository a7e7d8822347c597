"""Errors and their partners: who is paired with whom, and what replacing entities does to a sentence."""

from dataclasses import replace
from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from relcon_cloce.errors import Judged, Predictions
from relcon_cloce.pairs import with_entities_of

from relcon.config import resolve
from relcon.contrast import Contrast, Text
from relcon.data.document import Document, Entity, Instance, Mention, WordSpan
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Draw, Split
from relcon.testing import check_sampler, tiny_split

LABELS = LabelSet(("NA", "A", "B", "C", "D"), frozenset({"NA"}))
EIGHT = ["A>A", "B>B", "A>B", "B>A", "C>A", "A>D", "NA>NA", "NA>B"]
"""Eight instances as gold > predicted."""

Pairs = Set[Tuple[int, int]]


def instance(text: str, head: Sequence[WordSpan], tail: Sequence[WordSpan], types: Tuple[str, str] = ("", ""), **more: Any) -> Instance:
    """A pair; each argument is one mention, in pieces where it has several spans."""
    entities = tuple(Entity((mention(spans),), kind) for spans, kind in zip((head, tail), types, strict=True))
    document = Document(more.pop("id", "it"), tuple(text.split()), entities)
    return Instance(document, 0, 1, **more)


def mention(spans: Sequence[WordSpan]) -> Mention:
    return Mention(spans[0][0], spans[-1][1], tuple(spans) if len(spans) > 1 else ())


def shown(made: Instance) -> Tuple[str, List[Mention], List[str]]:
    """Its words, where its arguments are, and their types."""
    entities = [made.document.entities[number] for number in (made.head, made.tail)]
    return " ".join(made.document.words), list(made.mentions), [entity.type for entity in entities]


def split_of(told: Sequence[str]) -> Split:
    """One sentence per instance, which names its number."""
    made = [
        instance(f"h{n} met t{n} here", [(0, 1)], [(2, 3)], label=each.partition(">")[0], uid=f"u{n}", id=f"d{n}")
        for n, each in enumerate(told)
    ]
    return Split("train", [each.document for each in made], made, LABELS)


def sampler(**arguments: Any) -> Any:
    renderer = {"@renderers": "cloce.Prompt.v1", "unit": "sentence", "types": "none"}
    return resolve({"@samplers": "cloce.ErrorPairs.v1", "renderer": renderer, **arguments}, "[sampler]")


def tell(made: Any, data: Split, told: Sequence[str]) -> None:
    """Let the sampler know what was predicted."""
    recorder = made.recorder(data)
    logits = torch.eye(len(data.labels))[[data.labels.number(each.partition(">")[2]) for each in told]]
    recorder([each.uid for each in data.instances], logits, torch.zeros(len(told), dtype=torch.long))


def drawn(made: Any, data: Split, seed: int = 0) -> List[Contrast]:
    found = [batch["contrast"] for batch in made.batches(data, Draw(0, torch.Generator().manual_seed(seed)))]
    assert len(found) == made.length(data)
    return found


def pairs_of(contrasts: Sequence[Contrast]) -> Tuple[Pairs, Pairs]:
    """(error, partner) of the positives and of the negatives; a partner is known by its place among sentences alike but for it."""
    sides: Tuple[Pairs, Pairs] = (set(), set())
    for contrast in contrasts:
        assert contrast.candidates is not None
        errors = [int(view.input.words[0][1:]) for view in contrast.anchors if isinstance(view.input, Text)]
        partners = [int(view.input.words[3][1:]) for view in contrast.candidates if isinstance(view.input, Text)]
        for side, mask in zip(sides, (contrast.pairing.positives, contrast.pairing.negatives), strict=True):
            side.update((errors[row], partners[column]) for row, column in mask.nonzero().tolist())
    return sides


def numbered(told: Sequence[str]) -> Split:
    """As `split_of`, with a last word that entities do not touch and that tells who a partner was."""
    data = split_of(told)
    documents = [replace(each.document, words=(*each.document.words[:3], f"w{n}")) for n, each in enumerate(data.instances)]
    return replace(data, documents=documents, instances=[replace(e, document=d) for e, d in zip(data.instances, documents, strict=True)])


# ---- replacement -----------------------------------------------------------------------------------------------------------

CURIE = instance("Marie Curie was born in Warsaw .", [(0, 2)], [(5, 6)], ("PERSON", "CITY"))


def test_cloce_g07_entity_replacement() -> None:
    tolstoy = instance("Leo Tolstoy was delivered at Yasnaya Polyana in 1828 .", [(0, 2)], [(5, 7)], ("WRITER", "ESTATE"), label="born")
    made = with_entities_of(CURIE, tolstoy)
    assert shown(made) == ("Marie Curie was delivered at Warsaw in 1828 .", [Mention(0, 2), Mention(5, 6)], ["PERSON", "CITY"])
    assert made.label == "born"
    house = instance("The house in Munich where Einstein lived still stands .", [(5, 6)], [(3, 4)])
    made = with_entities_of(CURIE, house)
    assert shown(made)[:2] == ("The house in Warsaw where Marie Curie lived still stands .", [Mention(5, 7), Mention(3, 4)])
    assert house.document.words[3] == "Munich", "the partner is untouched"


def test_mentions_in_pieces_and_further_ones() -> None:
    pieces = instance("ganglionic and other blocking drugs lower it", [(0, 1), (3, 5)], [(6, 7)])
    assert shown(with_entities_of(CURIE, pieces))[:2] == ("Marie Curie and other lower Warsaw", [Mention(0, 2), Mention(5, 6)])
    assert shown(with_entities_of(pieces, CURIE))[0] == "ganglionic blocking drugs was born in it ."
    twice = instance("Ada met Bo ; later Ada wrote", [(0, 1)], [(2, 3)])
    named = replace(twice.document, entities=(Entity((Mention(0, 1), Mention(5, 6))), twice.document.entities[1]))
    made = with_entities_of(CURIE, replace(twice, document=named))
    assert shown(made)[:2] == ("Marie Curie met Warsaw ; later Ada wrote", [Mention(0, 2), Mention(3, 4)])


def test_partners_whose_arguments_share_words_are_none() -> None:
    data = numbered(["A>A", "A>A", "A>B", "B>B"])
    overlapping = replace(data.instances[0].document, entities=(Entity((Mention(0, 3),)), Entity((Mention(2, 3),))))
    data = replace(data, instances=[replace(data.instances[0], document=overlapping), *data.instances[1:]])
    made = sampler(pairs_per_error=2)
    tell(made, data, ["A>A", "A>A", "A>B", "B>B"])
    assert pairs_of(drawn(made, data)) == ({(2, 1)}, {(2, 3)})


# ---- pairs -------------------------------------------------------------------------------------------------------------------

POSITIVE, NEGATIVE = {(2, 0), (3, 1), (5, 0), (7, 6)}, {(2, 1), (3, 0), (4, 0), (7, 1)}


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({}, (POSITIVE, NEGATIVE)),
        ({"pair_rule": "literal"}, (NEGATIVE, NEGATIVE)),
        ({"skip_negative_label": True}, (POSITIVE - {(7, 6)}, NEGATIVE)),
        ({"rows": "anchors"}, ({(2, 0), (3, 1), (7, 6)}, {(2, 1), (3, 0), (7, 1)})),
        ({"batch_size": 3, "pairs_per_error": 4}, (POSITIVE, NEGATIVE)),
    ],
)
def test_cloce_g08_pair_construction(arguments: Dict[str, Any], expected: Tuple[Pairs, Pairs]) -> None:
    data, made = numbered(EIGHT), sampler(**arguments)
    tell(made, data, EIGHT)
    assert pairs_of(drawn(made, data)) == expected
    figures = made.figures(data)
    assert (figures["errors"], figures["correct"]) == (5, 3)
    assert figures["pairs"] == len(expected[0]) + len(expected[1])
    if not arguments:
        assert (figures["without_true_partner"], figures["without_mistaken_partner"]) == (1, 1)


def test_rows_of_pairs_have_one_candidate_each_and_share_the_error() -> None:
    data, made = numbered(EIGHT), sampler(batch_size=8)
    tell(made, data, EIGHT)
    (contrast,) = drawn(made, data)
    either = contrast.pairing.positives + contrast.pairing.negatives
    assert torch.equal(either, torch.eye(8)) and contrast.candidates is not None and len(contrast.candidates) == 8
    assert len({id(view.input) for view in contrast.anchors}) == 5, "an error is one input however many partners it has"
    assert len({id(view.input) for view in contrast.candidates}) == 8


def test_rows_of_anchors_have_their_own_candidates() -> None:
    data, made = numbered([*EIGHT, "A>A", "B>B"]), sampler(rows="anchors", pairs_per_error=2)
    tell(made, data, [*EIGHT, "A>A", "B>B"])
    (contrast,) = drawn(made, data)
    assert sorted(contrast.pairing.positives.sum(1).tolist()) == [1, 2, 2]  # error 7 has one positive: 6
    assert contrast.pairing.negatives.sum(1).tolist() == [2, 2, 2] and contrast.pairing.idle() == 0
    assert ((contrast.pairing.positives + contrast.pairing.negatives).sum(0) == 1).all(), "each candidate is met by one anchor"


@pytest.mark.parametrize("size", [3, 16])
def test_the_norm_by_instances_gives_the_printed_sum(size: int) -> None:
    """The sum over all pairs of the epoch divided by the instances, whatever the batches."""
    told = [*EIGHT, "NA>NA", "NA>NA", "B>B"]
    data, objective = numbered(told), resolve({"@objectives": "relcon.MarginPairs.v1"}, "[objective]")
    vectors = torch.randn(200, 6, generator=torch.Generator().manual_seed(3))

    def vector(view: Any, word: int) -> torch.Tensor:
        """A vector for each sentence, known by a word of it."""
        return vectors[word * 20 + int(view.input.words[word][1:])]

    losses: Dict[str, float] = {}
    for norm in ("pairs", "instances"):
        made = sampler(norm=norm, batch_size=size)
        tell(made, data, told)
        contrasts, losses[norm] = drawn(made, data), 0.0
        for contrast in contrasts:
            errors = torch.stack([vector(view, 0) for view in contrast.anchors])
            partners = torch.stack([vector(view, 3) for view in contrast.candidates or []])
            losses[norm] += float(objective(errors, partners, contrast.pairing)) * len(errors) / 8
    printed = 0.0
    for is_negative, pairs in enumerate(pairs_of(contrasts)):
        for error, partner in pairs:
            distance = 1 - float(torch.cosine_similarity(vectors[error], vectors[60 + partner], dim=0))
            printed += 0.5 * max(0.0, 0.5 - distance) ** 2 if is_negative else distance**2
    assert losses["instances"] == pytest.approx(printed / len(told), rel=1e-5)
    assert losses["pairs"] == pytest.approx(printed / 8, rel=1e-5)


@pytest.mark.parametrize(
    "told, why",
    [
        (["A>A", "B>B"], "none of 2 predictions was wrong"),
        (["A>B", "B>A"], "none of 2 predictions was right, so no error has a partner"),
        (["A>B", "C>C"], "none of 1 errors has a partner among 1 right predictions"),
    ],
)
def test_an_epoch_without_pairs_has_no_batch_and_says_why(told: List[str], why: str) -> None:
    data, made = numbered(told), sampler()
    tell(made, data, told)
    assert drawn(made, data) == [] and made.why_empty(data) == why


@given(st.data())
def test_length_and_counts_are_exact(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 30))
    gold = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    predicted = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size)))
    usable = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    most, barred = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([[], [0]]))
    judged = Judged(gold, predicted, usable, data.draw(st.sampled_from(["corrected", "literal"])), most, barred)
    found = judged.draw(torch.Generator().manual_seed(0))
    for pairs, (positive, negative) in zip(found, judged.counts().tolist(), strict=True):
        assert [sum(not pair.is_negative for pair in pairs), sum(pair.is_negative for pair in pairs)] == [positive, negative]
        for side in (False, True):
            partners = [pair.partner for pair in pairs if pair.is_negative is side]
            assert len(set(partners)) == len(partners)
        for pair in pairs:
            assert predicted[pair.error] not in (-1, gold[pair.error])
            assert predicted[pair.partner] == gold[pair.partner] and usable[pair.partner] and gold[pair.partner] not in barred
            assert not pair.is_negative or gold[pair.partner] == predicted[pair.error]


def test_every_partner_is_as_likely_as_the_others() -> None:
    told = ["A>A"] * 4 + ["A>B", "B>B"]
    data, made = numbered(told), sampler()
    tell(made, data, told)
    found = [next(iter(pairs_of(drawn(made, data, seed))[0]))[1] for seed in range(200)]
    assert set(found) == {0, 1, 2, 3} and min(map(found.count, range(4))) > 25


# ---- predictions --------------------------------------------------------------------------------------------------------------


def test_predictions_are_those_of_the_running_epoch() -> None:
    recorder = Predictions(["a", "b", "c~1"])
    logits = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    recorder(["a", "b~2", "c~1"], logits, torch.zeros(3))
    assert recorder.classes().tolist() == [1, -1, 1], "of changed copies nothing is noted"
    recorder([None, "b", "a"], logits, torch.zeros(3))
    assert recorder.classes().tolist() == [1, 0, 1]
    recorder.begin_epoch()
    assert recorder.classes().tolist() == [-1, -1, -1]
    with pytest.raises(RelconError, match=r"predicts 'z', which is none of the 3 instances.*relcon.Instances.v1"):
        recorder(["z"], logits[:1], torch.zeros(1))


def test_nobody_told() -> None:
    with pytest.raises(RelconError, match=r"Nobody has told which instances of 'train'.*`after` of cloce.Alternation.v1"):
        sampler().length(numbered(EIGHT))


def test_contract() -> None:
    for arguments in ({"batch_size": 30}, {"batch_size": 3, "rows": "anchors", "pairs_per_error": 2}):
        data, made = tiny_split(24), sampler(**arguments)
        recorder = made.recorder(data)
        logits = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
        recorder([each.uid for each in data.instances], logits, torch.zeros(24))
        check_sampler(made, data, covers=False)


def test_an_instance_without_a_label_is_refused() -> None:
    data = numbered(["A>A"])
    data = replace(data, instances=[replace(data.instances[0], label=None)])
    with pytest.raises(RelconError, match="has no label"):
        sampler().check(data)
