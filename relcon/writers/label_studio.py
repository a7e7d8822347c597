"""Label Studio's JSON."""

from typing import Any, Dict, Iterator, Optional, Sequence

from relcon.data.document import Document, Entity, Relation
from relcon.writers import keeping
from relcon.writers.base import ArrayWriter
from relcon.writers.keeping import Step
from relcon.writers.numbers import number_or_text


class LabelStudio(ArrayWriter):
    """Writes the JSON tasks that Label Studio imports, so that predictions can be corrected there.

    A project with the labels `<Labels name="label" toName="text">`, `<Relations>` and `<Text name="text" value="$text">` shows them.
    Positions count characters of the text; where a document has words alone, these are joined by spaces. Each mention of an entity is a
    region, a discontinuous one in one piece; a relation is that of the closest two. Metadata go beside the text in `data`. A region
    without an id of its own gets one (r1, r2, ...). What is lost: borders between sentences, parses, ids of relations, probabilities
    unless `predictions`. Words come back as relcon finds them.

    predictions: write the `predictions` of a model, with probabilities as scores, in place of the `annotations` of a person.
    text: the key of the text in `data`, and the name of the tag that shows it.
    labels: the name of the tag with the labels.

    Source: Tkachenko et al., Label Studio: Data labeling software, 2020 (software).

    Config::

        [writer]
        @writers = "relcon.LabelStudio.v1"
        predictions = true
    """

    reader = "relcon.LabelStudio.v1"

    def __init__(self, predictions: bool = False, text: str = "text", labels: str = "label"):
        self.predictions, self.text, self.labels = predictions, text, labels
        self.options = {"predictions": predictions, "text": text}

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            keeping.with_text,
            keeping.separate_mentions,
            keeping.contiguous,
            keeping.one_sentence,
            keeping.without_parse,
            keeping.entity_ids(bool, "r"),
            keeping.without_relation_ids,
            *(() if self.predictions else (keeping.without_scores,)),
            keeping.metadata_but(self.text),
        )

    @property
    def read_as(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (keeping.words_found,)

    def unfit(self, document: Document) -> str:
        """See `Writer`."""
        return keeping.torn(document)

    def records(self, document: Document) -> Iterator[Dict[str, Any]]:
        """One task."""
        regions = [self._region(document, entity) for entity in document.entities]
        result = [*regions, *(_relation(document, relation) for relation in document.relations)]
        marks = {"predictions" if self.predictions else "annotations": [{"result": result}]} if result else {}
        yield {"id": number_or_text(document.id), "data": {self.text: document.text, **document.metadata}, **marks}

    def _region(self, document: Document, entity: Entity) -> Dict[str, Any]:
        [(start, end)] = keeping.characters(document, entity.mentions[0])
        value = {"start": start, "end": end, "text": (document.text or "")[start:end], "labels": [entity.type] if entity.type else []}
        names = {"from_name": self.labels, "to_name": self.text}
        return {"id": entity.id, "type": "labels", **names, "value": value, **_scored(entity.score)}


def _relation(document: Document, relation: Relation) -> Dict[str, Any]:
    head, tail = (document.entities[side].id for side in (relation.head, relation.tail))
    labels = [] if relation.label is None else [relation.label]
    return {"type": "relation", "from_id": head, "to_id": tail, "direction": "right", "labels": labels, **_scored(relation.score)}


def _scored(score: Optional[float]) -> Dict[str, float]:
    return {} if score is None else {"score": score}
