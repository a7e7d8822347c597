"""Marks put around the two arguments of a pair."""

from abc import abstractmethod
from typing import Dict, List, Literal, NamedTuple, Sequence, Tuple

from relcon.contrast import WHOLE, Span, Text, Unit, View
from relcon.data.document import Instance, Mention
from relcon.errors import RelconError
from relcon.interfaces import Renderer
from relcon.renderers.context import check_context, window

Words = Tuple[str, ...]


class Marks(NamedTuple):
    """What is written before and after an argument; the first word of `before` is its start marker."""

    before: Words
    after: Words


class MarkedText(NamedTuple):
    """The words with marks in them. starts: of each argument's start marker. ends: behind each argument's last mark.
    place: an old word -> where it stands now."""

    words: Words
    starts: Tuple[int, int]
    ends: Tuple[int, int]
    place: Dict[int, int]


class MarkedRenderer(Renderer):
    """Base of the renderers that put marks around the arguments, one input per instance.

    unit: `markers`: two slots, the start markers of head and tail. `mentions`: two slots, the words of both mentions (each
        part of a discontinuous one). `sentence`: the whole input.
    context: `sentence`: the words from the first sentence of the pair to the last, or the whole `document`.

    Marks go around the whole of a discontinuous mention. Entities with several mentions: the two closest mentions of the pair
    are the arguments. Both arguments with their marks survive cropping.
    """

    def __init__(self, unit: Literal["markers", "mentions", "sentence"], context: Literal["sentence", "document"]):
        if unit not in ("markers", "mentions", "sentence"):
            raise RelconError(f"unit must be 'markers', 'mentions' or 'sentence', got '{unit}'.")
        check_context(context)
        self.unit, self.context = unit, context

    @abstractmethod
    def marks(self, instance: Instance) -> Tuple[Marks, Marks]:
        """The marks of head and tail."""

    def __call__(self, instances: Sequence[Instance]) -> List[View]:
        """One view per instance."""
        return [self._view(instance) for instance in instances]

    def _view(self, instance: Instance) -> View:
        start, end = window(instance, self.context)
        text = marked(instance.document.words, start, end, instance.mentions, self.marks(instance))
        keep = tuple(zip(text.starts, text.ends, strict=True))
        return View(Text(text.words, keep=keep), self._unit(instance, text))

    def _unit(self, instance: Instance, text: MarkedText) -> Unit:
        if self.unit == "sentence":
            return ((WHOLE,),)
        if self.unit == "markers":
            return tuple((Span(start, start + 1),) for start in text.starts)
        return tuple(
            tuple(Span(text.place[first], text.place[last - 1] + 1) for first, last in mention.spans) for mention in instance.mentions
        )


def marked(words: Words, start: int, end: int, mentions: Tuple[Mention, Mention], marks: Tuple[Marks, Marks]) -> MarkedText:
    """Words [start, end) with the marks of both mentions.

    Nested mentions have nested marks, and of two mentions of the same words the head's marks are outside. Mentions that cross
    (neither holds the other) have crossing marks.
    """
    opened = sorted((0, 1), key=lambda n: (-mentions[n].end, n))  # of marks before one word the longer mention's come first
    closed = sorted((0, 1), key=lambda n: (-mentions[n].start, -n))  # of marks behind one word the shorter mention's
    new: List[str] = []
    starts, ends, place = [0, 0], [0, 0], {}
    for word in range(start, end + 1):
        for number in closed:
            if mentions[number].end == word:
                new += marks[number].after
                ends[number] = len(new)
        for number in opened:
            if mentions[number].start == word:
                starts[number] = len(new)
                new += marks[number].before
        if word < end:
            place[word] = len(new)
            new.append(words[word])
    return MarkedText(tuple(new), (starts[0], starts[1]), (ends[0], ends[1]), place)
