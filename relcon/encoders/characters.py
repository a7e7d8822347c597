"""Words -> ids of their characters, as ELMo and CharacterBERT spell them (Peters et al. 2018; El Boukkouri et al. 2020)."""

from typing import Dict, Iterable, List, Tuple

from relcon import contrast
from relcon.encoders.pieces import Frame
from relcon.errors import RelconError

BEGIN_SENTENCE, END_SENTENCE, BEGIN_WORD, END_WORD, PADDING, MASK = range(256, 262)
"""The symbols behind the 256 bytes."""

SYMBOLS = 263
"""How many ids there are: the symbols, each plus 1, and 0, which means that there is no word."""

SPECIAL = {"[CLS]": (BEGIN_SENTENCE,), "[SEP]": (END_SENTENCE,), "[MASK]": (MASK,)}
"""Words that stand for one symbol."""

ABSENT = "[PAD]"
"""The word that stands for no word."""

Spelling = Tuple[int, ...]
"""A word as the ids of its characters, always of the same length."""


def spelling(word: str, length: int = 50) -> Spelling:
    """A word as `length` ids: the bytes of its UTF-8 encoding between begin and end of the word, then padding.

    A word of more than `length` - 2 bytes is cut, even inside a character. `[CLS]`, `[SEP]` and `[MASK]` are one symbol; the ids
    of `[PAD]` are all 0. Half a surrogate pair has no UTF-8 encoding and is left out, as in the published code.
    """
    if word == ABSENT:
        return (0,) * length
    symbols = SPECIAL.get(word) or tuple(word.encode("utf-8", "ignore")[: length - 2])
    framed = (BEGIN_WORD, *symbols, END_WORD)
    return tuple(symbol + 1 for symbol in framed) + (PADDING + 1,) * (length - len(framed))


class Characters:
    """Texts as words, each of them one piece: its spelling. There is no vocabulary, and any word can be spelt.

    The word `relcon.contrast.MASK` is `[MASK]`; beside it a word that is written so is spelt in small letters, as any other.

    limit: the largest number of words of an input, `[CLS]` and `[SEP]` included. lower_case: spell words in small letters, but
    for `[CLS]`, `[SEP]`, `[MASK]` and `[PAD]`; accents stay. length: ids of each word.
    """

    mask = MASK + 1
    """By which number an edit names `[MASK]`."""

    padding = 0
    typed = True

    def __init__(self, limit: int, lower_case: bool = True, length: int = 50):
        self.limit, self.lower_case, self.length = limit, lower_case, length
        self.known: Dict[str, Spelling] = {}
        first, last = self.spell("[CLS]"), self.spell("[SEP]")
        self.one = Frame((first,), (), (last,))
        self.two = Frame((first,), (last,), (last,))

    def cut(self, words: Iterable[str]) -> List[Tuple[Spelling, ...]]:
        """Each word as its one piece."""
        words = list(words)
        shown = {contrast.MASK: "[MASK]", "[MASK]": "[mask]"} if contrast.MASK in words else {}
        return [(self.spell(shown.get(word, word)),) for word in words]

    def spell(self, word: str) -> Spelling:
        """The ids of a word's characters."""
        if word not in self.known:
            kept = not self.lower_case or word in SPECIAL or word == ABSENT
            self.known[word] = spelling(word if kept else word.lower(), self.length)
        return self.known[word]

    def piece(self, number: int) -> Spelling:
        """`[MASK]`, the only word that an edit can name; RelconError for another number."""
        if number != self.mask:
            raise RelconError(
                f"An edit names piece {number}, but this encoder has no vocabulary: a word can only be replaced by [MASK], {self.mask}."
            )
        return self.spell("[MASK]")
