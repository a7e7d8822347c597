"""Relations and entities read off two spaces by their nearest training examples (CoNLL 2021, section 4.3)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from relcon.data.document import Document, Entity, Instance, Relation
from relcon.data.relations import without_negatives
from relcon.errors import RelconError
from relcon.interfaces import Extractor, Neighbour, Points, Split, Tower
from relcon.model import SavedModel
from relcon.tasks.contrastive import Contrastive
from relcon_cldr.pairs import Node, node_of
from relcon_cldr.scores import Read
from relcon_cldr.search import Nearest, PairIndex, PairOrder, nearest_words, pairs_of, votes
from relcon_cldr.tags import Chunk, ChunkRule, Tags
from relcon_cldr.vectors import WordVectors, word_tower, word_vectors

EXAMPLES = "examples.safetensors"
SENTENCES = "sentences.json"
RELATION_SPACES = {"relations": 1, "relations_5": 5, "relations_10": 10, "relations_20": 20}
"""Pictures of relation space, by how many hard negatives they have for each gold pair."""

RELATIONS, TAGS = "relations", "tags"
"""Folders of the two saved models inside the extractor's; the latter only where there is a space of tags."""


class Examples(NamedTuple):
    """The training examples of both spaces.

    sentences: the words of each. relations: [T, D] vectors of all words in the space of relations. gold: [G, 2] gold pairs as numbers
    over all words, the first type's first. space: [T, D'] vectors in the space of tags, None without one. tags: [T].
    """

    sentences: List[List[str]]
    relations: Tensor
    gold: Tensor
    space: Optional[Tensor]
    tags: Tensor

    @property
    def sizes(self) -> List[int]:
        """Words of each sentence."""
        return [len(words) for words in self.sentences]


class Reading(NamedTuple):
    """What is read off a sentence. pairs: [P, 2] candidate pairs. shares: [P] how many of the neighbours of each are relations. tags: [W],
    empty without a space of tags."""

    pairs: Tensor
    shares: Tensor
    tags: List[int]


