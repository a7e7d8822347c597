"""No change: views that differ by dropout only."""

from dataclasses import replace
from typing import Sequence, Tuple

import torch

from relcon.data.document import Document
from relcon.interfaces import Augmenter


class Unchanged(Augmenter):
    """Returns an equal copy, so that two views of a text differ only by the encoder's dropout (SimCSE: Gao et al., EMNLP 2021).

    The copy is an object of its own: the encoder reads equal objects separately, with dropout masks of their own.

    Config::

        [augmenter]
        @augmenters = "relcon.Unchanged.v1"
    """

    def __call__(self, document: Document, pairs: Sequence[Tuple[int, int]], generator: torch.Generator) -> Document:
        """An equal document. Neither pairs nor generator are used."""
        return replace(document)
