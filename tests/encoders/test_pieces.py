"""Words cut one by one are the joined text cut at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from relcon.encoders.pieces import WordPieces

WORDS = st.lists(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def bert(folders):
    return WordPieces(AutoTokenizer.from_pretrained(folders["bert"]), 64)


@pytest.fixture(scope="module")
def roberta(folders):
    return WordPieces(AutoTokenizer.from_pretrained(folders["roberta"]), 64)


@given(WORDS)
@settings(max_examples=80, deadline=None)
def test_bert_pieces_are_those_of_the_joined_text(bert, words):
    joined = bert.tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
    assert [piece for word in words for piece in bert.pieces(word)] == joined


@given(WORDS)
@settings(max_examples=80, deadline=None)
def test_roberta_pieces_are_those_of_the_joined_text_behind_a_space(roberta, words):
    joined = roberta.tokenizer(" " + " ".join(words), add_special_tokens=False)["input_ids"]
    assert [piece for word in words for piece in roberta.pieces(word)] == joined


def test_added_tokens_are_whole_and_the_joined_text_agrees(folder):
    words = WordPieces(AutoTokenizer.from_pretrained(folder), 64)
    former = words.add(["[E1]", "[/E1]"])
    text = ["low", "[E1]", "doses", "[/E1]", "rose"]
    joined = words.tokenizer(words.space + " ".join(text), add_special_tokens=False)["input_ids"]
    assert [piece for word in text for piece in words.pieces(word)] == joined
    assert len(words.pieces("[E1]")) == 1 and len(former["[E1]"]) > 1
    assert words.add(["[E1]"]) == {}


def test_lower_case_spares_added_tokens(folders):
    plain, lower = (WordPieces(AutoTokenizer.from_pretrained(folders["roberta"]), 64, lower_case) for lower_case in (False, True))
    for words in (plain, lower):
        words.add(["[E1]"])
    text = ["[E1]", "Low", "DOSES", "<mask>"]
    assert lower.cut(text) == plain.cut(["[E1]", "low", "doses", "<mask>"]) != plain.cut(text)


def test_the_separator_is_one_piece_as_a_word_also_after_tokens_were_added(folder):
    words = WordPieces(AutoTokenizer.from_pretrained(folder), 64)
    for _ in range(2):
        assert words.pieces(words.separator) == [words.tokenizer.sep_token_id]
        assert words.separator == words.tokenizer.sep_token
        words.add(["[E1]"])


def test_special_tokens_are_the_tokenizers_own(bert, roberta):
    for words, count in ((bert, 3), (roberta, 4)):
        one, two = words.tokenizer("low doses")["input_ids"], words.tokenizer("low", "doses")["input_ids"]
        assert (one[0], one[-1]) == (words.one.before[0], words.one.after[0]) and words.one.size == 2
        assert (two[0], two[-1]) == (words.two.before[0], words.two.after[0]) and words.two.size == count


def test_a_word_that_the_tokenizer_drops_is_one_unknown_piece(bert):
    assert bert.pieces("\u200b") == [bert.tokenizer.unk_token_id]


def test_a_word_is_cut_once(bert, monkeypatch):
    bert.pieces("abirol")
    monkeypatch.setattr(bert, "_cut", lambda texts: pytest.fail("cut again"))
    assert bert.pieces("abirol") == bert.pieces("abirol")


def test_what_samplers_see(bert):
    assert bert.size == len(bert.tokenizer) and bert.mask == bert.tokenizer.mask_token_id and bert.limit == 64
