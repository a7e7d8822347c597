"""The Hugging Face encoder: rows, cropping, edits, depth, freezing, new tokens, saving."""

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from relcon.config.building import resolve
from relcon.contrast import ABSENT, Input, Text
from relcon.errors import RelconError

SENTENCE = tuple(["Abirol", "strongly", "blocks", "beta", "kinase", "in", "cells", "."])


def row(encoder, text):
    """The piece ids of one text and the pieces of each of its words."""
    prepared = encoder.prepare([text])
    ids = prepared.tensors["input_ids"][0]
    return ids.tolist(), [ids[first:end].tolist() if first >= 0 else None for _, first, end in prepared.where[0].tolist()], prepared


def test_a_row_is_what_the_tokenizer_gives(folder, build):
    encoder = build(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids, words, prepared = row(encoder, Text(SENTENCE))
    assert ids == tokenizer(encoder.vocabulary.space + " ".join(SENTENCE))["input_ids"]
    assert words == [encoder.vocabulary.pieces(word) for word in SENTENCE]
    assert prepared.whole.tolist() == [[0, 0, len(ids)]] and prepared.cropped == 0


def test_states_are_those_of_the_model_itself(folder, build):
    encoder, model = build(folder).eval(), AutoModel.from_pretrained(folder).eval()
    texts = [" ".join(SENTENCE), "low doses"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer([encoder.vocabulary.space + text for text in texts], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(**batch)
        encoded = encoder(encoder.prepare([Text(tuple(text.split())) for text in texts]))
    mask = batch["attention_mask"].bool()
    assert torch.allclose(encoded.states[mask], expected.last_hidden_state[mask], atol=1e-6) and torch.equal(encoded.mask, mask)
    assert torch.allclose(encoded.summary, expected.pooler_output, atol=1e-6)


def test_second_segment(folder, build):
    encoder = build(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids, words, prepared = row(encoder, Text(("low", "doses"), second=("the", "samples")))
    expected = tokenizer(encoder.vocabulary.space + "low doses", encoder.vocabulary.space + "the samples")
    assert ids == expected["input_ids"]
    assert words == [encoder.vocabulary.pieces(word) for word in ("low", "doses", "the", "samples")]
    if "token_type_ids" in expected:
        assert prepared.tensors["token_type_ids"][0].tolist() == expected["token_type_ids"]
    else:
        assert "token_type_ids" not in prepared.tensors


def test_shorter_rows_are_padded_to_the_longest_and_have_no_further_words(folder, build):
    encoder = build(folder)
    prepared = encoder.prepare([Text(SENTENCE), Text(("low",), second=("doses",))])
    length = prepared.tensors["attention_mask"].sum(1)
    assert prepared.tensors["input_ids"].shape[1] == int(length.max()) == prepared.whole[0, 2]
    assert prepared.where[1, 2:].eq(ABSENT).all() and prepared.where[1, :2, 1].min() > 0
    if "token_type_ids" in prepared.tensors:
        assert prepared.tensors["token_type_ids"][1, length[1] :].sum() == 0


def test_the_end_is_cropped_and_counted(folder, build):
    encoder = build(folder, max_length=10)
    ids, words, prepared = row(encoder, Text(SENTENCE * 3))
    kept = [word for word in words if word is not None]
    assert len(ids) <= 10 and prepared.cropped == 1
    assert words[: len(kept)] == kept and words[len(kept) :] == [None] * (24 - len(kept))


def test_words_to_keep_survive_and_the_second_segment_too(folders, build):
    encoder = build(folders["bert"], max_length=12)
    text = Text(("low",) * 5 + ("abirol",) + ("doses",) * 20 + ("kap2",) + ("low",) * 5, second=("the", "samples"), keep=((5, 6), (26, 27)))
    ids, words, prepared = row(encoder, text)
    there = [number for number, word in enumerate(words) if word is not None]
    assert there == [3, 4, 5, 6, 25, 26, 27, 32, 33] and len(ids) == 12 and prepared.cropped == 1
    assert encoder.vocabulary.tokenizer.convert_ids_to_tokens(ids)[3] == "abirol"


def test_an_input_is_lost_where_the_words_to_keep_do_not_fit(folder, build):
    encoder = build(folder, max_length=8)
    ids, words, prepared = row(encoder, Text(SENTENCE * 3, keep=((0, 12),)))
    assert set(words) == {None} and len(ids) == 2
    assert prepared.whole.tolist() == [[0, -1, -1]] and prepared.cropped == 1


def test_an_input_is_lost_where_the_second_segment_does_not_fit(folder, build):
    ids, words, prepared = row(build(folder, max_length=8), Text(("low",), second=SENTENCE))
    assert words == [None] * 9 and len(ids) == 2
    assert prepared.whole.tolist() == [[0, -1, -1]] and prepared.cropped == 1


def test_edits_replace_pieces(folders, build):
    encoder = build(folders["bert"])
    mask = encoder.vocabulary.mask
    _, words, _ = row(encoder, Text(("zq", "low"), second=("xy",), edits=((0, 1, mask), (2, -1, mask))))
    first = encoder.vocabulary.pieces("zq")
    assert words == [[first[0], mask], encoder.vocabulary.pieces("low"), [mask] * len(encoder.vocabulary.pieces("xy"))]
    with pytest.raises(IndexError, match="piece 1"):
        encoder.prepare([Text(("low",), edits=((0, 1, mask),))])


def test_depth(folder, build):
    encoder, model = build(folder).eval(), AutoModel.from_pretrained(folder).eval()
    prepared = encoder.prepare([Text(SENTENCE)])
    calls = []
    for layer in encoder.model.encoder.layer:
        layer.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        every = model(**prepared.tensors, output_hidden_states=True).hidden_states
        for depth in (0, 1, 2, None):
            calls.clear()
            encoded = encoder(prepared, depth)
            assert torch.allclose(encoded.states, every[-1 if depth is None else depth], atol=1e-6)
            assert len(calls) == (2 if depth is None else depth), "layers beyond the depth were computed"
            assert (encoded.summary is None) == (depth is not None)
    with pytest.raises(RelconError, match="2 layers"):
        encoder(prepared, 3)


@pytest.mark.parametrize(
    "arguments, trained", [({}, 3), ({"freeze_embeddings": True}, 2), ({"freeze_layers": 1}, 1), ({"freeze_layers": 2}, 0)]
)
def test_freezing(folder, build, arguments, trained):
    encoder = build(folder, **arguments)
    encoder.add_tokens(["[E1]"])
    parts = [encoder.model.embeddings, *encoder.model.encoder.layer]
    assert [all(p.requires_grad for p in part.parameters()) for part in parts] == [False] * (3 - trained) + [True] * trained
    assert encoder.trainable == (trained > 0)
    if trained == 0:
        assert not any(p.requires_grad for p in encoder.parameters())


def test_new_tokens_start_as_the_mean_of_their_pieces_without_randomness(folder, build):
    encoder = build(folder)
    before = encoder.model.get_input_embeddings().weight.clone()
    pieces, state = encoder.vocabulary.pieces("[E1]"), torch.get_rng_state()
    encoder.add_tokens(["[E1]", "[E2]"])
    table = encoder.model.get_input_embeddings().weight
    (number,) = encoder.vocabulary.pieces("[E1]")
    assert torch.equal(state, torch.get_rng_state())
    assert torch.allclose(table[number], before[pieces].mean(0)) and torch.equal(table[: len(before)], before)
    assert not torch.equal(table[number], table[encoder.vocabulary.pieces("[E2]")[0]])
    assert table.requires_grad and encoder.vocabulary.size == len(table)
    encoder.add_tokens(["[E1]"])
    assert len(encoder.model.get_input_embeddings().weight) == len(table)


def test_a_saved_encoder_loads_everywhere(folder, build, tmp_path):
    encoder = build(folder, max_length=20).eval()
    encoder.add_tokens(["[E1]"])
    encoder.save(tmp_path / "text")
    text = Text(("[E1]", *SENTENCE))
    again = resolve(encoder.block(str(tmp_path / "text")), "encoder").eval()
    model, tokenizer = AutoModel.from_pretrained(tmp_path / "text").eval(), AutoTokenizer.from_pretrained(tmp_path / "text")
    batch = tokenizer(encoder.vocabulary.space + " ".join(text.words), return_tensors="pt")
    with torch.no_grad():
        states = [encoder(encoder.prepare([text])).states, again(again.prepare([text])).states, model(**batch).last_hidden_state]
    assert all(torch.equal(states[0], other) for other in states[1:]) and again.vocabulary.limit == 20


def test_dropout_is_replaced(folder, build):
    rates = {m.p for m in build(folder, dropout=0.25).modules() if isinstance(m, torch.nn.Dropout)}
    assert rates == {0.25}


def test_dropout_of_hidden_states_alone(folder, build, tmp_path):
    encoder = build(folder, hidden_dropout=0.35)
    config = encoder.model.config
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.35, 0.1)
    assert build(folder, dropout=0.0, hidden_dropout=0.2).model.config.attention_probs_dropout_prob == 0.0
    encoder.save(tmp_path / "text")
    again = resolve(encoder.block(str(tmp_path / "text")), "encoder")
    assert 0.35 in {m.p for m in again.modules() if isinstance(m, torch.nn.Dropout)}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"max_length": 200}, "at most 128"),
        ({"max_length": 2}, "must leave room"),
        ({"freeze_layers": 3}, "2 layers"),
        ({"dropout": 1.5}, "dropout"),
        ({"hidden_dropout": -0.5}, "hidden_dropout"),
    ],
)
def test_numbers_out_of_range(folder, build, arguments, message):
    with pytest.raises(RelconError, match=message):
        build(folder, **arguments)


def test_longest_inputs_run(folder, build):
    encoder = build(folder, max_length=128)
    assert encoder(encoder.prepare([Text(SENTENCE * 40)])).states.shape[1] <= 128


def test_only_texts_are_read(folder, build):
    class Picture(Input):
        pass

    with pytest.raises(TypeError, match="Picture"):
        build(folder).prepare([Picture()])


def test_lengths_are_known_before_rows_are_made(folder, build):
    encoder = build(folder, max_length=12)
    texts = [Text(("low",)), Text(SENTENCE), Text(("low",), second=("abirol", "zq"))]
    lengths, rows = encoder.lengths(texts), encoder.prepare(texts).whole[:, 2].tolist()
    assert sorted(range(3), key=lengths.__getitem__) == sorted(range(3), key=rows.__getitem__) and max(lengths) <= 12
