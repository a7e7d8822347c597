"""Blind first, parse afterwards: the sentence of a pair as a parser gets it."""

import re
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
    group_of = {word: group for group in groups for word in group}
    names = dict(zip(groups, _placeholders(instance), strict=True))
    context = words_in_context(document, [(instance.head, instance.tail)], "sentence")
    tokens = [group_of.get(word, (word,)) for word in context if group_of.get(word, (word,))[0] == word]
    words = tuple(names.get(token, document.words[token[0]]) for token in tokens)
    places = [tokens.index(group) for group in groups]
    entities = tuple(Entity((Mention(place, place + 1),)) for place in places)
    return Blinded(Document(document.id, words, entities, sentences=_sentences(document, tokens)), tokens)


def _placeholders(instance: Instance) -> List[str]:
    types = [re.sub(r"[^A-Z]", "", instance.document.entities[n].type.upper()) or "ENTITY" for n in (instance.head, instance.tail)]
    return [types[0] + "A", types[1] + "B"]


def _sentences(document: Document, tokens: Sequence[Tuple[int, ...]]) -> Tuple[WordSpan, ...]:
    """The sentences of the blinded document: a token belongs to the sentence in which it begins."""
    numbers = [document.sentence_of(token[0]) for token in tokens]
    starts = [place for place, number in enumerate(numbers) if place == 0 or number != numbers[place - 1]]
    return tuple(zip(starts, [*starts[1:], len(tokens)], strict=True))
