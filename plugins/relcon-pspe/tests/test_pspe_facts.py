"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

import ast
import re
from pathlib import Path
from typing import List, Optional

import pytest

ROOT = Path(__file__).parents[3]
FACTS = {
    1: "symmetric InfoNCE with a queue",
    2: "gradient flow",
    3: "queue",
    4: "momentum update",
    5: "position-aware attention",
    6: "rows of relative positions",
    7: "permutation classes",
    8: "span convolutions",
    9: "MLP block",
    10: "span lengths",
    11: "views and token boundaries of a worked sentence",
    12: "tag decoding",
    13: "scheduled sampling",
    14: "learning rates",
    15: "metrics",
    16: "total loss",
    17: "shapes",
}


@pytest.fixture(scope="module")
def tests() -> List[str]:
    """The test functions of the core and of this plugin; the files are read, not imported."""
    folders = (ROOT / "tests", ROOT / "plugins" / "relcon-pspe" / "tests")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for folder in folders for path in sorted(folder.rglob("test_*.py"))]
    return [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_every_fact_has_a_test(tests: List[str]) -> None:
    missing = [f"{number}: {what}" for number, what in FACTS.items() if not any(of_fact(name) == number for name in tests)]
    assert not missing, "facts without a test, named test_pspe_fact_NN_..."


def test_no_test_claims_a_fact_that_there_is_not(tests: List[str]) -> None:
    assert {of_fact(name) for name in tests} - {None} <= set(FACTS)


def of_fact(name: str) -> Optional[int]:
    """The number of the fact that a test's name carries: `test_pspe_fact_07_permutation_classes` -> 7."""
    match = re.match(r"test_pspe_fact_(\d\d)(_|$)", name)
    return int(match[1]) if match else None
