"""The two pre-training tasks of PSPE that predict classes: the order of a segment's parts, and the further pieces of a word."""

from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relcon.contrast import Labelled
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Parts, Task, Tower, TowerPlan
from relcon.poolers.spans import SpanPool
from relcon.tasks.labelled import LabelledTask
from relcon_pspe.blocks import DEVIATION, Block, linear
from relcon_pspe.permuting import ORDERS


class SpanPermutation(LabelledTask):
    """Which of six orders are the first word, the middle and the last word of a segment in? The span permutation objective, SPO (Wang et
    al. 2020).

    Cross-entropy, weighted as the value says. stream: pspe.SpanPairs.v1. tower: encoder, pooler of spans and head; a linear layer to six
    classes is put on top. reads: which value of the batches. weight: its factor in the stage's loss.

    The log gets `accuracy`; guessing has 0.17. The head ends with training. RelconError where the value has no weights.

    Config::

        [task]
        @tasks = "pspe.SpanPermutation.v1"
        stream = "sentences"
        [task.tower]
        @towers = "pspe.Tower.v1"
        encoder = "text"
        pooler = "spans"
        head = [300]
    """

    def __init__(self, stream: str, tower: TowerPlan, reads: str = "permutation", weight: float = 1.0):
        super().__init__(stream, reads, weight)
        self.plan = tower

    def build(self, parts: Parts) -> None:
        """Make the tower with one output per order."""
        self.tower = self.plan.build(parts, out=len(ORDERS))

    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The weighted cross-entropy, summed."""
        return weighted(self, logits, labels, value, numbers)

    def training_only(self) -> Sequence[nn.Module]:
        """The head."""
        return [] if self.tower.head is None else [self.tower.head]


class TokenBoundary(LabelledTask):
    """Guess the further pieces of a word from the state of its first: the token boundary objective, TBO (Wang et al. 2020),
    for which a word's first piece must come to know the whole word.

    The state and an embedding of the guessed piece's place in its word go through one MLP block and a linear layer to the vocabulary,
    which is the task's own, not the encoder's embeddings. Cross-entropy, weighted as the value says.

    stream: pspe.SpanPairs.v1. encoder: the name of the stage's text encoder. reads: which value of the batches. weight: its factor in the
    stage's loss. positions: places in a word that have an embedding, the first piece's included: the most pieces that a word may have.
    width: of these embeddings.

    The log gets `accuracy` of the guesses. The head ends with training. RelconError where the stage has no encoder of that name, or one
    without word pieces; where the value has no offsets or weights; and where a word has more pieces than positions.

    Config::

        [task]
        @tasks = "pspe.TokenBoundary.v1"
        stream = "sentences"
        encoder = "text"
    """

    def __init__(
        self, stream: str, encoder: str, reads: str = "boundary", weight: float = 0.5, positions: int = 150, width: int = 200
    ):
        super().__init__(stream, reads, weight)
        if min(positions, width) < 1:
            raise ValueError(f"positions, width: {positions}, {width} must be at least 1")
        self.encoder_name, self.places, self.width = encoder, positions, width

    def build(self, parts: Parts) -> None:
        """Make the head over the named encoder."""
        name = self.encoder_name
        encoder = parts.encoders.get(name)
        if encoder is None:
            raise RelconError(f"encoder = '{name}': the stage has no encoder of that name.{did_you_mean(name, parts.encoders)}")
        if encoder.vocabulary is None:
            raise RelconError(
                f"encoder = '{name}': {type(encoder).__name__} has no word pieces to guess. "
                "Choose one with a tokenizer, such as relcon.Transformer.v1."
            )
        self.positions = nn.Embedding(self.places, self.width)
        nn.init.normal_(self.positions.weight, std=DEVIATION)
        self.hidden = Block(encoder.width + self.width, encoder.width)
        self.output = linear(encoder.width, encoder.vocabulary.size)
        self.to(next(encoder.parameters()))
        self.tower = Tower(encoder, SpanPool(inside="first", slots=1))

    def logits(self, vectors: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """Logits [n, vocabulary]. vectors: states of first pieces [n, H]; numbers [n]: which views."""
        offsets = column(self, value, "offset", numbers)
        pieces = int(offsets.max()) + 1 if len(offsets) else 0
        if pieces > self.places:
            raise RelconError(
                f"A word has {pieces} pieces or more, but pspe.TokenBoundary.v1 knows {self.places} places in a word. "
                f"Set positions = {pieces} or more, or leave such words out of the text."
            )
        places = self.positions(offsets.to(vectors.device)).to(vectors)
        return self.output(self.hidden(torch.cat([vectors, places], 1)))

    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The weighted cross-entropy, summed."""
        return weighted(self, logits, labels, value, numbers)

    def training_only(self) -> Sequence[nn.Module]:
        """The head."""
        return [self.positions, self.hidden, self.output]


def weighted(task: Task, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
    """The cross-entropy of some views, each times its `weight`, summed."""
    weight = column(task, value, "weight", numbers).to(logits)
    return (weight * F.cross_entropy(logits, labels, reduction="none")).sum()


def column(task: Task, value: Labelled, name: str, numbers: Tensor) -> Tensor:
    """[n] what a value says of some views beside their labels. RelconError where it says nothing of that name."""
    if name not in value.extra:
        raise RelconError(
            f"The value '{task.reads}' of stream '{task.stream}' has no {name}s, which {type(task).__name__} needs: "
            "let pspe.SpanPairs.v1 feed it."
        )
    return value.extra[name][numbers.to(value.extra[name].device)]
