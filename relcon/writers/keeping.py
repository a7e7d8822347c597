"""What a format can hold: a document is brought down to it step by step, and each step counts what it takes away."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Hashable, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.json import SURROGATE
from relcon.data.relations import LEFT_OUT
from relcon.data.tokens import CharSpan, annotate

UNTYPED = "ENTITY"
"""The type of entities that have none, in formats in which each must have one."""


class Kept(NamedTuple):
    """What is left of a document, and what went: cause -> number, which may be 0."""

    document: Document
    losses: Mapping[str, int]


Step = Callable[[Document], Kept]


def through(document: Document, steps: Iterable[Step]) -> Kept:
    """A document after all steps, and what they took."""
    losses = Counter[str]()
    for step in steps:
        document, lost = step(document)
        losses.update(lost)
    return Kept(document, dict(+losses))


# ---- the document --------------------------------------------------------------------------------------------------------


def without_id(document: Document) -> Kept:
    """No id of its own. One that a reader made of file and line is none."""
    source = document.source
    made = source is not None and document.id == f"{Path(source.path).stem}-{source.line}"
    return Kept(document, {"id of a document": int(not made)})


def one_sentence(document: Document) -> Kept:
    """As one sentence."""
    return Kept(replace(document, sentences=()), {"border between sentences": max(len(document.sentences) - 1, 0)})


def without_parse(document: Document) -> Kept:
    """No dependency parse."""
    return Kept(replace(document, parse=None), {"dependency parse": int(document.parse is not None)})


def only_metadata(*names: str) -> Step:
    """These of the metadata. No loss is what a reader counted as left out, a note on what it read, and a `document` that is the id: that is
    understood (`relcon.data.document.group_of`)."""

    def step(document: Document) -> Kept:
        said = {LEFT_OUT, *(["document"] if document.metadata.get("document") == document.id else [])}
        lost = [name for name in document.metadata if name not in (*names, *said)]
        kept = {name: value for name, value in document.metadata.items() if name in names}
        return Kept(replace(document, metadata=kept), {f"metadata '{name}'": 1 for name in lost})

    return step


def metadata_but(*names: str) -> Step:
    """The metadata under other names than these, which mean something else in the format."""

    def step(document: Document) -> Kept:
        return only_metadata(*(name for name in document.metadata if name not in (*names, LEFT_OUT)))(document)

    return step


def grouped_by_id(document: Document) -> Kept:
    """No metadata but what the document was taken from, which is then the document itself."""
    kept, lost = only_metadata("document")(document)
    other = kept.metadata.get("document", document.id) != document.id
    return Kept(replace(document, metadata={"document": document.id}), {**lost, "metadata 'document'": int(other)})


# ---- words and text ------------------------------------------------------------------------------------------------------


def without_text(document: Document) -> Kept:
    """Words alone."""
    placed = document.text is not None or document.offsets is not None
    return Kept(replace(document, text=None, offsets=None), {"text around the words": int(placed)})


def with_text(document: Document) -> Kept:
    """With a text: its own, or else its words with a space between them."""
    if document.text is not None and document.offsets is not None:
        return Kept(document, {})
    offsets: List[CharSpan] = []
    for word in document.words:
        start = offsets[-1][1] + 1 if offsets else 0
        offsets.append((start, start + len(word)))
    joined = replace(document, text=" ".join(document.words), offsets=tuple(offsets))
    return Kept(joined, {"text around the words": int(document.text is not None)})


def words_found(document: Document) -> Kept:
    """The words that a reader finds in the text: relcon's own, cut at the mentions."""
    mentions = [mention for entity in document.entities for mention in entity.mentions]
    found = annotate(document.text or "", [("a mention", characters(document, mention)) for mention in mentions])
    placed = iter(found.mentions)
    entities = tuple(replace(entity, mentions=tuple(next(placed) for _ in entity.mentions)) for entity in document.entities)
    other = (found.words, found.offsets) != (document.words, document.offsets)
    kept = replace(document, words=found.words, offsets=found.offsets, entities=entities, sentences=(), parse=None)
    return Kept(kept, {"words that are not those which relcon finds in the text": int(other)})


def torn(document: Document) -> str:
    """Why relcon finds no words in a document's text: a letter of which there is a half; "" where it does."""
    return "document with half a surrogate pair" if SURROGATE.search(document.text or "".join(document.words)) else ""


def characters(document: Document, mention: Mention) -> List[CharSpan]:
    """The parts of a mention in characters of the text that `with_text` gives."""
    offsets = document.offsets or ()
    return [(offsets[start][0], offsets[end - 1][1]) for start, end in mention.spans]


# ---- entities ------------------------------------------------------------------------------------------------------------


def separate_mentions(document: Document, together: Collection[int] = ()) -> Kept:
    """An entity for each mention; a relation is then that of the two mentions that are closest.

    First mentions keep the numbers of their entities, which metadata may name; the others come behind. together: the numbers of entities
    that stay as they are.
    """
    apart = [number for number in range(len(document.entities)) if number not in together]
    further = [(number, mention) for number in apart for mention in document.entities[number].mentions[1:]]
    places = {spot: place for place, spot in reversed(list(enumerate(further, start=len(document.entities))))}
    first = [each if number in together else replace(each, mentions=each.mentions[:1]) for number, each in enumerate(document.entities)]
    rest = [replace(document.entities[number], mentions=(mention,), id="") for number, mention in further]

    def moved(relation: Relation) -> Relation:
        head, tail = closest(document, relation)
        return replace(relation, head=place(relation.head, head), tail=place(relation.tail, tail))

    def place(number: int, mention: Mention) -> int:
        return number if mention == document.entities[number].mentions[0] else places.get((number, mention), number)

    kept = replace(document, entities=(*first, *rest), relations=tuple(map(moved, document.relations)))
    return Kept(kept, {"mention that belongs to an entity with others (each is an entity)": len(further)})


