"""The word that stands for an encoder's own mask."""

import pytest
import torch
from transformers import AutoTokenizer

from relcon.config.building import resolve
from relcon.contrast import MASK, Text
from relcon.encoders.characters import Characters, spelling
from relcon.errors import RelconError
from relcon.testing import tiny_encoder_folder

WRITTEN = {"bert": "[MASK]", "roberta": "<mask>"}


def pieces_of(encoder, text):
    """The piece ids of one text, and the pieces of each of its words."""
    prepared = encoder.prepare([text])
    ids = prepared.tensors["input_ids"][0]
    return ids.tolist(), [ids[first:end].tolist() for _, first, end in prepared.where[0].tolist()]


def test_it_is_the_mask_piece_in_either_segment(folder, build):
    encoder = build(folder)
    mask = encoder.vocabulary.mask
    for text, place in ((Text(("low", MASK, "doses")), 1), (Text(("low",), second=("is", MASK, ".")), 2)):
        ids, words = pieces_of(encoder, text)
        assert words[place] == [mask] and ids.count(mask) == 1
        assert encoder.lengths([text]) == [sum(map(len, words))]
    assert encoder.vocabulary.pieces(MASK) == [mask]


def test_the_texts_own_mask_is_unknown_beside_it_and_the_mask_without_it(folder, build, kind):
    encoder, written = build(folder), WRITTEN[kind]
    mask, unknown = encoder.vocabulary.mask, encoder.vocabulary.tokenizer.unk_token_id
    text = Text((written, "low", f"x{written}y"), second=("is", MASK))
    ids, words = pieces_of(encoder, text)
    assert ids.count(mask) == 1 and words[0][-1] == unknown and words[4] == [mask]
    assert words[2] == [unknown if piece == mask else piece for piece in encoder.vocabulary.pieces(f"x{written}y")]
    assert pieces_of(encoder, Text((written, "low")))[0].count(mask) == 1, "an augmenter may write it"


def test_it_survives_cropping_where_it_is_to_be_kept(folder, build):
    encoder = build(folder, max_length=8)
    mask = encoder.vocabulary.mask
    assert pieces_of(encoder, Text(("low",) * 20 + (MASK,), keep=((20, 21),)))[0].count(mask) == 1
    assert pieces_of(encoder, Text(("low",) * 20, second=(MASK,)))[0].count(mask) == 1
    assert mask not in pieces_of(encoder, Text(("low",) * 20 + (MASK,)))[0]


def test_an_edit_may_replace_it(folders, build):
    encoder = build(folders["bert"])
    (low,) = encoder.vocabulary.pieces("low")
    _, words = pieces_of(encoder, Text(("kap2",), second=("is", MASK), edits=((2, 0, low),)))
    assert words[2] == [low]


# ---- tokenizers without a mask ---------------------------------------------------------------------------------------------


@pytest.fixture
def maskless(kind, build, tmp_path):
    """A tiny encoder whose tokenizer knows no mask token, though RoBERTa's vocabulary has its row."""
    folder = tiny_encoder_folder(tmp_path / kind, kind)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(folder)
    return build(folder)


def test_without_a_mask_token_it_is_refused(maskless):
    assert maskless.vocabulary.mask is None
    with pytest.raises(RelconError, match=r"no mask token.*special_tokens"):
        maskless.prepare([Text(("low",), second=(MASK,))])


def test_a_mask_token_is_added_as_the_mean_of_all(kind, maskless, tmp_path):
    before, state = maskless.model.get_input_embeddings().weight.clone(), torch.get_rng_state()
    maskless.add_tokens([MASK, "[E1]"])
    mask, table = maskless.vocabulary.mask, maskless.model.get_input_embeddings().weight
    assert torch.equal(state, torch.get_rng_state()) and mask != maskless.vocabulary.pieces("[E1]")[0]
    assert torch.equal(table[: len(before)], before)
    if kind == "roberta":
        assert mask == len(before), "[MASK] is new there"
        torch.testing.assert_close(table[mask], before.mean(0))
    text = Text(("low",), second=("is", MASK))
    assert pieces_of(maskless, text)[0].count(mask) == 1
    maskless.add_tokens([MASK])
    assert len(maskless.model.get_input_embeddings().weight) == len(table)
    maskless.save(tmp_path / "saved")
    again = resolve(maskless.block(str(tmp_path / "saved")), "encoder")
    assert again.vocabulary.mask == mask and pieces_of(again, text) == pieces_of(maskless, text)


def test_an_encoder_that_has_a_mask_stays_as_it_is(folder, build):
    encoder = build(folder)
    before = encoder.model.get_input_embeddings().weight.clone()
    encoder.add_tokens([MASK])
    assert torch.equal(encoder.model.get_input_embeddings().weight, before)


# ---- characters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lower_case", [True, False])
def test_words_of_characters(lower_case):
    words = Characters(16, lower_case)
    assert words.cut(["is", MASK]) == [(spelling("is"),), (spelling("[MASK]"),)]
    assert words.cut(["[MASK]", MASK]) == [(spelling("[mask]"),), (spelling("[MASK]"),)]
    assert words.cut(["[MASK]"]) == [(spelling("[MASK]"),)]
    assert spelling("[mask]") != spelling("[MASK]")
