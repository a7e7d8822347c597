"""Prodigy's JSON-lines."""

from dataclasses import replace
from typing import Any, Dict, Iterator, Sequence

from relcon.data.document import Document, Entity, Relation
from relcon.writers import keeping
from relcon.writers.base import RecordWriter
from relcon.writers.keeping import Kept, Step


class Prodigy(RecordWriter):
    """Writes the JSON-lines that Prodigy's `rel.manual` takes, so that predictions can be corrected there.

    The words are the tokens; where a document has words alone, the text is these, joined by spaces. Each mention of an entity is a span, a
    discontinuous one in one piece; a relation is that of the closest two, and names the first of several entities of one span and type.
    `meta` is the metadata of that name, and Prodigy shows it; the document's id stands there as `document`. An entity without a type
    gets ENTITY. What is lost: ids, probabilities, pairs without a label, borders between sentences, parses, other metadata.
    `rel.manual` does not show spans that overlap; nothing is left out for that.

    Source: Montani and Honnibal, Prodigy: A new annotation tool for radically efficient machine teaching, 2018 (software).

    Config::

        [writer]
        @writers = "relcon.Prodigy.v1"
    """

    reader = "relcon.Prodigy.v1"

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            keeping.with_text,
            keeping.separate_mentions,
            keeping.contiguous,
            keeping.only_labelled,
            keeping.typed,
            keeping.of_first(_place),
            keeping.one_sentence,
            keeping.without_parse,
            keeping.without_entity_ids,
            keeping.without_relation_ids,
            keeping.without_scores,
            known_metadata,
            named_in_meta,
        )

    def records(self, document: Document) -> Iterator[Dict[str, Any]]:
        """One."""
        yield {
            "text": document.text,
            "tokens": list(_tokens(document)),
            "spans": [_span(document, entity) for entity in document.entities],
            "relations": [_relation(document, relation) for relation in document.relations],
            **({"meta": document.metadata["meta"]} if "meta" in document.metadata else {}),
            **({"_annotator_id": document.metadata["annotator"]} if "annotator" in document.metadata else {}),
        }


def known_metadata(document: Document) -> Kept:
    """`meta` and `annotator`, unless they are empty."""
    said = document.metadata
    known = [name for name, kind in (("meta", dict), ("annotator", object)) if said.get(name) and isinstance(said[name], kind)]
    return keeping.only_metadata(*known)(document)


def named_in_meta(document: Document) -> Kept:
    """No id of its own; `meta` says which it was."""
    kept, lost = keeping.without_id(document)
    meta = {"document": document.id, **document.metadata.get("meta", {})}
    return Kept(replace(kept, metadata={**document.metadata, "meta": meta}) if any(lost.values()) else kept, lost)


def _place(entity: Entity) -> Any:
    return entity.mentions[0], entity.type


def _tokens(document: Document) -> Iterator[Dict[str, Any]]:
    """The words, each with whether white space follows."""
    offsets = document.offsets or ()
    following = [*(start for start, _ in offsets[1:]), len(document.text or "")]
    for number, (word, (start, end), after) in enumerate(zip(document.words, offsets, following, strict=False)):
        yield {"text": word, "start": start, "end": end, "id": number, "ws": end < after, "disabled": False}


def _span(document: Document, entity: Entity) -> Dict[str, Any]:
    [mention], label = entity.mentions, entity.type
    [(start, end)] = keeping.characters(document, mention)
    return {"start": start, "end": end, "token_start": mention.start, "token_end": mention.end - 1, "label": label}


def _relation(document: Document, relation: Relation) -> Dict[str, Any]:
    """`head` and `child` are the last tokens of their spans."""
    head, child = (_span(document, document.entities[side]) for side in (relation.head, relation.tail))
    ends = {"head": head["token_end"], "child": child["token_end"], "head_span": head, "child_span": child}
    return {**ends, "label": relation.label}
