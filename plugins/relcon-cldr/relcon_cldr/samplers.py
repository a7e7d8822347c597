"""Who attracts whom: sentences and graphs (CLGS), pairs and two-node graphs (CLDR), tokens and tokens (CLNER)."""

import logging
from abc import abstractmethod
from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Literal, Mapping, Optional, Sequence, Set, Tuple

import torch
from torch import Tensor

from relcon.contrast import WHOLE, Batch, Contrast, Labelled, Pairing, Slot, Span, Text, View
from relcon.data.document import Document
from relcon.data.relations import without_negatives
from relcon.errors import RelconError
from relcon.interfaces import Contrasts, Draw, Renderer, Sampler, Split
from relcon.samplers.common import at_least, cut, order
from relcon_cldr.graphs import Graph, graph_of, two_nodes
from relcon_cldr.pairs import (
    EntityForm,
    Node,
    Pair,
    Rule,
    Sentence,
    candidate_pairs,
    hard_negatives,
    opponents,
    pairs_across,
    read_sentence,
    require_two,
    some,
    swapped,
)
from relcon_cldr.tags import Tags

logger = logging.getLogger(__name__)

KEPT = 3
"""Splits whose usable sentences are remembered beside the newest: training and validation take turns."""

MOST = 64
"""Wrong graphs of a sentence, where all are asked for."""

TRIES = 20
"""How often a negative graph that was drawn already is drawn anew."""


