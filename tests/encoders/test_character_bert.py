"""CharacterBERT as an encoder: rows of words, states, freezing, steps, saving; folders of all kinds and what is refused."""

import json
import logging
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from relcon.config.building import resolve
from relcon.contrast import WHOLE, Contrast, Pairing, Span, Text, View
from relcon.data.labels import LabelSet
from relcon.encoders import character_loading
from relcon.encoders.characters import spelling
from relcon.encoding import encode, step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Tower
from relcon.poolers.sentence import CLS
from relcon.renderers.markers import EntityMarkers
from relcon.testing import check_encoder, tiny_character_bert_folder, tiny_instances

SENTENCE = tuple(["Abirol", "strongly", "blocks", "β-kinase", "in", "cells", "."])
FIRST, LAST, MASK = spelling("[CLS]"), spelling("[SEP]"), spelling("[MASK]")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A tiny CharacterBERT on disk."""
    return tiny_character_bert_folder(tmp_path_factory.mktemp("characters") / "tiny")


@pytest.fixture
def copy(folder, tmp_path):
    """A folder of one's own to change."""
    return shutil.copytree(folder, tmp_path / "encoder")


@pytest.fixture
def make(folder):
    """`make(max_length=16)`: the encoder as a config builds it."""

    def build(path=folder, **arguments):
        return resolve({"@encoders": "relcon.CharacterBERT.v1", "path": str(path), **arguments}, "encoder")

    return build


def row(encoder, text):
    """The spellings of one text, and those of each of its words."""
    prepared = encoder.prepare([text])
    ids = [tuple(each) for each in prepared.tensors["character_ids"][0].tolist()]
    return ids, [ids[first:end] if first >= 0 else None for _, first, end in prepared.where[0].tolist()], prepared


# ---- rows ----------------------------------------------------------------------------------------------------------------


def test_a_word_is_a_position(make):
    encoder = make()
    ids, words, prepared = row(encoder, Text(SENTENCE))
    assert ids == [FIRST, *(spelling(word.lower()) for word in SENTENCE), LAST]
    assert words == [[spelling(word.lower())] for word in SENTENCE]
    assert prepared.whole.tolist() == [[0, 0, 9]] and prepared.cropped == 0 and encoder.lengths([Text(SENTENCE)]) == [7]
    assert row(make(lower_case=False), Text(SENTENCE))[0][1] == spelling("Abirol")
    assert encoder.vocabulary is None


def test_shorter_rows_are_padded_with_zeros(make):
    prepared = make().prepare([Text(SENTENCE), Text(("low", "doses"))])
    assert prepared.tensors["character_ids"].shape == (2, 9, 50) and prepared.tensors["character_ids"][1, 4:].eq(0).all()
    assert prepared.tensors["attention_mask"].tolist() == [[1] * 9, [1] * 4 + [0] * 5]


def test_second_segment(make):
    ids, words, prepared = row(make(), Text(("low", "doses"), second=("the", "samples")))
    spelt = [spelling(word) for word in ("low", "doses", "the", "samples")]
    assert ids == [FIRST, *spelt[:2], LAST, *spelt[2:], LAST] and words == [[each] for each in spelt]
    assert prepared.tensors["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 1]]


def test_words_to_keep_survive_and_the_second_segment_too(make):
    text = Text(("low",) * 5 + ("abirol",) + ("doses",) * 20 + ("kap2",) + ("low",) * 5, second=("the", "samples"), keep=((5, 6), (26, 27)))
    ids, words, prepared = row(make(max_length=12), text)
    there = [number for number, word in enumerate(words) if word is not None]
    assert there == [3, 4, 5, 6, 25, 26, 27, 32, 33] and len(ids) == 12 and prepared.cropped == 1


def test_an_input_is_lost_where_the_words_to_keep_do_not_fit(make):
    ids, words, prepared = row(make(max_length=8), Text(SENTENCE * 3, keep=((0, 12),)))
    assert set(map(str, words)) == {"None"} and ids == [FIRST, LAST]
    assert prepared.whole.tolist() == [[0, -1, -1]] and prepared.cropped == 1


def test_an_edit_masks_a_word(make):
    encoder = make()
    _, words, _ = row(encoder, Text(("zq", "low"), second=("xy",), edits=((0, 0, encoder.words.mask), (2, -1, encoder.words.mask))))
    assert words == [[MASK], [spelling("low")], [MASK]]
    with pytest.raises(RelconError, match="no vocabulary"):
        encoder.prepare([Text(("low",), edits=((0, 0, 5),))])
    with pytest.raises(IndexError, match="piece 1"):
        encoder.prepare([Text(("low",), edits=((0, 1, encoder.words.mask),))])


def test_markers_are_words_and_nothing_is_added_for_them(make):
    renderer, encoder = EntityMarkers(), make()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    encoder.add_tokens(renderer.special_tokens)
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder.state_dict().items())
    views = renderer(tiny_instances(3))
    vectors, alive = encode(Tower(encoder, CLS()), [View(view.input, ((WHOLE,),)) for view in views])
    assert alive.all() and vectors.shape == (3, 32)
    _, words, _ = row(encoder, views[0].input)
    assert words[views[0].input.words.index("[E1]")] == [spelling("[e1]")]