class NearestNeighbours(Extractor):
    """A saved pair of spaces with training examples; `cldr.Neighbours.v1` (the stage) writes it.

    Every two words of a sentence are a candidate pair; it is a relation where most of its `k_relations` nearest training pairs are. A word
    has the tag that most of its `k_tags` nearest training words have, and tags give entities. `extract` returns the entities, and the
    relations between two of different types at whose last words a predicted pair stands.

    path: the folder. types, label, k_relations, k_tags, order, chunks, subword: as the stage was given or chose them. head: the type of the
    entities that are heads of relations. encoder: that of the space of relations, in the model saved as `relations`. task: whose tower
    gives the space of tags, in the model saved as `tags`.

    RelconError where the folder is not whole.

    Config::

        [extractor]
        @extractors = "cldr.NearestNeighbours.v1"
        path = "runs/joint/model"
        types = ["Drug", "Adverse-Effect"]
        label = "Adverse-Effect"
        head = "Adverse-Effect"
        k_relations = 5
        k_tags = 7
    """

    def __init__(
        self,
        path: str,
        types: List[str],
        label: str,
        head: str,
        k_relations: int,
        k_tags: Optional[int] = None,
        encoder: str = "text",
        task: Optional[str] = None,
        order: Literal["text", "both"] = "text",
        chunks: Literal["strict", "lenient"] = "strict",
        subword: Literal["first", "last", "mean"] = "first",
    ):
        folder = Path(path)
        self.labels = SavedModel(folder).labels
        self.label, self.tag_set = label, Tags(types)
        self.head = self.tag_set.types.index(head)
        self.k_relations, self.k_tags = k_relations, k_tags
        self.order: PairOrder = order
        self.chunk_rule: ChunkRule = chunks
        self.examples = load_examples(folder)
        self.relation_tower = word_tower(SavedModel(folder / RELATIONS).encoder(encoder), subword)
        self.tag_tower = None if task is None else tag_tower(SavedModel(folder / TAGS), task)
        self.neighbourhood = Neighbourhood(self.examples, self.order)

    @property
    def none(self) -> str:
        """The label that means 'no relation'."""
        return min(self.labels.negative)

    # ---- reading sentences -------------------------------------------------------------------------------------------------

    def read(self, documents: Sequence[Document]) -> List[Reading]:
        """Pairs and tags of sentences, as the neighbours say; a word that the encoder could not see is in no relation and no entity."""
        states = word_vectors(self.relation_tower, documents)
        tags = self.tags(documents)
        found = []
        for words, alive, own in zip(states.sentences(), states.alive.split(states.sizes), tags, strict=True):
            pairs = pairs_of([len(words)], self.order)
            shares = self.neighbourhood.shares(words, pairs, self.k_relations)
            found.append(Reading(pairs, shares * alive[pairs].all(1), own))
        self.lost_views += int((~states.alive).sum())
        return found

    def tags(self, documents: Sequence[Document]) -> List[List[int]]:
        """[W] of each sentence; empty lists without a space of tags."""
        if self.tag_tower is None or self.examples.space is None or self.k_tags is None:
            return [[] for _ in documents]
        vectors = word_vectors(self.tag_tower, documents)
        nearest = nearest_words(vectors.vectors, self.examples.space, self.k_tags)
        found = votes(self.examples.tags, nearest.examples, len(self.tag_set.names)).argmax(1).where(vectors.alive, self.tag_set.outside)
        return [each.tolist() for each in found.split(vectors.sizes)]

    def as_read(self, reading: Reading) -> Read:
        """What is predicted of a sentence, for scoring: pairs whose neighbours are relations by a majority."""
        pairs = frozenset(frozenset(pair) for pair in reading.pairs[reading.shares > 0.5].tolist())
        return Read(pairs, tuple(self.tag_set.chunks(reading.tags, self.chunk_rule)))

    def extract(self, documents: Sequence[Document]) -> List[Document]:
        """The documents with the entities of their tags and the relations between them. RelconError without a space of tags."""
        if self.tag_tower is None:
            raise RelconError("This run has a space of relations only, so it finds no entities. Give its cldr.Neighbours.v1 stage `tags`.")
        return [self._extracted(*each) for each in zip(documents, self.read(documents), strict=True)]

    def _extracted(self, document: Document, reading: Reading) -> Document:
        """One document."""
        chunks = self.tag_set.chunks(reading.tags, self.chunk_rule)
        ending = {chunk.last: number for number, chunk in enumerate(chunks)}
        best: Dict[Tuple[int, int], float] = {}
        for (one, other), share in zip(reading.pairs.tolist(), reading.shares.tolist(), strict=True):
            if share > 0.5 and one in ending and other in ending and chunks[ending[one]].type != chunks[ending[other]].type:
                ends = self._head_first(chunks, ending[one], ending[other])
                best[ends] = max(share, best.get(ends, 0.0))
        relations = tuple(Relation(head, tail, self.label, score=share) for (head, tail), share in best.items())
        return replace(document, entities=tuple(self.tag_set.entities(reading.tags, self.chunk_rule)), relations=relations)

    def _head_first(self, chunks: Sequence[Chunk], one: int, other: int) -> Tuple[int, int]:
        """Two entities, the relation's head first."""
        return (one, other) if chunks[one].type == self.head else (other, one)

    # ---- pairs of given entities -------------------------------------------------------------------------------------------

    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        """[N, labels]: the share of a pair's neighbours that are relations, the rest for 'no relation'."""
        table = torch.zeros(len(instances), len(self.labels))
        positive, negative = self.labels.number(self.label), self.labels.number(self.none)
        for row, (words, pair) in enumerate(self._located(instances)):
            share = self.neighbourhood.shares(words, torch.tensor([pair]), self.k_relations)[0]
            table[row, negative], table[row, positive] = 1 - share, share
        return table

    def embed(self, instances: Sequence[Instance]) -> Tensor:
        """[N, 2 D] the vectors of the arguments' last words, side by side in the order of the space."""
        rows = [torch.cat([words[pair[0]], words[pair[1]]]) for words, pair in self._located(instances)]
        return torch.stack(rows) if rows else torch.zeros(0, 2 * self.examples.relations.shape[1])

    def neighbours(self, instances: Sequence[Instance], count: int) -> List[List[Neighbour]]:
        """The nearest training pairs, each with its sentence."""
        found = []
        for words, pair in self._located(instances):
            near = self.neighbourhood.index.nearest(words, torch.tensor([pair]), count)
            found.append([self._neighbour(*each) for each in zip(near.squared[0].tolist(), near.examples[0].tolist(), strict=True)])
        return found

    def _neighbour(self, squared: float, number: int) -> Neighbour:
        label = self.label if bool(self.neighbourhood.labels[number]) else self.none
        return Neighbour(round(squared**0.5, 6), label, self.neighbourhood.told(number))

    def _located(self, instances: Sequence[Instance]) -> Iterator[Tuple[Tensor, Tuple[int, int]]]:
        """The words' vectors of each instance's document, and its pair of last words as the space's candidates have it."""
        documents = list({id(each.document): each.document for each in instances}.values())
        states = dict(zip(map(id, documents), word_vectors(self.relation_tower, documents).sentences(), strict=True))
        for instance in instances:
            head, tail = (mention.end - 1 for mention in instance.mentions)
            if self.order == "both":
                first = instance.document.entities[instance.head].type == self.tag_set.types[0]
                yield states[id(instance.document)], (head, tail) if first else (tail, head)
            else:
                yield states[id(instance.document)], (min(head, tail), max(head, tail))

    # ---- pictures ------------------------------------------------------------------------------------------------------------

    def spaces(self) -> List[str]:
        """`relations`: gold pairs and as many hard negatives, `relations_5`, `_10` and `_20` with more; `words`: the words of those pairs,
        in the space of relations; `entities`: all words in the space of tags."""
        return [*RELATION_SPACES, "words"] + (["entities"] if self.tag_tower is not None else [])

    def points(self, space: str, data: Split) -> Points:
        """As `Model.points`. A hard negative shares a word's form with some gold pair of the split (CoNLL 2021, figures 6 to 8)."""
        self.require_space(space)
        if space == "entities" and self.tag_tower is not None:
            vectors = word_vectors(self.tag_tower, data.documents).vectors
            return Points(vectors, self._tag_names(data.documents), [word for each in data.documents for word in each.words])
        states = word_vectors(self.relation_tower, data.documents)
        return self._words(data, states) if space == "words" else self._pairs(data, states, RELATION_SPACES[space])

    def _pairs(self, data: Split, states: WordVectors, times: int) -> Points:
        """Gold pairs and so many times as many hard negatives."""
        chosen, gold = self._shown(data, states, times)
        words = [word for each in data.documents for word in each.words]
        vectors = torch.cat([states.vectors[chosen[:, 0]], states.vectors[chosen[:, 1]]], 1)
        return Points(
            vectors,
            [self.label if right else self.none for right in gold.tolist()],
            [f"{words[one]} -> {words[other]}" for one, other in chosen.tolist()],
        )

    def _words(self, data: Split, states: WordVectors) -> Points:
        """The different words of the pairs that `relations` shows, by their entity type."""
        chosen, _ = self._shown(data, states)
        tags = [tag for each in data.documents for tag in self.tag_set.of(each)]
        words = [word for each in data.documents for word in each.words]
        numbers = chosen.unique().tolist()
        names = [*self.tag_set.types, "Outside"]
        return Points(states.vectors[numbers], [names[tags[n] // 2] for n in numbers], [words[n] for n in numbers])

    def _shown(self, data: Split, states: WordVectors, times: int = 1) -> Tuple[Tensor, Tensor]:
        """[S, 2] the candidate pairs of a picture and [S] which are gold: all of these, and evenly over the split `times` as many others in
        which a word has the form of one in some gold pair."""
        pairs = pairs_of(states.sizes, self.order)
        gold = gold_pairs([without_negatives(each, data.labels.negative) for each in data.documents], self.tag_set.types)
        right = is_gold(pairs, gold, self.order)
        words = [word.lower() for each in data.documents for word in each.words]
        forms = {words[number] for number in gold.flatten().tolist()}
        known = torch.tensor([word in forms for word in words], dtype=torch.bool)
        hard = (~right & known[pairs].any(1)).nonzero()[:, 0]
        count = min(times * int(right.sum()), len(hard))
        spread = hard[torch.linspace(0, len(hard) - 1, count).long()] if count else hard[:0]
        chosen = torch.cat([right.nonzero()[:, 0], spread])
        return pairs[chosen], right[chosen]

    def _tag_names(self, documents: Sequence[Document]) -> List[str]:
        return [self.tag_set.names[tag] for document in documents for tag in self.tag_set.of(document)]


class Neighbourhood:
    """The training pairs with their answers."""

    def __init__(self, examples: Examples, order: PairOrder):
        self.examples = examples
        self.index = PairIndex(examples.relations, examples.sizes, order)
        self.labels = is_gold(self.index.pairs, examples.gold, order)

    def shares(self, words: Tensor, pairs: Tensor, k: int) -> Tensor:
        """[P] how many of the k nearest training pairs of each of a sentence's pairs are relations, 0 to 1."""
        return self.of(self.index.nearest(words, pairs, k)) if len(pairs) else torch.zeros(0)

    def of(self, nearest: Nearest) -> Tensor:
        """[P] the share of relations among the neighbours."""
        return self.labels[nearest.examples].float().mean(1)

    def told(self, number: int) -> str:
        """A training pair in words: its sentence with the two words in brackets."""
        one, other = self.index.pairs[number].tolist()
        start = 0
        for words in self.examples.sentences:
            if one < start + len(words):
                return " ".join(f"[{word}]" if start + n in (one, other) else word for n, word in enumerate(words))
            start += len(words)
        raise IndexError(f"there is no training pair {number}")


# ---- training examples ---------------------------------------------------------------------------------------------------


def gold_pairs(documents: Sequence[Document], types: Sequence[str]) -> Tensor:
    """[G, 2] last words of the arguments of every relation, the first type's first, as numbers over the words of all documents. Arguments
    with one and the same last word are no candidate pair and left out."""
    found: List[Tuple[int, int]] = []
    start = 0
    for document in documents:
        for relation in document.relations:
            ends = [document.entities[relation.head], document.entities[relation.tail]]
            if {each.type for each in ends} == set(types):
                first, second = sorted(ends, key=lambda each: list(types).index(each.type))
                found.append((start + last(first), start + last(second)))
        start += len(document.words)
    kept = [pair for pair in dict.fromkeys(found) if pair[0] != pair[1]]
    return torch.tensor(kept, dtype=torch.long).reshape(-1, 2)


def last(entity: Entity) -> int:
    """The last word of an entity."""
    node: Node = node_of(entity, "last")
    return node[0]


def is_gold(pairs: Tensor, gold: Tensor, order: PairOrder) -> Tensor:
    """[P] bool: which candidate pairs are gold. order `text`: in either order; `both`: in the gold pair's own."""
    size = int(max((each.max() for each in (pairs, gold) if len(each)), default=0)) + 1
    wanted = gold if order == "both" else gold.sort(1).values
    return torch.isin(pairs[:, 0] * size + pairs[:, 1], wanted[:, 0] * size + wanted[:, 1])


def collect(documents: Sequence[Document], tags: Tags, relations: Tower, space: Optional[Tower]) -> Examples:
    """The examples of training sentences."""
    numbers = torch.tensor([tag for document in documents for tag in tags.of(document)], dtype=torch.long)
    return Examples(
        [list(document.words) for document in documents],
        word_vectors(relations, documents).vectors,
        gold_pairs(documents, tags.types),
        None if space is None else word_vectors(space, documents).vectors,
        numbers,
    )


def save_examples(folder: Path, examples: Examples) -> None:
    """Write them."""
    tensors = {"relations": examples.relations, "gold": examples.gold, "tags": examples.tags}
    if examples.space is not None:
        tensors["space"] = examples.space
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / EXAMPLES)
    (folder / SENTENCES).write_text(json.dumps(examples.sentences, ensure_ascii=False), encoding="utf-8")


def load_examples(folder: Path) -> Examples:
    """Read them. RelconError where they are missing or damaged."""
    try:
        tensors = load_file(folder / EXAMPLES)
        sentences = json.loads((folder / SENTENCES).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise RelconError(f"The training examples in {folder} cannot be read ({error}). Train again, or take another copy.") from error
    return Examples(sentences, tensors["relations"], tensors["gold"], tensors.get("space"), tensors["tags"])


def tag_tower(saved: SavedModel, task: str) -> Tower:
    """The tower of a contrastive task over words: its vectors are the space of tags. RelconError where the task is no such one."""
    found = saved.task(task)
    if not isinstance(found, Contrastive):
        raise RelconError(f"cldr.Neighbours.v1 tags: '{task}' does not contrast words. Name a task of relcon.Contrastive.v1.")
    return found.towers()[0]
