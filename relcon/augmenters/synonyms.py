"""Replacement of words by synonyms."""

from typing import Dict, FrozenSet, List, Literal, Optional, Sequence, Set, Tuple, TypeVar

import torch

from relcon.augmenters.base import Amount, Room, WordAugmenter, one_of, unique_documents
from relcon.augmenters.stopwords import STOP_WORDS
from relcon.data.document import Instance
from relcon.data.edits import Edits, Piece
from relcon.interfaces import SynonymSource

Choice = TypeVar("Choice")


class SynonymReplacement(WordAugmenter):
    """Replaces n random word forms by random synonyms (SR of EDA: Wei and Zou, EMNLP 2019).

    n = max(minimum, rounding(rate * l)), where l counts the words of the changed sentences and a mention of an argument is
    one word. n counts distinct forms that have synonyms, not positions. Stop words and mentions of the pairs are never
    replaced. A synonym may be several words. At the start of a sentence it takes over a capital letter.

    Synonyms are looked up once per form, in `prepare` or at first sight.

    Args:
        synonyms: where synonyms come from.
        rate: share of words, 0 to 1.
        rounding: of rate * l; `floor`, `round` or `ceil`.
        minimum: at least so many forms, unless the rate is 0.
        occurrences: `all` replaces every free occurrence of a drawn form, `one` a random one of them.
        stop_words: forms that are never replaced, compared without case; the classic 127 English ones unless given.
        context: `sentence` (those of the pairs) or `document`; see `WordAugmenter`.

    Raises RelconError where an argument is out of range, and where the synonym source cannot be read.

    Config::

        [augmenter]
        @augmenters = "relcon.SynonymReplacement.v1"
        rate = 0.1

        [augmenter.synonyms]
        @synonyms = "relcon.WordNet.v1"
    """

    def __init__(
        self,
        synonyms: SynonymSource,
        rate: float = 0.1,
        rounding: Literal["floor", "round", "ceil"] = "floor",
        minimum: int = 1,
        occurrences: Literal["all", "one"] = "all",
        stop_words: Optional[List[str]] = None,
        context: Literal["sentence", "document"] = "sentence",
    ):
        self.synonyms = synonyms
        self.amount = Amount.of(rate, rounding, minimum)
        self.occurrences = one_of("occurrences", occurrences, ("all", "one"))
        self.stop_words: FrozenSet[str] = STOP_WORDS if stop_words is None else frozenset(word.lower() for word in stop_words)
        self.context = one_of("context", context, ("sentence", "document"))
        self._choices: Dict[str, List[Tuple[str, ...]]] = {}

    def prepare(self, instances: Sequence[Instance]) -> None:
        """Look up the synonyms of every form in the instances' documents."""
        self._look_up({word for document in unique_documents(instances) for word in document.words})

    def choices(self, form: str) -> List[Tuple[str, ...]]:
        """The synonyms of a form, each as words; none for a stop word."""
        if form not in self._choices:
            self._look_up({form})
        return self._choices[form]

    def _look_up(self, forms: Set[str]) -> None:
        """Ask for all that are not known yet at once."""
        new = sorted(forms - self._choices.keys())
        found = self.synonyms.look_up([form for form in new if form.lower() not in self.stop_words])
        self._choices.update((form, [tuple(synonym.split()) for synonym in found.get(form, [])]) for form in new)

    def edits(self, room: Room, generator: torch.Generator) -> Edits:
        """The replaced words, each with the words of its synonym."""
        places = self._places(room)
        forms = sorted(places)
        edits: Dict[int, List[Piece]] = {}
        for number in torch.randperm(len(forms), generator=generator).tolist()[: self.amount(len(room.tokens))]:
            form = forms[number]
            synonym = _draw(self.choices(form), generator)
            for word in places[form] if self.occurrences == "all" else [_draw(places[form], generator)]:
                edits[word] = _pieces(room, word, synonym)
        return edits

    def _places(self, room: Room) -> Dict[str, List[int]]:
        """Replaceable forms and the words at which they stand. An argument is a name, never a form."""
        places: Dict[str, List[int]] = {}
        for token in room.free:
            word = room.tokens[token][0]
            form = room.document.words[word]
            if token not in room.arguments and self.choices(form):
                places.setdefault(form, []).append(word)
        return places


def _pieces(room: Room, word: int, synonym: Tuple[str, ...]) -> List[Piece]:
    first, *others = synonym
    if room.document.words[word][:1].isupper() and any(start == word for start, _ in room.document.sentences):
        first = first[0].upper() + first[1:]
    return [Piece(text, (word,)) for text in (first, *others)]


def _draw(choices: Sequence[Choice], generator: torch.Generator) -> Choice:
    return choices[int(torch.randint(len(choices), (1,), generator=generator))]
