"""Optimizers: which parameters train, with which rate and decay."""

import math
from typing import Any, Callable, Dict, Iterable, List, Optional

import torch
from torch import Tensor, nn

from relcon.errors import RelconError
from relcon.interfaces import Encoder, OptimizerPlan


class AdamW(OptimizerPlan):
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101), without decay on biases, normalisations and scalars.

    lr: the learning rate of encoders, and of all else unless `head_lr` says otherwise. head_lr: that of everything that is in
    no encoder (poolers, heads, classifiers, a trainable margin). weight_decay: decoupled decay of matrices.
    betas: two decay rates of the moments, each in [0, 1). eps: added to the root of the second moment.

    Config::

        [optimizer]
        @optimizers = "relcon.AdamW.v1"
        lr = 2e-5
    """

    def __init__(
        self,
        lr: float = 2e-5,
        weight_decay: float = 0.01,
        betas: Optional[List[float]] = None,
        eps: float = 1e-8,
        head_lr: Optional[float] = None,
    ):
        self.lr, self.weight_decay, self.eps, self.head_lr = lr, weight_decay, eps, head_lr
        self.betas = [0.9, 0.999] if betas is None else betas
        check(lr, weight_decay, self.betas, eps, head_lr)

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters. RelconError where there is none."""
        groups = parameter_groups(module, self.lr, self.weight_decay, self.head_lr)
        return torch.optim.AdamW(groups, lr=self.lr, betas=(self.betas[0], self.betas[1]), eps=self.eps)


class Adam(OptimizerPlan):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), its weight decay an L2 penalty: part of the gradient, for every parameter.

    lr, head_lr, betas, eps: as in relcon.AdamW.v1. weight_decay: the penalty's factor.

    Config::

        [optimizer]
        @optimizers = "relcon.Adam.v1"
        lr = 1e-5
        weight_decay = 1e-6
    """

    def __init__(
        self,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        betas: Optional[List[float]] = None,
        eps: float = 1e-8,
        head_lr: Optional[float] = None,
    ):
        self.lr, self.weight_decay, self.eps, self.head_lr = lr, weight_decay, eps, head_lr
        self.betas = [0.9, 0.999] if betas is None else betas
        check(lr, weight_decay, self.betas, eps, head_lr)

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters. RelconError where there is none."""
        groups = parameter_groups(module, self.lr, self.weight_decay, self.head_lr)
        for group in groups:
            group["weight_decay"] = self.weight_decay
        return torch.optim.Adam(groups, lr=self.lr, betas=(self.betas[0], self.betas[1]), eps=self.eps)


class BertAdamW(OptimizerPlan):
    """The optimizer of BERT's released TensorFlow code: AdamW without bias correction.

    m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr (m / (sqrt(v) + eps) + weight_decay w), without decay on biases,
    normalisations and scalars (Devlin et al. 2019, arXiv 1810.04805). Without bias correction early steps are larger; with
    betas 0.9 and 0.999 the first one about 3 times. Zhang et al. 2021 (arXiv 2006.05987) found it unstable on small data.

    lr, head_lr, weight_decay, betas, eps: as in relcon.AdamW.v1.

    Config::

        [optimizer]
        @optimizers = "relcon.BertAdamW.v1"
        lr = 2e-5
    """

    def __init__(
        self,
        lr: float = 2e-5,
        weight_decay: float = 0.01,
        betas: Optional[List[float]] = None,
        eps: float = 1e-6,
        head_lr: Optional[float] = None,
    ):
        self.lr, self.weight_decay, self.eps, self.head_lr = lr, weight_decay, eps, head_lr
        self.betas = [0.9, 0.999] if betas is None else betas
        check(lr, weight_decay, self.betas, eps, head_lr)

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters. RelconError where there is none."""
        return UncorrectedAdamW(parameter_groups(module, self.lr, self.weight_decay, self.head_lr), self.lr, self.betas, self.eps)


class UncorrectedAdamW(torch.optim.Optimizer):
    """The update rule of `BertAdamW`.

    groups: parameters, or dicts with `params` and, each optional, `lr` and `weight_decay`. lr, betas, eps: their defaults.
    """

    def __init__(self, groups: Iterable[Any], lr: float, betas: List[float], eps: float, weight_decay: float = 0.0):
        super().__init__(groups, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Optional[Callable[[], float]] = None) -> Optional[float]:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, group)
        return loss

    def _update(self, weight: Tensor, group: Dict[str, Any]) -> None:
        state, (first, second) = self.state[weight], group["betas"]
        if not state:
            state["mean"], state["square"] = torch.zeros_like(weight), torch.zeros_like(weight)
        state["mean"].mul_(first).add_(weight.grad, alpha=1 - first)
        state["square"].mul_(second).addcmul_(weight.grad, weight.grad, value=1 - second)
        change = state["mean"] / state["square"].sqrt().add_(group["eps"])
        weight.sub_(change.add_(weight, alpha=group["weight_decay"]), alpha=group["lr"])


def parameter_groups(module: nn.Module, lr: float, weight_decay: float, head_lr: Optional[float]) -> List[Dict[str, Any]]:
    """Trainable parameters by rate and decay, each group and its members in the module's own order.

    Vectors and scalars (biases, weights of normalisations, a margin) are not decayed. RelconError where nothing trains.
    """
    encoders = {id(weight) for part in module.modules() if isinstance(part, Encoder) for weight in part.parameters()}
    groups: Dict[Any, Dict[str, Any]] = {}
    for weight in module.parameters():
        if not weight.requires_grad:
            continue
        rate = lr if head_lr is None or id(weight) in encoders else head_lr
        decay = weight_decay if weight.dim() > 1 else 0.0
        groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})["params"].append(weight)
    if not groups:
        raise RelconError("No parameter is trainable: everything is frozen. Freeze fewer layers of the encoder.")
    return list(groups.values())


def check(lr: float, weight_decay: float, betas: List[float], eps: float, head_lr: Optional[float]) -> None:
    """ValueError naming the argument that is out of range."""
    for name, value in (("lr", lr), ("weight_decay", weight_decay), ("eps", eps), ("head_lr", head_lr)):
        if value is not None and not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite and not below 0, not {value}")
    if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas must be two numbers of at least 0 and below 1, not {betas}")
