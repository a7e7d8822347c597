"""Which pairs of entities become candidates, and which gold relations are thereby lost."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, List, Literal, Optional, Tuple

from relcon.data.document import Document, Instance, Mention, Relation, instance_uid
from relcon.data.labels import LabelSet
from relcon.data.relations import Pair, ignored_pairs
from relcon.errors import RelconError
from relcon.interfaces import CandidateRule, Lost

SAME_ENTITY = "head and tail are the same entity"
TYPES = "types of head and tail not in the filter"
SENTENCES = "head and tail in different sentences"
WINDOW = "too many sentences between head and tail"
DISTANCE = "too many words between head and tail"
REVERSED = "only the opposite direction is a candidate"
SECOND = "second label of the pair"
UNASKED = "the pair is to be ignored"
CAUSES = (SAME_ENTITY, TYPES, SENTENCES, WINDOW, DISTANCE, REVERSED, SECOND, UNASKED)
"""Every cause that a rule of this module writes into `Lost.cause`."""


class AnnotatedPairs(CandidateRule):
    """One candidate for each pair that the document has a relation for, explicit negatives included.

    The rule for corpora that name their pairs (SemEval, TACRED, DDI): a pair that nobody annotated is not asked about.
    A pair with several labels gets the first; the others are lost ("second label of the pair"). The same label said twice,
    or a symmetric label said in both directions, is one fact and gives one candidate. `Relation(label=None)` gives a candidate
    without label. Entities that overlap, have the same words or are one and the same entity are kept as the data has them. Pairs that
    a document says to ignore (`metadata["ignored"]`) are no candidates.

    Config::

        [candidates]
        @candidates = "relcon.AnnotatedPairs.v1"
    """

    gives_negative = False

    def instances(self, document: Document, labels: Optional[LabelSet] = None) -> Tuple[List[Instance], List[Lost]]:
        """The annotated pairs in the order of their first relation, and the second labels. labels: tells the symmetric ones."""
        found: Dict[Pair, Optional[str]] = {}
        lost, ignored = [], ignored_pairs(document)
        for relation in document.relations:
            pair = _known(found, relation, labels)
            if pair in ignored:
                lost += _lost(document, relation, UNASKED, labels)
            elif found.get(pair) is None:
                found[pair] = relation.label
            elif relation.label not in (None, found[pair]):
                lost += _lost(document, relation, SECOND, labels)
        return [_instance(document, pair, label) for pair, label in found.items()], lost


class EntityPairs(CandidateRule):
    """All pairs of a document's entities that lie close enough and have the right types.

    The rule for corpora that annotate all relations of a text, so that a pair without one is a negative example. Such a pair
    gets the label set's only negative label (see `complete_annotation`). Without a label set (`labels` is None: text to predict
    on, or unlabelled training text) it gets none. An entity with several mentions is as close as its closest mention. An entity is never
    paired with itself; two entities that overlap or have the same words are a pair like any other.

    scope: "sentence": some mention of head and some mention of tail share a sentence; "window": they are at most `window`
        sentences apart; "document": anywhere.
    window: for scope "window": 0 is the same sentence, 1 the next one.
    types: [head type, tail type] pairs that are asked about; None for all. Without `directed` the order of the types decides
        which entity is the head (`[["CHEMICAL", "PROTEIN"]]`: always the chemical).
    directed: ask about (a, b) and about (b, a). Otherwise each pair is asked about once; where the types do not decide, the
        head is the entity that stands first in the text.
    max_distance: at most so many words between the closest mentions; None for any number.
    several: what becomes of a second label of a pair: "lost" counts it as missed, since a candidate has one label; "kept" leaves it to
        tasks and evaluators that read all relations of a document (`relcon.MultiLabelClassification.v1`, `relcon.DocumentScores.v1`).
        The candidate itself has the first label in both cases.
    complete_annotation: whether the data annotate all relations. false: a pair without a relation may well have one, so in labelled
        data it is no candidate: no negative example in training, and not scored. Text to predict on and unlabelled splits are asked
        about all pairs in both cases. The splits hand it on to samplers that take pairs from whole documents
        (`Split.complete_annotation`).

    A pair that a document says to ignore (`metadata["ignored"]`) is no candidate; without `directed`, where either direction is ignored.

    A gold relation is lost when its pair is no candidate (one cause each, see `CAUSES`), or when only the opposite direction is
    one and its label is not symmetric. Symmetric labels match either order. Negative labels are never lost.

    Config::

        [candidates]
        @candidates = "relcon.EntityPairs.v1"
        scope = "sentence"
        types = [["CHEMICAL", "PROTEIN"]]
    """

    def __init__(
        self,
        scope: Literal["sentence", "window", "document"] = "sentence",
        window: int = 1,
        types: Optional[List[List[str]]] = None,
        directed: bool = False,
        max_distance: Optional[int] = None,
        several: Literal["lost", "kept"] = "lost",
        complete_annotation: bool = True,
    ):
        if scope not in ("sentence", "window", "document"):
            raise ValueError(f"scope: '{scope}' is not one of 'sentence', 'window', 'document'")
        if window < 0:
            raise ValueError(f"window: {window} is below 0")
        if max_distance is not None and max_distance < 0:
            raise ValueError(f"max_distance: {max_distance} is below 0")
        if any(len(pair) != 2 for pair in types or []):
            raise ValueError(f"types: {types} holds something else than [head type, tail type] pairs")
        if several not in ("lost", "kept"):
            raise ValueError(f"several: '{several}' is neither 'lost' nor 'kept'")
        self.scope, self.window, self.types, self.directed, self.max_distance = scope, window, types, directed, max_distance
        self.several, self.complete_annotation = several, complete_annotation
        self.gives_negative = complete_annotation

    def instances(self, document: Document, labels: Optional[LabelSet] = None) -> Tuple[List[Instance], List[Lost]]:
        """The candidates in text order of head and tail, and the gold relations that are none.

        RelconError where a pair without a relation needs a negative label and the label set has none, or several.
        """
        geometry, ignored = _Geometry(document), ignored_pairs(document)
        near = (pair for pair in self._pairs(document) if self._too_far(geometry, pair) is None)
        pairs = [pair for pair in near if not self._ignored(ignored, pair)]
        gold, lost = self._match(document, pairs, labels, geometry)
        if labels is not None and not self.complete_annotation:
            pairs = [pair for pair in pairs if gold.get(pair) is not None]
        instances = [
            _instance(document, pair, gold[pair] if pair in gold else None if labels is None else only_negative(labels)) for pair in pairs
        ]
        return instances, lost

    def _pairs(self, document: Document) -> Iterator[Pair]:
        """Pairs of the right types, near or far."""
        order = sorted(range(len(document.entities)), key=lambda n: (document.entities[n].first[:2], n))
        for place, first in enumerate(order):
            for second in order if self.directed else order[place + 1 :]:
                pair = self._oriented(document, first, second) if first != second else None
                if pair is not None:
                    yield pair

    def _oriented(self, document: Document, first: int, second: int) -> Optional[Pair]:
        """(head, tail) of two entities as the type filter wants them; None where it does not want them."""
        if self.types is None:
            return first, second
        one, two = document.entities[first].type, document.entities[second].type
        for head, tail in self.types:
            if (one, two) == (head, tail):
                return first, second
            if (two, one) == (head, tail) and not self.directed:
                return second, first
        return None

    def _ignored(self, ignored: FrozenSet[Pair], pair: Pair) -> bool:
        """Whether a pair is not asked about, because the document says so of it, or, where one candidate asks both ways, of its reverse."""
        return pair in ignored or (not self.directed and pair[::-1] in ignored)

    def _too_far(self, geometry: "_Geometry", pair: Pair) -> Optional[str]:
        """Why the two entities are too far apart; None where they are not. One pair of mentions must satisfy both limits."""
        limit = {"sentence": 0, "window": self.window}.get(self.scope)
        gaps = geometry.gaps(pair)
        near = [words for sentences, words in gaps if limit is None or sentences <= limit]
        if not near:
            return SENTENCES if self.scope == "sentence" else WINDOW
        if self.max_distance is not None and min(near) > self.max_distance:
            return DISTANCE
        return None

    def _match(
        self, document: Document, pairs: List[Pair], labels: Optional[LabelSet], geometry: "_Geometry"
    ) -> Tuple[Dict[Pair, Optional[str]], List[Lost]]:
        """Gold labels of the candidates, and the gold relations that have no candidate."""
        candidates, symmetric = set(pairs), labels.symmetric if labels else frozenset()
        gold: Dict[Pair, Optional[str]] = {}
        lost = []
        for relation in document.relations:
            pair = (relation.head, relation.tail)
            ways = [pair, pair[::-1]] if relation.label in symmetric or relation.label is None else [pair]
            hits = [way for way in ways if way in candidates]
            if not hits:
                lost += _lost(document, relation, self._cause(document, pair, geometry), labels)
            elif all(gold.get(hit) not in (None, relation.label) for hit in hits) and relation.label is not None:
                lost += _lost(document, relation, SECOND, labels) if self.several == "lost" else []
            for hit in hits:
                if gold.get(hit) is None:
                    gold[hit] = relation.label
        return gold, lost

    def _cause(self, document: Document, pair: Pair, geometry: "_Geometry") -> str:
        """Why a gold pair is no candidate. Where nothing else stands against it, the opposite direction is one."""
        if pair[0] == pair[1]:
            return SAME_ENTITY
        if self._oriented(document, *pair) is None and self._oriented(document, *pair[::-1]) is None:
            return TYPES
        return self._too_far(geometry, pair) or (UNASKED if self._ignored(ignored_pairs(document), pair) else REVERSED)


@dataclass
class _Geometry:
    """Distances between the mentions of a document."""

    document: Document

    def __post_init__(self) -> None:
        self.starts = [start for start, _ in self.document.sentences]

    def gaps(self, pair: Pair) -> List[Tuple[int, int]]:
        """(sentences, words) between each mention of the one entity and each of the other; 0 where they touch or overlap."""
        head, tail = (self.document.entities[entity].mentions for entity in pair)
        return [(self.sentences_between(h, t), max(h.start - t.end, t.start - h.end, 0)) for h in head for t in tail]

    def sentences_between(self, one: Mention, two: Mention) -> int:
        """How many sentence ends lie between two mentions; a mention may itself run over one."""
        return max(self.sentence(one.start) - self.sentence(two.end - 1), self.sentence(two.start) - self.sentence(one.end - 1), 0)

    def sentence(self, word: int) -> int:
        """The number of the sentence that holds the word."""
        return bisect_right(self.starts, word) - 1


def only_negative(labels: LabelSet) -> str:
    """The one label that means 'no relation'; RelconError where the label set declares none, or several."""
    if len(labels.negative) != 1:
        declared = ", ".join(f"'{name}'" for name in sorted(labels.negative)) or "none"
        raise RelconError(
            f"A candidate pair without a relation needs the one label that means 'no relation', but [data] negative declares {declared}. "
            'Write for example negative = ["no_relation"], or, where the data do not annotate all relations, complete_annotation = false.'
        )
    return next(iter(labels.negative))


def _known(found: Dict[Pair, Optional[str]], relation: Relation, labels: Optional[LabelSet]) -> Pair:
    """The pair of a relation: in the opposite order where a symmetric label has been said the other way round."""
    pair = (relation.head, relation.tail)
    symmetric = labels is not None and relation.label in labels.symmetric
    return pair[::-1] if symmetric and pair not in found and pair[::-1] in found else pair


def _lost(document: Document, relation: Relation, cause: str, labels: Optional[LabelSet]) -> List[Lost]:
    """The relation as lost; nothing where it has no label or a negative one, since no recall is lost with those."""
    if relation.label is None or (labels is not None and relation.label in labels.negative):
        return []
    return [Lost(document.id, relation.head, relation.tail, relation.label, cause)]


def _instance(document: Document, pair: Pair, label: Optional[str]) -> Instance:
    return Instance(document, *pair, label=label, uid=instance_uid(document, *pair))
