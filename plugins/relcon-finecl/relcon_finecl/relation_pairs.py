"""Relation discrimination: pairs of one relation attract each other across documents, weighted by what their labels are worth."""

import math
from pathlib import Path
from typing import Any, Iterable, List, Literal, Mapping, NamedTuple, Optional

import torch

from relcon.contrast import Batch, Contrast
from relcon.data.document import Document, Instance
from relcon.data.relations import unrelated_pairs
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Artifacts, Augmenter, Contrasts, Draw, Renderer, Split
from relcon.samplers.common import at_least, tags_of
from relcon_finecl.documents import DocumentSampler
from relcon_finecl.order import Keys
from relcon_finecl.rows import (
    UNRELATED,
    NegativesPer,
    Rows,
    at_most,
    at_most_by_document,
    couples_of,
    opponents,
    relation_pairing,
)
from relcon_finecl.weights import CONFIDENCE, EQUAL, ORDER, OrderRule, Weights, weights_from_confidence, weights_from_order


class Pair(NamedTuple):
    """A row before it is one: the pair, its class number or `UNRELATED`, its weight (None: it takes no part), its document's number."""

    instance: Instance
    relation: int
    weight: Optional[float]
    document: int


class RelationPairs(DocumentSampler):
    """Batches of documents in which pairs of one relation attract each other and repel pairs of other relations and of none.

    Gives the value `contrast` for relcon.InfoNCE.v1 with denominator = "own". The relation instances of a batch are shuffled relation by
    relation and coupled two by two; both members of a couple are anchors, each the other's only positive. What is left over, and pairs
    without a relation, only repel. The loss of an anchor weighs what the anchor does, and a negative in the denominator what it does itself
    (relation discrimination of FineCL: Hogan, Li and Shang, EMNLP 2022, equations 5 and 6, as their code forms the pairs). With
    weighting = "none" it is that of ERICA (Qin et al., ACL 2021).

    renderer: instances -> views; relcon.Plain.v1 encodes a document once for all its pairs.
    batch_size: documents. half, seed: two streams with one seed share out the documents of an epoch, `first` and `second`; the seed does
        not follow the config's. names: a JSON file of relation names, {"P17": "country"} or a list of {"id", "name"}; relations without
        a name are left out, null: none is.
    negatives: at most so many of each anchor, drawn anew each time; 0 for all. negatives_per: `anchor`, as in the released code; or
        `document`, as in the paper: all anchors of a document share at most so many, and each is compared with those that it may be.
    na_pairs: pairs without a relation of each document.
    pairs: of a document at most, those with a relation first.
    weighting: `none`; `learning_order`, alpha^((k_max - k) / (k_max - k_min)) of the order k in which the label was learned; or
        `confidence`, of a classifier (WCL, Wan et al. 2022).
    order: the earlier stage (finecl.LearningOrder.v1) whose order is read; or order_file: a file {uid: order}. order_keys: what its keys
        are, `uid`, or `id`, the relations' own ids. alpha: above 1. k_range: k_min and k_max, where not those of the corpus.
        unlearned: what was never learned has the order after the last epoch (k of the `manifest.json` beside the order, else its
        largest order plus one), or takes no part. order_cutoff: orders from this one on weigh as the largest does (5 in the released
        code). na_exponent: a pair without a relation weighs alpha to this power.
    confidence: the earlier stage (finecl.Confidence.v1) whose confidences are read; or confidence_file: a file {uid: confidence}.
        weight_transform: `exp` takes e^w. A pair without a relation weighs 1.
    weight_only: only the weights of anchors count, or only those of negatives. positive_weight: what a positive weighs in the
        denominator, 1 or (`order`) its own weight; that needs an objective with weigh = "denominator".
    augmenter: changes each document when it is drawn, so that its relations hold; null leaves it as it is (the paper).
    exclude_shared_argument: pairs of one document with the same head or the same tail are not compared.
    exclude_multilabel_conflicts: a pair that stands in the anchor's relation, too, does not repel it (the released code lets it).

    All relations of the documents count, whatever pairs the candidate rule asks about. A relation instance that takes no part stays in the
    batch as a view that is compared with none. Which mentions an encoder crops away is not known here: pairs that lost an entity drop out
    in the task, drawn ones too. Documents without a relation and relations without a name are left out and counted in the log. An order
    that was recorded on other data with the same ids is taken with a warning. RelconError where an order or confidences are of another
    corpus, as they are for a split of held-out data, or where no document has a relation; ValueError where arguments do not go together.

    Config::

        [sampler]
        @samplers = "finecl.RelationPairs.v1"
        batch_size = 16
        [sampler.renderer]
        @renderers = "relcon.Plain.v1"
    """

    takes = ("order", "confidence")

    def __init__(
        self,
        renderer: Renderer,
        batch_size: int = 16,
        half: Literal["all", "first", "second"] = "all",
        seed: int = 0,
        names: Optional[str] = None,
        negatives: int = 64,
        negatives_per: Literal["anchor", "document"] = "anchor",
        na_pairs: int = 32,
        pairs: int = 1000,
        weighting: Literal["none", "learning_order", "confidence"] = "none",
        order: Optional[str] = None,
        order_file: Optional[str] = None,
        order_keys: Literal["uid", "id"] = "uid",
        alpha: float = math.e,
        k_range: Optional[List[int]] = None,
        unlearned: Literal["max_order", "drop"] = "max_order",
        order_cutoff: Optional[int] = None,
        na_exponent: float = 0.5,
        confidence: Optional[str] = None,
        confidence_file: Optional[str] = None,
        weight_transform: Literal["none", "exp"] = "none",
        weight_only: Literal["both", "anchors", "negatives"] = "both",
        positive_weight: Literal["one", "order"] = "one",
        exclude_shared_argument: bool = True,
        exclude_multilabel_conflicts: bool = False,
        augmenter: Optional[Augmenter] = None,
    ):
        super().__init__(batch_size, half, seed, names)
        self.augmenter = augmenter
        self.renderer, self.negatives, self.na_pairs = renderer, at_least("negatives", negatives, 0), at_least("na_pairs", na_pairs, 0)
        self.negatives_per: NegativesPer = negatives_per
        self.pairs, self.weighting = at_least("pairs", pairs, 1), weighting
        _one_source(weighting, "learning_order", order=order, order_file=order_file)
        _one_source(weighting, "confidence", confidence=confidence, confidence_file=confidence_file)
        self.stage, self.file = order or confidence, order_file or confidence_file
        self.order_keys: Keys = order_keys
        self.rule = OrderRule(_above_one(alpha), _range(k_range), unlearned, order_cutoff, na_exponent)
        self.exponential, self.weight_only, self.positive_weight = weight_transform == "exp", weight_only, positive_weight
        self.exclude_shared_argument, self.exclude_multilabel_conflicts = exclude_shared_argument, exclude_multilabel_conflicts
        self.weights: Optional[Weights] = EQUAL if weighting == "none" else None

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Contrasts:
        """An anchor attracts the other member of its couple, and pairs of other relations and of none repel it."""
        return Contrasts()

    # ---- weights ----

    def hand_over(self, artifacts: Mapping[str, Artifacts]) -> None:
        """Note where the earlier stage wrote what weighs."""
        if self.stage is None:
            return
        if self.stage not in artifacts:
            raise RelconError(f"'{self.stage}' is no earlier stage that handed something on.{did_you_mean(self.stage, artifacts)}")
        self.file = str(artifacts[self.stage].folder / (ORDER if self.weighting == "learning_order" else CONFIDENCE))

    def prepare(self, data: Split) -> None:
        """Let the augmenter prepare, and read the weights of these data."""
        super().prepare(data)
        if self.weighting != "none":
            self.weights = self._read(data)

    def check(self, data: Split) -> None:
        """RelconError where no batch can be made, the augmenter lacks something, or a file of weights does not fit; an earlier stage has
        written none yet."""
        super().check(data)
        if self.augmenter is not None:
            self.augmenter.check(data.instances)
        if self.file is not None:
            self.weights = self._read(data)

    def _read(self, data: Split) -> Weights:
        if self.file is None:
            raise RelconError(f"finecl.RelationPairs.v1 takes its weights from the stage '{self.stage}', which has handed on nothing yet.")
        if self.weighting == "confidence":
            return weights_from_confidence(Path(self.file), data, self.exponential)
        return weights_from_order(Path(self.file), data, self.order_keys, self.usable(data).instances, self.rule)

    # ---- batches ----

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        if self.weights is None:
            raise RelconError("finecl.RelationPairs.v1 has not read its weights yet: call prepare(data) first.")
        numbers = data.labels.index
        for documents in self.drawn(data, draw.epoch):
            found: List[Pair] = []
            for place, document in enumerate(documents):
                found += self._pairs(document, place, data, numbers, self.weights, draw.generator)
            yield {"contrast": self._contrast(found, draw.generator)}

    def _pairs(
        self, document: Document, place: int, data: Split, numbers: Mapping[str, int], weights: Weights, generator: torch.Generator
    ) -> List[Pair]:
        """The rows of a document: its relation instances, and some of its pairs without a relation."""
        known = self.relations(document, data)
        if self.augmenter is not None:
            document = self.augmenter(document, list(dict.fromkeys((each.head, each.tail) for each in known)), generator)
        kept = set(list(dict.fromkeys((each.head, each.tail) for each in known))[: self.pairs])
        found = [
            Pair(Instance(document, each.head, each.tail, each.label, each.uid), numbers[each.label], weights(each.uid), place)
            for each in known
            if (each.head, each.tail) in kept
        ]
        unrelated = list(unrelated_pairs(document, data.labels.negative, data.complete_annotation))
        room = min(self.na_pairs, self.pairs - len(kept))
        for number in torch.randperm(len(unrelated), generator=generator)[:room].tolist():
            found.append(Pair(Instance(document, *unrelated[number]), UNRELATED, weights.unrelated, place))
        return found

    def _contrast(self, pairs: List[Pair], generator: torch.Generator) -> Contrast:
        """The rows of a batch, coupled."""
        rows = Rows.of([(each.document, each.instance.head, each.instance.tail, each.relation, each.weight or 0.0) for each in pairs])
        taking_part = [None if each.weight is None or each.relation == UNRELATED else each.relation for each in pairs]
        couples = couples_of(taking_part, generator)
        allowed = opponents(rows, self.exclude_shared_argument, self.exclude_multilabel_conflicts)
        if self.negatives_per == "document":
            drawn = at_most_by_document(allowed, rows, couples, self.negatives, generator)
        else:
            drawn = at_most(allowed, self.negatives, generator)
        pairing = relation_pairing(rows, couples, drawn, self.exclude_shared_argument, self.weight_only, self.positive_weight)
        keys = [f"{each.instance.document.id}#{each.instance.head}-{each.instance.tail}" for each in pairs]
        labels = [None if each.relation == UNRELATED else each.relation for each in pairs]
        return Contrast(self.renderer([each.instance for each in pairs]), pairing, anchor_tags=tags_of(keys, labels))


def _one_source(weighting: str, wanted: str, **sources: Optional[str]) -> None:
    """ValueError unless exactly one source is given where it is wanted, and none elsewhere."""
    given = [name for name, value in sources.items() if value is not None]
    names = " or ".join(sources)
    if weighting == wanted and len(given) != 1:
        raise ValueError(f'weighting = "{wanted}" needs {names}, one of them')
    if weighting != wanted and given:
        raise ValueError(f'{given[0]} is for weighting = "{wanted}", not "{weighting}"')


def _above_one(alpha: float) -> float:
    if not alpha > 1:
        raise ValueError(f"alpha must be above 1, not {alpha}")
    return alpha


def _range(k_range: Optional[List[int]]) -> "Optional[tuple[int, int]]":
    if k_range is None:
        return None
    if len(k_range) != 2 or not 0 <= k_range[0] <= k_range[1]:
        raise ValueError(f"k_range must be the smallest and the largest order, not {k_range}")
    return k_range[0], k_range[1]
