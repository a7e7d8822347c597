"""What tells whether two sentences are the same text."""

from typing import Tuple

from relcon.data.document import Document

BLIND = "\0"
"""No text holds it."""


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
