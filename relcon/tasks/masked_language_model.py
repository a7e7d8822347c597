"""The masked language model: guess hidden word pieces."""

import logging
from typing import Callable, Dict, List, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relcon import processes
from relcon.contrast import Labelled, View
from relcon.encoders.loading import masked_head
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Encoder, Parts, Request, Task, Tower
from relcon.poolers.spans import SpanPool
from relcon.tasks.precision import full_precision

logger = logging.getLogger(__name__)

Start = Literal["fresh", "checkpoint"]
"""What a head starts with: random weights, or those that the encoder's checkpoint came with."""


class PieceHead(nn.Module):
    """What stands between states and guesses, beside the embeddings. states: of an encoder -> [n, H] to compare with the embeddings.
    bias: [vocabulary]. start: what it started with."""

    def __init__(self, states: nn.Sequential, bias: Tensor, start: Start):
        super().__init__()
        self.states, self.bias, self.start = states, nn.Parameter(bias), start


class MaskedLanguageModel(Task):
    """Cross-entropy over the vocabulary at the hidden pieces that relcon.MaskedPieces.v1 gives.

    A head (linear layer, GELU, layer normalisation) stands before the encoder's piece embeddings, which are used again as output
    layer, and a bias (Devlin et al. 2019, arXiv 1810.04805). Tasks of one stage over one encoder share one head. It is not handed on.

    stream: the sampler that feeds it. encoder: the name of the stage's text encoder. reads: which value of the batches.
    weight: its factor in the stage's loss.
    head: `fresh` starts with random weights. `checkpoint` takes the head that the encoder's checkpoint came with, BERT's
        `cls.predictions` or RoBERTa's `lm_head`; the bias of pieces that were added is 0. What an earlier stage handed on has none.

    The log says which head is in use, and gets `accuracy` since it last asked. RelconError where the stage has no encoder of that
    name, or one without word pieces; where the checkpoint has no head; and where tasks over one encoder do not agree about it.

    Config::

        [task]
        @tasks = "relcon.MaskedLanguageModel.v1"
        stream = "views"
        encoder = "text"
    """

    joint = False

    def __init__(
        self, stream: str, encoder: str, reads: str = "masked", weight: float = 1.0, head: Literal["fresh", "checkpoint"] = "fresh"
    ):
        super().__init__()
        self.stream, self.encoder_name, self.reads, self.weight = stream, encoder, reads, weight
        self.start: Start = head
        self.tower: Tower
        self._right = self._all = 0

    def build(self, parts: Parts) -> None:
        """Make the head over the named encoder, or take that of the task before."""
        name = self.encoder_name
        encoder = parts.encoders.get(name)
        if encoder is None:
            raise RelconError(f"encoder = '{name}': the stage has no encoder of that name.{did_you_mean(name, parts.encoders)}")
        if encoder.vocabulary is None or not hasattr(getattr(encoder, "model", None), "get_input_embeddings"):
            raise RelconError(
                f"encoder = '{name}': {type(encoder).__name__} has no embeddings of word pieces to guess with. "
                "Choose one with a tokenizer, such as relcon.Transformer.v1."
            )
        head = parts.heads.get(name)
        if not isinstance(head, PieceHead):
            head = parts.heads[name] = head_over(encoder, self.start)
            logger.info("encoder '%s': the masked language model has a %s head", name, self.start)
        if head.start != self.start:
            raise RelconError(f"encoder = '{name}': its masked language models share one head: head = \"{head.start}\" in all of them.")
        self.tower = Tower(encoder, SpanPool(inside="first", slots=1), head.states)
        self.bias = head.bias

    def requests(self, value: Labelled) -> Dict[str, Request]:
        """`views`, unless nothing was masked."""
        return {"views": Request(self.tower, value.views)} if value.views else {}

    def part(self, value: Labelled, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """The summed cross-entropy of some pieces. vectors [n, H]; numbers [n]: which views."""
        if value.labels is None:
            raise RelconError(f"The value '{self.reads}' of stream '{self.stream}' has no labels: let relcon.MaskedPieces.v1 feed it.")
        labels = value.labels[numbers.to(value.labels.device)].to(vectors.device)
        with full_precision(vectors) as full:
            logits = full(vectors) @ full(embeddings(self.tower.encoder)).T + self.bias
            self._right += int((logits.detach().argmax(1) == labels).sum())
            self._all += len(labels)
            return F.cross_entropy(logits, labels, reduction="sum")

    def figures(self) -> Dict[str, float]:
        """`accuracy` of the guesses since the last call, in all processes."""
        right, every = processes.summed(torch.tensor([self._right, self._all])).tolist()
        self._right = self._all = 0
        return {"accuracy": right / every} if every else {}


def head_over(encoder: Encoder, start: Start) -> PieceHead:
    """A head for this encoder."""
    table = embeddings(encoder)
    bias = table.new_zeros(len(table))
    if start == "fresh":
        width = encoder.width
        return PieceHead(nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width)).to(table), bias, start)
    states, known = masked_head(encoder.model.name_or_path)  # type: ignore[union-attr, arg-type]
    bias[: len(known)] = known
    return PieceHead(states.to(table), bias, start)


def embeddings(encoder: Encoder) -> Tensor:
    """[vocabulary, H] the encoder's embeddings of word pieces."""
    return encoder.model.get_input_embeddings().weight  # type: ignore[operator, union-attr, return-value]
