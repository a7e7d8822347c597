"""DyGIE's JSON-lines."""

from collections import Counter
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Sequence

from relcon.data.document import Document, Entity, Mention, WordSpan
from relcon.writers import keeping
from relcon.writers.base import RecordWriter
from relcon.writers.keeping import Kept, Step


class DyGIE(RecordWriter):
    """Writes DyGIE's JSON-lines, also for PURE and others: sentences of tokens, with `ner` and `relations` of each, and `clusters`.

    Spans count the tokens of the document, ends are inclusive. An entity with several mentions is a cluster, or, where a span of it is
    that of another mention as well, an entity for each mention. Discontinuous mentions are in one piece. A relation stands with the
    sentence of its head, and names the closest two mentions by their spans; where several entities share a span, it is that of the first
    of them. Entities and relations come back in the order of the sentences. What is lost besides: text, parses, ids of entities and
    relations, probabilities, pairs without a label, metadata (but for a `document` that is the id). A document without words is left
    out. The reader gives entities with several mentions back with `coreference`.

    Source: Wadden et al., Entity, Relation, and Event Extraction with Contextualized Span Representations, EMNLP-IJCNLP 2019.

    Config::

        [writer]
        @writers = "relcon.DyGIE.v1"
    """

    reader = "relcon.DyGIE.v1"
    options = {"unit": "document", "coreference": True}

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            keeping.contiguous,
            clusters,
            keeping.of_first(_first_span),
            keeping.only_labelled,
            by_sentence,
            keeping.without_text,
            keeping.without_parse,
            keeping.without_entity_ids,
            keeping.without_relation_ids,
            keeping.without_scores,
            keeping.grouped_by_id,
        )

    def unfit(self, document: Document) -> str:
        """See `Writer`."""
        return "" if document.words else "document without words"

    def records(self, document: Document) -> Iterator[Dict[str, Any]]:
        """One."""
        ner: List[List[Any]] = [[] for _ in document.sentences]
        relations: List[List[Any]] = [[] for _ in document.sentences]
        for entity in document.entities:
            for mention in entity.mentions:
                ner[document.sentence_of(mention.start)].append([*_inclusive(mention), entity.type])
        for relation in document.relations:
            head, tail = keeping.closest(document, relation)
            relations[document.sentence_of(head.start)].append([*_inclusive(head), *_inclusive(tail), relation.label])
        yield {
            "doc_key": document.id,
            "sentences": [list(document.words[start:end]) for start, end in document.sentences],
            "ner": ner,
            "relations": relations,
            "clusters": [[_inclusive(mention) for mention in each.mentions] for each in document.entities if len(each.mentions) > 1],
        }


def clusters(document: Document) -> Kept:
    """Entities with several mentions where no span of theirs is that of another mention; of others each mention is an entity."""
    spans = Counter(mention[:2] for entity in document.entities for mention in entity.mentions)
    whole = [number for number, each in enumerate(document.entities) if all(spans[mention[:2]] == 1 for mention in each.mentions)]
    return keeping.separate_mentions(document, together=frozenset(whole))


def by_sentence(document: Document) -> Kept:
    """Entities in the order of the sentences in which they are first mentioned, relations in that of the sentences of their heads."""
    first = [min(document.sentence_of(mention.start) for mention in entity.mentions) for entity in document.entities]
    relations = sorted(document.relations, key=lambda each: document.sentence_of(keeping.closest(document, each)[0].start))
    moved = keeping.reordered(replace(document, relations=tuple(relations)), sorted(range(len(first)), key=first.__getitem__))
    return Kept(moved, {})


def _first_span(entity: Entity) -> WordSpan:
    return entity.mentions[0][:2]


def _inclusive(mention: Mention) -> List[int]:
    return [mention.start, mention.end - 1]
