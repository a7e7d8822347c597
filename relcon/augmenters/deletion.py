"""Random deletion."""

from typing import Dict, List, Literal

import torch

from relcon.augmenters.base import Room, WordAugmenter, one_of, share
from relcon.data.edits import Edits, Piece


class RandomDeletion(WordAugmenter):
    """Deletes every word independently with probability `rate` (RD of EDA: Wei and Zou, EMNLP 2019).

    Stop words and punctuation take part, mentions of the pairs do not. Other entities lose words like any text, but never all
    words of their last mention, since relations and candidate pairs count entities. Where everything would go, one random
    word stays; a text of one word is returned unchanged.

    Args:
        rate: probability with which a word is deleted, 0 to 1.
        context: `sentence` (those of the pairs) or `document`; see `WordAugmenter`.

    Raises RelconError where an argument is out of range.

    Config::

        [augmenter]
        @augmenters = "relcon.RandomDeletion.v1"
        rate = 0.1
    """

    def __init__(self, rate: float = 0.1, context: Literal["sentence", "document"] = "sentence"):
        self.rate = share("rate", rate)
        self.context = one_of("context", context, ("sentence", "document"))

    def edits(self, room: Room, generator: torch.Generator) -> Edits:
        """The deleted words, each with nothing in its place."""
        if len(room.tokens) == 1:
            return {}
        drawn = torch.rand(len(room.free), generator=generator).tolist()
        deleted = [token for token, u in zip(room.free, drawn, strict=True) if u < self.rate]
        if len(deleted) == len(room.tokens):
            del deleted[int(torch.randint(len(deleted), (1,), generator=generator))]
        edits: Dict[int, List[Piece]] = {}
        for token in deleted:
            edits.update(room.place(token, []))
        return edits
