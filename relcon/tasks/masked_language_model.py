"""The masked language model: guess hidden word pieces."""

from typing import Callable, Dict, List, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from relcon import processes
from relcon.contrast import Labelled, View
from relcon.errors import RelconError
from relcon.interfaces import Parts, Request, Task, Tower
from relcon.poolers.spans import SpanPool
from relcon.tasks.piece_heads import Start, piece_embeddings, shared_head
from relcon.tasks.precision import full_precision


class MaskedLanguageModel(Task):
    """Cross-entropy over the vocabulary at the hidden pieces that relcon.MaskedPieces.v1 gives.

    A head (linear layer, GELU, layer normalisation) stands before the encoder's piece embeddings, which are used again as output
    layer, and a bias (Devlin et al. 2019, arXiv 1810.04805). Tasks of one stage over one encoder share one head. It is handed on with the
    encoder: a later stage that takes `text = "pretrain.text"` may go on with it (`head = "handed_on"`).

    stream: the sampler that feeds it. encoder: the name of the stage's text encoder. reads: which value of the batches.
    weight: its factor in the stage's loss.
    head: `fresh` starts with random weights. `checkpoint` takes the head that the encoder's checkpoint came with, BERT's
        `cls.predictions` or RoBERTa's `lm_head`; `handed_on` the one that an earlier stage used over the encoder. The bias of pieces that
        were added since is 0.

    The log says which head is in use, and gets `accuracy` since it last asked. RelconError where the stage has no encoder of that
    name, or one without word pieces; where the checkpoint has no head, or no stage handed one on; and where tasks over one encoder do not
    agree about it.

    Config::

        [task]
        @tasks = "relcon.MaskedLanguageModel.v1"
        stream = "views"
        encoder = "text"
    """

    joint = False

    def __init__(
        self,
        stream: str,
        encoder: str,
        reads: str = "masked",
        weight: float = 1.0,
        head: Literal["fresh", "checkpoint", "handed_on"] = "fresh",
    ):
        super().__init__()
        self.stream, self.encoder_name, self.reads, self.weight = stream, encoder, reads, weight
        self.start: Start = head
        self.tower: Tower
        self._right = self._all = 0

    def build(self, parts: Parts) -> None:
        """Make the head over the named encoder, or take that of the task before."""
        head = shared_head(parts, self.encoder_name, self.start)
        self.tower = Tower(parts.encoders[self.encoder_name], SpanPool(inside="first", slots=1), head.states)
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
            logits = full(vectors) @ full(piece_embeddings(self.tower.encoder)).T + self.bias
            self._right += int((logits.detach().argmax(1) == labels).sum())
            self._all += len(labels)
            return F.cross_entropy(logits, labels, reduction="sum")

    def figures(self) -> Dict[str, float]:
        """`accuracy` of the guesses since the last call, in all processes."""
        right, every = processes.summed(torch.tensor([self._right, self._all])).tolist()
        self._right = self._all = 0
        return {"accuracy": right / every} if every else {}
