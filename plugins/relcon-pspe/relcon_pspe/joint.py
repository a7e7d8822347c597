"""Joint extraction: tag words, type the spans that tags give, relate pairs of typed spans (Wang et al. 2020)."""

from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor
from torch.nn import functional

from relcon import processes
from relcon.contrast import Labelled, View
from relcon.data.document import Document, WordSpan
from relcon.data.labels import LabelSet
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Extractor, Parts, Request, Split, Task, Tower
from relcon.tasks.precision import full_precision
from relcon_pspe.candidates import NONE, Annotation, directed_labels, pairs_among
from relcon_pspe.extractor import JointExtractor
from relcon_pspe.joint_sampler import Sentences, starts_of
from relcon_pspe.network import AtHand, Context, Empty, JointNetwork, PairAt, SpanAt
from relcon_pspe.pairs import SpanPairEncoder
from relcon_pspe.tagging import SCHEMES, Scheme, in_scheme

LEVELS = ("tag", "type", "relation")


class Judged(NamedTuple):
    """The logits [N, classes] of one level, and the true classes [N]; N may be 0."""

    logits: Tensor
    classes: Tensor


class JointExtraction(Task):
    """Finds entities and their relations in sentences, in three steps over one encoding (Wang et al. 2020):

    1. every word gets a tag, and tags give candidate spans;
    2. the span encoder and a linear layer give every candidate a type, or none: it is no entity;
    3. the span-pair encoder, MLP blocks and a linear layer give every pair of entities, the one that begins first in front, a label with a
       direction (`TYPE@>`: the head stands first; `TYPE@<`), or none.

    The loss is the sum of three cross-entropies: the mean over words, over candidate spans, and over candidate pairs. Candidates come from
    annotation or from what the model says, as the sampler draws for each sentence; annotated spans and related pairs are always among
    them. Where `[training] micro_batch_tokens` cuts a batch, the means over spans and pairs are those of each part, weighted by its words.

    stream: a pspe.JointSentences.v1. encoder: the name of the stage's encoder. types: the entity types.
    pooler: the name of the stage's pspe.SpanPair.v1; with it and the encoder, pre-trained weights are taken up (`spans =
        "pretrain.spans"`). reads: which value of the batches. weight: the factor of the loss.
    scheme: of tags, `BIEOU` or `BIO`. context: what encodes the words before, between and behind two spans: a `copy` of the span encoder,
        made when the task is built and then trained by itself (the released code, where weights were pre-trained), a `fresh` one
        (the released code, where not), or the `shared` span encoder itself (the paper).
    head: widths of the blocks before the classes of relations. dropout: of word states and sentence vectors.
    empty: what the copy or the fresh one reads where no word stands: the convolutions of nothing (`cnn`, as in pre-training), or zeros
        (`zero`, the released code).

    The log gets `tag_loss`, `type_loss`, `relation_loss`, and the accuracies of each, since it last asked. RelconError where training data
    have another type, the stage has no such encoder or pooler, the pooler is none of span pairs, or `empty` is `zero` while the span
    encoder is shared and is told otherwise. ValueError where an argument is out of range.

    Config::

        [task]
        @tasks = "pspe.JointExtraction.v1"
        stream = "sentences"
        encoder = "text"
        pooler = "spans"
        types = ["Method", "Task"]
    """

    joint = False
    extracts = True

    def __init__(
        self,
        stream: str,
        encoder: str,
        types: List[str],
        pooler: str = "spans",
        reads: str = "sentences",
        weight: float = 1.0,
        scheme: Scheme = "BIEOU",
        context: Context = "copy",
        head: List[int] = [300, 128],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        dropout: float = 0.1,
        empty: Empty = "cnn",
    ):
        super().__init__()
        if not types or len(set(types)) < len(types):
            raise ValueError(f"types must name each entity type once, and one at least, not {types}")
        for name, value, known in (
            ("scheme", scheme, tuple(SCHEMES)),
            ("context", context, ("copy", "fresh", "shared")),
            ("empty", empty, ("cnn", "zero")),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not '{value}'")
        if any(width < 1 for width in head) or not 0 <= dropout < 1:
            raise ValueError(f"head, dropout: {head}, {dropout} must be widths of at least 1, and in [0, 1)")
        self.stream, self.reads, self.weight = stream, reads, weight
        self.encoder_name, self.pooler_name, self.types = encoder, pooler, list(types)
        self.scheme: Scheme = scheme
        self.context: Context = context
        self.empty: Empty = empty
        self.head, self.dropout = list(head), dropout
        self.network: JointNetwork
        self.relations: List[str] = []
        self._sums = torch.zeros(len(LEVELS), 3, dtype=torch.float64)  # loss, right ones, all of them

    # ---- before training -----------------------------------------------------------------------------------------------------

    def check(self, data: Split) -> None:
        """Every entity of the data must have one of the types."""
        for document in data.documents:
            for entity in document.entities:
                self.require_type(entity.type, document)

    def require_type(self, kind: str, document: Document) -> None:
        """RelconError where an entity's type is none of `types`."""
        if kind not in self.types:
            near = did_you_mean(kind, self.types)
            raise RelconError(f"Document '{document.id}' has an entity of the type '{kind}', which `types` does not name.{near}")

    def build(self, parts: Parts) -> None:
        """Make the heads over the named encoder and pooler."""
        for kind, name, there in (("encoder", self.encoder_name, parts.encoders), ("pooler", self.pooler_name, parts.poolers)):
            if name not in there:
                raise RelconError(f"{kind} = '{name}': the stage has no {kind} of that name.{did_you_mean(name, there)}")
        encoder, pooler = parts.encoders[self.encoder_name], parts.poolers[self.pooler_name]
        if not isinstance(pooler, SpanPairEncoder):
            raise RelconError(f"pooler = '{self.pooler_name}': a {type(pooler).__name__} encodes no span pairs. Take pspe.SpanPair.v1.")
        if self.context == "shared" and self.empty != pooler.span.empty:
            raise RelconError(
                f'context = "shared": the span encoder has empty = "{pooler.span.empty}", and cannot have empty = "{self.empty}" as well. '
                "Write it in the block of the pooler, too."
            )
        self.relations = directed_labels(parts.labels)
        self.network = JointNetwork(
            encoder,
            pooler,
            len(self.types) + 1,
            len(self.relations),
            self.scheme,
            self.context,
            self.head,
            self.dropout,
            self.empty,
        )

    def extractor(self, labels: LabelSet) -> Extractor:
        """The model that finds entities and relations."""
        return JointExtractor(self.network, self.types, self.relations, labels)

    # ---- training ------------------------------------------------------------------------------------------------------------

    def requests(self, value: Labelled) -> Dict[str, Request]:
        """`words`, unless there are none."""
        return {"words": Request(self.network.words, value.views)} if value.views else {}

    def part(self, value: Labelled, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """The loss of some sentences times the number of their words. vectors: logits of tags [n, tags]; numbers [n]: which words."""
        if not isinstance(value, Sentences) or value.labels is None:
            raise RelconError(f"The value '{self.reads}' of stream '{self.stream}' is no sentences: let pspe.JointSentences.v1 feed it.")
        starts = starts_of(len(document.words) for document in value.documents)
        hand = AtHand.of(numbers, starts, value.views, more)
        tags = Judged(vectors, in_scheme(value.labels[numbers.to(value.labels.device)], self.scheme).to(vectors.device))
        judged = [tags, *self._candidates(value, hand, vectors)]
        with full_precision(vectors) as full:
            losses = torch.stack([_mean_loss(full(level.logits), level.classes) for level in judged])
        self._record(judged, losses.detach())
        return losses.sum() * len(numbers)

    def _candidates(self, value: Sentences, hand: AtHand, tags: Tensor) -> Tuple[Judged, Judged]:
        """The types of candidate spans and the relations of candidate pairs."""
        gold = [self._annotation(value.documents[number]) for number in hand.numbers]
        spans = self._spans(value, hand, gold, self.network.tagged(hand, tags))
        if not spans:
            return _nothing(tags, len(self.types) + 1), _nothing(tags, len(self.relations))
        vectors = self.network.span_vectors(hand, spans)
        types = self.network.typing(vectors)
        found: List[List[WordSpan]] = [[] for _ in gold]
        for (at, span), best in zip(spans, types.argmax(1).tolist(), strict=True):
            found[at] += [span] if best != NONE else []
        pairs = self._pairs(value, hand, gold, found)
        kinds = [gold[at].entities.get(span) for at, span in spans]
        typed = _judged(types, [NONE if kind is None else self.types.index(kind) + 1 for kind in kinds])
        if not pairs:
            return typed, _nothing(tags, len(self.relations))
        related = self.network.relating(self.network.pair_vectors(hand, pairs, spans, vectors))
        return typed, _judged(related, [gold[at].relations.get(pair, NONE) for at, pair in pairs])

    def _annotation(self, document: Document) -> Annotation:
        """What is annotated in a training sentence; RelconError where a type is unknown."""
        found = Annotation.of(document, self.relations)
        for kind in found.entities.values():
            self.require_type(kind, document)
        return found

    @staticmethod
    def _spans(value: Sentences, hand: AtHand, gold: Sequence[Annotation], tagged: Sequence[Sequence[WordSpan]]) -> List[SpanAt]:
        """The candidate spans: annotated ones, and in sentences that were not drawn for annotation alone those of the tags."""
        return [
            (at, span)
            for at, number in enumerate(hand.numbers)
            for span in sorted({*gold[at].entities, *(() if value.gold_tags[number] else tagged[at])})
            if span[1] <= hand.size(at)
        ]

    @staticmethod
    def _pairs(value: Sentences, hand: AtHand, gold: Sequence[Annotation], found: Sequence[Sequence[WordSpan]]) -> List[PairAt]:
        """The candidate pairs: related ones, and all of the annotated entities or of the found ones; where not all relations are annotated,
        only those of which the annotation says something."""
        pairs: List[PairAt] = []
        for at, number in enumerate(hand.numbers):
            entities = gold[at].entities if value.gold_entities[number] else found[at]
            wanted = sorted({*(pairs_among(entities) if value.complete else gold[at].stated), *gold[at].relations})
            pairs += [(at, pair) for pair in wanted if max(span[1] for span in pair) <= hand.size(at)]
        return pairs

    # ---- the log -------------------------------------------------------------------------------------------------------------

    def _record(self, judged: Sequence[Judged], losses: Tensor) -> None:
        counts = [len(level.classes) for level in judged]
        right = [int((level.logits.argmax(1) == level.classes).sum()) for level in judged]
        rows = zip(losses.tolist(), right, counts, strict=True)
        self._sums += torch.tensor([[loss * count, hits, count] for loss, hits, count in rows], dtype=torch.float64)

    def figures(self) -> Dict[str, float]:
        """Mean loss and accuracy of each level since the last call, in all processes."""
        found: Dict[str, float] = {}
        for level, (loss, right, count) in zip(LEVELS, processes.summed(self._sums).tolist(), strict=True):
            if count:
                found |= {f"{level}_loss": loss / count, f"{level}_accuracy": right / count}
        self._sums = torch.zeros_like(self._sums)
        return found


def _judged(logits: Tensor, classes: Sequence[int]) -> Judged:
    return Judged(logits, torch.tensor(classes, dtype=torch.long, device=logits.device))


def _nothing(like: Tensor, classes: int) -> Judged:
    """No candidate at all."""
    return _judged(like.new_zeros(0, classes), [])


def _mean_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """The mean cross-entropy; 0 where there is nothing to judge."""
    return functional.cross_entropy(logits, classes, reduction="sum") / max(len(classes), 1)
