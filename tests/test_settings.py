"""`[training]`: defaults, types, least values."""

from dataclasses import replace

import pytest

from relcon.settings import Training


def test_defaults():
    plain = Training(seed=0, batch_size=32, max_steps=0, epochs=1, device="auto", precision="no", log_every=50)
    assert Training.of({}) == replace(plain, checkpoint_every=0, keep_last=2, keep_best=1)


def test_keys_given():
    assert Training.of({"seed": 3, "epochs": 0.5}).epochs == 0.5


@pytest.mark.parametrize(
    "key, value",
    [
        ("batch_size", 0),
        ("max_steps", -1),
        ("epochs", -0.5),
        ("log_every", 0),
        ("checkpoint_every", -1),
        ("keep_last", 0),
        ("keep_best", 0),
    ],
)
def test_too_small(key, value):
    with pytest.raises(ValueError, match=f"{key} must be at least"):
        Training.of({key: value})
