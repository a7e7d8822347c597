"""The device of a run: the one that `[training]` names, or a refusal; never another one in silence."""

from typing import Dict

import torch
from accelerate import Accelerator

from relcon.errors import RelconError
from relcon.settings import Training


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


def accelerator_for(settings: Training) -> Accelerator:
    """accelerate on the configured device, in the configured precision."""
    if settings.device.startswith("cuda:"):
        torch.cuda.set_device(int(settings.device.partition(":")[2]))
    return Accelerator(mixed_precision=settings.precision, cpu=settings.device == "cpu")
