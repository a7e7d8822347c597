"""What encoders of texts share, whatever they cut words into: rows between special tokens, cropping, depth, freezing."""

from abc import abstractmethod
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from relcon.contrast import ABSENT, Encoded, Input, Prepared, Text
from relcon.encoders.cropping import survivors
from relcon.encoders.pieces import Frame, Pieces
from relcon.errors import RelconError
from relcon.interfaces import Encoder

CROPPED = (-1, -1)


class Words(Protocol):
    """What an encoder cuts words into. A piece takes one position; it is an id, or the ids of a word's characters.

    limit: the largest number of pieces of an input, special tokens included. one, two: the special tokens around one segment and
    two. padding: what fills a row behind its last piece. typed: whether the model is told which segment a piece belongs to.
    """

    limit: int
    one: Frame
    two: Frame

    @property
    def padding(self) -> int: ...

    @property
    def typed(self) -> bool: ...

    def cut(self, words: Iterable[str]) -> List[Pieces]:
        """The pieces of each word, at least one."""

    def piece(self, number: int) -> Any:
        """The piece that an edit names by its number."""


class Row(NamedTuple):
    """One text as one row: its pieces, [first, end) of every word (-1 where cropped), and where the second segment begins."""

    ids: List[Any]
    places: List[Tuple[int, int]]
    second: int
    cropped: bool
    lost: bool


class TextEncoder(Encoder):
    """Texts -> states of pieces, by a model of Hugging Face's design.

    A text that is too long loses words of its first segment: those farthest from the words it must keep (see
    `relcon.encoders.cropping`); where the words to keep, or the second segment, do not fit either, all its views are lost.

    model: has `embeddings`, and gives `last_hidden_state`. layers: the module that holds its stack of layers, and the stack's
    name in it. words: how texts are cut. freeze_layers: the embeddings and the first so many layers are not trained; all layers:
    nothing of the encoder is. freeze_embeddings: the embeddings are not trained.

    A subclass says in `ids` under which name `prepare` gives the pieces, and in `run` how the model reads them. RelconError where
    a number is out of range.
    """

    ids: str

    def __init__(self, model: PreTrainedModel, layers: Tuple[nn.Module, str], words: Words, freeze_layers: int, freeze_embeddings: bool):
        super().__init__()
        self.model, self.words = model, words
        self.width = int(model.config.hidden_size)
        self.freeze_layers, self.freeze_embeddings = freeze_layers, freeze_embeddings
        self._layers = layers
        self._check(words.limit)
        self._freeze()

    @classmethod
    def cutting(cls, arguments: Mapping[str, Any], tokens: Sequence[str] = ()) -> Words:
        """How an encoder would cut texts, found without its weights, for who only wants to know whether they fit.

        arguments: of its constructor, all of them. tokens: those that are added to it. RelconError where that cannot be told, as always
        unless overridden.
        """
        raise RelconError(f"{cls.__name__} does not say how it cuts words.")

    @abstractmethod
    def run(self, tensors: Mapping[str, Optional[Tensor]]) -> Any:
        """The model's own output. tensors: those of `prepare`, on the model's device; `attention_mask` None where nothing is padded."""

    def block(self, path: str) -> Dict[str, Any]:
        """The arguments that build this encoder again from a folder where it was saved; a subclass adds its name."""
        return {
            "path": path,
            "max_length": self.words.limit,
            "freeze_layers": self.freeze_layers,
            "freeze_embeddings": self.freeze_embeddings,
        }

    def layers(self) -> Sequence[nn.Module]:
        """The model's stack of layers."""
        return list(getattr(*self._layers))

    def embeddings(self) -> Sequence[nn.Module]:
        """The model's embeddings."""
        return [self.model.get_submodule("embeddings")]

    # ---- texts -> rows -----------------------------------------------------------------------------------------------

    def lengths(self, inputs: Sequence[Input]) -> List[int]:
        """Pieces of each text, cropped to the limit."""
        return [min(sum(map(len, self.words.cut(text.words + text.second))), self.words.limit) for text in self._texts(inputs)]

    def prepare(self, inputs: Sequence[Input]) -> Prepared:
        """Texts as rows of pieces, one row each, padded to the longest."""
        rows = [row_of(self.words, text) for text in self._texts(inputs)]
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row.ids) for row in rows], True, self.words.padding)
        length = torch.tensor([len(row.ids) for row in rows])
        position = torch.arange(ids.shape[1])
        tensors = {self.ids: ids, "attention_mask": (position < length[:, None]).long()}
        if getattr(self.model.config, "type_vocab_size", 1) > 1 and self.words.typed:
            second = torch.tensor([row.second for row in rows])
            tensors["token_type_ids"] = ((position >= second[:, None]) & (position < length[:, None])).long()
        return Prepared(tensors, *_places(rows), cropped=sum(row.cropped for row in rows))

    def _texts(self, inputs: Sequence[Input]) -> List[Text]:
        """The inputs, which must be texts."""
        texts = [each for each in inputs if isinstance(each, Text)]
        if len(texts) < len(inputs):
            others = sorted({type(each).__name__ for each in inputs if not isinstance(each, Text)})
            raise TypeError(f"{type(self).__name__} reads texts, not {', '.join(others)}")
        return texts

    # ---- rows -> states ----------------------------------------------------------------------------------------------

    def forward(self, prepared: Prepared, depth: Optional[int] = None) -> Encoded:
        """States [B, L, H] after `depth` layers (None: all of them, and then with the sentence vector where there is one)."""
        tensors = {name: tensor.to(self.model.device) for name, tensor in prepared.tensors.items()}
        padded = not bool(prepared.tensors["attention_mask"].all())  # asked on the CPU: no wait for a GPU
        seen = tensors if padded else {**tensors, "attention_mask": None}  # without a mask attention has faster kernels
        with self._cut_at(depth):
            out = self.run(seen)
        summary = getattr(out, "pooler_output", None) if depth is None else None
        return Encoded(out.last_hidden_state, tensors["attention_mask"].bool(), summary)

    @contextmanager
    def _cut_at(self, depth: Optional[int]) -> Iterator[None]:
        """The model with its first layers only; the rest is not computed."""
        if depth is None:
            yield
            return
        owner, name = self._layers
        layers = getattr(owner, name)
        if not 0 <= depth <= len(layers):
            raise RelconError(f"depth must lie between 0 and the encoder's {len(layers)} layers, got {depth}.")
        setattr(owner, name, layers[:depth])
        try:
            yield
        finally:
            setattr(owner, name, layers)

    def compile(self, *args: Any, **keywords: Any) -> None:
        """Compile each layer by itself: layers share their code, so one compilation serves all of them, and `depth` still cuts.
        Names of weights and what is saved stay as they are. Arguments: those of `torch.compile`."""
        for layer in self.layers():
            layer.compile(*args, **keywords)

    # ---- what is trained ---------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether training changes anything of the encoder."""
        return any(parameter.requires_grad for parameter in self.parameters())

    def _freeze(self) -> None:
        layers = self.layers()
        frozen = list(layers[: self.freeze_layers])
        if self.freeze_layers or self.freeze_embeddings:
            frozen += self.embeddings()
        if self.freeze_layers == len(layers):
            frozen.append(self.model)
        for module in frozen:
            module.requires_grad_(False)

    def _check(self, max_length: int) -> None:
        """RelconError where a number does not suit this model."""
        layers, positions = len(self.layers()), _positions(self.model)
        if not 0 <= self.freeze_layers <= layers:
            raise RelconError(f"freeze_layers must lie between 0 and the encoder's {layers} layers, got {self.freeze_layers}.")
        if not self.words.two.size < max_length:
            raise RelconError(f"max_length must leave room beside {self.words.two.size} special tokens, got {max_length}.")
        if positions is not None and max_length > positions:
            raise RelconError(f"max_length must be at most {positions}, the positions that this encoder knows, got {max_length}.")


