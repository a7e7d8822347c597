"""What is annotated in documents, as the evaluations and the neighbour classifiers see it."""

from typing import List, Sequence, Tuple

from relcon.data.document import Document, Entity
from relcon.data.relations import without_negatives
from relcon.errors import RelconError
from relcon.interfaces import Split
from relcon_cldr.pairs import read_sentence
from relcon_cldr.scores import Read
from relcon_cldr.tags import Chunk, ChunkRule, Tags


def sentences_of(data: Split) -> List[Document]:
    """The sentences of a split that have words, without the relations that mean 'no relation'."""
    return [without_negatives(document, data.labels.negative) for document in data.documents if document.words]


def require_complete(data: Split, component: str) -> None:
    """RelconError where a pair without a relation may be related: of such pairs a component would learn that they are not."""
    if not data.complete_annotation:
        raise RelconError(
            f"complete_annotation = false: {component} learns from every two words of a sentence, and takes those without a relation for "
            "unrelated. Give it data that annotate all relations."
        )


def gold_of(documents: Sequence[Document], tags: Tags, rule: ChunkRule = "strict") -> List[Read]:
    """The gold pairs, and the chunks that the gold BIO tags give (of two entities that overlap the later one alone is whole)."""
    return [Read(pairs_in(document, tags.types), tuple(tags.chunks(tags.of(document), rule))) for document in documents]


def listed(documents: Sequence[Document], tags: Tags) -> List[Read]:
    """The gold pairs and the entity list itself, whether tags can say it or not."""
    return [Read(pairs_in(document, tags.types), tuple(chunk for each in document.entities for chunk in chunks_of(each, tags, document)))
            for document in documents]


def pairs_in(document: Document, types: Sequence[str]) -> frozenset[frozenset[int]]:
    """The last words of the arguments of every relation, those with one and the same last word included."""
    sentence = read_sentence(document, types)
    same = {
        frozenset((document.entities[relation.head].mentions[0].end - 1,))
        for relation in document.relations
        if {document.entities[relation.head].type, document.entities[relation.tail].type} == set(types)
        and document.entities[relation.head].mentions[0].end == document.entities[relation.tail].mentions[0].end
    }
    return frozenset(sentence.gold | same)


def chunks_of(entity: Entity, tags: Tags, document: Document) -> List[Chunk]:
    """An entity's mentions as chunks."""
    kind = tags.number(entity.type, document)
    return [Chunk(kind, mention.start, mention.end - 1) for mention in entity.mentions]


def losses(documents: Sequence[Document], tags: Tags) -> "dict[str, int]":
    """What BIO tags and last words cannot say, counted: pairs of entities that overlap (and in how many sentences), entities that the
    tags do not give back, relations with such an argument, relations whose arguments end in the same word."""
    found = {"overlapping_pairs": 0, "overlapping_sentences": 0, "lost_entities": 0, "relations_with_lost": 0, "same_last_word": 0}
    for document in documents:
        spans = [(each.mentions[0].start, each.mentions[0].end) for each in document.entities]
        overlapping = sum(a < d and c < b for n, (a, b) in enumerate(spans) for c, d in spans[:n])
        kept = set(tags.chunks(tags.of(document)))
        lost = {n for n, each in enumerate(document.entities) if not set(chunks_of(each, tags, document)) <= kept}
        ends: List[Tuple[int, int]] = [(relation.head, relation.tail) for relation in document.relations]
        found["overlapping_pairs"] += overlapping
        found["overlapping_sentences"] += overlapping > 0
        found["lost_entities"] += len(lost)
        found["relations_with_lost"] += sum(head in lost or tail in lost for head, tail in ends)
        found["same_last_word"] += sum(spans[head][1] == spans[tail][1] for head, tail in ends)
    return found
