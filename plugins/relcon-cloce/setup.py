"""CLoCE as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "readers": [
        "cloce.SpacyTypes.v1 = relcon_cloce.spacy_types:SpacyTypes",
    ],
    "renderers": [
        "cloce.Prompt.v1 = relcon_cloce.prompt:Prompt",
    ],
    "samplers": [
        "cloce.ErrorPairs.v1 = relcon_cloce.pairs:ErrorPairs",
    ],
    "tasks": [
        "cloce.SoftLabels.v1 = relcon_cloce.soft_labels:SoftLabels",
    ],
    "stages": [
        "cloce.Alternation.v1 = relcon_cloce.stage:Alternation",
    ],
}

setup(
    name="relcon-cloce",
    version="0.1.0",
    description="CLoCE for relcon: prompts with soft labels, and contrast on mispredicted instances.",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_cloce", "relcon_cloce.*"]),
    install_requires=["relcon>=0.1"],
    package_data={"relcon_cloce": ["papers/*.cfg"]},
    entry_points={
        **{f"relcon_{kind}": entries for kind, entries in COMPONENTS.items() if entries},
        "relcon_papers": ["cloce = relcon_cloce.papers"],
    },
)
