"""Soft labels: their words, their first values, similarities, transforms, and what is saved of them."""

import math
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest
import torch
import torch.nn.functional as F
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_cloce.label_words import derived_words, read_words
from relcon_cloce.soft_labels import told_apart
from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

from relcon.config import resolve
from relcon.contrast import Encoded, Labelled, Spans
from relcon.data.labels import LabelSet
from relcon.encoders.transformer import Transformer
from relcon.encoding import encode, step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, PieceHead, Sampler, Split, Tower
from relcon.model import SavedModel, Trained
from relcon.poolers.spans import SpanPool
from relcon.testing import check_step, tiny_character_bert_folder, tiny_encoder, tiny_encoder_folder, tiny_split

LABELS = LabelSet(("none", "activates", "inhibits"), frozenset({"none"}))
STREAM = {"@samplers": "relcon.Instances.v1", "batch_size": 6, "renderer": {"@renderers": "cloce.Prompt.v1"}}
POOLER = {"@poolers": "relcon.SpanPool.v1", "inside": "first", "slots": 1}


def soft_labels(**arguments: Any) -> Any:
    """The task as a config builds it."""
    return resolve({"@tasks": "cloce.SoftLabels.v1", "stream": "train", **arguments}, "[task]")


def parts_of(encoder: Any, labels: LabelSet = LABELS, **more: Any) -> Parts:
    return Parts({"text": encoder}, {"mask": resolve(POOLER, "[pooler]")}, labels, **more)


def built(encoder: Any = None, label_set: LabelSet = LABELS, **arguments: Any) -> Any:
    """The task over an encoder, `fresh` unless said."""
    task = soft_labels(**{"transform": "fresh", **arguments})
    encoder = encoder or tiny_encoder()
    encoder.add_tokens(task.special_tokens(label_set))
    task.build(parts_of(encoder, label_set))
    return task


def batch_for(encoder: Any) -> Any:
    """A batch of prompts."""
    sampler: Sampler = resolve(STREAM, "[sampler]")
    encoder.add_tokens(sampler.special_tokens)
    return next(iter(sampler.batches(tiny_split(), Draw(0, torch.Generator().manual_seed(0), encoder.vocabulary))))


# ---- logits ----------------------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_cloce_g09_soft_labels() -> None:
    width = tiny_encoder().width
    state, answers = torch.zeros(1, width), torch.zeros(3, width)
    state[0, :2] = torch.tensor([1.0, 2.0])
    answers[:, :2] = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    task = built(transform="identity", init="random")
    task.tower.head.answers.vectors.copy_(answers)
    logits = task.tower.head(state)
    assert logits.tolist() == [[1.0, 2.0, 1.5]]
    assert logits.softmax(1)[0].tolist() == pytest.approx([0.186324, 0.506480, 0.307196], abs=1e-6)
    value = Labelled([None], torch.tensor([1]))  # type: ignore[list-item]
    assert float(task.part(value, logits, torch.tensor([0]), None)) == pytest.approx(0.680270, abs=1e-6)
    cosine = built(transform="identity", init="random", similarity="cosine", scale=10.0)
    cosine.tower.head.answers.vectors.copy_(answers)
    logits = cosine.tower.head(state)
    assert logits[0].tolist() == pytest.approx([4.47214, 8.94427, 9.48683], abs=1e-5) and int(logits.argmax()) == 2
    cosine.tower.head.bias[0] = 7.0
    assert float(cosine.tower.head(state)[0, 0]) == pytest.approx(11.47214, abs=1e-5)


def test_cloce_g10_pooling() -> None:
    states, mask = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]]), torch.tensor([[True, True, False]])
    one = torch.tensor([0])
    spans = Spans(one, one, torch.tensor([2]), one, 1, 1, torch.tensor([True]), one)  # what WHOLE is of an input of two positions
    pooler = resolve({**POOLER, "inside": "mean"}, "[pooler]")
    assert isinstance(pooler, SpanPool) and pooler(Encoded(states, mask), spans).tolist() == [[0.5, 1.0]]


