"""What pre-training draws from plain sentences: the acceptance facts, what views hide, weights, and texts that give little or nothing."""

import logging
from collections import Counter
from typing import Any, Dict, List, Sequence, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_pspe.drawing import segments
from relcon_pspe.permuting import order_of
from relcon_pspe.sampler import halves

from relcon.config import resolve
from relcon.contrast import Batch, Contrast, Input, Labelled, Span, Text, View
from relcon.data.document import Document
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Draw, Split, Vocabulary
from relcon.testing import check_sampler

MASK = 4
PIECES = {"mike": "mi ##ke", "galanos": "gal ##ano ##s"}
IDS: Dict[str, int] = {"[M]": MASK}
"""Piece -> its id, as pieces are met."""


class Cut(Vocabulary):
    """A word has the pieces of the table, or as many as the figure says that it ends with, or is one piece."""

    size, mask, limit = 10_000, MASK, 512

    def pieces(self, word: str) -> List[int]:
        count = int(word[-1]) if word[-1].isdigit() else 1
        cut = PIECES[word].split() if word in PIECES else [word, *(f"##{word}{number}" for number in range(1, count))]
        return [IDS.setdefault(piece, 10 + len(IDS)) for piece in cut]


def build(**arguments: Any) -> Any:
    return resolve({"@samplers": "pspe.SpanPairs.v1", **arguments}, "[sampler]")


def split(*sentences: str) -> Split:
    """Each sentence a document."""
    documents = [Document(f"d{number}", tuple(sentence.split())) for number, sentence in enumerate(sentences)]
    return Split("train", documents, [], LabelSet(()))


def drawn(sampler: Any, data: Split, epoch: int = 0, seed: int = 0) -> List[Batch]:
    return list(sampler.batches(data, Draw(epoch, torch.Generator().manual_seed(seed), Cut())))


def parts(batch: Batch) -> Tuple[Contrast, Labelled, Labelled]:
    contrast, permutation, boundary = batch["contrast"], batch["permutation"], batch["boundary"]
    assert isinstance(contrast, Contrast) and isinstance(permutation, Labelled) and isinstance(boundary, Labelled)
    return contrast, permutation, boundary


def text_of(view: View) -> Text:
    assert isinstance(view.input, Text)
    return view.input


def shown(text: Text) -> List[List[str]]:
    """The pieces of every word as an encoder would see them."""
    pieces = [Cut().pieces(word) for word in text.words]
    for word, piece, number in text.edits:
        for place in range(len(pieces[word])) if piece < 0 else [piece]:
            pieces[word][place] = number
    names = {number: name for name, number in IDS.items()}
    return [[names[number] for number in word] for word in pieces]


def line_of(text: Text) -> str:
    return " ".join(piece for word in shown(text) for piece in word)


def pair_of(view: View) -> Tuple[Tuple[int, int], Tuple[int, int]]:
    (first,), (second,) = view.unit
    return (first.start, first.end), (second.start, second.end)


def views_of(batch: Batch) -> List[Tuple[View, View]]:
    """(target view, context view) of every sentence."""
    contrast, _, _ = parts(batch)
    count = len(contrast.anchors) // 2
    return list(zip(contrast.anchors[:count], contrast.anchors[count:], strict=True))


# ---- facts ---------------------------------------------------------------------------------------------------------------

CHANCES = [0.224058, 0.179246, 0.143397, 0.114718, 0.091774, 0.073419, 0.058735, 0.046988, 0.037591, 0.030073]


def test_pspe_fact_10_span_lengths() -> None:
    chances = build().recipe.lengths
    assert chances.tolist() == pytest.approx(CHANCES, abs=1e-6) and float(chances.sum()) == pytest.approx(1)
    lengths = torch.arange(1, 11, dtype=torch.float64)
    assert float(chances @ lengths) == pytest.approx(3.797098, abs=1e-6) and float(chances[2:].sum()) == pytest.approx(0.596696, abs=1e-6)


def test_pspe_fact_10_lengths_of_drawn_spans() -> None:
    """Of two spans in 128 words few are refused, so the drawn lengths are nearly those of the table."""
    data = split(*[" ".join(["w"] * 128)] * 4000)
    (batch,) = drawn(build(batch_size=4000, permuted=0, boundary=0.0, max_pieces=200), data)
    pairs = [pair_of(target) for target, _ in views_of(batch)]
    counts = Counter(end - start for pair in pairs for start, end in pair)
    assert set(counts) == set(range(1, 11))
    for length, chance in enumerate(CHANCES, start=1):
        assert counts[length] / 8000 == pytest.approx(chance, abs=0.02)
    starts = torch.tensor([start for pair in pairs for start, _ in pair], dtype=torch.float64)
    assert float(starts.mean()) == pytest.approx(62, abs=3), "uniform over the words at which a span fits"
    assert any(pair[0][1] == pair[1][0] for pair in pairs), "spans may follow each other"


