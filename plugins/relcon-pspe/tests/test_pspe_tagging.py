"""Tags and the spans that they stand for: the acceptance fact, and any tags and spans."""

from itertools import pairwise
from typing import List, Tuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from relcon_pspe.tagging import FULL, SCHEMES, in_scheme, spans_of, tags_of

Spans = List[Tuple[int, int]]


def decoded(letters: str, scheme: str = FULL) -> Spans:
    return spans_of([scheme.index(letter) for letter in letters.split()], scheme)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "letters, spans",
    [
        ("B E U O I E O B B O", [(0, 2), (2, 3), (4, 6), (7, 8), (8, 9)]),
        ("B I U E I O B O O U E O I", [(0, 2), (2, 3), (3, 4), (4, 5), (6, 7), (9, 10), (10, 11), (12, 13)]),
        ("I I E", [(0, 3)]),
        ("B O E", [(0, 1), (2, 3)]),
    ],
)
def test_pspe_fact_12_any_tags_stand_for_spans(letters: str, spans: Spans) -> None:
    assert decoded(letters) == spans


def test_bio_is_read_by_the_same_rule() -> None:
    assert decoded("B I B O I I O B", "BIO") == [(0, 2), (2, 3), (4, 6), (7, 8)]


def test_of_overlapping_spans_the_longest_is_tagged() -> None:
    tags = [FULL[tag] for tag in tags_of([(1, 2), (0, 3), (2, 5), (5, 6)], 7)]
    assert tags == ["B", "I", "E", "O", "O", "U", "O"], "of the two of three words the first"
    assert tags_of([], 2) == [FULL.index("O")] * 2


@st.composite
def disjoint(draw: st.DrawFn) -> Tuple[Spans, int]:
    cuts = sorted(draw(st.sets(st.integers(0, 12), min_size=2)))
    spans = [span for span in pairwise(cuts) if draw(st.booleans())]
    return spans, cuts[-1] + draw(st.integers(0, 2))


@given(disjoint(), st.sampled_from(list(SCHEMES)))
def test_spans_come_back_from_their_tags(case: Tuple[Spans, int], scheme: str) -> None:
    spans, size = case
    tags = in_scheme(torch.tensor(tags_of(spans, size), dtype=torch.long), scheme)  # type: ignore[arg-type]
    assert spans_of(tags.tolist(), scheme) == spans  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 4)))
def test_spans_hold_all_words_that_are_not_outside_once(tags: List[int]) -> None:
    spans = spans_of(tags, FULL)
    assert [word for start, end in spans for word in range(start, end)] == [n for n, tag in enumerate(tags) if FULL[tag] != "O"]