# ---- states --------------------------------------------------------------------------------------------------------------


def test_states_are_those_of_berts_layers_over_the_words_vectors(make):
    encoder = make().eval()
    bert, prepared = encoder.model, encoder.prepare([Text(SENTENCE), Text(("low",), second=("doses",))])
    types = prepared.tensors["token_type_ids"]
    with torch.no_grad():
        words = bert.embeddings.word_embeddings(prepared.tensors["character_ids"])
        known = words + bert.embeddings.position_embeddings.weight[:9] + bert.embeddings.token_type_embeddings.weight[types]
        assert torch.allclose(encoder(prepared, depth=0).states, bert.embeddings.LayerNorm(known), atol=1e-6)
        mask = prepared.tensors["attention_mask"]
        expected = bert(inputs_embeds=words, attention_mask=mask, token_type_ids=types, output_hidden_states=True)
        for depth in (1, 2):
            assert torch.allclose(encoder(prepared, depth).states, expected.hidden_states[depth], atol=1e-6)
        encoded = encoder(prepared)
    assert torch.allclose(encoded.states, expected.last_hidden_state, atol=1e-6)
    assert torch.allclose(encoded.summary, expected.pooler_output, atol=1e-6)
    with pytest.raises(RelconError, match="2 layers"):
        encoder(prepared, 3)


def test_padding_changes_no_state(make):
    """CLDR's fact 15."""
    encoder = make().eval()
    with torch.no_grad():
        alone, among = encoder(encoder.prepare([Text(SENTENCE)])), encoder(encoder.prepare([Text(SENTENCE), Text(SENTENCE * 5)]))
    assert among.states.shape[1] == 37 and torch.allclose(alone.states[0], among.states[0, :9], atol=1e-4)


@pytest.mark.parametrize("arguments", [{}, {"freeze_layers": 1}, {"freeze_embeddings": True, "max_length": 12}, {"dropout": 0.0}])
def test_it_keeps_the_contract_of_encoders(make, arguments):
    check_encoder(make(**arguments), [view.input for view in EntityMarkers()(tiny_instances(5))])


def test_longest_inputs_run(make):
    encoder = make(max_length=128)
    assert encoder(encoder.prepare([Text(SENTENCE * 40)])).states.shape[1] == 128


# ---- what is trained -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, trained", [({}, 3), ({"freeze_embeddings": True}, 2), ({"freeze_layers": 1}, 1), ({"freeze_layers": 2}, 0)]
)
def test_freezing(make, arguments, trained):
    encoder = make(**arguments)
    parts = [encoder.model.embeddings, *encoder.model.encoder.layer]
    assert [all(p.requires_grad for p in part.parameters()) for part in parts] == [False] * (3 - trained) + [True] * trained
    assert encoder.trainable == (trained > 0)


def test_a_step_changes_what_is_trained_and_nothing_else(make):
    encoder = make(freeze_layers=1)
    pull = resolve(
        {
            "@tasks": "relcon.Contrastive.v1",
            "stream": "views",
            "anchors": {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "words"},
            "objective": {"@objectives": "relcon.NTXent.v1"},
        },
        "task",
    )
    pull.build(Parts({"text": encoder}, {"words": resolve({"@poolers": "relcon.BertPooler.v1"}, "pooler")}, LabelSet(("a",))))
    before = {name: parameter.detach().clone() for name, parameter in encoder.named_parameters()}
    optimizer = torch.optim.SGD(encoder.parameters(), 1.0)
    views = [View(Text(SENTENCE[start:]), ((WHOLE,),)) for start in range(4)]
    step({"pull": pull}, {"contrast": Contrast(views, Pairing.of(torch.eye(4).roll(1, 0), 1 - torch.eye(4) - torch.eye(4).roll(1, 0)))})
    optimizer.step()
    changed = {name for name, parameter in encoder.named_parameters() if not torch.equal(before[name], parameter)}
    frozen = {name for name, parameter in encoder.named_parameters() if not parameter.requires_grad}
    assert changed and not changed & frozen
    assert {name.split(".")[1] for name in frozen} == {"embeddings", "encoder"}
    assert any("_char_embedding_weights" in name for name in frozen)


