"""Whether a contrastive task finds what it was trained to find."""

from pathlib import Path
from typing import Dict, Literal, Optional

import torch
from torch import Tensor, nn

from relcon.contrast import Contrast, Pairing
from relcon.errors import RelconError
from relcon.interfaces import Draw, Evaluator, Model, Sampler, Split


class PositivesFound(Evaluator):
    """How often the nearest candidate of an anchor is one that attracts it: the accuracy of the contrast itself.

    A term of the loss (an anchor, or the anchors of a group) is right where the most similar of its positives is strictly more similar than
    all its negatives. Terms without a positive or without a negative do not count.

    sampler: draws the contrasts from the split; mostly that of the training, with a number of negatives worth reporting. task: the name
    of the contrastive task whose towers are used, in the stage that is measured. similarity: `cosine` or `dot`. seed: of what the
    sampler draws.

    Figures: `accuracy`, `terms`, `candidates` (the mean number of positives and negatives of a term) and `chance`, the accuracy of
    guessing. CLGS calls it graph finding (CLDR and CLNER, CoNLL 2021, table 2). RelconError where the model keeps no such task, or no
    term counts.

    Config::

        [evaluator]
        @evaluators = "relcon.PositivesFound.v1"
        task = "contrast"

        [evaluator.sampler]
        @samplers = "relcon.SameLabel.v1"
        batch_size = 32

        [evaluator.sampler.renderer]
        @renderers = "relcon.Plain.v1"
    """

    primary = "accuracy"

    def __init__(self, sampler: Sampler, task: str = "contrast", similarity: Literal["cosine", "dot"] = "cosine", seed: int = 0):
        if similarity not in ("cosine", "dot"):
            raise RelconError(f"similarity = '{similarity}' is not possible. Valid: 'cosine', 'dot'.")
        self.sampler, self.task, self.similarity, self.seed = sampler, task, similarity, seed

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """One epoch of the sampler over the split."""
        self.sampler.prepare(data)
        right = terms = candidates = 0
        chance = 0.0
        for batch in self.sampler.batches(data, Draw(0, torch.Generator().manual_seed(self.seed))):
            for value in (each for each in batch.values() if isinstance(each, Contrast)):
                anchors, others, pairing = model.contrasted(self.task, value)
                found, positives, negatives = self.judged(anchors, others, pairing)
                right, terms = right + int(found.sum()), terms + len(found)
                candidates += int((positives + negatives).sum())
                chance += float((positives / (positives + negatives)).sum())
        if not terms:
            raise RelconError(f"No term of the contrast has a positive and a negative on the split '{data.name}'.")
        return {"accuracy": right / terms, "terms": float(terms), "candidates": candidates / terms, "chance": chance / terms}

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """The sampler must be able to draw from the split."""
        self.sampler.check(data)

    def judged(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> "tuple[Tensor, Tensor, Tensor]":
        """Of the terms that count [T]: whether each is right, how many positives and how many negatives it has."""
        if self.similarity == "cosine":
            anchors, candidates = nn.functional.normalize(anchors, dim=1), nn.functional.normalize(candidates, dim=1)
        alike = anchors @ candidates.T
        best, count = zip(*(_per_term(alike, mask > 0, pairing) for mask in (pairing.positives, pairing.negatives)), strict=True)
        counts = (pairing.weights > 0) & (count[0] > 0) & (count[1] > 0)
        return (best[0] > best[1])[counts], count[0][counts], count[1][counts]


def _per_term(alike: Tensor, mask: Tensor, pairing: Pairing) -> "tuple[Tensor, Tensor]":
    """[G] the largest similarity of the pairs of a mask in each term, and [G] how many pairs there are."""
    none = alike.new_full((len(pairing.weights),), -torch.inf)
    largest = none.scatter_reduce(0, pairing.groups, alike.masked_fill(~mask, -torch.inf).amax(1), "amax")
    return largest, torch.zeros_like(none).index_add(0, pairing.groups, mask.sum(1).to(none))
