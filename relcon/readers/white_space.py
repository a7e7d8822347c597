"""Tokens of white space, which some formats have and which are no words of a document."""

from bisect import bisect_left
from typing import Sequence

from relcon.data.document import WordSpan
from relcon.data.fields import inside


class Solid:
    """Tokens as a file has them, and the words among them: those that are not white space.

    kept: the numbers of the words among the tokens. words: the words themselves.
    """

    def __init__(self, tokens: Sequence[str]):
        self.size = len(tokens)
        self.kept = [number for number, token in enumerate(tokens) if token.strip()]
        self.words = tuple(tokens[number] for number in self.kept)

    def place(self, token: int) -> int:
        """The number of the first word that is this token or comes after it."""
        return bisect_left(self.kept, token)

    def span(self, start: int, end: int, what: str) -> WordSpan:
        """Tokens [start, end) as words. RecordError where they are no tokens of the file, or white space alone."""
        first, last = map(self.place, inside((start, end), self.size, "tokens", what))
        return inside((first, last), len(self.words), "words", f"{what}, without white space,")
