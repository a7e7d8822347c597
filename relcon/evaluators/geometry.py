"""How embeddings lie on the sphere: alignment and uniformity (Wang and Isola, ICML 2020, arXiv 2005.10242)."""

import math
from collections import Counter
from pathlib import Path
from typing import AbstractSet, Dict, Optional

import torch
from torch import Tensor
from torch.nn.functional import normalize

from relcon.errors import RelconError
from relcon.evaluators.tables import gold_labels
from relcon.interfaces import Evaluator, Model, Split

ROWS = 512
"""Rows of the distance table that are held at a time."""


class AlignmentUniformity(Evaluator):
    """Alignment and uniformity of the normalised pooled vectors (Wang and Isola 2020); of both, less is better.

    alignment = mean of |x - y|^alpha over all pairs of instances with the same label (negative labels left out, since two pairs
    without a relation need not be alike); 0: each relation is one point.
    uniformity = log of the mean of exp(-t |x - y|^2) over all pairs of instances; 0: everything is one point; about -2t at the
    least, in high dimensions.

    alpha, t: as above; 2 and 2 are the paper's.
    negatives: count pairs of one negative label as alike, too.

    Figures: `alignment` (the primary one), `uniformity`, `pairs` (of the same label). RelconError where there are not two
    instances of one label.

    Config::

        [evaluator]
        @evaluators = "relcon.AlignmentUniformity.v1"
        alpha = 2.0
        t = 2.0
    """

    primary = "alignment"
    higher_is_better = False

    def __init__(self, alpha: float = 2.0, t: float = 2.0, negatives: bool = False):
        if alpha <= 0 or t <= 0:
            raise RelconError(f"alpha and t must be above 0, not {alpha} and {t}.")
        self.alpha, self.t, self.negatives = alpha, t, negatives

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """The figures of the split's embeddings; writes no files, looks at no training data."""
        self.check(data)
        left_out = self.left_out(data)
        numbers = [-1 if name in left_out else data.labels.number(name) for name in gold_labels(data)]
        return alignment_uniformity(model.embed(data.instances), torch.tensor(numbers, dtype=torch.long), self.alpha, self.t)

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """Every pair must have a label, and two of them the same one."""
        left_out = self.left_out(data)
        if max(Counter(name for name in gold_labels(data) if name not in left_out).values(), default=0) < 2:
            raise RelconError(f"Alignment needs two instances of one relation, and the split '{data.name}' has none.")

    def left_out(self, data: Split) -> AbstractSet[str]:
        """The labels whose pairs need not be alike."""
        return frozenset() if self.negatives else data.labels.negative


def alignment_uniformity(vectors: Tensor, classes: Tensor, alpha: float = 2.0, t: float = 2.0) -> Dict[str, float]:
    """`alignment`, `uniformity` and `pairs` of vectors [N, D], computed in double precision, some rows at a time.

    classes: [N] class numbers; -1 is like nothing, not even another -1.
    """
    points = normalize(vectors.double(), dim=1)
    distance, pairs = 0.0, 0
    potential = torch.tensor(-math.inf, dtype=torch.float64)  # its logarithm, since a large t leaves less than a float can hold
    for start in range(0, len(points), ROWS):
        rows = slice(start, start + ROWS)
        squares = (2 - 2 * points[rows] @ points.T).clamp(min=0)  # |x - y|^2 on the unit sphere, [rows, N]
        later = torch.arange(len(points)) > torch.arange(len(points))[rows, None]  # each pair once
        same = alike(classes[rows], classes) & later
        distance += float((squares[same] ** (alpha / 2)).sum())
        potential = torch.logaddexp(potential, torch.logsumexp(-t * squares[later], dim=0))
        pairs += int(same.sum())
    every = len(points) * (len(points) - 1) / 2
    return {"alignment": distance / pairs, "uniformity": float(potential) - math.log(every), "pairs": float(pairs)}


def alike(rows: Tensor, columns: Tensor) -> Tensor:
    """[R, C] whether two instances have the same class; -1 is like nothing."""
    return (rows[:, None] == columns[None, :]) & (rows[:, None] >= 0)
