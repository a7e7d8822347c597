"""Edits of words: what happens to mentions, sentences and offsets."""

from dataclasses import replace
from typing import Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Mention, Parse, Relation
from relcon.data.edits import Piece, apply_edits, joined, replaced


def sentence(*mentions: Mention) -> Document:
    """Eight numbered words, two sentences, one entity per mention, with everything that words carry."""
    words = tuple(f"w{n}" for n in range(8))
    return Document(
        id="d",
        words=words,
        entities=tuple(Entity((mention,), "T", str(n)) for n, mention in enumerate(mentions)),
        relations=(Relation(0, len(mentions) - 1, "r"),),
        sentences=((0, 5), (5, 8)),
        text=" ".join(words),
        offsets=tuple((3 * n, 3 * n + 2) for n in range(8)),
        parse=Parse((0,) * 8, ("dep",) * 8),
        metadata={"fold": 1},
    )


def texts(document: Document) -> List[str]:
    return [document.mention_text(mention) for entity in document.entities for mention in entity.mentions]


def test_one_word_for_one_moves_nothing():
    before = sentence(Mention(1, 3), Mention(6, 7))
    after = apply_edits(before, {2: [Piece("new", (2,))]})
    assert after.words == ("w0", "w1", "new", "w3", "w4", "w5", "w6", "w7")
    assert after.entities == before.entities and after.sentences == before.sentences and after.relations == before.relations
    assert (after.text, after.offsets, after.parse) == (None, None, None)
    assert after.metadata == {"fold": 1} and before.words[2] == "w2"


def test_a_longer_replacement_shifts_what_follows_and_stretches_what_holds_it():
    after = apply_edits(sentence(Mention(1, 3), Mention(2, 3), Mention(6, 7)), {2: [Piece("a", (2,)), Piece("b", (2,))]})
    assert texts(after) == ["w1 a b", "a b", "w6"]
    assert after.sentences == ((0, 6), (6, 9))


def test_deletion_shrinks_mentions_and_sentences():
    after = apply_edits(sentence(Mention(1, 4), Mention(6, 8)), {0: [], 2: [], 7: []})
    assert texts(after) == ["w1 w3", "w6"]
    assert after.sentences == ((0, 3), (3, 5))


def test_a_torn_mention_becomes_discontinuous_and_a_joined_one_whole():
    after = apply_edits(sentence(Mention(1, 3), Mention(6, 7)), {2: [Piece("w4", (4,))], 4: [Piece("w2", (2,))]})
    assert after.entities[0].mentions == (Mention(1, 5, ((1, 2), (4, 5))),)
    assert texts(after)[0] == "w1 w2"
    after = apply_edits(sentence(Mention(1, 4, ((1, 2), (3, 4))), Mention(6, 7)), {2: []})
    assert after.entities[0].mentions == (Mention(1, 3),)


def test_an_entity_keeps_its_first_mention_when_all_its_words_would_go():
    before = sentence(Mention(0, 1), Mention(6, 8))
    two = Document("d", before.words, (Entity((Mention(2, 4), Mention(6, 7))), Entity((Mention(3, 4),))), (Relation(0, 1),))
    after = apply_edits(two, {word: [] for word in range(8)})
    assert after.words == ("w2", "w3")
    assert texts(after) == ["w2 w3", "w3"]
    after = apply_edits(two, {6: []})
    assert texts(after) == ["w2 w3", "w3"], "one of two mentions may go"


def test_a_sentence_that_lost_all_words_is_dropped():
    after = apply_edits(sentence(Mention(0, 1), Mention(1, 2)), {5: [], 6: [], 7: []})
    assert after.sentences == ((0, 5),)


def test_a_replaced_mention_takes_nested_ones_along():
    after = apply_edits(sentence(Mention(1, 4), Mention(2, 3), Mention(3, 6)), replaced([1, 2, 3], ["[MASK]"]))
    assert after.words == ("w0", "[MASK]", "w4", "w5", "w6", "w7")
    assert texts(after) == ["[MASK]", "[MASK]", "[MASK] w4 w5"]


def test_nothing_to_change_gives_an_equal_copy_of_its_own():
    before = sentence(Mention(0, 1), Mention(1, 2))
    after = apply_edits(before, {})
    assert after == before and after is not before


def test_joined_groups():
    assert joined([[4, 5], [1], [5, 6], [8], [6, 7]]) == [(1,), (4, 5, 6, 7), (8,)]


@st.composite
def changes(draw: st.DrawFn, size: int = 8) -> Dict[int, List[Piece]]:
    """Deletions, replacements and moves of any kind."""
    edits: Dict[int, List[Piece]] = {}
    for word in draw(st.sets(st.integers(0, size - 1))):
        sources = st.lists(st.integers(0, size - 1), max_size=2, unique=True).map(tuple)
        edits[word] = [Piece("x", source) for source in draw(st.lists(sources, max_size=2))]
    return edits


spans = st.tuples(st.integers(0, 7), st.integers(1, 4)).map(lambda pair: Mention(pair[0], min(8, pair[0] + pair[1])))


@settings(max_examples=300, deadline=None)
@given(st.lists(spans, min_size=2, max_size=4), changes())
def test_mentions_cover_exactly_the_words_that_stand_for_theirs(mentions: List[Mention], edits: Dict[int, List[Piece]]):
    before = sentence(*mentions)
    after = apply_edits(before, edits)
    line = [piece for n, word in enumerate(before.words) for piece in edits.get(n, [Piece(word, (n,))])]
    for old, new in zip(before.entities, after.entities, strict=True):
        wanted = {n for n, piece in enumerate(line) if set(piece.sources) & set(range(*old.mentions[0][:2]))}
        if len(line) == len(after.words):  # no entity had to be kept
            assert wanted == {word for mention in new.mentions for start, end in mention.spans for word in range(start, end)}
    assert after.relations == before.relations
    assert [start for start, _ in after.sentences] == [0, *(end for _, end in after.sentences[:-1])]
    assert after.sentences[-1][1] == len(after.words)


def test_inconsistent_edits_are_refused():
    with pytest.raises(IndexError):
        apply_edits(sentence(Mention(0, 1), Mention(1, 2)), {0: [Piece("x", (99,))]})


def test_mentions_that_touch_do_so_in_the_changed_document():
    """Without a character between them in the text: blinding merges them before and after, wherever they moved."""
    before = replace(sentence(Mention(2, 3), Mention(3, 5), Mention(6, 8)), text=None, offsets=touching(3))
    assert before.touch(Mention(3, 5), Mention(2, 3)) and not before.touch(Mention(3, 5), Mention(5, 6))
    for edits in ({0: [Piece("new", (0,))]}, {0: []}, {1: [Piece("a", (1,)), Piece("b", (1,))], 5: []}, {4: [Piece("long", (4,))]}):
        after = apply_edits(before, edits)
        one, two, three = (entity.mentions[0] for entity in after.entities)
        assert after.touch(one, two) and not after.touch(two, three) and after.text is None
        assert apply_edits(after, {len(after.words) - 1: [Piece("z", (len(after.words) - 1,))]}).touch(one, two)
    parted = apply_edits(before, {3: [Piece("between"), Piece("w3", (3,))]})
    assert parted.offsets is None, "a word between them parts them"
    assert apply_edits(replace(before, offsets=None), {0: []}).offsets is None


def touching(border: int) -> Tuple[Tuple[int, int], ...]:
    """Offsets of eight words of two characters with a space between, but for one border."""
    return tuple((3 * n - (n >= border), 3 * n + 2 - (n >= border)) for n in range(8))
