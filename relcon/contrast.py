"""The one idea as values: views to encode on each side, and a pairing that says who attracts and who repels whom.

Every contrastive method is the same sentence: *encode these anchors, encode these candidates, say which candidate is a
positive and which a negative of which anchor, weigh them, and pull and push.* A sampler writes it (`Contrast`), an encoder
and a pooler turn views into vectors, an objective turns vectors and the `Pairing` into a scalar.

Sizes in shapes: A anchors, C candidates, G terms of the loss, U units, S spans, I inputs, B rows, L positions, W words,
H width of a state, D width of a vector.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor


# ---- what is encoded ---------------------------------------------------------------------------------------------------
class Span(NamedTuple):
    """Words [start, end) of an input; `piece` >= 0 picks one word piece of word `start`."""

    start: int
    end: int
    piece: int = -1


WHOLE = Span(-1, -1)
"""Every position of the input, special tokens included; the first is [CLS]."""

Slot = Tuple[Span, ...]
"""Spans that together become one vector (an entity: its mentions). May be empty."""

Unit = Tuple[Slot, ...]
"""Slots side by side (a pair: head, tail). What becomes one vector of a view."""


MASK = "\ufdd0mask"
"""A word of a text that stands for the encoder's own mask token, whatever it is called, and is that one piece. Beside it nothing else of
the text becomes a mask: a word that is written like the tokenizer's own (`[MASK]`) is unknown there. It begins with a character that
Unicode keeps for a program's own use, so that no text contains it."""


class Input:
    """What an encoder reads. Compared by identity: one object is encoded once per step, two equal objects twice.

    So the pairs of a document share one forward, and two dropout views of a sentence do not.
    """


@dataclass(frozen=True, eq=False)
class Text(Input):
    """A text as words.

    words: the first segment. It alone is cropped when the input is too long.
    second: a second segment (a prompt), never cropped. Where it does not fit, the text is lost. Either segment may have the word `MASK`.
    edits: (word, piece or -1 for all pieces, new piece id): masked or replaced pieces. Words are counted over both segments.
    keep: word spans [start, end) of the first segment that cropping must keep (both entities).
    """

    words: Tuple[str, ...]
    second: Tuple[str, ...] = ()
    edits: Tuple[Tuple[int, int, int], ...] = ()
    keep: Tuple[Tuple[int, int], ...] = ()


class View(NamedTuple):
    """One unit of one input: what becomes one vector."""

    input: Input
    unit: Unit


# ---- the sentence ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Pairing:
    """Who attracts and who repels whom: all that an objective may know beside the vectors.

    positives: [A, C] >= 0, the weight with which a candidate attracts an anchor. A pair in neither mask is ignored.
    negatives: [A, C] >= 0, the weight with which it repels; disjoint from `positives`.
    weights: [G] one per term of the loss.
    groups: [A] the term that an anchor belongs to; anchors of one group share a softmax. Each its own unless said.
    """

    positives: Tensor
    negatives: Tensor
    weights: Tensor
    groups: Tensor

    @classmethod
    def of(cls, positives: Tensor, negatives: Tensor, weights: Optional[Tensor] = None, groups: Optional[Tensor] = None) -> "Pairing":
        """A checked pairing; `weights` default to 1 per term, `groups` to one term per anchor. ValueError where it is none."""
        groups = torch.arange(len(positives)) if groups is None else groups
        terms = int(groups.max()) + 1 if len(groups) else 0
        weights = torch.ones(terms) if weights is None else weights
        return cls(positives, negatives, weights, groups).check()

    def check(self) -> "Pairing":
        """Itself, or ValueError where shapes disagree, a weight is negative, or a pair both attracts and repels."""
        anchors = self.positives.shape[0]
        if self.negatives.shape != self.positives.shape or self.groups.shape != (anchors,):
            raise ValueError("positives and negatives must have one shape [A, C], groups [A]")
        if anchors and int(self.groups.max()) >= len(self.weights):
            raise ValueError("every group needs a weight: weights [G] is shorter than the groups")
        if bool((self.positives < 0).any()) or bool((self.negatives < 0).any()):
            raise ValueError("weights of positives and negatives must not be below 0")
        if bool(((self.positives > 0) & (self.negatives > 0)).any()):
            raise ValueError("a pair is a positive or a negative, not both")
        return self

    def to(self, like: Tensor) -> "Pairing":
        """The same on the device and in the precision of `like`."""
        def move(x: Tensor) -> Tensor:
            return x.to(like.device, like.dtype)

        return Pairing(move(self.positives), move(self.negatives), move(self.weights), self.groups.to(like.device))

    def keep(self, anchors: Tensor, candidates: Tensor) -> "Pairing":
        """Without the views that were lost. anchors [A] bool, candidates [C] bool: True is kept."""
        mask = anchors[:, None] & candidates[None, :]
        return Pairing(self.positives * mask, self.negatives * mask, self.weights, self.groups)

    def widened(self, positives: Tensor, negatives: Tensor) -> "Pairing":
        """With E more candidates on the right: positives and negatives [A, E]."""
        return Pairing(torch.cat([self.positives, positives], 1), torch.cat([self.negatives, negatives], 1), self.weights, self.groups)

    def distinct(self, keys: Tensor) -> "Pairing":
        """One view per key: later twins are neither anchors nor candidates, so that a duplicate changes neither loss nor
        gradient. keys [A] int; for pairings whose candidates are the anchors."""
        place: Dict[int, int] = {}
        first = torch.tensor([place.setdefault(key, row) == row for row, key in enumerate(keys.tolist())], dtype=self.weights.dtype)
        both = first[:, None] * first[None, :]
        return Pairing(self.positives * both, self.negatives * both, self.weights * first, self.groups)

    def terms(self) -> int:
        """How many terms the loss has: those with a weight above 0."""
        return int((self.weights > 0).sum())

    def idle(self) -> int:
        """How many terms teach a softmax objective nothing: no positive, or no negative."""
        return int(((self.weights > 0) & ~(self._terms(self.positives) & self._terms(self.negatives))).sum())

    def empty(self) -> int:
        """How many terms have no pair at all."""
        return int(((self.weights > 0) & ~(self._terms(self.positives) | self._terms(self.negatives))).sum())

    def without_positives(self) -> int:
        """How many terms have no positive."""
        return int(((self.weights > 0) & ~self._terms(self.positives)).sum())

    def taking_part(self) -> Tensor:
        """[3] how many anchors of terms with a weight above 0 have any pair, and how many positive and how many negative pairs these have.
        Stays on the pairing's device, so that nothing waits for it."""
        counts = torch.stack([_counts(self.positives), _counts(self.negatives)]) * (self.weights[self.groups] > 0)
        return torch.cat([counts.sum(0).sign().sum()[None], counts.sum(1)])

    def _terms(self, mask: Tensor) -> Tensor:
        """[A, C] -> [G] bool: which terms have any such pair."""
        count = torch.zeros(len(self.weights), device=mask.device)
        return count.index_add(0, self.groups, _counts(mask)) > 0


