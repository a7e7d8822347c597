"""What the configs come to, defaults included, against the tables of the paper and of its code: an option left out shows here."""

import math
from functools import reduce
from pathlib import Path

import pytest

from relcon.config import load_config
from relcon.config.writing import fill

CONFIGS = Path(__file__).parents[3] / "configs/finecl"

RELATIONS, ENTITIES = "pretrain.streams.relations.sampler", "pretrain.streams.entities.sampler"
EQ5, TAILS = "pretrain.tasks.relations.objective", "pretrain.tasks.entities.objective"
WORDS = ("pretrain.tasks.words_of_relations.head", "pretrain.tasks.words_of_entities.head")
BINARY, SOFTMAX = "relcon.MultiLabelClassification.v1", "relcon.Classification.v1"
CORRECTED, UNCORRECTED = "relcon.AdamW.v1", "relcon.BertAdamW.v1"

STAGE_1 = {
    "order.recording": "batch",
    "order.multi_label_policy": "sample_one",
    "order.min_class_share": 50.0,
    "order.placement": "uniform",
    "order.clip": 0.1,
    "order.optimizer.@optimizers": CORRECTED,
    "order.optimizer.weight_decay": 0.0,
    "order.streams.documents.negatives": 3,
    "order.tasks.relation.@tasks": BINARY,
}
ED = {
    f"{TAILS}.temperature": 0.05,
    f"{TAILS}.own_weight": 1.0,
    f"{TAILS}.reduction": "anchors",
    f"{ENTITIES}.batch_size": 16,
    f"{ENTITIES}.half": "second",
    f"{RELATIONS}.half": "first",
    **dict.fromkeys(WORDS, "fresh"),
}
RD = {
    f"{RELATIONS}.batch_size": 16,
    f"{RELATIONS}.negatives": 64,
    f"{RELATIONS}.negatives_per": "anchor",
    f"{RELATIONS}.na_pairs": 32,
    f"{RELATIONS}.exclude_shared_argument": True,
    f"{RELATIONS}.exclude_multilabel_conflicts": False,
    f"{RELATIONS}.positive_weight": "one",
    f"{EQ5}.temperature": 0.05,
    f"{EQ5}.denominator": "own",
    f"{EQ5}.own_weight": 1.0,
    f"{EQ5}.reduction": "anchors",
    "pretrain.streams.relations.rate": 0.15,
    "pretrain.streams.relations.spared": "kept",
    "pretrain.clip": 1.0,
    "pretrain.optimizer.@optimizers": UNCORRECTED,
    "pretrain.optimizer.weight_decay": 1e-5,
    "pretrain.optimizer.eps": 1e-8,
    "pretrain.schedule.@schedules": "relcon.LinearWarmup.v1",
    "pretrain.schedule.warm_steps": None,
    "pretrain.schedule.horizon": None,
}
WEIGHTS = {
    f"{RELATIONS}.weighting": "learning_order",
    f"{RELATIONS}.alpha": math.e,
    f"{RELATIONS}.na_exponent": 0.5,
    f"{RELATIONS}.unlearned": "max_order",
    f"{RELATIONS}.order_cutoff": None,
    f"{RELATIONS}.weight_only": "both",
}
STAGE_3 = {
    "finetune.clip": 0.1,
    "finetune.optimizer.@optimizers": CORRECTED,
    "finetune.optimizer.weight_decay": 0.0,
    "finetune.look_from": 1,
    "threshold.split": "dev",
    "evaluate.evaluators.documents.macro_classes": "gold",
    "evaluate.evaluators.documents.strict": False,
}
FINECL = {**STAGE_1, **ED, **RD, **WEIGHTS, **STAGE_3}
COUPLES = {
    "pretrain.streams.couples.rate": 0.15,
    "pretrain.streams.couples.spared": "vectors",
    "pretrain.streams.couples.sampler.couples": 32,
    "pretrain.streams.couples.sampler.augmenter.rate": 0.7,
    "pretrain.streams.couples.sampler.renderer.unit": "markers",
    "pretrain.poolers.pair.inside": "first",
    "pretrain.encoders.text.max_length": 64,
    "pretrain.optimizer.@optimizers": UNCORRECTED,
    "pretrain.optimizer.weight_decay": 1e-5,
    "pretrain.tasks.words.head": "fresh",
}

