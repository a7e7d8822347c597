"""The span-pair encoder in the configs of others: contrast of two views with a momentum copy, then relation classification."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from safetensors.torch import load_file

from relcon.cli.main import main
from relcon.data.json import document_to_json
from relcon.testing import tiny_corpus, tiny_encoder_folder

CONFIG = """
[paths]
train = null
dev = null
encoder = null

[training]
seed = 0
batch_size = 6
epochs = 1
device = "cpu"
log_every = 1

[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
dev = ${paths.dev}
negative = ["none"]
cache = "none"

[data.reader]
@readers = "relcon.JSONLines.v1"

[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[vars.renderer]
@renderers = "RENDERER"

[stages.pretrain]
@stages = "relcon.Pretrain.v1"
epochs = 1

[stages.pretrain.encoders.text]
@encoders = "relcon.Transformer.v1"
path = ${paths.encoder}
max_length = 40

[stages.pretrain.poolers.pair]
@poolers = "pspe.SpanPair.v1"
state = 32
channels = 4
out = 12
attention = 16
positions = 4

[stages.pretrain.optimizer]
@optimizers = "relcon.BertAdamW.v1"
lr = 1e-3
layer_decay = 0.9

[stages.pretrain.streams.views]
@samplers = "relcon.TwoViews.v1"
batch_size = ${training.batch_size}
renderer = ${vars.renderer}

[stages.pretrain.streams.views.augmenter]
@augmenters = "relcon.RandomSwap.v1"

[stages.pretrain.tasks.contrast]
@tasks = "relcon.Contrastive.v1"
stream = "views"

[stages.pretrain.tasks.contrast.anchors]
@towers = "pspe.Tower.v1"
encoder = "text"
pooler = "pair"
head = [8, 8]

[stages.pretrain.tasks.contrast.candidates]
@towers = "relcon.Momentum.v1"
momentum = 0.5

[stages.pretrain.tasks.contrast.objective]
@objectives = "relcon.NTXent.v1"

[stages.finetune]
@stages = "relcon.Finetune.v1"
epochs = ${training.epochs}
classifier = "relation"

[stages.finetune.encoders]
text = "pretrain.text"

[stages.finetune.poolers]
pair = "pretrain.pair_momentum"

[stages.finetune.optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 1e-3

[stages.finetune.streams.train]
@samplers = "relcon.Instances.v1"
batch_size = ${training.batch_size}
renderer = ${vars.renderer}

[stages.finetune.tasks.relation]
@tasks = "relcon.Classification.v1"
stream = "train"

[stages.finetune.tasks.relation.tower]
@towers = "pspe.Tower.v1"
encoder = "text"
pooler = "pair"
head = [16]

[stages.finetune.selection]
@evaluators = "relcon.Scores.v1"
"""


def write(path: Path, records: List[Dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps({**record, "source": None}) + "\n" for record in records), encoding="utf-8")
    return path


def relcon(*words: Any) -> None:
    """The command line in this process."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        assert not end.code


@pytest.mark.parametrize("renderer", ["relcon.Plain.v1", "relcon.EntityMarkers.v1"])
def test_pairs_of_any_renderer_train_and_predict(renderer: str, tmp_path: Path) -> None:
    records = [document_to_json(document) for document in tiny_corpus(18)]
    train, dev = write(tmp_path / "train.jsonl", records[:12]), write(tmp_path / "dev.jsonl", records[12:])
    config, run = tmp_path / "pairs.cfg", tmp_path / "run"
    config.write_text(CONFIG.replace("RENDERER", renderer), encoding="utf-8")
    encoder = tiny_encoder_folder(tmp_path / "bert", layers=1)
    relcon("train", config, "-o", run, "--paths.train", train, "--paths.dev", dev, "--paths.encoder", encoder)
    pretrained, finetuned = (load_file(run / f"stages/{stage}/model/parts.safetensors") for stage in ("pretrain", "finetune"))
    slow, fast = ({name: pretrained[f"poolers.{part}.{name}"] for name in NAMES} for part in ("pair_momentum", "pair"))
    assert all(not slow[name].equal(fast[name]) for name in NAMES), "the copy follows, and both are saved"
    assert all(not slow[name].equal(finetuned[f"poolers.pair.{name}"]) for name in NAMES), "what was taken up is trained on"
    relcon("predict", run, dev, "-o", tmp_path / "found.jsonl")
    assert (tmp_path / "found.jsonl").read_text(encoding="utf-8").count("\n") >= 6


NAMES = ["span.convolutions.0.weight", "span.mlp.0.weight", "positions.weight", "of_segment.weight", "score.weight"]
"""Of parameters of a span-pair encoder."""
