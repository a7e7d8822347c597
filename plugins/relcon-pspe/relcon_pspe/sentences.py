"""The sentences of documents that have a fitting number of words."""

from array import array
from collections import Counter
from typing import Sequence, Tuple

import numpy as np

from relcon.data.document import Document

Words = Tuple[str, ...]


class FittingSentences:
    """The sentences of at least `least` and at most `most` words, in the order of the documents; their words are read when asked for.

    left_out: how many of the documents' sentences are shorter and longer ("shorter than 2 words").
    """

    def __init__(self, documents: Sequence[Document], least: int, most: int):
        self.documents, self.left_out = documents, Counter[str]()
        places = array("q")
        for number, document in enumerate(documents):
            for start, end in document.sentences:
                if end - start < least:
                    self.left_out[f"shorter than {least} words"] += 1
                elif end - start > most:
                    self.left_out[f"longer than {most} words"] += 1
                else:
                    places.extend((number, start, end))
        self.places = np.array(places, dtype=np.int64).reshape(-1, 3)  # document, first word, end

    def __len__(self) -> int:
        return len(self.places)

    def words(self, number: int) -> Words:
        """The words of a sentence."""
        document, start, end = self.places[number].tolist()
        return self.documents[document].words[start:end]


def counted(left_out: Counter[str]) -> str:
    """How many, by cause: "3 shorter than 2 words, 1 longer than 128 words"."""
    return ", ".join(f"{count} {cause}" for cause, count in sorted(left_out.items()))