def test_cloce_g10_pooling_of_prompts_of_different_length() -> None:
    """In one batch, so that the shorter one is padded: padding takes no part in its mean."""
    prompt = resolve({"@renderers": "cloce.Prompt.v1", "unit": "sentence"}, "[renderer]")
    encoder, rows = tiny_encoder(dropout=0.0), []
    encoder.add_tokens(prompt.special_tokens)
    encoder.register_forward_hook(lambda module, given, found: rows.append(found))
    views = sorted(prompt(tiny_split().instances), key=lambda view: len(view.input.words))
    views = [views[0], views[-1]]
    vectors, _ = encode(Tower(encoder, resolve({**POOLER, "inside": "mean"}, "[pooler]")), views)
    (batch,) = rows
    assert len(batch.states) == 2 and not batch.mask.all()
    for view, vector in zip(views, vectors, strict=True):
        (alone,) = encoder(encoder.prepare([view.input])).states
        assert torch.allclose(vector, alone.mean(0), atol=1e-6)


def test_a_fresh_transform_and_soft_labels_have_the_rate_of_heads() -> None:
    task = built()
    groups = resolve({"@optimizers": "relcon.AdamW.v1", "lr": 1e-4, "head_lr": 1e-3}, "[optimizer]").build(task).param_groups
    rates = {id(weight): group["lr"] for group in groups for weight in group["params"]}
    of_head, of_encoder = ({rates[id(each)] for each in part.parameters()} for part in (task.tower.head, task.tower.encoder))
    assert (of_head, of_encoder) == ({1e-3}, {1e-4})


@pytest.mark.parametrize("arguments", [{}, {"similarity": "cosine"}, {"labels": "vocab_rows"}], ids=["dot", "cosine", "vocab_rows"])
def test_cut_and_cached_steps_give_the_plain_gradients(arguments: Dict[str, Any]) -> None:
    torch.manual_seed(0)
    encoder = tiny_encoder()
    task = built(encoder, **arguments)
    batch = batch_for(encoder)
    check_step({"relation": task.train()}, batch, tokens=60)
    step({"relation": task}, batch)
    answers = task.tower.head.answers
    gradient = encoder.model.get_input_embeddings().weight.grad[answers.rows] if arguments.get("labels") else answers.vectors.grad
    assert float(gradient.abs().min(1).values.max()) > 0 and task.figures()["accuracy"] >= 0


def test_the_classifier_learns() -> None:
    torch.manual_seed(0)
    encoder = tiny_encoder(dropout=0.0)
    task, batch = built(encoder), batch_for(encoder)
    optimizer = torch.optim.Adam(task.parameters(), 3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        step({"relation": task}, batch)
        optimizer.step()
        figures = task.figures()
    assert figures == {"accuracy": 1.0}


# ---- label words -----------------------------------------------------------------------------------------------------------


def words_of(*names: str, negative: Sequence[str] = ()) -> List[str]:
    """The words that the task derives."""
    words: List[str] = soft_labels().words_of(LabelSet(names, frozenset(negative)))
    return words


def test_cloce_g13_label_words() -> None:
    expected = {
        "per:city_of_birth": "person city of birth",
        "org:top_members/employees": "organization top members/employees",
        "no_relation": "no relation",
        "Cause-Effect(e1,e2)": "cause-effect",
        "Cause-Effect(e2,e1)": "effect-cause",
    }
    assert words_of(*expected, negative=["no_relation"]) == list(expected.values())


def test_negative_labels_have_words_whatever_they_are_called() -> None:
    assert words_of("NA", "none", "Other", negative=["NA", "none", "Other"]) == ["no relation", "no relation", "other"]
    assert words_of("Other", "no_relation", "org:founded_by", "pert:x", "CPR:3") == [
        "other",
        "no relation",
        "organization founded by",
        "pert x",
        "cpr 3",
    ]


def test_a_name_without_words_is_refused_before_training() -> None:
    with pytest.raises(RelconError, match=r"'\(e1,e2\)' gives no words.*words = \"FILE.yaml\""):
        soft_labels().check(Split("train", [], [], LabelSet(("a", "(e1,e2)"))))
    soft_labels(init="random").check(Split("train", [], [], LabelSet(("a", "(e1,e2)"))))


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True))
@settings(max_examples=200, deadline=None)
def test_derived_words_are_lower_case_words_or_an_error(names: List[str]) -> None:
    try:
        words = derived_words(LabelSet(tuple(names)))
    except RelconError as error:
        assert any(f"'{name}'" in str(error) for name in names)
        return
    assert all(text and text == " ".join(text.split()) and "_" not in text and "(" not in text for text in words)


