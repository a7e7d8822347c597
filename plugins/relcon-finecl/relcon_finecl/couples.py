"""Couples of sentences: of one relation (CP), of one entity pair (Matching the Blanks)."""

import logging
from abc import abstractmethod
from collections import Counter
from itertools import combinations
from typing import Any, Dict, Hashable, Iterable, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple

import torch

from relcon.contrast import Batch, Contrast, Pairing, View
from relcon.data.document import Document, Instance
from relcon.errors import RelconError
from relcon.interfaces import Augmenter, Draw, Renderer, Sampler, Split
from relcon.samplers.common import changed, content_of, cut, tags_of
from relcon.samplers.pairings import by_label

logger = logging.getLogger(__name__)

KEPT = 3
"""Splits whose groups are remembered beside the newest: training and validation take turns."""

MENTIONED_ONCE = (
    "Matching the Blanks needs text that mentions a pair of entities again and again; CP needs labels. "
    'Where the ids of entities number mentions, entities = "name" goes by their names.'
)

Couple = Tuple[int, int]
"""The numbers of two instances."""


class CoupleSampler(Sampler):
    """Base: couples of instances that have something in common.

    renderer: instances -> views. couples: of a batch. augmenter: changes every sentence anew in every epoch (blanking).

    Instances whose head and tail have the same name, or whose mentions overlap, are left out, and their number is logged.
    """

    what: str
    """What the instances of a couple have in common, for messages."""

    def __init__(self, renderer: Renderer, couples: int, augmenter: Optional[Augmenter]):
        self.renderer, self.augmenter = renderer, augmenter
        if couples < 2 or couples % 2:
            raise ValueError(f"couples must be an even number of at least 2, not {couples}")
        self.couples = couples
        self._known: List[Tuple[Split, Any]] = []

    @abstractmethod
    def gather(self, data: Split, usable: Iterator[Tuple[int, Instance]]) -> Any:
        """What the couples of a split are drawn from. usable: numbers and instances. RelconError where there is no couple."""

    def material(self, data: Split) -> Any:
        """`gather`, remembered."""
        known = next((found for split, found in self._known if split is data), None)
        if known is None:
            known = self.gather(data, self._usable(data))
            self._known = [*self._known[-KEPT:], (data, known)]
        return known

    def _usable(self, data: Split) -> Iterator[Tuple[int, Instance]]:
        """The instances that can be used, with their numbers; at the end the log says how many cannot."""
        reasons: Counter[str] = Counter()
        for number, instance in enumerate(data.instances):
            reason = unusable(instance) or self.unusable(instance, data)
            if reason is None:
                yield number, instance
            else:
                reasons[reason] += 1
        if reasons:
            said = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
            name, left_out, every = type(self).__name__, sum(reasons.values()), len(data.instances)
            logger.info("[%s] %s leaves out %d of %d instances (%s)", data.name, name, left_out, every, said)

    def unusable(self, instance: Instance, data: Split) -> Optional[str]:
        """A further reason why an instance is left out. None unless overridden."""
        return None

    def check(self, data: Split) -> None:
        """RelconError where there is no couple, or the augmenter could not change the sentences."""
        super().check(data)
        self.material(data)

    def no_couple(self, data: Split, advice: str) -> RelconError:
        """What to say where no two instances have in common what they should."""
        return RelconError(
            f"No two of the {len(data.instances)} instances of the split '{data.name}' have the same {self.what}, "
            f"so {type(self).__name__} has no couple to learn from. {advice}"
        )

    def views(self, numbers: Sequence[int], data: Split, generator: torch.Generator) -> List[View]:
        """The instances as they are shown in this epoch."""
        instances = [data.instances[number] for number in numbers]
        if self.augmenter is not None:
            augmenter = self.augmenter
            instances = [changed(instance, augmenter, generator) for instance in instances]
        return self.renderer(instances)


