"""FineCL and its relatives as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "readers": [],
    "corpora": [],
    "samplers": [],
    "poolers": [
        "finecl.PairWithDistance.v1 = relcon_finecl.document_classifier:PairWithDistance",
    ],
    "towers": [
        "finecl.BilinearTower.v1 = relcon_finecl.document_classifier:BilinearTower",
    ],
    "stages": [],
    "evaluators": [],
    "distant": [],
}

setup(
    name="relcon-finecl",
    version="0.1.0",
    description="FineCL, ERICA, CP, MTB and WCL for relcon: contrast on distantly supervised text (Hogan, Li and Shang, EMNLP 2022).",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_finecl", "relcon_finecl.*"]),
    install_requires=["relcon>=0.1"],
    entry_points={f"relcon_{kind}": entries for kind, entries in COMPONENTS.items() if entries},
)
