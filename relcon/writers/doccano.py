"""doccano's JSON-lines."""

from typing import Any, Dict, Iterator, Sequence

from relcon.data.document import Document, Entity, Relation
from relcon.writers import keeping
from relcon.writers.base import RecordWriter
from relcon.writers.keeping import Step
from relcon.writers.numbers import is_number, number_or_text


class Doccano(RecordWriter):
    """Writes the JSON-lines with relations that doccano imports, so that predictions can be corrected there.

    Positions count characters of the text; where a document has words alone, these are joined by spaces. Each mention of an entity is an
    entity, a discontinuous one in one piece; a relation is that of the closest two. Metadata go beside the text. Ids of entities and
    relations are whole numbers, as doccano wants them; others are replaced. An entity without a type gets ENTITY. What is lost:
    borders between sentences, parses, probabilities, pairs without a label. Words come back as relcon finds them.

    Source: Nakayama et al., doccano: Text Annotation Tool for Human, 2018 (software).

    Config::

        [writer]
        @writers = "relcon.Doccano.v1"
    """

    reader = "relcon.Doccano.v1"

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            keeping.with_text,
            keeping.separate_mentions,
            keeping.contiguous,
            keeping.only_labelled,
            keeping.one_sentence,
            keeping.without_parse,
            keeping.typed,
            keeping.entity_ids(is_number, ""),
            keeping.relation_ids(is_number, ""),
            keeping.without_scores,
            keeping.metadata_but("id", "text", "entities", "relations"),
        )

    @property
    def read_as(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (keeping.words_found,)

    def unfit(self, document: Document) -> str:
        """See `Writer`."""
        return keeping.torn(document)

    def records(self, document: Document) -> Iterator[Dict[str, Any]]:
        """One."""
        yield {
            "id": number_or_text(document.id),
            "text": document.text,
            "entities": [_entity(document, entity) for entity in document.entities],
            "relations": [_relation(document, relation) for relation in document.relations],
            **document.metadata,
        }


def _entity(document: Document, entity: Entity) -> Dict[str, Any]:
    [(start, end)] = keeping.characters(document, entity.mentions[0])
    return {"id": int(entity.id), "label": entity.type, "start_offset": start, "end_offset": end}


def _relation(document: Document, relation: Relation) -> Dict[str, Any]:
    head, tail = (int(document.entities[side].id) for side in (relation.head, relation.tail))
    return {"id": int(relation.id), "from_id": head, "to_id": tail, "type": relation.label}
