"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

import ast
import re
from pathlib import Path
from typing import List, Optional

import pytest

ROOT = Path(__file__).parents[3]
FACTS = {
    1: "NT-Xent: terms, scaling, scale invariance",
    2: "collapse",
    3: "gradient",
    4: "masks",
    5: "projection head",
    6: "shortest dependency path",
    7: "what each operation may change",
    8: "limits of deletion, number of changes",
    9: "WordNet",
    10: "external-knowledge enumeration",
    11: "steps and schedules",
    12: "micro metrics",
    13: "mean of the folds",
    14: "prediction shift",
    15: "sizes of augmented training sets",
}


@pytest.fixture(scope="module")
def tests() -> List[str]:
    """The test functions of the core and of this plugin; the files are read, not imported."""
    folders = (ROOT / "tests", ROOT / "plugins" / "relcon-clre" / "tests")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for folder in folders for path in sorted(folder.rglob("test_*.py"))]
    return [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_every_fact_has_a_test(tests: List[str]):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if not any(of_fact(name) == number for name in tests)]
    assert not missing, "facts without a test, named test_clre_fact_NN_..."


def test_no_test_claims_a_fact_that_there_is_not(tests: List[str]):
    assert {of_fact(name) for name in tests} - {None} <= set(FACTS)


def of_fact(name: str) -> Optional[int]:
    """The number of the fact that a test's name carries: `test_clre_fact_07_swap` -> 7."""
    match = re.match(r"test_clre_fact_(\d\d)(_|$)", name)
    return int(match[1]) if match else None
