"""One seed, one result: every random stream of a run is derived from its seed and a name."""

import hashlib
from typing import Dict, Mapping, Union

import torch
from torch import Tensor


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


def random_state() -> Dict[str, Tensor]:
    """The state of torch's global streams, by device: what a checkpoint keeps."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        state.update({f"cuda:{number}": each for number, each in enumerate(torch.cuda.get_rng_state_all())})
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: Mapping[str, Tensor]) -> None:
    """Put torch's global streams back to where they were; streams of devices that this machine lacks are passed over."""
    torch.set_rng_state(state["cpu"])
    for name, each in state.items():
        if name.startswith("cuda:") and int(name[5:]) < torch.cuda.device_count():
            torch.cuda.set_rng_state(each, name)
        if name == "mps" and torch.backends.mps.is_available():
            torch.mps.set_rng_state(each)
