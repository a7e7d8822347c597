"""Fixtures for all tests of the core and of the plugins."""

import os
from pathlib import Path
from typing import Callable

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes test at once (`-n 2`): one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("data/chemprot")`: a path below RELCON_SHARED (real corpora, a parser, WordNet); skips the test where it is absent."""
    base = Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared"))

    def find(name: str) -> Path:
        if not (base / name).exists():
            pytest.skip(f"{name} is not below RELCON_SHARED ({base})")
        return base / name

    return find
