"""Looking at views micro-batch by micro-batch, and pooling more of the same states."""

from typing import Any, List

import torch

from relcon.contrast import WHOLE, Span, Text, View
from relcon.encoding import encode, looks
from relcon.interfaces import Tower
from relcon.poolers.spans import SpanPool
from relcon.testing import tiny_encoder

TEXTS = [Text(("abirol", "blocks", "KAP2")), Text(("rose",)), Text(("the", "samples", "were", "frozen", "."))]
VIEWS = [View(text, ((Span(word, word + 1),),)) for text in TEXTS for word in range(len(text.words))]


def towers() -> List[Tower]:
    encoder = tiny_encoder(dropout=0.5).train()
    return [Tower(encoder, SpanPool("first", slots=1)), Tower(encoder, SpanPool("mean", slots=1))]


def test_looks_give_what_encode_gives_and_more_of_the_same() -> None:
    words, whole = towers()
    known, alive = encode(words, VIEWS)
    sums = encode(whole, [View(text, ((WHOLE,),)) for text in TEXTS])[0]
    rows: List[Any] = []
    hook = words.encoder.register_forward_hook(lambda _, given, out: rows.append(len(out.mask)))
    seen = []
    for look in looks(words, VIEWS, tokens=12):
        texts = list(dict.fromkeys(VIEWS[number].input for number in look.numbers.tolist()))
        more = look.more(whole, [View(text, ((WHOLE,),)) for text in texts])
        assert torch.allclose(look.vectors, known[look.numbers], atol=1e-5) and look.alive.equal(alive[look.numbers])
        assert torch.allclose(more, sums[[TEXTS.index(text) for text in texts]], atol=1e-5)
        assert not look.vectors.requires_grad and not more.requires_grad
        seen += look.numbers.tolist()
    hook.remove()
    assert sorted(seen) == list(range(len(VIEWS))) and sum(rows) == len(TEXTS) and len(rows) > 1
    assert words.encoder.training and torch.is_grad_enabled()


def test_cropped_views_are_not_alive_and_no_views_give_no_look() -> None:
    tower = Tower(tiny_encoder(max_length=4), SpanPool("first", slots=1))
    (look,) = looks(tower, VIEWS[:3])
    assert look.alive.tolist() == [True, True, False]
    assert list(looks(tower, [])) == []
