"""The plain sections of a config: which there are, and the keys and types of `[training]`."""

from dataclasses import dataclass, fields
from typing import Any, Dict, List, Literal, Mapping, Union

SECTIONS: Dict[str, str] = {
    "paths": "files and folders, free keys, each a text or null",
    "vars": "values of your own to refer to with ${vars.name}",
    "training": "seed, batch size, steps, device, precision, trackers",
    "data": "the corpus, a block of @corpora",
    "protocol": "folds, shots or seeds, a block of @protocols (optional)",
    "stages": "what is run, one block of @stages each, in this order",
}
"""The sections that a config may have, and what is in them."""

FREE = ("paths", "vars")
"""Sections whose keys are the user's own."""

LEAST: Dict[str, float] = {
    "batch_size": 1,
    "max_steps": 0,
    "epochs": 0,
    "log_every": 1,
    "micro_batch_tokens": 0,
    "checkpoint_every": 0,
    "keep_last": 1,
    "keep_best": 1,
}
"""The smallest value of a key of `[training]`."""

BOOKKEEPING = ("checkpoint_every", "keep_last", "trackers")
"""Keys of `[training]` that change nothing of what a run comes to: a resumed run may have others."""


Tracker = Literal["aim", "clearml", "comet_ml", "dvclive", "mlflow", "swanlab", "tensorboard", "trackio", "wandb"]
"""What accelerate can write figures to."""


@dataclass(frozen=True)
class Training:
    """The section `[training]`: what holds for a whole run. Stages and samplers refer to it (`${training.batch_size}`).

    seed: the one source of randomness of a run. batch_size: instances per batch. max_steps: optimizer steps of a stage, 0 to
    count by epochs. epochs: passes over the data, for stages that refer to them. device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
    precision: of the encoders (`tf32` of matrix products on an NVIDIA GPU; losses are always computed in float32). compile: encoders
    through torch.compile. log_every: optimizer steps between two lines of `log.jsonl`. trackers: where its figures go as well.
    micro_batch_tokens: the largest number of positions (rows times the longest row, padding included) that one forward of an
    encoder takes; inputs of like length are encoded together. 0: all of a batch at once; `"auto"`: 1,024 on a CPU, where that is
    fastest, on a GPU what its memory has room for, measured when a stage begins. batch_size says what is contrasted, this what fits.
    gradient_caching: contrasts of any batch size in the memory of one micro-batch, for a second forward. The loss and its gradients
    are those of the batch (see docs/training.md).
    checkpoint_every: optimizer steps between two checkpoints within an epoch, 0 for those after each epoch only. keep_last: how
    many checkpoints are kept. keep_best: how many of the best models on development data a stage that selects one keeps.
    """

    seed: int = 0
    batch_size: int = 32
    max_steps: int = 0
    epochs: Union[int, float] = 1
    device: str = "auto"
    precision: Literal["no", "tf32", "bf16", "fp16"] = "no"
    compile: bool = False
    log_every: int = 50
    micro_batch_tokens: Union[int, Literal["auto"]] = "auto"
    gradient_caching: bool = False
    trackers: List[Tracker] = ()  # type: ignore[assignment]  # never changed; a default that survives JSON
    checkpoint_every: int = 0
    keep_last: int = 2
    keep_best: int = 1

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if getattr(self, name) != "auto" and getattr(self, name) < least:
                raise ValueError(too_small(name, getattr(self, name)))

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "Training":
        """The settings of a checked `[training]` section; keys that it leaves out have their defaults."""
        return cls(**{field.name: section[field.name] for field in fields(cls) if field.name in section})


def too_small(name: str, value: Any) -> str:
    """The message about a value below its least."""
    return f"{name} must be at least {LEAST[name]:g}, got {value}."
