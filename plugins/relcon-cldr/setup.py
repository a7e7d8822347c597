"""CLGS, CLDR and CLNER as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "samplers": [
        "cldr.BalancedTokens.v1 = relcon_cldr.samplers:BalancedTokens",
        "cldr.CandidatePairs.v1 = relcon_cldr.samplers:CandidatePairs",
        "cldr.RelationGraphs.v1 = relcon_cldr.samplers:RelationGraphs",
        "cldr.SentenceGraphs.v1 = relcon_cldr.samplers:SentenceGraphs",
    ],
    "encoders": [
        "cldr.GraphConvolution.v1 = relcon_cldr.encoder:GraphConvolution",
    ],
    "stages": [
        "cldr.Neighbours.v1 = relcon_cldr.stage:Neighbours",
    ],
    "extractors": [
        "cldr.NearestNeighbours.v1 = relcon_cldr.extractor:NearestNeighbours",
    ],
    "evaluators": [
        "cldr.Extraction.v1 = relcon_cldr.evaluators:Extraction",
        "cldr.PairProbe.v1 = relcon_cldr.evaluators:PairProbe",
        "cldr.PairScores.v1 = relcon_cldr.evaluators:PairScores",
    ],
}

setup(
    name="relcon-cldr",
    version="0.1.0",
    description="CLGS, CLDR and CLNER for relcon: relation and entity spaces taught by graphs (Theodoropoulos et al., CoNLL 2021).",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_cldr", "relcon_cldr.*"]),
    install_requires=["relcon>=0.1"],
    package_data={"relcon_cldr": ["papers/*.cfg"]},
    entry_points={
        **{f"relcon_{kind}": entries for kind, entries in COMPONENTS.items()},
        "relcon_papers": ["cldr = relcon_cldr.papers"],
    },
)
