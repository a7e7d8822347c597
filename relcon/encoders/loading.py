"""A folder or a name -> a Hugging Face model and its tokenizer, quietly, with errors that say what is missing.

Nothing that is loaded can run: weights are safetensors or a `pytorch_model.bin` of plain tensors (`weights_only`), code of the
folder's own (`trust_remote_code`) and adapters, whose weights may be pickled, are refused, and every other file is ignored.
"""

import pickle
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, cast

from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from relcon.errors import RelconError

PARTS = {
    "weights": ("*.safetensors", "pytorch_model*.bin"),
    "tokenizer": ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "*.vocab"),
}
"""What a saved encoder consists of beside its config, each with the names that its files may have."""

HIDDEN, ATTENTION = ("hidden_dropout_prob", "dropout"), ("attention_probs_dropout_prob", "attention_dropout")
"""What configs call the dropout probabilities of hidden states, and of attention."""

HEADS = ("cls.predictions", "lm_head")
"""Where BERT's and RoBERTa's masked language models keep their heads."""


def load(
    path: str, dropout: Optional[float] = None, hidden_dropout: Optional[float] = None
) -> Tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model, in float32 and training mode, and its tokenizer.

    path: a folder, or a name that transformers finds in its cache or on its hub. dropout: replaces every dropout
    probability of the model's config. hidden_dropout: that of hidden states alone, whatever `dropout` says. RelconError says which
    part of the folder is missing or does not fit the others.
    """
    check_dropout(dropout)
    check_dropout(hidden_dropout, "hidden_dropout")
    folder = Path(path).expanduser()
    if folder.is_dir():
        check_folder(folder, PARTS)
        path = str(folder)
    elif path.startswith(("/", "./", "../", "~")) or folder.exists():
        raise RelconError(f"There is no encoder folder '{path}'. Give a folder with config.json, weights and tokenizer, or a model's name.")
    with quiet():
        model = _model(path, dropout, hidden_dropout)
        tokenizer = attempt(path, "tokenizer", AutoTokenizer.from_pretrained, path, trust_remote_code=False)
    rows = len(embedding_table(model).weight)
    if len(tokenizer) > rows:
        raise RelconError(f"Encoder '{path}': the tokenizer has {len(tokenizer)} pieces, but the model only {rows} embedding rows.")
    if tokenizer.pad_token_id is None:
        raise RelconError(f"Encoder '{path}': its tokenizer has no padding token. Choose an encoder such as BERT or RoBERTa.")
    return model.float().train(), tokenizer


def load_tokenizer(path: str) -> PreTrainedTokenizerBase:
    """The tokenizer alone, without a look at the network.

    path: a folder, or a name that transformers finds in its cache. RelconError where it cannot be had.
    """
    folder = Path(path).expanduser()
    if folder.is_dir():
        check_folder(folder, {"tokenizer": PARTS["tokenizer"]})
    with quiet():
        return cast(
            PreTrainedTokenizerBase,
            attempt(path, "tokenizer", AutoTokenizer.from_pretrained, str(folder), trust_remote_code=False, local_files_only=True),
        )


def check_dropout(dropout: Optional[float], name: str = "dropout") -> None:
    """RelconError where it is no dropout probability. name: of the argument."""
    if dropout is not None and not 0 <= dropout < 1:
        raise RelconError(f"{name} must lie in [0, 1), got {dropout}.")


def check_folder(folder: Path, parts: Mapping[str, Sequence[str]]) -> None:
    """RelconError where a part of a saved encoder is missing. parts: what it needs beside its config -> patterns of file names."""
    if not (folder / "config.json").is_file():
        raise RelconError(f"Encoder folder '{folder}' has no config.json. It must be a folder that save_pretrained wrote.")
    for what, patterns in parts.items():
        if not any(any(folder.glob(pattern)) for pattern in patterns):
            raise RelconError(f"Encoder folder '{folder}' has no {what} (none of {', '.join(patterns)}). Copy the whole folder.")
    if (folder / "adapter_config.json").exists():
        raise RelconError(f"Encoder folder '{folder}' holds an adapter. Merge it into the model (merge_and_unload) and save that.")


def _model(path: str, dropout: Optional[float], hidden_dropout: Optional[float]) -> PreTrainedModel:
    """The model, its weights complete: only a sentence-vector layer (pooler) may start at random."""
    config = attempt(path, "config", AutoConfig.from_pretrained, path, trust_remote_code=False)
    for names, value in ((HIDDEN + ATTENTION, dropout), (HIDDEN, hidden_dropout)):
        for name in names:
            if value is not None and hasattr(config, name):
                setattr(config, name, value)
    only_data = {"weights_only": True, "trust_remote_code": False}
    model, report = attempt(path, "model", AutoModel.from_pretrained, path, config=config, output_loading_info=True, **only_data)
    missing = sorted(name for name in report["missing_keys"] if "pooler" not in name and "position_ids" not in name)
    if missing or report["mismatched_keys"]:
        raise RelconError(f"Encoder '{path}': its weights do not fit its config.json ({_some(missing or report['mismatched_keys'])}).")
    return model


class MaskedHead(NamedTuple):
    """The head of a masked language model: linear layer, activation and layer normalisation, and a bias [rows] of the output.

    activation: what transformers calls it.
    """

    layers: nn.Sequential
    bias: Tensor
    activation: str


def masked_head(path: str) -> MaskedHead:
    """The head of the masked language model that a checkpoint holds.

    path: as of `load`. RelconError where the checkpoint holds no such head, or one of another design than BERT's and RoBERTa's.
    """
    only_data = {"weights_only": True, "trust_remote_code": False}
    with quiet():
        model, report = attempt(
            path, "masked language model", AutoModelForMaskedLM.from_pretrained, path, output_loading_info=True, **only_data
        )
    absent = [name for name in report["missing_keys"] if name.startswith(HEADS) and "decoder" not in name]  # the output layer is tied
    if absent:
        raise RelconError(f"Encoder '{path}' has no head of a masked language model ({_some(absent)}). Take \"fresh\" or \"handed_on\".")
    if hasattr(model, "cls"):
        head, layers = model.cls.predictions, model.cls.predictions.transform
        states = nn.Sequential(layers.dense, layers.transform_act_fn, layers.LayerNorm)
        return MaskedHead(states.float(), head.bias.detach().float(), model.config.hidden_act)
    if hasattr(model, "lm_head") and hasattr(model.lm_head, "layer_norm"):
        head = model.lm_head
        return MaskedHead(nn.Sequential(head.dense, nn.GELU(), head.layer_norm).float(), head.bias.detach().float(), "gelu")
    raise RelconError(f"Encoder '{path}': the head of {type(model).__name__} is not of BERT's or RoBERTa's design. Take \"fresh\".")


def attempt(path: str, what: str, loader: Any, *arguments: Any, **keywords: Any) -> Any:
    """What the loader returns; RelconError in place of whatever it raises. path: the encoder's. what: of it is loaded, for the message."""
    try:
        return loader(*arguments, **keywords)
    except Exception as error:  # transformers, its hub client and the weight readers raise many kinds
        reason = str(error).strip().split("\n")[0]
        if isinstance(error, pickle.UnpicklingError):
            raise RelconError(
                f"The {what} of encoder '{path}' is refused: its pytorch_model.bin holds more than tensors, which could run code. "
                "Take a copy in safetensors, or one from a source that you trust and convert it yourself."
            ) from error
        hint = "" if Path(path).is_dir() else " Neither a folder nor a model that could be had: check the spelling or download it first."
        raise RelconError(f"The {what} of encoder '{path}' could not be loaded.{hint} ({type(error).__name__}: {reason})") from error


def _some(names: Sequence[Any]) -> str:
    shown: List[str] = [str(name) for name in list(names)[:3]]
    return "missing or of another size: " + ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def embedding_table(model: PreTrainedModel) -> nn.Embedding:
    """The embeddings of word pieces."""
    return cast(nn.Embedding, model.get_input_embeddings())


@contextmanager
def quiet() -> Iterator[None]:
    """transformers without its progress bars and notices; its settings are put back afterwards."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
