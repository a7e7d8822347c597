"""Entity markers: plain, with types, as punctuation."""

from typing import List, Literal, Sequence, Tuple

from relcon.data.document import Instance
from relcon.errors import RelconError, did_you_mean
from relcon.renderers.marking import MarkedRenderer, Marks


class EntityMarkers(MarkedRenderer):
    """`[E1] head [/E1] ... [E2] tail [/E2]` (Baldini Soares et al., 2019). The markers are whole pieces of the vocabulary.

    unit: `markers`: two slots, the start markers. `mentions`: two slots, the words of the mentions. `sentence`: all.
    context: `sentence`: the words from the first sentence of the pair to the last, or the whole `document`.
    markers: what is written before and behind the head, before and behind the tail.

    Config::

        [renderer]
        @renderers = "relcon.EntityMarkers.v1"
        unit = "markers"
    """

    def __init__(
        self,
        unit: Literal["markers", "mentions", "sentence"] = "markers",
        context: Literal["sentence", "document"] = "sentence",
        markers: List[str] = ["[E1]", "[/E1]", "[E2]", "[/E2]"],  # noqa: B006 (never changed)
    ):
        super().__init__(unit, context)
        if len(markers) != 4 or any(not marker.strip() for marker in markers):
            raise RelconError(f"markers must be four words: before and behind the head, before and behind the tail; got {markers}.")
        self.markers = tuple(markers)

    @property
    def special_tokens(self) -> Sequence[str]:
        """The four markers."""
        return self.markers

    def marks(self, instance: Instance) -> Tuple[Marks, Marks]:
        """The same for every instance."""
        before, behind, second, last = self.markers
        return Marks((before,), (behind,)), Marks((second,), (last,))


class TypedMarkers(MarkedRenderer):
    """`[E1-PERSON] head [/E1-PERSON] ... [E2-CITY] tail [/E2-CITY]`: markers that tell the entity types (Zhong and Chen, 2021).

    types: all entity types of the data, because markers must be in the vocabulary before training; "" for entities without.
    unit, context: as of `relcon.EntityMarkers.v1`.

    RelconError where an entity has a type that is not declared.

    Config::

        [renderer]
        @renderers = "relcon.TypedMarkers.v1"
        types = ["CHEMICAL", "GENE"]
    """

    def __init__(
        self,
        types: List[str],
        unit: Literal["markers", "mentions", "sentence"] = "markers",
        context: Literal["sentence", "document"] = "sentence",
    ):
        super().__init__(unit, context)
        if not types:
            raise RelconError("types must name the entity types of the data, for instance ['CHEMICAL', 'GENE'].")
        self.types = list(dict.fromkeys(types))

    @property
    def special_tokens(self) -> Sequence[str]:
        """Four markers for every type."""
        return [mark for kind in self.types for name in ("E1", "E2") for marks in self._marks(name, kind) for mark in marks]

    def marks(self, instance: Instance) -> Tuple[Marks, Marks]:
        """Those of the types of head and tail."""
        entities = instance.document.entities
        return self._marks("E1", entities[instance.head].type), self._marks("E2", entities[instance.tail].type)

    def _marks(self, name: str, kind: str) -> Marks:
        if kind not in self.types:
            raise RelconError(f"The entity type '{kind}' is not among the types of relcon.TypedMarkers.v1.{did_you_mean(kind, self.types)}")
        label = f"{name}-{kind.replace(' ', '_')}" if kind else name
        return Marks((f"[{label}]",), (f"[/{label}]",))


class PunctuationMarkers(MarkedRenderer):
    """`@ head @ ... # tail #`, or with types `@ * person * head @ ... # ^ city ^ tail #` (Zhou and Chen, 2022).

    The marks are ordinary words, so that nothing is added to the vocabulary.

    typed: whether the types stand before the mentions, in lower case and with spaces for `_` and `-`.
    unit, context: as of `relcon.EntityMarkers.v1`; the start markers are the first `@` and the first `#`.

    Config::

        [renderer]
        @renderers = "relcon.PunctuationMarkers.v1"
        typed = true
    """

    def __init__(
        self,
        typed: bool = False,
        unit: Literal["markers", "mentions", "sentence"] = "markers",
        context: Literal["sentence", "document"] = "sentence",
    ):
        super().__init__(unit, context)
        self.typed = typed

    def marks(self, instance: Instance) -> Tuple[Marks, Marks]:
        """`@` around the head, `#` around the tail."""
        entities = instance.document.entities
        return self._marks("@", "*", entities[instance.head].type), self._marks("#", "^", entities[instance.tail].type)

    def _marks(self, mark: str, inner: str, kind: str) -> Marks:
        words = kind.lower().replace("_", " ").replace("-", " ").split() if self.typed else []
        return Marks((mark, inner, *words, inner) if words else (mark,), (mark,))
