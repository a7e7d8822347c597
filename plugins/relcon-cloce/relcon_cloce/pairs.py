"""Contrast on the instances that a classifier gets wrong."""

import math
from dataclasses import replace
from typing import Any, Dict, Iterable, Literal, Mapping, Optional, Sequence

import numpy as np
import torch

from relcon.contrast import Batch, Contrast, Pairing
from relcon.data.document import Instance, Mention
from relcon.data.edits import apply_edits, replaced, words_of
from relcon.errors import RelconError
from relcon.interfaces import Contrasts, Draw, Recorder, Renderer, Sampler, Split
from relcon.samplers.common import at_least, classes_of, content_of, cut, order, tags_of
from relcon_cloce.errors import Judged, Pair, PairRule, Predictions, negative_classes


class ErrorPairs(Sampler):
    """Pairs of an instance that the classifier got wrong in this epoch with instances that it got right: one of the true relation attracts
    it, one of the relation that it was taken for repels it (CLoCE, anonymous submission, section on contrastive learning).

    The partner's head and tail are replaced by those of the error, so that both sentences speak of the same entities and differ in
    their context. Gives the value `contrast`: anchors are errors, candidates their partners. For relcon.MarginPairs.v1; softmax
    objectives need `rows = "anchors"`. What it draws depends on predictions, so its stream needs a phase of its own after each epoch
    (`after` of cloce.Alternation.v1). An epoch without an error, or without a right prediction, has no batch.

    renderer: instances -> views; the paper compares whole prompted sentences (`cloce.Prompt.v1` with `unit = "sentence"`).
    batch_size: rows per batch.
    pair_rule: `corrected` as above. `literal`: both partners are of the relation that the error was taken for, as the paper's text has it;
    the two then mostly cancel, so it is there to show what the printed condition does.
    pairs_per_error: how many partners of each kind, where there are so many.
    skip_negative_label: instances whose label means 'no relation' are no partners.
    rows: `pairs`: a row is an error with one partner, all pairs of an epoch shuffled. `anchors`: a row is an error with all its partners;
    errors that lack those of one kind are left out.
    norm: `pairs`: the weight of a row is 1. `instances`: pairs of the epoch / instances that were predicted, so that the sum over the
    epoch is the paper's, whose loss is divided by the latter; in `anchors`, rows instead of pairs.

    A partner whose head and tail share a word is none. Figures in the log: `errors`, `correct`, `pairs`, `without_true_partner` and
    `without_mistaken_partner` (errors). RelconError where an instance has no label.

    Config::

        [sampler]
        @samplers = "cloce.ErrorPairs.v1"
        batch_size = 16
        [sampler.renderer]
        @renderers = "cloce.Prompt.v1"
        unit = "sentence"
    """

    def __init__(
        self,
        renderer: Renderer,
        batch_size: int = 16,
        pair_rule: Literal["corrected", "literal"] = "corrected",
        pairs_per_error: int = 1,
        skip_negative_label: bool = False,
        rows: Literal["pairs", "anchors"] = "pairs",
        norm: Literal["pairs", "instances"] = "pairs",
    ):
        self.renderer, self.batch_size = renderer, at_least("batch_size", batch_size, 1)
        self.rule: PairRule = pair_rule
        self.pairs_per_error = at_least("pairs_per_error", pairs_per_error, 1)
        self.skip_negative_label, self.rows, self.norm = skip_negative_label, rows, norm
        self.known: Optional[Predictions] = None

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Optional[Contrasts]:
        """In rows of one pair no anchor has both a positive and a negative."""
        anchors = block.get("rows", "pairs") == "anchors"
        return Contrasts(
            several=anchors and block.get("pairs_per_error", 1) != 1, negatives=anchors, advice='Set rows = "anchors" there.'
        )

    @property
    def follows_predictions(self) -> bool:
        """It does."""
        return True

    def recorder(self, data: Split) -> Recorder:
        """The predictions for these data."""
        self.known = Predictions([instance.uid for instance in data.instances])
        self.gold = np.array(classes_of(data), dtype=np.int64)
        self.usable = np.array([separate(*instance.mentions) for instance in data.instances], dtype=bool)
        return self.known

    def check(self, data: Split) -> None:
        """Every instance needs a label."""
        super().check(data)
        classes_of(data)

    def judged(self, data: Split) -> Judged:
        """The instances by what is predicted for them now. RelconError where nobody is told of predictions, or of those for other data."""
        if self.known is None or len(self.known.rows) != len(data.instances):
            raise RelconError(
                f"Nobody has told which instances of '{data.name}' the classifier gets wrong. Name the stream in `after` of "
                "cloce.Alternation.v1."
            )
        barred = negative_classes(data.labels) if self.skip_negative_label else ()
        return Judged(self.gold, self.known.classes(), self.usable, self.rule, self.pairs_per_error, barred)

    def length(self, data: Split) -> int:
        """How many batches the predictions at hand make; 0 where there are no pairs."""
        return math.ceil(self._rows(self.judged(data)) / self.batch_size)

    def _rows(self, judged: Judged) -> int:
        counts = judged.counts()
        return int(counts.all(1).sum() if self.rows == "anchors" else counts.sum())

    def figures(self, data: Split) -> Dict[str, float]:
        """What the predictions at hand come to."""
        judged = self.judged(data)
        counts = judged.counts()
        pairs = counts[counts.all(1)].sum() if self.rows == "anchors" else counts.sum()
        without = (counts == 0).sum(0).tolist()
        return {
            "errors": float(len(judged.errors)),
            "correct": float(len(judged.correct)),
            "pairs": float(pairs),
            "without_true_partner": float(without[0]),
            "without_mistaken_partner": float(without[1]),
        }

    def why_empty(self, data: Split) -> str:
        """No error, nothing right, or no error with a partner."""
        judged = self.judged(data)
        if not len(judged.errors):
            return f"none of {len(judged.correct)} predictions was wrong"
        if not len(judged.correct):
            return f"none of {len(judged.errors)} predictions was right, so no error has a partner"
        return f"none of {len(judged.errors)} errors has a partner among {len(judged.correct)} right predictions"

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        judged = self.judged(data)
        found = judged.draw(draw.generator)
        if self.rows == "anchors":
            rows = [pairs for pairs in found if len({pair.is_negative for pair in pairs}) == 2]
        else:
            rows = [[pair] for pairs in found for pair in pairs]
        weight = len(rows) / (len(judged.errors) + len(judged.correct)) if self.norm == "instances" and rows else 1.0
        shuffled = [rows[place] for place in order(len(rows), True, draw.generator)]
        for chosen in cut(shuffled, self.batch_size):
            yield {"contrast": self._contrast(chosen, data, weight)}

    def _contrast(self, rows: Sequence[Sequence[Pair]], data: Split, weight: float) -> Contrast:
        """Row i of the pairing meets its own candidates alone. An error that is in several rows is encoded once."""
        errors = {row[0].error: data.instances[row[0].error] for row in rows}
        pairs = [pair for row in rows for pair in row]
        partners = [with_entities_of(errors[pair.error], data.instances[pair.partner]) for pair in pairs]
        views = dict(zip(errors, self.renderer(list(errors.values())), strict=True))
        masks = torch.zeros(2, len(rows), len(pairs))
        places = iter(range(len(pairs)))
        for number, row in enumerate(rows):
            for pair in row:
                masks[int(pair.is_negative), number, next(places)] = 1
        anchors = [row[0].error for row in rows]
        return Contrast(
            [views[error] for error in anchors],
            Pairing.of(masks[0], masks[1], torch.full((len(rows),), weight)),
            self.renderer(partners),
            tags_of([content_of(errors[error]) for error in anchors], self.gold[anchors].tolist()),
            tags_of([content_of(partner) for partner in partners], self.gold[[pair.partner for pair in pairs]].tolist()),
        )


def separate(head: Mention, tail: Mention) -> bool:
    """Whether two mentions share no word, so that either can be replaced."""
    return set(words_of(head)).isdisjoint(words_of(tail))


def with_entities_of(error: Instance, partner: Instance) -> Instance:
    """The partner's sentence about the entities of the error: its head is replaced by that of the error, its tail likewise.

    The mentions that a sentence-level method looks at (`Instance.mentions`) are replaced, those in pieces by words in one piece; further
    mentions stay as words. The result knows these two entities alone, with the types of the error's, and keeps the partner's label.
    The partner's mentions must be `separate`.
    """
    head, tail = partner.mentions
    words = error.document.words
    names = [[words[word] for word in words_of(mention)] for mention in error.mentions]
    theirs = [error.document.entities[number] for number in (error.head, error.tail)]
    entities = tuple(replace(entity, mentions=(mention,)) for entity, mention in zip(theirs, (head, tail), strict=True))
    document = replace(partner.document, entities=entities, relations=(), offsets=None)
    edits = {**replaced(words_of(head), names[0]), **replaced(words_of(tail), names[1])}
    return replace(partner, document=apply_edits(document, edits), head=0, tail=1)
