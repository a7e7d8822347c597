"""The prompt: a sentence, and behind it a filled template with one mask."""

from typing import Dict, List, Literal, Sequence

from relcon.contrast import MASK, WHOLE, Slot, Span, Text, Unit, View
from relcon.data.document import Instance, Mention
from relcon.errors import RelconError
from relcon.interfaces import Renderer, Split
from relcon.renderers.context import check_context, window
from relcon_cloce.template import Template


class Prompt(Renderer):
    """The sentence as first segment and a filled template as second: `... born in Warsaw .` `the relation of person Marie Curie and city
    Warsaw is [MASK]` (CLoCE, anonymous submission, whose template this is; one mask is read, as in KnowPrompt: Chen et al., WWW
    2022).

    Only the sentence is cropped where the input is too long, and never one of the two arguments; where these and the prompt do not fit,
    the view is lost. The mask is the encoder's own, which gets one where its tokenizer has none; a word of the sentence that is written
    like it is read as an unknown one. Entities with several mentions: the two closest mentions of the pair are the arguments. Of a
    discontinuous mention the words that belong to it are filled in.

    template: words with the slots {head_type} {head} {tail_type} {tail} {mask}, the last exactly once.
    types: `gold`: the type slots show the data's types, in small letters, `_` as a space; a slot whose entity has none is left out.
        `none`: they are always left out.
    unit: `mask`: one slot, the mask, for a classifier (relcon.SpanPool.v1, `inside = "first"`, `slots = 1`). `sentence`: the whole input,
        prompt included. `mentions`: two slots, the words of the arguments in the sentence.
    context: `sentence`: the words from the first sentence of the pair to the last, or the whole `document`.

    RelconError where the template is none; in the check before training, where it has slots for types, and no entity of the data has one.

    Config::

        [renderer]
        @renderers = "cloce.Prompt.v1"
        template = "the relation of {head_type} {head} and {tail_type} {tail} is {mask}"
        types = "gold"
    """

    def __init__(
        self,
        template: str = "the relation of {head_type} {head} and {tail_type} {tail} is {mask}",
        types: Literal["gold", "none"] = "gold",
        unit: Literal["mask", "sentence", "mentions"] = "mask",
        context: Literal["sentence", "document"] = "sentence",
    ):
        if types not in ("gold", "none"):
            raise RelconError(f"types must be 'gold' or 'none', got '{types}'.")
        if unit not in ("mask", "sentence", "mentions"):
            raise RelconError(f"unit must be 'mask', 'sentence' or 'mentions', got '{unit}'.")
        check_context(context)
        self.template, self.types, self.unit, self.context = Template(template), types, unit, context

    @property
    def special_tokens(self) -> Sequence[str]:
        """The mask."""
        return (MASK,)

    def check(self, data: Split) -> None:
        """Where types are shown, an entity must have one."""
        if self.types != "gold" or not self.template.typed:
            return
        if not any(entity.type for document in data.documents for entity in document.entities):
            raise RelconError(
                f"The prompt shows entity types, but no entity of the split '{data.name}' has one. "
                'Set types = "none" in the renderer, or give the entities types (cloce.SpacyTypes.v1 as reader).'
            )

    def __call__(self, instances: Sequence[Instance]) -> List[View]:
        """One view per instance, each with an input of its own."""
        return [self._view(instance) for instance in instances]

    def _view(self, instance: Instance) -> View:
        start, end = window(instance, self.context)
        words, mentions = instance.document.words[start:end], instance.mentions
        if MASK in words:
            raise RelconError(f"Document '{instance.document.id}' has a word that relcon uses for the mask ({MASK!r}). Take it out.")
        pair: Unit = tuple(tuple(Span(first - start, last - start) for first, last in mention.spans) for mention in mentions)
        second = self.template.filled(self._slots(instance, mentions))
        keep = tuple((span.start, span.end) for slot in pair for span in slot)
        return View(Text(words, second, keep=keep), self._unit(pair, len(words) + second.index(MASK)))

    def _slots(self, instance: Instance, mentions: Sequence[Mention]) -> Dict[str, List[str]]:
        """The words of head and tail and of their types."""
        document, slots = instance.document, {}
        for name, number, mention in zip(("head", "tail"), (instance.head, instance.tail), mentions, strict=True):
            slots[name] = [word for start, end in mention.spans for word in document.words[start:end]]
            slots[f"{name}_type"] = self._type(document.entities[number].type)
        return slots

    def _type(self, name: str) -> List[str]:
        return name.lower().replace("_", " ").split() if self.types == "gold" else []

    def _unit(self, pair: Unit, mask: int) -> Unit:
        if self.unit == "mentions":
            return pair
        slot: Slot = (WHOLE,) if self.unit == "sentence" else (Span(mask, mask + 1),)
        return (slot,)
