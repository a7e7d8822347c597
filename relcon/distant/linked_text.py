"""Text that comes with its entities."""

from dataclasses import replace
from typing import List, Literal, Sequence, Union

from relcon.data.document import Document, Entity
from relcon.distant.entities import merged
from relcon.distant.knowledge import surface
from relcon.errors import RelconError
from relcon.interfaces import DistantBuilder, KnowledgeBase, Linked, Rejected


class LinkedText(DistantBuilder):
    """Text whose entities are annotated, with the ids of the knowledge base or at least by name.

    An entity that has an id is looked up under it. One without is looked up by name, lower-cased and with single spaces: where the table of
    names (`--names`) has the name, under the id that stands there, and otherwise under the name itself, which finds something where
    the triples are keyed by lower-cased names. Entities of a document that come to the same id become one. Annotated relations are
    not looked at.

    names: which name of an entity without id is looked up: "first", that of its first mention, or "every", those of all its mentions. An
        entity then has the relations of each of its names; under `--single-label` that of the last line of the triples with any of them.

    Source: Hogan, Li and Shang, Fine-grained Contrastive Learning for Relation Extraction, EMNLP 2022.

    Config::

        [linker]
        @distant = "relcon.LinkedText.v1"
        names = "first"
    """

    def __init__(self, names: Literal["first", "every"] = "first"):
        if names not in ("first", "every"):
            raise RelconError(f"names: '{names}' is neither 'first' nor 'every'")
        self.names = names

    def link(self, documents: Sequence[Document], base: KnowledgeBase) -> List[Union[Linked, Rejected]]:
        """The documents with the ids that their names have."""
        return [self._linked(document, base) for document in documents]

    def _linked(self, document: Document, base: KnowledgeBase) -> Linked:
        entities = [entity if entity.id else self._named(document, entity, base) for entity in document.entities]
        united = merged(entities, [entity.id or number for number, entity in enumerate(entities)])
        keys = [tuple(key for key in self._keys(document, entity) if key in base.entities) for entity in united]
        return Linked(replace(document, entities=united, relations=()), keys)

    def _named(self, document: Document, entity: Entity, base: KnowledgeBase) -> Entity:
        """With the id that the table of names has for it."""
        return replace(entity, id=next((base.names[name] for name in self._names(document, entity) if name in base.names), ""))

    def _keys(self, document: Document, entity: Entity) -> List[str]:
        return [entity.id] if entity.id else self._names(document, entity)

    def _names(self, document: Document, entity: Entity) -> List[str]:
        mentions = entity.mentions if self.names == "every" else entity.mentions[:1]
        return list(dict.fromkeys(surface(document.mention_text(mention)) for mention in mentions))