def closest(document: Document, relation: Relation) -> Tuple[Mention, Mention]:
    """The mentions of head and tail that are closest to each other."""
    return Instance(document, relation.head, relation.tail).mentions


def contiguous(document: Document) -> Kept:
    """Every mention in one piece, from its first word to its last."""
    gaps = sum(len(mention.fragments) > 0 for entity in document.entities for mention in entity.mentions)
    entities = tuple(
        replace(entity, mentions=tuple(Mention(mention.start, mention.end) for mention in entity.mentions)) for entity in document.entities
    )
    return Kept(replace(document, entities=entities), {"gap in a mention": gaps})


def typed(document: Document) -> Kept:
    """Every entity with a type: UNTYPED where it has none."""
    return Kept(replace(document, entities=tuple(replace(each, type=each.type or UNTYPED) for each in document.entities)), {})


def entity_ids(fits: Callable[[str], Any], prefix: str) -> Step:
    """Every entity with an id of its own that fits; where it has none, the prefix and a number."""

    def step(document: Document) -> Kept:
        ids, lost = renamed([each.id for each in document.entities], fits, prefix)
        entities = tuple(replace(entity, id=name) for entity, name in zip(document.entities, ids, strict=True))
        return Kept(replace(document, entities=entities), {"id of an entity": lost})

    return step


def without_entity_ids(document: Document) -> Kept:
    """No ids of entities."""
    entities = tuple(replace(each, id="") for each in document.entities)
    return Kept(replace(document, entities=entities), {"id of an entity": sum(each.id != "" for each in document.entities)})


def of_first(key: Callable[[Entity], Hashable]) -> Step:
    """Relations where arguments are named by what several entities may share: they are those of the first that has it."""

    def step(document: Document) -> Kept:
        first: Dict[Hashable, int] = {}
        numbers = [first.setdefault(key(entity), number) for number, entity in enumerate(document.entities)]
        moved = sum(numbers[side] != side for each in document.relations for side in (each.head, each.tail))
        relations = tuple(replace(each, head=numbers[each.head], tail=numbers[each.tail]) for each in document.relations)
        return Kept(replace(document, relations=relations), {"argument that shares its place with an entity before it": moved})

    return step


def reordered(document: Document, order: Sequence[int]) -> Document:
    """The document with entities in this order of their numbers; those that are left out have no relation."""
    numbers = {old: new for new, old in enumerate(order)}
    relations = tuple(replace(each, head=numbers[each.head], tail=numbers[each.tail]) for each in document.relations)
    return replace(document, entities=tuple(document.entities[old] for old in order), relations=relations)


# ---- relations, and what both have ---------------------------------------------------------------------------------------


def only_labelled(document: Document) -> Kept:
    """No pairs that are asked about without a label."""
    relations = tuple(each for each in document.relations if each.label is not None)
    return Kept(replace(document, relations=relations), {"pair without a label": len(document.relations) - len(relations)})


def relation_ids(fits: Callable[[str], Any], prefix: str) -> Step:
    """Every relation with an id of its own that fits; where it has none, the prefix and a number."""

    def step(document: Document) -> Kept:
        ids, lost = renamed([each.id for each in document.relations], fits, prefix)
        relations = tuple(replace(relation, id=name) for relation, name in zip(document.relations, ids, strict=True))
        return Kept(replace(document, relations=relations), {"id of a relation": lost})

    return step


def without_relation_ids(document: Document) -> Kept:
    """No ids of relations."""
    relations = tuple(replace(each, id="") for each in document.relations)
    return Kept(replace(document, relations=relations), {"id of a relation": sum(each.id != "" for each in document.relations)})


def without_scores(document: Document) -> Kept:
    """No probabilities."""
    entities = tuple(replace(each, score=None) for each in document.entities)
    relations = tuple(replace(each, score=None) for each in document.relations)
    lost = {
        "probability of an entity": sum(each.score is not None for each in document.entities),
        "probability of a relation": sum(each.score is not None for each in document.relations),
    }
    return Kept(replace(document, entities=entities, relations=relations), lost)


def renamed(ids: Sequence[str], fits: Callable[[str], Any], prefix: str) -> Tuple[List[str], int]:
    """Ids that fit and differ, and how many others there were; a new one is the prefix and the next number that is free."""
    first: Dict[str, int] = {}
    for number, name in enumerate(ids):
        if fits(name):
            first.setdefault(name, number)
    new = (name for name in (f"{prefix}{number}" for number in range(1, 2 * len(ids) + 1)) if name not in first)
    kept = [first.get(name) == number for number, name in enumerate(ids)]
    found = [name if keep else next(new) for name, keep in zip(ids, kept, strict=True)]
    return found, sum(name != "" and not keep for name, keep in zip(ids, kept, strict=True))
