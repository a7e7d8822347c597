"""accelerate keeps precision and device for the whole process: no test inherits those of another."""

from typing import Iterator

import pytest
import torch

from relcon.training.device import forget_settings


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """As a new process finds them."""
    yield
    forget_settings()
    torch.set_float32_matmul_precision("highest")
