"""Relation vectors of a batch of documents as rows: who attracts and who repels whom (Hogan et al., EMNLP 2022, section 4.2)."""

from typing import Dict, List, Literal, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from relcon.contrast import Pairing

UNRELATED = -1
"""The relation of a pair that has none."""

NegativesPer = Literal["anchor", "document"]
WeightOnly = Literal["both", "anchors", "negatives"]
PositiveWeight = Literal["one", "order"]


class Rows(NamedTuple):
    """One row per relation instance or unrelated pair, R of them, all [R].

    document: its number. head, tail: entity numbers within it. relation: class number, or `UNRELATED`. weight: at least 0; a row of
    weight 0 repels none.
    """

    document: Tensor
    head: Tensor
    tail: Tensor
    relation: Tensor
    weight: Tensor

    @classmethod
    def of(cls, rows: Sequence[Tuple[int, int, int, int, float]], dtype: torch.dtype = torch.float32) -> "Rows":
        """From tuples in the order of the fields. dtype: of the weights."""
        document, head, tail, relation = torch.tensor([row[:4] for row in rows], dtype=torch.long).reshape(-1, 4).unbind(1)
        return cls(document, head, tail, relation, torch.tensor([row[4] for row in rows], dtype=dtype))


def couples_of(relations: Sequence[Optional[int]], generator: torch.Generator) -> Tensor:
    """Couples [K, 2] of rows with one relation: those of each relation shuffled and taken two by two; the last of an odd number is left
    over. relations: [R] of each row, None for rows that are in no couple."""
    by_relation: Dict[int, List[int]] = {}
    for row, relation in enumerate(relations):
        if relation is not None:
            by_relation.setdefault(relation, []).append(row)
    found = []
    for rows in by_relation.values():
        shuffled = torch.tensor(rows)[torch.randperm(len(rows), generator=generator)]
        found.append(shuffled[: len(rows) // 2 * 2].reshape(-1, 2))
    return torch.cat(found) if found else torch.zeros(0, 2, dtype=torch.long)


def excluded(rows: Rows, shared_argument: bool = True) -> Tensor:
    """[R, R] bool: which rows are never compared: those of one pair, which have one vector, and with `shared_argument` those of one
    document that have the head in common, or the tail."""
    document, head, tail = (column[:, None] == column[None, :] for column in (rows.document, rows.head, rows.tail))
    return document & ((head | tail) if shared_argument else (head & tail))


def opponents(rows: Rows, shared_argument: bool = True, conflicts: bool = False) -> Tensor:
    """[R, R] bool: which rows may repel the row: those of another relation or of none, unless `excluded`. Unrelated rows have none.

    conflicts: leave out rows whose pair stands in the row's own relation as well.
    """
    allowed = (rows.relation[:, None] != rows.relation[None, :]) & (rows.weight > 0)[None, :] & (rows.relation != UNRELATED)[:, None]
    allowed &= ~excluded(rows, shared_argument)
    return allowed & ~_carries(rows) if conflicts else allowed


def _carries(rows: Rows) -> Tensor:
    """[R, R] bool: whether the pair of the second row stands in the relation of the first."""
    if not len(rows.relation):
        return torch.zeros(0, 0, dtype=torch.bool)
    pair = torch.stack([rows.document, rows.head, rows.tail], 1).unique(dim=0, return_inverse=True)[1]
    stands = torch.zeros(int(pair.max()) + 1, int(rows.relation.max()) + 2, dtype=torch.bool)  # the last column: unrelated
    stands[pair, rows.relation] = True
    return stands[pair][:, rows.relation].T


def at_most(allowed: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """[A, C] bool with at most so many of each row, drawn uniformly without replacement. most: 0 for all."""
    if not most or most >= allowed.shape[1]:
        return allowed
    lots = torch.rand(allowed.shape, generator=generator).masked_fill(~allowed, -1)
    return torch.zeros_like(allowed).scatter(1, lots.topk(most, 1).indices, True) & allowed


def at_most_by_document(allowed: Tensor, rows: Rows, couples: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """[R, R] bool: the anchors of a document have the same rows, at most so many, drawn uniformly from those that may repel one of them;
    each anchor keeps the ones that may repel it.

    allowed: [R, R] bool. couples: [K, 2] rows, the anchors. most: 0 for all.
    """
    documents, number = rows.document.unique(return_inverse=True)
    anchors = (torch.arange(len(documents))[:, None] == number) & torch.isin(torch.arange(len(number)), couples)
    drawn = at_most(anchors.float() @ allowed.float() > 0, most, generator)
    return allowed & drawn[number]


def relation_pairing(
    rows: Rows,
    couples: Tensor,
    negatives: Tensor,
    shared_argument: bool = True,
    weight_only: WeightOnly = "both",
    positive_weight: PositiveWeight = "one",
) -> Pairing:
    """Both members of a couple are anchors, each the other's positive, unless they are `excluded`; negatives repel with their weights,
    and a term weighs what its anchor does.

    couples: [K, 2] rows. negatives: [R, R] bool, those that were drawn. weight_only: the weights of anchors or those of negatives alone
    count; the others are 1, or 0 where the row's is 0. positive_weight: what a positive weighs; `order` is for an objective that weighs it
    in the denominator.
    """
    positives = torch.zeros(len(rows.weight), len(rows.weight), dtype=rows.weight.dtype)
    one, other = couples.unbind(1)
    positives[one, other] = positives[other, one] = 1
    positives = positives * ~excluded(rows, shared_argument)
    paired = (positives > 0).any(1)
    present = (rows.weight > 0).to(rows.weight)
    pull = present if weight_only == "negatives" else rows.weight
    push = present if weight_only == "anchors" else rows.weight
    if positive_weight == "order":
        positives = positives * push[None, :]
    return Pairing.of(positives, (negatives & paired[:, None]) * push[None, :], pull * paired)
