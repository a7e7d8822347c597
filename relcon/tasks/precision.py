"""Losses are computed in full precision, whatever the encoder runs in."""

from contextlib import contextmanager
from typing import Callable, Iterator

import torch
from torch import Tensor


@contextmanager
def full_precision(like: Tensor) -> Iterator[Callable[[Tensor], Tensor]]:
    """Autocast and TF32 are off inside, and the given function makes a tensor float32, unless it is float64.

    A softmax over cosines divided by 0.1 loses its second digit in bfloat16, its third in TF32.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(like.device.type, enabled=False):
            yield lambda x: x if x.dtype == torch.float64 else x.float()
    finally:
        torch.set_float32_matmul_precision(before)