def test_pspe_fact_07_permutation_classes() -> None:
    found = ["".join("abcde"[old] for old in order_of(5, [((0, 5), number)])) for number in range(6)]
    assert found == ["abcde", "aebcd", "bcdae", "bcdea", "eabcd", "ebcda"]
    assert [order_of(4, [((0, 3), number)]) for number in (0, 5)] == [[0, 1, 2, 3], [2, 1, 0, 3]]


SENTENCE = "a b c d e f g h i j k l m n o p q r"


@pytest.mark.parametrize("permuted", [0, 1, 2])
def test_pspe_fact_07_segments_that_are_permuted(permuted: int) -> None:
    (batch,) = drawn(build(batch_size=300, permuted=permuted), split(*[SENTENCE] * 300))
    _, permutation, _ = parts(batch)
    by_text: Dict[Text, List[Tuple[int, int]]] = {}
    assert permutation.labels is not None
    for view, label in zip(permutation.views, permutation.labels.tolist(), strict=True):
        ((span,),) = view.unit
        assert span.end - span.start >= 3
        words = SENTENCE.split()[span.start : span.end]
        expected = [words[old] for old in order_of(len(words), [((0, len(words)), label)])]
        assert list(text_of(view).words[span.start : span.end]) == expected, "the class says what was done"
        by_text.setdefault(text_of(view), []).append((span.start, span.end))
    for target, context in views_of(batch):
        pair, own = pair_of(target), [*by_text.get(text_of(target), []), *by_text.get(text_of(context), [])]
        long = [(start, end) for start, end in segments(pair, 18) if end - start >= 3]
        assert set(own) <= set(long) and len(own) == min(permuted, len(long))
        assert set(by_text.get(text_of(target), [])) <= set(pair) and not set(by_text.get(text_of(context), [])) & set(pair)


def test_pspe_fact_07_classes_are_equally_probable_unless_said() -> None:
    def shares(**arguments: Any) -> List[float]:
        (batch,) = drawn(build(batch_size=3000, **arguments), split(*[SENTENCE] * 3000))
        labels = parts(batch)[1].labels
        assert labels is not None
        return (torch.bincount(labels, minlength=6) / len(labels)).tolist()

    assert shares() == pytest.approx([1 / 6] * 6, abs=0.025)
    assert shares(identity_prob=0.5) == pytest.approx([0.5, *[0.1] * 5], abs=0.025)
    assert shares(identity_prob=1.0) == [1, 0, 0, 0, 0, 0]


WORKED = "mike galanos is off tonight ."
HIDDEN = {
    "galanos": [(1, 1, "##ano"), (1, 2, "##s")],  # the budget of 2 is spent
    "mike": [(0, 1, "##ke"), (1, 1, "##ano"), (1, 2, "##s")],  # the last word is hidden whole
}
"""The word that comes first in random order -> (word, place, piece) of what is hidden."""


def test_pspe_fact_11_views_of_a_worked_sentence() -> None:
    (batch,) = drawn(build(batch_size=6000, max_span=2), split(*[WORKED] * 6000))
    _, permutation, boundary = parts(batch)
    asked: Dict[Input, List[Tuple[int, int, str]]] = {}
    names = {number: name for name, number in IDS.items()}
    assert boundary.labels is not None
    for view, label, offset in zip(boundary.views, boundary.labels.tolist(), boundary.extra["offset"].tolist(), strict=True):
        ((span,),) = view.unit
        assert span == Span(span.start, span.start + 1, 0), "asked at the first piece"
        asked.setdefault(view.input, []).append((span.start, offset, names[label]))
    found: List[str] = []
    for target, context in views_of(batch):
        if pair_of(target) == ((0, 2), (4, 5)):
            assert context.input not in asked and all(view.input not in target for view in permutation.views)
            (first,) = [word for word, hidden in HIDDEN.items() if hidden == sorted(asked[target.input])]
            mike = "mi ##ke" if first == "galanos" else "mi [M]"
            assert line_of(text_of(target)) == f"{mike} gal [M] [M] [M] [M] tonight [M]"
            assert line_of(text_of(context)) == "[M] [M] [M] [M] [M] is off [M] ."
            found.append(first)
    assert found.count("galanos") > 5 and found.count("mike") > 5


