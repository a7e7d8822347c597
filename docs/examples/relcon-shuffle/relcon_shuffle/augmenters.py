"""Shuffling in windows."""

import torch

from relcon.augmenters.base import Room, WordAugmenter
from relcon.data.edits import Edits


class WindowShuffle(WordAugmenter):
    """Shuffles words with their neighbours: the order is lost within a window, the gist stays.

    window: how many words are shuffled together, at least 2. The words of the pair stay where they are.

    Config::

        [augmenter]
        @augmenters = "shuffle.WindowShuffle.v1"
        window = 3
    """

    def __init__(self, window: int = 3):
        if window < 2:
            raise ValueError(f"window must be at least 2, not {window}")
        self.window = window

    def edits(self, room: Room, generator: torch.Generator) -> Edits:
        """New words for every place; the base class repairs all entity spans."""
        edits = {}
        for start in range(0, len(room.free), self.window):
            places = room.free[start : start + self.window]
            for place, drawn in zip(places, torch.randperm(len(places), generator=generator).tolist(), strict=True):
                if places[drawn] != place:
                    edits.update(room.place(place, room.pieces(places[drawn])))
        return edits
