"""What every augmenter promises, on documents of all kinds: repeated names, nested and overlapping entities, one word, no room."""

import copy
from itertools import pairwise
from typing import Any, Dict, List, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.interfaces import Augmenter, SynonymSource


class Toy(SynonymSource):
    def synonyms(self, word: str) -> List[str]:
        return {"a": ["alpha", "a one"], "b": ["beta"], "c": ["gamma delta epsilon"]}.get(word, [])


AUGMENTERS: Dict[str, Dict[str, Any]] = {
    "RandomSwap": {"rate": 0.5, "keep_last": False},
    "RandomDeletion": {"rate": 0.6},
    "SynonymReplacement": {"synonyms": Toy(), "rate": 0.5, "stop_words": []},
    "EntityMasking": {"rate": 0.6, "which": "others"},
    "EntityReplacement": {"rate": 0.6, "which": "others"},
    "Unchanged": {},
}


def built(name: str) -> Augmenter:
    return Augmenter.registry.get(f"relcon.{name}.v1")(**AUGMENTERS[name])


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Few forms (so names repeat), any spans (so they nest and overlap), some mentions in two parts, one to three sentences."""
    words = tuple(draw(st.lists(st.sampled_from(["a", "b", "c", "A", "."]), min_size=1, max_size=12)))
    of_one = st.lists(mentions(len(words)), min_size=1, max_size=2, unique=True).map(tuple)
    entities = tuple(draw(st.lists(st.builds(Entity, of_one, st.sampled_from(["T", "U"])), min_size=2, max_size=4)))
    cuts = [0, *sorted(draw(st.sets(st.integers(1, len(words)), max_size=2)) - {len(words)}), len(words)]
    number = st.integers(0, len(entities) - 1)
    relations = tuple(Relation(head, tail, "r") for head, tail in draw(st.lists(st.tuples(number, number), max_size=3)))
    return Document("d", words, entities, relations, tuple(pairwise(cuts)))


@st.composite
def mentions(draw: st.DrawFn, size: int) -> Mention:
    start = draw(st.integers(0, size - 1))
    end = draw(st.integers(start + 1, min(size, start + 4)))
    if end - start >= 3 and draw(st.booleans()):
        return Mention(start, end, ((start, start + 1), (end - 1, end)))
    return Mention(start, end)


@st.composite
def asked(draw: st.DrawFn) -> Tuple[Document, List[Tuple[int, int]], int]:
    document = draw(documents())
    number = st.integers(0, len(document.entities) - 1)
    return document, draw(st.lists(st.tuples(number, number), min_size=1, max_size=2)), draw(st.integers(0, 1000))


def run(name: str, document: Document, pairs: List[Tuple[int, int]], generator: torch.Generator) -> Document:
    augmenter = built(name)
    augmenter.prepare([Instance(document, head, tail) for head, tail in pairs])
    return augmenter(document, pairs, generator)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", AUGMENTERS)
@settings(max_examples=120, deadline=None)
@given(asked())
def test_promises(name: str, case: Tuple[Document, List[Tuple[int, int]], int]):
    document, pairs, seed = case
    before = copy.deepcopy(document)
    after = run(name, document, pairs, seeded(seed))
    assert document == before and after is not document, "the input is never modified"
    assert after.faults() == [] and after.relations == document.relations
    assert len(after.entities) == len(document.entities)
    assert [(entity.type, entity.id) for entity in after.entities] == [(entity.type, entity.id) for entity in document.entities]
    assert [start for start, _ in after.sentences] == [0, *(end for _, end in after.sentences[:-1])]
    assert after.sentences[-1][1] == len(after.words)
    assert run(name, document, pairs, seeded(seed)) == after, "one seed, one result"


@pytest.mark.parametrize("name", AUGMENTERS)
@settings(max_examples=120, deadline=None)
@given(asked())
def test_the_mentions_of_the_pairs_keep_their_words(name: str, case: Tuple[Document, List[Tuple[int, int]], int]):
    document, pairs, seed = case
    after = run(name, document, pairs, seeded(seed))
    for number in {number for pair in pairs for number in pair}:
        old, new = document.entities[number], after.entities[number]
        assert [document.mention_text(mention) for mention in old.mentions] == [after.mention_text(mention) for mention in new.mentions]


@pytest.mark.parametrize("name", ["RandomSwap", "RandomDeletion", "SynonymReplacement"])
def test_a_document_of_protected_words_only_comes_back_equal(name: str):
    document = Document("d", ("a", "b", "a"), (Entity((Mention(0, 2),)), Entity((Mention(1, 3),))), (Relation(0, 1, "r"),))
    assert run(name, document, [(0, 1)], seeded(0)) == document


@pytest.mark.parametrize("name", sorted(set(AUGMENTERS) - {"Unchanged"}))
def test_one_generator_goes_on_to_new_draws(name: str):
    words = tuple("abcxyzabcxyz")
    document = Document("d", words, tuple(Entity((Mention(n, n + 1),), "T") for n in range(3, 12, 2)))
    augmenter, generator = built(name), seeded(0)
    augmenter.prepare([Instance(document, 0, 1)])
    assert len({augmenter(document, [(0, 1)], generator).words for _ in range(20)}) > 1
