"""Words -> word pieces, one word at a time, as the tokenizer would cut the joined text."""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, cast

from transformers import AddedToken, PreTrainedTokenizerBase

from relcon.contrast import MASK
from relcon.errors import RelconError
from relcon.interfaces import Vocabulary

Pieces = Tuple[Any, ...]
"""The pieces of a word. A piece is the id of a word piece, or a whole word as the ids of its characters."""

ADDED_MASK = "[MASK]"
"""What the mask token is called that a tokenizer without one gets."""


class Frame(NamedTuple):
    """The special tokens around one segment (`between` empty) or two: pieces before, between and after them."""

    before: Pieces
    between: Pieces
    after: Pieces

    @property
    def size(self) -> int:
        """How many special tokens there are."""
        return len(self.before) + len(self.between) + len(self.after)


class WordPieces(Vocabulary):
    """A tokenizer that remembers the pieces of every word it has met.

    The pieces of words equal those of the words joined by spaces. Where the tokenizer marks a leading space (byte-level
    BPE), every word has one, the first included: a word's pieces do not depend on its place. A word that the tokenizer
    drops (a lone control character) is one unknown piece, so that every word has a position. The word `relcon.contrast.MASK` is the mask
    token, and among words that are cut together with it no other piece is.

    tokenizer: of Hugging Face. limit: the largest number of pieces of an input, special tokens included. lower_case: words are made lower
        case before they are cut, added and special tokens excepted.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, limit: int, lower_case: bool = False):
        self.tokenizer, self.limit, self.lower_case = tokenizer, limit, lower_case
        self.known: Dict[str, Pieces] = self._whole()
        once, twice = self._cut(["a", "a a"])
        self.space = "" if twice == 2 * once else " "
        self.one = self._frame("a")
        self.two = self._frame("a", "a")

    @property
    def size(self) -> int:  # type: ignore[override]
        """How many pieces there are."""
        return len(self.tokenizer)

    @property
    def mask(self) -> Optional[int]:  # type: ignore[override]
        """The id of the mask token; None where there is none."""
        return self.tokenizer.mask_token_id

    @property
    def separator(self) -> Optional[str]:  # type: ignore[override]
        """The separator as it is written; None where there is none."""
        return self.tokenizer.sep_token

    @property
    def padding(self) -> int:
        """The id of the padding token."""
        return cast(int, self.tokenizer.pad_token_id)

    @property
    def typed(self) -> bool:
        """Whether the model is told which segment a piece belongs to."""
        return "token_type_ids" in self.tokenizer.model_input_names

    def piece(self, number: int) -> int:
        """The piece that an edit names: its id."""
        return number

    def pieces(self, word: str) -> List[int]:
        """The ids of one word's pieces, at least one."""
        return list(self.cut([word])[0])

    def cut(self, words: Iterable[str]) -> List[Pieces]:
        """The pieces of each word; new words are cut in one call of the tokenizer. RelconError where a word is `MASK` and there is no
        mask token."""
        words = list(words)
        fresh = [word for word in dict.fromkeys(words) if word not in self.known]
        if MASK in fresh:
            raise RelconError(
                "A text has a mask, but the encoder's tokenizer has no mask token. Let its renderer name relcon.contrast.MASK among its "
                "special_tokens, as cloce.Prompt.v1 does: the encoder then gets one."
            )
        if fresh:
            unknown = (self.tokenizer.unk_token_id,)
            found = self._cut([self.space + word for word in self._cased(fresh)])
            self.known.update(zip(fresh, (ids or unknown for ids in found), strict=True))
        return [self._beside_mask(word) for word in words] if MASK in words else [self.known[word] for word in words]

    def _cased(self, words: List[str]) -> List[str]:
        """The words as they are cut."""
        if not self.lower_case:
            return words
        whole = self.tokenizer.get_added_vocab()
        return [word if word in whole else word.lower() for word in words]

    def _beside_mask(self, word: str) -> Pieces:
        """The pieces of a word among which only `MASK` is the mask: what is written like the mask token is unknown."""
        pieces = self.known[word]
        if word == MASK or self.mask not in pieces:
            return pieces
        return tuple(self.tokenizer.unk_token_id if piece == self.mask else piece for piece in pieces)

    def add(self, tokens: Sequence[str]) -> Dict[str, Pieces]:
        """Make each token one piece; `MASK` among them: the tokenizer shall have a mask token. Returns the pieces that each really new
        token had before, for a mask token all that there were."""
        entries = self.tokenizer.get_vocab()
        named = [token for token in tokens if token != MASK]
        former = {token: self.cut([token])[0] for token in named if token not in entries}
        if MASK in tokens and self.mask is None:
            former |= {} if ADDED_MASK in entries else {MASK: tuple(entries.values())}
            self.tokenizer.add_special_tokens({"mask_token": ADDED_MASK})
        whole: List[Any] = [AddedToken(token, lstrip=True, normalized=False, special=True) for token in named]
        self.tokenizer.add_tokens(whole, special_tokens=True)
        self.known = self._whole()
        return former

    def _whole(self) -> Dict[str, Pieces]:
        """Separator and mask are one piece, though byte-level BPE would give the space before them another."""
        whole = {self.separator: self.tokenizer.sep_token_id, MASK: self.mask}
        return {word: (piece,) for word, piece in whole.items() if word is not None and piece is not None}

    def _cut(self, texts: List[str]) -> List[Pieces]:
        return [tuple(ids) for ids in self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]]

    def _frame(self, *segments: str) -> Frame:
        """The special tokens that the tokenizer puts around so many segments."""
        coded = self.tokenizer(*segments, return_special_tokens_mask=True)
        ids, special = coded["input_ids"], coded["special_tokens_mask"]
        text = [position for position, mark in enumerate(special) if not mark]
        between = [n for n in range(text[0], text[-1]) if special[n]]
        return Frame(tuple(ids[: text[0]]), tuple(ids[n] for n in between), tuple(ids[text[-1] + 1 :]))
