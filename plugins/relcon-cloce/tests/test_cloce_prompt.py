"""The prompt: what is filled in, what is cropped, and that there is one mask, whatever the sentence."""

from typing import Any, List, Optional, Sequence, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.contrast import MASK, WHOLE, Span, Text, View
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.encoders.minilm import minilm_folder
from relcon.encoders.transformer import Transformer
from relcon.errors import RelconError
from relcon.interfaces import Draw, Renderer, Sampler, Split
from relcon.testing import check_renderer, check_sampler, tiny_encoder, tiny_instances, tiny_split

WORDS = "Marie Curie was born in Warsaw ."


def prompt(**arguments: Any) -> Renderer:
    """The renderer as a config builds it."""
    made: Renderer = resolve({"@renderers": "cloce.Prompt.v1", **arguments}, "[renderer]")
    return made


def pair(
    words: str = WORDS, head: Any = (0, 2), tail: Any = (5, 6), types: Sequence[str] = ("PERSON", "CITY"), sentences: Any = ()
) -> Instance:
    """An instance; each argument is a mention or the words [start, end) of one, or a list of these."""
    spans = [given if isinstance(given, list) else [given] for given in (head, tail)]
    entities = tuple(
        Entity(tuple(each if isinstance(each, Mention) else Mention(*each) for each in mentions), kind)
        for mentions, kind in zip(spans, types, strict=True)
    )
    return Instance(Document("d", tuple(words.split()), entities, sentences=sentences), 0, 1, uid="d#0-1")


def shown(view: View, mask: str = "<mask>") -> str:
    """The prompt of a view."""
    assert isinstance(view.input, Text)
    return " ".join(mask if word == MASK else word for word in view.input.second)


def filled(instance: Instance, **arguments: Any) -> str:
    """The prompt for an instance."""
    (view,) = prompt(**arguments)([instance])
    return shown(view)


# ---- what it says ----------------------------------------------------------------------------------------------------------


def test_cloce_g05_prompt_string() -> None:
    assert filled(pair()) == "the relation of person Marie Curie and city Warsaw is <mask>"
    assert filled(pair(), types="none") == "the relation of Marie Curie and Warsaw is <mask>"
    assert filled(pair(types=("", ""))) == "the relation of Marie Curie and Warsaw is <mask>"
    province = pair(types=("PERSON", "STATE_OR_PROVINCE"))
    assert filled(province) == "the relation of person Marie Curie and state or province Warsaw is <mask>"


@pytest.mark.parametrize(
    "template, expected",
    [
        ("{mask} : {tail} , {head}", "<mask> : Warsaw , Marie Curie"),
        ("{head}'s tie to ({tail}) is {mask}.", "Marie Curie's tie to (Warsaw) is <mask> ."),
        ("{head} {head_type} {head}{tail} [{mask}]", "Marie Curie person Marie CurieWarsaw [ <mask> ]"),
        ("{{x}} {mask}", "{x} <mask>"),
        ("  {mask}  ", "<mask>"),
        ("({head_type}) {mask}", "(person) <mask>"),
    ],
)
def test_any_template(template: str, expected: str) -> None:
    assert filled(pair(), template=template) == expected


@pytest.mark.parametrize(
    "template, message",
    [
        ("the relation of {head} and {tail}", r"no \{mask\}.*exactly once"),
        ("", "exactly once"),
        ("{mask} or {mask}", r"2 times \{mask\}"),
        ("{hed} is {mask}", r"unknown slot '\{hed\}'.*Did you mean 'head'"),
        ("{head!r} is {mask}", r"unknown slot '\{head!r\}'.*Did you mean 'head'"),
        ("{head:>9} is {mask}", r"unknown slot '\{head:>9\}'"),
        ("{} is {mask}", r"unknown slot '\{\}'"),
        ("{head is {mask}", "braces do not match in '{head'"),
        ("head} is {mask}", "braces do not match in 'head}'"),
        ("{ head } is {mask}", "without spaces"),
    ],
)
def test_a_template_that_is_none_is_refused_in_words(template: str, message: str) -> None:
    with pytest.raises(RelconError, match=message):
        prompt(template=template)


