"""What is said of a text, by annotators or by an extractor, mention by mention, and how much of it is right.

Sets are compared, so what is said twice counts once. Everything stands in one sentence: that of its first word.
"""

from bisect import bisect_right
from collections import Counter
from itertools import product
from typing import Any, Callable, Collection, Dict, FrozenSet, Iterable, List, Literal, Mapping, NamedTuple, Sequence, Set, Tuple

import numpy as np

from relcon.data.document import Document, Instance, Mention, WordSpan
from relcon.data.relations import ignored_pairs
from relcon.evaluators.scoring import Counts

Spans = Tuple[WordSpan, ...]
"""The words of a mention: one span, several where it is discontinuous."""

Kind = Literal["entity", "relation", "strict", "span"]
"""What is compared. entity: spans with their types. relation: labels with the spans of both arguments. strict: these with the types of the
arguments too. span: spans alone."""

UNTYPED = "untyped"
"""The type of an entity whose data have none."""


class Argument(NamedTuple):
    """A mention with the type of its entity."""

    spans: Spans
    type: str

    @property
    def start(self) -> int:
        """Its first word."""
        return self.spans[0][0]

    @property
    def end(self) -> int:
        """Behind its last word."""
        return self.spans[-1][1]


class Fact(NamedTuple):
    """A relation from one mention to another."""

    head: Argument
    tail: Argument
    label: str

    @property
    def start(self) -> int:
        """Its first word."""
        return min(self.head.start, self.tail.start)


class Said(NamedTuple):
    """All that is said of a document or a sentence."""

    entities: FrozenSet[Argument] = frozenset()
    relations: FrozenSet[Fact] = frozenset()


class Sentence(NamedTuple):
    """What is annotated in a sentence and what was found there. words: how many it has."""

    words: int
    gold: Said
    predicted: Said

    @property
    def overlapping(self) -> bool:
        """Whether two annotated entities share a word, so that one tag per word cannot tell them."""
        words = Counter(word for entity in self.gold.entities for word in {w for span in entity.spans for w in range(*span)})
        return any(count > 1 for count in words.values())


class Item(NamedTuple):
    """What counts as one in a comparison.

    place: the spans of an entity, or those of head and tail. label: an entity's type, a relation's label, "" of a span alone.
    types: those of head and tail where they count.
    """

    place: Tuple[Spans, ...]
    label: str = ""
    types: Tuple[str, ...] = ()

    def __str__(self) -> str:
        """What is said of the place: `treats (Drug, Disease)`, `Drug`, `entity`."""
        return f"{self.label} ({', '.join(self.types)})" if self.types else self.label or "entity"


# ---- from documents ------------------------------------------------------------------------------------------------------


def said_of(document: Document, negative: Collection[str] = ()) -> Said:
    """The mentions of a document's entities and the relations between them.

    A relation of two entities holds between all their mentions that share a sentence; where no two do, between the two that stand closest.
    negative: labels that mean 'no relation'; pairs that are only asked about have none either.
    """
    entities: Set[Argument] = set()
    relations: Set[Fact] = set()
    for entity in document.entities:
        entities.update(_argument(mention, entity.type) for mention in entity.mentions)
    for relation in document.relations:
        if relation.label is not None and relation.label not in negative:
            types = document.entities[relation.head].type, document.entities[relation.tail].type
            for head, tail in mention_pairs(document, relation.head, relation.tail):
                relations.add(Fact(_argument(head, types[0]), _argument(tail, types[1]), relation.label))
    return Said(frozenset(entities), frozenset(relations))


def mention_pairs(document: Document, head: int, tail: int) -> List[Tuple[Mention, Mention]]:
    """The mentions between which a relation of two entities is looked for."""
    pairs = product(document.entities[head].mentions, document.entities[tail].mentions)
    together = [(one, other) for one, other in pairs if document.sentence_of(one.start) == document.sentence_of(other.start)]
    return together or [Instance(document, head, tail).mentions]


def without_ignored(predicted: Said, gold: Said, document: Document) -> Said:
    """What was found, without relations of which nobody knows whether they hold: between mentions of a pair that the annotated document
    says to ignore (`relcon.data.relations.ignored_pairs`), in either direction. A relation from one mention to another stays where any is
    annotated from the one to the other."""
    pairs = {
        (spans_of(one), spans_of(other)) for head, tail in ignored_pairs(document) for one, other in mention_pairs(document, head, tail)
    }
    unknown = pairs | {(other, one) for one, other in pairs}
    unknown -= {(fact.head.spans, fact.tail.spans) for fact in gold.relations}
    kept = frozenset(fact for fact in predicted.relations if (fact.head.spans, fact.tail.spans) not in unknown)
    return predicted._replace(relations=kept)


def undirected(said: Said, labels: Collection[str]) -> Said:
    """The same with the arguments of these labels in the order of the text, so that their direction does not count."""
    return said._replace(relations=frozenset(_ordered(fact) if fact.label in labels else fact for fact in said.relations))