class RelationCouples(CoupleSampler):
    """Sentences of one relation in couples: in a batch all sentences of one relation attract each other, those of different ones repel.

    Gives the value `contrast`, with labels and contents as tags for a queue. In every epoch the sentences of each relation are shuffled and
    coupled two by two; one that is left over is not used, as are relations with one sentence and labels that mean 'no relation'. CP (Peng
    et al., EMNLP 2020): relcon.InfoNCE.v1 with temperature 0.05, denominator = "own" and reduction = "pairs", markers whose start stands
    for the argument, names blanked with probability 0.7.

    renderer: instances -> views. couples: of a batch, an even number; a batch has twice as many sentences. augmenter: changes every
    sentence anew in each epoch; relcon.EntityMasking.v1 blanks.

    Instances whose head and tail have the same name, or whose mentions overlap, are left out, and their number is logged. RelconError
    where no relation has two sentences.

    Config::

        [sampler]
        @samplers = "finecl.RelationCouples.v1"
        couples = 32
        [sampler.renderer]
        @renderers = "relcon.EntityMarkers.v1"
        [sampler.augmenter]
        @augmenters = "relcon.EntityMasking.v1"
        token = "[BLANK1]"
        tail_token = "[BLANK2]"
        whole = true
    """

    what = "relation"

    def __init__(self, renderer: Renderer, couples: int = 32, augmenter: Optional[Augmenter] = None):
        super().__init__(renderer, couples, augmenter)

    def unusable(self, instance: Instance, data: Split) -> Optional[str]:
        """Without a relation it is in no couple."""
        return "no relation" if instance.label is None or instance.label in data.labels.negative else None

    def gather(self, data: Split, usable: Iterator[Tuple[int, Instance]]) -> Dict[str, List[int]]:
        """Relation -> its instances, where there are at least two."""
        groups: Dict[str, List[int]] = {}
        for number, instance in usable:
            groups.setdefault(str(instance.label), []).append(number)
        groups = {label: numbers for label, numbers in groups.items() if len(numbers) > 1}
        if not groups:
            raise self.no_couple(data, "Give data with several sentences of a relation.")
        return groups

    def length(self, data: Split) -> int:
        """How many batches an epoch has."""
        return -(-sum(len(numbers) // 2 for numbers in self.material(data).values()) // self.couples)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        couples = [couple for numbers in self.material(data).values() for couple in two_by_two(shuffled(numbers, draw.generator))]
        index = data.labels.index
        for batch in cut(shuffled(couples, draw.generator), self.couples):
            numbers = [number for couple in batch for number in couple]
            labels = [index[str(data.instances[number].label)] for number in numbers]
            tags = tags_of([content_of(data.instances[number]) for number in numbers], labels)
            yield {"contrast": Contrast(self.views(numbers, data, draw.generator), by_label(labels, policy="own"), anchor_tags=tags)}


class Groups(NamedTuple):
    """Instances by what they are about.

    pairs: instances of each entity pair that has several. keys: number -> head and tail of an instance. heads, tails: identity -> the
    instances with this head, with this tail. shared: instances that have one argument in common with another, and not both.
    """

    pairs: List[List[int]]
    keys: Dict[int, Tuple[Hashable, Hashable]]
    heads: Dict[Hashable, List[int]]
    tails: Dict[Hashable, List[int]]
    shared: List[int]

    def opponents(self, number: int) -> List[int]:
        """The instances with the same head and another tail, or the reverse."""
        head, tail = self.keys[number]
        same_head = [each for each in self.heads[head] if self.keys[each][1] != tail]
        return same_head + [each for each in self.tails[tail] if self.keys[each][0] != head]


class EntityPairCouples(CoupleSampler):
    """Sentences of one entity pair in couples that attract, and as many couples that share one entity of two and repel.

    Gives the value `contrast` for relcon.PairwiseBCE.v1: a couple is an anchor and a candidate, judged by itself; couples that attract
    and couples that repel take turns. Matching the Blanks (Baldini Soares et al., ACL 2019, arXiv 1906.03158): two sentences about one
    pair of entities, in this order, probably express one relation; names are blanked with probability 0.7, so that context has to tell.
    Couples that repel are hard: the same head and another tail, or the reverse; they are drawn anew in every epoch. Labels are not needed.

    renderer: instances -> views. couples: of a batch, both kinds together, an even number. sentences: of an entity pair at most, drawn in
    each epoch; all couples among them are used. augmenter: changes every sentence anew in each epoch; relcon.EntityMasking.v1 blanks.
    entities: what tells an entity from others across sentences. `id`: its id, of a knowledge base, and where it has none its name; `name`:
    the name of its first mention in lower case, where ids number the mentions of a sentence or an abstract (DDI, ChemProt).

    Instances whose head and tail have the
    same name, or whose mentions overlap, are left out, and their number is logged. RelconError where no entity pair has two sentences, or
    no two sentences share one entity.

    Config::

        [sampler]
        @samplers = "finecl.EntityPairCouples.v1"
        couples = 64
        [sampler.renderer]
        @renderers = "relcon.EntityMarkers.v1"
        [sampler.augmenter]
        @augmenters = "relcon.EntityMasking.v1"
        token = "[BLANK1]"
        tail_token = "[BLANK2]"
        whole = true
    """

    what = "head and tail"

    def __init__(
        self,
        renderer: Renderer,
        couples: int = 64,
        sentences: int = 8,
        augmenter: Optional[Augmenter] = None,
        entities: Literal["id", "name"] = "id",
    ):
        super().__init__(renderer, couples, augmenter)
        if sentences < 2:
            raise ValueError(f"sentences must be at least 2, not {sentences}: one makes no couple")
        self.sentences, self.entities = sentences, entities

    def gather(self, data: Split, usable: Iterator[Tuple[int, Instance]]) -> Groups:
        """The instances by entity pair, by head, by tail."""
        groups = Groups([], {}, {}, {}, [])
        by_pair: Dict[Tuple[Hashable, Hashable], List[int]] = {}
        for number, instance in usable:
            head, tail = (self._identity(instance.document, each) for each in (instance.head, instance.tail))
            groups.keys[number] = head, tail
            groups.heads.setdefault(head, []).append(number)
            groups.tails.setdefault(tail, []).append(number)
            by_pair.setdefault((head, tail), []).append(number)
        groups.pairs.extend(numbers for numbers in by_pair.values() if len(numbers) > 1)
        for (first, second), numbers in by_pair.items():
            if len(groups.heads[first]) + len(groups.tails[second]) > 2 * len(numbers):
                groups.shared.extend(numbers)
        if not groups.pairs:
            raise self.no_couple(data, MENTIONED_ONCE)
        if not groups.shared:
            raise RelconError(f"No two instances of the split '{data.name}' share one entity and not the other, so none can repel.")
        return groups

    def _identity(self, document: Document, number: int) -> str:
        """What tells an entity from others across sentences."""
        entity = document.entities[number]
        by_id = entity.id and self.entities == "id"
        return f"id {entity.id}" if by_id else f"name {document.mention_text(entity.mentions[0]).lower()}"

    def length(self, data: Split) -> int:
        """How many batches an epoch has."""
        counts = [min(len(numbers), self.sentences) for numbers in self.material(data).pairs]
        return -(-sum(count * (count - 1) for count in counts) // self.couples)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        groups: Groups = self.material(data)
        drawn = [shuffled(numbers, draw.generator)[: self.sentences] for numbers in groups.pairs]
        attract = shuffled([couple for numbers in drawn for couple in combinations(numbers, 2)], draw.generator)
        for batch in cut(attract, self.couples // 2):
            both = [couple for each in batch for couple in (each, apart(groups, draw.generator))]
            left, right = (self.views(side, data, draw.generator) for side in zip(*both, strict=True))
            kind = torch.arange(len(both)) % 2
            yield {"contrast": Contrast(left, Pairing.of(torch.diag(1.0 - kind), torch.diag(kind.float())), right)}


def apart(groups: Groups, generator: torch.Generator) -> Couple:
    """Two instances that share one entity and not the other."""
    one = groups.shared[int(torch.randint(len(groups.shared), (), generator=generator))]
    others = groups.opponents(one)
    return one, others[int(torch.randint(len(others), (), generator=generator))]


def unusable(instance: Instance) -> Optional[str]:
    """Why a sentence says nothing about two entities; None where it may."""
    head, tail = instance.mentions
    if head.overlaps(tail):
        return "mentions overlap"
    names = {instance.document.mention_text(mention).lower() for mention in (head, tail)}
    return "one name for both" if len(names) == 1 else None


def shuffled(items: Sequence[Any], generator: torch.Generator) -> List[Any]:
    """In random order."""
    return [items[place] for place in torch.randperm(len(items), generator=generator).tolist()]


def two_by_two(numbers: Sequence[int]) -> List[Couple]:
    """Neighbours in couples; the last of an odd number is left over."""
    return [(numbers[place], numbers[place + 1]) for place in range(0, len(numbers) - 1, 2)]
