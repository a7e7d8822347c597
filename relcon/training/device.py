"""The device and the precision of a run: what `[training]` names, or a refusal; never something else in silence."""

import os
from datetime import timedelta
from typing import Dict

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from relcon.errors import RelconError
from relcon.settings import Training
from relcon.training.compiling import require_compiler

PATIENCE = timedelta(days=7)
"""How long processes wait for one another."""


def require_device(settings: Training) -> None:
    """RelconError where `[training] device` is unknown or not on this machine, or cannot compute in `precision`."""
    there: Dict[str, int] = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    kind, colon, number = settings.device.partition(":")
    if settings.device != "auto" and (kind not in there or (colon and not (kind == "cuda" and number.isdigit()))):
        raise RelconError(f"[training] device: '{settings.device}' is no device. Valid: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.")
    if settings.device != "auto" and int(number or 0) >= there[kind]:
        raise RelconError(
            f'[training] device: torch {torch.__version__} finds no \'{settings.device}\' on this machine. Take "auto" or "cpu".'
        )
    gpu = there["cuda"] or there["mps"] if settings.device == "auto" else kind != "cpu"
    if settings.precision == "fp16" and not gpu:
        raise RelconError('[training] precision: "fp16" needs a GPU. Take "bf16" or "no".')
    if settings.precision == "tf32" and (settings.device == "cpu" or not has_tf32()):
        raise RelconError('[training] precision: "tf32" needs an NVIDIA GPU of the Ampere generation or newer. Take "no" or "bf16".')
    if settings.compile:
        require_compiler()


def has_tf32() -> bool:
    """Whether the GPU multiplies in TF32: elsewhere the setting would do nothing, and a run would claim what it did not do."""
    return torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)


def join_processes(settings: Training) -> None:
    """Take a place among the processes that `torchrun` or `accelerate launch` started; nothing where there is but one.

    They wait for each other as long as it takes: one may parse a corpus that the others then find cached.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.distributed.is_initialized():
        PartialState(cpu=settings.device == "cpu", timeout=PATIENCE)


def leave_processes() -> None:
    """Say goodbye to the other processes, where there are any."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def accelerator_for(settings: Training) -> Accelerator:
    """accelerate on the configured device, in the configured precision."""
    if settings.device.startswith("cuda:"):
        torch.cuda.set_device(int(settings.device.partition(":")[2]))
    tf32 = settings.precision == "tf32"
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    forget_settings()
    return Accelerator(mixed_precision="no" if tf32 else settings.precision, cpu=settings.device == "cpu")


def forget_settings() -> None:
    """accelerate keeps the first device and precision of a process for good; here a process may train twice, in other settings.
    Where several processes train together their connection stays."""
    together = bool(PartialState._shared_state) and PartialState().num_processes > 1
    AcceleratorState._reset_state(reset_partial_state=not together)
