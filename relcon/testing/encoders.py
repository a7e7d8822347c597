"""Encoders small enough for tests, with random weights: of Hugging Face with a real tokenizer, and of characters."""

import string
import tempfile
from pathlib import Path
from typing import Any, Dict, Literal, Sequence

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from relcon.encoders import character_loading
from relcon.encoders.loading import quiet
from relcon.encoders.transformer import Transformer
from relcon.testing.corpora import tiny_corpus


def tiny_encoder_folder(
    folder: Path,
    kind: Literal["bert", "roberta"] = "bert",
    width: int = 32,
    layers: int = 2,
    words: Sequence[str] = (),
    positions: int = 128,
    seed: int = 0,
) -> Path:
    """A folder as `save_pretrained` leaves it, for `relcon.Transformer.v1(path=...)`. Returns the folder.

    kind: an uncased WordPiece BERT with a pooler, or a byte-level BPE RoBERTa. width: of its states, a multiple of 4.
    layers: how many. words: are whole pieces (BERT) or what merges are learnt from (RoBERTa), beside those of the tiny corpus;
    every other word is spelt. positions: the longest input. seed: of the weights; the global random stream is left alone.
    """
    words = sorted({word.lower() for document in tiny_corpus() for word in document.words} | set(words))
    tokenizer = _word_pieces(words) if kind == "bert" else _byte_pairs(words)
    sizes: Dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * width,
        "pad_token_id": tokenizer.pad_token_id,
    }
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(seed)
        if kind == "bert":
            model: Any = BertModel(BertConfig(**sizes, max_position_embeddings=positions))
        else:
            extra = tokenizer.pad_token_id + 1
            model = RobertaModel(RobertaConfig(**sizes, max_position_embeddings=positions + extra, type_vocab_size=1))
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_character_bert_folder(folder: Path, width: int = 32, layers: int = 2, positions: int = 128, seed: int = 0) -> Path:
    """A folder with a random CharacterBERT, for `relcon.CharacterBERT.v1(path=...)`. Returns the folder.

    width: of its states, a multiple of 4. layers: how many. positions: the longest input. seed: of the weights; the global random
    stream is left alone.
    """
    settings = {
        **character_loading.PUBLISHED,
        "character_embeddings_dim": 8,
        "cnn_filters": [[1, 4], [2, 4], [3, 8]],
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * width,
        "max_position_embeddings": positions,
    }
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(seed)
        character_loading.save(Path(folder), character_loading.build(settings), settings)
    return Path(folder)


def tiny_encoder(kind: Literal["bert", "roberta"] = "bert", **arguments: Any) -> Transformer:
    """The tiny encoder, its folder gone again. arguments: of `relcon.Transformer.v1`, without its path."""
    with tempfile.TemporaryDirectory() as folder:
        return Transformer(str(tiny_encoder_folder(Path(folder), kind)), **arguments)


def _word_pieces(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Whole words, and single characters for all others, as an uncased BERT has them."""
    characters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{character}" for character in characters), *words]
    number = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    bare = Tokenizer(models.WordPiece(number, unk_token="[UNK]"))
    bare.normalizer = normalizers.BertNormalizer(lowercase=True)
    bare.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    bare.post_processor = processors.BertProcessing(("[SEP]", number["[SEP]"]), ("[CLS]", number["[CLS]"]))
    special = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    names = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=bare, model_input_names=names, **special)


def _byte_pairs(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Byte-level pairs learnt from the words, as RoBERTa has them."""
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator([" ".join(words)], trainer)
    bare.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=bare, model_input_names=["input_ids", "attention_mask"], cls_token="<s>", sep_token="</s>", **special
    )
