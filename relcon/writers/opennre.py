"""OpenNRE's JSON-lines."""

from collections import Counter
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Sequence

from relcon.data.document import Document, Entity, Relation
from relcon.writers import keeping
from relcon.writers.base import RecordWriter
from relcon.writers.keeping import Kept, Step


class OpenNRE(RecordWriter):
    """Writes OpenNRE's JSON-lines: one line for each relation of a document, labelled or not, and for each pair without a label.

    A line has the whole `text` with positions in characters where the document has one, else its words as `token` with positions in
    words; ends are exclusive. `h` and `t` are the closest mentions of head and tail, in one piece, with `name`, `type` and `id`. What is
    lost: ids of documents and relations, probabilities, entities without a relation, other mentions, borders between sentences, parses,
    metadata; that the lines of one document belong together. With `text`, words come back as relcon finds them. A document without a pair
    is left out.

    words: write words as `token` where there is a text too; not every reader of this format knows `text`.

    Source: Han et al., OpenNRE, EMNLP-IJCNLP 2019 (demonstrations).

    Config::

        [writer]
        @writers = "relcon.OpenNRE.v1"
        words = true
    """

    reader = "relcon.OpenNRE.v1"

    def __init__(self, words: bool = False):
        self.words = words

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            apart,
            keeping.contiguous,
            keeping.without_text if self.words else whole_text,
            keeping.without_id,
            keeping.one_sentence,
            keeping.without_parse,
            keeping.without_relation_ids,
            keeping.without_scores,
            keeping.only_metadata(),
        )

    @property
    def read_as(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (as_read,)

    def unfit(self, document: Document) -> str:
        """See `Writer`."""
        in_text = document.text is not None and not self.words
        return "document without a pair" if not document.relations else keeping.torn(document) if in_text else ""

    def records(self, document: Document) -> Iterator[Dict[str, Any]]:
        """One for each pair."""
        words = {"token": list(document.words)} if document.text is None else {"text": document.text}
        for relation in document.relations:
            head, tail = (_argument(document, document.entities[side]) for side in (relation.head, relation.tail))
            label = {} if relation.label is None else {"relation": relation.label}
            yield {**words, "h": head, "t": tail, **label}


def apart(document: Document) -> Kept:
    """Every relation with two entities of its own, each with the mention that is closest to the other."""
    entities: List[Entity] = []
    relations: List[Relation] = []
    for relation in document.relations:
        relations.append(replace(relation, head=len(entities), tail=len(entities) + 1))
        sides = zip((relation.head, relation.tail), keeping.closest(document, relation), strict=True)
        entities.extend(replace(document.entities[side], mentions=(mention,)) for side, mention in sides)
    uses = Counter(side for each in document.relations for side in (each.head, each.tail))
    lost = {
        "entity without a relation": len(document.entities) - len(uses),
        "mention beside the one that is closest": sum(len(document.entities[number].mentions) - 1 for number in uses),
        "entity that is an argument once more": uses.total() - len(uses),
        "relation that shares its document with others": max(len(relations) - 1, 0),
    }
    return Kept(replace(document, entities=tuple(entities), relations=tuple(relations)), lost)


def whole_text(document: Document) -> Kept:
    """The text with the place of each word, or neither of them."""
    placed = document.text is not None and document.offsets is not None
    return Kept(document, {}) if placed else keeping.without_text(document)


def as_read(document: Document) -> Kept:
    """The words that are found in the text, where there is one."""
    return Kept(document, {}) if document.text is None else keeping.words_found(document)


def _argument(document: Document, entity: Entity) -> Dict[str, Any]:
    """`h` or `t`; what it has not is left out."""
    [mention] = entity.mentions
    in_words = [mention.start, mention.end]
    place = in_words if document.text is None else list(keeping.characters(document, mention)[0])
    named = {key: value for key, value in (("id", entity.id), ("type", entity.type)) if value}
    return {"name": document.mention_text(mention), **named, "pos": place}
