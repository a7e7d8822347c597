"""Shortest dependency paths."""

from typing import List, Optional, Sequence, Tuple

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Mention, Parse, WordSpan
from relcon.data.paths import dependency_path, shortest_path, syntactic_head
from relcon.errors import RelconError

WORDS = tuple(["Our", "data", "clearly", "suggest", "that", "PROTA", "directly", "binds", "with", "PROTB", "in", "yeast", "cells", "."])
UD = (1, 3, 3, 3, 7, 7, 7, 3, 9, 7, 12, 12, 7, 3)
SPACY = (1, 3, 3, 3, 7, 7, 7, 3, 7, 8, 7, 12, 10, 3)
UD_LABELS = ["nmod:poss", "nsubj", "advmod", "root", "mark", "nsubj", "advmod", "ccomp", "case", "obl", "case", "compound", "obl", "punct"]
SPACY_LABELS = ["poss", "nsubj", "advmod", "ROOT", "mark", "nsubj", "advmod", "ccomp", "prep", "pobj", "prep", "compound", "pobj", "punct"]


def document(heads: Sequence[int], labels: Sequence[str] = (), sentences: Tuple[WordSpan, ...] = ()) -> Document:
    words = tuple(f"w{n}" for n in range(len(heads)))
    return Document("d", words, sentences=sentences, parse=Parse(tuple(heads), tuple(labels) or ("dep",) * len(heads)))


def path(text: Document, head: WordSpan, tail: WordSpan, **options: bool) -> Optional[List[int]]:
    return dependency_path(text, Mention(*head), Mention(*tail), **options)


@pytest.mark.parametrize(
    ("heads", "labels", "collapse", "expected"),
    [
        (UD, UD_LABELS, False, [5, 7, 9]),
        (UD, UD_LABELS, True, [5, 7, 9]),
        (SPACY, SPACY_LABELS, False, [5, 7, 8, 9]),
        (SPACY, SPACY_LABELS, True, [5, 7, 9]),
    ],
)
def test_clre_fact_06(heads: Tuple[int, ...], labels: List[str], collapse: bool, expected: List[int]) -> None:
    text = Document("d", WORDS, parse=Parse(heads, tuple(labels)))
    assert (WORDS[5], WORDS[9]) == ("PROTA", "PROTB")
    assert path(text, (5, 6), (9, 10), collapse_prepositions=collapse) == expected
    assert path(text, (9, 10), (5, 6), collapse_prepositions=collapse) == expected[::-1]


def test_only_prepositions_between_their_two_arguments_collapse() -> None:
    """`binding of A by B`: 'of' and 'by' (agent) go; a preposition at an end of the path stays."""
    text = document([0, 0, 1, 0, 3], ["ROOT", "prep", "pobj", "agent", "pobj"])
    assert path(text, (2, 3), (4, 5)) == [2, 0, 4]
    assert path(text, (1, 2), (4, 5)) == [1, 0, 4]
    assert path(text, (2, 3), (4, 5), collapse_prepositions=False) == [2, 1, 0, 3, 4]


def test_a_mention_of_several_words_stands_at_its_head() -> None:
    parse = Parse((2, 2, 4, 2, 4), ("dep",) * 5)
    assert syntactic_head(parse, Mention(0, 3)) == 2
    assert syntactic_head(parse, Mention(0, 2)) == 0  # both heads outside: the leftmost
    assert syntactic_head(parse, Mention(2, 5)) == 4  # a root
    assert path(document(parse.heads), (0, 3), (4, 5)) == [2, 4]


def test_fragments_count_as_one_set_of_words() -> None:
    """Word 1 lies between the fragments: it is not part of the mention, so word 0, which hangs on it, is the head."""
    parse = Parse((1, 3, 0, 3), ("dep",) * 4)
    assert syntactic_head(parse, Mention(0, 3, ((0, 1), (2, 3)))) == 0
    assert syntactic_head(parse, Mention(0, 3)) == 1


def test_overlapping_mentions_may_share_their_head() -> None:
    assert path(document([1, 2, 2]), (0, 2), (1, 2)) == [1]


def test_no_path_between_trees_unless_sentences_are_joined() -> None:
    """Roots 1, 3 and 5 of three sentences."""
    text = document([1, 1, 3, 3, 5, 5], sentences=((0, 2), (2, 4), (4, 6)))
    assert path(text, (0, 1), (4, 5)) is None
    assert path(text, (0, 1), (4, 5), join_sentences=True) == [0, 1, 3, 5, 4]
    assert path(text, (4, 5), (0, 1), join_sentences=True) == [4, 5, 3, 1, 0]
    assert path(text, (0, 1), (2, 3), join_sentences=True) == [0, 1, 3, 2]


def test_two_trees_in_one_sentence_are_joined_at_their_roots() -> None:
    assert path(document([1, 1, 3, 3]), (0, 1), (2, 3), join_sentences=True) == [0, 1, 3, 2]


def test_a_missing_parse_and_a_circle_of_heads_are_said() -> None:
    with pytest.raises(RelconError, match=r"'d' has no dependency parse.*\[data.parser\]"):
        path(Document("d", ("a", "b")), (0, 1), (1, 2))
    with pytest.raises(RelconError, match="run in a circle"):
        path(document([1, 0, 2]), (0, 1), (2, 3))
    with pytest.raises(RelconError, match="run in a circle"):
        path(document([1, 0, 2]), (0, 2), (2, 3))


@given(st.lists(st.integers(0, 100), min_size=1, max_size=25), st.integers(0, 24), st.integers(0, 24))
@settings(max_examples=200, deadline=None)
def test_equal_to_networkx(choices: List[int], a: int, b: int) -> None:
    """Random forests: each word hangs on an earlier one or is a root."""
    heads = tuple(choice % (number + 1) for number, choice in enumerate(choices))
    a, b = a % len(heads), b % len(heads)
    graph = networkx.Graph([(number, head) for number, head in enumerate(heads)])
    expected = networkx.shortest_path(graph, a, b) if networkx.has_path(graph, a, b) else None
    assert shortest_path(Parse(heads, ("dep",) * len(heads)), a, b) == expected
