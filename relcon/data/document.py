"""The one data shape: a document of words with sentences, entities, relations and, where known, a dependency parse.

A sentence-level example is a document with one sentence. An `Instance` is a view on a document: one candidate pair with its
label or none. Everything is immutable; a changed document is a new one (`dataclasses.replace`).
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

WordSpan = Tuple[int, int]
"""Words [start, end)."""


class Mention(NamedTuple):
    """One mention of an entity: words [start, end).

    fragments: the parts of a discontinuous mention, in text order ("ganglionic ... blocking drugs"); empty for the usual
        mention in one piece. start and end are then the hull.
    """

    start: int
    end: int
    fragments: Tuple[WordSpan, ...] = ()

    @property
    def spans(self) -> Tuple[WordSpan, ...]:
        """The words that belong to the mention, as spans."""
        return self.fragments or ((self.start, self.end),)

    def overlaps(self, other: "Mention") -> bool:
        """Whether the hulls share a word."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Entity:
    """An entity: one or more mentions, a type ("" where the data has none), the corpus's own id ("" likewise).

    score: probability of a predicted entity, None for a gold one.
    """

    mentions: Tuple[Mention, ...]
    type: str = ""
    id: str = ""
    score: Optional[float] = field(default=None, repr=False)  # `content_hash` is made of the rest, as it was before there were scores

    @property
    def first(self) -> Mention:
        """The mention that stands first in the text; data may list them in any order."""
        return min(self.mentions)


@dataclass(frozen=True)
class Relation:
    """A relation, gold or predicted, from entity number `head` to entity number `tail`.

    label: its name; None marks a pair that the data asks about without saying the answer.
    id: the corpus's own id. score: probability of a predicted relation, None for a gold one.
    """

    head: int
    tail: int
    label: Optional[str] = None
    id: str = ""
    score: Optional[float] = None


@dataclass(frozen=True)
class Parse:
    """A dependency tree per sentence over the document's words.

    heads: [W] document-level word number of each word's head; a root points to itself.
    labels: [W] dependency labels. tags: [W] part-of-speech tags, or empty.
    """

    heads: Tuple[int, ...]
    labels: Tuple[str, ...]
    tags: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a document was read: file and line (1-based; None where the format has no lines), for error messages."""

    path: str
    line: Optional[int] = None


@dataclass(frozen=True)
class Document:
    """Words with what is annotated on them. All spans count words of the whole document, ends exclusive.

    id: unique within a split. words: [W].
    entities, relations: annotations; a relation names entities by their place in `entities`.
    sentences: word spans in order that cover all words; one sentence unless said.
    text, offsets: the original text and [W] character spans [start, end) of the words in it; None where the data has tokens only
        or an augmenter changed the words. A changed document in which mentions touch has offsets without a text, which say so.
    parse: a dependency parse, or None.
    source: where it was read. metadata: what else the corpus says (fold, file, PubMed id).
    """

    id: str
    words: Tuple[str, ...]
    entities: Tuple[Entity, ...] = ()
    relations: Tuple[Relation, ...] = ()
    sentences: Tuple[WordSpan, ...] = ()
    text: Optional[str] = None
    offsets: Optional[Tuple[WordSpan, ...]] = None
    parse: Optional[Parse] = None
    source: Optional[Source] = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.sentences and self.words:
            object.__setattr__(self, "sentences", ((0, len(self.words)),))
        for fault in self.faults():
            raise ValueError(f"document '{self.id}': {fault}")

    def faults(self) -> List[str]:
        """What is inconsistent, in words; empty for a sound document."""
        found, size = [], len(self.words)
        for number, entity in enumerate(self.entities):
            if not entity.mentions:
                found.append(f"entity {number} has no mention")
            for mention in entity.mentions:
                for start, end in mention.spans:
                    if start >= end:
                        found.append(f"entity {number} has the span [{start}, {end}), which is empty or reversed")
                    elif start < 0 or end > size:
                        found.append(f"entity {number} has the span [{start}, {end}) outside the {size} words")
        for relation in self.relations:
            for end_point in (relation.head, relation.tail):
                if not 0 <= end_point < len(self.entities):
                    found.append(f"a relation points to entity {end_point} of {len(self.entities)}")
        if self.offsets is not None and len(self.offsets) != size:
            found.append(f"{len(self.offsets)} offsets for {size} words")
        if self.parse is not None and len(self.parse.heads) != size:
            found.append(f"a parse of {len(self.parse.heads)} words for {size} words")
        return found

    def sentence_of(self, word: int) -> int:
        """The number of the sentence that holds this word."""
        return bisect_right(self.sentences, (word, len(self.words))) - 1

    def sentences_between(self, one: Mention, other: Mention) -> int:
        """How many sentence ends lie between two mentions; a mention may itself run over one."""
        first, second = sorted((one, other))
        return max(self.sentence_of(second.start) - self.sentence_of(first.end - 1), 0)

    def touch(self, one: Mention, other: Mention) -> bool:
        """Whether two mentions share a word or, where offsets are known, follow each other without a character between them."""
        first, second = sorted((one, other))
        if first.end != second.start or self.offsets is None:
            return first.overlaps(second)
        return self.offsets[first.end - 1][1] == self.offsets[second.start][0]

    def mention_text(self, mention: Mention) -> str:
        """The mention as written (from the original text where known), the fragments of a discontinuous one joined by a space."""
        if self.text is not None and self.offsets is not None:
            return " ".join(self.text[self.offsets[start][0] : self.offsets[end - 1][1]] for start, end in mention.spans)
        return " ".join(word for start, end in mention.spans for word in self.words[start:end])


@dataclass(frozen=True, eq=False)
class Instance:
    """One candidate: does entity `head` of the document stand in a relation to entity `tail`?

    label: gold label or None. uid: unique within a split and stable from run to run (`DOCUMENT#head-tail`).
    """

    document: Document
    head: int
    tail: int
    label: Optional[str] = None
    uid: str = ""

    @property
    def mentions(self) -> Tuple[Mention, Mention]:
        """The mention of head and the mention of tail that a sentence-level method looks at: the closest two, which share a sentence where
        any two do."""
        heads, tails = (self.document.entities[number].mentions for number in (self.head, self.tail))
        if len(heads) == len(tails) == 1:
            return heads[0], tails[0]
        pairs = [
            (self.document.sentences_between(h, t), abs(h.start - t.start), n, m, h, t)
            for n, h in enumerate(heads)
            for m, t in enumerate(tails)
        ]
        *_, head, tail = min(pairs)
        return head, tail


def instance_uid(document: Document, head: int, tail: int) -> str:
    """The stable identity of a candidate pair."""
    return f"{document.id}#{head}-{tail}"


def group_of(document: Document) -> str:
    """What must stay on one side of a division: `metadata["document"]` where the reader sets it (sentences of one abstract), else
    the document's id."""
    return str(document.metadata.get("document", document.id))
