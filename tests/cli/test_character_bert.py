"""CharacterBERT through the real command line: trained, saved, taken up again for predictions."""

import json
from pathlib import Path
from typing import Any, Callable

from relcon.testing import tiny_character_bert_folder

BLOCK = "--stages.finetune.encoders.text"


def test_a_run_and_its_predictions(train: Callable[..., Any], relcon: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    encoder = tiny_character_bert_folder(tmp_path / "characters", layers=1)
    ended = train(tmp_path / "run", f"{BLOCK}.@encoders", "relcon.CharacterBERT.v1", f"{BLOCK}.path", encoder)
    assert ended.code == 0, ended.err
    model = tmp_path / "run/model"
    block = json.loads((model / "model.json").read_text())["encoders"]["text"]
    assert block["@encoders"] == "relcon.CharacterBERT.v1" and (model / "text/config.json").exists()
    ended = relcon("predict", tmp_path / "run", data / "dev.jsonl", "-o", tmp_path / "out.jsonl")
    assert ended.code == 0, ended.err
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 4


def test_a_folder_of_another_kind_is_refused(refused: Callable[..., str]) -> None:
    said = refused(f"{BLOCK}.@encoders", "relcon.CharacterBERT.v1")
    assert "its weights are not those of a CharacterBERT" in said and "_char_embedding_weights" in said
