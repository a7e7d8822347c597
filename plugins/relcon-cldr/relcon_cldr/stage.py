"""The stage that turns trained spaces into an extractor: it keeps the training examples and chooses how many neighbours vote."""

import time
from pathlib import Path
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, Tuple, Union

from torch import Tensor

from relcon import processes
from relcon.data.document import Document
from relcon.data.joining import split_names, split_of
from relcon.errors import RelconError, did_you_mean, naming
from relcon.files import link_tree
from relcon.interfaces import Artifacts, Corpus, Stage, Tower
from relcon.model import SavedModel, save_extractor
from relcon.plans import StagePlan
from relcon.stages.context import StageContext
from relcon.stages.planned import counted
from relcon_cldr.extractor import RELATIONS, TAGS, Examples, Neighbourhood, collect, gold_pairs, is_gold, save_examples, tag_tower
from relcon_cldr.pairs import require_two
from relcon_cldr.reading import require_complete, sentences_of
from relcon_cldr.scores import Ratio, Read, entities
from relcon_cldr.search import by_k, nearest_words, pairs_of
from relcon_cldr.tags import ChunkRule, Tags
from relcon_cldr.vectors import WordVectors, word_tower, word_vectors

SAMPLE = 32
"""Sentences on which a dry run times the stage."""

Part = Tuple[str, str]
"""Stage and name of something that it handed on."""


