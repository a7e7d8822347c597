"""Nearest neighbours in an encoder's embedding matrix."""

from typing import Any, Dict, List, NamedTuple, Optional

import torch
from torch import Tensor
from torch.nn.functional import normalize

from relcon.errors import RelconError
from relcon.interfaces import SynonymSource


class WordTable(NamedTuple):
    """The whole words of a vocabulary. words: [V]. vectors: [V, H] of length 1. numbers: word piece id -> row. tokenizer: its
    tokenizer."""

    words: List[str]
    vectors: Tensor
    numbers: Dict[int, int]
    tokenizer: Any


class EmbeddingNeighbours(SynonymSource):
    """The words whose input embeddings are nearest to a word's, by cosine, in a pretrained encoder.

    Only words that are one piece of the vocabulary and consist of letters have neighbours or are neighbours. They are often
    words of the same kind rather than synonyms ("increase" and "decrease"), which may change a relation: use with care.

    The encoder is loaded at the first look-up; only its word embeddings are kept.

    Args:
        path: a Hugging Face encoder with a tokenizer, a local directory or a name; None for the embedded MiniLM (`relcon.MiniLM.v1`).
        neighbours: how many at most.
        minimum: cosine that a neighbour must have, -1 to 1.

    Raises RelconError where an argument is out of range, and at the first look-up where the encoder cannot be loaded.

    Config::

        [synonyms]
        @synonyms = "relcon.EmbeddingNeighbours.v1"
        path = "bert-base-uncased"
        neighbours = 10
        minimum = 0.4
    """

    def __init__(self, path: Optional[str] = None, neighbours: int = 10, minimum: float = 0.4):
        if neighbours < 1:
            raise RelconError(f"neighbours must be 1 or more, not {neighbours}.")
        if not -1 <= minimum <= 1:
            raise RelconError(f"minimum must be a cosine between -1 and 1, not {minimum}.")
        self.path, self.neighbours, self.minimum = path, neighbours, minimum
        self._table: Optional[WordTable] = None
        self._known: Dict[str, List[str]] = {}

    def synonyms(self, word: str) -> List[str]:
        """The nearest words, sorted; [] where the word is not one piece of the vocabulary."""
        if word not in self._known:
            self._known[word] = self._look_up(word)
        return self._known[word]

    def _look_up(self, word: str) -> List[str]:
        table = self._table = self._table or load_words(self.path)
        pieces = _pieces(table.tokenizer, [word])[0]
        row = table.numbers.get(pieces[0]) if len(pieces) == 1 else None
        if row is None:
            return []
        cosines = table.vectors @ table.vectors[row]
        cosines[row] = -2
        found = torch.topk(cosines, min(self.neighbours, len(cosines)))
        near = [table.words[n] for n, cosine in zip(found.indices.tolist(), found.values.tolist(), strict=True) if cosine >= self.minimum]
        return sorted({each for each in near if each.lower() != word.lower()})


def load_words(path: Optional[str]) -> WordTable:
    """The whole words of an encoder's vocabulary with their vectors; for `path` see `EmbeddingNeighbours`."""
    from relcon.encoders.loading import embedding_table, load  # imports transformers: only when the words are wanted
    from relcon.encoders.minilm import minilm_folder

    model, tokenizer = load(str(minilm_folder()) if path is None else path)
    matrix = embedding_table(model).weight.detach()
    ids = sorted(number for number in tokenizer.get_vocab().values() if number < len(matrix))
    texts = [tokenizer.convert_tokens_to_string([token]).strip() for token in tokenizer.convert_ids_to_tokens(ids)]
    letters = [(number, text) for number, text in zip(ids, texts, strict=True) if text.isalpha()]
    whole = [pair for pair, pieces in zip(letters, _pieces(tokenizer, [text for _, text in letters]), strict=True) if pieces == [pair[0]]]
    rows = [number for number, _ in whole]
    return WordTable([text for _, text in whole], normalize(matrix[rows], dim=1), {number: n for n, number in enumerate(rows)}, tokenizer)


def _pieces(tokenizer: Any, words: List[str]) -> List[List[int]]:
    """The piece ids of each word as it stands in running text, after a space."""
    return tokenizer([f" {word}" for word in words], add_special_tokens=False)["input_ids"] if words else []
