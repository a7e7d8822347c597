"""Several processes, one run: which one speaks, and what they tell each other.

Every process draws the same batches and judges all of their vectors; only the encoding is dealt out (`relcon.planning`). What they
exchange is vectors, masks, counts and gradients. In a run of one process nothing here does anything.
"""

from typing import Callable, Iterator, List, Sequence, Tuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from relcon.errors import RelconError

BUCKET = 2**24
"""How many gradient elements travel at once."""

Made = TypeVar("Made")

Rows = Tuple[Tensor, Tensor]
"""Numbers [n] and the rows [n, D] that belong there."""


def count() -> int:
    """How many processes work on this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if count() > 1 else 0


def is_main() -> bool:
    """Whether this process writes and speaks for all."""
    return rank() == 0


def on_main(work: Callable[[], object]) -> None:
    """Do something once, in the main process; the others wait until it is done. Where it fails the others end too."""
    failure = None
    if is_main():
        try:
            work()
        except BaseException as error:
            failure = error
    failed = bool(summed(torch.tensor(float(failure is not None))))
    if failure is not None:
        raise failure
    if failed:
        raise RelconError("The main process stopped; its own message says why.")


def main_first(work: Callable[[], Made]) -> Made:
    """Do something in every process, the main one first: what it cached the others find."""
    made: List[Made] = []
    on_main(lambda: made.append(work()))
    return made[0] if made else work()


def wait() -> None:
    """Go on when all processes have come here."""
    summed(torch.zeros(1))


# ---- numbers -------------------------------------------------------------------------------------------------------------


def summed(tensor: Tensor) -> Tensor:
    """The sum over all processes."""
    return _reduced(tensor, dist.ReduceOp.SUM)


def largest(tensor: Tensor) -> Tensor:
    """The elementwise maximum over all processes."""
    return _reduced(tensor, dist.ReduceOp.MAX)


def _reduced(tensor: Tensor, how: dist.ReduceOp.RedOpType) -> Tensor:
    if count() == 1:
        return tensor
    carried = tensor.detach().clone().to(_carrier() or tensor.device)
    dist.all_reduce(carried, how)
    return carried.to(tensor.device)


def _carrier() -> "torch.device | None":
    """Where tensors must lie to travel; None: anywhere."""
    return torch.device("cuda", torch.cuda.current_device()) if "nccl" in dist.get_backend() else None


def require_same(number: int, what: str) -> None:
    """RelconError where the processes do not hold the same number (below 2 ** 53): they have drifted apart."""
    pair = torch.tensor([float(number), -float(number)], dtype=torch.float64)
    if not torch.equal(largest(pair), pair):
        raise RelconError(f"The processes of this run do not have the same {what}. Give all of them the same config, data and versions.")


# ---- rows and gradients --------------------------------------------------------------------------------------------------


def together(requests: Sequence[Tuple[int, Sequence[Rows]]]) -> List[Tensor]:
    """For each request its rows of all processes, every row in its place.

    requests: how many rows there are in all, and those that this process has. Returns one [total, D] each, without a graph.
    """
    if count() == 1:
        return [_placed(total, found[0][1], found) for total, found in requests]
    shapes = largest(torch.tensor([_shape(found) for _, found in requests]))
    placed = []
    for (total, found), (width, wide) in zip(requests, shapes.tolist(), strict=True):
        like = torch.empty(0, width, dtype=torch.float64 if wide else torch.float32, device=_carrier())
        placed.append(summed(_placed(total, like, found)))
    return placed


def _shape(found: Sequence[Rows]) -> Tuple[int, int]:
    """The width of the rows (0 where this process has none), and whether they are of double precision."""
    return (found[0][1].shape[1], int(found[0][1].dtype == torch.float64)) if found else (0, 0)


def _placed(total: int, like: Tensor, found: Sequence[Rows]) -> Tensor:
    """[total, D]: the rows in their places, zeros elsewhere, on the device and in the precision of `like` [any, D]."""
    placed = like.new_zeros(total, like.shape[1])
    for numbers, rows in found:
        placed[numbers.to(placed.device)] = rows.detach().to(placed)
    return placed


def sum_gradients(module: nn.Module) -> None:
    """Add up every parameter's gradient over all processes. One that no process has a gradient for keeps none."""
    if count() == 1:
        return
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    having = largest(torch.tensor([float(parameter.grad is not None) for parameter in parameters]))
    moved = [parameter for parameter, has in zip(parameters, having.tolist(), strict=True) if has]
    for bucket in _buckets(moved):
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in bucket]
        flat = summed(torch.cat([gradient.reshape(-1) for gradient in gradients]))
        for parameter, gradient in zip(bucket, flat.split([each.numel() for each in bucket]), strict=True):
            parameter.grad = gradient.view_as(parameter)


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[List[nn.Parameter]]:
    """The parameters in groups of one type and device, none (unless a single parameter is) larger than BUCKET."""
    bucket: List[nn.Parameter] = []
    for parameter in parameters:
        fits = sum(each.numel() for each in bucket) + parameter.numel() <= BUCKET
        if bucket and not (fits and (bucket[0].dtype, bucket[0].device) == (parameter.dtype, parameter.device)):
            yield bucket
            bucket = []
        bucket.append(parameter)
    if bucket:
        yield bucket