def test_cldr_fact_15(make, monkeypatch):
    """The published size, counted without making the numbers."""
    with torch.device("meta"):
        model = character_loading.build(character_loading.PUBLISHED)
    monkeypatch.setattr(character_loading, "load", lambda *_: (model, character_loading.PUBLISHED))
    encoder = make(freeze_layers=6)
    size = {name: parameter.numel() for name, parameter in encoder.model.named_parameters()}
    network = [number for name, number in size.items() if name.startswith("embeddings.word_embeddings.")]
    assert (sum(network), sum(size.values()), len(encoder.model.state_dict())) == (18_562_416, 104_603_760, 219)
    assert sum(parameter.numel() for parameter in encoder.parameters() if not parameter.requires_grad) == 61_485_936
    assert sum(parameter.numel() for parameter in encoder.model.encoder.layer[0].parameters()) == 7_087_872
    shapes = {name.removeprefix("embeddings.word_embeddings."): list(tensor.shape) for name, tensor in encoder.model.state_dict().items()}
    assert shapes["_char_embedding_weights"] == [263, 16] and shapes["_projection.weight"] == [768, 2048]
    assert shapes["char_conv_6.weight"] == [1024, 16, 7] and shapes["_highways._layers.1.weight"] == [4096, 2048]


def test_dropout_is_replaced_and_saved(make, tmp_path):
    encoder = make(dropout=0.25)
    encoder.save(tmp_path / "text")
    for each in (encoder, make(tmp_path / "text")):
        assert {module.p for module in each.modules() if isinstance(module, torch.nn.Dropout)} == {0.25}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"max_length": 200}, "at most 128"),
        ({"max_length": 3}, "must leave room"),
        ({"freeze_layers": 3}, "2 layers"),
        ({"dropout": 1.5}, "dropout"),
    ],
)
def test_numbers_out_of_range(make, arguments, message):
    with pytest.raises(RelconError, match=message):
        make(**arguments)


