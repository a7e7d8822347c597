"""Mentions -> entities: mentions of one concept, or of one chain of coreference, are one entity with several mentions."""

from itertools import product
from typing import Dict, Iterable, Iterator, List, Literal, NamedTuple, Sequence, Tuple

from scipy.cluster.hierarchy import DisjointSet

from relcon.data.document import Entity, Mention
from relcon.data.relations import Pair
from relcon.errors import RelconError

EntitiesFrom = Literal["concepts", "mentions"]

UNKNOWN = frozenset({"", "-", "-1"})
"""What corpora write where a mention has no identifier."""


class Named(NamedTuple):
    """A mention with the type and id that its entity has where this is the first mention of it.

    concepts: what it is a mention of; () where nothing is known: it is an entity of its own.
    """

    mention: Mention
    type: str
    id: str
    concepts: Tuple[str, ...] = ()


class Gathered(NamedTuple):
    """Entities in the order of their first mentions. concepts: the number of each concept's entity. owners: for every mention the
    numbers of its entities, several where it names several concepts."""

    entities: Tuple[Entity, ...]
    concepts: Dict[str, int]
    owners: List[Tuple[int, ...]]

    def pairs(self, head: int, tail: int) -> Iterator[Pair]:
        """The pairs of entities of two mentions."""
        return product(self.owners[head], self.owners[tail])


def gather(mentions: Iterable[Named]) -> Gathered:
    """One entity for each concept with all its mentions, named after the concept where a mention has several; one for each mention
    without a concept."""
    found: List[Tuple[str, str, List[Mention]]] = []
    numbers: Dict[str, int] = {}
    owners: List[Tuple[int, ...]] = []
    for each in mentions:
        for concept in each.concepts:
            if concept not in numbers:
                numbers[concept] = len(found)
                found.append((each.type, concept, []))
        own = tuple(numbers[concept] for concept in each.concepts) or (len(found),)
        if not each.concepts:
            found.append((each.type, each.id, []))
        for number in own:
            found[number][2].append(each.mention)
        owners.append(own)
    return Gathered(tuple(Entity(tuple(places), kind, name) for kind, name, places in found), numbers, owners)


def chained(names: Sequence[str], chains: Iterable[Sequence[str]]) -> Dict[str, str]:
    """Mentions that are said to be the same -> the first of them, in the order of `names`. Chains that share a mention are one."""
    sets = DisjointSet(names)
    for chain in chains:
        for name in chain[1:]:
            sets.merge(chain[0], name)
    order = {name: number for number, name in enumerate(names)}
    firsts = {name: min(same, key=order.__getitem__) for same in sets.subsets() for name in same if len(same) > 1}
    return {name: firsts[name] for name in names if name in firsts}


def concepts_of(written: str, separators: Sequence[str]) -> Tuple[str, ...]:
    """The identifiers of a mention, each once: one, several where the mention is composite (`D1|D2`), none where it is unknown."""
    for separator in separators[1:]:
        written = written.replace(separator, separators[0])
    parts = written.split(separators[0]) if separators else [written]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip() not in UNKNOWN))


def known_entities(entities: EntitiesFrom) -> EntitiesFrom:
    """Itself; RelconError where it is neither."""
    if entities not in ("concepts", "mentions"):
        raise RelconError(f"entities must be 'concepts' or 'mentions', not '{entities}'")
    return entities
