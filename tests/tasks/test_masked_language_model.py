"""The masked language model beside a contrast, in one forward."""

import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

from relcon.contrast import Contrast, Labelled, Span, Text, View
from relcon.encoders.loading import masked_head
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective, Draw, Encoder, Parts, Sampler, Task
from relcon.poolers.sentence import CLS
from relcon.samplers.pairings import partners
from relcon.tasks.piece_heads import description, restored_head
from relcon.testing import tiny_encoder_folder


def task(parts, encoder="text", **arguments):
    made = Task.registry.get("relcon.MaskedLanguageModel.v1")("views", encoder, **arguments)
    made.build(parts)
    return made


def test_loss_is_the_cross_entropy_over_the_tied_embeddings(make):
    parts = make()
    made, encoder = task(parts), parts.encoders["text"]
    text = Text(("the", "cats", "sees"), edits=((1, 1, encoder.vocabulary.mask), (2, 0, encoder.vocabulary.mask)))
    views = [View(text, ((Span(1, 2, 1),),)), View(text, ((Span(2, 3, 0),),))]
    labels = torch.tensor([encoder.vocabulary.pieces("cats")[1], encoder.vocabulary.pieces("sees")[0]])
    with torch.no_grad():
        made.bias.copy_(torch.randn(15, generator=torch.Generator().manual_seed(0)))
    result = step({"mlm": made}, {"masked": Labelled(views, labels)})
    states = encoder(encoder.prepare([text])).states[0, [3, 4]]  # [CLS] the cat ##s sees [SEP]
    scores = made.tower.head(states) @ encoder.model.get_input_embeddings().weight.T + made.bias
    assert result.loss == pytest.approx(F.cross_entropy(scores, labels).item(), abs=1e-5)
    assert made.bias.grad.abs().sum() > 0 and encoder.model.get_input_embeddings().weight.grad is not None
    assert made.figures() == {"accuracy": float((scores.argmax(1) == labels).float().mean())}


class Two(Sampler):
    """One batch of a contrast over two texts."""

    def batches(self, data, draw):
        views = [View(Text(("the", word, "sees", "a", "bird", "today")), ((Span(1, 2),),)) for word in ("cat", "cats", "dog", "dogs")]
        yield {"contrast": Contrast(views, partners(4))}

    def length(self, data):
        return 1


@pytest.mark.parametrize("cache", [False, True])
def test_contrast_and_masked_pieces_are_one_forward(make, plan, cache):
    parts = make(dropout=0.1)
    encoder = parts.encoders["text"]
    contrast = Task.registry.get("relcon.Contrastive.v1")("views", plan("mention"), ContrastiveObjective.registry.get("relcon.NTXent.v1")())
    contrast.build(parts)
    tasks = {"contrast": contrast, "mlm": task(parts, weight=0.5)}
    sampler = Sampler.registry.get("relcon.MaskedPieces.v1")(Two(), rate=0.4)
    (batch,) = sampler.batches(None, Draw(0, torch.Generator().manual_seed(0), encoder.vocabulary))
    torch.manual_seed(1)
    result = step(tasks, batch, tokens=16, cache=cache)
    assert result.inputs == 4 and result.views == 4 + len(batch["masked"].views) > 4
    assert result.loss == pytest.approx(result.parts["contrast"] + 0.5 * result.parts["mlm"])
    gradient = {key: weight.grad.clone() for key, weight in encoder.named_parameters() if weight.grad is not None}
    for each in tasks.values():
        each.zero_grad()
    torch.manual_seed(1)
    step(tasks, batch, tokens=16, cache=not cache)
    torch.testing.assert_close(gradient, {key: w.grad for key, w in encoder.named_parameters() if w.grad is not None}, rtol=1e-3, atol=1e-5)


