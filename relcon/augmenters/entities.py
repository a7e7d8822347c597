"""Augmenters that change entities and leave the text around them: masking and replacement."""

from typing import Dict, Iterable, List, Literal, Optional, Sequence, Set, Tuple

import torch

from relcon.augmenters.base import Pairs, argument_words, one_of, share, unique_documents
from relcon.data.document import Document, Entity, Instance
from relcon.data.edits import Edits, Piece, apply_edits, joined, replaced, words_of
from relcon.errors import RelconError
from relcon.interfaces import Augmenter

Name = Tuple[str, ...]

WHICH = ("arguments", "others", "all")


class EntityMasking(Augmenter):
    """Puts a token in the place of entities, so that context has to say what the names did.

    Each chosen entity is masked with probability `rate`, all its mentions together. 0.7 is the probability of Matching the
    Blanks (Soares et al., ACL 2019) and of Peng et al. (EMNLP 2020). Mentions that share words become one token, which then
    stands for both. A mention nested in a masked one goes with it.

    Args:
        rate: probability with which an entity is masked, 0 to 1.
        token: what stands for a mention. Encoders read it as one piece only if it is in their vocabulary (`[MASK]` in BERT's,
            `<mask>` in RoBERTa's; `[BLANK]` has to be added, see `whole`).
        which: `arguments` (entities of the given pairs), `others` (entities that share no word with an argument), or `all`.
        tail_token: what stands for an entity that is the tail and never the head of the given pairs; `token` unless given, and for
            mentions of both that share words.
        whole: the tokens are added to the encoder's vocabulary, each as one piece.

    Raises RelconError where an argument is out of range.

    Config::

        [augmenter]
        @augmenters = "relcon.EntityMasking.v1"
        rate = 0.7
        token = "[MASK]"
    """

    def __init__(
        self,
        rate: float = 0.7,
        token: str = "[MASK]",
        which: Literal["arguments", "others", "all"] = "arguments",
        tail_token: Optional[str] = None,
        whole: bool = False,
    ):
        for name, word in (("token", token), ("tail_token", token if tail_token is None else tail_token)):
            if len(word.split()) != 1:
                raise RelconError(f"{name} must be one word, not '{word}'.")
        self.rate, self.token, self.tail_token = share("rate", rate), token, tail_token or token
        self.which, self.whole = one_of("which", which, WHICH), whole

    @property
    def special_tokens(self) -> Sequence[str]:
        """Its tokens, where they are to be whole."""
        return list(dict.fromkeys((self.token, self.tail_token))) if self.whole else ()

    def __call__(self, document: Document, pairs: Pairs, generator: torch.Generator) -> Document:
        """A copy with masked entities; their mentions are the masking tokens."""
        chosen = _drawn(document, pairs, self.which, self.rate, generator)
        groups = joined(words_of(mention) for number in chosen for mention in document.entities[number].mentions)
        tails = {tail for _, tail in pairs} - {head for head, _ in pairs}
        others = [mention for number in chosen if number not in tails for mention in document.entities[number].mentions]
        theirs = {word for mention in others for word in words_of(mention)}
        edits: Dict[int, List[Piece]] = {}
        for group in groups:
            edits.update(replaced(group, [self.tail_token if theirs.isdisjoint(group) else self.token]))
        return apply_edits(document, edits)


class EntityReplacement(Augmenter):
    """Puts another entity of the same type in the place of entities.

    The names come from a pool that `prepare` gathers from the instances' documents: every mention text of every type. Each
    chosen entity is replaced with probability `rate`, all its mentions by the same name, drawn uniformly among the names of
    its type that differ from its own (compared without case); where there is none it stays. A mention that shares words with
    one that was replaced before it (longer mentions come first) is not replaced again: it goes with the other.

    Args:
        rate: probability with which an entity is replaced, 0 to 1.
        which: `arguments` (entities of the given pairs), `others` (entities that share no word with an argument), or `all`.

    Raises RelconError where an argument is out of range, and when called before `prepare`.

    Config::

        [augmenter]
        @augmenters = "relcon.EntityReplacement.v1"
        rate = 1.0
        which = "arguments"
    """

    def __init__(self, rate: float = 1.0, which: Literal["arguments", "others", "all"] = "arguments"):
        self.rate = share("rate", rate)
        self.which = one_of("which", which, WHICH)
        self.pools: Dict[str, NamePool] = {}

    def prepare(self, instances: Sequence[Instance]) -> None:
        """Gather the names of all entities by type."""
        names: Dict[str, Set[Name]] = {}
        for document in unique_documents(instances):
            for entity in document.entities:
                names.setdefault(entity.type, set()).update(_names(document, entity))
        self.pools = {kind: NamePool(found) for kind, found in names.items()}

    def __call__(self, document: Document, pairs: Pairs, generator: torch.Generator) -> Document:
        """A copy with other names; the mentions cover them."""
        if not self.pools:
            raise RelconError("relcon.EntityReplacement.v1 has no names yet: call prepare(instances) with the training instances first.")
        new: List[Tuple[List[int], Name]] = []
        for number in _drawn(document, pairs, self.which, self.rate, generator):
            entity = document.entities[number]
            pool = self.pools.get(entity.type)
            name = pool.draw(_names(document, entity), generator) if pool else None
            if name is not None:
                new += [(words_of(mention), name) for mention in entity.mentions]
        return apply_edits(document, _without_overlaps(new))


class NamePool:
    """The names of one entity type, from which one that differs from given ones is drawn without a walk through all."""

    def __init__(self, names: Iterable[Name]):
        self.names = sorted(names)
        self.numbers: Dict[Name, List[int]] = {}
        for number, name in enumerate(self.names):
            self.numbers.setdefault(_lower(name), []).append(number)

    def draw(self, own: Iterable[Name], generator: torch.Generator) -> Optional[Name]:
        """A uniformly drawn name that is none of `own` (compared without case); None where there is none."""
        excluded = sorted({number for name in own for number in self.numbers.get(_lower(name), [])})
        if len(excluded) == len(self.names):
            return None
        number = int(torch.randint(len(self.names) - len(excluded), (1,), generator=generator))
        for taken in excluded:
            number += number >= taken
        return self.names[number]


def _drawn(document: Document, pairs: Pairs, which: str, rate: float, generator: torch.Generator) -> List[int]:
    """The numbers of the entities to change, ascending: those that `which` means, each with probability `rate`."""
    chosen = [number for number in range(len(document.entities)) if _is_meant(document, number, pairs, which)]
    drawn = torch.rand(len(chosen), generator=generator).tolist()
    return [number for number, u in zip(chosen, drawn, strict=True) if u < rate]


def _is_meant(document: Document, number: int, pairs: Pairs, which: str) -> bool:
    if which == "others":
        protected = argument_words(document, pairs)
        return all(protected.isdisjoint(words_of(mention)) for mention in document.entities[number].mentions)
    return which == "all" or any(number in pair for pair in pairs)


def _without_overlaps(new: List[Tuple[List[int], Name]]) -> Edits:
    """The edits of the replacements (words, name) that share no word with an earlier one; longer ones come first."""
    edits: Dict[int, List[Piece]] = {}
    for words, name in sorted(new, key=lambda each: (-len(each[0]), each[0])):
        if edits.keys().isdisjoint(words):
            edits.update(replaced(words, name))
    return edits


def _names(document: Document, entity: Entity) -> Set[Name]:
    return {tuple(document.words[word] for word in words_of(mention)) for mention in entity.mentions}


def _lower(name: Name) -> Name:
    return tuple(word.lower() for word in name)
