"""Masking and replacement of entities, and no change at all."""

from collections import Counter
from typing import Any, Callable, List

import pytest
import torch

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.errors import RelconError
from relcon.interfaces import Augmenter

TEXT = "Acme Corp bought Acme of Bonn from Ann Lee"
DOCUMENT = Document(
    "d",
    tuple(TEXT.split()),
    (Entity((Mention(0, 2), Mention(3, 4)), "ORG"), Entity((Mention(3, 6),), "ORG"), Entity((Mention(7, 9),), "PER")),
    (Relation(0, 2, "r"),),
)
OTHER = Document(
    "e",
    ("Zeta", "ACME", "corp", "Bob"),
    (Entity((Mention(0, 1),), "ORG"), Entity((Mention(1, 3),), "ORG"), Entity((Mention(3, 4),), "PER")),
)


def component(name: str) -> Any:
    return Augmenter.registry.get(f"relcon.{name}.v1")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def texts(document: Document) -> List[List[str]]:
    return [[document.mention_text(mention) for mention in entity.mentions] for entity in document.entities]


def test_masking_an_argument_masks_all_its_mentions():
    copy = component("EntityMasking")(rate=1.0)(DOCUMENT, [(0, 2)], seeded())
    assert " ".join(copy.words) == "[MASK] bought [MASK] of Bonn from [MASK]"
    assert texts(copy) == [["[MASK]", "[MASK]"], ["[MASK] of Bonn"], ["[MASK]"]]
    assert copy.relations == DOCUMENT.relations


def test_overlapping_mentions_become_one_mask():
    copy = component("EntityMasking")(rate=1.0, token="[BLANK]", which="all")(DOCUMENT, [(0, 2)], seeded())
    assert " ".join(copy.words) == "[BLANK] bought [BLANK] from [BLANK]"
    assert texts(copy) == [["[BLANK]", "[BLANK]"], ["[BLANK]"], ["[BLANK]"]]


def test_head_and_tail_have_tokens_of_their_own():
    masking = component("EntityMasking")(rate=1.0, token="[B1]", tail_token="[B2]", whole=True)
    assert masking.special_tokens == ["[B1]", "[B2]"]
    assert " ".join(masking(DOCUMENT, [(2, 0)], seeded()).words) == "[B2] bought [B2] of Bonn from [B1]"
    assert " ".join(masking(DOCUMENT, [(0, 1)], seeded()).words) == "[B1] bought [B1] from Ann Lee"  # they share a word
    assert " ".join(masking(DOCUMENT, [(0, 2), (2, 0)], seeded()).words) == "[B1] bought [B1] of Bonn from [B1]"
    assert component("EntityMasking")(token="[B1]").special_tokens == ()
    with pytest.raises(RelconError, match="tail_token must be one word"):
        component("EntityMasking")(tail_token="two words")


def test_masking_of_others_leaves_arguments():
    copy = component("EntityMasking")(rate=1.0, which="others")(DOCUMENT, [(0, 1)], seeded())
    assert " ".join(copy.words) == "Acme Corp bought Acme of Bonn from [MASK]"


def test_each_entity_is_masked_with_its_probability(configured: Callable[[str], Any]):
    mask = configured('[augmenter]\n@augmenters = "relcon.EntityMasking.v1"\n')
    generator = seeded()
    counts = Counter(tuple(texts(mask(DOCUMENT, [(0, 2)], generator))[n][0] for n in (0, 2)) for _ in range(2000))
    share = {kind: count / 2000 for kind, count in counts.items()}
    assert share["[MASK]", "[MASK]"] == pytest.approx(0.49, abs=0.04)
    assert share["Acme Corp", "Ann Lee"] == pytest.approx(0.09, abs=0.03)


def test_replacement_draws_other_names_of_the_type(configured: Callable[[str], Any]):
    swap = configured('[augmenter]\n@augmenters = "relcon.EntityReplacement.v1"\n')
    swap.prepare([Instance(DOCUMENT, 0, 2), Instance(OTHER, 0, 2)])
    generator = seeded()
    copies = [swap(DOCUMENT, [(0, 2)], generator) for _ in range(200)]
    assert {texts(copy)[2][0] for copy in copies} == {"Bob"}
    assert {texts(copy)[0][0] for copy in copies} == {"Zeta", "Acme of Bonn"}, "neither of its own names, whatever the case"
    assert all(len(set(texts(copy)[0])) == 1 for copy in copies), "one name for all mentions"
    assert all(copy.relations == DOCUMENT.relations for copy in copies)


def test_names_are_drawn_uniformly_and_a_lonely_name_stays():
    document = Document("d", ("b", "x"), (Entity((Mention(0, 1),), "T"), Entity((Mention(1, 2),), "U")))
    others = [Document(name, (name,), (Entity((Mention(0, 1),), "T"),)) for name in "acde"]
    swap = component("EntityReplacement")()
    swap.prepare([Instance(document, 0, 1), *(Instance(other, 0, 0) for other in others)])
    generator = seeded()
    seen = Counter(swap(document, [(0, 1)], generator).words for _ in range(2000))
    assert set(seen) == {(name, "x") for name in "acde"} and all(420 < count < 580 for count in seen.values())


def test_of_overlapping_mentions_the_longest_is_replaced():
    document = Document("d", ("New", "York", "Times"), (Entity((Mention(0, 2),), "LOC"), Entity((Mention(0, 3),), "ORG")))
    pool = Document("e", ("Bonn", "Zeta", "News"), (Entity((Mention(0, 1),), "LOC"), Entity((Mention(1, 3),), "ORG")))
    swap = component("EntityReplacement")()
    swap.prepare([Instance(document, 0, 1), Instance(pool, 0, 1)])
    assert texts(swap(document, [(0, 1)], seeded())) == [["Zeta News"], ["Zeta News"]]


def test_replacement_without_names_says_what_to_do():
    with pytest.raises(RelconError, match="call prepare"):
        component("EntityReplacement")()(DOCUMENT, [(0, 1)], seeded())


def test_unchanged_is_an_equal_object_of_its_own(configured: Callable[[str], Any]):
    same = configured('[augmenter]\n@augmenters = "relcon.Unchanged.v1"\n')
    copy = same(DOCUMENT, [(0, 1)], seeded())
    assert copy == DOCUMENT and copy is not DOCUMENT
