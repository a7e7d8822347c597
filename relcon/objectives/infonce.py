"""The softmax family: InfoNCE and its two best-known members, NT-Xent and supervised contrast."""

from typing import Dict, Literal, Tuple

import torch
from torch import Tensor

from relcon.contrast import Pairing
from relcon.errors import RelconError
from relcon.interfaces import ContrastiveObjective
from relcon.objectives.similarity import similarities, similarity_figures

NOTHING = -1e30
"""The logarithm of a weight of 0. Minus infinity would give NaN gradients."""


class InfoNCE(ContrastiveObjective):
    """A softmax over the candidates of a term: its positives are to win against its negatives.

    With s = similarity / temperature, P and N the weights of positives and negatives, and all sums over the pairs (a, c) of
    one term g (one anchor, or the anchors of a group):

    * attract = sum own_weight q e^s over positives, repel = sum N e^s over negatives, all = attract + repel;
    * several = "outside": loss of g = sum t (log D - s) / sum t over its positives, with D = all
      (denominator = "all") or D = own_weight q e^s + repel for each positive alone (denominator = "own");
    * several = "inside": loss of g = log all - log sum t e^s;
    * t = P and q = 1 where weigh = "term"; t = 1 and q = P where weigh = "denominator".

    The loss is w_g times that, summed over the terms that have a positive and a weight w_g above 0, and reduced. Without any such
    term it is 0, with zero gradients.

    temperature: above 0. similarity: `cosine` or `dot`.
    several: what several positives of a term are: losses to be averaged (`outside`) or one sum inside the logarithm (`inside`).
    denominator: what a positive is compared with: all positives and negatives of its term (`all`), or itself and the negatives (`own`).
    own_weight: how much a positive weighs in the denominator; 0 leaves it out, and the loss is then unbounded below.
    weigh: whether the weight of a positive counts in the `term` or in the `denominator`.
    reduction: `anchors` divides the sum by the number of its terms, `weighted` by the sum of their w_g, `pairs` drops the division by
        sum t and divides by the number of their positive pairs, `sum` divides by nothing.

    The family: NT-Xent (one positive), InfoNCE (van den Oord et al. 2018, arXiv 1807.03748), supervised contrast (`outside`,
    `all`), ERICA's and FineCL's relation discrimination (`own`), CP's sampled pairs (`own`, `pairs`), CLDR's entity loss
    (`inside`), MoCo's and PSPE's queue loss (`dot`, negatives from a queue adjuster). A positive that stands twice in the
    denominator, as in ERICA's code, is own_weight = 2.

    Config::

        [objective]
        @objectives = "relcon.InfoNCE.v1"
        temperature = 0.05
        denominator = "own"
    """

    competes = True

    def __init__(
        self,
        temperature: float = 0.1,
        similarity: Literal["cosine", "dot"] = "cosine",
        several: Literal["inside", "outside"] = "outside",
        denominator: Literal["all", "own"] = "all",
        own_weight: float = 1.0,
        weigh: Literal["term", "denominator"] = "term",
        reduction: Literal["anchors", "pairs", "weighted", "sum"] = "anchors",
    ):
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        if own_weight < 0:
            raise ValueError(f"own_weight must not be below 0, not {own_weight}")
        if several == "inside" and (denominator == "own" or reduction == "pairs"):
            raise ValueError('several = "inside" has one logarithm per term: use denominator = "all" and another reduction than "pairs"')
        self.temperature, self.similarity, self.several, self.denominator = temperature, similarity, several, denominator
        self.own_weight, self.weigh, self.reduction = own_weight, weigh, reduction

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss, a scalar. anchors [A, D], candidates [C, D], pairing [A, C]."""
        logits = similarities(self.similarity, anchors, candidates) / self.temperature
        pairing = pairing.to(logits)
        loss, mass = self.terms(logits, pairing)
        counted = ((mass > 0) & (pairing.weights > 0)).to(logits)
        total = (torch.where(counted > 0, loss, torch.zeros_like(loss)) * pairing.weights).sum()
        if self.reduction == "sum":
            return total
        if self.reduction == "pairs":
            counted = counted * per_term((pairing.positives > 0).to(logits), pairing)
        elif self.reduction == "weighted":
            counted = counted * pairing.weights
        return total / counted.sum().clamp(min=torch.finfo(logits.dtype).tiny)

    def terms(self, logits: Tensor, pairing: Pairing) -> Tuple[Tensor, Tensor]:
        """The loss [G] of every term before its weight, and the weight of its positives [G] (0: the term does not count)."""
        attracted = (pairing.positives > 0).to(logits)
        term = pairing.positives if self.weigh == "term" else attracted
        own = self.own_weight * (pairing.positives if self.weigh == "denominator" else attracted)
        mass = per_term(term, pairing)
        repel = log_sum(logits + log_weights(pairing.negatives), pairing)
        if self.several == "inside":
            everything = torch.logaddexp(repel, log_sum(logits + log_weights(own), pairing))
            loss = everything - log_sum(logits + log_weights(term), pairing)
            return torch.where(everything > NOTHING / 2, loss, torch.zeros_like(loss)), mass
        loss = per_term(term * self._each(logits, own, repel, pairing), pairing)
        return (loss if self.reduction == "pairs" else loss / mass.clamp(min=torch.finfo(mass.dtype).tiny)), mass

    def _each(self, logits: Tensor, own: Tensor, repel: Tensor, pairing: Pairing) -> Tensor:
        """[A, C] the loss of every positive pair, 0 elsewhere and where its denominator is empty."""
        if self.denominator == "all":
            below = torch.logaddexp(repel, log_sum(logits + log_weights(own), pairing))[pairing.groups][:, None].expand_as(logits)
        else:
            below = torch.logaddexp(repel[pairing.groups][:, None].expand_as(logits), logits + log_weights(own))
        return torch.where((pairing.positives > 0) & (below > NOTHING / 2), below - logits, torch.zeros_like(logits))

    def figures(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Dict[str, float]:
        """`positive_similarity`, `negative_similarity`, `nearest`: see `relcon.objectives.similarity`."""
        return similarity_figures(similarities(self.similarity, anchors, candidates), pairing)


class NTXent(InfoNCE):
    """SimCLR's loss: of all other views in the batch, an anchor's one positive is to be the nearest.

    loss = scale * mean over anchors a of -log( e^(cos(a, p)/temperature) / sum over c of e^(cos(a, c)/temperature) ), where
    p is the positive and c runs over the positive and the negatives (Chen et al. 2020, arXiv 2002.05709, eq. 1). Anchors that
    lost their positive are left out of the mean.

    temperature: above 0. scale: a factor; CLRE's released code divides by the number of sentences N, scale = 1/N.
    RelconError where an anchor has several positives: SupCon and InfoNCE say what to do with them, and equal this with one.

    Config::

        [objective]
        @objectives = "relcon.NTXent.v1"
        temperature = 0.1
    """

    one_positive = True

    def __init__(self, temperature: float = 0.1, scale: float = 1.0):
        super().__init__(temperature=temperature)
        if not scale > 0:
            raise ValueError(f"scale must be above 0, not {scale}")
        self.scale = scale

    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss, a scalar. anchors [A, D], candidates [C, D], pairing [A, C] with at most one positive per row."""
        if bool(((pairing.positives > 0).sum(1) > 1).any()):
            raise RelconError(
                "relcon.NTXent.v1 wants one positive per anchor, but this stream's batches have several. "
                "Use relcon.SupCon.v1 or relcon.InfoNCE.v1; with one positive they are the same loss."
            )
        return self.scale * super().forward(anchors, candidates, pairing)


