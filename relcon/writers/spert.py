"""SpERT's JSON."""

from typing import Any, Dict, Iterator, Sequence

from relcon.data.document import Document, Entity, Relation
from relcon.writers import keeping
from relcon.writers.base import ArrayWriter
from relcon.writers.keeping import Step
from relcon.writers.numbers import number_or_text


class SpERT(ArrayWriter):
    """Writes SpERT's JSON arrays: tokens, entities as spans with exclusive ends, relations between their numbers, `orig_id`.

    Each mention of an entity becomes an entity, a discontinuous one in one piece; a relation is that of the closest two. `orig_id` is the
    document's id, a number where the id is one. What is lost: text, borders between sentences, parses, ids of entities and relations,
    probabilities, metadata (but for a `document` that is the id). A pair without a label has the type null. A document without words is
    left out. `SpERT` itself also wants a file of types beside it.

    Source: Eberts and Ulges, Span-based Joint Entity and Relation Extraction with Transformer Pre-training, ECAI 2020.

    Config::

        [writer]
        @writers = "relcon.SpERT.v1"
    """

    reader = "relcon.SpERT.v1"

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            keeping.separate_mentions,
            keeping.contiguous,
            keeping.without_text,
            keeping.one_sentence,
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
        yield {
            "tokens": list(document.words),
            "entities": [_entity(entity) for entity in document.entities],
            "relations": [_relation(relation) for relation in document.relations],
            "orig_id": number_or_text(document.id),
        }


def _entity(entity: Entity) -> Dict[str, Any]:
    return {"type": entity.type, "start": entity.mentions[0].start, "end": entity.mentions[0].end}


def _relation(relation: Relation) -> Dict[str, Any]:
    return {"type": relation.label, "head": relation.head, "tail": relation.tail}
