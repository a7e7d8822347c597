"""A sentence of a document as a document of its own."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Mention, Parse, Relation
from relcon.data.sentences import cut_sentences


def entity(type, *spans, id=""):
    return Entity(tuple(Mention(*span) for span in spans), type, id)


TWO = Document(
    id="d",
    words=("A", "met", "B", ".", "B", "and", "C", "met", "A", "."),
    entities=(entity("P", (0, 1), (8, 9), id="a"), entity("Q", (2, 3), (4, 5)), entity("P", (6, 7))),
    relations=(Relation(0, 1, "knows", id="r", score=0.5),),
    sentences=((0, 4), (4, 10)),
    text="A met B. B and C met A.",
    offsets=((0, 1), (2, 5), (6, 7), (7, 8), (9, 10), (11, 14), (15, 16), (17, 20), (21, 22), (22, 23)),
    parse=Parse((1, 1, 1, 1, 7, 6, 4, 7, 7, 7), ("x",) * 10),
    metadata={"fold": 3},
)


def test_a_sentence_is_a_whole_document():
    """Words, text, offsets, parse and spans of the second sentence count from its beginning; mentions became entities."""
    _, (second, origins, lost) = cut_sentences(TWO)
    assert (second.id, second.words, second.text) == ("d.s1", TWO.words[4:], "B and C met A.")
    assert [second.text[start:end] for start, end in second.offsets] == list(second.words)
    found = [(each.type, each.id, each.mentions[0][:2]) for each in second.entities]
    assert found == [("Q", "", (0, 1)), ("P", "", (2, 3)), ("P", "a", (4, 5))]
    assert (origins, lost) == ((1, 2, 0), 0)
    assert second.parse.heads == (3, 2, 0, 3, 3, 3)
    assert dict(second.metadata) == {"document": "d", "fold": 3}


def test_a_relation_holds_in_every_sentence_that_mentions_both():
    first, second = cut_sentences(TWO)
    assert first.document.relations == (Relation(0, 1, "knows", id="r", score=0.5),)
    assert second.document.relations == (Relation(2, 0, "knows", id="r", score=0.5),)


def test_a_relation_holds_between_all_mentions():
    document = Document("d", ("A", "A", "saw", "B"), (entity("P", (0, 1), (1, 2)), entity("P", (3, 4))), (Relation(1, 0, "seen by"),))
    (cut,) = cut_sentences(document)
    assert cut.document.id == "d"
    assert [(each.head, each.tail) for each in cut.document.relations] == [(2, 0), (2, 1)]


def test_a_relation_over_the_border_is_counted_where_its_head_stands():
    document = replace(TWO, entities=(entity("P", (8, 9)), entity("Q", (2, 3))), relations=(Relation(0, 1, "x"), Relation(1, 0, "y")))
    assert [(cut.document.relations, cut.lost) for cut in cut_sentences(document)] == [((), 1), ((), 1)]


def test_ignored_pairs_follow_their_mentions():
    ignored = replace(TWO, relations=(), metadata={"ignored": [[0, 1], [2, 1]]})
    assert [cut.document.metadata["ignored"] for cut in cut_sentences(ignored)] == [[[0, 1]], [[2, 0], [1, 0]]]


def test_a_tree_over_two_sentences_is_dropped():
    joined = Document("d", TWO.words, sentences=TWO.sentences, parse=Parse((1, 1, 1, 1, 7, 6, 4, 1, 7, 7), ("x",) * 10))
    first, second = (cut.document for cut in cut_sentences(joined))
    assert (first.parse.heads, second.parse) == ((1, 1, 1, 1), None)


def test_a_mention_over_the_border_is_left_out():
    crossing = Document("d", TWO.words, (entity("P", (2, 5)), entity("P", (4, 5))), (Relation(0, 1, "x"),), sentences=TWO.sentences)
    assert [(len(cut.document.entities), cut.lost) for cut in cut_sentences(crossing)] == [(0, 1), (1, 0)]


@st.composite
def documents(draw):
    """Documents of one-word mentions with sentences and relations anywhere."""
    size = draw(st.integers(2, 9))
    borders = [0, *sorted(draw(st.sets(st.integers(1, size - 1)))), size]
    words = st.integers(0, size - 1)
    entities = draw(st.lists(st.lists(words, min_size=1, max_size=3, unique=True), min_size=2, max_size=4))
    numbers = st.integers(0, len(entities) - 1)
    pairs = draw(st.lists(st.tuples(numbers, numbers), max_size=5))
    return Document(
        "d",
        tuple(f"w{number}" for number in range(size)),
        tuple(entity(str(number), *((at, at + 1) for at in places)) for number, places in enumerate(entities)),
        tuple(Relation(*pair, "x", id=str(number)) for number, pair in enumerate(pairs)),
        tuple(pairwise(borders)),
    )


@settings(max_examples=100, deadline=None)
@given(documents())
def test_nothing_is_lost_uncounted(document):
    """Every word and mention is in one sentence; every relation holds somewhere or is counted, once."""
    cuts = cut_sentences(document)
    assert tuple(word for cut in cuts for word in cut.document.words) == document.words
    mentioned = Counter(origin for cut in cuts for origin in cut.origins)
    assert mentioned == {number: len(each.mentions) for number, each in enumerate(document.entities)}
    for cut in cuts:
        for relation in cut.document.relations:
            whole = document.relations[int(relation.id)]
            assert (cut.origins[relation.head], cut.origins[relation.tail]) == (whole.head, whole.tail)
    held = {relation.id for cut in cuts for relation in cut.document.relations}
    assert len(held) + sum(cut.lost for cut in cuts) == len(document.relations)
