"""CLRE's path-preserving augmenters: facts 6 to 9 of the specification, blinding, missing paths, overlap.

Su et al. 2021 (arXiv 2104.13913), sections 3 and 4; the sentence is the one of the specification's facts.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

import pytest
import torch
from relcon_clre.path import PathProtection

from relcon.config import load_config, resolve
from relcon.data.document import Document, Entity, Instance, Mention, Parse, Relation
from relcon.errors import RelconError
from relcon.interfaces import Augmenter, Parser, Renderer, SynonymSource

TEXT = "Our data clearly suggest that PROTA directly binds with PROTB in yeast cells ."
WORDS = tuple(TEXT.split())
UD = Parse((1, 3, 3, 3, 7, 7, 7, 3, 9, 7, 12, 12, 7, 3), ("dep",) * 8 + ("case", "obl") + ("dep",) * 4)
SPACY = Parse((1, 3, 3, 3, 7, 7, 7, 3, 7, 8, 7, 12, 10, 3), ("dep",) * 8 + ("prep", "pobj", "prep", "compound", "pobj", "punct"))
PATH = {5, 7, 9}
FORMS = {1: "data", 2: "clearly", 3: "suggest", 6: "directly", 11: "yeast", 12: "cells"}
LEXICON = "".join(f"{form}\tnew-{form}\n" for form in [*FORMS.values(), "Our", "that", "with", "in", "PROTA", "PROTB", "binds"])
LEXICON += "".join(f"w{n}\tnew\n" for n in range(50))
PAIRS = [(0, 1)]


def sentence(parse: Optional[Parse] = UD, words: Sequence[str] = WORDS, spans: Sequence[Tuple[int, int]] = ((5, 6), (9, 10))) -> Document:
    entities = tuple(Entity((Mention(*span),), "PROTEIN") for span in spans)
    return Document("d", tuple(words), entities, (Relation(0, 1, "binds"),), parse=parse)


def copies(augmenter: Augmenter, document: Document, count: int = 300, pairs: Sequence[Tuple[int, int]] = PAIRS) -> List[Document]:
    generator = torch.Generator().manual_seed(0)
    return [augmenter(document, pairs, generator) for _ in range(count)]


def changed(copy: Document, words: Sequence[str] = WORDS) -> Set[int]:
    return {n for n, (new, old) in enumerate(zip(copy.words, words, strict=True)) if new != old}


class Heap(Parser):
    """A parser without a model: in every sentence word n hangs on word (n - 1) // 2."""

    def __init__(self) -> None:
        self.calls: List[Sequence[Document]] = []

    def fingerprint(self) -> str:
        return "heap"

    def parse(self, documents: Sequence[Document]) -> List[Document]:
        self.calls.append(documents)
        return [self._parsed(document) for document in documents]

    def _parsed(self, document: Document) -> Document:
        heads = tuple(start + max(0, (n - 1) // 2) for start, end in document.sentences for n in range(end - start))
        return Document(
            document.id, document.words, document.entities, sentences=document.sentences, parse=Parse(heads, ("dep",) * len(heads))
        )


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Any]:
    """`configured("Swap", rate=0.2)`: clre.PathPreservingSwap.v1 as a config builds it; synonyms come from a lexicon or `source`."""

    def build(operation: str, source: str = "", **arguments: Any) -> Any:
        (tmp_path / "lexicon.tsv").write_text(LEXICON)
        lexicon = f'@synonyms = "relcon.Lexicon.v1"\npath = "{tmp_path}/lexicon.tsv"'
        lines = [f'@augmenters = "clre.PathPreserving{operation}.v1"', *(f"{key} = {quoted(value)}" for key, value in arguments.items())]
        blocks = ["[augmenter]", *lines, *(["[augmenter.synonyms]", source or lexicon] if operation == "Synonyms" else [])]
        (tmp_path / "run.cfg").write_text("\n".join(blocks))
        return resolve(load_config(tmp_path / "run.cfg").tree["augmenter"], "[augmenter]")

    return build


def quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


# ---- the specification's facts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["Synonyms", "Swap", "Deletion"])
def test_clre_fact_06(configured: Callable[..., Any], operation: str):
    assert configured(operation).protected(sentence(UD), PAIRS) == {5, 7, 9}
    assert configured(operation).protected(sentence(SPACY), PAIRS) == {5, 7, 9}
    assert configured(operation, collapse_prepositions=False).protected(sentence(SPACY), PAIRS) == {5, 7, 8, 9}


def test_clre_fact_07_synonyms(configured: Callable[..., Any]):
    found = [changed(copy) for copy in copies(configured("Synonyms"), sentence())]
    assert {frozenset(places) for places in found} == {frozenset({place}) for place in FORMS}, "one form, never a stop word or the path"


def test_clre_fact_07_wordnet(configured: Callable[..., Any], shared: Callable[[str], Path]):
    source = f'@synonyms = "relcon.WordNet.v1"\ndirectory = "{shared("nltk_data")}"'
    augmenter = configured("Synonyms", source)
    allowed = {form: {TEXT.replace(form, synonym) for synonym in augmenter.synonyms.synonyms(form)} for form in FORMS.values()}
    found = {" ".join(copy.words) for copy in copies(augmenter, sentence(), 500)}
    assert found <= set().union(*allowed.values()), "one form became one of its synonyms"
    assert all(found & texts for texts in allowed.values()), "each of the six does"


def test_clre_fact_07_deletion(configured: Callable[..., Any]):
    found = copies(configured("Deletion"), sentence(), 1000)
    gone = {place for copy in found for place in range(14) if WORDS[place] not in copy.words}
    assert gone == {0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 13}
    assert sum(14 - len(copy.words) for copy in found) / 1000 == pytest.approx(1.1, abs=0.1)


def test_clre_fact_07_swap(configured: Callable[..., Any]):
    for arguments, places in (({}, {0, 1, 2, 3, 4, 6, 8, 10, 11, 12}), ({"keep_last": False}, set(range(14)) - PATH)):
        found = copies(configured("Swap", **arguments), sentence())
        assert set().union(*map(changed, found)) == places
        assert all(len(changed(copy)) == 2 and Counter(copy.words) == Counter(WORDS) for copy in found)


def test_clre_fact_08_deletion(configured: Callable[..., Any]):
    blinded = Renderer.registry.get("relcon.Blinded.v1")()
    assert configured("Deletion", rate=0.0)(sentence(), PAIRS, torch.Generator()) == sentence()
    copy = configured("Deletion", rate=1.0)(sentence(), PAIRS, torch.Generator())
    (view,) = blinded([Instance(copy, 0, 1)])
    assert view.input.words == ("@PROTEIN$", "binds", "@PROTEIN$")


@pytest.mark.parametrize(("length", "wanted"), [(1, 1), (9, 1), (14, 1), (19, 1), (20, 2), (25, 2), (30, 3), (40, 4)])
def test_clre_fact_08_number(length: int, wanted: int, configured: Callable[..., Any]):
    """l tokens, of which two, where there is room for them, are arguments of three words each."""
    spans = ((0, 3), (3, 6)) if length > 2 else ()
    words = [f"w{n}" for n in range(length + 2 * len(spans))]
    chain = Parse((0, *range(len(words) - 1)), ("dep",) * len(words))
    document = Document("d", tuple(words), tuple(Entity((Mention(*span),)) for span in spans), parse=chain)
    copy = configured("Synonyms")(document, PAIRS if spans else [], torch.Generator().manual_seed(1))
    assert len(changed(copy, words)) == wanted


class Upper(SynonymSource):
    def synonyms(self, word: str) -> List[str]:
        return [word.upper()]


# ---- blinding: the same sentences as if the text had been blinded first --------------------------------------------------

LONG = tuple("The TNF alpha receptor of yeast cells clearly binds IL 2 in IL 6 treated cells of the yeast kind .".split())  # noqa: SIM905
SHORT = (*LONG[:1], "@PROTEIN$", *LONG[4:9], "@PROTEIN$", *LONG[11:])
OPERATIONS: Dict[str, Dict[str, Any]] = {"Synonyms": {"synonyms": Upper(), "rate": 0.2}, "Swap": {"rate": 0.3}, "Deletion": {"rate": 0.3}}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", ["entities_only", "all_between", "none"])
@pytest.mark.parametrize("sentences", [1, 2])
def test_changing_first_and_blinding_then_is_blinding_first(operation: str, mode: str, sentences: int):
    """Arguments of several words; with two sentences there is no path between them."""
    cut = ((0, 8), (8, len(LONG))) if sentences == 2 else ((0, len(LONG)),)
    whole = Document("d", LONG, tuple(Entity((Mention(*span),), "PROTEIN") for span in ((1, 4), (9, 11))), sentences=cut)
    cut = ((0, 6), (6, len(SHORT))) if sentences == 2 else ((0, len(SHORT)),)
    short = Document("d", SHORT, tuple(Entity((Mention(*span),), "PROTEIN") for span in ((1, 2), (7, 8))), sentences=cut)
    augmenter = Augmenter.registry.get(f"clre.PathPreserving{operation}.v1")(parser=Heap(), on_missing_path=mode, **OPERATIONS[operation])
    blinded = Renderer.registry.get("relcon.Blinded.v1")()
    seen = set()
    for one, other in zip(copies(augmenter, whole), copies(augmenter, short), strict=True):
        first, second = blinded([Instance(one, 0, 1)])[0], blinded([Instance(other, 0, 1)])[0]
        assert first.input.words == second.input.words and Counter(first.input.words)["@PROTEIN$"] == 2
        seen.add(first.input.words)
    assert len(seen) > 5


def test_the_parser_gets_blinded_sentences_once_and_in_one_go():
    other = Document(
        "e", LONG, (Entity((Mention(9, 11),), "gene-y"), Entity((Mention(1, 4),))), sentences=((0, 12), (12, 20), (20, len(LONG)))
    )
    parser = Heap()
    augmenter = Augmenter.registry.get("clre.PathPreservingSwap.v1")(parser=parser)
    instances = [Instance(sentence(None), 0, 1), Instance(other, 0, 1), Instance(other, 1, 0), Instance(sentence(None), 0, 1)]
    augmenter.prepare(instances)
    for instance in instances:
        augmenter(instance.document, [(instance.head, instance.tail)], torch.Generator())
    (asked,) = parser.calls
    assert [" ".join(document.words) for document in asked] == [
        "Our data clearly suggest that PROTEINA directly binds with PROTEINB in yeast cells .",
        "The ENTITYB of yeast cells clearly binds GENEYA in",
        "The ENTITYA of yeast cells clearly binds GENEYB in",
    ]
    assert asked[1].sentences == ((0, 9),)
    assert augmenter.paths.counts == {"path": 3, "missing": 0, "overlapping": 0}


def test_paths_lie_in_the_words_of_the_document():
    """Heap over blinded words 0..9: argument 1 -> 0 -> 2 -> 6 is argument 7's way up over 3: 7, 3, 1."""
    whole = Document("d", LONG[:13], (Entity((Mention(1, 4),)), Entity((Mention(9, 11),))))
    augmenter = Augmenter.registry.get("clre.PathPreservingSwap.v1")(parser=Heap())
    assert augmenter.protected(whole, PAIRS) == {1, 2, 3, 9, 10} | {5}, "blinded word 3 is word 5, 'yeast'"


def test_a_real_parser(configured: Callable[..., Any], shared: Callable[[str], Path]):
    parser = Parser.registry.get("relcon.SpacyParser.v1")(str(shared("models/en_ud_small")), cache="none")
    words = [*WORDS[:5], "TNF", "alpha", "directly", "binds", "with", "IL", "2", *WORDS[10:]]
    document = sentence(None, words, ((5, 7), (10, 12)))
    augmenter = Augmenter.registry.get("clre.PathPreservingDeletion.v1")(rate=1.0, parser=parser)
    assert augmenter(document, PAIRS, torch.Generator()).words == ("TNF", "alpha", "binds", "IL", "2")


# ---- options -------------------------------------------------------------------------------------------------------------


def two_sentences() -> Document:
    heads = (1, 1, 1, 1, 5, 5, 5, 5)
    return Document(
        "d", tuple("abcdefgh"), (Entity((Mention(1, 2),)), Entity((Mention(5, 7),))), (), ((0, 4), (4, 8)), parse=Parse(heads, ("dep",) * 8)
    )


@pytest.mark.parametrize(
    ("mode", "protected"), [("entities_only", {1, 5, 6}), ("all_between", set(range(1, 7))), ("skip", set(range(8))), ("none", set())]
)
def test_a_missing_path(mode: str, protected: Set[int], configured: Callable[..., Any], caplog: pytest.LogCaptureFixture):
    augmenter = configured("Swap", on_missing_path=mode, rate=0.5)
    augmenter.prepare([Instance(two_sentences(), 0, 1)])
    assert "1 of 1 pairs have no dependency path" in caplog.text and mode in caplog.text
    assert augmenter.protected(two_sentences(), PAIRS) == protected
    assert augmenter.paths.counts["missing"] == 1
    for copy in copies(augmenter, two_sentences()):
        assert [copy.mention_text(entity.mentions[0]) for entity in copy.entities] == ["b", "f g"]
        assert mode != "skip" or copy == two_sentences()
    moved = {copy.entities[1].mentions[0].start for copy in copies(augmenter, two_sentences())}
    assert len(moved) > 1 if mode == "none" else moved == {5}


def test_protection_by_form_covers_every_occurrence_of_a_word_on_the_path(configured: Callable[..., Any]):
    words = [*WORDS[:3], "binds", *WORDS[4:11], "PROTA", *WORDS[12:]]
    assert configured("Deletion").protected(sentence(UD, words), PAIRS) == PATH
    assert configured("Deletion", protect_by="form").protected(sentence(UD, words), PAIRS) == PATH | {3}, "but not an argument's words"


def test_overlapping_arguments(configured: Callable[..., Any]):
    document = sentence(UD, WORDS, ((5, 8), (7, 10)))
    assert configured("Swap").protected(document, PAIRS) == set(range(5, 10))
    skip = configured("Deletion", overlap="skip", rate=0.5)
    skip.prepare([Instance(document, 0, 1)])
    assert skip.paths.counts == {"path": 0, "missing": 0, "overlapping": 1}
    assert all(copy == document for copy in copies(skip, document, 20))
    one_token = configured("Deletion", rate=1.0)(document, PAIRS, torch.Generator())
    assert one_token.words == WORDS[5:10]


def test_touching_arguments_are_one_as_overlapping_ones_are(configured: Callable[..., Any]):
    """No character stands between them (the specification's 2.4): no path, and one token where words are counted."""
    document = sentence(UD, WORDS, ((5, 7), (7, 8)))
    offsets = [(10 * n, 10 * n + 5) for n in range(len(WORDS))]
    offsets[7] = (65, 70)
    document = replace(document, offsets=tuple(offsets))
    augmenter = configured("Deletion", rate=1.0)
    assert augmenter.protected(document, PAIRS) == {5, 6, 7}
    assert (5, 6, 7) in augmenter.room(document, PAIRS).tokens
    changed = augmenter(document, PAIRS, torch.Generator())
    assert changed.words == WORDS[5:8] and changed.touch(*Instance(changed, 0, 1).mentions)


def test_several_pairs_are_all_protected(configured: Callable[..., Any]):
    document = sentence(UD, WORDS, ((5, 6), (9, 10), (11, 13)))
    assert configured("Swap").protected(document, [(0, 1), (1, 2)]) == {5, 7, 9, 11, 12}


def test_neither_parser_nor_parse_says_how_to_get_one(configured: Callable[..., Any]):
    for use in (lambda a: a.prepare([Instance(sentence(None), 0, 1)]), lambda a: a(sentence(None), PAIRS, torch.Generator())):
        with pytest.raises(
            RelconError, match=r"Document 'd' has no dependency parse.*relcon.SpacyParser.v1.*spacy download en_core_web_sm"
        ):
            use(configured("Swap"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"on_missing_path": "entities"}, "on_missing_path = 'entities' is not possible"),
        ({"protect_by": "word"}, "protect_by = 'word'"),
        ({"overlap": "drop"}, "overlap = 'drop'"),
        ({"rate": 3.0}, "rate must be between 0 and 1"),
    ],
)
def test_values_out_of_range_are_refused(arguments: Dict[str, Any], message: str):
    with pytest.raises(RelconError, match=message):
        Augmenter.registry.get("clre.PathPreservingSwap.v1")(**arguments)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_seed_one_result_and_every_epoch_differs(operation: str):
    augmenter = Augmenter.registry.get(f"clre.PathPreserving{operation}.v1")(**OPERATIONS[operation])
    first, again = copies(augmenter, sentence(), 20), copies(augmenter, sentence(), 20)
    assert first == again and len({copy.words for copy in first}) > 5
    assert all([copy.mention_text(entity.mentions[0]) for entity in copy.entities] == ["PROTA", "PROTB"] for copy in first)
    assert all(copy.relations == sentence().relations for copy in first)


