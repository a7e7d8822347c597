"""The device that the config names, or a refusal."""

import pytest
import torch

from relcon.errors import RelconError
from relcon.settings import Training
from relcon.training.device import accelerator_for, require_device


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_what_is_always_there(device):
    require_device(Training(device=device))


@pytest.mark.parametrize(
    "device, said",
    [
        ("gpu", "'gpu' is no device. Valid: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'"),
        ("cdua", "'cdua' is no device. Valid: "),
        ("cpu:1", "'cpu:1' is no device"),
        ("cuda:one", "'cuda:one' is no device"),
        ("cuda:99", "finds no 'cuda:99' on this machine"),
    ],
)
def test_what_is_not(device, said):
    with pytest.raises(RelconError) as error:
        require_device(Training(device=device))
    assert str(error.value).startswith("[training] device: ") and said in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_never_replaced_by_the_processor():
    with pytest.raises(RelconError, match="finds no 'cuda' on this machine"):
        require_device(Training(device="cuda"))


def test_half_precision_needs_a_gpu():
    with pytest.raises(RelconError, match="needs a GPU"):
        require_device(Training(device="cpu", precision="fp16"))
    require_device(Training(device="cpu", precision="bf16"))


def test_the_processor_where_it_is_asked_for():
    assert accelerator_for(Training(device="cpu")).device == torch.device("cpu")


def test_a_process_may_train_twice_in_other_settings():
    for precision in ("bf16", "no", "bf16"):
        accelerator = accelerator_for(Training(device="cpu", precision=precision))
        assert (accelerator.mixed_precision, accelerator.device.type) == (precision, "cpu")
