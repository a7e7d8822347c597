"""Swap, deletion and synonyms: what they change, how much, and what they refuse."""

from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
import torch

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.errors import RelconError
from relcon.interfaces import Augmenter, SynonymSource

TEXT = "Our data clearly suggest that TNF alpha directly binds with IL 2 in yeast cells ."
WORDS = TEXT.split()
HEAD, TAIL = Mention(5, 7), Mention(10, 12)
DOCUMENT = Document("d", tuple(WORDS), (Entity((HEAD,), "P"), Entity((TAIL,), "P")), (Relation(0, 1, "binds"),))
PAIRS = [(0, 1)]


class Toy(SynonymSource):
    """Counts its look-ups."""

    def __init__(self, entries: Dict[str, List[str]]):
        self.entries, self.asked = entries, Counter()

    def synonyms(self, word: str) -> List[str]:
        self.asked[word] += 1
        return self.entries.get(word, [])


def component(name: str) -> Any:
    return Augmenter.registry.get(f"relcon.{name}.v1")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def copies(augmenter: Augmenter, document: Document = DOCUMENT, count: int = 200, pairs: List[Tuple[int, int]] = PAIRS) -> List[Document]:
    generator = seeded(0)
    return [augmenter(document, pairs, generator) for _ in range(count)]


# ---- swap ----------------------------------------------------------------------------------------------------------------


def test_swap_keeps_words_arguments_and_the_last_word(configured: Callable[[str], Any]):
    swap = configured('[augmenter]\n@augmenters = "relcon.RandomSwap.v1"\nrate = 0.3\n')
    moved = set()
    for copy in copies(swap):
        assert Counter(copy.words) == Counter(WORDS)
        assert copy.words[-1] == "." and copy.words[5:7] == ("TNF", "alpha") and copy.words[10:12] == ("IL", "2")
        assert copy.entities == DOCUMENT.entities
        moved |= {n for n, word in enumerate(copy.words) if word != WORDS[n]}
    assert moved == set(range(15)) - {5, 6, 10, 11}


def test_swap_moves_the_last_word_when_it_may():
    swap = component("RandomSwap")(rate=0.3, keep_last=False)
    assert any(copy.words[-1] != "." for copy in copies(swap))


def test_one_swap_exchanges_two_words_and_every_pair_is_equally_likely():
    document = Document("d", ("a", "b", "c", "d"))
    swap = component("RandomSwap")(rate=0.25, keep_last=False)
    seen = Counter(copy.words for copy in copies(swap, document, 3000, []))
    assert len(seen) == 6 and all(400 < count < 600 for count in seen.values())


def test_swap_without_two_free_words_changes_nothing():
    document = Document("d", ("A", "x", "B"), (Entity((Mention(0, 1),)), Entity((Mention(2, 3),))))
    assert component("RandomSwap")(rate=1.0)(document, PAIRS, seeded(0)) == document


# ---- deletion ------------------------------------------------------------------------------------------------------------


def test_deletion_drops_each_word_with_its_probability():
    drop = component("RandomDeletion")(rate=0.3)
    lengths = [len(copy.words) for copy in copies(drop, count=2000)]
    assert abs(sum(lengths) / len(lengths) - (4 + 12 * 0.7)) < 0.15


def test_deletion_limits():
    assert component("RandomDeletion")(rate=0.0)(DOCUMENT, PAIRS, seeded(0)) == DOCUMENT
    assert component("RandomDeletion")(rate=1.0)(DOCUMENT, PAIRS, seeded(0)).words == ("TNF", "alpha", "IL", "2")
    bare = Document("d", tuple("abcde"))
    left = {copy.words for copy in copies(component("RandomDeletion")(rate=1.0), bare, 100, [])}
    assert left == {(letter,) for letter in "abcde"}, "one random word stays"
    assert component("RandomDeletion")(rate=1.0)(Document("d", ("a",)), [], seeded(0)).words == ("a",)


def test_deletion_never_takes_the_last_mention_of_an_entity():
    document = Document("d", ("A", "x", "B", "C"), tuple(Entity((Mention(n, n + 1),)) for n in (0, 2, 3)), (Relation(0, 2, "r"),))
    assert component("RandomDeletion")(rate=1.0)(document, PAIRS, seeded(0)).words == ("A", "B", "C")


# ---- synonyms ------------------------------------------------------------------------------------------------------------


def test_synonyms_from_a_config(configured: Callable[[str], Any], lexicon: Path):
    head = '[augmenter]\n@augmenters = "relcon.SynonymReplacement.v1"\n'
    replace = configured(f'{head}[augmenter.synonyms]\n@synonyms = "relcon.Lexicon.v1"\npath = "{lexicon}"\n')
    found = Counter(" ".join(copy.words) for copy in copies(replace, count=400))
    one_change = [
        ("data", "facts"), ("data", "findings"), ("clearly", "plainly"), ("suggest", "hint"), ("suggest", "point to"),
        ("directly", "at once"), ("directly", "straight"), ("yeast", "barm"), ("cells", "units"),
    ]  # fmt: skip
    assert set(found) == {TEXT.replace(old, new) for old, new in one_change}


def test_spans_follow_a_synonym_of_several_words():
    replace = component("SynonymReplacement")(Toy({"data": ["a lot of facts"]}))
    copy = replace(DOCUMENT, PAIRS, seeded(0))
    assert " ".join(copy.words).startswith("Our a lot of facts clearly")
    assert [copy.mention_text(entity.mentions[0]) for entity in copy.entities] == ["TNF alpha", "IL 2"]