# ---- paths kept on disk --------------------------------------------------------------------------------------------------


def prepared(parser: Heap, cache: Optional[Path], **arguments: Any) -> PathProtection:
    parser.cache = str(cache) if cache else "none"
    protection = PathProtection(parser, **arguments)
    protection.prepare([Instance(sentence(parse=None), 0, 1), Instance(sentence(None, spans=((0, 1), (9, 10))), 0, 1)])
    return protection


def test_kept_paths_are_those_that_were_found_and_nothing_is_parsed_again(tmp_path: Path) -> None:
    pairs = [Instance(sentence(parse=None), 0, 1), Instance(sentence(None, spans=((0, 1), (9, 10))), 0, 1)]
    first, second = Heap(), Heap()
    once, again = prepared(first, tmp_path), prepared(second, tmp_path)
    found = [once.path(pair) for pair in pairs]
    assert [again.path(pair) for pair in pairs] == found and all(found)
    assert sum(len(call) for call in first.calls) == 2 and sum(len(call) for call in second.calls) == 0
    assert again.counts == {"path": 2, "missing": 0, "overlapping": 0}


@pytest.mark.parametrize("change", [{"collapse_prepositions": False}, {}], ids=["other rule", "no cache"])
def test_paths_are_looked_for_again_where_they_may_be_others(tmp_path: Path, change: Dict[str, Any]) -> None:
    prepared(Heap(), tmp_path)
    parser = Heap()
    prepared(parser, tmp_path if change else None, **change)
    assert sum(len(call) for call in parser.calls) == 2


def test_kept_paths_are_told_apart_by_both_arguments(tmp_path: Path) -> None:
    document = sentence(None, spans=((0, 1), (5, 6), (9, 10)))
    pairs = [Instance(document, head, tail) for head, tail in ((0, 1), (0, 2), (1, 2))]
    parser = Heap()
    parser.cache = str(tmp_path)
    bare = PathProtection(Heap())
    PathProtection(parser).prepare(pairs)
    again = PathProtection(parser)
    assert [again.path(pair) for pair in pairs] == [bare.path(pair) for pair in pairs]
    assert len({bare.path(pair) for pair in pairs}) == 3
