"""PSPE as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "readers": [
        "pspe.Sentences.v1 = relcon_pspe.readers:Sentences",
    ],
    "samplers": [
        "pspe.JointSentences.v1 = relcon_pspe.joint_sampler:JointSentences",
        "pspe.SpanPairs.v1 = relcon_pspe.sampler:SpanPairs",
    ],
    "poolers": [
        "pspe.Sentence.v1 = relcon_pspe.sentence_vectors:SentenceVector",
        "pspe.Span.v1 = relcon_pspe.spans:SpanEncoder",
        "pspe.SpanPair.v1 = relcon_pspe.pairs:SpanPairEncoder",
    ],
    "towers": [
        "pspe.Tower.v1 = relcon_pspe.tower:BlockTower",
    ],
    "evaluators": [
        "pspe.TagScores.v1 = relcon_pspe.evaluators:TagScores",
    ],
    "tasks": [
        "pspe.JointExtraction.v1 = relcon_pspe.joint:JointExtraction",
        "pspe.SpanPermutation.v1 = relcon_pspe.tasks:SpanPermutation",
        "pspe.TokenBoundary.v1 = relcon_pspe.tasks:TokenBoundary",
    ],
}

setup(
    name="relcon-pspe",
    version="0.1.0",
    description="PSPE for relcon: span and span-pair encoders pre-trained on plain text, and joint extraction (Wang et al., EMNLP 2020).",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_pspe", "relcon_pspe.*"]),
    install_requires=["relcon>=0.1"],
    package_data={"relcon_pspe": ["papers/*.cfg"]},
    entry_points={
        **{f"relcon_{kind}": entries for kind, entries in COMPONENTS.items() if entries},
        "relcon_papers": ["pspe = relcon_pspe.papers"],
    },
)
