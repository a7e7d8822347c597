"""BIO tags of a sentence, and the chunks that tags stand for (CLDR and CLNER, Theodoropoulos et al., CoNLL 2021)."""

from typing import List, Literal, NamedTuple, Sequence

from relcon.data.document import Document, Entity, Mention
from relcon.errors import RelconError, did_you_mean

ChunkRule = Literal["strict", "lenient"]


class Tags:
    """The tag set of some entity types: B and I of each type in turn, then O.

    types: entity types, for ADE `["Drug", "Adverse-Effect"]`, whose tags are then B-Drug 0, I-Drug 1, B-Adverse-Effect 2,
    I-Adverse-Effect 3, O 4.
    """

    def __init__(self, types: Sequence[str]):
        self.types = list(types)
        self.names = [f"{mark}-{each}" for each in self.types for mark in "BI"] + ["O"]
        self.outside = 2 * len(self.types)

    def of(self, document: Document) -> List[int]:
        """[W] the tag of every word. Each entity is written over those before it, so that of two that overlap the later one is whole.

        RelconError names an entity of another type.
        """
        tags = [self.outside] * len(document.words)
        for entity in document.entities:
            begin = 2 * self.number(entity.type, document)
            for mention in entity.mentions:
                tags[mention.start : mention.end] = [begin] + [begin + 1] * (mention.end - mention.start - 1)
        return tags

    def number(self, kind: str, document: Document) -> int:
        """The number of an entity type. RelconError where it is none of the types."""
        if kind not in self.types:
            known, near = ", ".join(f"'{each}'" for each in self.types), did_you_mean(kind, self.types)
            raise RelconError(f"Document '{document.id}' has an entity of the type '{kind}', but `types` names {known} only.{near}")
        return self.types.index(kind)

    def chunks(self, tags: Sequence[int], rule: ChunkRule = "strict") -> List["Chunk"]:
        """The chunks of [W] tags, in order.

        rule: `strict`: a chunk starts at a B tag only; an I tag continues an open chunk of its type, and otherwise ends the open chunk
        and belongs to none. `lenient`: such an I tag starts a chunk.
        """
        found: List[Chunk] = []
        open_type = -1
        for word, tag in enumerate(tags):
            kind, inside = divmod(tag, 2)
            if tag == self.outside:
                open_type = -1
            elif inside and kind == open_type:
                found[-1] = found[-1]._replace(last=word)
            elif not inside or rule == "lenient":
                found.append(Chunk(kind, word, word))
                open_type = kind
            else:
                open_type = -1
        return found

    def entities(self, tags: Sequence[int], rule: ChunkRule = "strict") -> List[Entity]:
        """The chunks as entities."""
        return [Entity((Mention(first, last + 1),), self.types[kind]) for kind, first, last in self.chunks(tags, rule)]


class Chunk(NamedTuple):
    """An entity as tags have it: number of its type, first and last word."""

    type: int
    first: int
    last: int
