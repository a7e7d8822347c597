"""Where words begin, as poolers are told for any encoder."""

from typing import List, Optional, Sequence

import pytest
import torch
from torch import Tensor

from relcon.config import resolve
from relcon.contrast import WHOLE, Encoded, Spans, Text, View
from relcon.encoding import encode
from relcon.interfaces import Encoder, Pooler, Tower
from relcon.testing import tiny_character_bert_folder, tiny_encoder

SPELT = "zqx"
"""A word that the tiny BERT's vocabulary lacks: z ##q ##x."""


class Seen(Pooler):
    """Keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.begins: Optional[Tensor] = None

    def width(self, state: int) -> int:
        return 1

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        assert encoded.begins is not None and encoded.begins.shape == encoded.mask.shape and encoded.begins.dtype == torch.bool
        self.begins = encoded.begins
        return encoded.states[spans.home, 0, :1]


def told(encoder: Encoder, texts: Sequence[Text]) -> List[str]:
    """A row of marks per text, in the order in which they are encoded: shorter texts first."""
    pooler = Seen()
    encode(Tower(encoder, pooler), [View(text, ((WHOLE,),)) for text in texts])
    assert pooler.begins is not None
    return ["".join("x" if mark else "." for mark in row) for row in pooler.begins.tolist()]


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        ([Text(("low", SPELT, "doses"))], [".xx..x."]),
        ([Text(("low", SPELT, "doses")), Text((SPELT,))], [".x.....", ".xx..x."]),
        ([Text(("low",), second=(SPELT, "doses"))], [".x.x..x."]),
        ([Text((SPELT,), second=("doses",))], [".x...x."]),
        ([Text(("low", "low"), edits=((0, -1, 3),))], [".xx."]),
        ([Text(())], [".."]),
    ],
    ids=["several pieces", "padding", "second segment", "first of several pieces", "edited", "no words"],
)
def test_words_begin_at_their_first_piece(texts: List[Text], rows: List[str]) -> None:
    assert told(tiny_encoder(), texts) == rows


def test_cropped_words_begin_nowhere() -> None:
    encoder = tiny_encoder(max_length=6)
    assert told(encoder, [Text(("low", SPELT, "doses", "of"))]) == [".xx..."]
    assert told(encoder, [Text(("low", SPELT, "doses", "of"), keep=((3, 4),))]) == [".xx."], "doses of, where the word in front is too long"


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_same_for_every_tokenizer(kind: str) -> None:
    encoder = tiny_encoder(kind)  # type: ignore[arg-type]
    words = ("Abirol", "strongly", SPELT, "blocks", "β-kinase", ".")
    assert encoder.vocabulary is not None
    sizes = [len(encoder.vocabulary.pieces(word)) for word in words]
    assert max(sizes) > 1
    assert told(encoder, [Text(words)]) == ["." + "".join("x" + "." * (size - 1) for size in sizes) + "."]


def test_where_every_word_is_one_position_all_but_the_special_ones_begin_a_word(tmp_path) -> None:  # type: ignore[no-untyped-def]
    block = {"@encoders": "relcon.CharacterBERT.v1", "path": str(tiny_character_bert_folder(tmp_path / "characters"))}
    encoder = resolve(block, "[encoder]")
    assert told(encoder, [Text(("low", SPELT, "doses")), Text(("low",), second=("doses",))]) == [".x.x.", ".xxx."]
