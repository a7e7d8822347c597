"""One sentence of a document as a document of its own, in which every mention is an entity."""

from dataclasses import replace
from typing import List, NamedTuple, Optional, Tuple

from relcon.data.document import Document, Mention, Parse, WordSpan

BLIND = "\0"
"""No text holds it."""


class SentenceCut(NamedTuple):
    """A sentence as a document, and for each of its entities the number of the entity in the document that it was cut from."""

    document: Document
    origins: Tuple[int, ...]


def cut_sentences(document: Document) -> List[SentenceCut]:
    """The sentences of a document, each a document of its own, without relations.

    Each mention becomes an entity with the type and id of its entity; a mention that crosses a sentence border is left out.
    The id is that of the document, with `.sN` where it has several sentences; `metadata["document"]` names the document.
    """
    several = len(document.sentences) > 1
    return [_cut(document, span, f"{document.id}.s{number}" if several else document.id) for number, span in enumerate(document.sentences)]


def _cut(document: Document, span: WordSpan, name: str) -> SentenceCut:
    start, end = span
    found = sorted(
        (mention, number)
        for number, entity in enumerate(document.entities)
        for mention in entity.mentions
        if start <= mention.start and mention.end <= end
    )
    entities = tuple(replace(document.entities[number], mentions=(_shifted(mention, start),)) for mention, number in found)
    text, offsets = _text(document, span)
    sentence = Document(
        id=name,
        words=document.words[start:end],
        entities=entities,
        text=text,
        offsets=offsets,
        parse=_parse(document.parse, span),
        source=document.source,
        metadata={"document": document.id, **document.metadata},
    )
    return SentenceCut(sentence, tuple(number for _, number in found))


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


def blinded_key(document: Document, pair: Tuple[int, int]) -> str:
    """The sentence with both mentions of the pair blinded, without white space, so that equal texts have equal keys.

    The blinds do not name the types: corpora call them differently.
    """
    first, second = sorted(document.entities[number].mentions[0] for number in pair)
    words = list(document.words)
    for mention in (first, second):
        words[mention.start:mention.end] = [""] * (mention.end - mention.start)
    words[first.start] = BLIND
    if not first.overlaps(second):  # mentions that overlap are blinded as one
        words[second.start] = BLIND
    return "".join(words)


def plain_key(document: Document) -> str:
    """The sentence without white space."""
    return "".join(document.words)
