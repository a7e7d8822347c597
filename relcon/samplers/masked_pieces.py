"""Masked word pieces to guess, on the inputs of any other sampler."""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Literal, Mapping, Optional, Sequence, Set, Tuple, Union

import torch

from relcon.config.contrasts import contrasts_of
from relcon.contrast import MASK, WHOLE, Batch, Contrast, Input, Labelled, Span, Text, View
from relcon.errors import RelconError
from relcon.interfaces import Artifacts, Contrasts, Draw, Recorder, Sampler, Split, Vocabulary

MASKED, UNCHANGED = 0.8, 0.1
"""Shares of the chosen pieces that are replaced by the mask and that stay; the others become a random piece."""


class MaskedPieces(Sampler):
    """Adds the value `masked` to another sampler's batches: word pieces to guess, on the very same inputs, in the same forward.

    Each piece is chosen with probability `rate`; of the chosen ones 80 % become the mask, 10 % a random piece, 10 % stay
    (Devlin et al. 2019, arXiv 1810.04805). Left alone are the words that a view of the batch is made of, both entities, the
    renderer's own tokens, the separator, a prompt's mask, words that the other sampler has already changed, and second segments.

    sampler: whose batches to extend. rate: share of the word pieces, above 0 and below 1. spared: `kept`: what cropping keeps of a text,
        the words of both entities, is left alone; `vectors`: only what vectors are made of is, so that where the start markers stand for
        the entities, their words may be guessed (CP and its Matching the Blanks: Peng et al., EMNLP 2020).

    RelconError where the encoder has no vocabulary or no mask token.

    Config::

        [sampler]
        @samplers = "relcon.MaskedPieces.v1"
        rate = 0.15
        [sampler.sampler]
        @samplers = "relcon.Instances.v1"
        batch_size = 16
        [sampler.sampler.renderer]
        @renderers = "relcon.Plain.v1"
    """

    def __init__(self, sampler: Sampler, rate: float = 0.15, spared: Literal["kept", "vectors"] = "kept"):
        if not 0 < rate < 1:
            raise ValueError(f"rate must be above 0 and below 1, not {rate}")
        self.sampler, self.rate, self.spared = sampler, rate, spared

    @property
    def special_tokens(self) -> Sequence[str]:
        """Those of the other sampler."""
        return self.sampler.special_tokens

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Optional[Contrasts]:
        """As of the other sampler."""
        return contrasts_of(block.get("sampler"))

    def hand_over(self, artifacts: Mapping[str, Artifacts]) -> None:
        """Pass on what earlier stages handed on."""
        self.sampler.hand_over(artifacts)

    @property
    def follows_predictions(self) -> bool:
        """Where the other sampler does."""
        return self.sampler.follows_predictions

    def recorder(self, data: Split) -> Recorder:
        """That of the other sampler."""
        return self.sampler.recorder(data)

    def figures(self, data: Split) -> Dict[str, float]:
        """Those of the other sampler."""
        return self.sampler.figures(data)

    def why_empty(self, data: Split) -> Optional[str]:
        """What the other sampler says."""
        return self.sampler.why_empty(data)

    def prepare(self, data: Split) -> None:
        """Let the other sampler prepare."""
        self.sampler.prepare(data)

    def check(self, data: Split) -> None:
        """Let the other sampler look at the data."""
        self.sampler.check(data)

    def length(self, data: Split) -> int:
        """As many batches as the other sampler has."""
        return self.sampler.length(data)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """The other sampler's batches on masked inputs, with the value `masked`: a view and the true piece id of each guess."""
        vocabulary = draw.vocabulary
        if vocabulary is None or vocabulary.mask is None:
            raise RelconError("relcon.MaskedPieces.v1 needs an encoder with a tokenizer that has a mask token.")
        for batch in self.sampler.batches(data, draw):
            yield self._masked(batch, vocabulary, vocabulary.mask, draw.generator)

    def _masked(self, batch: Batch, vocabulary: Vocabulary, mask: int, generator: torch.Generator) -> Batch:
        inputs: Dict[Input, Input] = {}
        guesses = Guesses(mask, vocabulary.size)
        for each, used in used_words(batch).items():
            inputs[each] = each
            if isinstance(each, Text):
                inputs[each] = guesses.add(each, self._chosen(each, used, vocabulary, generator), generator)
        changed: Batch = {name: on(value, inputs) for name, value in batch.items()}
        return {**changed, "masked": Labelled(guesses.views, torch.tensor(guesses.pieces, dtype=torch.long))}

    def _chosen(self, text: Text, used: Set[int], vocabulary: Vocabulary, generator: torch.Generator) -> List[Tuple[int, int, int]]:
        """(word, number of its piece, id of the piece) of the pieces to guess."""
        kept = used | {word for word, _, _ in text.edits}
        if self.spared == "kept":
            kept |= {word for start, end in text.keep for word in range(start, end)}
        tokens = {*self.special_tokens, vocabulary.separator, MASK}
        free = [number for number, word in enumerate(text.words) if number not in kept and word not in tokens]
        pieces = [(number, at, piece) for number in free for at, piece in enumerate(vocabulary.pieces(text.words[number]))]
        lots = torch.rand(len(pieces), generator=generator).tolist()
        return [spot for spot, lot in zip(pieces, lots, strict=True) if lot < self.rate]


@dataclass
class Guesses:
    """The pieces of a batch that are to be guessed: where they stand and which they are.

    mask: the id of the mask. size: how many ids there are.
    """

    mask: int
    size: int
    views: List[View] = field(default_factory=list)
    pieces: List[int] = field(default_factory=list)

    def add(self, text: Text, chosen: List[Tuple[int, int, int]], generator: torch.Generator) -> Text:
        """The text with the chosen pieces hidden; they are noted."""
        lots = torch.rand(len(chosen), generator=generator).tolist()
        noise = torch.randint(self.size, (len(chosen),), generator=generator).tolist()
        edits = []
        for (word, at, piece), lot, other in zip(chosen, lots, noise, strict=True):
            shown = self.mask if lot < MASKED else piece if lot < MASKED + UNCHANGED else other
            edits.append((word, at, shown))
        hidden = replace(text, edits=text.edits + tuple(edits))
        self.views += [View(hidden, ((Span(word, word + 1, at),),)) for word, at, _ in chosen]
        self.pieces += [piece for _, _, piece in chosen]
        return hidden


def used_words(batch: Batch) -> Dict[Input, Set[int]]:
    """Every input of a batch, in the order met, with the words that its views are made of."""
    used: Dict[Input, Set[int]] = {}
    for value in batch.values():
        for view in value.views if isinstance(value, Labelled) else [*value.anchors, *(value.candidates or [])]:
            words = used.setdefault(view.input, set())
            for slot in view.unit:
                words.update(word for span in slot if span != WHOLE for word in range(span.start, span.end))
    return used


def on(value: Union[Contrast, Labelled], inputs: Dict[Input, Input]) -> Union[Contrast, Labelled]:
    """The same views on other inputs."""

    def moved(views: List[View]) -> List[View]:
        return [View(inputs[view.input], view.unit) for view in views]

    if isinstance(value, Labelled):
        return replace(value, views=moved(value.views))
    return replace(value, anchors=moved(value.anchors), candidates=None if value.candidates is None else moved(value.candidates))
