"""A trained joint extractor at work."""

from dataclasses import replace
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor

from relcon.contrast import Text
from relcon.data.document import Document, Entity, Instance, Mention, Relation, WordSpan
from relcon.data.labels import LabelSet
from relcon.data.relations import IGNORED
from relcon.encoding import EVALUATION_TOKENS, evaluating, looks
from relcon.interfaces import Extractor
from relcon.samplers.common import cut
from relcon_pspe.candidates import BACKWARD, FORWARD, NONE, SpanPair, pairs_among, read_label
from relcon_pspe.joint_sampler import starts_of, word_views
from relcon_pspe.network import AtHand, JointNetwork, PairAt, SpanAt
from relcon_pspe.tagging import OUTSIDE

SENTENCES = 256
"""Sentences that are held at a time."""

PAIRS = 2048
"""Pairs that are judged at a time: a model that knows nothing may find hundreds of entities in a sentence."""


class Found(NamedTuple):
    """What was found in a sentence: entities in the order of the text, relations by their numbers."""

    entities: List[Entity]
    relations: List[Relation]


class Typed(NamedTuple):
    """Candidate spans of the sentences at hand, and the entities among them. vectors: [S, out] of the spans. entities: of each sentence."""

    spans: List[SpanAt]
    vectors: Tensor
    entities: List[Dict[WordSpan, Entity]]


class Asked(NamedTuple):
    """Pairs of given entities in one sentence. document: that it stands in, words `sentence` of it. pairs: of each the number of its
    instance, the spans in textual order, words counted from the sentence's first, and whether the head stands first."""

    document: Document
    sentence: WordSpan
    pairs: List[Tuple[int, SpanPair, bool]]


class Seen(NamedTuple):
    """Pairs of given entities that the encoder saw. rows: [n] their instances. forward: [n] bool, whether the head stands first.
    vectors: [n, out]. scores: [n, classes]."""

    rows: List[int]
    forward: List[bool]
    vectors: Tensor
    scores: Tensor


