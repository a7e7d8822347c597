"""The text as it is: all pairs of a document share one input."""

from typing import Dict, List, Literal, Sequence, Tuple

from relcon.contrast import WHOLE, Slot, Span, Text, Unit, View
from relcon.data.document import Entity, Instance
from relcon.errors import RelconError
from relcon.interfaces import Renderer
from relcon.renderers.context import check_context, window


class Plain(Renderer):
    """The document's words, unchanged; instances of one document share one input and so one forward.

    unit: `mentions`: two slots, all mentions of the head and all of the tail (the fragments of a discontinuous mention are
        spans of their own). `sentence`: the whole input, the same vector for all pairs that share it.
    context: `document`, or `sentence`: only the words from the first sentence of the closest mentions to the last; mentions
        outside are left out, and instances share an input where they have the same sentences.

    A text beyond the encoder's limit is cropped at its end, and a pair that lost all mentions of an entity is lost.

    Config::

        [renderer]
        @renderers = "relcon.Plain.v1"
        unit = "mentions"
    """

    def __init__(self, unit: Literal["mentions", "sentence"] = "mentions", context: Literal["sentence", "document"] = "document"):
        if unit not in ("mentions", "sentence"):
            raise RelconError(f"unit must be 'mentions' or 'sentence', got '{unit}'.")
        check_context(context)
        self.unit, self.context = unit, context

    def __call__(self, instances: Sequence[Instance]) -> List[View]:
        """One view per instance."""
        inputs: Dict[Tuple[int, int, int], Text] = {}
        views = []
        for instance in list(instances):  # all held, so that no document takes the id of one that is gone
            start, end = window(instance, self.context)
            key = (id(instance.document), start, end)
            text = inputs.setdefault(key, Text(instance.document.words[start:end]))
            views.append(View(text, self._unit(instance, start, end)))
        return views

    def _unit(self, instance: Instance, start: int, end: int) -> Unit:
        if self.unit == "sentence":
            return ((WHOLE,),)
        entities = instance.document.entities
        return _slot(entities[instance.head], start, end), _slot(entities[instance.tail], start, end)


def _slot(entity: Entity, start: int, end: int) -> Slot:
    """The entity's mentions inside the window, counted from its first word."""
    inside = [mention for mention in entity.mentions if start <= mention.start and mention.end <= end]
    return tuple(Span(first - start, last - start) for mention in inside for first, last in mention.spans)
