"""CLRE as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "readers": [
        "clre.AugmentationTSV.v1 = relcon_clre.readers:AugmentationTSV",
        "clre.BlindedTSV.v1 = relcon_clre.readers:BlindedTSV",
        "clre.MentionedText.v1 = relcon_clre.readers:MentionedText",
    ],
    "augmenters": [
        "clre.PathPreservingDeletion.v1 = relcon_clre.augmenters:PathPreservingDeletion",
        "clre.PathPreservingSwap.v1 = relcon_clre.augmenters:PathPreservingSwap",
        "clre.PathPreservingSynonyms.v1 = relcon_clre.augmenters:PathPreservingSynonyms",
    ],
    "stages": [
    ],
    "evaluators": [
        "clre.PredictionShift.v1 = relcon_clre.prediction_shift:PredictionShift",
    ],
    "builders": [
        "clre.ExternalKnowledge.v1 = relcon_clre.builders:ExternalKnowledge",
    ],
}

setup(
    name="relcon-clre",
    version="0.1.0",
    description="CLRE for relcon: contrastive pre-training with dependency-path-preserving augmentation (Su et al., BioNLP 2021).",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_clre", "relcon_clre.*"]),
    install_requires=["relcon>=0.1"],
    package_data={"relcon_clre": ["papers/*.cfg"]},
    entry_points={
        **{f"relcon_{kind}": entries for kind, entries in COMPONENTS.items()},
        "relcon_papers": ["clre = relcon_clre.papers"],
    },
)
