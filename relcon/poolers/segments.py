"""Sums over parts of a tensor, for poolers."""

from typing import Tuple

import torch
from torch import Tensor

from relcon.contrast import Spans


def positions(spans: Spans) -> Tuple[Tensor, Tensor, Tensor]:
    """Every position of every span: span number [T], row [T], position [T]."""
    length = spans.end - spans.start
    number = torch.arange(len(length), device=length.device).repeat_interleave(length)
    begin = (length.cumsum(0) - length)[number]
    position = spans.start[number] + torch.arange(len(number), device=length.device) - begin
    return number, spans.row[number], position


def segment_mean(vectors: Tensor, segment: Tensor, count: int) -> Tensor:
    """Means [count, H] of vectors [T, H] by their segment [T]; zeros for a segment without any."""
    total = vectors.new_zeros(count, vectors.shape[1]).index_add(0, segment, vectors)
    size = torch.bincount(segment, minlength=count).clamp(min=1)
    return total / size[:, None].to(total.dtype)


def segment_max(vectors: Tensor, segment: Tensor, count: int) -> Tensor:
    """Largest values [count, H] of vectors [T, H] by their segment [T]; every segment has at least one."""
    start = vectors.new_full((count, vectors.shape[1]), -torch.inf)
    return start.scatter_reduce(0, segment[:, None].expand_as(vectors), vectors, "amax", include_self=False)
