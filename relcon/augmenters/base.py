"""What augmenters of words share: which words may change, how many, and that every annotation is put right afterwards."""

import math
from abc import abstractmethod
from itertools import groupby
from typing import Callable, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

import torch

from relcon.data.document import Document, Instance
from relcon.data.edits import Edits, Piece, apply_edits, joined
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Augmenter

Pairs = Sequence[Tuple[int, int]]


class Room(NamedTuple):
    """The part of a document in which an augmenter works, seen as blinding sees it: a mention of an argument is one token.

    document: the whole document. tokens: the word numbers of each token, tokens in text order; overlapping mentions of
    arguments are one token. arguments: numbers of the tokens that are mentions of arguments. free: numbers of the tokens that
    may change, ascending.
    """

    document: Document
    tokens: List[Tuple[int, ...]]
    arguments: FrozenSet[int]
    free: List[int]

    def pieces(self, token: int) -> List[Piece]:
        """The words of a token, to be put elsewhere."""
        return [Piece(self.document.words[word], (word,)) for word in self.tokens[token]]

    def place(self, token: int, pieces: List[Piece]) -> Dict[int, List[Piece]]:
        """The edits that put these pieces in the place of a token."""
        first, *others = self.tokens[token]
        return {first: pieces, **{word: [] for word in others}}


class WordAugmenter(Augmenter):
    """Base of augmenters that swap, drop or replace words. A subclass writes `edits`; this class keeps annotations in order.

    The words of the pairs' mentions do not change (override `protected` to protect more). Other entities are ordinary words:
    their spans follow their words (see `relcon.data.edits.apply_edits`).

    context: `sentence` changes only what a renderer with this context shows of a pair: from the first sentence that holds one
        of its closest mentions to the last; `document` changes all sentences.
    """

    context: str = "sentence"

    @abstractmethod
    def edits(self, room: Room, generator: torch.Generator) -> Edits:
        """The changes to make. Only tokens in `room.free` may change; never called where there is none."""

    def protected(self, document: Document, pairs: Pairs) -> Set[int]:
        """The words that must not change: those of all mentions of the pairs' entities, unless overridden."""
        return argument_words(document, pairs)

    def room(self, document: Document, pairs: Pairs) -> Room:
        """What may change in this document while these pairs must survive."""
        groups = {word: group for group in _argument_groups(document, pairs) for word in group}
        tokens: List[Tuple[int, ...]] = []
        arguments: Set[int] = set()
        for word in words_in_context(document, pairs, self.context):
            group = groups.get(word, (word,))
            if word != group[0]:
                continue  # the token stands where it begins
            if word in groups:
                arguments.add(len(tokens))
            tokens.append(group)
        fixed = self.protected(document, pairs)
        return Room(document, tokens, frozenset(arguments), [n for n, token in enumerate(tokens) if fixed.isdisjoint(token)])

    def __call__(self, document: Document, pairs: Pairs, generator: torch.Generator) -> Document:
        """A changed copy; the words of the pairs' mentions stay, all spans are repaired. pairs may be empty: nothing is kept."""
        room = self.room(document, pairs)
        return apply_edits(document, self.edits(room, generator) if room.free else {})


def argument_words(document: Document, pairs: Pairs) -> Set[int]:
    """The words of all mentions of the pairs' entities, and those between the parts of a discontinuous mention."""
    return {word for group in _argument_groups(document, pairs) for word in group}


def words_in_context(document: Document, pairs: Pairs, context: str) -> List[int]:
    """The words that are changed at all, ascending. Without pairs: every word."""
    if context == "document" or not pairs or len(document.sentences) == 1:
        return list(range(len(document.words)))
    chosen: Set[int] = set()
    for head, tail in pairs:
        ends = [word for mention in Instance(document, head, tail).mentions for word in (mention.start, mention.end - 1)]
        chosen.update(range(document.sentence_of(min(ends)), document.sentence_of(max(ends)) + 1))
    return [word for number in sorted(chosen) for word in range(*document.sentences[number])]


def _argument_groups(document: Document, pairs: Pairs) -> List[Tuple[int, ...]]:
    """The words from first to last of each argument mention, as blinding replaces them; mentions that overlap or touch are one group."""
    entities = sorted({number for pair in pairs for number in pair})
    mentions = [mention for number in entities for mention in document.entities[number].mentions]
    both = [(one, other) for one in mentions for other in mentions if one.end == other.start and document.touch(one, other)]
    spans = [*((each.start, each.end) for each in mentions), *((one.start, other.end) for one, other in both)]
    return joined(range(start, end) for start, end in spans)


def unique_documents(instances: Iterable[Instance]) -> Iterator[Document]:
    """The documents behind instances, one by one, in order. Only instances that follow each other are known to share one: a document may
    come again where they are shuffled."""
    return (next(group) for _, group in groupby((instance.document for instance in instances), key=id))


# ---- arguments that several augmenters have ------------------------------------------------------------------------------

ROUNDINGS: Dict[str, Callable[[float], int]] = {"floor": math.floor, "round": round, "ceil": math.ceil}


class Amount(NamedTuple):
    """How many changes a text of l tokens gets: max(minimum, rounded rate * l), and none where the rate is 0."""

    rate: float
    rounding: str = "floor"
    minimum: int = 1

    @classmethod
    def of(cls, rate: float, rounding: str, minimum: int) -> "Amount":
        """A checked amount."""
        share("rate", rate)
        one_of("rounding", rounding, ROUNDINGS)
        if minimum < 0:
            raise RelconError(f"minimum must be 0 or more, not {minimum}.")
        return cls(rate, rounding, minimum)

    def __call__(self, length: int) -> int:
        """The number of changes for a text of so many tokens."""
        if self.rate == 0:
            return 0
        exact = round(self.rate * length, 9)  # 0.29 * 100 is 28.999999999999996 in floating point
        return max(self.minimum, ROUNDINGS[self.rounding](exact))


def share(name: str, value: float) -> float:
    """An argument that must lie between 0 and 1; RelconError where it does not."""
    if not 0 <= value <= 1:
        raise RelconError(f"{name} must be between 0 and 1, not {value}.")
    return value


def one_of(name: str, value: str, valid: Iterable[str]) -> str:
    """An argument that must be one of a few words; RelconError where it is not."""
    if value not in set(valid):
        raise RelconError(f"{name} = '{value}' is not possible.{did_you_mean(value, valid)}")
    return value
