"""Prompt templates: words, some of which are filled in."""

from string import Formatter
from typing import Iterable, List, Mapping, Optional, Sequence, Tuple

from relcon.contrast import MASK
from relcon.errors import RelconError, did_you_mean

TYPE_SLOTS = ("head_type", "tail_type")
SLOTS = ("head_type", "head", "tail_type", "tail", "mask")

Part = Tuple[str, str]
"""A literal, and the name of the slot that follows it, "" for none."""


class Template:
    """Words with slots, `the relation of {head} and {tail} is {mask}`.

    text: as a config has it. Slots are those of `SLOTS`, in any order; `{mask}` stands exactly once, any other as often as wanted, or not
    at all. What a slot is written together with is written together with its words (`{head}'s`), but the mask is a word by itself.
    `{{` and `}}` are braces.

    RelconError where the mask is missing or there are several, a slot is unknown, or braces do not match.
    """

    def __init__(self, text: str):
        self.text = text
        self.words = [self._parts(word) for word in text.split()]
        masks = sum(slot == "mask" for word in self.words for _, slot in word)
        if masks != 1:
            count = "no {mask}" if masks == 0 else f"{masks} times {{mask}}"
            raise RelconError(f"The template '{text}' has {count}. Write {{mask}} exactly once, where the relation is to be read.")

    @property
    def typed(self) -> bool:
        """Whether it has a slot for a type."""
        return any(slot in TYPE_SLOTS for word in self.words for _, slot in word)

    def filled(self, slots: Mapping[str, Sequence[str]]) -> Tuple[str, ...]:
        """The words, with `relcon.contrast.MASK` for the mask. slots: the words of every other slot; none: the slot is left out."""
        words: Mapping[str, Sequence[str]] = {**slots, "mask": (MASK,), "": ()}
        return tuple(new for word in self.words for new in glued(each for literal, slot in word for each in (literal.split(), words[slot])))

    def _parts(self, word: str) -> List[Part]:
        """A word of the template in parts."""
        try:
            parts = list(Formatter().parse(word))
        except ValueError as error:
            raise RelconError(
                f"The template '{self.text}': braces do not match in '{word}' ({error}). A slot is {{NAME}} without spaces; "
                "braces that are meant are doubled."
            ) from None
        return [(literal, self._slot(name, spec, conversion)) for literal, name, spec, conversion in parts]

    def _slot(self, name: Optional[str], spec: Optional[str], conversion: Optional[str]) -> str:
        """The name of a slot; "" where there is none."""
        if name is None:
            return ""
        if name not in SLOTS or spec or conversion:
            written = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise RelconError(f"The template '{self.text}' has the unknown slot '{{{written}}}'.{did_you_mean(written, SLOTS)}")
        return name


def glued(parts: Iterable[Sequence[str]]) -> List[str]:
    """The words of parts that follow each other without a space: (Marie, Curie), ('s) are Marie Curie's. The mask stays by itself."""
    words: List[str] = []
    for part in parts:
        if words and part and MASK not in (words[-1], part[0]):
            words[-1] += part[0]
            part = part[1:]
        words += part
    return words