# ---- what holds for every example ---------------------------------------------------------------------------------------

words = st.sampled_from(["a", "b", "c2", "d3", "e5", "f"])
sentences = st.lists(words, min_size=2, max_size=30).map(" ".join)
recipes = st.fixed_dictionaries(
    {
        "permuted": st.integers(0, 3),
        "permute": st.sampled_from(["all", "spans"]),
        "permutations": st.integers(1, 6),
        "boundary": st.sampled_from([0.0, 0.15, 1.0]),
        "max_masked": st.integers(1, 20),
        "max_span": st.integers(1, 10),
        "resample": st.booleans(),
    }
)


@settings(deadline=None, max_examples=150)
@given(st.lists(sentences, min_size=1, max_size=4), recipes, st.integers(0, 99))
def test_of_any_sentences(lines: List[str], arguments: Dict[str, Any], seed: int) -> None:
    sampler = build(batch_size=len(lines), shuffle=False, max_pieces=200, **arguments)
    try:
        (batch,) = drawn(sampler, split(*lines), seed=seed)
    except RelconError:
        assert all(len(line.split()) <= arguments["max_span"] for line in lines), "one span may leave no room for the other"
        return
    contrast, permutation, boundary = parts(batch)
    offsets = boundary.extra["offset"].tolist()
    hidden = {(view.input, view.unit[0][0].start, offset) for view, offset in zip(boundary.views, offsets, strict=True)}
    assert len(hidden) == len(boundary.views)
    for target, context in views_of(batch):
        (a, b), (c, d) = pair = pair_of(target)
        one, other = text_of(target), text_of(context)
        assert 0 <= a < b <= c < d <= len(one.words) and pair_of(context) == pair and b - a <= arguments["max_span"] >= d - c
        assert one.words == other.words and sorted(one.words) in [sorted(line.split()) for line in lines]
        assert (arguments["permutations"] == 1 and arguments["permuted"]) or " ".join(one.words) in lines, "else in its own order"
        check_partition(one, other, pair, hidden)
    check_questions(permutation, boundary, arguments)
    check_weights(permutation, contrast)
    check_weights(boundary, contrast)


def check_partition(target: Text, context: Text, pair: Sequence[Tuple[int, int]], hidden: Any) -> None:
    """Every piece is read in one view: that of its word; hidden ones in none, and each of them is asked for in the view of its word."""
    whole = shown(Text(target.words))
    for word, (there, here, pieces) in enumerate(zip(shown(target), shown(context), whole, strict=True)):
        own, strange, text = (there, here, target) if any(start <= word < end for start, end in pair) else (here, there, context)
        assert set(strange) == {"[M]"}
        for place, (seen, piece) in enumerate(zip(own, pieces, strict=True)):
            assert seen == ("[M]" if (text, word, place) in hidden else piece)


def check_questions(permutation: Labelled, boundary: Labelled, arguments: Dict[str, Any]) -> None:
    assert permutation.labels is not None and boundary.labels is not None
    assert arguments["boundary"] or not boundary.views
    assert arguments["permuted"] or not permutation.views
    assert all(len(view.unit) == 1 for view in (*permutation.views, *boundary.views))
    several = arguments["permutations"]
    if several > 1:
        for first in range(0, len(permutation.labels), several):
            labels = permutation.labels[first : first + several].tolist()
            assert labels[0] == 0 and len(set(labels)) == several, "its own order always, the others different"
            texts = [view.input for view in permutation.views[first : first + several]]
            assert len(set(map(id, texts))) == several and len({view.unit for view in permutation.views[first : first + several]}) == 1
            assert len({tuple(sorted(map(tuple, shown(text)))) for text in texts if isinstance(text, Text)}) == 1, "edits go with words"


def check_weights(value: Labelled, contrast: Contrast) -> None:
    """The weighted mean of any losses is (mean over target views + mean over context views) / 2."""
    count = len(contrast.anchors) // 2
    sides = {view.input: True for view in contrast.anchors[:count]} | {view.input: False for view in contrast.anchors[count:]}
    if not value.views or any(view.input not in sides for view in value.views):
        return  # copies in another order are looked at below
    losses = torch.linspace(1, 2, len(value.views))
    target = torch.tensor([sides[view.input] for view in value.views])
    means = [losses[side].mean() if bool(side.any()) else torch.tensor(0.0) for side in (target, ~target)]
    torch.testing.assert_close((value.extra["weight"] * losses).mean(), sum(means) / 2)


