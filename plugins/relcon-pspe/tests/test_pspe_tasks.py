"""Span permutation and token boundary as tasks: losses by the formula, heads, mistakes."""

from typing import Any, Dict, List

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from relcon.config import resolve
from relcon.contrast import Batch, Labelled, Span, Text, View
from relcon.data.document import Document
from relcon.data.labels import LabelSet
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Encoder, Parts, Split
from relcon.testing import check_step, tiny_encoder

POOLER = {"@poolers": "pspe.SpanPair.v1", "state": 32, "channels": 4, "out": 12, "attention": 16, "positions": 4}
TOWER = {"@towers": "pspe.Tower.v1", "encoder": "text", "pooler": "spans", "head": [12]}
PERMUTATION = {"@tasks": "pspe.SpanPermutation.v1", "stream": "sentences", "tower": TOWER}
BOUNDARY = {"@tasks": "pspe.TokenBoundary.v1", "stream": "sentences", "encoder": "text", "positions": 20, "width": 6}
CONTRAST = {
    "@tasks": "relcon.Contrastive.v1",
    "stream": "sentences",
    "weight": 0.3,
    "anchors": {**TOWER, "head": [8, 8]},
    "candidates": {"@towers": "relcon.Momentum.v1"},
    "adjusters": {"queue": {"@adjusters": "relcon.Queue.v1", "size": 6, "lanes": 2}},
    "objective": {"@objectives": "relcon.InfoNCE.v1", "temperature": 0.2},
}
LINES = ["Low doses of abirol raise kinase activity in most mice .", "Nobody saw the second lorry behind the mill", "It rained in Tarn ."]


@pytest.fixture
def parts() -> Parts:
    torch.manual_seed(0)
    return Parts({"text": tiny_encoder()}, {"spans": resolve(POOLER, "[pooler]")}, LabelSet(()))


def built(block: Dict[str, Any], parts: Parts, **arguments: Any) -> Any:
    task = resolve({**block, **arguments}, "[task]")
    task.build(parts)
    return task


def batches(parts: Parts, **arguments: Any) -> List[Batch]:
    documents = [Document(f"d{number}", tuple(line.split())) for number, line in enumerate(LINES * 2)]
    sampler = resolve({"@samplers": "pspe.SpanPairs.v1", "batch_size": 3, "max_span": 4, "shuffle": False, **arguments}, "[sampler]")
    draw = Draw(0, torch.Generator().manual_seed(0), parts.encoders["text"].vocabulary)
    return list(sampler.batches(Split("train", documents, [], LabelSet(())), draw))


def labelled(batch: Batch, name: str) -> Labelled:
    value = batch[name]
    assert isinstance(value, Labelled) and value.labels is not None and value.views
    return value