class SupCon(InfoNCE):
    """Supervised contrastive loss: all views of the anchor's class are positives.

    With S(a) the anchor's positives and negatives, P(a) its positives and s = cosine / temperature, the mean over anchors of

    * placement = "out": -1/|P(a)| sum over p in P(a) of log( e^s(a,p) / sum over c in S(a) of e^s(a,c) ),
    * placement = "in": -log( 1/|P(a)| sum over p in P(a) of e^s(a,p) / sum over c in S(a) of e^s(a,c) )

    (Khosla et al. 2020, arXiv 2004.11362, eq. 2 and 3; the paper found "out" better). Weighted positives give weighted means
    in place of 1/|P(a)| sums. InfoNCE with several = "outside" is "out"; with "inside" it is "in" less the constant
    log |P(a)|.

    temperature: above 0. placement: the mean over the positives outside (`out`) or inside the logarithm (`in`).

    Config::

        [objective]
        @objectives = "relcon.SupCon.v1"
        temperature = 0.1
        placement = "out"
    """

    def __init__(self, temperature: float = 0.1, placement: Literal["out", "in"] = "out"):
        super().__init__(temperature=temperature, several="outside" if placement == "out" else "inside")
        self.placement = placement

    def terms(self, logits: Tensor, pairing: Pairing) -> Tuple[Tensor, Tensor]:
        """As InfoNCE's; "in" means over the positives instead of summing."""
        loss, mass = super().terms(logits, pairing)
        return (loss + log_weights(mass) if self.placement == "in" else loss), mass


def log_weights(weights: Tensor) -> Tensor:
    """The logarithm, with a large negative number for 0."""
    tiny = torch.finfo(weights.dtype).tiny
    return torch.where(weights > 0, weights.clamp(min=tiny).log(), torch.full_like(weights, NOTHING))


def per_term(pairs: Tensor, pairing: Pairing) -> Tensor:
    """[A, C] -> [G]: the sum over the pairs of each term."""
    return pairs.new_zeros(len(pairing.weights)).index_add(0, pairing.groups, pairs.sum(1))


def log_sum(pairs: Tensor, pairing: Pairing) -> Tensor:
    """[A, C] -> [G]: logsumexp over the pairs of each term."""
    rows, terms = pairs.logsumexp(1), len(pairing.weights)
    if torch.equal(pairing.groups, torch.arange(terms, device=rows.device)):
        return rows
    top = rows.new_full((terms,), NOTHING).scatter_reduce(0, pairing.groups, rows.detach(), "amax")
    summed = rows.new_zeros(terms).index_add(0, pairing.groups, (rows - top[pairing.groups]).exp())
    return top + summed.clamp(min=torch.finfo(rows.dtype).tiny).log()
