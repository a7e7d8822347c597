"""The masked language model beside a contrast, in one forward."""

import pytest
import torch
import torch.nn.functional as F

from relcon.contrast import Contrast, Labelled, Span, Text, View
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective, Draw, Sampler, Task
from relcon.samplers.pairings import partners


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