PRESETS = {
    "finecl.cfg": FINECL,
    "finecl_released.cfg": {
        **FINECL,
        f"{RELATIONS}.unlearned": "drop",
        f"{RELATIONS}.order_cutoff": 5,
        f"{TAILS}.own_weight": 2.0,
        "pretrain.schedule.warm_steps": 500,
        "pretrain.schedule.horizon": 97_500,
        "evaluate.evaluators.documents.macro_classes": "predicted",
        "evaluate.evaluators.documents.strict": True,
    },
    "finecl_paper_literal.cfg": {
        **FINECL,
        "order.tasks.relation.@tasks": SOFTMAX,
        "order.clip": 1.0,
        "finetune.clip": 1.0,
        f"{EQ5}.own_weight": 0.0,
        f"{EQ5}.reduction": "sum",
        f"{TAILS}.reduction": "sum",
        f"{RELATIONS}.na_pairs": 0,
        f"{RELATIONS}.negatives_per": "document",
        f"{RELATIONS}.half": "all",
        f"{ENTITIES}.half": "all",
        "pretrain.optimizer.@optimizers": CORRECTED,
    },
    "erica.cfg": {**ED, **RD, **STAGE_3, f"{RELATIONS}.weighting": "none"},
    "wcl.cfg": {
        **RD,
        **STAGE_3,
        f"{RELATIONS}.weighting": "confidence",
        f"{RELATIONS}.weight_transform": "none",
        "confidence.confidence_of": "label",
        "pretrain.tasks.words.head": "fresh",
    },
    "cp.cfg": {
        **COUPLES,
        f"{EQ5}.temperature": 0.05,
        f"{EQ5}.denominator": "own",
        f"{EQ5}.reduction": "pairs",
    },
    "mtb.cfg": {
        **COUPLES,
        f"{EQ5}.@objectives": "relcon.PairwiseBCE.v1",
        "pretrain.streams.couples.sampler.@samplers": "finecl.EntityPairCouples.v1",
        "pretrain.streams.couples.sampler.sentences": 8,
    },
    "paper/finecl.cfg": {
        **FINECL,
        **dict.fromkeys(WORDS, "checkpoint"),
        "order.epochs": 15,
        "order.optimizer.lr": 4e-5,
        "order.optimizer.eps": 1e-8,
        "order.streams.documents.batch_size": 32,
        "order.schedule": None,
        "pretrain.max_steps": 6000,
        "pretrain.accumulate": 768 // 16,
        "pretrain.optimizer.lr": 3e-5,
        "pretrain.schedule.warm_steps": 500,
        "pretrain.encoders.text.max_length": 512,
        "finetune.epochs": 200,
        "finetune.optimizer.lr": 4e-5,
        "finetune.look_from": 101,
        "finetune.streams.documents.batch_size": 32,
    },
    "paper/sentence.cfg": {
        "finetune.clip": 1.0,
        "finetune.epochs": 20,
        "finetune.optimizer.@optimizers": UNCORRECTED,
        "finetune.optimizer.lr": 5e-5,
        "finetune.optimizer.weight_decay": 1e-5,
        "finetune.schedule.warm_steps": 500,
        "finetune.schedule.horizon": None,
        "finetune.encoders.text.max_length": 100,
        "finetune.encoders.text.hidden_dropout": 0.1,
        "finetune.poolers.pair.inside": "mean",
        "finetune.streams.train.batch_size": 64,
        "finetune.streams.train.renderer.unit": "mentions",
    },
}
SEEDS = {"paper/finecl.cfg": [42, 43, 44], "paper/sentence.cfg": [42, 43, 44, 45, 46]}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_finecl_presets_say_what_the_tables_say(name):
    tree = fill(load_config(CONFIGS / name).tree)
    found = {keys: reduce(lambda section, key: section[key], keys.split("."), tree["stages"]) for keys in PRESETS[name]}
    assert found == PRESETS[name]
    assert tree["training"]["seed"] == 42 and tree["protocol"].get("seeds") == SEEDS.get(name)


def test_every_config_has_its_table():
    assert set(PRESETS) | {"denoise.cfg"} == {str(file.relative_to(CONFIGS)) for file in CONFIGS.rglob("*.cfg")}