def test_masked_pieces_need_a_tokenizer(make):
    task = resolve({"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "views", "encoder": "text"}, "task")
    with pytest.raises(RelconError, match=r"CharacterBERT has no embeddings of word pieces.*Choose one with a tokenizer"):
        task.build(Parts({"text": make()}, {}, LabelSet(("a",))))
    inner = {"@samplers": "relcon.Instances.v1", "batch_size": 2, "renderer": {"@renderers": "relcon.Plain.v1"}}
    sampler = resolve({"@samplers": "relcon.MaskedPieces.v1", "sampler": inner}, "sampler")
    with pytest.raises(RelconError, match="an encoder with a tokenizer"):
        next(iter(sampler.batches(None, Draw(0, torch.Generator(), make().vocabulary))))


# ---- folders -------------------------------------------------------------------------------------------------------------


def test_a_saved_encoder_is_loaded_again(make, tmp_path):
    encoder = make(max_length=20, freeze_layers=1, lower_case=False).eval()
    encoder.save(tmp_path / "text")
    config = json.loads((tmp_path / "text" / "config.json").read_text())
    assert config["model_type"] == "character_bert" and config.keys() == {"model_type", *character_loading.PUBLISHED}
    block = encoder.block(str(tmp_path / "text"))
    again = resolve(block, "encoder").eval()
    text = Text(("[E1]", *SENTENCE))
    with torch.no_grad():
        assert torch.equal(encoder(encoder.prepare([text])).states, again(again.prepare([text])).states)
    assert again.block(str(tmp_path / "text")) == block and not again.words.lower_case and again.words.limit == 20


def weights_of(folder):
    return load_file(folder / "model.safetensors")


def pickled(folder, weights):
    """The folder with these weights as a `pytorch_model.bin` alone."""
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


@pytest.mark.parametrize("prefix", ["", "bert.", "character_bert."])
def test_weights_of_a_model_with_heads_in_old_words(copy, make, folder, prefix):
    old = {
        prefix + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in weights_of(copy).items()
    }
    assert any("gamma" in name for name in old) and any("beta" in name for name in old)
    more = {f"{prefix}embeddings.{name}": torch.arange(128)[None] for name in ("position_ids", "token_type_ids")}
    heads = {"cls.predictions.bias": torch.zeros(9), "cls.seq_relationship.weight": torch.zeros(2, 32)}
    ours, theirs = make(pickled(copy, {**old, **more, **heads})).state_dict(), make(folder).state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_an_ordinary_config_gets_the_published_network(make, tmp_path):
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 16}
    settings = {**character_loading.PUBLISHED, **sizes}
    character_loading.save(tmp_path, character_loading.build(settings), settings)
    (tmp_path / "config.json").write_text(json.dumps({**sizes, "model_type": "bert", "vocab_size": 30522, "pad_token_id": 0}))
    assert make(tmp_path, max_length=16).settings == settings


def test_a_pooler_that_is_missing_starts_at_random(copy, make, caplog):
    weights = {name: tensor for name, tensor in weights_of(copy).items() if not name.startswith("pooler.")}
    save_file(weights, copy / "model.safetensors")
    with caplog.at_level(logging.WARNING):
        encoder = make(copy)
    assert "without a pooler" in caplog.text and str(copy) in caplog.text
    assert all(torch.equal(weights[name], encoder.model.state_dict()[name]) for name in weights)


def test_weights_are_read_in_full_precision(copy, make):
    save_file({name: tensor.half() for name, tensor in weights_of(copy).items()}, copy / "model.safetensors")
    assert {parameter.dtype for parameter in make(copy).parameters()} == {torch.float32}


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda w: w.pop("encoder.layer.1.output.dense.bias"), r"missing: encoder\.layer\.1\.output\.dense\.bias\)"),
        (lambda w: w.pop("pooler.dense.bias"), r"missing: pooler\.dense\.bias\)"),
        (lambda w: w.update({"more.weight": torch.zeros(2)}), r"not known: more\.weight\)"),
        (
            lambda w: w.update({"embeddings.word_embeddings._projection.bias": torch.zeros(7)}),
            r"of another size: embeddings\.word_embeddings\._projection\.bias \[7\] instead of \[32\]\)",
        ),
        (lambda w: w.clear(), r"missing: .* and \d+ more\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(copy, make, change, message):
    weights = weights_of(copy)
    change(weights)
    with pytest.raises(RelconError, match=message) as error:
        make(pickled(copy, weights))
    assert str(copy) in str(error.value)


class Runs:
    """A pickle that would make a file where it is loaded."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return type(self.file).touch, (self.file,)


def test_a_pickle_that_would_run_is_refused_and_does_not(copy, make, tmp_path):
    pickled(copy, {**weights_of(copy), "more": Runs(tmp_path / "ran")})
    with pytest.raises(RelconError, match=r"pytorch_model\.bin holds more than tensors, which could run code"):
        make(copy)
    assert not (tmp_path / "ran").exists()
    torch.load(copy / "pytorch_model.bin", weights_only=False)
    assert (tmp_path / "ran").exists(), "a harmless pickle would show nothing"


def test_a_file_without_names_is_refused(copy, make):
    with pytest.raises(RelconError, match="holds no weights by name"):
        make(pickled(copy, {"model": {"weight": torch.zeros(2)}}))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no weights"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"not weights"), "model of encoder"),
        (lambda folder: (folder / "config.json").write_text("{"), "config of encoder.*not valid JSON"),
        (lambda folder: (folder / "config.json").write_text('{"cnn_activation": "rleu"}'), "model of encoder.*rleu"),
        (lambda folder: shutil.rmtree(folder), "There is no encoder folder"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(copy, make, change, message):
    change(copy)
    with pytest.raises(RelconError, match=message) as error:
        make(copy)
    assert str(copy) in str(error.value)


def test_a_span_of_words_is_found(make):
    encoder, text = make(max_length=6), Text(SENTENCE)
    alive = encode(Tower(encoder, CLS()), [View(text, ((Span(1, 3),),)), View(text, ((Span(5, 6),),))])[1]
    assert alive.tolist() == [True, False]