class SentenceSampler(Sampler):
    """Base: batches of whole sentences that a method can use; what it cannot use is counted and logged once.

    batch_size: sentences of a batch. shuffle: in random order in every epoch.
    """

    def __init__(self, batch_size: int, shuffle: bool):
        self.batch_size, self.shuffle = at_least("batch_size", batch_size, 1), shuffle
        self._usable: List[Tuple[Split, List[int]]] = []

    @abstractmethod
    def reason(self, document: Document) -> Optional[str]:
        """Why a sentence cannot be used; None where it can."""

    def sentence(self, data: Split, number: int) -> Document:
        """A sentence as the method sees it."""
        return data.documents[number]

    def usable(self, data: Split) -> List[int]:
        """The numbers of the sentences that can be used. RelconError where there is none."""
        known = next((numbers for split, numbers in self._usable if split is data), None)
        if known is None:
            reasons = [self.reason(self.sentence(data, number)) for number in range(len(data.documents))]
            found = [number for number, reason in enumerate(reasons) if reason is None]
            counts = Counter(reason for reason in reasons if reason is not None)
            said = "; ".join(f"{reason}: {count}" for reason, count in counts.items())
            if not found:
                raise RelconError(f"No sentence of the split '{data.name}' can be used ({said or 'it is empty'}).")
            if counts:
                logger.info("[%s] %s: %d of %d sentences are used (%s)", data.name, type(self).__name__, len(found), len(reasons), said)
            self.report([self.sentence(data, number) for number in found], data.name)
            self._usable = [*self._usable[-KEPT:], (data, found)]
            return found
        return known

    def report(self, documents: Sequence[Document], name: str) -> None:
        """Log what of the usable sentences is not used. Nothing unless overridden."""

    def check(self, data: Split) -> None:
        """RelconError where no sentence can be used."""
        self.usable(data)

    def length(self, data: Split) -> int:
        """Batches of an epoch, the last one perhaps smaller."""
        return -(-len(self.usable(data)) // self.batch_size)

    def drawn(self, data: Split, draw: Draw) -> Iterator[List[Document]]:
        """The sentences of an epoch's batches."""
        usable = self.usable(data)
        for places in cut(order(len(usable), self.shuffle, draw.generator), self.batch_size):
            yield [self.sentence(data, usable[place]) for place in places]


class ContrastSampler(SentenceSampler):
    """Base: each batch of sentences becomes one contrast."""

    @abstractmethod
    def contrast(self, documents: Sequence[Document], generator: torch.Generator) -> Contrast:
        """The contrast of a batch of sentences."""

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """The epoch's batches, each with the value `contrast`."""
        for documents in self.drawn(data, draw):
            yield {"contrast": self.contrast(documents, draw.generator)}


class RelationSampler(ContrastSampler):
    """Base of CLGS and CLDR: sentences with relations, and hard negatives that have one wrong word each.

    types, batch_size, negatives, rule, entity, shuffle: see the two methods.
    """

    def __init__(self, types: Optional[List[str]], batch_size: int, negatives: int, rule: Rule, entity: EntityForm, shuffle: bool):
        super().__init__(batch_size, shuffle)
        if negatives != -1 and (negatives < 2 or negatives % 2):
            raise ValueError(f"negatives must be an even number of at least 2, or -1 for all, not {negatives}")
        if rule not in ("paper", "code") or entity not in ("last", "mean"):
            raise ValueError(f'rule must be "paper" or "code", entity "last" or "mean", not "{rule}" and "{entity}"')
        self.types = None if types is None else require_two(types)
        self.negatives, self.rule, self.entity = negatives, rule, entity

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Contrasts:
        """Texts against graphs, one of which is right; without tags."""
        return Contrasts(tags=False, candidates="graphs")

    def check(self, data: Split) -> None:
        """RelconError where no sentence can be used, or a wrong pair may be a right one that is not annotated."""
        super().check(data)
        if not data.complete_annotation and (self.types is None or self.rule == "code"):
            raise RelconError(
                'complete_annotation = false: two annotated entities without a relation may be related, but rule = "code" and types = null '
                'take such a pair for a wrong one. Name the types, with rule = "paper": no entity of the other type is then a wrong word.'
            )

    def sentence(self, data: Split, number: int) -> Document:
        """Between two types a relation that means 'no relation' is none."""
        document = super().sentence(data, number)
        return document if self.types is None else without_negatives(document, data.labels.negative)

    def read(self, document: Document) -> Sentence:
        """A document's pairs."""
        return read_sentence(document, self.types, self.entity)

    def reason(self, document: Document) -> Optional[str]:
        """It has no relation between the two types, or no word could be wrong."""
        sentence = self.read(document)
        if not sentence.pairs:
            between = "" if self.types is None else f" between {' and '.join(self.types)}"
            return "both arguments end in the same word" if sentence.lost else f"no relation{between}"
        return None if self.contested(sentence) else f'no hard negative exists under rule = "{self.rule}"'

    def report(self, documents: Sequence[Document], name: str) -> None:
        """Relations that are left out of sentences that have others."""
        sentences = [self.read(document) for document in documents]
        same = sum(sentence.lost for sentence in sentences)
        safe = sum(len(sentence.pairs) - len(self.contested(sentence)) for sentence in sentences)
        if same or safe:
            message = '[%s] left out: %d relations whose arguments end in the same word, %d without a hard negative (rule = "%s")'
            logger.info(message, name, same, safe, self.rule)

    def contested(self, sentence: Sentence) -> List[Pair]:
        """The pairs that have a hard negative."""
        return [pair for pair in sentence.pairs if any(opponents(sentence, pair, kept, self.rule) for kept in (0, 1))]


class RelationGraphs(RelationSampler):
    """CLDR: the pair of a relation against the two-node graphs of that pair and of pairs with one wrong word.

    Anchors are pairs of words of a sentence (two slots), candidates graphs of two nodes (two slots, in the same order): the true pair's
    graph attracts, those of its hard negatives repel, those of other relations do neither. Negatives are drawn anew in every epoch.
    A relation's sentence is encoded once, whatever the number of its relations and negatives.

    types: the entity types of a pair's first and second slot; null, for a corpus without types: the first is the head, the second the tail,
    and every relation counts, one that means 'no relation' too (between two types it does not). batch_size: sentences. negatives: per
    relation, half of them keep the first slot, half the second; fewer where the sentence has no more words; -1: all. rule: which words may
    be wrong: `paper`: those of no entity of the other slot's type; `code`: any that makes no true pair.
    similarity: `eq5`: the true pair of words against all graphs (eq. 5); `matched`: each pair of words against its own graph, as the
    released code has it: pairs are then anchors of one term per relation.
    weights: `sentence`: a relation weighs 1 / the number of its sentence's relations, with `reduction = "weighted"` the mean over
    sentences of the mean over their relations; `relation`: each weighs 1.
    entity: a phrase is its `last` word or the `mean` of its words. shuffle: sentences come in random order.

    Theodoropoulos et al., CoNLL 2021, eq. 5. ValueError or RelconError where an argument is out of range; RelconError where no sentence has
    a relation between the types.

    Config::

        [sampler]
        @samplers = "cldr.RelationGraphs.v1"
        types = ["Drug", "Adverse-Effect"]
        batch_size = 8
    """

    def __init__(
        self,
        types: Optional[List[str]],
        batch_size: int = 8,
        negatives: int = 8,
        rule: Literal["paper", "code"] = "paper",
        similarity: Literal["eq5", "matched"] = "eq5",
        weights: Literal["sentence", "relation"] = "sentence",
        entity: Literal["last", "mean"] = "last",
        shuffle: bool = True,
    ):
        super().__init__(types, batch_size, negatives, rule, entity, shuffle)
        if similarity not in ("eq5", "matched") or weights not in ("sentence", "relation"):
            raise ValueError(f'similarity must be "eq5" or "matched", weights "sentence" or "relation", not "{similarity}", "{weights}"')
        self.similarity, self.weights = similarity, weights

    def contrast(self, documents: Sequence[Document], generator: torch.Generator) -> Contrast:
        """The relations of a batch; one text object per sentence."""
        anchors: List[View] = []
        graphs: List[View] = []
        sizes: List[int] = []
        weights: List[float] = []
        for document in documents:
            sentence, text = self.read(document), Text(document.words)
            pairs = self.contested(sentence)
            for pair in pairs:
                group = [pair, *hard_negatives(sentence, pair, self.negatives, self.rule, generator)]
                anchors += [pair_view(text, each) for each in (group if self.similarity == "matched" else group[:1])]
                graphs += [View(two_nodes(text, each), ((Span(0, 1),), (Span(1, 2),))) for each in group]
                sizes.append(len(group))
                weights.append(1 / len(pairs) if self.weights == "sentence" else 1.0)
        return Contrast(anchors, self._pairing(sizes, torch.tensor(weights)), graphs)

    def _pairing(self, sizes: List[int], weights: Tensor) -> Pairing:
        """Of each relation's candidates the first attracts, the others repel."""
        relation = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
        first = (torch.diff(relation, prepend=torch.tensor([-1])) != 0).float()
        if self.similarity == "matched":
            return Pairing.of(torch.diag(first), torch.diag(1 - first), weights, relation)
        own = (torch.arange(len(sizes))[:, None] == relation[None, :]).float()
        return Pairing.of(own * first, own * (1 - first), weights)


class SentenceGraphs(RelationSampler):
    """CLGS: a sentence against the graph of its relations and graphs with wrong words.

    Anchors are sentences (one slot, their words), candidates graphs of all words that take part in a relation (one slot, the whole graph).
    A sentence's true graph attracts it, its own wrong graphs repel it, graphs of other sentences do neither. In a wrong graph one
    argument of every relation is replaced by another word: in the first half of them the second slot's, in the other half the first
    slot's. Two that are equal are drawn anew, at most twenty times; a short sentence has fewer.

    types, batch_size, negatives, rule, entity, shuffle: as of `cldr.RelationGraphs.v1`; negatives counts graphs, and -1 asks for as many as
    the first relation has wrong pairs, at most 64. graph: the nodes are the words that take part in a relation (`sub`), or all (`whole`).

    Theodoropoulos et al., CoNLL 2021, eq. 4. ValueError or RelconError as there.

    Config::

        [sampler]
        @samplers = "cldr.SentenceGraphs.v1"
        types = ["Drug", "Adverse-Effect"]
        batch_size = 8
    """

    def __init__(
        self,
        types: Optional[List[str]],
        batch_size: int = 8,
        negatives: int = 8,
        rule: Literal["paper", "code"] = "paper",
        entity: Literal["last", "mean"] = "last",
        graph: Literal["sub", "whole"] = "sub",
        shuffle: bool = True,
    ):
        super().__init__(types, batch_size, negatives, rule, entity, shuffle)
        if graph not in ("sub", "whole"):
            raise ValueError(f'graph must be "sub" or "whole", not "{graph}"')
        self.graph = graph

    def contrast(self, documents: Sequence[Document], generator: torch.Generator) -> Contrast:
        """One term per sentence."""
        anchors: List[View] = []
        graphs: List[Graph] = []
        owners: List[int] = []
        for number, document in enumerate(documents):
            sentence, text = self.read(document), Text(document.words)
            sets = [sentence.pairs, *self.wrong(sentence, generator)]
            own = [graph_of(text, pairs, self.graph == "whole") for pairs in sets]
            anchors.append(View(text, ((Span(0, len(document.words)),),)))
            graphs += own
            owners += [number] * len(own)
        owner = torch.tensor(owners)
        first = torch.diff(owner, prepend=torch.tensor([-1])) != 0
        own_graphs = torch.arange(len(documents))[:, None] == owner[None, :]
        pairing = Pairing.of((own_graphs & first).float(), (own_graphs & ~first).float())
        return Contrast(anchors, pairing, [View(graph, ((WHOLE,),)) for graph in graphs])

    def reason(self, document: Document) -> Optional[str]:
        """As of all methods with relations; every relation needs a word that could be wrong, on one side at least for all."""
        usual = super().reason(document)
        if usual is not None:
            return usual
        sentence = self.read(document)
        sides = [all(opponents(sentence, pair, kept, self.rule) for pair in sentence.pairs) for kept in (0, 1)]
        return None if any(sides) else f'no wrong graph exists under rule = "{self.rule}"'

    def wrong(self, sentence: Sentence, generator: torch.Generator) -> List[Tuple[Pair, ...]]:
        """Different wrong sets of pairs, at most `negatives`."""
        found: List[Tuple[Pair, ...]] = []
        seen: Set[frozenset[Pair]] = {frozenset(sentence.pairs)}
        for kept in self._sides(sentence):
            for _ in range(TRIES):
                pairs = self._draw(sentence, kept, generator)
                if pairs and frozenset(pairs) not in seen:
                    seen.add(frozenset(pairs))
                    found.append(pairs)
                    break
        return found

    def _sides(self, sentence: Sentence) -> List[int]:
        """The slot that stays, of each wrong graph that is asked for."""
        if self.negatives > 0:
            return [0] * (self.negatives // 2) + [1] * (self.negatives // 2)
        sides = [kept for kept in (0, 1) for _ in opponents(sentence, sentence.pairs[0], kept, self.rule)]
        return sides[:: max(1, -(-len(sides) // MOST))]

    def _draw(self, sentence: Sentence, kept: int, generator: torch.Generator) -> Tuple[Pair, ...]:
        """One wrong word for every relation, no pair twice; empty where that cannot be."""
        drawn: List[Pair] = []
        for pair in sentence.pairs:
            free = [swapped(pair, kept, word) for word in opponents(sentence, pair, kept, self.rule)]
            free = [each for each in free if each not in drawn]
            if not free:
                return ()
            drawn.append(free[some(len(free), 1, generator)[0]])
        return tuple(drawn)


def pair_view(text: Text, pair: Pair) -> View:
    """A pair of nodes of a text."""
    return View(text, tuple(_slot(node) for node in pair))


def _slot(node: Node) -> Slot:
    return (Span(*node),)


# ---- tokens --------------------------------------------------------------------------------------------------------------

Strategy = Literal["balanced", "hard", "fixed", "types"]


class BalancedTokens(ContrastSampler):
    """CLNER: every word of a batch against sampled words of it: those with its BIO tag attract it, the others repel it.

    Anchors and candidates are the words of all sentences of the batch, one slot each.

    types: the two entity types, as of `cldr.RelationGraphs.v1`. batch_size: sentences. samples, positives: K and P of the paper.
    shuffle: sentences come in random order. strategy: how the words are sampled:

    * `balanced`: up to `positives` words with the anchor's tag; the rest of `samples` in equal parts from the four other tags, in the
      order of the tags with O last, whose part takes what the others leave;
    * `hard`: the same positives, and all words of other tags: put the adjuster relcon.HardestNegatives.v1 with k = samples - positives
      behind it;
    * `fixed`: the same words for every anchor: all words of inside tags of the first type, at most 15 of each of the other entity tags, the
      rest from O;
    * `types`: tags without B and I: up to `positives` of the anchor's type, half of the rest from the other type, the rest from O.

    Theodoropoulos et al., CoNLL 2021, eq. 6; the numbers and strategies are those of the released code. For relcon.InfoNCE.v1 with
    several = "inside". ValueError or RelconError where an argument is out of range; RelconError for an entity of another type.

    Config::

        [sampler]
        @samplers = "cldr.BalancedTokens.v1"
        types = ["Drug", "Adverse-Effect"]
        batch_size = 16
    """

    def __init__(
        self,
        types: List[str],
        batch_size: int = 16,
        samples: int = 80,
        positives: int = 30,
        strategy: Literal["balanced", "hard", "fixed", "types"] = "balanced",
        shuffle: bool = True,
    ):
        super().__init__(batch_size, shuffle)
        if not 1 <= positives < samples:
            raise ValueError(f"positives must be at least 1 and below samples, not {positives} of {samples}")
        if strategy not in ("balanced", "hard", "fixed", "types"):
            raise ValueError(f'strategy must be "balanced", "hard", "fixed" or "types", not "{strategy}"')
        self.tags = Tags(require_two(types))
        self.samples, self.positives, self.strategy = samples, positives, strategy

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Contrasts:
        """Words of one tag attract each other; without tags of views."""
        return Contrasts(several=True, tags=False)

    def reason(self, document: Document) -> Optional[str]:
        """None: every sentence with words can be used."""
        return None if document.words else "no words"

    def contrast(self, documents: Sequence[Document], generator: torch.Generator) -> Contrast:
        """All words of the batch."""
        texts = [Text(document.words) for document in documents]
        views = [View(text, ((Span(word, word + 1),),)) for text in texts for word in range(len(text.words))]
        tags = torch.tensor([tag for document in documents for tag in self.tags.of(document)])
        return Contrast(views, self.pairing(tags, generator))

    def pairing(self, tags: Tensor, generator: torch.Generator) -> Pairing:
        """[N, N] from tags [N]."""
        kinds = tags // 2 if self.strategy == "types" else tags
        chosen = torch.zeros(len(tags), len(tags), dtype=torch.bool)
        fixed = self._fixed(tags, generator) if self.strategy == "fixed" else None
        for anchor in range(len(tags)):
            chosen[anchor, fixed if fixed is not None else self.sample(anchor, kinds, generator)] = True
        chosen.fill_diagonal_(False)
        same = kinds[:, None] == kinds[None, :]
        positives = chosen & same
        return Pairing.of(positives.float(), ((chosen | (self.strategy == "hard")) & ~same).float())

    def sample(self, anchor: int, kinds: Tensor, generator: torch.Generator) -> Tensor:
        """The words sampled for an anchor, itself apart. kinds [N]: tags or types; the last kind is O."""
        pools = self._pools(kinds, generator, without=anchor)
        mine = int(kinds[anchor])
        taken = [pools[mine][: self.positives]]
        if self.strategy == "hard":
            return taken[0]
        left = self.samples - len(taken[0])
        others = [kind for kind in pools if kind != mine]
        share = left // len(others)
        taken += [pools[kind][:share] for kind in others[:-1]]
        taken.append(pools[others[-1]][: self.samples - sum(map(len, taken))])
        return torch.cat(taken)

    def _pools(self, kinds: Tensor, generator: torch.Generator, without: int = -1) -> Dict[int, Tensor]:
        """The words of each kind, shuffled."""
        last = len(self.tags.types) if self.strategy == "types" else self.tags.outside
        shuffled = torch.randperm(len(kinds), generator=generator)
        shuffled = shuffled[shuffled != without]
        return {kind: shuffled[kinds[shuffled] == kind] for kind in range(last + 1)}

    def _fixed(self, tags: Tensor, generator: torch.Generator) -> Tensor:
        """One sample for all anchors of the batch."""
        pools = self._pools(tags, generator)
        rare, (*others, outside) = pools.pop(1), pools.values()
        taken = torch.cat([rare, *(pool[:15] for pool in others)])
        return torch.cat([taken, outside[: max(self.samples - len(taken), 0)]])


def tokens_of(documents: Iterable[Document]) -> Iterator[View]:
    """A view of every word, sentence by sentence."""
    for document in documents:
        text = Text(document.words)
        yield from (View(text, ((Span(word, word + 1),),)) for word in range(len(document.words)))


# ---- candidate pairs -------------------------------------------------------------------------------------------------------


class CandidatePairs(SentenceSampler):
    """Every two words of a sentence, to be classified as a relation or none: the linear probe with the encoder trained along.

    Gives the value `pairs`: views of two slots in text order, i < j, with the class of `label` for the last words of a relation's
    arguments and the negative class for all others. For relcon.Classification.v1; measure it with cldr.PairScores.v1. Where the data
    are declared to lack relations (`complete_annotation = false` of the candidate rule), entities of the two types without one are left
    out.

    types: the two entity types. label: the name of the relation. renderer: how the saved classifier reads pairs of given entities in
    `relcon predict`. batch_size: sentences; one of 20 words has 190 pairs. shuffle: sentences come in random order.

    Theodoropoulos et al., CoNLL 2021, table 3. RelconError where the label set has no negative label, or not this one.

    Config::

        [sampler]
        @samplers = "cldr.CandidatePairs.v1"
        types = ["Drug", "Adverse-Effect"]
        label = "Adverse-Effect"
        batch_size = 8

        [sampler.renderer]
        @renderers = "relcon.Plain.v1"
    """

    def __init__(self, types: List[str], label: str, renderer: Renderer, batch_size: int = 8, shuffle: bool = True):
        super().__init__(batch_size, shuffle)
        self.types, self.label, self.renderer = require_two(types), label, renderer

    def reason(self, document: Document) -> Optional[str]:
        """A pair needs two words."""
        return None if len(document.words) > 1 else "fewer than two words"

    def check(self, data: Split) -> None:
        """RelconError where the label set lacks the label or a negative one."""
        super().check(data)
        data.labels.number(self.label)
        if not data.labels.negative:
            raise RelconError('cldr.CandidatePairs.v1 needs a label for "no relation": [data] negative = ["none"].')

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """The epoch's batches."""
        for documents in self.drawn(data, draw):
            yield {"pairs": self.labelled(documents, data)}

    def labelled(self, documents: Sequence[Document], data: Split) -> Labelled:
        """All pairs of some sentences; without complete annotation none of two entities that may be related."""
        positive, negative = data.labels.number(self.label), data.labels.number(min(data.labels.negative))
        views: List[View] = []
        labels: List[int] = []
        for document in documents:
            text, stated = Text(document.words), read_sentence(document, self.types).gold
            gold = read_sentence(without_negatives(document, data.labels.negative), self.types).gold
            unknown = set() if data.complete_annotation else pairs_across(document, self.types) - stated
            pairs = [pair for pair in candidate_pairs(len(document.words)).tolist() if frozenset(pair) not in unknown]
            views += [pair_view(text, ((i, i + 1), (j, j + 1))) for i, j in pairs]
            labels += [positive if frozenset(pair) in gold else negative for pair in pairs]
        return Labelled(views, torch.tensor(labels, dtype=torch.long))
