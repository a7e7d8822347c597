"""Every objective of the core keeps the contract that plugins' objectives are held to."""

import pytest

from relcon.interfaces import ContrastiveObjective
from relcon.testing import check_objective

SETTINGS = [
    ("NTXent", {}),
    ("NTXent", {"scale": 0.5}),
    ("SupCon", {}),
    ("SupCon", {"placement": "in"}),
    ("InfoNCE", {}),
    ("InfoNCE", {"denominator": "own", "temperature": 0.05}),
    ("InfoNCE", {"denominator": "own", "own_weight": 0.0}),
    ("InfoNCE", {"several": "inside", "weigh": "denominator"}),
    ("InfoNCE", {"similarity": "dot", "reduction": "weighted"}),
    ("InfoNCE", {"reduction": "pairs"}),
    ("InfoNCE", {"reduction": "sum"}),
    ("PairwiseBCE", {}),
    ("MarginPairs", {}),
    ("MarginPairs", {"margin": 1.5, "trainable": True, "half_positive": True}),
]


@pytest.mark.parametrize(("name", "arguments"), SETTINGS, ids=str)
def test_contract(name, arguments):
    check_objective(ContrastiveObjective.registry.get(f"relcon.{name}.v1")(**arguments))
