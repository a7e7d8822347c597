"""Random swap."""

from typing import Dict, List, Literal

import torch

from relcon.augmenters.base import Amount, Room, WordAugmenter, one_of
from relcon.data.edits import Edits, Piece


class RandomSwap(WordAugmenter):
    """Exchanges the words at two random positions, n times (RS of EDA: Wei and Zou, EMNLP 2019).

    n = max(minimum, rounding(rate * l)), where l counts the words of the changed sentences and a mention of an argument is
    one word. Swaps are cumulative. Stop words and punctuation take part, mentions of the pairs do not.

    Args:
        rate: share of words, 0 to 1.
        rounding: of rate * l; `floor`, `round` or `ceil`.
        minimum: at least so many swaps, unless the rate is 0.
        keep_last: the last word, usually the full stop, stays in its place.
        context: `sentence` (those of the pairs) or `document`; see `WordAugmenter`.

    Raises RelconError where an argument is out of range.

    Config::

        [augmenter]
        @augmenters = "relcon.RandomSwap.v1"
        rate = 0.1
    """

    def __init__(
        self,
        rate: float = 0.1,
        rounding: Literal["floor", "round", "ceil"] = "floor",
        minimum: int = 1,
        keep_last: bool = True,
        context: Literal["sentence", "document"] = "sentence",
    ):
        self.amount = Amount.of(rate, rounding, minimum)
        self.keep_last = keep_last
        self.context = one_of("context", context, ("sentence", "document"))

    def edits(self, room: Room, generator: torch.Generator) -> Edits:
        """Places whose word changed, with their new words. Fewer than two free places: nothing."""
        last = len(room.tokens) - 1
        places = [n for n in room.free if not (self.keep_last and n == last)]
        if len(places) < 2:
            return {}
        holds = {n: n for n in places}
        for first, second in _draws(places, self.amount(len(room.tokens)), generator):
            holds[first], holds[second] = holds[second], holds[first]
        edits: Dict[int, List[Piece]] = {}
        for place, token in holds.items():
            if place != token:
                edits.update(room.place(place, room.pieces(token)))
        return edits


def _draws(places: List[int], count: int, generator: torch.Generator) -> List[List[int]]:
    """`count` ordered pairs of different places, each uniform among all such pairs."""
    others = len(places) - 1
    numbers = torch.randint(len(places) * others, (count,), generator=generator).tolist()
    pairs = [divmod(number, others) for number in numbers]
    return [[places[first], places[second + (second >= first)]] for first, second in pairs]
