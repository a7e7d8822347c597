"""PSPE as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "readers": [],
    "samplers": [],
    "poolers": [],
    "towers": [],
    "tasks": [],
}

setup(
    name="relcon-pspe",
    version="0.1.0",
    description="PSPE for relcon: span and span-pair encoders pre-trained on plain text, and joint extraction (Wang et al., EMNLP 2020).",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_pspe", "relcon_pspe.*"]),
    install_requires=["relcon>=0.1"],
    entry_points={f"relcon_{kind}": entries for kind, entries in COMPONENTS.items() if entries},
)