@given(st.text(st.sampled_from("{}! :headtilmsk_py'."), max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_template_has_one_mask_or_is_refused_in_words(text: str) -> None:
    try:
        renderer = prompt(template=text)
    except RelconError as error:
        assert text in str(error) and len(str(error)) > len(text) + 20
        return
    (view,) = renderer([pair()])
    assert isinstance(view.input, Text) and view.input.second.count(MASK) == 1 == text.count("{mask}")


@pytest.mark.parametrize("name", ["types", "unit", "context"])
def test_other_arguments_are_checked(name: str) -> None:
    with pytest.raises(RelconError, match=f"{name} must be"):
        prompt(**{name: "other"})


# ---- the view --------------------------------------------------------------------------------------------------------------


def test_units() -> None:
    instance, words = pair(), tuple(WORDS.split())
    (mask,), (sentence,), (mentions,) = (prompt(unit=unit)([instance]) for unit in ("mask", "sentence", "mentions"))
    for view in (mask, sentence, mentions):
        assert isinstance(view.input, Text) and view.input.words == words and view.input.keep == ((0, 2), (5, 6))
    ((span,),) = mask.unit
    assert (words + mask.input.second)[span.start] == MASK and span.end == span.start + 1  # type: ignore[attr-defined]
    assert sentence.unit == ((WHOLE,),) and mentions.unit == ((Span(0, 2),), (Span(5, 6),))


def test_a_discontinuous_mention_is_filled_in_without_what_lies_between() -> None:
    instance = pair("beta or gamma kinase binds abirol", Mention(0, 4, ((0, 1), (3, 4))), (5, 6), ("P", "C"))
    (view,) = prompt(unit="mentions")([instance])
    assert shown(view) == "the relation of p beta kinase and c abirol is <mask>"
    assert view.unit == ((Span(0, 1), Span(3, 4)), (Span(5, 6),)) and view.input.keep == ((0, 1), (3, 4), (5, 6))  # type: ignore[attr-defined]


def test_of_several_mentions_the_closest_two_and_only_their_sentences_are_shown() -> None:
    instance = pair("Marie left . Curie saw Warsaw .", [(0, 1), (3, 4)], (5, 6), sentences=((0, 3), (3, 7)))
    (view,), (whole,) = (prompt(context=context)([instance]) for context in ("sentence", "document"))
    assert shown(view) == shown(whole) == "the relation of person Curie and city Warsaw is <mask>"
    assert view.input.words == ("Curie", "saw", "Warsaw", ".") and view.input.keep == ((0, 1), (2, 3))  # type: ignore[attr-defined]
    assert len(whole.input.words) == 7 and whole.input.keep == ((3, 4), (5, 6))  # type: ignore[attr-defined]


def test_the_roles_of_a_pair_decide_not_its_order() -> None:
    assert filled(pair(head=(5, 6), tail=(0, 2), types=("CITY", "PERSON"))).startswith("the relation of city Warsaw and person Marie")


def test_a_text_cannot_bring_a_mask_of_its_own() -> None:
    with pytest.raises(RelconError, match="Document 'd' has a word that relcon uses for the mask"):
        prompt()([pair(f"Marie Curie saw {MASK} in Warsaw .")])
    encoder = tiny_encoder()
    (view,) = prompt()([pair("Marie [MASK] was born in Warsaw .", head=(0, 2))])
    ids = encoder.prepare([view.input]).tensors["input_ids"][0].tolist()
    assert ids.count(encoder.vocabulary.mask) == 1


@pytest.mark.parametrize("unit", ["mask", "sentence", "mentions"])
def test_it_keeps_the_contract_of_renderers(unit: str) -> None:
    check_renderer(prompt(unit=unit), tiny_instances())


def test_it_feeds_the_samplers_of_other_methods() -> None:
    renderer = {"@renderers": "cloce.Prompt.v1", "unit": "sentence"}
    views = {"@samplers": "relcon.TwoViews.v1", "augmenter": {"@augmenters": "relcon.RandomSwap.v1"}}
    for block in (views, {"@samplers": "relcon.SameLabel.v1"}):
        check_sampler(resolve({**block, "batch_size": 4, "renderer": renderer}, "[sampler]"))


# ---- types that the data lack ----------------------------------------------------------------------------------------------


def split(*instances: Instance) -> Split:
    return Split("train", [each.document for each in instances], instances, LabelSet(("none", "born"), frozenset(["none"])))


def test_types_that_no_entity_has_are_refused_before_training() -> None:
    untyped = split(pair(types=("", "")))
    sampler: Sampler = resolve({"@samplers": "relcon.Instances.v1", "renderer": {"@renderers": "cloce.Prompt.v1"}}, "[sampler]")
    wrapped: Sampler = resolve({"@samplers": "relcon.MaskedPieces.v1", "sampler": {**INSTANCES}}, "[sampler]")
    for each in (sampler, wrapped):
        with pytest.raises(RelconError, match=r"no entity of the split 'train' has one.*types = \"none\""):
            each.check(untyped)
        each.check(split(pair(types=("", "CITY"))))
    prompt(types="none").check(untyped)
    prompt(template="{head} {mask} {tail}").check(untyped)


INSTANCES = {"@samplers": "relcon.Instances.v1", "renderer": {"@renderers": "cloce.Prompt.v1"}}


def test_masked_pieces_leave_the_prompt_alone() -> None:
    sampler: Sampler = resolve({"@samplers": "relcon.MaskedPieces.v1", "rate": 0.9, "sampler": INSTANCES}, "[sampler]")
    encoder, data = tiny_encoder(), tiny_split()
    plain = [shown(view) for view in prompt()(data.instances)]
    (batch,) = sampler.batches(data, Draw(0, torch.Generator().manual_seed(0), encoder.vocabulary))
    views = batch["instances"].views
    assert sorted(shown(view) for view in views) == sorted(plain)
    assert all(word < len(view.input.words) for view in views for word, _, _ in view.input.edits) and len(batch["masked"].views) > 10
    prepared = encoder.prepare([view.input for view in views])
    for row, view in enumerate(views):
        ((span,),) = view.unit
        assert prepared.tensors["input_ids"][row, prepared.where[row, span.start, 1]] == encoder.vocabulary.mask


# ---- as an encoder reads it ------------------------------------------------------------------------------------------------


def minilm(max_length: int) -> Transformer:
    """The encoder whose vocabulary is that of the uncased BERT."""
    try:
        return Transformer(str(minilm_folder()), max_length)
    except RelconError as error:
        pytest.skip(str(error))


def test_cloce_g06_encoded_pair() -> None:
    encoder = minilm(256)
    (view,) = prompt()([pair()])
    prepared = encoder.prepare([view.input])
    ids, tokenizer = prepared.tensors["input_ids"][0].tolist(), encoder.vocabulary.tokenizer
    assert len(tokenizer) == 30522
    assert " ".join(tokenizer.convert_ids_to_tokens(ids)) == (
        "[CLS] marie cu ##rie was born in warsaw . [SEP] "
        "the relation of person marie cu ##rie and city warsaw is [MASK] [SEP]"
    )
    assert len(ids) == 23 and prepared.tensors["token_type_ids"][0].tolist() == [0] * 10 + [1] * 13
    assert [place for place, piece in enumerate(ids) if piece == tokenizer.mask_token_id] == [21]
    short = minilm(20).prepare([view.input])
    ids = short.tensors["input_ids"][0].tolist()
    assert len(ids) == 20 and ids.index(tokenizer.mask_token_id) == 18 and ids.count(tokenizer.mask_token_id) == 1
    ((span,),) = view.unit
    assert prepared.where[0, span.start].tolist() == [0, 21, 22] and short.where[0, span.start].tolist() == [0, 18, 19]


def test_roberta_has_its_own_mask_and_separators_and_no_segments() -> None:
    encoder = tiny_encoder("roberta")
    (view,) = prompt()([pair()])
    prepared = encoder.prepare([view.input])
    tokens = encoder.vocabulary.tokenizer.convert_ids_to_tokens(prepared.tensors["input_ids"][0].tolist())
    assert (tokens[0], tokens[-2:]) == ("<s>", ["<mask>", "</s>"]) and tokens.count("<mask>") == 1 and tokens.count("</s>") == 3
    assert "token_type_ids" not in prepared.tensors


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request: pytest.FixtureRequest) -> Transformer:
    return tiny_encoder(request.param)


WRITING = st.one_of(st.sampled_from(["[MASK]", "<mask>", "x[MASK]", "low", "Curie", "{mask}"]), st.text(min_size=1, max_size=6))
SENTENCES = st.lists(WRITING.filter(lambda word: bool(word.strip())), min_size=2, max_size=14)


@st.composite
def sentences(draw: st.DrawFn) -> Tuple[List[str], Mention, Mention]:
    """Words, and two mentions that may overlap."""
    words = draw(SENTENCES)

    def mention() -> Mention:
        start = draw(st.integers(0, len(words) - 1))
        return Mention(start, draw(st.integers(start + 1, min(len(words), start + 3))))

    return words, mention(), mention()


@given(sentences(), st.integers(5, 60), st.sampled_from(["mask", "sentence", "mentions"]))
@settings(max_examples=150, deadline=None)
def test_a_view_is_lost_as_a_whole_or_has_one_mask_both_entities_and_the_whole_prompt(
    encoder: Transformer, sentence: Tuple[List[str], Mention, Mention], max_length: int, unit: str
) -> None:
    words, head, tail = sentence
    document = Document("d", tuple(words), (Entity((head,), "PERSON"), Entity((tail,), "")))
    (view,) = prompt(unit=unit)([Instance(document, 0, 1)])
    assert isinstance(view.input, Text)
    text, vocabulary, before = view.input, encoder.vocabulary, encoder.words.limit
    encoder.words.limit = max_length
    try:
        prepared = encoder.prepare([text])
    finally:
        encoder.words.limit = before
    ids = prepared.tensors["input_ids"][0].tolist()
    assert len(ids) <= max_length
    where = prepared.where[0].tolist()
    found: List[Optional[List[int]]] = [None if first < 0 else ids[first:end] for _, first, end in where]
    if prepared.whole[0, 1] < 0:
        assert all(each is None for each in found) and vocabulary.mask not in ids
        return
    cut = [list(pieces) for pieces in vocabulary.cut(text.words + text.second)]
    kept = [word for mention in (head, tail) for word in range(mention.start, mention.end)]
    assert ids.count(vocabulary.mask) == 1
    assert all(found[word] == cut[word] for word in [*kept, *range(len(words), len(cut))])
    assert vocabulary.mask not in [piece for word in cut[: len(words)] for piece in word]