def test_every_free_occurrence_of_a_form_is_replaced_or_one():
    document = Document("d", ("cells", "A", "cells", "B", "cells"), (Entity((Mention(1, 3),)), Entity((Mention(3, 4),))))
    toy = Toy({"cells": ["units"]})
    every = component("SynonymReplacement")(toy)(document, PAIRS, seeded(0))
    assert every.words == ("units", "A", "cells", "B", "units"), "the occurrence in an argument stays"
    one = {copy.words for copy in copies(component("SynonymReplacement")(toy, occurrences="one"), document)}
    assert one == {("units", "A", "cells", "B", "cells"), ("cells", "A", "cells", "B", "units")}


def test_a_capital_at_the_start_of_a_sentence_is_taken_over():
    document = Document("d", ("Instead", "of", "Instead", "Instead"), sentences=((0, 3), (3, 4)))
    replace = component("SynonymReplacement")(Toy({"Instead": ["or else"]}))
    assert replace(document, [], seeded(0)).words == ("Or", "else", "of", "or", "else", "Or", "else")


def test_stop_words_are_never_replaced_unless_asked():
    toy = Toy({"Our": ["their"], "that": ["which"], "in": ["inside"]})
    assert component("SynonymReplacement")(toy)(DOCUMENT, PAIRS, seeded(0)) == DOCUMENT
    assert not toy.asked.keys() & {"Our", "that", "in"}
    changed = component("SynonymReplacement")(toy, stop_words=["that", "In"], rate=1.0)(DOCUMENT, PAIRS, seeded(0))
    assert changed.words[0] == "Their" and changed.words[4] == "that" and changed.words[12] == "in"


def test_words_without_synonyms_do_not_count():
    toy = Toy({word: [word.upper()] for word in ("data", "clearly", "cells")})
    for copy in copies(component("SynonymReplacement")(toy, rate=0.15), count=50):  # l = 14, n = 2
        assert sum(new != old for new, old in zip(copy.words, WORDS, strict=True)) == 2


def test_synonyms_are_looked_up_once_per_form():
    toy = Toy({"data": ["facts"]})
    replace = component("SynonymReplacement")(toy)
    replace.prepare([Instance(DOCUMENT, 0, 1), Instance(DOCUMENT, 1, 0)])
    prepared = Counter(toy.asked)
    assert set(prepared.values()) == {1}
    copies(replace, count=5)
    assert toy.asked == prepared


# ---- how much, and where -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "rounding", "minimum", "length", "wanted"),
    [
        (0.1, "floor", 1, 14, 1), (0.1, "floor", 1, 29, 2), (0.1, "round", 1, 29, 3), (0.1, "ceil", 1, 21, 3),
        (0.1, "floor", 0, 5, 0), (0.1, "floor", 3, 5, 3), (0.0, "floor", 1, 50, 0), (0.29, "floor", 1, 100, 29), (0.1, "ceil", 1, 30, 3),
    ],
)  # fmt: skip
def test_number_of_changes(rate: float, rounding: str, minimum: int, length: int, wanted: int):
    words = [f"w{n}" for n in range(length)]
    toy = Toy({word: [word.upper()] for word in words})
    copy = component("SynonymReplacement")(toy, rate, rounding, minimum)(Document("d", tuple(words)), [], seeded(0))
    assert sum(new != old for new, old in zip(copy.words, words, strict=True)) == wanted


def test_only_the_sentences_of_the_pair_change_unless_asked():
    words = tuple(f"w{n}" for n in range(40))
    document = Document("d", words, (Entity((Mention(12, 13),)), Entity((Mention(15, 16),))), sentences=((0, 10), (10, 20), (20, 40)))
    toy = Toy({word: [word.upper()] for word in words})

    def touched(context: str) -> Tuple[set, set]:
        replaced = copies(component("SynonymReplacement")(toy, context=context), document)
        changed = [{n for n, word in enumerate(copy.words) if word.isupper()} for copy in replaced]
        return set.union(*changed), {len(places) for places in changed}

    assert touched("sentence") == ({10, 11, 13, 14, 16, 17, 18, 19}, {1}), "n of ten words"
    assert touched("document") == (set(range(40)) - {12, 15}, {4}), "n of forty words"


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("RandomSwap", {"rate": 1.5}, "rate must be between 0 and 1, not 1.5"),
        ("RandomSwap", {"rounding": "flor"}, "rounding = 'flor' is not possible. Did you mean 'floor'?"),
        ("RandomSwap", {"minimum": -1}, "minimum must be 0 or more"),
        ("RandomDeletion", {"rate": -0.1}, "rate must be between 0 and 1"),
        ("RandomDeletion", {"context": "page"}, "context = 'page' is not possible"),
        ("SynonymReplacement", {"synonyms": Toy({}), "occurrences": "two"}, "occurrences = 'two'"),
        ("EntityMasking", {"token": "a b"}, "token must be one word"),
        ("EntityMasking", {"rate": 2}, "rate must be"),
        ("EntityReplacement", {"which": "argument"}, "Did you mean 'arguments'?"),
    ],
)
def test_values_out_of_range_are_refused(name: str, arguments: Dict[str, Any], message: str):
    with pytest.raises(RelconError, match=message.replace("?", r"\?").replace(".", r"\.")):
        component(name)(**arguments)
