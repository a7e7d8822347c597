"""FineCL and its relatives as a plugin: everything the core will ever know of it stands in these entry points."""

from setuptools import find_packages, setup

COMPONENTS = {
    "readers": [
        "finecl.PretrainingDocuments.v1 = relcon_finecl.readers:PretrainingDocuments",
    ],
    "corpora": [
        "finecl.NoisyCorpus.v1 = relcon_finecl.corpora:NoisyCorpus",
        "finecl.TrimmedCorpus.v1 = relcon_finecl.corpora:TrimmedCorpus",
    ],
    "samplers": [
        "finecl.EntityPairCouples.v1 = relcon_finecl.couples:EntityPairCouples",
        "finecl.EntityTails.v1 = relcon_finecl.entity_tails:EntityTails",
        "finecl.RelationCouples.v1 = relcon_finecl.couples:RelationCouples",
        "finecl.RelationPairs.v1 = relcon_finecl.relation_pairs:RelationPairs",
    ],
    "poolers": [
        "finecl.PairWithDistance.v1 = relcon_finecl.document_classifier:PairWithDistance",
    ],
    "towers": [
        "finecl.BilinearTower.v1 = relcon_finecl.document_classifier:BilinearTower",
    ],
    "stages": [
        "finecl.Confidence.v1 = relcon_finecl.confidence:Confidence",
        "finecl.LearningOrder.v1 = relcon_finecl.stage:LearningOrder",
        "finecl.OrderReport.v1 = relcon_finecl.report:OrderReport",
    ],
    "evaluators": [],
    "distant": [
        "finecl.EntityLinker.v1 = relcon_finecl.linking:EntityLinker",
    ],
}

setup(
    name="relcon-finecl",
    version="0.1.0",
    description="FineCL, ERICA, CP, MTB and WCL for relcon: contrast on distantly supervised text (Hogan, Li and Shang, EMNLP 2022).",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon_finecl", "relcon_finecl.*"]),
    install_requires=["relcon>=0.1"],
    package_data={"relcon_finecl": ["papers/*.cfg"]},
    entry_points={
        **{f"relcon_{kind}": entries for kind, entries in COMPONENTS.items() if entries},
        "relcon_papers": ["finecl = relcon_finecl.papers"],
    },
)