class JointExtractor(Extractor):
    """Tags, types and relates what a sentence holds, and encodes it once for all of that (Wang et al. 2020).

    An entity is a span of the tags to which some type is more probable than none; its score is the probability of that type times the mean
    probability of its words' tags. Every two entities of a sentence have at most one relation, the most probable class of their pair, with
    its probability as score. What the encoder's limit crops is the end of a sentence, in which nothing is found; `lost_views` counts those
    words, whether the model is asked about whole sentences or about given pairs.

    network: trained. types: of entities. relations: the classes of pairs, none first. labels: the label set. tokens: how many positions
    are encoded at a time.
    """

    def __init__(
        self, network: JointNetwork, types: Sequence[str], relations: Sequence[str], labels: LabelSet, tokens: int = EVALUATION_TOKENS
    ):
        self.network, self.types, self.relations, self.labels, self.tokens = network, types, relations, labels, tokens

    # ---- finding -------------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def extract(self, documents: Sequence[Document]) -> List[Document]:
        """The documents with the entities that are found, and relations between those of one sentence, in place of what is annotated."""
        places = [(number, span) for number, document in enumerate(documents) for span in document.sentences]
        found: List[Found] = [Found([], []) for _ in documents]
        with evaluating(self.network):
            for some in cut(places, SENTENCES):
                texts = [documents[number].words[slice(*span)] for number, span in some]
                for (number, span), sentence in zip(some, self._sentences(texts), strict=True):
                    _join(found[number], sentence, span[0])
        return [_changed(*each) for each in zip(documents, found, strict=True)]

    @torch.no_grad()
    def tags(self, sentences: Sequence[Tuple[str, ...]]) -> List[List[int]]:
        """The most probable tag of each word, in the network's scheme; outside where the encoder does not see it."""
        found = [[self.network.scheme.index(OUTSIDE)] * len(words) for words in sentences]
        with evaluating(self.network):
            for some in cut(range(len(sentences)), SENTENCES):
                for hand, tags in self._at_hand([sentences[number] for number in some]):
                    best = tags.argmax(1).split([len(words) for words in hand.words])
                    for number, words, own in zip(hand.numbers, hand.words, best, strict=True):
                        for word, tag in zip(words, own.tolist(), strict=True):
                            found[some[number]][word] = tag
        return found

    def _sentences(self, texts: Sequence[Tuple[str, ...]]) -> List[Found]:
        """What is found in each sentence."""
        found = [Found([], []) for _ in texts]
        for hand, tags in self._counted(texts):
            typed = self._typed(hand, tags)
            for number, entities in zip(hand.numbers, typed.entities, strict=True):
                found[number].entities.extend(entities.values())
            for at, relation in self._related(hand, typed):
                found[hand.numbers[at]].relations.append(relation)
        return found

    def _counted(self, texts: Sequence[Tuple[str, ...]]) -> Iterator[Tuple[AtHand, Tensor]]:
        """The same as `_at_hand`; words that the encoder does not see are counted."""
        seen = 0
        for hand, tags in self._at_hand(texts):
            seen += len(tags)
            yield hand, tags
        self.lost_views += sum(map(len, texts)) - seen

    def _at_hand(self, texts: Sequence[Tuple[str, ...]]) -> Iterator[Tuple[AtHand, Tensor]]:
        """Sentences with the probabilities [n, tags] of their words, as far as the encoder saw them, some at a time."""
        views = [view for words in texts for view in word_views(Text(words))]
        starts = starts_of(map(len, texts))
        for look in looks(self.network.words, views, self.tokens):
            if bool(look.alive.any()):
                seen = look.numbers[look.alive]
                tags = look.vectors[look.alive.to(look.vectors.device)]
                yield AtHand.of(seen, starts, views, look.more), tags.float().softmax(1)

    def _typed(self, hand: AtHand, tags: Tensor) -> Typed:
        """The entities among the spans of the tags."""
        spans = [(at, span) for at, own in enumerate(self.network.tagged(hand, tags)) for span in own]
        entities: List[Dict[WordSpan, Entity]] = [{} for _ in hand.numbers]
        if not spans:
            return Typed(spans, tags[:0], entities)
        vectors = self.network.span_vectors(hand, spans)
        scores, kinds = self.network.typing(vectors).float().softmax(1).max(1)
        sure = tags.max(1).values.cpu().split([len(words) for words in hand.words])
        for (at, span), score, kind in zip(spans, scores.tolist(), kinds.tolist(), strict=True):
            if kind != NONE:
                score *= float(sure[at][slice(*span)].mean())
                entities[at][span] = Entity((Mention(*span),), self.types[kind - 1], score=score)
        return Typed(spans, vectors, entities)

    def _related(self, hand: AtHand, typed: Typed) -> Iterator[Tuple[int, Relation]]:
        """The relations between entities, each with its sentence; entities are numbered within it."""
        order = [{span: number for number, span in enumerate(own)} for own in typed.entities]
        pairs = [(at, pair) for at, own in enumerate(typed.entities) for pair in pairs_among(own)]
        for some in cut(pairs, PAIRS):
            vectors = self.network.pair_vectors(hand, some, typed.spans, typed.vectors)
            scores, classes = self.network.relating(vectors).float().softmax(1).max(1)
            for (at, pair), score, kind in zip(some, scores.tolist(), classes.tolist(), strict=True):
                if kind != NONE:
                    label, forward = read_label(self.relations[kind])
                    head, tail = (order[at][span] for span in (pair if forward else pair[::-1]))
                    yield at, Relation(head, tail, label, score=score)

    # ---- pairs of given entities ---------------------------------------------------------------------------------------------

    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        """[N, labels] of pairs of given entities: of a label its probability from head to tail, in both directions where it is symmetric;
        the rest is 'no relation', or is left out where the task has no such label. A pair in two sentences, or of spans that begin
        together, is no relation for certain; so is one that the encoder cannot see."""
        table = self._no_relation().repeat(len(instances), 1)
        for seen in self._seen(instances):
            forward = torch.tensor(seen.forward)[:, None]
            own = torch.where(forward, seen.scores @ self._classes_of(FORWARD), seen.scores @ self._classes_of(BACKWARD))
            rest = (1 - own.sum(1, keepdim=True)).clamp(min=0)
            table[seen.rows] = own + rest * self._no_relation() if self.labels.negative else own / own.sum(1, keepdim=True)
        return table

    def embed(self, instances: Sequence[Instance]) -> Tensor:
        """[N, out] the vectors of the pairs, in textual order; zeros for those that are no relation for certain."""
        table = torch.zeros(len(instances), self.network.pair.span.out)
        for seen in self._seen(instances):
            table[seen.rows] = seen.vectors
        return table

    @torch.no_grad()
    def _seen(self, instances: Sequence[Instance]) -> List[Seen]:
        """The pairs that the encoder sees; the words that it does not see are counted."""
        asked, found = asked_of(instances), []
        with evaluating(self.network):
            for some in cut(asked, SENTENCES):
                for hand, _ in self._counted([each.document.words[slice(*each.sentence)] for each in some]):
                    pairs = [
                        (row, (at, pair), forward)
                        for at, number in enumerate(hand.numbers)
                        for row, pair, forward in some[number].pairs
                        if max(span[1] for span in pair) <= hand.size(at)
                    ]
                    found += [self._judged(hand, *zip(*part, strict=True)) for part in cut(pairs, PAIRS)]
        return found

    def _judged(self, hand: AtHand, rows: Sequence[int], pairs: Sequence[PairAt], forward: Sequence[bool]) -> Seen:
        spans = list(dict.fromkeys((at, span) for at, pair in pairs for span in pair))
        vectors = self.network.pair_vectors(hand, pairs, spans, self.network.span_vectors(hand, spans))
        scores = self.network.relating(vectors).float().softmax(1)
        return Seen(list(rows), list(forward), vectors.float().cpu(), scores.cpu())

    def _classes_of(self, direction: str) -> Tensor:
        """[classes, labels] 1 where a class says a label of a pair whose head stands first (`@>`), or second (`@<`)."""
        table = torch.zeros(len(self.relations), len(self.labels))
        for column, label in enumerate(self.labels.names):
            for row, name in enumerate(self.relations):
                same = name == label + direction or (label in self.labels.symmetric and name in (label + FORWARD, label + BACKWARD))
                table[row, column] = float(row != NONE and same)
        return table

    def _no_relation(self) -> Tensor:
        """[labels] 'no relation' for certain; any label where the task has none such."""
        named = self.labels.negative or self.labels.names
        row = torch.tensor([float(name in named) for name in self.labels.names])
        return row / row.sum()


