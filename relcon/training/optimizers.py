"""Optimizers: which parameters train, with which rate and decay."""

import math
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional

import torch
from torch import Tensor, nn

from relcon.errors import RelconError
from relcon.interfaces import Encoder, OptimizerPlan


class AdamW(OptimizerPlan):
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101), without decay on biases, normalisations and scalars.

    lr: the learning rate of encoders, and of all else unless `head_lr` says otherwise. head_lr: that of everything that is in
    no encoder (poolers, heads, classifiers, a trainable margin).
    layer_decay: in (0, 1]; layer i of N of an encoder, counted from 0 and from below, has the rate lr * layer_decay^(N - 1 - i)
    (discriminative fine-tuning: Howard and Ruder 2018, arXiv 1801.06146). What of an encoder is in no layer (embeddings, BERT's pooler)
    has lr, and so has an encoder that is not built of layers. decay_embeddings: embeddings have lr * layer_decay^N instead.
    weight_decay: decoupled decay of matrices. decay_all: of every parameter.
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
        layer_decay: float = 1.0,
        decay_embeddings: bool = False,
        decay_all: bool = False,
    ):
        self.rates = Rates(lr, head_lr, layer_decay, decay_embeddings)
        self.weight_decay, self.decay_all, self.eps = weight_decay, decay_all, eps
        self.betas = [0.9, 0.999] if betas is None else betas
        check(self.rates, weight_decay, self.betas, eps)

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters. RelconError where there is none."""
        groups = parameter_groups(module, self.rates, self.weight_decay, self.decay_all)
        return torch.optim.AdamW(groups, lr=self.rates.lr, betas=(self.betas[0], self.betas[1]), eps=self.eps)


class Adam(OptimizerPlan):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), its weight decay an L2 penalty: part of the gradient, for every parameter.

    lr, head_lr, layer_decay, decay_embeddings, betas, eps: as in relcon.AdamW.v1. weight_decay: the penalty's factor.

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
        layer_decay: float = 1.0,
        decay_embeddings: bool = False,
    ):
        self.rates = Rates(lr, head_lr, layer_decay, decay_embeddings)
        self.weight_decay, self.eps = weight_decay, eps
        self.betas = [0.9, 0.999] if betas is None else betas
        check(self.rates, weight_decay, self.betas, eps)

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters. RelconError where there is none."""
        groups = parameter_groups(module, self.rates, self.weight_decay)
        for group in groups:
            group["weight_decay"] = self.weight_decay
        return torch.optim.Adam(groups, lr=self.rates.lr, betas=(self.betas[0], self.betas[1]), eps=self.eps)


class BertAdamW(OptimizerPlan):
    """The optimizer of BERT's released TensorFlow code: AdamW without bias correction.

    m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr (m / (sqrt(v) + eps) + weight_decay w), without decay on biases,
    normalisations and scalars (Devlin et al. 2019, arXiv 1810.04805). Without bias correction early steps are larger; with
    betas 0.9 and 0.999 the first one about 3 times. Zhang et al. 2021 (arXiv 2006.05987) found it unstable on small data.

    lr, head_lr, layer_decay, decay_embeddings, weight_decay, decay_all, betas, eps: as in relcon.AdamW.v1.

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
        layer_decay: float = 1.0,
        decay_embeddings: bool = False,
        decay_all: bool = False,
    ):
        self.rates = Rates(lr, head_lr, layer_decay, decay_embeddings)
        self.weight_decay, self.decay_all, self.eps = weight_decay, decay_all, eps
        self.betas = [0.9, 0.999] if betas is None else betas
        check(self.rates, weight_decay, self.betas, eps)

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters. RelconError where there is none."""
        groups = parameter_groups(module, self.rates, self.weight_decay, self.decay_all)
        return UncorrectedAdamW(groups, self.rates.lr, self.betas, self.eps)


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


class Rates(NamedTuple):
    """Learning rates, as of `AdamW`: those of encoders, of all else, and how they fall from layer to layer."""

    lr: float
    head_lr: Optional[float] = None
    layer_decay: float = 1.0
    decay_embeddings: bool = False


def parameter_groups(module: nn.Module, rates: Rates, weight_decay: float, decay_all: bool = False) -> List[Dict[str, Any]]:
    """Trainable parameters by rate and decay, each group and its members in the module's own order.

    Vectors and scalars (biases, weights of normalisations, a margin) are not decayed unless `decay_all` says so. RelconError where
    nothing trains.
    """
    factors = encoder_factors(module, rates)
    head_lr = rates.lr if rates.head_lr is None else rates.head_lr
    groups: Dict[Any, Dict[str, Any]] = {}
    for weight in module.parameters():
        if not weight.requires_grad:
            continue
        rate = rates.lr * factors[id(weight)] if id(weight) in factors else head_lr
        decay = weight_decay if decay_all or weight.dim() > 1 else 0.0
        groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})["params"].append(weight)
    if not groups:
        raise RelconError("No parameter is trainable: everything is frozen. Freeze fewer layers of the encoder.")
    return list(groups.values())


def encoder_factors(module: nn.Module, rates: Rates) -> Dict[int, float]:
    """By the id of every parameter of an encoder: the factor of its learning rate."""
    encoders = [part for part in module.modules() if isinstance(part, Encoder)]
    factors = {id(weight): 1.0 for encoder in encoders for weight in encoder.parameters()}
    if rates.layer_decay == 1:
        return factors
    for encoder in encoders:
        layers = encoder.layers()
        for below, layer in enumerate(reversed(layers)):
            factors.update({id(weight): rates.layer_decay**below for weight in layer.parameters()})
        if rates.decay_embeddings:
            lowest = rates.layer_decay ** len(layers)
            factors.update({id(weight): lowest for part in encoder.embeddings() for weight in part.parameters()})
    return factors


def check(rates: Rates, weight_decay: float, betas: List[float], eps: float) -> None:
    """ValueError naming the argument that is out of range."""
    for name, value in (("lr", rates.lr), ("weight_decay", weight_decay), ("eps", eps), ("head_lr", rates.head_lr)):
        if value is not None and not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite and not below 0, not {value}")
    if not 0 < rates.layer_decay <= 1:
        raise ValueError(f"layer_decay must be above 0 and at most 1, not {rates.layer_decay}")
    if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas must be two numbers of at least 0 and below 1, not {betas}")
