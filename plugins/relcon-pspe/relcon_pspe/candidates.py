"""Which spans of a sentence may be entities, which pairs of them may be related, and what is annotated there."""

import math
from itertools import combinations, pairwise
from typing import Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Sequence, Tuple

from relcon.data.document import Document, WordSpan
from relcon.data.labels import LabelSet
from relcon.data.relations import ignored_pairs

FORWARD, BACKWARD = "@>", "@<"
"""Behind a label: its head stands first in the text, or its tail."""

NONE = 0
"""The class of a span that is no entity, and of a pair without a relation."""

SpanPair = Tuple[WordSpan, WordSpan]
"""Two spans of a sentence, the first of which begins before the second."""


class Annotation(NamedTuple):
    """What is annotated in a sentence. entities: span -> type. relations: pair in textual order -> class of the relation. stated: the pairs
    in textual order of which the annotation says something, that they are unrelated for one. ignored: those that it says to ignore, in
    either direction (`relcon.data.relations.ignored_pairs`)."""

    entities: Dict[WordSpan, str]
    relations: Dict[SpanPair, int]
    stated: FrozenSet[SpanPair] = frozenset()
    ignored: FrozenSet[SpanPair] = frozenset()

    @classmethod
    def of(cls, document: Document, directed: Sequence[str]) -> "Annotation":
        """Of a sentence. directed: the classes of relations, as `directed_labels` gives them.

        A discontinuous mention counts as its hull; of two types of one span, or two labels of a pair, the last one counts. A relation of
        spans that begin together, of an entity with itself for one, is none, and so is any label that has no class.
        """
        spans = [(entity.mentions[0].start, entity.mentions[0].end) for entity in document.entities]
        relations, stated = {}, set()
        for relation in document.relations:
            head, tail = spans[relation.head], spans[relation.tail]
            if relation.label is None or head[0] == tail[0]:
                continue
            pair = in_order(head, tail)
            label = f"{relation.label}{FORWARD if head < tail else BACKWARD}"
            stated.add(pair)
            if label in directed:
                relations[pair] = directed.index(label)
        entities = {span: entity.type for span, entity in zip(spans, document.entities, strict=True)}
        ignored = frozenset(in_order(spans[head], spans[tail]) for head, tail in ignored_pairs(document))
        return cls(entities, relations, frozenset(stated), ignored)

    def spans(self, tagged: Iterable[WordSpan], size: int) -> List[WordSpan]:
        """The candidate spans: annotated ones and those of tags, as far as they lie in the first `size` words."""
        return [span for span in sorted({*self.entities, *tagged}) if span[1] <= size]

    def pairs(self, entities: Iterable[WordSpan], complete: bool, size: int) -> List[SpanPair]:
        """The candidate pairs: related ones and those of entities, without what is to be ignored; where not all relations are annotated
        (`complete`), only those of which the annotation says something."""
        asked = {*(pairs_among(entities) if complete else self.stated)} - self.ignored
        return [pair for pair in sorted({*asked, *self.relations}) if max(span[1] for span in pair) <= size]


def in_order(one: WordSpan, other: WordSpan) -> SpanPair:
    """Two spans in textual order."""
    return min(one, other), max(one, other)


def directed_labels(labels: LabelSet) -> List[str]:
    """The classes of relations between spans in textual order: none, and each positive label in both directions."""
    return ["none", *(label + direction for label in labels.positive for direction in (FORWARD, BACKWARD))]


def read_label(name: str) -> Tuple[str, bool]:
    """A directed label as the label itself, and whether its head stands first."""
    return name[: -len(FORWARD)], name.endswith(FORWARD)


def overlapping(spans: Collection[WordSpan]) -> bool:
    """Whether two different spans share a word."""
    order = sorted(set(spans))
    return any(second[0] < first[1] for first, second in pairwise(order))


def pairs_among(spans: Iterable[WordSpan]) -> List[SpanPair]:
    """All pairs of spans, the first of which begins before the second."""
    return [(first, second) for first, second in combinations(sorted(set(spans)), 2) if first[0] < second[0]]


def around(first: WordSpan, second: WordSpan, size: int) -> List[WordSpan]:
    """The words of a sentence before, between and behind two spans; (0, 0) where there are none. size: of the sentence."""
    spans = [(0, first[0]), (first[1], second[0]), (max(first[1], second[1]), size)]
    return [(start, end) if start < end else (0, 0) for start, end in spans]


def gold_share(epoch: int, warm: int, k: float) -> float:
    """The share of sentences whose annotation stands in for what the model says, in an epoch counted from 0 (scheduled sampling: Bengio et
    al. 2015, arXiv 1506.03099, inverse sigmoid decay, as in Miwa and Bansal 2016).

    warm: up to and with this epoch it is 1. k: how slowly it falls thereafter, in epochs.
    """
    if epoch <= warm:
        return 1.0
    falling = k * math.exp((warm - epoch) / k)  # k / (k + exp(x)) without an exp that overflows
    return falling / (1 + falling)