@given(st.lists(st.booleans(), max_size=12))
def test_weights(sides: List[bool]) -> None:
    target = torch.tensor(sides, dtype=torch.bool)
    weights = halves(target)
    assert weights.shape == target.shape
    for side in (target, ~target):
        if bool(side.any()):
            assert float(weights[side].sum()) / len(sides) == pytest.approx(0.5)


def test_copies_of_a_segment_have_the_side_of_its_view() -> None:
    (batch,) = drawn(build(batch_size=50, permutations=3), split(*[SENTENCE] * 50))
    contrast, permutation, _ = parts(batch)
    weight = permutation.extra["weight"]
    assert permutation.views and len(set(weight.tolist())) == 2
    targets = {view.input for view in contrast.anchors[:50]}
    first = [view.input in targets for view in permutation.views[::3]]
    assert len({(side, round(value, 6)) for side, value in zip(first, weight[::3].tolist(), strict=True)}) == 2
    assert weight.view(-1, 3).eq(weight.view(-1, 3)[:, :1]).all()


# ---- the contrast --------------------------------------------------------------------------------------------------------


def test_each_view_attracts_the_other_one_of_its_sentence() -> None:
    (batch,) = drawn(build(batch_size=3, same_sentence="ignore"), split("a b c", "d e f g", "a b c"))
    contrast, _, _ = parts(batch)
    assert contrast.candidates is not None and contrast.anchor_tags is not None and contrast.candidate_tags is not None
    assert contrast.candidates == [*contrast.anchors[3:], *contrast.anchors[:3]]
    assert contrast.pairing.positives.equal(torch.eye(6)) and not bool(contrast.pairing.negatives.any())
    assert len({view.input for view in contrast.anchors}) == 6
    assert contrast.anchor_tags.lane.tolist() == contrast.candidate_tags.lane.tolist() == [0, 0, 0, 1, 1, 1]
    keys = contrast.anchor_tags.key.view(2, 3)
    assert keys[0].equal(keys[1]) and len(set(keys[0].tolist())) == 2, "equal sentences have one key"
    assert contrast.anchor_tags.label.tolist() == [-1] * 6


def test_keys_of_a_sentence_may_repel_it() -> None:
    (batch,) = drawn(build(batch_size=2, same_sentence="repel"), split("a b c", "d e f g"))
    tags = parts(batch)[0].anchor_tags
    assert tags is not None and tags.key.tolist() == [-1] * 4 and tags.lane.tolist() == [0, 0, 1, 1]


# ---- the contract --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"drop_last": False}, {"permutations": 4}, {"shuffle": False}, {"resample": False}])
def test_contract(arguments: Dict[str, Any]) -> None:
    check_sampler(build(batch_size=5, **arguments))


def test_a_fixed_order_of_frozen_examples_repeats_itself() -> None:
    check_sampler(build(batch_size=4, shuffle=False, resample=False), epoch_dependent=False)


def test_frozen_examples_depend_on_seed_and_sentence_alone() -> None:
    def pairs(seed: int, *lines: str) -> Dict[str, Any]:
        sampler = build(batch_size=len(lines), resample=False, seed=seed, permuted=0)
        (batch,) = drawn(sampler, split(*lines), seed=len(lines))
        return {" ".join(text_of(target).words): (pair_of(target), text_of(target).edits) for target, _ in views_of(batch)}

    lines = [f"{SENTENCE} {letter}" for letter in "xyz"]
    few, many = pairs(0, lines[0]), pairs(0, *reversed(lines))
    assert few[lines[0]] == many[lines[0]] and pairs(1, *lines) != pairs(0, *lines)


def test_sentences_of_a_document_are_sentences() -> None:
    document = Document("d", tuple("abcdefgh."), sentences=((0, 3), (3, 5), (5, 9)))
    sampler = build(batch_size=1, min_words=3, max_span=1, permuted=0, shuffle=False)
    data = Split("train", [document], [], LabelSet(()))
    assert sampler.length(data) == 2
    assert [text_of(views_of(batch)[0][0]).words for batch in drawn(sampler, data)] == [("a", "b", "c"), ("f", "g", "h", ".")]


