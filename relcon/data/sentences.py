"""One sentence of a document as a document of its own, in which every mention is an entity."""

from collections import Counter
from dataclasses import replace
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from relcon.data.document import Document, Mention, Parse, Relation, WordSpan
from relcon.data.relations import IGNORED, Pair, ignored_pairs


class SentenceCut(NamedTuple):
    """A sentence as a document.

    origins: for each of its entities the number of the entity in the document that it was cut from. lost: how many relations of that
    document are in no sentence, because no two mentions of their arguments share one, and have the first mention of their head begin in
    this sentence; over all sentences of a document these add up to its lost relations.
    """

    document: Document
    origins: Tuple[int, ...]
    lost: int


def cut_sentences(document: Document) -> List[SentenceCut]:
    """The sentences of a document, each a document of its own, with the relations whose arguments it mentions.

    Each mention becomes an entity with the type and id of its entity; a mention that crosses a sentence border is left out. A relation
    of two entities holds between all pairs of their mentions in the sentence, and so does that a pair is to be ignored.
    The id is that of the document, with `.sN` where it has several sentences; `metadata["document"]` names the document.
    """
    several = len(document.sentences) > 1
    names = [f"{document.id}.s{number}" if several else document.id for number in range(len(document.sentences))]
    held = [_mentions_in(document, span) for span in document.sentences]
    lost = _lost(document, [{number for _, number in found} for found in held])
    return [
        SentenceCut(_cut(document, span, name, found), tuple(number for _, number in found), lost[place])
        for place, (span, name, found) in enumerate(zip(document.sentences, names, held, strict=True))
    ]


Held = List[Tuple[Mention, int]]
"""The mentions in a sentence, in text order, each with the number of its entity in the document."""


def _mentions_in(document: Document, span: WordSpan) -> Held:
    start, end = span
    return sorted(
        (mention, number)
        for number, entity in enumerate(document.entities)
        for mention in entity.mentions
        if start <= mention.start and mention.end <= end
    )


def _lost(document: Document, entities: Sequence[Set[int]]) -> "Counter[int]":
    """Sentence number -> relations that are in no sentence, at the sentence in which their head is first mentioned.

    entities: the numbers of the entities of each sentence.
    """
    return Counter(
        document.sentence_of(document.entities[relation.head].mentions[0].start)
        for relation in document.relations
        if not any({relation.head, relation.tail} <= there for there in entities)
    )


def _cut(document: Document, span: WordSpan, name: str, held: Held) -> Document:
    start, end = span
    text, offsets = _text(document, span)
    return Document(
        id=name,
        words=document.words[start:end],
        entities=tuple(replace(document.entities[number], mentions=(_shifted(mention, start),)) for mention, number in held),
        relations=tuple(_relations(document, held)),
        text=text,
        offsets=offsets,
        parse=_parse(document.parse, span),
        source=document.source,
        metadata=_metadata(document, held),
    )


def _relations(document: Document, held: Held) -> Iterator[Relation]:
    for relation in document.relations:
        for head, tail in _pairs((relation.head, relation.tail), held):
            yield replace(relation, head=head, tail=tail)


def _pairs(pair: Pair, held: Held) -> List[Pair]:
    """A pair of the document's entities as pairs of the sentence's, one for every two mentions."""
    heads, tails = ([place for place, (_, number) in enumerate(held) if number == argument] for argument in pair)
    return [(head, tail) for head in heads for tail in tails]


def _metadata(document: Document, held: Held) -> Dict[str, Any]:
    """What is known of the document, its ignored pairs counted as the sentence counts entities."""
    known = {"document": document.id, **document.metadata}
    if IGNORED not in known:
        return known
    return {**known, IGNORED: [list(pair) for ignored in sorted(ignored_pairs(document)) for pair in _pairs(ignored, held)]}


def _shifted(mention: Mention, by: int) -> Mention:
    return Mention(mention.start - by, mention.end - by, tuple((start - by, end - by) for start, end in mention.fragments))


def _text(document: Document, span: WordSpan) -> Tuple[Optional[str], Optional[Tuple[WordSpan, ...]]]:
    """The sentence's own text and the offsets of its words in it."""
    if document.text is None or document.offsets is None:
        return None, None
    offsets = document.offsets[span[0]:span[1]]
    first, last = offsets[0][0], offsets[-1][1]
    return document.text[first:last], tuple((start - first, end - first) for start, end in offsets)


def _parse(parse: Optional[Parse], span: WordSpan) -> Optional[Parse]:
    """The sentence's own tree; None where an arc leaves the sentence."""
    if parse is None:
        return None
    start, end = span
    heads = tuple(head - start for head in parse.heads[start:end])
    if not all(0 <= head < end - start for head in heads):
        return None
    return Parse(heads, parse.labels[start:end], parse.tags[start:end])