def whole_length(words: Words, text: Text) -> int:
    """Pieces of a text, special tokens included, that nothing was cropped of."""
    return _frame(words, text).size + sum(map(len, words.cut(text.words + text.second)))


def row_of(words: Words, text: Text) -> Row:
    """One text between its special tokens, cropped to the limit."""
    frame, pieces = _frame(words, text), _edited(words, text)
    first, second = pieces[: len(text.words)], pieces[len(text.words) :]
    room = words.limit - frame.size - sum(map(len, second))
    kept = survivors([len(word) for word in first], room, text.keep) if room >= 0 else []
    if room < 0 or (first and not kept):
        return _nothing(words.one, len(pieces))
    return _laid_out(frame, first, second, kept)


def _frame(words: Words, text: Text) -> Frame:
    """The special tokens around a text."""
    return words.two if text.second else words.one


def _edited(words: Words, text: Text) -> List[Pieces]:
    """The pieces of all words of both segments, with the text's edits."""
    pieces = words.cut(text.words + text.second)
    for word, piece, number in text.edits:
        old, new = pieces[word], words.piece(number)
        if piece >= len(old):
            raise IndexError(f"an edit names piece {piece} of a word with {len(old)} pieces")
        pieces[word] = (new,) * len(old) if piece < 0 else (*old[:piece], new, *old[piece + 1 :])
    return pieces


def _laid_out(frame: Frame, first: List[Pieces], second: List[Pieces], kept: List[int]) -> Row:
    """The surviving words between the special tokens."""
    ids, places = list(frame.before), [CROPPED] * len(first)
    for word in kept:
        places[word] = (len(ids), len(ids) + len(first[word]))
        ids += first[word]
    ids += frame.between
    start = len(ids)
    for pieces in second:
        places.append((len(ids), len(ids) + len(pieces)))
        ids += pieces
    ids += frame.after
    return Row(ids, places, start if second else len(ids), cropped=len(kept) < len(first), lost=False)


def _nothing(frame: Frame, words: int) -> Row:
    """The row of a lost text: special tokens alone. words: how many it has."""
    ids = [*frame.before, *frame.after]
    return Row(ids, [CROPPED] * words, len(ids), cropped=True, lost=True)


def _places(rows: Sequence[Row]) -> Tuple[Tensor, Tensor]:
    """`where` [I, W, 3] and `whole` [I, 3] of one row per input; a lost input has no place at all."""
    words = max([len(row.places) for row in rows], default=0)
    where = torch.full((len(rows), words, 3), ABSENT)
    whole = torch.zeros(len(rows), 3, dtype=torch.long)
    for number, row in enumerate(rows):
        whole[number] = torch.tensor([number, *(CROPPED if row.lost else (0, len(row.ids)))])
        if row.places:
            where[number, : len(row.places), 0] = number
            where[number, : len(row.places), 1:] = torch.tensor(row.places)
    return where, whole


def _positions(model: PreTrainedModel) -> Optional[int]:
    """How many positions the model has embeddings for; RoBERTa's count behind the padding row."""
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return None
    return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)
