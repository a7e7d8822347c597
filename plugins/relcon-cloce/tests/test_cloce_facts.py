"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

import ast
import re
from pathlib import Path
from typing import List, Optional

import pytest

ROOT = Path(__file__).parents[3]
FACTS = {
    1: "margin loss",
    2: "gradients of the margin loss",
    3: "a bare margin only shrinks",
    4: "parametrised margin",
    5: "prompt string",
    6: "encoded pair",
    7: "entity replacement",
    8: "pair construction",
    9: "soft labels",
    10: "pooling",
    11: "metric",
    12: "what trains",
    13: "label words",
    14: "patches",
    15: "sizes of few-shot sets",
}


@pytest.fixture(scope="module")
def tests() -> List[str]:
    """The test functions of the core and of this plugin; the files are read, not imported."""
    folders = (ROOT / "tests", ROOT / "plugins" / "relcon-cloce" / "tests")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for folder in folders for path in sorted(folder.rglob("test_*.py"))]
    return [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_every_fact_has_a_test(tests: List[str]):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if not any(of_fact(name) == number for name in tests)]
    assert not missing, "facts without a test, named test_cloce_gNN_..."


def test_no_test_claims_a_fact_that_there_is_not(tests: List[str]):
    assert {of_fact(name) for name in tests} - {None} <= set(FACTS)


def of_fact(name: str) -> Optional[int]:
    """The number of the fact that a test's name carries: `test_cloce_g07_entity_replacement` -> 7."""
    match = re.match(r"test_cloce_g(\d\d)(_|$)", name)
    return int(match[1]) if match else None