class Neighbours(Stage):
    """Reads relations and entities off trained spaces: what it hands on predicts by the nearest training examples and can show them.

    relations: "STAGE.ENCODER" whose last-layer states are the space of relations. tags: "STAGE.TASK", a contrastive task over words
    (CLNER) whose tower's vectors are the space of tags; null for relations alone. Both models are copied into what is handed on.
    types: the two entity types, as of the samplers. label: the name of the relation.
    fit: the split whose sentences are the examples; of several "train+dev". choose: the split on which the numbers of neighbours are
        chosen, by the highest F1, for relations of the pairs, for tags the mean over both types; not part of `fit`.
    grid: the numbers to choose among; of equally good ones the smallest.
    k_relations, k_tags: numbers of neighbours; null: chosen; a text "STAGE.FIGURE" takes what an earlier stage chose ("tuning.k_tags").
    order: candidate pairs are all i < j in `text` order, whatever the order of types, as the released code has it; or `both` orders, of
        which the one with the first type first is right. chunks: how tags become entities, `strict` or `lenient` (`relcon_cldr.tags`).
    subword: which word pieces stand for a word.

    Figures: `k_relations`, `k_tags`, and of what was chosen the F1 on `choose`. Theodoropoulos et al., CoNLL 2021, section 4.3.
    ValueError or RelconError where an argument is out of range, or there are fewer examples than neighbours.

    Config::

        [stages.neighbours]
        @stages = "cldr.Neighbours.v1"
        relations = "relations.text"
        tags = "tags.contrast"
        types = ["Drug", "Adverse-Effect"]
        label = "Adverse-Effect"
    """

    takes = {"relations": "encoders", "tags": "tasks"}
    counts_on = ("k_relations", "k_tags")

    def __init__(
        self,
        relations: str,
        types: List[str],
        label: str,
        tags: Optional[str] = None,
        fit: str = "train",
        choose: Optional[str] = "dev",
        k_relations: Optional[Union[int, str]] = None,
        k_tags: Optional[Union[int, str]] = None,
        grid: List[int] = [1, 3, 5, 7, 9, 11, 13, 15],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        order: Literal["text", "both"] = "text",
        chunks: Literal["strict", "lenient"] = "strict",
        subword: Literal["first", "last", "mean"] = "first",
    ):
        self.relations, self.space = _part(relations, "relations"), None if tags is None else _part(tags, "tags")
        self.tags, self.label = Tags(require_two(types)), label
        self.fit, self.choose, self.grid = fit, choose, sorted(grid)
        self.k_relations, self.k_tags = k_relations, k_tags
        if not grid or self.grid[0] < 1 or any(isinstance(k, int) and k < 1 for k in (k_relations, k_tags)):
            raise ValueError("grid, k_relations, k_tags: numbers of neighbours must be at least 1")
        if choose is None and (k_relations is None or (tags is not None and k_tags is None)):
            raise ValueError("choose: without a split to choose on, k_relations and k_tags must be given")
        if choose in split_names(fit):
            raise ValueError(f"choose: '{choose}' is part of fit = \"{fit}\", whose sentences would be their own neighbours")
        self.order, self.subword = order, subword
        self.chunks: ChunkRule = chunks

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> List[str]:
        """The numbers of neighbours, and the scores of those that it chooses."""
        names = ["k_relations"] + (["relations_f1"] if block.get("k_relations") is None else [])
        if block.get("tags") is not None:
            names += ["k_tags"] + (["tags_f1"] if block.get("k_tags") is None else [])
        return names

    def check(self, corpus: Corpus, where: str) -> None:
        """The splits must be there, the label one of theirs, their entities of the two types, and the examples enough."""
        for split in [self.fit, *([str(self.choose)] if self._chooses else [])]:
            with naming(f"{where} fit, choose:"):
                require_complete(split_of(corpus, split), "cldr.Neighbours.v1")
        if self.label not in corpus.labels.names:
            raise RelconError(f"{where} label = '{self.label}' is no label of the data.{did_you_mean(self.label, corpus.labels.names)}")
        if not corpus.labels.negative:
            raise RelconError(f"{where} needs a label for pairs without a relation: [data] negative = [\"none\"].")
        documents = self.documents(corpus, self.fit)
        for document in documents:
            self.tags.of(document)
        if not len(gold_pairs(documents, self.tags.types)):
            raise RelconError(f"{where} finds no relation between {' and '.join(self.tags.types)} in the split '{self.fit}'.")
        self.refuse_few(documents, where)

    def run(self, context: StageContext) -> Artifacts:
        """Choose, collect, save."""
        documents = self.documents(context.corpus, self.fit)
        relations, space = self.towers(context)
        examples = collect(documents, self.tags, relations, space)
        chosen_on = self.documents(context.corpus, str(self.choose)) if self._chooses else []
        figures = self.chosen(context, examples, chosen_on, relations, space)
        processes.on_main(lambda: self.save(context, examples, figures))
        return Artifacts(context.folder, figures)

    def plan(self, context: StageContext) -> StagePlan:
        """What `run` would do, from a few sentences: encoding takes as long as there are words, the search as there are pairs on both
        sides, at most."""
        documents = {name: self.documents(context.corpus, name) for name in [self.fit, *([str(self.choose)] if self._chooses else [])]}
        few = {name: each[:SAMPLE] for name, each in documents.items()}
        relations, space = self.towers(context)
        began = time.perf_counter()
        examples = collect(few[self.fit], self.tags, relations, space)
        encoded = (time.perf_counter() - began) / max(len(few[self.fit]), 1)
        began = time.perf_counter()
        figures = self.chosen(context, examples, few.get(str(self.choose), []), relations, space)
        searched = (time.perf_counter() - began) / max(len(few.get(str(self.choose), [])), 1)
        self.save(context, examples, figures)
        plan = counted(context, split_of(context.corpus, self.fit))
        ratio = len(documents[self.fit]) / max(len(few[self.fit]), 1)
        plan.seconds = sum(len(each) for each in documents.values()) * encoded + len(documents.get(str(self.choose), [])) * searched * ratio
        plan.notes.append(f"at most, timed on {len(few[self.fit])} sentences")
        plan.figures = figures
        return plan

    def documents(self, corpus: Corpus, split: str) -> List[Document]:
        """The sentences of a split, or a sum of splits, that have words."""
        return sentences_of(split_of(corpus, split))

    def towers(self, context: StageContext) -> Tuple[Tower, Optional[Tower]]:
        """Those of the two spaces."""
        relations = word_tower(SavedModel(context.saved_model(self.relations[0])).encoder(self.relations[1]), self.subword)
        return relations, None if self.space is None else tag_tower(SavedModel(context.saved_model(self.space[0])), self.space[1])

    def refuse_few(self, documents: Sequence[Document], where: str) -> None:
        """RelconError where more neighbours are asked for than there are examples."""
        words = sum(len(document.words) for document in documents)
        pairs = sum(len(document.words) * (len(document.words) - 1) // 2 for document in documents)
        for name, k, there in (("k_relations", self.k_relations, pairs), ("k_tags", self.k_tags, words), ("grid", self.grid[-1], words)):
            if isinstance(k, int) and k > there:
                raise RelconError(f"{where} {name}: {k} neighbours are asked for, but '{self.fit}' has {there} examples. Lower it.")

    @property
    def _chooses(self) -> bool:
        return self.k_relations is None or (self.space is not None and self.k_tags is None)

    # ---- how many neighbours -------------------------------------------------------------------------------------------------

    def chosen(
        self, context: StageContext, examples: Examples, documents: Sequence[Document], relations: Tower, space: Optional[Tower]
    ) -> Dict[str, float]:
        """`k_relations`, `k_tags`, and the F1 of those that were chosen on these documents."""
        found: Dict[str, float] = {}
        if self.k_relations is not None:
            found["k_relations"] = given(context, self.k_relations)
        else:
            scores = self.relation_scores(examples, documents, word_vectors(relations, documents))
            found["k_relations"], found["relations_f1"] = _best(scores)
        if space is not None and examples.space is not None:
            if self.k_tags is not None:
                found["k_tags"] = given(context, self.k_tags)
            else:
                found["k_tags"], found["tags_f1"] = _best(self.tag_scores(examples.space, examples.tags, documents, space))
        return found

    def relation_scores(self, examples: Examples, documents: Sequence[Document], states: WordVectors) -> Dict[int, float]:
        """The F1 of pairs for every number of neighbours."""
        near = Neighbourhood(examples, self.order)
        counts = {k: Ratio(0, 0, 0) for k in self.grid}
        for document, words in zip(documents, states.sentences(), strict=True):
            pairs = pairs_of([len(words)], self.order)
            if not len(pairs):
                continue
            gold = is_gold(pairs, gold_pairs([document], self.tags.types), self.order)
            nearest = near.index.nearest(words, pairs, self.grid[-1])
            for k in self.grid:
                guess = near.labels[nearest.examples[:, :k]].float().mean(1) > 0.5
                counts[k] = _added(counts[k], gold, guess)
        return {k: ratio.f1 for k, ratio in counts.items()}

    def tag_scores(self, space: Tensor, tags: Tensor, documents: Sequence[Document], tower: Tower) -> Dict[int, float]:
        """The mean F1 of both types' chunks for every number of neighbours."""
        words = word_vectors(tower, documents)
        nearest = nearest_words(words.vectors, space, self.grid[-1])
        gold = [Read(frozenset(), tuple(self.tags.chunks(self.tags.of(document), self.chunks))) for document in documents]
        found = {}
        for k, guess in by_k(tags, nearest, self.grid, len(self.tags.names)):
            read = [Read(frozenset(), tuple(self.tags.chunks(each.tolist(), self.chunks))) for each in guess.split(words.sizes)]
            ratios = entities(gold, read, len(self.tags.types))
            found[k] = sum(ratio.f1 for ratio in ratios) / len(ratios)
        return found

    # ---- what is handed on -----------------------------------------------------------------------------------------------------

    def save(self, context: StageContext, examples: Examples, figures: Dict[str, float]) -> None:
        """The extractor's folder: both models, the examples, what was chosen."""
        head = self.head(self.documents(context.corpus, self.fit))

        def write(folder: Path) -> None:
            link_tree(context.saved_model(self.relations[0]), folder / RELATIONS)
            if self.space is not None:
                link_tree(context.saved_model(self.space[0]), folder / TAGS)
            save_examples(folder, examples)

        data = context.config["data"]
        about = {"stage": context.name, "reader": data.get("reader"), "candidates": data.get("candidates")}
        save_extractor(context.folder / "model", self.block(figures, head), context.corpus.labels, about, write)

    def head(self, documents: Sequence[Document]) -> str:
        """The type of the heads of most relations between the two types."""
        found = [(document.entities, each) for document in documents for each in document.relations]
        ends = [(entities[each.head].type, entities[each.tail].type) for entities, each in found]
        first, second = (sum(one == kind != other for one, other in ends) for kind in self.tags.types)
        return self.tags.types[0 if first > second else 1]

    def block(self, figures: Dict[str, float], head: str) -> Dict[str, Any]:
        """The extractor's config block."""
        return {
            "@extractors": "cldr.NearestNeighbours.v1",
            "types": self.tags.types,
            "label": self.label,
            "head": head,
            "k_relations": int(figures["k_relations"]),
            "k_tags": int(figures["k_tags"]) if "k_tags" in figures else None,
            "encoder": self.relations[1],
            "task": None if self.space is None else self.space[1],
            "order": self.order,
            "chunks": self.chunks,
            "subword": self.subword,
        }


def given(context: StageContext, k: Union[int, str]) -> float:
    """A number of neighbours: as it stands, or what an earlier stage chose."""
    return context.measured(k) if isinstance(k, str) else float(k)


def _part(value: str, name: str) -> Part:
    """Stage and part of "STAGE.PART"."""
    stage, dot, part = value.partition(".")
    if not dot or not stage or not part:
        raise RelconError(f"{name} = '{value}' must be STAGE.NAME, what an earlier stage handed on.")
    return stage, part


def _best(scores: Dict[int, float]) -> Tuple[float, float]:
    """The first number with the highest score, and that score."""
    best = max(scores, key=lambda k: scores[k])
    return float(best), scores[best]


def _added(ratio: Ratio, gold: Tensor, guess: Tensor) -> Ratio:
    """The counts with another sentence's."""
    right = int((gold & guess).sum())
    return Ratio(ratio.tp + right, ratio.fp + int(guess.sum()) - right, ratio.fn + int(gold.sum()) - right)