def _counts(mask: Tensor) -> Tensor:
    """[A, C] weights >= 0 -> [A] how many are above 0, as float32. By signs: several times as fast as a sum of booleans, which a long queue
    makes felt."""
    return mask.sign().sum(1).float()


class Tags(NamedTuple):
    """Identity of views, for adjusters that meet views of other steps (a queue). All [N] int, the same in every batch and run.

    lane: from 0; views meet strangers of their own lane only. key: views with one key are one sentence or instance, and neither
    attract nor repel each other. label: the class, where it may be looked at. key and label are -1 where unknown.
    """

    lane: Tensor
    key: Tensor
    label: Tensor


@dataclass(frozen=True, eq=False)
class Contrast:
    """The sentence itself: anchors, candidates (None: the anchors, the very same vectors) and their pairing.

    anchor_tags, candidate_tags: for adjusters that need them. Where candidates is None, candidate_tags None means the anchors'.
    """

    anchors: List[View]
    pairing: Pairing
    candidates: Optional[List[View]] = None
    anchor_tags: Optional[Tags] = None
    candidate_tags: Optional[Tags] = None


@dataclass(frozen=True, eq=False)
class Labelled:
    """Views with the class of each: relation, tag, masked word piece, permutation.

    labels: [U] class ids; None at prediction. extra: name -> [U, ...] what a head needs beside the vector.
    uids: identity of each view for the recorder of predictions.
    """

    views: List[View]
    labels: Optional[Tensor] = None
    extra: Dict[str, Tensor] = field(default_factory=dict)
    uids: Optional[List[Any]] = None


Batch = Dict[str, Union[Contrast, Labelled]]
"""Named values. Those of one batch may share inputs, and then share one forward."""


# ---- what encoding works with --------------------------------------------------------------------------------------------
ABSENT = -2
"""Fills `Prepared.where` behind an input's last word, so that a view that names a word too many is an error, not a crop."""


@dataclass
class Prepared:
    """Inputs as tensors, made without parameters.

    tensors: name -> [B, ...], what `Encoder.forward` reads. An input may take several rows (windows).
    where: [I, W, 3] row, first and end position of every word; first and end are -1 where it was cropped away, ABSENT
        where the input has no such word.
    whole: [I, 3] row, 0, length of every input; 0 and length are -1 where cropping lost the whole input.
    cropped: how many inputs lost words to the length limit.
    """

    tensors: Dict[str, Tensor]
    where: Tensor
    whole: Tensor
    cropped: int = 0


@dataclass
class Encoded:
    """States of rows: states [B, L, H], mask [B, L] bool, summary [B, H] the encoder's own sentence vector where it has one.

    begins: [B, L] bool, the positions at which a word begins; no special token, no later piece of a word. Set for poolers by what runs
        the encoder, whichever it is; encoders leave it None.
    """

    states: Tensor
    mask: Tensor
    summary: Optional[Tensor] = None
    begins: Optional[Tensor] = None


@dataclass
class Spans:
    """Units in positions of `Encoded.states`: the only thing that a pooler sees of a view.

    row, start, end: [S] positions [start, end) of row. slot: [S] = unit * slots + slot of the unit.
    units, slots: how many units, and slots of each. alive: [U] bool, no slot lost all its spans to cropping.
    home: [U] the row in which the unit's input begins.
    """

    row: Tensor
    start: Tensor
    end: Tensor
    slot: Tensor
    units: int
    slots: int
    alive: Tensor
    home: Tensor
