"""Both arguments replaced by a tag of their type."""

from typing import Dict, List, Literal, Optional, Sequence, Tuple

from relcon.contrast import WHOLE, Span, Text, View
from relcon.data.document import Instance, Mention
from relcon.errors import RelconError
from relcon.interfaces import Renderer
from relcon.renderers.context import check_context, window


class Blinded(Renderer):
    """One input per instance, in which each argument is one word, the tag of its type: `@PROTEIN$` (Su et al., 2021).

    A tag says the type and not which argument is the head: pairs of one type in a directed task need markers instead.
    Arguments that share a word, or that the text writes without a character between them, become one merged tag,
    `@CHEMICAL-PROTEIN$` (types in text order). All other mentions keep their words. A discontinuous mention is replaced as a
    whole, words between its parts included. Entities with several mentions: the two closest mentions of the pair are the
    arguments.

    tags: entity type -> the name in its tag, for types that should look alike (`{"GENE-Y": "PROTEIN"}`); other types stand
        as they are, in capitals, and an entity without a type is `@ENTITY$`.
    unit: `sentence`: the whole input. `mentions`: two slots, the two tags.
    context: `sentence`: the words from the first sentence of the pair to the last, or the whole `document`.
    whole_tags: tags that become one piece of the encoder's vocabulary (`["@PROTEIN$"]`); otherwise its tokenizer splits them.

    Config::

        [renderer]
        @renderers = "relcon.Blinded.v1"
        tags = {"GENE-Y": "PROTEIN", "GENE-N": "PROTEIN"}
    """

    def __init__(
        self,
        tags: Optional[Dict[str, str]] = None,
        unit: Literal["sentence", "mentions"] = "sentence",
        context: Literal["sentence", "document"] = "sentence",
        whole_tags: List[str] = [],  # noqa: B006 (never changed)
    ):
        if unit not in ("sentence", "mentions"):
            raise RelconError(f"unit must be 'sentence' or 'mentions', got '{unit}'.")
        check_context(context)
        self.tags, self.unit, self.context, self.whole_tags = dict(tags or {}), unit, context, tuple(whole_tags)

    @property
    def special_tokens(self) -> Sequence[str]:
        """The tags that become whole pieces."""
        return self.whole_tags

    def __call__(self, instances: Sequence[Instance]) -> List[View]:
        """One view per instance."""
        return [self._view(instance) for instance in instances]

    def _view(self, instance: Instance) -> View:
        head, tail = instance.mentions
        start, end = window(instance, self.context)
        replaced = self._replacements(instance, head, tail)
        words: List[str] = []
        spots: List[int] = []
        at = start
        for first, last, tag in replaced:
            words += instance.document.words[at:first]
            spots.append(len(words))
            words.append(tag)
            at = last
        words += instance.document.words[at:end]
        of_head, of_tail = (spots[0], spots[-1]) if head <= tail else (spots[-1], spots[0])  # a merged tag is both
        pair = ((Span(of_head, of_head + 1),), (Span(of_tail, of_tail + 1),))
        keep = tuple((spot, spot + 1) for spot in spots)
        return View(Text(tuple(words), keep=keep), pair if self.unit == "mentions" else ((WHOLE,),))

    def _replacements(self, instance: Instance, head: Mention, tail: Mention) -> List[Tuple[int, int, str]]:
        """(first word, end, tag) in text order: two of them, or the merged one."""
        entities = instance.document.entities
        (one, left), (two, right) = sorted([(head, entities[instance.head].type), (tail, entities[instance.tail].type)])
        if instance.document.touch(one, two):
            return [(one.start, max(one.end, two.end), f"@{self._name(left)}-{self._name(right)}$")]
        return [(one.start, one.end, f"@{self._name(left)}$"), (two.start, two.end, f"@{self._name(right)}$")]

    def _name(self, kind: str) -> str:
        return self.tags.get(kind, kind.upper() or "ENTITY")