def asked_of(instances: Sequence[Instance]) -> List[Asked]:
    """Given pairs by the sentence that they stand in, without those in two sentences and those of spans that begin together."""
    found: Dict[Tuple[int, WordSpan], Asked] = {}
    for row, instance in enumerate(instances):
        document, (head, tail) = instance.document, instance.mentions
        start, end = document.sentences[document.sentence_of(min(head.start, tail.start))]
        if head.start != tail.start and max(head.end, tail.end) <= end:
            spans = [(mention.start - start, mention.end - start) for mention in sorted((head, tail))]
            asked = found.setdefault((id(document), (start, end)), Asked(document, (start, end), []))
            asked.pairs.append((row, (spans[0], spans[1]), head < tail))
    return list(found.values())


def _join(whole: Found, sentence: Found, start: int) -> None:
    """Add what was found in a sentence to what was found in its document. start: the sentence's first word."""
    before = len(whole.entities)
    for entity in sentence.entities:
        (mention,) = entity.mentions
        whole.entities.append(replace(entity, mentions=(Mention(mention.start + start, mention.end + start),)))
    whole.relations.extend(replace(each, head=each.head + before, tail=each.tail + before) for each in sentence.relations)


def _changed(document: Document, found: Found) -> Document:
    """The document with what was found. Which annotated pairs are to be ignored means nothing any more."""
    metadata = {key: value for key, value in document.metadata.items() if key != IGNORED}
    return replace(document, entities=tuple(found.entities), relations=tuple(found.relations), metadata=metadata)
