"""CharacterBERT: a BERT that reads words by their characters."""

from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence

from torch import Tensor
from transformers import BertModel

from relcon.encoders import character_loading
from relcon.encoders.characters import Characters
from relcon.encoders.text import TextEncoder


class CharacterBERT(TextEncoder):
    """Texts -> states of words, by a BERT whose word-piece embeddings are a convolutional network over each word's characters.

    El Boukkouri et al., "CharacterBERT: Reconciling ELMo and BERT for Word-Level Open-Vocabulary Representations From Characters",
    COLING 2020 (arXiv 2010.10392). Every word takes one position, whatever it is; there is no vocabulary, so that masked word pieces
    cannot be guessed, and an edit of a text can only put `[MASK]` in the place of a word. Words are taken as the data give them:
    those that were pre-trained on end at white space and punctuation.

    A text that is too long loses words as in `relcon.Transformer.v1`.

    path: the folder of a published model (`config.json`, `pytorch_model.bin` or `model.safetensors`), or of a saved one.
    max_length: the largest number of words of an input, `[CLS]` and `[SEP]` included.
    freeze_layers: the embeddings, the network over characters included, and the first so many layers are not trained; all layers:
    nothing of the encoder is.
    freeze_embeddings: the embeddings, the network over characters included, are not trained.
    dropout: replaces the dropout probabilities of the model's config; None leaves them.
    lower_case: read words in small letters, as the published models were pre-trained; `[CLS]`, `[SEP]`, `[MASK]` and `[PAD]` stay,
    and a renderer's `[E1]` is read as `[e1]`.

    `width` is the model's hidden size; `Encoded.summary` is the vector of its pooler, which starts at random, with a warning, where
    the weights lack it. RelconError where the folder is incomplete, its weights are of another model, or a number is out of range.

    Config::

        [encoder]
        @encoders = "relcon.CharacterBERT.v1"
        path = "models/medical_character_bert"
        max_length = 128
        lower_case = true
    """

    ids = "character_ids"
    model: BertModel
    words: Characters

    def __init__(
        self,
        path: str,
        max_length: int = 128,
        freeze_layers: int = 0,
        freeze_embeddings: bool = False,
        dropout: Optional[float] = None,
        lower_case: bool = True,
    ):
        model, settings = character_loading.load(path, dropout)
        words = Characters(max_length, lower_case, settings["max_word_length"])
        super().__init__(model, (model.encoder, "layer"), words, freeze_layers, freeze_embeddings)
        self.settings = settings

    @classmethod
    def cutting(cls, arguments: Mapping[str, Any], tokens: Sequence[str] = ()) -> Characters:
        """Every word is one piece, whatever the weights."""
        return Characters(arguments["max_length"], arguments["lower_case"])

    def add_tokens(self, tokens: Sequence[str]) -> None:
        """Nothing to do: every token is a word already, and spelt by its characters."""

    def save(self, folder: Path) -> None:
        """Write weights and config.json, for this encoder; `AutoModel` does not know such models."""
        character_loading.save(folder, self.model, self.settings)

    def block(self, path: str) -> Dict[str, Any]:
        """The config block that builds this encoder again from a folder where it was saved."""
        return {"@encoders": "relcon.CharacterBERT.v1", **super().block(path), "lower_case": self.words.lower_case}

    def run(self, tensors: Mapping[str, Optional[Tensor]]) -> Any:
        """The model's own output for words [B, L, C] that the network over characters has made vectors of."""
        others = {name: tensor for name, tensor in tensors.items() if name != self.ids}
        return self.model(inputs_embeds=self.model.get_input_embeddings()(tensors[self.ids]), **others, return_dict=True)