def test_training_learns_to_guess(make):
    torch.manual_seed(0)
    parts = make()
    made, encoder = task(parts), parts.encoders["text"]
    texts = [Text(("the", word, verb), edits=((2, 0, encoder.vocabulary.mask),)) for word, verb in (("cat", "sees"), ("dog", "hears"))]
    labels = torch.tensor([encoder.vocabulary.pieces(verb)[0] for verb in ("sees", "hears")])
    value = Labelled([View(text, ((Span(2, 3, 0),),)) for text in texts], labels)
    optimizer = torch.optim.Adam(made.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        step({"mlm": made}, {"masked": value})
        optimizer.step()
        figures = made.figures()
    assert figures["accuracy"] == 1.0


def test_a_batch_in_which_nothing_was_masked_asks_for_nothing(make):
    assert task(make()).requests(Labelled([], torch.zeros(0, dtype=torch.long))) == {}


def test_mistakes_are_refused_in_words(make):
    with pytest.raises(RelconError, match=r"no encoder of that name. Did you mean 'text'"):
        task(make(), "txt")
    with pytest.raises(RelconError, match="MaskedPieces"):
        made = task(make())
        made.part(Labelled([]), torch.zeros(1, 16), torch.zeros(1, dtype=torch.long), None)


# ---- whose head ----------------------------------------------------------------------------------------------------------


def test_tasks_over_one_encoder_share_one_head(make):
    parts = make()
    one, other = task(parts), task(parts, reads="more")
    assert one.tower.head is other.tower.head and one.bias is other.bias
    assert [name for name, _ in torch.nn.ModuleDict({"a": one, "b": other}).named_parameters() if name.endswith("bias") and "." in name[2:]]
    assert len({id(weight) for each in (one, other) for weight in each.parameters()}) == len(list(one.parameters()))
    with pytest.raises(RelconError, match=r'share one head over word pieces: "fresh" in all of them'):
        task(parts, head="checkpoint")
    assert task(make()).bias is not one.bias


@pytest.fixture(scope="module", params=["bert", "roberta"])
def pretrained(request, tmp_path_factory):
    """A folder with a masked language model, head included."""
    folder = tiny_encoder_folder(tmp_path_factory.mktemp(request.param), request.param)
    config, model = {"bert": (BertConfig, BertForMaskedLM), "roberta": (RobertaConfig, RobertaForMaskedLM)}[request.param]
    torch.manual_seed(3)
    whole = model(config.from_pretrained(folder))
    torch.nn.init.normal_(whole.get_output_embeddings().bias)
    torch.nn.init.normal_((whole.cls.predictions.transform if request.param == "bert" else whole.lm_head).dense.weight)
    whole.save_pretrained(folder)
    return folder


def test_the_head_of_the_checkpoint_guesses_as_the_checkpoint_does(pretrained, caplog):
    encoder = Encoder.registry.get("relcon.Transformer.v1")(str(pretrained), max_length=32)
    encoder.add_tokens(["[E1]"])
    with caplog.at_level("INFO"):
        made = task(Parts({"text": encoder}, {"sentence": CLS()}, None), head="checkpoint")
    assert "encoder 'text': the masked language model has a checkpoint head" in caplog.text
    tokenizer, whole = AutoTokenizer.from_pretrained(pretrained), AutoModelForMaskedLM.from_pretrained(pretrained).eval()
    encoder.eval()
    text = Text(("doses", "of", "abirol", "rose"))
    states = encoder(encoder.prepare([text])).states[0, 1:-1]
    scores = made.tower.head(states) @ encoder.model.get_input_embeddings().weight.T + made.bias
    ids = encoder.prepare([text]).tensors["input_ids"]
    expected = whole(input_ids=ids).logits[0, 1:-1]
    assert expected.std() > 0.1 and scores.shape[1] == len(tokenizer) + 1
    torch.testing.assert_close(scores[:, : len(tokenizer)], expected, rtol=1e-4, atol=1e-4)
    assert made.bias[-1] == 0 and all(weight.requires_grad for weight in made.tower.head.parameters())


def test_a_head_is_handed_on_with_room_for_pieces_that_are_new(pretrained, make):
    encoder = Encoder.registry.get("relcon.Transformer.v1")(str(pretrained), max_length=32)
    before = Parts({"text": encoder}, {}, None)
    first = task(before, head="checkpoint")
    encoder.add_tokens(["[E1]"])
    after = Parts({"text": encoder}, {}, None, handed_on=before.heads)
    second = task(after, head="handed_on")
    known = len(first.bias)
    assert torch.equal(second.bias[:known], first.bias) and second.bias[known:].tolist() == [0]
    assert all(torch.equal(a, b) for a, b in zip(first.tower.head.parameters(), second.tower.head.parameters(), strict=True))
    assert after.heads["text"].design == before.heads["text"].design and after.heads["text"].start == "handed_on"
    with pytest.raises(RelconError, match=r"no earlier stage handed on a head.*MaskedLanguageModel.*STAGE.NAME"):
        task(make(), head="handed_on")
    with pytest.raises(RelconError, match=r'share one head over word pieces: "handed_on"'):
        task(after, head="fresh")


def test_a_saved_head_is_the_same_head_and_draws_no_random_number(pretrained):
    encoder = Encoder.registry.get("relcon.Transformer.v1")(str(pretrained), max_length=32)
    parts = Parts({"text": encoder}, {}, None)
    task(parts, head="checkpoint")
    head, state = parts.heads["text"], torch.get_rng_state()
    again = restored_head(description(head), head.state_dict())
    assert torch.equal(state, torch.get_rng_state())
    states = torch.randn(3, encoder.width)
    assert torch.equal(again.states(states), head.states(states)) and torch.equal(again.bias, head.bias)
    assert again.states[2].eps == encoder.model.config.layer_norm_eps and all(weight.requires_grad for weight in again.parameters())


def test_a_checkpoint_without_a_head_is_refused_in_words(make, folder):
    with pytest.raises(RelconError, match=r'has no head of a masked language model.*Take "fresh" or "handed_on"'):
        task(make(), head="checkpoint")
    with pytest.raises(RelconError, match="could not be loaded"):
        masked_head(str(folder / "nowhere"))
