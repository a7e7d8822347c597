"""Fixtures for all tests of the core and of the plugins."""

import ast
import os
import re
from pathlib import Path
from typing import Callable, Set

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


@pytest.fixture(scope="session")
def facts() -> Callable[[str], Set[int]]:
    """`facts("clre_fact_")`: the numbers of a specification's acceptance facts that tests carry in their names (`test_clre_fact_07_swap`).
    The files are read, not imported."""
    files = [file for folder in (ROOT / "tests", ROOT / "plugins") for file in sorted(folder.rglob("test_*.py"))]
    names = [node.name for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)]

    def find(prefix: str) -> Set[int]:
        found = (re.match(rf"test_{prefix}(\d\d)(_|$)", name) for name in names)
        return {int(match[1]) for match in found if match}

    return find
