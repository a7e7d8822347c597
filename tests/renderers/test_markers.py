"""Entity markers, typed markers, punctuation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.contrast import WHOLE
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.errors import RelconError
from relcon.renderers.markers import EntityMarkers


@pytest.mark.parametrize(
    "head, tail, text",
    [
        ((1, 2), (3, 4), "a [E1] b [/E1] c [E2] d [/E2] e"),
        ((3, 4), (1, 2), "a [E2] b [/E2] c [E1] d [/E1] e"),
        ((1, 2), (2, 3), "a [E1] b [/E1] [E2] c [/E2] d e"),
        ((1, 4), (2, 3), "a [E1] b [E2] c [/E2] d [/E1] e"),
        ((1, 4), (1, 3), "a [E1] [E2] b c [/E2] d [/E1] e"),
        ((1, 3), (1, 4), "a [E2] [E1] b c [/E1] d [/E2] e"),
        ((2, 4), (1, 4), "a [E2] b [E1] c d [/E1] [/E2] e"),
        ((1, 3), (1, 3), "a [E1] [E2] b c [/E2] [/E1] d e"),
        ((1, 3), (2, 4), "a [E1] b [E2] c [/E1] d [/E2] e"),
        ((0, 5), (4, 5), "[E1] a b c d [E2] e [/E2] [/E1]"),
    ],
)
def test_markers_stand_around_their_mention_and_nest(renderer, pair, shown, slots, head, tail, text):
    view = renderer("EntityMarkers")([pair("a b c d e", head, tail)])[0]
    assert shown(view) == text
    assert slots(view) == [["[E1]"], ["[E2]"]]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8).flatmap(lambda w: st.tuples(st.just(w), *[spans(len(w))] * 2)))
@settings(max_examples=60, deadline=None)
def test_without_the_markers_the_words_are_as_before(drawn):
    words, head, tail = drawn
    instance = Instance(Document("d", tuple(words), (Entity((Mention(*head),)), Entity((Mention(*tail),)))), 0, 1)
    view = EntityMarkers(unit="mentions")([instance])[0]
    assert [word for word in view.input.words if not word.startswith("[")] == words
    for slot, span, (first, last), marks in zip(
        view.unit, (head, tail), view.input.keep, (("[E1]", "[/E1]"), ("[E2]", "[/E2]")), strict=True
    ):
        assert [w for w in view.input.words[slot[0].start : slot[0].end] if not w.startswith("[")] == words[span[0] : span[1]]
        assert (view.input.words[first], view.input.words[last - 1]) == marks


def spans(size):
    return st.integers(0, size - 1).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, size)))


def test_units(renderer, pair, slots):
    instance = pair("a b c d e", (0, 2), (3, 4))
    assert slots(renderer("EntityMarkers", unit="mentions")([instance])[0]) == [["a b"], ["d"]]
    assert renderer("EntityMarkers", unit="sentence")([instance])[0].unit == ((WHOLE,),)


def test_both_arguments_with_their_markers_survive_cropping(renderer, pair):
    view = renderer("EntityMarkers")([pair("a b c d e", (1, 3), (4, 5))])[0]
    assert [view.input.words[start:end] for start, end in view.input.keep] == [("[E1]", "b", "c", "[/E1]"), ("[E2]", "e", "[/E2]")]


def test_parts_of_a_discontinuous_mention_are_its_words(renderer, pair, shown, slots):
    view = renderer("EntityMarkers", unit="mentions")([pair("a b c d e", Mention(0, 3, ((0, 1), (2, 3))), (4, 5))])[0]
    assert shown(view) == "[E1] a b c [/E1] d [E2] e [/E2]"
    assert slots(view) == [["a", "c"], ["e"]]


def test_markers_of_ones_own(renderer, pair, shown):
    made = renderer("EntityMarkers", markers=["<e1>", "</e1>", "<e2>", "</e2>"])
    assert shown(made([pair("a b", (0, 1), (1, 2))])[0]) == "<e1> a </e1> <e2> b </e2>"
    assert tuple(made.special_tokens) == ("<e1>", "</e1>", "<e2>", "</e2>")
    with pytest.raises(RelconError, match="four words"):
        renderer("EntityMarkers", markers=["<e>"])


def test_typed_markers_tell_the_types_and_are_declared(renderer, pair, shown):
    made = renderer("TypedMarkers", types=["DRUG", "GENE OR PROTEIN", ""])
    view = made([pair("a b c", (0, 1), (2, 3), ("GENE OR PROTEIN", "DRUG"))])[0]
    assert shown(view) == "[E1-GENE_OR_PROTEIN] a [/E1-GENE_OR_PROTEIN] b [E2-DRUG] c [/E2-DRUG]"
    assert set(view.input.words) - {"a", "b", "c"} <= set(made.special_tokens)
    assert len(made.special_tokens) == 12 and "[E1]" in made.special_tokens


def test_an_undeclared_type_is_refused_with_the_nearest(renderer, pair):
    with pytest.raises(RelconError, match=r"'DRUGS'.*Did you mean 'DRUG'"):
        renderer("TypedMarkers", types=["DRUG"])([pair("a b", (0, 1), (1, 2), ("DRUGS", "DRUG"))])
    with pytest.raises(RelconError, match="types must name"):
        renderer("TypedMarkers", types=[])


def test_punctuation(renderer, pair, shown, slots):
    instance = pair("a b c", (0, 1), (2, 3), ("DRUG", "GENE-Y"))
    view = renderer("PunctuationMarkers")([instance])[0]
    assert shown(view) == "@ a @ b # c #" and slots(view) == [["@"], ["#"]] and not renderer("PunctuationMarkers").special_tokens
    assert shown(renderer("PunctuationMarkers", typed=True)([instance])[0]) == "@ * drug * a @ b # ^ gene y ^ c #"
    assert shown(renderer("PunctuationMarkers", typed=True)([pair("a b", (0, 1), (1, 2))])[0]) == "@ a @ # b #"


def test_markers_in_a_window_of_sentences(renderer, pair, shown, slots):
    instance = pair("x . a b . c .", (2, 3), (3, 4), sentences=((0, 2), (2, 5), (5, 7)))
    view = renderer("EntityMarkers", unit="mentions")([instance])[0]
    assert shown(view) == "[E1] a [/E1] [E2] b [/E2] ." and slots(view) == [["a"], ["b"]]
