"""Configs that name what is not there: components, arguments, encoders, parsers, WordNet. Nothing is written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TINY = Path(__file__).parent / "data" / "tiny.cfg"
ENCODER = "--paths.encoder"

CONTRAST = """
[stages.contrast]
@stages = "relcon.Pretrain.v1"
encoders = ${stages.finetune.encoders}
poolers = ${stages.finetune.poolers}

[stages.contrast.streams.views]
@samplers = "relcon.TwoViews.v1"
batch_size = 8
renderer = ${stages.finetune.streams.train.renderer}

[stages.contrast.streams.views.augmenter]
@augmenters = "relcon.SynonymReplacement.v1"

[stages.contrast.streams.views.augmenter.synonyms]
@synonyms = "relcon.WordNet.v1"
directory = null

[stages.contrast.tasks.contrast]
@tasks = "relcon.Contrastive.v1"
stream = "views"

[stages.contrast.tasks.contrast.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "sentence"

[stages.contrast.tasks.contrast.objective]
@objectives = "relcon.NTXent.v1"

"""
"""A stage that needs WordNet, in front of the others or behind them."""

PARSER = """
[data.parser]
@parsers = "relcon.SpacyParser.v1"
pipeline = "en_core_web_none"
cache = "none"

"""


@pytest.fixture
def written(tmp_path):
    """`written(part, "[stages.finetune]")`: the tiny config with a part in front of a section; without one, at its end."""

    def write(part, before=None):
        text = TINY.read_text(encoding="utf-8")
        text = text.replace(f"{before}\n", f"{part}{before}\n", 1) if before else text + part
        path = tmp_path / "mine.cfg"
        path.write_text(text, encoding="utf-8")
        return path

    return write


# ---- names and values --------------------------------------------------------------------------------------------------


def test_an_unknown_component(refused):
    said = refused("--stages.finetune.poolers.sentence.@poolers", "relcon.CSL.v1")
    assert "[stages.finetune.poolers.sentence] 'relcon.CSL.v1' is not registered in '@poolers'" in said
    assert "Did you mean 'relcon.CLS.v1'?" in said


def test_an_unknown_argument(refused, written):
    config = written("", None)
    config.write_text(config.read_text().replace("max_length = 40", "max_lenght = 40"))
    said = refused(config=config)
    line = config.read_text().splitlines().index("max_lenght = 40") + 1
    assert f"mine.cfg:{line}: [stages.finetune.encoders.text]" in said and "'max_lenght'" in said
    assert "Did you mean 'max_length'?" in said


def test_an_unknown_override(refused):
    said = refused("--training.sed", "3")
    assert "--training.sed: does not override anything" in said and "Did you mean '--training.seed'?" in said


def test_an_unknown_option(refused):
    assert "there is no option --overwite. Did you mean '--overwrite'?" in refused("--overwite")


def test_all_mistakes_at_once(refused):
    said = refused(*(word for number in range(12) for word in (f"--training.wrong{number}", "1")))
    assert said.count("--training.wrong") >= 12


def test_a_value_that_a_component_refuses(refused):
    assert "[stages.finetune.tasks.relation] label_smoothing must be" in refused("--stages.finetune.tasks.relation.label_smoothing", "2.0")


def test_development_data_that_are_not_there(refused):
    said = refused("--paths.dev", "null", "--stages.finetune.selection.@evaluators", "relcon.Scores.v1")
    assert "[data] dev: stage 'finetune' reads the split 'dev', which is null. Give --paths.dev FILE." in said


def test_a_profile_that_does_not_fit_the_labels(refused):
    said = refused("--stages.evaluate.evaluators.scores.profile", "chemprot.cpr5")
    assert "[stages.evaluate.evaluators.scores] The metric profile 'chemprot.cpr5' counts CPR:3" in said


def test_development_data_without_labels(refused, change):
    change("dev", lambda record: record["relations"][0].pop("label"))
    said = refused("--stages.finetune.selection.@evaluators", "relcon.Scores.v1")
    assert "[stages.finetune.selection] The split 'dev' has 4 pairs without a label" in said


def test_a_device_that_there_is_not(refused):
    assert "[training] device: 'gpu' is no device." in refused("--training.device", "gpu")


def test_a_missing_config(relcon, tmp_path):
    ended = relcon("train", tmp_path / "none.cfg", "-o", tmp_path / "run")
    assert (ended.code, ended.out) == (2, "") and "none.cfg does not exist" in ended.err
    assert not (tmp_path / "run").exists()


def test_code_that_fails(refused, tmp_path):
    (tmp_path / "broken_parts.py").write_text("import json\n\n1 / 0\n")
    assert "broken_parts.py:3: --code could not be loaded: ZeroDivisionError" in refused("--code", tmp_path / "broken_parts.py")


# ---- encoders ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(encoder, tmp_path):
    """A copy of the tiny encoder, to be damaged."""
    return Path(shutil.copytree(encoder, tmp_path / "copy"))


@pytest.mark.parametrize("missing, said", [("model.safetensors", "has no weights"), ("config.json", "has no config.json")])
def test_an_encoder_folder_that_is_not_whole(refused, copy, missing, said):
    (copy / missing).unlink()
    message = refused(ENCODER, copy)
    assert f"Encoder folder '{copy}' {said}" in message and "[stages.finetune.encoders.text]" in message


def test_broken_weights(refused, copy):
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:100])
    assert f"The model of encoder '{copy}' could not be loaded" in refused(ENCODER, copy)


def test_an_encoder_folder_that_is_not_there(refused):
    assert "There is no encoder folder './nowhere'" in refused(ENCODER, "./nowhere")


def test_a_later_stage_whose_encoder_is_missing_stops_the_run_before_the_first(refused, written):
    config = written(
        CONTRAST.replace("encoders = ${stages.finetune.encoders}\n", "")
        + ('[stages.contrast.encoders.text]\n@encoders = "relcon.Transformer.v1"\npath = "./nowhere"\n')
    )
    said = refused(config=config)
    assert "[stages.contrast.encoders.text]" in said and "There is no encoder folder './nowhere'" in said


def test_a_name_that_cannot_be_had(data, tmp_path):
    """In a process of its own, which is told to stay offline."""
    files = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", data / f"{name}.jsonl")]
    words = ["train", TINY, "-o", tmp_path / "run", *files, ENCODER, "bert-bsae-uncased"]
    done = subprocess.run(
        [sys.executable, "-m", "relcon", *map(str, words)], capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Neither a folder nor a model that could be had: check the spelling or download it first." in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("error: ") == 1
    assert not (tmp_path / "run").exists()


# ---- parser and WordNet ------------------------------------------------------------------------------------------------


def test_no_parser(refused, written, change):
    change("train", lambda record: record.pop("parse"))
    said = refused(config=written(PARSER, "[stages.finetune]"))
    assert 'The spaCy pipeline "en_core_web_none" cannot be loaded' in said
    assert "`python -m spacy download en_core_web_sm`" in said and "error: [data.parser] The spaCy" in said


@pytest.mark.parametrize("before", ["[stages.finetune]", None], ids=["first stage", "last stage"])
def test_no_wordnet(refused, written, tmp_path, before):
    """Said before anything is trained, whichever stage needs it."""
    (tmp_path / "empty").mkdir()
    config = written(CONTRAST.replace("directory = null", f'directory = "{tmp_path / "empty"}"'), before)
    said = refused(config=config)
    assert "[stages.contrast.streams.views]" in said and "holds no WordNet" in said and "`python -m nltk.downloader wordnet`" in said


def test_no_wordnet_of_nltks_own(refused, written, monkeypatch):
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [])
    assert "nltk has no WordNet. Get it with `python -m nltk.downloader wordnet`" in refused(config=written(CONTRAST, "[stages.finetune]"))
