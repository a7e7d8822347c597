"""A folder of CharacterBERT, published or saved, <-> its settings and its model.

Published are a folder in an archive (github.com/helboukkouri/character-bert), whose config.json is that of a BERT, and models of the
hub (helboukkouri/character-bert), whose config.json has more. transformers knows neither, so that relcon reads and writes them itself.
"""

import logging
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertModel

from relcon.encoders.character_cnn import CharacterCNN
from relcon.encoders.loading import attempt, check_dropout, check_folder
from relcon.errors import RelconError
from relcon.files import read_object, write_json

log = logging.getLogger(__name__)

CHARACTERS: Dict[str, Any] = {
    "character_embeddings_dim": 16,
    "cnn_activation": "relu",
    "cnn_filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
    "num_highway_layers": 2,
    "max_word_length": 50,
    "mlm_vocab_size": 100000,
    "tie_word_embeddings": False,
}
"""The published settings that a BERT does not have; the last two are those of the head with which it was pre-trained."""

BERT: Dict[str, Any] = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
}
"""The published settings that it shares with BERT."""

PUBLISHED: Dict[str, Any] = {**CHARACTERS, **BERT}

SAFETENSORS, PICKLED = "model.safetensors", "pytorch_model.bin"
PREFIX = re.compile(r"(character_)?bert\.")
LEFT_OUT = re.compile(r"cls\.|embeddings\.(position_ids|token_type_ids)$")
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
POOLER = {"pooler.dense.weight", "pooler.dense.bias"}


# ---- the model -----------------------------------------------------------------------------------------------------------


def build(settings: Mapping[str, Any]) -> BertModel:
    """A CharacterBERT with random weights: a BERT with a `CharacterCNN` in the place of its word-piece embeddings.

    settings: all of `PUBLISHED`, with any values. The model must be called with `inputs_embeds`.
    """
    words = CharacterCNN(
        settings["hidden_size"],
        settings["cnn_filters"],
        settings["character_embeddings_dim"],
        settings["cnn_activation"],
        settings["num_highway_layers"],
    )
    model = BertModel(BertConfig(vocab_size=1, **{name: settings[name] for name in BERT}))
    model.set_input_embeddings(words)
    return model


# ---- folders -------------------------------------------------------------------------------------------------------------


def load(path: str, dropout: Optional[float] = None) -> Tuple[BertModel, Dict[str, Any]]:
    """The model, in float32 and training mode, and its settings.

    path: a folder with config.json and weights; a setting that config.json lacks is the published one. dropout: replaces both
    dropout probabilities. RelconError says what of the folder is missing, not known, or does not fit the rest.
    """
    check_dropout(dropout)
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise RelconError(f"There is no encoder folder '{path}'. Give that of a CharacterBERT, with config.json and {PICKLED}.")
    path = str(folder)
    check_folder(folder, {"weights": (SAFETENSORS, PICKLED)})
    settings = attempt(path, "config", _settings, folder)
    if dropout is not None:
        settings.update(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    model = attempt(path, "model", build, settings)
    _fill(model, _weights(folder, path), path)
    return model.train(), settings


def save(folder: Path, model: BertModel, settings: Mapping[str, Any]) -> None:
    """Write what `load` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / SAFETENSORS, metadata={"format": "pt"})
    write_json(folder / "config.json", {"model_type": "character_bert", **settings})


def _settings(folder: Path) -> Dict[str, Any]:
    """Those of config.json, the published ones where it says nothing."""
    given = read_object(folder / "config.json")
    return {name: given.get(name, published) for name, published in PUBLISHED.items()}


def _weights(folder: Path, path: str) -> Dict[str, Tensor]:
    """The weights under the names of `build`'s model, without those of heads."""
    if (folder / SAFETENSORS).is_file():
        found = attempt(path, "model", load_file, folder / SAFETENSORS)
    else:
        found = attempt(path, "model", torch.load, folder / PICKLED, map_location="cpu", weights_only=True)
    if not isinstance(found, dict) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise RelconError(f"Encoder '{path}': its {PICKLED} holds no weights by name. Take the file as it was published.")
    named = {_name(key): tensor for key, tensor in found.items()}
    return {name: tensor for name, tensor in named.items() if not LEFT_OUT.match(name)}


def _name(key: str) -> str:
    """A weight's name without the prefix of a model with heads, and in today's words."""
    name = key[found.end() :] if (found := PREFIX.match(key)) else key
    for old, new in OLD_NAMES.items():
        name = name.replace(old, new)
    return name


def _fill(model: BertModel, weights: Dict[str, Tensor], path: str) -> None:
    """Put the weights into the model: all of them, into all of it; only the pooler may stay as it is."""
    own = model.state_dict()
    if own.keys() - weights.keys() == POOLER:
        log.warning("Encoder '%s' comes without a pooler: its sentence vector starts at random.", path)
        weights = {**weights, **{name: own[name] for name in POOLER}}
    sizes = {name: list(tensor.shape) for name, tensor in own.items()}
    wrong = [name for name, size in sizes.items() if name in weights and list(weights[name].shape) != size]
    faults = {
        "missing": own.keys() - weights.keys(),
        "not known": weights.keys() - own.keys(),
        "of another size": [f"{name} {list(weights[name].shape)} instead of {sizes[name]}" for name in wrong],
    }
    said = [f"{fault}: {_listed(names)}" for fault, names in faults.items() if names]
    if said:
        raise RelconError(
            f"Encoder '{path}': its weights are not those of a CharacterBERT with this config.json ({'; '.join(said)}). "
            "Take both files as they were published or saved together."
        )
    model.load_state_dict(weights)


def _listed(names: Iterable[str]) -> str:
    """The first ten names, and how many more there are."""
    every: List[str] = sorted(names)
    return ", ".join(every[:10]) + (f" and {len(every) - 10} more" if len(every) > 10 else "")
