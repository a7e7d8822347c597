"""Components in a file: relcon train CONFIG --output DIR --code my_parts.py"""

import torch

from relcon.augmenters.base import Room, WordAugmenter
from relcon.data.edits import Edits, Piece
from relcon.interfaces import Augmenter


@Augmenter.register("mine.Typos.v1")
class Typos(WordAugmenter):
    """Swaps two neighbouring letters of some words, as hasty typists do.

    rate: the share of the words, 0 to 1.

    Config::

        [augmenter]
        @augmenters = "mine.Typos.v1"
        rate = 0.1
    """

    def __init__(self, rate: float = 0.1):
        if not 0 <= rate <= 1:
            raise ValueError(f"rate must be between 0 and 1, not {rate}")
        self.rate = rate

    def edits(self, room: Room, generator: torch.Generator) -> Edits:
        """Misspelt words; those of the pair are not in `room.free`, so they stay right."""
        edits = {}
        for token in room.free:
            (piece,) = room.pieces(token)
            if len(piece.text) > 1 and torch.rand((), generator=generator) < self.rate:
                at = int(torch.randint(len(piece.text) - 1, (), generator=generator))
                typo = piece.text[:at] + piece.text[at + 1] + piece.text[at] + piece.text[at + 2 :]
                edits.update(room.place(token, [Piece(typo, piece.sources)]))
        return edits
