"""Words spelt as ids of characters, and the network that reads them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.encoders.character_cnn import CharacterCNN, Highway
from relcon.encoders.characters import ABSENT, SPECIAL, Characters, spelling
from relcon.errors import RelconError


def padded(*ids):
    """The ids, and 261 up to 50."""
    return (*ids, *[261] * (50 - len(ids)))


@pytest.mark.parametrize(
    "word, ids",
    [
        ("hi", padded(259, 105, 106, 260)),
        ("[CLS]", padded(259, 257, 260)),
        ("[SEP]", padded(259, 258, 260)),
        ("[MASK]", padded(259, 262, 260)),
        ("[PAD]", (0,) * 50),
        ("é", padded(259, 196, 170, 260)),
        ("a" * 60, (259, *[98] * 48, 260)),
        ("a" * 200, (259, *[98] * 48, 260)),
        ("a" * 48, (259, *[98] * 48, 260)),
        ("a" * 47, padded(259, *[98] * 47, 260)),
        ("β2", padded(259, 207, 179, 51, 260)),
        ("药", padded(259, 233, 142, 176, 260)),
        ("", padded(259, 260)),
    ],
)
def test_cldr_fact_13(word, ids):
    """Beside the words of the fact: long ones, and letters of other scripts (β is the bytes CE B2, 药 E8 8D AF)."""
    assert spelling(word) == ids and len(ids) == 50


def test_a_word_may_be_cut_inside_a_character():
    assert spelling("a" * 47 + "é") == (259, *[98] * 47, 196, 260)
    assert spelling("药" * 17) == (259, *[233, 142, 176] * 16, 260)


def test_half_a_surrogate_pair_is_left_out():
    assert spelling("a\ud83db") == spelling("ab")


@given(st.text(max_size=60).filter(lambda word: word not in SPECIAL and word != ABSENT), st.integers(3, 60))
@settings(deadline=None)
def test_the_bytes_of_a_word_can_be_read_again(word, length):
    ids = spelling(word, length)
    end = ids.index(260)
    assert len(ids) == length and ids[0] == 259 and set(ids[end + 1 :]) <= {261}
    assert bytes(each - 1 for each in ids[1:end]) == word.encode("utf-8", "ignore")[: length - 2]


def test_words_are_one_piece_in_small_letters_but_for_special_ones():
    words = Characters(16)
    assert words.cut(["Hi", "[MASK]", "[E1]"]) == [(spelling("hi"),), (spelling("[MASK]"),), (spelling("[e1]"),)]
    assert words.cut(["[CLS]", "[PAD]", "ÉTÉ"]) == [(spelling("[CLS]"),), ((0,) * 50,), (spelling("été"),)]
    assert Characters(16, lower_case=False).cut(["Hi"]) == [(spelling("Hi"),)]
    assert words.one.size == 2 and words.two.size == 3 and Characters(16, length=20).one.before == (spelling("[CLS]", 20),)


def test_an_edit_can_name_the_mask_alone():
    words = Characters(16)
    assert words.piece(words.mask) == spelling("[MASK]")
    with pytest.raises(RelconError, match=r"names piece 7, but .* can only be replaced by \[MASK\], 262"):
        words.piece(7)


# ---- the network ---------------------------------------------------------------------------------------------------------


def test_cldr_fact_14():
    highway = Highway(2, 1)
    with torch.no_grad():
        highway._layers[0].weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0.5, 0], [0, 0.5]]))
        highway._layers[0].bias.copy_(torch.tensor([0.0, 1, 1, 1]))
    assert highway(torch.tensor([1, -0.5])).tolist() == pytest.approx([1.0, -0.179179], abs=1e-6)


def test_the_gates_carry_the_input_through_at_first():
    highway = Highway(3, 2)
    assert all(layer.bias[3:].eq(1).all() and not layer.bias[:3].eq(1).any() for layer in highway._layers)


def test_a_vector_is_what_the_filters_found_at_their_best_place():
    """Every id is its own embedding: the first filter sees ids themselves, negated, the second the fall from one to the next."""
    network = CharacterCNN(2, [(1, 1), (2, 1)], dimension=1, highways=0)
    with torch.no_grad():
        network._char_embedding_weights.copy_(torch.arange(263.0)[:, None])
        network.char_conv_0.weight.fill_(-1.0)
        network.char_conv_0.bias.fill_(107.0)
        network.char_conv_1.weight.copy_(torch.tensor([[[1.0, -1.0]]]))
        network.char_conv_1.bias.fill_(0.0)
        network._projection.weight.copy_(torch.eye(2))
        network._projection.bias.fill_(0.0)
    ids = torch.tensor([[spelling("hi"), spelling("[PAD]")]])
    assert network(ids).tolist() == [[[2.0, 154.0], [107.0, 0.0]]]
    with torch.no_grad():
        network.char_conv_0.bias.fill_(100.0)
    assert network(ids)[0, 0, 0] == 0, "the activation comes last"