WORDS = {"none": "no relation at all", "activates": "turns on", "inhibits": "turns off"}


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """`written(text)`: a file of verbalisations."""

    def write(text: Any) -> str:
        path = tmp_path / "words.yaml"
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), encoding="utf-8")
        return str(path)

    return write


def test_words_come_from_a_file(written: Any) -> None:
    task = soft_labels(words=written({**WORDS, "none": "no"}))
    assert task.words_of(LABELS) == ["no", "turns on", "turns off"]
    assert soft_labels(words=written("none: no\nactivates:  'on  and on'\ninhibits: 1e3\n")).words_of(LABELS) == ["no", "on and on", "1e3"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("none: no\nactivate: on\ninhibits: off\n", r"words.yaml:2: 'activate' is not a label of the data. Did you mean 'activates'"),
        ("none: no\nactivates: on\n", r"words.yaml has no words for 'inhibits'"),
        ("none: no\nactivates:\ninhibits: off\n", r"words.yaml:2: the label 'activates' has no words"),
        ("none: no\nactivates: '  '\n", r"words.yaml:2: the label 'activates' has no words"),
        ("none: no\nnone: not\n", r"words.yaml:2: the label 'none' has words on line 1 already"),
        ("none: [no, not]\n", r"words.yaml:1: expected LABEL: words"),
        ("none: {a: b}\n", r"words.yaml:1: expected LABEL: words"),
        ("- none\n", "must be a mapping"),
        ("", "must be a mapping"),
        ("{}", "must be a mapping"),
        ("none: 'no\n", r"words.yaml:\d+: not valid YAML"),
        ("none: \x01", r"not valid YAML"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_training_and_in_it(text: str, message: str, written: Any) -> None:
    task = soft_labels(words=written(text), transform="fresh")
    with pytest.raises(RelconError, match=message):
        task.check(tiny_split())
    with pytest.raises(RelconError, match=message):
        task.build(parts_of(tiny_encoder()))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match=r"nowhere.yaml cannot be read \(No such file"):
        soft_labels(words=str(tmp_path / "nowhere.yaml")).check(tiny_split())
    (tmp_path / "words.yaml").write_bytes(b"none: \xff\n")
    with pytest.raises(RelconError, match="not UTF-8"):
        soft_labels(words=str(tmp_path / "words.yaml")).check(tiny_split())


@given(text=st.text(st.sampled_from("ab: \n-'\"{}[]&*#!|>%@`,?\t"), max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_file_is_read_or_refused_in_words(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        found = read_words(path)
    except RelconError as error:
        assert str(path) in str(error)
        return
    assert found and all(written.words.strip() and written.line >= 1 for written in found.values())


# ---- first values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("labels", ["separate", "vocab_rows"])
def test_soft_labels_start_as_the_mean_of_all_pieces_of_their_words(kind: Any, labels: str, written: Any) -> None:
    encoder = tiny_encoder(kind)
    table = encoder.model.get_input_embeddings().weight.detach().clone()
    task = built(encoder, words=written(WORDS), labels=labels)
    found = task.tower.head.answers().detach()
    for row, text in zip(found, WORDS.values(), strict=True):
        pieces = [piece for word in text.split() for piece in encoder.vocabulary.pieces(word)]
        assert len(pieces) > 1
        torch.testing.assert_close(row, table[pieces].mean(0))
    assert task.tower.head.bias.tolist() == [0, 0, 0]


def test_vocabulary_rows_are_new_pieces_that_train_with_the_encoder() -> None:
    encoder = tiny_encoder()
    before = encoder.model.get_input_embeddings().weight.detach().clone()
    task = built(encoder, labels="vocab_rows")
    table = encoder.model.get_input_embeddings().weight
    assert task.special_tokens(LABELS) == ["[label:none]", "[label:activates]", "[label:inhibits]"]
    assert len(table) == len(before) + 3 and torch.equal(table[: len(before)], before)
    assert task.tower.head.answers.rows == [len(before), len(before) + 1, len(before) + 2]
    assert "vectors" not in dict(task.tower.head.answers.named_parameters())
    assert soft_labels().special_tokens(LABELS) == ()


def test_equal_words_get_noise_and_others_none(written: Any) -> None:
    path = written({"none": "low", "activates": "doses of", "inhibits": "doses of"})
    encoder = tiny_encoder()
    table = encoder.model.get_input_embeddings().weight.detach()
    torch.manual_seed(5)
    first = built(encoder, words=path).tower.head.answers().detach()
    torch.manual_seed(5)
    again = built(encoder, words=path).tower.head.answers().detach()
    mean = table[[piece for word in ("doses", "of") for piece in encoder.vocabulary.pieces(word)]].mean(0)
    assert torch.equal(first, again) and torch.equal(first[0], table[encoder.vocabulary.pieces("low")].mean(0))
    noise = first[1:] - mean
    assert not torch.equal(noise[0], noise[1]) and 3e-4 < float(noise.std()) < 3e-3
    state = torch.get_rng_state()
    different = torch.eye(3)
    assert told_apart(different) is different and torch.equal(state, torch.get_rng_state())


def test_random_soft_labels() -> None:
    vectors = built(init="random").tower.head.answers.vectors.detach()
    assert float(vectors.std()) == pytest.approx(0.02, rel=0.4)


def test_both_directions_of_a_relation_differ_from_the_start() -> None:
    names = ("Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)")
    vectors = built(label_set=LabelSet(names)).tower.head.answers.vectors.detach()
    assert not torch.equal(vectors[0], vectors[1]), "their pieces are the same, in another order: noise tells them apart"


# ---- transforms ------------------------------------------------------------------------------------------------------------


def test_a_fresh_transform_has_the_layers_of_a_head() -> None:
    linear, activation, norm = built().tower.head.transform
    assert float(linear.weight.detach().std()) == pytest.approx(0.02, rel=0.2) and linear.bias.tolist() == [0] * len(linear.bias)
    state = torch.randn(2, len(linear.bias))
    expected = F.layer_norm(F.gelu(F.linear(state, linear.weight)), (len(linear.bias),))
    torch.testing.assert_close(norm(activation(linear(state))), expected)


@pytest.fixture(scope="module", params=["bert", "roberta"])
def pretrained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a masked language model, head included."""
    folder = tiny_encoder_folder(tmp_path_factory.mktemp(request.param), request.param)
    config, model = {"bert": (BertConfig, BertForMaskedLM), "roberta": (RobertaConfig, RobertaForMaskedLM)}[request.param]
    torch.manual_seed(3)
    model(config.from_pretrained(folder)).save_pretrained(folder)
    return folder


def test_the_transform_of_the_checkpoint_is_that_of_its_masked_language_model(pretrained: Path) -> None:
    encoder = Transformer(str(pretrained))
    task = built(encoder, transform="checkpoint")
    whole = AutoModelForMaskedLM.from_pretrained(pretrained)
    table, state = encoder.model.get_input_embeddings().weight, torch.randn(2, encoder.width)
    head = whole.cls.predictions if hasattr(whole, "cls") else whole.lm_head
    expected = head(state)
    torch.testing.assert_close(task.tower.head.transform(state) @ table.T + head.bias, expected, rtol=1e-4, atol=1e-4)


def test_a_checkpoint_without_a_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match=r'no head of a masked language model.*Take "fresh"'):
        built(Transformer(str(tiny_encoder_folder(tmp_path))), transform="checkpoint")


def test_it_shares_the_head_of_a_masked_language_model_of_the_stage(pretrained: Path) -> None:
    encoder = Transformer(str(pretrained))
    parts = parts_of(encoder)
    guess = resolve({"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "s", "encoder": "text", "head": "checkpoint"}, "[guess]")
    guess.build(parts)
    task = soft_labels(transform="checkpoint")
    task.build(parts)
    assert task.tower.head.transform is guess.tower.head
    with pytest.raises(RelconError, match=r'share one head over word pieces: "checkpoint"'):
        soft_labels(transform="handed_on").build(parts)
    own = soft_labels(transform="fresh")
    own.build(parts)
    assert own.tower.head.transform is not guess.tower.head


def test_a_head_that_was_handed_on_is_taken_and_a_missing_one_refused(pretrained: Path) -> None:
    before, encoder = parts_of(tiny_encoder()), tiny_encoder()
    soft = soft_labels(transform="handed_on")
    with pytest.raises(RelconError, match="no earlier stage handed on a head"):
        soft.build(parts_of(encoder))
    resolve({"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "s", "encoder": "text"}, "[guess]").build(before)
    parts = parts_of(encoder, handed_on=before.heads)
    soft.build(parts)
    head = before.heads["text"]
    assert isinstance(head, PieceHead) and torch.equal(soft.tower.head.transform[0].weight, head.states[0].weight)


# ---- encoders of other kinds -----------------------------------------------------------------------------------------------


def test_an_encoder_of_characters_takes_random_soft_labels(tmp_path: Path) -> None:
    block = {"@encoders": "relcon.CharacterBERT.v1", "path": str(tiny_character_bert_folder(tmp_path)), "max_length": 64}
    encoder = resolve(block, "[encoder]")
    with pytest.raises(RelconError, match="no embeddings of word pieces"):
        soft_labels(transform="fresh").build(parts_of(encoder))
    task = soft_labels(transform="fresh", init="random")
    task.build(parts_of(encoder))
    assert math.isfinite(step({"relation": task}, batch_for(encoder)).loss)


def test_an_encoder_without_a_mask_gets_one_from_the_prompt() -> None:
    encoder = tiny_encoder()
    encoder.vocabulary.tokenizer.mask_token = None
    encoder.words.known = {}
    assert encoder.vocabulary.mask is None
    batch = batch_for(encoder)
    assert encoder.vocabulary.mask is not None and math.isfinite(step({"relation": built(encoder)}, batch).loss)


@pytest.mark.parametrize("arguments", [{}, {"labels": "vocab_rows", "init": "random"}])
def test_embeddings_of_another_width_are_refused_in_words(arguments: Dict[str, Any]) -> None:
    encoder = tiny_encoder()
    narrow = torch.nn.Embedding(len(encoder.model.get_input_embeddings().weight) + 3, 8)
    task = soft_labels(transform="fresh", **arguments)
    encoder.add_tokens(task.special_tokens(LABELS))
    encoder.model.get_input_embeddings = lambda: narrow
    with pytest.raises(RelconError, match=r'8 numbers and its states 32.*init = "random" and labels = "separate"'):
        task.build(parts_of(encoder))


def test_a_pooler_of_several_states_is_refused() -> None:
    parts = Parts({"text": tiny_encoder()}, {"mask": SpanPool("first", slots=2)}, LABELS)
    with pytest.raises(RelconError, match="must give one state"):
        soft_labels(transform="fresh").build(parts)


@pytest.mark.parametrize("arguments, message", [({"scale": 0.0}, "scale"), ({"words": "w.yaml", "init": "random"}, "label_words")])
def test_arguments_out_of_range(arguments: Dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        soft_labels(**arguments)


# ---- saved models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [{"transform": "checkpoint"}, {"labels": "vocab_rows"}, {"transform": "identity", "similarity": "cosine"}]
)
def test_a_saved_model_opens_without_the_files_of_its_first_values(arguments: Dict[str, Any], pretrained: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.yaml"
    words.write_text(yaml.safe_dump(WORDS), encoding="utf-8")
    block = {"@tasks": "cloce.SoftLabels.v1", "stream": "train", "words": str(words), "transform": "fresh", **arguments}
    encoder, task = Transformer(str(pretrained)), resolve(block, "[task]")
    renderer = resolve(STREAM["renderer"], "[renderer]")  # type: ignore[arg-type]
    encoder.add_tokens([*renderer.special_tokens, *task.special_tokens(LABELS)])
    parts = parts_of(encoder)
    task.build(parts)
    with torch.no_grad():
        for parameter in task.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape))
    blocks = {"poolers": {"mask": POOLER}, "tasks": {"relation": block}, "renderer": STREAM["renderer"]}
    made = Trained(parts, {"relation": task}, blocks, renderer.special_tokens, "relation", renderer)
    made.save(tmp_path / "model")
    words.unlink()
    instances = tiny_split().instances
    loaded = SavedModel(tmp_path / "model").load()
    assert torch.equal(loaded.probabilities(instances), made.model().probabilities(instances))
    assert float(loaded.probabilities(instances).std(0).max()) > 0
