"""Who attracts and who repels whom, written from row numbers, labels and keys. Samplers use these, and plugins may."""

from typing import Dict, Hashable, List, Literal, Optional, Sequence

import torch

from relcon.contrast import Pairing

NegativePolicy = Literal["ignore", "own", "negatives"]
"""What the label 'no relation' does: take no part, be a class like any other, or only repel and never attract."""


def partners(rows: int) -> Pairing:
    """Rows 2k and 2k + 1 are partners: each attracts the other and repels all other rows. rows: even, [rows, rows]."""
    if rows % 2:
        raise ValueError(f"partners need an even number of rows, not {rows}")
    me = torch.arange(rows)
    positives = (me[:, None] == (me ^ 1)[None, :]).float()
    return Pairing.of(positives, 1 - positives - torch.eye(rows))


def by_label(
    labels: Sequence[int], keys: Optional[Sequence[int]] = None, negative: Sequence[int] = (), policy: NegativePolicy = "ignore"
) -> Pairing:
    """Equal labels attract, different ones repel, [N, N].

    labels: class numbers [N]. keys: identity of the rows [N]; rows of one key do neither (each its own key unless said).
    negative: the class numbers that mean 'no relation'. policy: what rows with one of them do. `ignore`: they take no part.
    `own`: they are classes like any other. `negatives`: they repel the other rows, but neither attract nor are anchors.
    """
    y = torch.as_tensor(list(labels), dtype=torch.long)
    own_key = torch.arange(len(y)) if keys is None else torch.as_tensor(list(keys), dtype=torch.long)
    other = own_key[:, None] != own_key[None, :]
    same = y[:, None] == y[None, :]
    positives, negatives = same & other, ~same & other
    if policy != "own":
        none = torch.isin(y, torch.as_tensor(list(negative), dtype=torch.long))
        positives = positives & ~none[:, None]
        negatives = negatives & ~none[:, None]
        if policy == "ignore":
            negatives = negatives & ~none[None, :]
        return Pairing.of(positives.float(), negatives.float(), weights=(~none).float())
    return Pairing.of(positives.float(), negatives.float())


def mask_same(pairing: Pairing, keys: Sequence[int]) -> Pairing:
    """Rows of one key do not repel each other; positives stay. keys [N]; for pairings whose candidates are the anchors."""
    key = torch.as_tensor(list(keys), dtype=torch.long)
    return Pairing(pairing.positives, pairing.negatives * (key[:, None] != key[None, :]), pairing.weights, pairing.groups)


def numbered(values: Sequence[Hashable]) -> List[int]:
    """Equal values get equal numbers, in the order in which they are met; each None is a value of its own."""
    seen: Dict[Hashable, int] = {}
    return [seen.setdefault((number,) if value is None else (None, value), len(seen)) for number, value in enumerate(values)]
