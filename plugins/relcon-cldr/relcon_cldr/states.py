"""The states of a text's words under an encoder that does not change: computed once, kept in memory and on disk."""

import hashlib
from typing import Dict, List, Literal, Optional, Sequence, Tuple

import torch
from safetensors.torch import load, save
from torch import Tensor

from relcon.contrast import Span, Text, View
from relcon.data.store import AnswerStore, Codec, hashed
from relcon.encoding import evaluating
from relcon.interfaces import Encoder, Request, Tower
from relcon.planning import plan
from relcon.poolers.spans import SpanPool

Subword = Literal["first", "last", "mean"]
TOKENS = 4096
"""Positions of a forward."""

TENSORS = Codec(lambda states: save({"states": states}), lambda blob: load(blob)["states"])
"""How states lie on disk."""


class FrozenStates:
    """The last-layer states of words, in evaluation mode and without gradients.

    encoder: never trained. subword: which pieces stand for a word: its `first`, its `last`, or the `mean` of all. cache: as
    `relcon.data.store.cache_folder` takes it; states are kept by the encoder's weights and the words.
    """

    def __init__(self, encoder: Encoder, subword: Subword = "first", cache: Optional[str] = None):
        self.tower = Tower(encoder.requires_grad_(False), SpanPool(inside=subword, slots=1))
        self.subword, self.cache = subword, cache
        self._known: Dict[Tuple[str, ...], Tensor] = {}
        self._store: Optional[AnswerStore] = None

    def of(self, texts: Sequence[Text]) -> List[Tensor]:
        """[W, H] of each text, on the CPU; NaN for a word that cropping took."""
        unknown = list({text.words: text for text in texts if text.words not in self._known}.values())
        if unknown:
            self._look_up(unknown)
        return [self._known[text.words] for text in texts]

    def _look_up(self, texts: Sequence[Text]) -> None:
        """From the disk, else from the encoder."""
        store = self.store()
        keys = {hashed(text.words): text for text in texts}
        found = store.get(list(keys))
        missing = {key: text for key, text in keys.items() if key not in found}
        fresh = dict(zip(missing, self._encode(list(missing.values())), strict=True))
        store.put(fresh)
        self._known.update({keys[key].words: states for key, states in {**found, **fresh}.items()})

    def store(self) -> AnswerStore:
        """Where they are kept: by all that they depend on."""
        if self._store is None:
            digest = hashlib.sha256()
            for name, tensor in self.tower.encoder.state_dict().items():
                digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
            block = {key: value for key, value in self.tower.encoder.block("").items() if not key.startswith("freeze")}
            name = hashed(digest.hexdigest(), type(self.tower.encoder).__qualname__, block, self.subword)
            self._store = AnswerStore(self.cache, "states", name, TENSORS)
        return self._store

    @torch.no_grad()
    def _encode(self, texts: Sequence[Text]) -> List[Tensor]:
        """Fresh states; every process of a run encodes what it needs itself."""
        if not texts:
            return []
        views = [View(text, ((Span(word, word + 1),),)) for text in texts for word in range(len(text.words))]
        states = torch.full((len(views), self.tower.encoder.width), torch.nan)
        key = ("", "")
        with evaluating(self.tower):
            for planned in plan({key: Request(self.tower, views)}, TOKENS):
                part = planned.ready()
                wanted = part.wanted[key]
                alive = wanted.spans.alive
                states[wanted.numbers[alive]] = part.run([key])[0][key].float().cpu()[alive]
        return [each.clone() for each in states.split([len(text.words) for text in texts])]