@pytest.mark.parametrize(("drop_last", "sizes"), [(True, [2, 2]), (False, [2, 2, 1])])
def test_the_last_batch(drop_last: bool, sizes: List[int]) -> None:
    sampler = build(batch_size=2, drop_last=drop_last)
    data = split(*["a b c d"] * 5)
    assert [len(views_of(batch)) for batch in drawn(sampler, data)] == sizes and sampler.length(data) == len(sizes)


# ---- little or nothing to draw from --------------------------------------------------------------------------------------


def test_unusable_sentences_are_passed_over_and_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    """Of six sentences one is a word, two have too many pieces: three batches of two have the other three twice."""
    caplog.set_level(logging.INFO)
    sampler = build(batch_size=2, max_pieces=9, shuffle=False, permuted=0, max_span=2)
    data = split("alone", "a b c", "d4 e4 f4", "g h i", "j9 k", "l m n", "o p q")
    assert sampler.length(data) == 3
    found = [text_of(target).words[0] for batch in drawn(sampler, data) for target, _ in views_of(batch)]
    assert found == ["a", "g", "l", "o", "a", "g"]
    drawn(sampler, data, epoch=1)
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "leaves out" in line] == ["[train] pspe.SpanPairs.v1 leaves out sentences: 1 shorter than 2 words"]
    assert [line for line in said if "passes over" in line] == ["[train] pspe.SpanPairs.v1 passes over sentences: 2 longer than 9 pieces"]


def test_the_limit_of_the_encoder_counts_too() -> None:
    vocabulary = Cut()
    vocabulary.limit = 6
    with pytest.raises(RelconError, match="None of the 1 sentences of the split 'train' can be used: 1 longer than 6 pieces"):
        list(build(batch_size=1).batches(split("a b c d e"), Draw(0, torch.Generator(), vocabulary)))
    assert list(build(batch_size=1).batches(split("a b c d"), Draw(0, torch.Generator(), vocabulary)))


def test_spans_longer_than_the_sentence_are_never_drawn() -> None:
    (batch,) = drawn(build(batch_size=200, max_span=10), split(*["a b"] * 200))
    assert {pair_of(target) for target, _ in views_of(batch)} == {((0, 1), (1, 2))}


def test_no_two_spans() -> None:
    with pytest.raises(RelconError, match=r"can be used: 3 without two spans in 2 tries.*lower max_span"):
        drawn(build(batch_size=1, tries=2, p=0.001, max_span=1000), split(*["a b"] * 3))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "has no sentence of 2 to 128 words .it is empty."),
        (["one", "two"], "has no sentence of 2 to 128 words .2 shorter than 2 words."),
        (["a b", " ".join("w" * 129)], "has 1 sentences of 2 to 128 words, fewer than one batch of 4 .batch_size.*drop_last = false"),
        ([" ".join("w" * 129)], "1 longer than 128 words"),
    ],
)
def test_text_without_a_batch(lines: List[str], message: str) -> None:
    for ask in ("check", "length"):
        with pytest.raises(RelconError, match=message):
            getattr(build(batch_size=4), ask)(split(*lines))


def test_an_encoder_without_a_mask() -> None:
    maskless = Cut()
    maskless.mask = None  # type: ignore[assignment]
    for vocabulary in (None, maskless):
        with pytest.raises(RelconError, match="needs an encoder with a tokenizer that has a mask token"):
            list(build(batch_size=1).batches(split("a b c"), Draw(0, torch.Generator(), vocabulary)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 0}, {"min_words": 1}, {"max_words": 1}, {"max_pieces": 0}, {"p": 0.0}, {"p": 1.5}, {"max_span": 0}, {"tries": 1},
        {"permuted": -1}, {"permutations": 0}, {"permutations": 7}, {"identity_prob": 1.5}, {"permutations": 2, "identity_prob": 0.5},
        {"boundary": 1.5}, {"max_masked": 0},
    ],
)  # fmt: skip
def test_numbers_out_of_range(arguments: Dict[str, Any]) -> None:
    with pytest.raises(RelconError, match=next(iter(arguments))):
        build(**arguments)


def test_segments_around_a_pair() -> None:
    assert segments(((0, 2), (4, 5)), 6) == [(0, 0), (0, 2), (2, 4), (4, 5), (5, 6)]
    assert segments(((1, 2), (2, 3)), 5) == [(0, 1), (1, 2), (2, 2), (2, 3), (3, 5)]
