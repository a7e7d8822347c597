"""How many positions one forward may take: `micro_batch_tokens = "auto"`."""

import logging
from contextlib import AbstractContextManager
from typing import Dict, Mapping

import psutil
import torch
from torch import Tensor, nn

from relcon import processes
from relcon.contrast import Batch
from relcon.interfaces import Request, Task
from relcon.planning import Key, MicroBatch, plan

log = logging.getLogger(__name__)

SHARE = 0.5
"""How much of the free memory one micro-batch may take: weights, optimizer and other work want some, too."""

PROBE, LEAST, MOST = 512, 256, {"cpu": 1024, "cuda": 65536}
"""Positions of the measured micro-batch; the smallest and the largest answer. A CPU is fastest there (docs/results/speed.md): larger
micro-batches pad more."""


def fitting_tokens(tasks: Mapping[str, Task], batch: Batch, caching: bool) -> int:
    """The largest power of two of positions whose forward fits into half of the free memory, graph included.

    tasks: built, on their device. batch: one of their stream. caching: whether the memory of a whole batch is bounded as well;
    where it is not, a batch that does not fit is warned of. 0 (no limit) where the encoders do not tell lengths, the largest answer
    where nothing that they encode trains. All processes get the smallest answer of any.
    """
    requests: Dict[Key, Request] = {
        (name, own): request for name, task in tasks.items() for own, request in task.requests(batch[task.reads]).items()
    }
    planned = [each for each in plan(requests, PROBE) if each.size]
    if not planned:
        return 0
    device = next((parameter.device for task in tasks.values() for parameter in task.parameters()), torch.device("cpu"))
    most = MOST.get(device.type, MOST["cpu"])
    longest = {id(each.group): each for each in planned}  # the last micro-batch of each encoder
    worst = max(_bytes_per_position(each.ready(), requests) for each in longest.values())
    if not worst:  # nothing that is encoded trains
        return most
    room = SHARE * free_memory(device)
    needed = worst * sum(each.size for each in planned)
    if needed > room and not caching:
        sizes = (needed / 2**30, room / 2**30)
        log.warning("A batch needs about %.1f GiB, half of what is free is %.1f: set [training] gradient_caching = true.", *sizes)
    fits = int(-processes.largest(torch.tensor(-room / worst, dtype=torch.float64)))
    return max(LEAST, min(most, 2 ** (max(fits, 1).bit_length() - 1)))


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available


def _bytes_per_position(part: MicroBatch, requests: Mapping[Key, Request]) -> float:
    """What the graph of a forward keeps for its backward, per position."""
    with torch.random.fork_rng(devices=part.devices), KeptForBackward() as kept:
        part.run(list(requests))
    return kept.bytes / max(part.positions, 1)


class KeptForBackward(AbstractContextManager["KeptForBackward"]):
    """Counts the bytes of all tensors that the graphs made inside keep, parameters excepted."""

    def __init__(self) -> None:
        self.storages: Dict[int, int] = {}
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self._keep, lambda tensor: tensor)

    def _keep(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter) and not (tensor._base is not None and isinstance(tensor._base, nn.Parameter)):
            storage = tensor.untyped_storage()
            self.storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    @property
    def bytes(self) -> int:
        """How many there are so far."""
        return sum(self.storages.values())

    def __enter__(self) -> "KeptForBackward":
        self.hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.hooks.__exit__(*error)
