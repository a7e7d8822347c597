"""One seed, one result: every random stream of a run is derived from its seed and a name."""

import hashlib
from typing import Union

import torch


def derive(seed: int, *names: Union[str, int]) -> int:
    """A seed for one purpose (`derive(3, "pretrain", "views", epoch)`), the same on every machine."""
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return int.from_bytes(digest[:7], "big")


def generator(seed: int, *names: Union[str, int]) -> torch.Generator:
    """A CPU random generator for one purpose."""
    return torch.Generator().manual_seed(derive(seed, *names))


def seed_torch(seed: int, *names: Union[str, int]) -> None:
    """Seed torch's global stream (initial weights, dropout) for one purpose."""
    torch.manual_seed(derive(seed, *names))
