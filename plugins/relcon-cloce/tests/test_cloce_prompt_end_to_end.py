"""A prompt-based classifier through the real command line: trained, resumed, predicted and evaluated with, its files gone."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

from relcon.cli.main import main
from relcon.config import load_config
from relcon.data.json import write_jsonl
from relcon.errors import Interrupted
from relcon.pipeline import train
from relcon.testing import tiny_corpus, tiny_encoder_folder

WORDS = {"none": "no relation", "activates": "turns on", "inhibits": "turns off"}
MODELS = {"bert": (BertConfig, BertForMaskedLM), "roberta": (RobertaConfig, RobertaForMaskedLM)}

START = """
[paths]
data = null
encoder = null
words = null

[training]
seed = 3
device = "cpu"
log_every = 1

[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.data}
dev = ${paths.data}
negative = ["none"]
cache = "none"

[data.reader]
@readers = "relcon.JSONLines.v1"

[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[vars.prompt]
@renderers = "cloce.Prompt.v1"
template = "{mask} : {head} and {tail_type} {tail}"

[vars.encoder]
@encoders = "relcon.Transformer.v1"
path = ${paths.encoder}
max_length = 64
"""

PRETRAIN = """
[stages.pretrain]
@stages = "relcon.Pretrain.v1"
poolers = {}

[stages.pretrain.encoders]
text = ${vars.encoder}

[stages.pretrain.optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 1e-3

[stages.pretrain.streams.masked]
@samplers = "relcon.MaskedPieces.v1"

[stages.pretrain.streams.masked.sampler]
@samplers = "relcon.Instances.v1"
batch_size = 8
renderer = ${vars.prompt}

[stages.pretrain.tasks.guess]
@tasks = "relcon.MaskedLanguageModel.v1"
stream = "masked"
encoder = "text"
head = "checkpoint"
"""

FINETUNE = """
[stages.finetune]
@stages = "relcon.Finetune.v1"
classifier = "relation"
epochs = 2

[stages.finetune.encoders]
text = ENCODER

[stages.finetune.poolers.mask]
@poolers = "relcon.SpanPool.v1"
inside = "first"
slots = 1

[stages.finetune.optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 1e-3

[stages.finetune.streams.train]
@samplers = "relcon.Instances.v1"
batch_size = 4
renderer = ${vars.prompt}

[stages.finetune.tasks.relation]
@tasks = "cloce.SoftLabels.v1"
stream = "train"
transform = "TRANSFORM"
words = ${paths.words}

[stages.finetune.selection]
@evaluators = "relcon.Scores.v1"
profile = "micro"
"""


class Place:
    """A folder with data, a masked language model, words for labels, and configs."""

    def __init__(self, folder: Path, kind: str):
        self.folder, self.words = folder, folder / "words.yaml"
        write_jsonl(tiny_corpus(12), folder / "data.jsonl")
        self.words.write_text(yaml.safe_dump(WORDS), encoding="utf-8")
        encoder = tiny_encoder_folder(folder / "encoder", kind, layers=1)  # type: ignore[arg-type]
        config, model = MODELS[kind]
        torch.manual_seed(1)
        model(config.from_pretrained(encoder)).save_pretrained(encoder)
        own = FINETUNE.replace("ENCODER", "${vars.encoder}").replace("TRANSFORM", "checkpoint")
        later = FINETUNE.replace("ENCODER", '"pretrain.text"').replace("TRANSFORM", "handed_on")
        for name, text in {"alone": own, "pretrained": PRETRAIN + later}.items():
            (folder / f"{name}.cfg").write_text(START + text, encoding="utf-8")

    def given(self, *more: Any) -> List[str]:
        """The overrides of every run."""
        paths = {"data": self.folder / "data.jsonl", "encoder": self.folder / "encoder", "words": self.words}
        return [str(word) for name, path in paths.items() for word in (f"--paths.{name}", path)] + [str(word) for word in more]

    def train(self, config: str, run: str, *more: Any, resume: bool = False) -> Path:
        """A run in this process."""
        output = self.folder / run
        train(load_config(self.folder / f"{config}.cfg", self.given(*more)), output, resume=resume)
        return output


@pytest.fixture(params=["bert", "roberta"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.param)


def relcon(*words: Any) -> None:
    """The command line in this process."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        assert not end.code


def parts_of(run: Path, stage: str) -> Dict[str, torch.Tensor]:
    """What a stage saved beside its encoders."""
    return load_file(run / "stages" / stage / "model" / "parts.safetensors")


def test_trained_saved_and_opened_by_predict_and_evaluate_without_the_words(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    run = place.folder / "run"
    relcon("train", place.folder / "alone.cfg", "-o", run, *place.given())
    place.words.unlink()
    relcon("predict", run, place.folder / "data.jsonl", "-o", place.folder / "found.jsonl")
    found = [json.loads(line) for line in (place.folder / "found.jsonl").read_text().splitlines()]
    assert len(found) == 12 and {each["label"] for each in found} <= set(WORDS)
    capsys.readouterr()
    relcon("evaluate", run, "--data", place.folder / "data.jsonl", "--profile", "micro")
    relcon("evaluate", run, "--profile", "micro")
    metrics = json.loads((run / "metrics.json").read_text())["finetune"]
    assert capsys.readouterr().out.count(f"{metrics['dev']:.4f}") >= 2, "the figure by which the model was chosen"
    saved = parts_of(run, "finetune")
    assert {name.rpartition(".")[0] for name in saved} == {
        "heads.text",
        "heads.text.states.0",
        "heads.text.states.2",
        "tasks.relation.tower.head",
        "tasks.relation.tower.head.answers",
    }


def test_the_head_of_a_stage_is_handed_on_to_the_next(place: Place) -> None:
    run = place.train("pretrained", "run", "--stages.finetune.epochs", 0)
    before, after = (parts_of(run, stage) for stage in ("pretrain", "finetune"))
    heads = [name for name in before if name.startswith("heads.text.")]
    assert len(heads) == 5 and all(torch.equal(before[name], after[name]) for name in heads)
    about = json.loads((run / "stages/finetune/model/model.json").read_text())["heads"]["text"]
    assert about["start"] == "handed_on" and about["design"] == {"activation": "gelu", "epsilon": about["design"]["epsilon"]}
    run = place.train("pretrained", "trained")
    before, after = (parts_of(run, stage) for stage in ("pretrain", "finetune"))
    assert not torch.equal(before["heads.text.states.0.weight"], after["heads.text.states.0.weight"]), "it trains on"
    place.words.unlink()
    relcon("predict", run, place.folder / "data.jsonl", "-o", place.folder / "found.jsonl")


@pytest.mark.parametrize("config", ["alone", "pretrained"])
def test_a_resumed_run_is_the_run_that_was_not_interrupted(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, "bert")
    whole = place.train(config, "whole")
    looks = iter(range(100))
    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr("relcon.stages.training.asked", lambda: 15 if next(looks) == 5 else None)
        place.train(config, "cut")
    cut = place.train(config, "cut", resume=True)
    for file in ("parts.safetensors", "text/model.safetensors"):
        one, other = (load_file(run / "stages/finetune/model" / file) for run in (whole, cut))
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert json.loads((cut / "metrics.json").read_text()) == json.loads((whole / "metrics.json").read_text())


def test_rows_of_the_vocabulary_are_saved_with_the_encoder(tmp_path: Path) -> None:
    place = Place(tmp_path, "bert")
    run = place.train("alone", "run", "--stages.finetune.tasks.relation.labels", "vocab_rows")
    place.words.unlink()
    relcon("predict", run, place.folder / "data.jsonl", "-o", place.folder / "found.jsonl")
    assert "tasks.relation.tower.head.answers.vectors" not in parts_of(run, "finetune")
    tokens = json.loads((run / "stages/finetune/model/model.json").read_text())["tokens"]
    assert {"[label:none]", "[label:activates]", "[label:inhibits]"} < set(tokens)


def test_a_momentum_copy_has_no_head(tmp_path: Path) -> None:
    place = Place(tmp_path, "bert")
    (tmp_path / "momentum.cfg").write_text(START + PRETRAIN.replace("poolers = {}\n", "") + MOMENTUM, encoding="utf-8")
    run = place.train("momentum", "run", "--paths.words", place.words)
    model = run / "stages/pretrain/model"
    assert (model / "text_momentum").is_dir() and list(json.loads((model / "model.json").read_text())["heads"]) == ["text"]


MOMENTUM = """
[stages.pretrain.poolers.sentence]
@poolers = "relcon.CLS.v1"

[stages.pretrain.streams.views]
@samplers = "relcon.TwoViews.v1"
batch_size = 4
renderer = ${vars.prompt}

[stages.pretrain.streams.views.augmenter]
@augmenters = "relcon.RandomSwap.v1"

[stages.pretrain.tasks.contrast]
@tasks = "relcon.Contrastive.v1"
stream = "views"

[stages.pretrain.tasks.contrast.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "sentence"

[stages.pretrain.tasks.contrast.candidates]
@towers = "relcon.Momentum.v1"

[stages.pretrain.tasks.contrast.objective]
@objectives = "relcon.NTXent.v1"
"""
