"""Entities of documents that are built: merging them, leaving out what no file can hold, one sentence as a document."""

from dataclasses import replace
from typing import Dict, Hashable, List, Sequence, Set, Tuple

from relcon.data.document import Document, Entity, Mention
from relcon.data.sentences import cut_sentences
from relcon.interfaces import Linked


def merged(entities: Sequence[Entity], keys: Sequence[Hashable]) -> Tuple[Entity, ...]:
    """Entities of one key as one, at the place of the first; keys: one for each entity. Its type is the first that is given."""
    groups: Dict[Hashable, List[Entity]] = {}
    for key, entity in zip(keys, entities, strict=True):
        groups.setdefault(key, []).append(entity)
    return tuple(group[0] if len(group) == 1 else _one(group) for group in groups.values())


def _one(group: Sequence[Entity]) -> Entity:
    mentions = tuple(dict.fromkeys(mention for entity in group for mention in entity.mentions))
    return Entity(mentions, next((entity.type for entity in group if entity.type), ""), group[0].id)


def names_of(document: Document, entity: Entity) -> Set[str]:
    """The different names by which a document mentions an entity, lower-cased and without white space, so that a text and a tokenised one
    have the same."""
    return {"".join(document.mention_text(mention).lower().split()) for mention in entity.mentions}


def within_sentences(linked: Linked) -> Tuple[Linked, int]:
    """Without mentions that DocRED's form cannot hold, in several pieces or across a border of sentences, and without the entities that
    are left with none; and how many mentions that were."""
    document = linked.document
    held = [tuple(mention for mention in entity.mentions if _holds(document, mention)) for entity in document.entities]
    lost = sum(len(entity.mentions) for entity in document.entities) - sum(map(len, held))
    if not lost:
        return linked, 0
    kept = [number for number, mentions in enumerate(held) if mentions]
    entities = tuple(replace(document.entities[number], mentions=held[number]) for number in kept)
    return Linked(replace(document, entities=entities, relations=()), [linked.keys[number] for number in kept]), lost


def _holds(document: Document, mention: Mention) -> bool:
    return not mention.fragments and mention.end <= document.sentences[document.sentence_of(mention.start)][1]


def sentences_of(linked: Linked) -> List[Linked]:
    """Each sentence as a document of its own with the entities that it mentions."""
    found: List[Linked] = []
    for cut in cut_sentences(linked.document):
        entities = merged(cut.document.entities, cut.origins)
        keys = [linked.keys[origin] for origin in dict.fromkeys(cut.origins)]
        found.append(Linked(replace(cut.document, entities=entities, relations=()), keys))
    return found
