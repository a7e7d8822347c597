"""Joint extraction: tag words, type the spans that tags give, relate pairs of typed spans (Wang et al. 2020)."""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor
from torch.nn import functional

from relcon import processes
from relcon.contrast import Labelled, View
from relcon.data.document import Document, WordSpan
from relcon.data.labels import LabelSet
from relcon.encoding import evaluating, looks
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Extractor, Parts, Request, Split, Task, Tower
from relcon.tasks.precision import full_precision
from relcon_pspe.candidates import NONE, Annotation, SpanPair, directed_labels
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


class Chosen(NamedTuple):
    """The candidates of a sentence. words: how many of it are tagged."""

    words: int
    spans: List[WordSpan]
    pairs: List[SpanPair]


class JointExtraction(Task):
    """Finds entities and their relations in sentences, in three steps over one encoding (Wang et al. 2020):

    1. every word gets a tag, and tags give candidate spans;
    2. the span encoder and a linear layer give every candidate a type, or none: it is no entity;
    3. the span-pair encoder, MLP blocks and a linear layer give every pair of entities, the one that begins first in front, a label with a
       direction (`TYPE@>`: the head stands first; `TYPE@<`), or none.

    The loss is the sum of three cross-entropies: the mean over words, over candidate spans, and over candidate pairs of the batch.
    Candidates come from annotation or from what the model says, as the sampler draws for each sentence; annotated spans and related pairs
    are always among them, and pairs that the data say to ignore (`metadata["ignored"]`) never, unless a relation between the two is
    annotated.

    The means are those of the whole batch where `[training] micro_batch_tokens` or several processes cut it, too. What the model says is
    then taken from a first look at the batch, without dropout, so that all candidates are counted before the first part is judged.

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
        self._chosen: Optional[List[Chosen]] = None  # of a batch that is cut, from its first part on
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
        self._chosen = None
        return {"words": Request(self.network.words, value.views)} if value.views else {}

    def part(self, value: Labelled, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """The share of some sentences in the loss of the batch, times the number of words. vectors: logits of tags [n, tags]; numbers [n]:
        which words."""
        if not isinstance(value, Sentences) or value.labels is None:
            raise RelconError(f"The value '{self.reads}' of stream '{self.stream}' is no sentences: let pspe.JointSentences.v1 feed it.")
        if self._chosen is None and len(numbers) < len(value.views):
            self._chosen = self._choose(value)
        hand = AtHand.of(numbers, _starts(value), value.views, more)
        tags = Judged(vectors, in_scheme(value.labels[numbers.to(value.labels.device)], self.scheme).to(vectors.device))
        judged = [tags, *self._candidates(value, hand, vectors)]
        with full_precision(vectors) as full:
            sums = torch.stack([functional.cross_entropy(full(level.logits), level.classes, reduction="sum") for level in judged])
        self._record(judged, sums.detach())
        words, *others = self._counts() or [len(level.classes) for level in judged]
        means = sums[1:] / sums.new_tensor(others).clamp(min=1)
        return sums[0] + means.sum() * words

    def _candidates(self, value: Sentences, hand: AtHand, tags: Tensor) -> Tuple[Judged, Judged]:
        """The types of candidate spans and the relations of candidate pairs."""
        gold = [self._annotation(value.documents[number]) for number in hand.numbers]
        spans = self._spans(value, hand, gold, tags)
        if not spans:
            return _nothing(tags, len(self.types) + 1), _nothing(tags, len(self.relations))
        vectors = self.network.span_vectors(hand, spans)
        types = self.network.typing(vectors)
        pairs = self._pairs(value, hand, gold, spans, types)
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

    # ---- candidates ----------------------------------------------------------------------------------------------------------

    def _spans(self, value: Sentences, hand: AtHand, gold: Sequence[Annotation], tags: Tensor) -> List[SpanAt]:
        """The candidate spans: annotated ones, and in sentences that were not drawn for annotation alone those of the tags."""
        if self._chosen is not None:
            chosen = [(at, span) for at, number in enumerate(hand.numbers) for span in self._chosen[number].spans]
            return [(at, span) for at, span in chosen if span[1] <= hand.size(at)]
        tagged = self.network.tagged(hand, tags)
        return [
            (at, span)
            for at, number in enumerate(hand.numbers)
            for span in gold[at].spans(() if value.gold_tags[number] else tagged[at], hand.size(at))
        ]

    def _pairs(self, value: Sentences, hand: AtHand, gold: Sequence[Annotation], spans: Sequence[SpanAt], types: Tensor) -> List[PairAt]:
        """The candidate pairs: related ones, and those of the annotated entities or of the spans to which the model gives a type."""
        if self._chosen is not None:
            chosen = [(at, pair) for at, number in enumerate(hand.numbers) for pair in self._chosen[number].pairs]
            return [(at, pair) for at, pair in chosen if max(span[1] for span in pair) <= hand.size(at)]
        found: List[List[WordSpan]] = [[] for _ in gold]
        for (at, span), best in zip(spans, types.argmax(1).tolist(), strict=True):
            found[at] += [span] if best != NONE else []
        return [
            (at, pair)
            for at, number in enumerate(hand.numbers)
            for pair in gold[at].pairs(gold[at].entities if value.gold_entities[number] else found[at], value.complete, hand.size(at))
        ]

    @torch.no_grad()
    def _choose(self, value: Sentences) -> List[Chosen]:
        """The candidates of each sentence of a batch that is cut. The model is asked only where annotation does not say them all."""
        gold = [self._annotation(document) for document in value.documents]
        if all(value.gold_tags) and all(value.gold_entities):
            sizes = [len(document.words) for document in value.documents]
            return [
                Chosen(size, each.spans((), size), each.pairs(each.entities, value.complete, size))
                for each, size in zip(gold, sizes, strict=True)
            ]
        found = [Chosen(0, [], []) for _ in gold]
        with evaluating(self.network):
            for look in looks(self.network.words, value.views):
                if bool(look.alive.any()):
                    hand = AtHand.of(look.numbers[look.alive], _starts(value), value.views, look.more)
                    own, tags = [gold[number] for number in hand.numbers], look.vectors[look.alive.to(look.vectors.device)]
                    for number, chosen in zip(hand.numbers, self._looked(value, hand, own, tags), strict=True):
                        found[number] = chosen
        return found

    def _looked(self, value: Sentences, hand: AtHand, gold: Sequence[Annotation], tags: Tensor) -> List[Chosen]:
        """The candidates of the sentences at hand."""
        spans = self._spans(value, hand, gold, tags)
        types = self.network.typing(self.network.span_vectors(hand, spans)) if spans else tags.new_zeros(0, len(self.types) + 1)
        found = [Chosen(len(words), [], []) for words in hand.words]
        for at, span in spans:
            found[at].spans.append(span)
        for at, pair in self._pairs(value, hand, gold, spans, types):
            found[at].pairs.append(pair)
        return found

    def _counts(self) -> List[int]:
        """How many words, spans and pairs a batch has that is cut; none of any other."""
        chosen = self._chosen or []
        return [sum(column) for column in zip(*((each.words, len(each.spans), len(each.pairs)) for each in chosen), strict=True)]

    # ---- the log -------------------------------------------------------------------------------------------------------------

    def _record(self, judged: Sequence[Judged], sums: Tensor) -> None:
        counts = [len(level.classes) for level in judged]
        right = [int((level.logits.argmax(1) == level.classes).sum()) for level in judged]
        self._sums += torch.tensor([sums.tolist(), right, counts], dtype=torch.float64).T

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


def _starts(value: Sentences) -> List[int]:
    """The number of the first word of each sentence."""
    return starts_of(len(document.words) for document in value.documents)