def sentences_of(spans: Sequence[WordSpan], gold: Said, predicted: Said) -> List[Sentence]:
    """A document sentence by sentence. spans: their words, in order, as of `Document.sentences`."""
    parts = [_by_sentence(spans, said) for said in (gold, predicted)]
    return [Sentence(end - start, *said) for (start, end), *said in zip(spans, *parts, strict=True)]


def sentence_at(spans: Sequence[WordSpan], word: int) -> int:
    """The number of the sentence that holds a word."""
    return bisect_right(spans, word, key=lambda span: span[0]) - 1


def _by_sentence(spans: Sequence[WordSpan], said: Said) -> List[Said]:
    entities: List[Set[Argument]] = [set() for _ in spans]
    relations: List[Set[Fact]] = [set() for _ in spans]
    for entity in said.entities:
        entities[sentence_at(spans, entity.start)].add(entity)
    for fact in said.relations:
        relations[sentence_at(spans, fact.start)].add(fact)
    return [Said(frozenset(some), frozenset(others)) for some, others in zip(entities, relations, strict=True)]


def spans_of(mention: Mention) -> Spans:
    """A mention as sets know it."""
    return tuple((start, end) for start, end in mention.spans)


def _argument(mention: Mention, kind: str) -> Argument:
    return Argument(spans_of(mention), kind)


def _ordered(fact: Fact) -> Fact:
    first, second = sorted((fact.head, fact.tail))
    return Fact(first, second, fact.label)


# ---- comparing -----------------------------------------------------------------------------------------------------------


def _entities(said: Said) -> Iterable[Item]:
    return (Item((entity.spans,), entity.type or UNTYPED) for entity in said.entities)


def _spans(said: Said) -> Iterable[Item]:
    return (Item((entity.spans,)) for entity in said.entities)


def _relations(said: Said) -> Iterable[Item]:
    return (Item((head.spans, tail.spans), label) for head, tail, label in said.relations)


def _strict(said: Said) -> Iterable[Item]:
    return (Item((head.spans, tail.spans), label, (head.type or UNTYPED, tail.type or UNTYPED)) for head, tail, label in said.relations)


ITEMS: Mapping[str, Callable[[Said], Iterable[Item]]] = {
    "entity": _entities, "relation": _relations, "strict": _strict, "span": _spans,
}  # fmt: skip


def items(said: Said, kind: Kind) -> FrozenSet[Item]:
    """What is said, as far as this kind of comparison looks."""
    return frozenset(ITEMS[kind](said))


class Tally(NamedTuple):
    """How many items of each label are right, predicted and annotated."""

    right: "Counter[str]"
    predicted: "Counter[str]"
    gold: "Counter[str]"

    def labels(self) -> List[str]:
        """Those that are annotated or predicted, sorted."""
        return sorted({*self.predicted, *self.gold})

    def counts(self) -> Counts:
        """By label [K]."""
        return Counts(*(np.array([column[name] for name in self.labels()], dtype=np.int64) for column in self))

    def total(self) -> Counts:
        """Of all labels together, [] each."""
        return Counts(*(np.array(sum(column.values())) for column in self))


def tally(sentences: Iterable[Sentence], kind: Kind) -> Tally:
    """The items of sentences, each sentence compared by itself."""
    found: Tally = Tally(Counter(), Counter(), Counter())
    for sentence in sentences:
        gold, predicted = items(sentence.gold, kind), items(sentence.predicted, kind)
        for column, some in zip(found, (gold & predicted, predicted, gold), strict=True):
            column.update(item.label for item in some)
    return found


# ---- as JSON -------------------------------------------------------------------------------------------------------------


def told(said: Said, names: Mapping[Spans, str]) -> Dict[str, Any]:
    """As JSON: entities in the order of the text, relations by the numbers of their arguments in that list.

    names: each mention in words.
    """
    entities = sorted(said.entities)
    place = {entity: number for number, entity in enumerate(entities)}
    return {
        "entities": [{"text": names[each.spans], "type": each.type, "words": [list(span) for span in each.spans]} for each in entities],
        "relations": [
            {"head": place[head], "tail": place[tail], "label": label} for head, tail, label in sorted(said.relations)
        ],
    }  # fmt: skip


def heard(record: Mapping[str, Any]) -> Said:
    """What `told` tells. KeyError, IndexError, TypeError or ValueError where it is nothing of the kind."""
    entities = [Argument(tuple((int(start), int(end)) for start, end in each["words"]), str(each["type"])) for each in record["entities"]]
    if not all(entity.spans for entity in entities):
        raise ValueError("an entity without words")
    if any(each[end] < 0 for each in record["relations"] for end in ("head", "tail")):
        raise IndexError("an entity number below 0")
    relations = (Fact(entities[each["head"]], entities[each["tail"]], str(each["label"])) for each in record["relations"])
    return Said(frozenset(entities), frozenset(relations))
