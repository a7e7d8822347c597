"""Any BERT- or RoBERTa-like encoder of Hugging Face."""

from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from relcon.encoders.loading import embedding_table, load, load_tokenizer, quiet
from relcon.encoders.pieces import WordPieces
from relcon.encoders.text import TextEncoder
from relcon.errors import RelconError


class Transformer(TextEncoder):
    """Texts -> states of word pieces, by a pre-trained encoder of Hugging Face (BERT, RoBERTa and their like).

    A text is cut into pieces word by word. One that is too long loses words of its first segment: those farthest from the
    words it must keep (see `relcon.encoders.cropping`); where the words to keep do not fit either, all its views are lost.

    path: a folder that `save_pretrained` wrote, or a name of the hub.
    max_length: the largest number of word pieces of an input, special tokens included.
    freeze_layers: the embeddings and the first so many layers are not trained; all layers: nothing of the encoder is.
    freeze_embeddings: the embeddings are not trained.
    dropout: replaces the dropout probabilities of the model's config; None leaves them. hidden_dropout: replaces that of hidden states
    alone, and leaves that of attention as it is.
    lower_case: words are made lower case before they are cut into pieces, which an uncased tokenizer does by itself; tokens that renderers
        add stay as they are.

    `width` is the model's hidden size; `Encoded.summary` is its own sentence vector (BERT's pooler) where it has one; a
    pooler that the weights lack starts at random. RelconError where the folder is incomplete or a number is out of range.

    Config::

        [encoder]
        @encoders = "relcon.Transformer.v1"
        path = "bert-base-uncased"
        max_length = 128
    """

    ids = "input_ids"
    words: WordPieces

    def __init__(
        self,
        path: str,
        max_length: int = 128,
        freeze_layers: int = 0,
        freeze_embeddings: bool = False,
        dropout: Optional[float] = None,
        hidden_dropout: Optional[float] = None,
        lower_case: bool = False,
    ):
        model, tokenizer = load(path, dropout, hidden_dropout)
        super().__init__(model, _layer_list(model), WordPieces(tokenizer, max_length, lower_case), freeze_layers, freeze_embeddings)

    @classmethod
    def cutting(cls, arguments: Mapping[str, Any], tokens: Sequence[str] = ()) -> WordPieces:
        """By the tokenizer at the path. RelconError where it is not on this machine."""
        if arguments.get("path") is None:
            raise RelconError("The encoder has no path yet.")
        words = WordPieces(load_tokenizer(arguments["path"]), arguments["max_length"], arguments.get("lower_case", False))
        words.add(tokens)
        return words

    @property
    def vocabulary(self) -> WordPieces:
        """The tokenizer as samplers see it."""
        return self.words

    @torch.no_grad()
    def add_tokens(self, tokens: Sequence[str]) -> None:
        """Make each token one piece. The embedding of a new one is the mean of those of the pieces it was cut into before,
        so that no randomness is needed and `[E1]` and `[E2]` differ from the start; that of a mask token (`relcon.contrast.MASK`), where
        the tokenizer has none, is the mean of all."""
        before = embedding_table(self.model).weight.clone()
        former = self.words.add(tokens)
        if len(self.words.tokenizer) > len(before):
            with torch.random.fork_rng():
                self.model.resize_token_embeddings(len(self.words.tokenizer), mean_resizing=False)
        table = embedding_table(self.model).weight
        for token, pieces in former.items():
            table[self.words.pieces(token)] = before[list(pieces)].mean(0)
        self._freeze()

    def save(self, folder: Path) -> None:
        """Write model and tokenizer, for `AutoModel` and `AutoTokenizer`."""
        with quiet():
            self.model.save_pretrained(folder)
            self.words.tokenizer.save_pretrained(folder)

    def block(self, path: str) -> Dict[str, Any]:
        """The config block that builds this encoder again from a folder where it was saved."""
        return {"@encoders": "relcon.Transformer.v1", **super().block(path), "lower_case": self.words.lower_case}

    def run(self, tensors: Mapping[str, Optional[Tensor]]) -> Any:
        """The model's own output."""
        return self.model(**tensors, return_dict=True)


def _layer_list(model: PreTrainedModel) -> Tuple[nn.Module, str]:
    """The module that holds the stack of layers, and the stack's name in it."""
    for owner in model.modules():
        for name, child in owner.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == model.config.num_hidden_layers:
                return owner, name
    raise RelconError(f"{type(model).__name__} is not built of a list of layers: choose a BERT- or RoBERTa-like encoder.")
