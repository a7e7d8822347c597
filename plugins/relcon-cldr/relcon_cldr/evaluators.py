"""Measuring spaces: what neighbours read off them, and what a linear layer finds in them (CoNLL 2021, sections 4.4 and 5)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Literal, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from relcon.contrast import Text
from relcon.data.document import Document
from relcon.encoding import encode
from relcon.errors import RelconError
from relcon.files import atomic, write_json
from relcon.interfaces import Evaluator, Model, Split
from relcon.model import PretrainedModel, TrainedModel
from relcon.readers.jsonlines import JSONLines
from relcon_cldr.extractor import NearestNeighbours, gold_pairs, is_gold
from relcon_cldr.pairs import require_two
from relcon_cldr.reading import gold_of, listed, losses, require_complete, sentences_of
from relcon_cldr.samplers import pair_view
from relcon_cldr.scores import Ratio, Read, authors, entities, joint, pairs_alone, strict
from relcon_cldr.search import pairs_of
from relcon_cldr.tags import Chunk, Tags
from relcon_cldr.vectors import word_tower, word_vectors


class Extraction(Evaluator):
    """Entities and relations that an extractor reads off its spaces (CoNLL 2021, table 4).

    Figures (`_precision`, `_recall` and `_f1` of each): `entities`, the mean over both types, against the chunks of the gold BIO tags, and
    behind a stroke that of each type (`entities_f1/Drug`); `listed_entities`, against the entity list, in which entities may overlap;
    `strict`, `authors` and `joint`: relations with their entities, in three ways of counting (`relcon_cldr.scores`; `authors` is that of
    the published table); `pairs`: relations whatever the entities (RE-). Beside them what tags and last words cannot say:
    `overlapping_pairs`, `overlapping_sentences`, `lost_entities`, `relations_with_lost`, `same_last_word`. Without a space of tags: the
    figures of `pairs` alone.

    types: the two entity types. entities_from: relcon JSON-lines in which the documents' entities are another model's, by document
    id: strict figures are then of these (`table 4`'s last line). The folder gets `sentences.jsonl`: what was read off each sentence.

    RelconError where the model is no such extractor, or the file lacks a document.

    Config::

        [evaluator]
        @evaluators = "cldr.Extraction.v1"
        types = ["Drug", "Adverse-Effect"]
    """

    primary = "strict_f1"

    def __init__(self, types: List[str], entities_from: Optional[str] = None):
        self.tags, self.entities_from = Tags(require_two(types)), entities_from

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the split."""
        if not isinstance(model, NearestNeighbours):
            raise RelconError("cldr.Extraction.v1 measures what cldr.Neighbours.v1 hands on. Name that stage as `model` of the evaluation.")
        documents = sentences_of(data)
        read = [model.as_read(reading) for reading in model.read(documents)]
        if self.entities_from is not None:
            read = [replace(each, chunks=chunks) for each, chunks in zip(read, self.foreign(documents), strict=True)]
        gold = gold_of(documents, self.tags, model.chunk_rule)
        figures = pairs_alone(gold, read).figures("pairs")
        if model.tag_tower is not None or self.entities_from is not None:
            figures |= self.with_entities(gold, listed(documents, self.tags), read)
        if folder is not None:
            self.write(folder, documents, gold, read, figures)
        return {**figures, **{name: float(count) for name, count in losses(documents, self.tags).items()}}

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """Every entity must be of one of the types, and the other model's entities, where they are asked for, be there."""
        for document in data.documents:
            self.tags.of(document)
        if self.entities_from is not None:
            self.foreign(sentences_of(data))

    def with_entities(self, gold: Sequence[Read], whole: Sequence[Read], read: Sequence[Read]) -> Dict[str, float]:
        """The figures that need entities."""
        kinds = entities(gold, read, len(self.tags.types))
        figures = {**_mean("entities", kinds), **_mean("listed_entities", entities(whole, read, len(self.tags.types)))}
        for name, ratio in zip(self.tags.types, kinds, strict=True):
            figures |= {f"{figure}/{name}": value for figure, value in ratio.figures("entities").items()}
        for name, ratio in (("strict", strict(gold, read)), ("authors", authors(gold, read)), ("joint", joint(gold, read))):
            figures |= ratio.figures(name)
        return figures

    def foreign(self, documents: Sequence[Document]) -> List[Tuple[Chunk, ...]]:
        """Another model's entities."""
        theirs = {document.id: document for document in JSONLines().read(Path(str(self.entities_from)))}
        missing = [document.id for document in documents if document.id not in theirs]
        if missing:
            raise RelconError(f"{self.entities_from} lacks {len(missing)} of {len(documents)} documents (first: '{missing[0]}').")
        return [
            tuple(
                Chunk(self.tags.number(entity.type, theirs[each.id]), mention.start, mention.end - 1)
                for entity in theirs[each.id].entities
                for mention in entity.mentions
            )
            for each in documents
        ]

    def write(
        self, folder: Path, documents: Sequence[Document], gold: Sequence[Read], read: Sequence[Read], figures: Dict[str, float]
    ) -> None:
        """`sentences.jsonl` and `scores.json`."""
        with atomic(folder / "sentences.jsonl") as file:
            for document, truth, guess in zip(documents, gold, read, strict=True):
                line = {"document": document.id, "gold": self.told(truth), "predicted": self.told(guess)}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        write_json(folder / "scores.json", figures)

    def told(self, read: Read) -> Dict[str, list]:
        """A reading as JSON."""
        pairs = sorted(sorted(pair) for pair in read.pairs)
        return {"pairs": pairs, "entities": [[self.tags.types[kind], first, end + 1] for kind, first, end in read.chunks]}


def _mean(name: str, ratios: Sequence[Ratio]) -> Dict[str, float]:
    """Precision, recall and F1 as means over the types."""
    each = [ratio.figures(name) for ratio in ratios]
    return {figure: sum(figures[figure] for figures in each) / len(each) for figure in each[0]}


# ---- a linear layer ------------------------------------------------------------------------------------------------------


class Pairs(NamedTuple):
    """Candidate pairs of some sentences: vectors [T, D] of words, pairs [P, 2] over them, gold [P] bool."""

    words: Tensor
    pairs: Tensor
    gold: Tensor


class PairProbe(Evaluator):
    """How far relations are linearly separable in a frozen space: a linear layer on every candidate pair of words (CoNLL 2021, table 3).

    The layer sees the last-layer states of two words side by side and says relation or not: binary cross-entropy, Adam, no class weights;
    it stops when F1 on a held-out part of the training sentences has not risen for `patience` epochs, and keeps the best epoch's weights.

    types: the two entity types. encoder: the name of the encoder in the model of the stage that is measured (one without a classifier).
    lr, batch_size, epochs, patience: of the training; a batch is so many pairs. held_out: the share of the training sentences to stop by.
    subword: which word pieces stand for a word. seed: of the division, the layer and the order.

    Figures: `precision`, `recall`, `f1` of relations on the split, `candidates`, `epochs`. RelconError without training data, or where
    the model has no such encoder. A frozen encoder's words are encoded once.

    Config::

        [evaluator]
        @evaluators = "cldr.PairProbe.v1"
        types = ["Drug", "Adverse-Effect"]
    """

    primary = "f1"

    def __init__(
        self,
        types: List[str],
        encoder: str = "text",
        lr: float = 1e-3,
        batch_size: int = 1024,
        epochs: int = 20,
        patience: int = 3,
        held_out: float = 0.1,
        subword: Literal["first", "last", "mean"] = "first",
        seed: int = 0,
    ):
        if lr <= 0 or batch_size < 1 or epochs < 1 or patience < 1 or not 0 < held_out < 1:
            raise ValueError("lr must be above 0, batch_size, epochs and patience at least 1, held_out between 0 and 1")
        self.types, self.encoder, self.lr, self.batch_size = require_two(types), encoder, lr, batch_size
        self.epochs, self.patience, self.held_out, self.subword, self.seed = epochs, patience, held_out, subword, seed

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Fit and measure."""
        if not isinstance(model, PretrainedModel):
            raise RelconError("cldr.PairProbe.v1 measures the encoder of a stage without a classifier (relcon.Pretrain.v1).")
        tower = word_tower(model.saved.encoder(self.encoder), self.subword)
        generator = torch.Generator().manual_seed(self.seed)
        documents = sentences_of(self.required(train))
        order = torch.randperm(len(documents), generator=generator).tolist()
        size = max(1, int(self.held_out * len(documents)))
        held, kept = ([documents[n] for n in part] for part in (order[:size], order[size:]))
        train_pairs, held_pairs = (self.pairs(word_vectors(tower, part).vectors, part) for part in (kept, held))
        fitted, epochs = self.fit(train_pairs, held_pairs, generator)
        tested = sentences_of(data)
        measured = self.pairs(word_vectors(tower, tested).vectors, tested)
        figures = self.score(fitted, measured)
        if folder is not None:
            write_json(folder / "scores.json", figures)
        return {**figures, "candidates": float(len(measured.pairs)), "epochs": float(epochs)}

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """There must be training data."""
        self.required(train)

    @staticmethod
    def required(train: Optional[Split]) -> Split:
        """The training data. RelconError where there are none, or they are said to lack relations."""
        if train is None:
            raise RelconError("cldr.PairProbe.v1 fits a layer, so it needs a train split: give [data] train.")
        require_complete(train, "cldr.PairProbe.v1")
        return train

    def pairs(self, words: Tensor, documents: Sequence[Document]) -> Pairs:
        """All candidate pairs in text order."""
        pairs = pairs_of([len(document.words) for document in documents])
        return Pairs(words, pairs, is_gold(pairs, gold_pairs(documents, self.types), "text"))

    def fit(self, kept: Pairs, held: Pairs, generator: torch.Generator) -> Tuple[nn.Linear, int]:
        """The layer of the best epoch, and how many epochs it trained."""
        layer = nn.Linear(2 * kept.words.shape[1], 1)
        with torch.no_grad():
            layer.weight.copy_((torch.rand(layer.weight.shape, generator=generator) * 2 - 1) * layer.in_features**-0.5)
            layer.bias.zero_()
        optimizer = torch.optim.Adam(layer.parameters(), lr=self.lr)
        best, best_epoch, kept_state = -1.0, 0, {}
        for epoch in range(1, self.epochs + 1):
            for some in torch.randperm(len(kept.pairs), generator=generator).split(self.batch_size):
                vectors = kept.words[kept.pairs[some]].flatten(1)
                loss = nn.functional.binary_cross_entropy_with_logits(layer(vectors)[:, 0], kept.gold[some].float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            f1 = self.score(layer, held)["f1"]
            if f1 > best:
                best, best_epoch, kept_state = f1, epoch, {name: value.clone() for name, value in layer.state_dict().items()}
            elif epoch - best_epoch >= self.patience:
                break
        layer.load_state_dict(kept_state)
        return layer, epoch

    @torch.no_grad()
    def score(self, layer: nn.Linear, pairs: Pairs) -> Dict[str, float]:
        """Figures of relations; a word's part of the logit is computed once, whatever the number of its pairs."""
        first, second = layer.weight[0].chunk(2)
        guess = (pairs.words @ first)[pairs.pairs[:, 0]] + (pairs.words @ second)[pairs.pairs[:, 1]] + layer.bias > 0
        right = int((guess & pairs.gold).sum())
        ratio = Ratio(right, int(guess.sum()) - right, int(pairs.gold.sum()) - right)
        return {name: getattr(ratio, name) for name in ("precision", "recall", "f1")}


class PairScores(Evaluator):
    """The same figures of a classifier that was trained on candidate pairs, the encoder along with it (`cldr.CandidatePairs.v1`).

    types: the two entity types. Figures: `precision`, `recall`, `f1` of relations over all candidate pairs of the split, `candidates`.
    RelconError where the model is no classifier.

    Config::

        [evaluator]
        @evaluators = "cldr.PairScores.v1"
        types = ["Drug", "Adverse-Effect"]
    """

    primary = "f1"

    def __init__(self, types: List[str]):
        self.types = require_two(types)

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Classify every candidate pair."""
        if not isinstance(model, TrainedModel):
            raise RelconError(
                "cldr.PairScores.v1 measures a classifier of candidate pairs: name a relcon.Finetune.v1 stage over cldr.CandidatePairs.v1."
            )
        negative = torch.tensor([name in model.labels.negative for name in model.labels.names])
        total, count = Ratio(0, 0, 0), 0
        for document in sentences_of(data):
            pairs = pairs_of([len(document.words)])
            if not len(pairs):
                continue
            text = Text(document.words)
            views = [pair_view(text, ((i, i + 1), (j, j + 1))) for i, j in pairs.tolist()]
            guess = ~negative[encode(model.tower, views)[0].argmax(1).cpu()]
            gold = is_gold(pairs, gold_pairs([document], self.types), "text")
            right, count = int((gold & guess).sum()), count + len(pairs)
            total = Ratio(total.tp + right, total.fp + int(guess.sum()) - right, total.fn + int(gold.sum()) - right)
        return {**{name: getattr(total, name) for name in ("precision", "recall", "f1")}, "candidates": float(count)}
