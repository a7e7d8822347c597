"""CLoCE's classifier: the state of a prompt's mask compared with one trainable vector per label."""

from pathlib import Path
from typing import List, Literal, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relcon.contrast import Labelled
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Encoder, Parts, Split, Tower
from relcon.tasks.labelled import RelationTask
from relcon.tasks.piece_heads import encoder_of_pieces, piece_embeddings, shared_head
from relcon.towers import HeadedTower
from relcon_cloce.label_words import derived_words, written_words

DEVIATION = 0.02
"""Of weights that start at random, as BERT's do."""

NOISE = 1e-3
"""The deviation of the noise that tells equal vectors apart."""


class SoftLabels(RelationTask):
    """Cross-entropy over the similarity of a state to one trainable vector per label, its soft label (CLoCE, anonymous submission;
    trainable vectors in place of answer words as in KnowPrompt: Chen et al., WWW 2022).

    z_r = <g(h), a_r> + b_r, where h is the state of the mask, g a transform, a_r the soft label and b_r a bias that starts at 0.

    stream: the sampler that feeds it, with a prompt (cloce.Prompt.v1). reads: which value of its batches. weight: its factor in the
    stage's loss. encoder, pooler: names in the stage; the pooler gives one state, that of the mask.
    similarity: `dot` or `cosine`. scale: what cosines are multiplied with.
    init: what soft labels start with. `label_words`: the mean of the embeddings of all word pieces of the label's words; where two would be
        equal, noise of deviation 0.001 is added to both. `random`: normal numbers of deviation 0.02.
    words: a .yaml file with the words of each label (`per:title: title of a person`); null: they are derived from the labels' names
        (`person title`). It is read before training only: a saved model needs it no more.
    labels: `separate`: parameters of their own. `vocab_rows`: rows of the encoder's piece embeddings, as KnowPrompt has them, one new piece
        per label; they train, and are handed on, with the encoder.
    transform: g. `checkpoint`: that of the masked language model's head that the encoder's checkpoint came with; `handed_on`: of the head
        that an earlier stage used (relcon.MaskedLanguageModel.v1). Both are shared with a masked language model of this stage. `fresh`:
        linear layer (normal weights of deviation 0.02, zero bias), GELU, layer normalisation. `identity`: none.

    After `build`, `tower` gives logits. `recorders` (`relcon.interfaces.Recorder`) are told every prediction made in training. The log
    gets `accuracy` since it last asked. ValueError where scale is not above 0, or words come without `label_words`. RelconError where a
    label has no words, or the file does not fit the data; where the encoder has no word pieces to start from, or embeddings of another
    width than its states; where the pooler gives more than one state; and where there is no head to take the transform from.

    Config::

        [task]
        @tasks = "cloce.SoftLabels.v1"
        stream = "train"
        encoder = "text"
        pooler = "mask"
        transform = "fresh"
    """

    def __init__(
        self,
        stream: str,
        encoder: str = "text",
        pooler: str = "mask",
        reads: str = "instances",
        weight: float = 1.0,
        similarity: Literal["dot", "cosine"] = "dot",
        scale: float = 20.0,
        init: Literal["label_words", "random"] = "label_words",
        words: Optional[str] = None,
        labels: Literal["separate", "vocab_rows"] = "separate",
        transform: Literal["checkpoint", "handed_on", "fresh", "identity"] = "checkpoint",
    ):
        super().__init__(stream, HeadedTower(encoder, pooler), reads, weight)
        if scale <= 0:
            raise ValueError(f"scale must be above 0, not {scale}")
        if words is not None and init != "label_words":
            raise ValueError(f'words = "{words}" are for init = "label_words" alone, not for "{init}"')
        self.encoder_name, self.init, self.words, self.labels, self.transform = encoder, init, words, labels, transform
        self.scale = scale if similarity == "cosine" else None

    def special_tokens(self, labels: LabelSet) -> Sequence[str]:
        """A piece for each label, where soft labels are rows of the vocabulary."""
        return [piece_of(label) for label in labels.names] if self.labels == "vocab_rows" else ()

    def check(self, data: Split) -> None:
        """Every label must have words, where they are needed."""
        if self.init == "label_words":
            self.words_of(data.labels)

    def words_of(self, labels: LabelSet) -> List[str]:
        """The words of each label, in order."""
        return derived_words(labels) if self.words is None else written_words(Path(self.words), labels)

    def build(self, parts: Parts) -> None:
        """Make transform and soft labels over the encoder."""
        bare = self.plan.build(parts)
        encoder = bare.encoder
        if bare.pooler.width(encoder.width) != encoder.width:
            raise RelconError('The pooler of cloce.SoftLabels.v1 must give one state: relcon.SpanPool.v1, inside = "first", slots = 1.')
        head = SoftLabelHead(self._transform(parts, encoder), self._answers(parts, encoder), len(parts.labels), self.scale)
        self.tower = Tower(encoder, bare.pooler, head.to(next(encoder.parameters())))

    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The summed cross-entropy."""
        return F.cross_entropy(logits, labels, reduction="sum")

    def _transform(self, parts: Parts, encoder: Encoder) -> nn.Module:
        """g: [n, H] -> [n, H]."""
        if self.transform == "identity":
            return nn.Identity()
        if self.transform == "fresh":
            return fresh_transform(encoder.width)
        return shared_head(parts, self.encoder_name, self.transform).states

    def _answers(self, parts: Parts, encoder: Encoder) -> nn.Module:
        """What gives the soft labels [labels, H]. Those of a saved model are put in later."""
        if self.labels == "separate":
            size = (len(parts.labels), encoder.width)
            return OwnVectors(torch.zeros(size) if parts.restored else self._initial(parts, encoder))
        rows = VocabularyRows(encoder_of_pieces(parts, self.encoder_name), [piece_of(label) for label in parts.labels.names])
        if not parts.restored:
            rows.put(self._initial(parts, encoder))
        return rows

    def _initial(self, parts: Parts, encoder: Encoder) -> Tensor:
        """Soft labels [labels, H] at the start."""
        if self.init == "random":
            return torch.randn(len(parts.labels), encoder.width) * DEVIATION
        return told_apart(mean_pieces(encoder_of_pieces(parts, self.encoder_name), self.words_of(parts.labels)))


class SoftLabelHead(nn.Module):
    """States [n, H] -> logits [n, labels].

    transform: of states. answers: called without arguments gives the soft labels [labels, H]. count: of labels. scale: of cosines; None:
    dot products.
    """

    def __init__(self, transform: nn.Module, answers: nn.Module, count: int, scale: Optional[float] = None):
        super().__init__()
        self.transform, self.answers, self.scale = transform, answers, scale
        self.bias = nn.Parameter(torch.zeros(count))

    def forward(self, states: Tensor) -> Tensor:
        """Similarities, and the bias of each label."""
        found, answers = self.transform(states), self.answers()
        if self.scale is not None:
            found, answers = self.scale * F.normalize(found, dim=1), F.normalize(answers, dim=1)
        return F.linear(found, answers, self.bias)


class OwnVectors(nn.Module):
    """Soft labels that are parameters. vectors: [labels, H] at the start."""

    def __init__(self, vectors: Tensor):
        super().__init__()
        self.vectors = nn.Parameter(vectors)

    def forward(self) -> Tensor:
        """[labels, H]"""
        return self.vectors


class VocabularyRows(nn.Module):
    """Soft labels that are rows of an encoder's piece embeddings. tokens: a piece of its vocabulary for each label.

    RelconError where embeddings have another width than states.
    """

    def __init__(self, encoder: Encoder, tokens: Sequence[str]):
        super().__init__()
        require_like_states(encoder)
        self._encoder = (encoder,)  # in a tuple, so that its parameters are not the head's
        self.rows = [pieces_of(encoder, token)[0] for token in tokens]

    def forward(self) -> Tensor:
        """[labels, H]"""
        return piece_embeddings(self._encoder[0])[self.rows]

    @torch.no_grad()
    def put(self, vectors: Tensor) -> None:
        """Set the rows. vectors: [labels, H]."""
        table = piece_embeddings(self._encoder[0])
        table[self.rows] = vectors.to(table)


def piece_of(label: str) -> str:
    """The piece of the vocabulary whose embedding is the label's."""
    return f"[label:{label}]"


