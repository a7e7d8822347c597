"""Blind first, parse afterwards: the sentence of a pair as a parser gets it."""

import re
from bisect import bisect_left
from typing import List, NamedTuple, Sequence, Tuple

from relcon.augmenters.base import words_in_context
from relcon.data.document import Document, Entity, Instance, Mention, WordSpan


class Blinded(NamedTuple):
    """A sentence in which each argument is one placeholder word.

    document: its words; its two entities are the placeholders, head first.
    tokens: for each of its words, the words of the original document that it stands for.
    """

    document: Document
    tokens: List[Tuple[int, ...]]


def blind(instance: Instance) -> Blinded:
    """The sentences of an instance's closest mentions (which neither overlap nor touch), with placeholders for the mentions.

    A placeholder is the entity type in capitals and A or B (`PROTEINA`), which parsers take for a noun. Where it stands is
    known, so that it does no harm if it is also a word of the corpus.
    """
    document, mentions = instance.document, instance.mentions
    groups = [tuple(range(mention.start, mention.end)) for mention in mentions]
    context = words_in_context(document, [(instance.head, instance.tail)], "sentence")
    group_at = {group[0]: group for group in groups}
    inner = {word for group in groups for word in group[1:]}
    tokens = [group_at.get(word, (word,)) for word in context if word not in inner]
    places = [tokens.index(group) for group in groups]
    words = [document.words[token[0]] for token in tokens]
    for place, name in zip(places, _placeholders(instance), strict=True):
        words[place] = name
    entities = tuple(Entity((Mention(place, place + 1),)) for place in places)
    return Blinded(Document(document.id, tuple(words), entities, sentences=_sentences(document, tokens)), tokens)


def _placeholders(instance: Instance) -> List[str]:
    types = [re.sub(r"[^A-Z]", "", instance.document.entities[n].type.upper()) or "ENTITY" for n in (instance.head, instance.tail)]
    return [types[0] + "A", types[1] + "B"]


def _sentences(document: Document, tokens: Sequence[Tuple[int, ...]]) -> Tuple[WordSpan, ...]:
    """The sentences of the blinded document: a token belongs to the sentence in which it begins."""
    first = [token[0] for token in tokens]
    cuts = [bisect_left(first, start) for start, _ in document.sentences]
    starts = sorted({place for place in cuts if place < len(first)} | {0})
    return tuple(zip(starts, [*starts[1:], len(tokens)], strict=True))