def sides(batch: Batch, value: Labelled) -> Tensor:
    """[U] whether each view is of the target view."""
    anchors: Any = batch["contrast"]
    targets = {view.input for view in anchors.anchors[: len(anchors.anchors) // 2]}
    return torch.tensor([view.input in targets for view in value.views])


def two_means(losses: Tensor, target: Tensor) -> float:
    """Half the mean over the target view and half that over the context view; one without anything counts 0."""
    return sum(float(losses[side].detach().mean()) for side in (target, ~target) if bool(side.any())) / 2


def states_of(encoder: Encoder, view: View) -> Tensor:
    """[positions, H] of a view's own input, alone, with [CLS] in front."""
    return encoder(encoder.prepare([view.input])).states[0]


def first_piece(encoder: Encoder, view: View) -> int:
    """The position of the first piece of the view's first word."""
    vocabulary = encoder.vocabulary
    assert isinstance(view.input, Text) and vocabulary is not None
    return 1 + sum(len(vocabulary.pieces(word)) for word in view.input.words[: view.unit[0][0].start])


# ---- losses --------------------------------------------------------------------------------------------------------------


def test_token_boundary_by_the_formula(parts: Parts) -> None:
    task, encoder = built(BOUNDARY, parts).eval(), parts.encoders["text"].eval()
    for batch in batches(parts):
        value = labelled(batch, "boundary")
        assert value.labels is not None
        inputs = [
            torch.cat([states_of(encoder, view)[first_piece(encoder, view)], task.positions.weight[offset]])
            for view, offset in zip(value.views, value.extra["offset"].tolist(), strict=True)
        ]
        linear, _, norm, _ = task.hidden
        logits = task.output(norm(functional.gelu(linear(torch.stack(inputs)))))
        losses = functional.cross_entropy(logits, value.labels, reduction="none")
        expected = two_means(losses, sides(batch, value))
        for tokens in (0, 24):
            assert step({"it": task}, batch, tokens=tokens, backward=False).parts["it"] == pytest.approx(expected, rel=1e-5)
        right = int((logits.argmax(1) == value.labels).sum())
        assert task.figures() == {"accuracy": right / len(value.labels)} and task.figures() == {}


def test_span_permutation_by_the_formula(parts: Parts) -> None:
    task, encoder, spans = built(PERMUTATION, parts).eval(), parts.encoders["text"].eval(), parts.poolers["spans"].eval()
    for batch in batches(parts):
        value = labelled(batch, "permutation")
        assert value.labels is not None
        logits = torch.stack([task.tower.head(_span_vector(encoder, spans, view)) for view in value.views])
        losses = functional.cross_entropy(logits, value.labels, reduction="none")
        assert step({"it": task}, batch, backward=False).parts["it"] == pytest.approx(two_means(losses, sides(batch, value)), rel=1e-5)
        right = int((logits.argmax(1) == value.labels).sum())
        assert task.figures() == {"accuracy": right / len(value.labels)}


def _span_vector(encoder: Encoder, spans: Any, view: View) -> Tensor:
    """[out] the span encoder on the first pieces of a view's words."""
    ((span,),) = view.unit
    starts = [first_piece(encoder, View(view.input, ((Span(word, word + 1),),))) for word in range(span.start, span.end)]
    words = states_of(encoder, view)[starts]
    maxima = []
    for convolution in spans.span.convolutions:
        width = convolution.kernel_size[0]
        padded = functional.pad(words, (0, 0, width, width))
        maxima.append(functional.gelu(convolution(padded.T[None])[0]).max(1).values)
    return spans.span.mlp(torch.cat(maxima))  # type: ignore[no-any-return]


def test_all_three_tasks_together(parts: Parts) -> None:
    """Micro-batches and gradient caching change nothing; views are encoded once, and once more by the momentum copy."""
    tasks = {"contrast": CONTRAST, "permutation": PERMUTATION, "boundary": BOUNDARY}
    made = {name: built(block, parts).train() for name, block in tasks.items()}
    first, second = batches(parts)
    assert step(made, first).parts["contrast"] == 0, "the queue is empty"
    for task in made.values():
        task.after_step()
    check_step(made, second, tokens=60)
    result = step(made, second)
    assert result.inputs == 12, "two views of three sentences, by two encoders"
    assert result.parts["contrast"] > 0
    assert result.loss == pytest.approx(sum(made[name].weight * loss for name, loss in result.parts.items()))


def test_pspe_fact_16_total_loss(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of a step whose tasks lose 2.0, 1.5 and 1.2."""
    made = {name: built(block, parts) for name, block in {"tbo": BOUNDARY, "spo": PERMUTATION, "cspo": CONTRAST}.items()}
    for name, mean in (("tbo", 2.0), ("spo", 1.5)):
        monkeypatch.setattr(made[name], "part", lambda value, vectors, *rest, mean=mean: vectors.sum() * 0 + mean * len(vectors))
    monkeypatch.setattr(made["cspo"], "loss", lambda value, vectors, alive: vectors["anchors"].sum() * 0 + 1.2)
    assert step(made, batches(parts)[0]).loss == pytest.approx(2.86, abs=1e-6)


# ---- heads ---------------------------------------------------------------------------------------------------------------


class Wide(nn.Module):
    """What tasks ask of an encoder of BERT's size."""

    width = 768

    class vocabulary:
        size = 28_996

    def __init__(self) -> None:
        super().__init__()
        self.any = nn.Linear(1, 1)


def count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def test_pspe_fact_17_heads() -> None:
    parts = Parts({"text": Wide()}, {"spans": resolve({"@poolers": "pspe.SpanPair.v1"}, "[pooler]")}, LabelSet(()))  # type: ignore[dict-item]
    permutation = built(PERMUTATION, parts, tower={**TOWER, "head": [300]})
    assert [count(layer) for layer in permutation.tower.head] == [90_900, 1_806]
    boundary = built({**BOUNDARY, "positions": 150, "width": 200}, parts)
    assert [count(part) for part in (boundary.positions, boundary.hidden, boundary.output)] == [30_000, 745_728, 22_297_924]
    value = Labelled([], torch.zeros(2, dtype=torch.long), {"offset": torch.tensor([1, 149])})
    assert boundary.logits(torch.randn(2, 768), value, torch.arange(2)).shape == (2, 28_996)
    assert permutation.tower.head(torch.randn(2, 300)).shape == (2, 6)
    for weight in (boundary.positions.weight, boundary.output.weight, boundary.hidden[0].weight, permutation.tower.head[-1].weight):
        assert float(weight.detach().std()) == pytest.approx(0.02, abs=0.002)
    assert not bool(boundary.output.bias.any())


@pytest.mark.parametrize("block", [PERMUTATION, BOUNDARY])
def test_heads_end_with_training_and_predict_no_relations(block: Dict[str, Any], parts: Parts) -> None:
    task = built(block, parts)
    shared = {id(each) for part in (*parts.encoders.values(), *parts.poolers.values()) for each in part.parameters()}
    ending = {id(each) for module in task.training_only() for each in module.parameters()}
    assert {id(each) for each in task.parameters()} <= shared | ending and not shared & ending
    with pytest.raises(TypeError, match="predicts no relations"):
        task.classifier()


# ---- mistakes ------------------------------------------------------------------------------------------------------------


def test_a_word_of_more_pieces_than_positions(parts: Parts) -> None:
    """`activity` is spelt in eight pieces."""
    task = built(BOUNDARY, parts, positions=3)
    with pytest.raises(RelconError, match=r"A word has \d+ pieces or more, but pspe.TokenBoundary.v1 knows 3 places.*positions = \d+"):
        for batch in batches(parts, boundary=1.0):
            step({"it": task}, batch)


def test_as_many_pieces_as_positions_are_enough(parts: Parts) -> None:
    task, value = built(BOUNDARY, parts, positions=3), Labelled([], torch.zeros(1, dtype=torch.long), {"offset": torch.tensor([2])})
    assert task.logits(torch.zeros(1, 32), value, torch.tensor([0])).shape[0] == 1


@pytest.mark.parametrize(("block", "name"), [(PERMUTATION, "weight"), (BOUNDARY, "weight"), (BOUNDARY, "offset")])
def test_values_of_another_sampler(block: Dict[str, Any], name: str, parts: Parts) -> None:
    task, batch = built(block, parts), batches(parts)[0]
    del labelled(batch, task.reads).extra[name]
    with pytest.raises(RelconError, match=f"The value '{task.reads}' of stream 'sentences' has no {name}s.*let pspe.SpanPairs.v1 feed it"):
        step({"it": task}, batch)


def test_an_unknown_encoder(parts: Parts) -> None:
    with pytest.raises(RelconError, match=r"has no encoder of that name\. Did you mean 'text'"):
        built(BOUNDARY, parts, encoder="txt")


def test_an_encoder_without_word_pieces(parts: Parts) -> None:
    class Characters(Wide):
        vocabulary = None  # type: ignore[assignment]

    with pytest.raises(RelconError, match="Characters has no word pieces to guess"):
        built(BOUNDARY, Parts({"text": Characters()}, {}, LabelSet(())))  # type: ignore[dict-item]


@pytest.mark.parametrize("arguments", [{"positions": 0}, {"width": 0}])
def test_sizes_out_of_range(arguments: Dict[str, int]) -> None:
    with pytest.raises(RelconError, match=r"positions, width: .* must be at least 1"):
        resolve({**BOUNDARY, **arguments}, "[task]")


def test_a_batch_without_questions(parts: Parts) -> None:
    made = {"permutation": built(PERMUTATION, parts), "boundary": built(BOUNDARY, parts)}
    batch = batches(parts, permuted=0, boundary=0.0)[0]
    result = step(made, batch)
    assert result.loss == 0 and result.inputs == 0