def fresh_transform(width: int) -> nn.Sequential:
    """Linear layer, GELU and layer normalisation, as a masked language model's head has them, at random. width: H."""
    linear = nn.Linear(width, width)
    nn.init.normal_(linear.weight, std=DEVIATION)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(linear, nn.GELU(), nn.LayerNorm(width))


def mean_pieces(encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """[texts, H] the mean embedding of all word pieces of each text. RelconError where embeddings have another width than states."""
    require_like_states(encoder)
    table = piece_embeddings(encoder).detach()
    pieces = [[piece for word in text.split() for piece in pieces_of(encoder, word)] for text in texts]
    return torch.stack([table[numbers].mean(0) for numbers in pieces])


def told_apart(vectors: Tensor) -> Tensor:
    """The vectors [N, D], with noise on those that equal another. Draws from torch's random stream where there are any."""
    twins = (vectors[:, None] == vectors[None, :]).all(2).sum(1) > 1
    if not twins.any():
        return vectors
    return vectors + NOISE * torch.randn(vectors.shape).to(vectors) * twins[:, None]


def pieces_of(encoder: Encoder, word: str) -> List[int]:
    """The ids of a word's pieces. encoder: one of word pieces."""
    return encoder.vocabulary.pieces(word)  # type: ignore[union-attr]


def require_like_states(encoder: Encoder) -> None:
    """RelconError where piece embeddings have another width than states, so that they cannot stand for labels."""
    width = piece_embeddings(encoder).shape[1]
    if width != encoder.width:
        raise RelconError(
            f"The encoder's piece embeddings have {width} numbers and its states {encoder.width}, so that soft labels cannot be made of "
            'embeddings. Take init = "random" and labels = "separate".'
        )
