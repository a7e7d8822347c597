"""Words and sentences of raw text."""

from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Mention
from relcon.data.tokens import MOST_CHARACTERS, MOST_IN_WORD, annotate, mention_at, split_at_spaces, split_sentences, split_words, word_span
from relcon.errors import RecordError

TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" .,()-'\n\t\u00a0\u2028ab𝛂E\u0301/")), min_size=1, max_size=60
)


@st.composite
def annotated_texts(draw: st.DrawFn) -> Tuple[str, List[Tuple[int, int]]]:
    """A text and spans in it, nested, overlapping, repeated, that are not only white space."""
    text = draw(TEXTS)
    ends = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(ends, ends).map(lambda span: (min(span), max(span))), max_size=5))
    return text, [(start, end) for start, end in spans if text[start:end].strip()]


@settings(max_examples=150, deadline=None)
@given(annotated_texts())
def test_every_solid_character_is_in_exactly_one_word(case: Tuple[str, List[Tuple[int, int]]]) -> None:
    text, spans = case
    words, offsets = split_words(text, [border for span in spans for border in span])
    covered = [position for start, end in offsets for position in range(start, end)]
    assert covered == [position for position, character in enumerate(text) if not character.isspace()]
    assert words == tuple(text[start:end] for start, end in offsets)
    assert all(not start < border < end for start, end in offsets for span in spans for border in span)


@settings(max_examples=150, deadline=None)
@given(annotated_texts())
def test_spans_survive_as_whole_words(case: Tuple[str, List[Tuple[int, int]]]) -> None:
    text, spans = case
    words, offsets, mentions = annotate(text, [(f"entity {n}", [span]) for n, span in enumerate(spans)])
    document = Document("d", words, tuple(Entity((mention,)) for mention in mentions), text=text, offsets=offsets)
    for (start, end), mention in zip(spans, mentions, strict=True):
        assert document.mention_text(mention) == text[start:end].strip()
        assert mention == mention_at(offsets, [(start, end)], "")


@settings(max_examples=100, deadline=None)
@given(annotated_texts(), st.lists(st.integers(1, 60), max_size=3))
def test_sentences_cover_the_words_and_cut_no_mention(case: Tuple[str, List[Tuple[int, int]]], breaks: List[int]) -> None:
    text, spans = case
    words, _, mentions = annotate(text, [("", [span]) for span in spans])
    sentences = split_sentences(words, [mention[:2] for mention in mentions], [b for b in breaks if b < len(words)])
    assert [word for start, end in sentences for word in range(start, end)] == list(range(len(words)))
    borders = {start for start, _ in sentences}
    assert all(not mention.start < border < mention.end for mention in mentions for border in borders)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.lists(st.integers(0, 60), max_size=4))
def test_words_of_tokenised_text(text: str, cuts: List[int]) -> None:
    assert split_at_spaces(text).words == tuple(text.split())
    assert "".join(split_at_spaces(text, cuts).words) == "".join(text.split())


def test_english_rules_and_the_cut_at_a_mention() -> None:
    assert split_words("Anti-IgE (e.g. omalizumab) wasn't given.").words[:6] == ("Anti", "-", "IgE", "(", "e.g.", "omalizumab")
    words, _, (mention,) = annotate("pre-NF-kappaBs.", [("entity", [(4, 13)])])
    assert words[mention.start : mention.end] == ("NF", "-", "kappaB") and words[mention.end :] == ("s", ".")


def test_discontinuous_mentions_have_fragments_in_text_order() -> None:
    *_, mentions = annotate("alpha and beta blockers", [("one", [(15, 23), (0, 5)]), ("two", [(10, 23)])])
    assert mentions == (Mention(0, 4, ((0, 1), (3, 4))), Mention(2, 4))


@pytest.mark.parametrize(
    ("span", "message"),
    [((3, 3), "x has the span [3, 3), which is empty"), ((2, 99), "outside the 5 characters"), ((1, 2), "x covers no whole word")],
)
def test_spans_that_are_none_are_refused(span: Tuple[int, int], message: str) -> None:
    with pytest.raises(RecordError) as caught:
        annotate("a b c", [("x", [span])])
    assert message in str(caught.value)


def test_spans_inside_words_are_refused_where_words_are_given() -> None:
    for start, end in ((0, 2), (1, 7), (0, 6)):
        with pytest.raises(RecordError, match="x begins or ends inside a word"):
            word_span([(0, 3), (4, 7)], start, end, "x")
    with pytest.raises(RecordError, match="x covers no whole word"):
        word_span([(0, 3), (4, 7)], 1, 3, "x")
    assert word_span([(0, 3), (4, 7)], 0, 4, "x") == (0, 1)


def sentences(text: str, *mentions: str) -> List[str]:
    words, _, found = annotate(text, [(m, [(text.index(m), text.index(m) + len(m))]) for m in mentions])
    return [" ".join(words[start:end]) for start, end in split_sentences(words, [mention[:2] for mention in found])]


@pytest.mark.parametrize(
    "text",
    [
        "We saw it, e.g. In mice, i.e. There.",
        "It rose vs. Controls, see Fig. 3A and refs. 4.",
        "Smith et al. Showed approx. Nothing by E. coli.",
        "It was given i.p. to mice.",
        "The p.o. dose (5 mg.) of zorvane.",
    ],
)
def test_abbreviations_end_no_sentence(text: str) -> None:
    assert len(sentences(text)) == 1


def test_sentences_end_where_they_should() -> None:
    assert sentences("It rose. p53 fell! (A third.) Why? Because.") == ["It rose .", "p53 fell !", "( A third . )", "Why ?", "Because ."]


def test_a_mention_is_never_cut_and_its_letter_is_no_initial() -> None:
    assert len(sentences("We gave St. John's Wort. Extract twice.", "Wort. Extract")) == 1
    assert sentences("We gave vitamin E. Then we left.", "vitamin E") == ["We gave vitamin E .", "Then we left ."]
    assert len(sentences("We met J. Then we left.")) == 1


def test_a_break_begins_a_sentence() -> None:
    assert split_sentences(("A", "title", "a", "text"), breaks=[2]) == ((0, 2), (2, 4))
    assert split_sentences(("A", "title"), breaks=[0, 2]) == ((0, 2),)
    assert split_sentences(()) == ()


def test_a_long_stretch_without_white_space_is_cut() -> None:
    """spaCy alone takes minutes for a stretch of a million characters."""
    words = split_words("Orsk " + "http://" * 20_000 + " Irum").words
    assert max(map(len, words)) <= MOST_IN_WORD and (words[0], words[-1]) == ("Orsk", "Irum")
    assert "".join(words) == "Orsk" + "http://" * 20_000 + "Irum"
    assert split_words("x" * MOST_IN_WORD).words == ("x" * MOST_IN_WORD,)


def test_texts_that_cannot_be_cut_into_words_are_refused() -> None:
    with pytest.raises(RecordError, match=r"has half of a character \(\\ud800\) at character 2"):
        split_words("a \ud800 b")
    with pytest.raises(RecordError, match=r"has 1,000,001 characters; at most 1,000,000"):
        split_words("x" * (MOST_CHARACTERS + 1))
