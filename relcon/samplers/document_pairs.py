"""Documents, each with its related pairs and some unrelated ones: the sampler of document-level classification."""

import logging
import math
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

import numpy as np
import torch

from relcon.contrast import Batch, Labelled
from relcon.data.document import Document, Instance, instance_uid
from relcon.data.labels import LabelSet
from relcon.data.relations import Pair, RelationInstance, ignored_pairs, relation_instances, unrelated_pairs
from relcon.data.sequences import pairs_of
from relcon.errors import RelconError
from relcon.interfaces import Draw, Renderer, Sampler, Split
from relcon.samplers.common import at_least, cut, order

log = logging.getLogger(__name__)


class DocumentPairs(Sampler):
    """Batches of whole documents: of each its related pairs, with all their labels, and a few unrelated pairs, drawn anew each time.

    Gives the value `pairs` for relcon.MultiLabelClassification.v1: of each pair the class of a label drawn anew from those that it has,
    and under `targets` [U, labels] all of them, multi-hot; an unrelated pair has the one negative class. `uids` are those of the drawn
    labelled tuples (`relcon.data.relations.relation_instances`), None for unrelated pairs. For one label per pair (softmax)
    relcon.Classification.v1 reads the same value. As in DocRED's baselines and stage 1 of FineCL (Hogan, Li and Shang, EMNLP 2022).

    renderer: instances -> views; relcon.Plain.v1 encodes a document once for all of its pairs.
    batch_size: documents per batch; the last one may be smaller. shuffle: shuffle the documents anew in each epoch.
    negatives: at most so many unrelated pairs for each related one, drawn without replacement.
    pairs: at most so many pairs of a document, the related ones first, in the document's order; those beyond are never seen.

    Labels are those of the document's relations, in the direction that it states. The pairs are those that the split asks about: where it
    was divided by instances (relcon.Share.v1, folds by instance), what went to the other side is neither a related nor an unrelated
    pair here. Only where the candidate rule gives no pair with the negative label (relcon.AnnotatedPairs.v1) are all other pairs of
    the document the unrelated ones. Ignored pairs (`metadata["ignored"]`) never come. Where the data are declared to lack relations
    (`complete_annotation = false` of the candidate rule), only pairs that the data themselves call unrelated are drawn.

    A document without a related pair would have none of the others either, so it is left out; `prepare` says how many there are.
    RelconError where the label set has not exactly one negative label (none is needed without complete annotation), or no document has a
    related pair.

    Config::

        [sampler]
        @samplers = "relcon.DocumentPairs.v1"
        batch_size = 32
        negatives = 3
        [sampler.renderer]
        @renderers = "relcon.Plain.v1"
    """

    def __init__(self, renderer: Renderer, batch_size: int = 32, negatives: int = 3, pairs: int = 1800, shuffle: bool = True):
        self.renderer, self.batch_size, self.shuffle = renderer, at_least("batch_size", batch_size, 1), shuffle
        self.negatives, self.pairs = at_least("negatives", negatives, 0), at_least("pairs", pairs, 1)

    def check(self, data: Split) -> None:
        """There must be one negative label, and a document with a related pair; and the renderer may look at them."""
        self.renderer.check(data)
        if data.complete_annotation or data.labels.negative:
            negative_number(data.labels)
        self.length(data)

    def prepare(self, data: Split) -> None:
        """Say of how many documents no pair is taken."""
        without = len(data.documents) - len(Asked(data).documents)
        if without:
            log.warning(
                "%d of %d documents of '%s' have no related pair: no pair is taken of them.", without, len(data.documents), data.name
            )

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        documents = len(Asked(data).documents)
        if not documents:
            raise RelconError(
                f"No document of the split '{data.name}' has a related pair: there is nothing to train on. "
                "relcon.DocumentPairs.v1 needs relations whose label is none of [data] negative."
            )
        return math.ceil(documents / self.batch_size)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `pairs`."""
        self.check(data)
        asked = Asked(data)
        for numbers in cut(order(len(asked.documents), self.shuffle, draw.generator), self.batch_size):
            places = [asked.documents[number] for number in numbers]
            yield {"pairs": self._labelled([each for place in places for each in self._drawn(place, asked, data, draw)], data.labels)}

    def _drawn(self, place: int, asked: "Asked", data: Split, draw: Draw) -> List["Drawn"]:
        """The pairs of a document for this visit: related ones, then unrelated ones."""
        document = data.documents[place]
        related = list(self._related(document, asked.pairs(place, asked.related), data.labels).items())[: self.pairs]
        unrelated = self._unrelated(document, place, asked, data)
        count = min(len(unrelated), self.negatives * len(related), self.pairs - len(related))
        chosen = torch.randperm(len(unrelated), generator=draw.generator)[:count].tolist()
        picks = [int(torch.randint(len(facts), (), generator=draw.generator)) for _, facts in related]
        return [Drawn.related(document, facts, pick, data.labels) for (_, facts), pick in zip(related, picks, strict=True)] + [
            Drawn.unrelated(document, unrelated[number], data.labels) for number in chosen
        ]

    @staticmethod
    def _related(document: Document, asked: Sequence[Pair], labels: LabelSet) -> Dict[Pair, List[RelationInstance]]:
        """The labelled tuples of each pair that is asked about, in the document's order."""
        allowed = set(asked) - ignored_pairs(document)
        found: Dict[Pair, List[RelationInstance]] = {}
        for fact in relation_instances(document, labels.negative):
            if (fact.head, fact.tail) in allowed:
                found.setdefault((fact.head, fact.tail), []).append(fact)
        return found

    @staticmethod
    def _unrelated(document: Document, place: int, asked: "Asked", data: Split) -> List[Pair]:
        """The pairs from which unrelated ones are drawn."""
        without = list(unrelated_pairs(document, data.labels.negative, data.complete_annotation))
        if data.complete_annotation and not asked.gives_unrelated:
            return without
        allowed = set(asked.pairs(place, asked.unrelated))
        return [pair for pair in without if pair in allowed]

    def _labelled(self, drawn: Sequence["Drawn"], labels: LabelSet) -> Labelled:
        """The value of a batch."""
        targets = torch.zeros(len(drawn), len(labels))
        for row, each in enumerate(drawn):
            targets[row, each.targets] = 1.0
        numbers = torch.tensor([each.label for each in drawn], dtype=torch.long)
        views = self.renderer([each.instance for each in drawn])
        return Labelled(views, numbers, {"targets": targets}, [each.uid for each in drawn])


class Drawn(NamedTuple):
    """A pair in a batch. label: class number of the label drawn for this visit. targets: of all its labels. uid: of the drawn tuple."""

    instance: Instance
    label: int
    targets: List[int]
    uid: Optional[str]

    @classmethod
    def related(cls, document: Document, facts: Sequence[RelationInstance], pick: int, labels: LabelSet) -> "Drawn":
        """A pair with these labelled tuples, of which number `pick` was drawn."""
        fact = facts[pick]
        instance = Instance(document, fact.head, fact.tail, fact.label, instance_uid(document, fact.head, fact.tail))
        return cls(instance, labels.number(fact.label), [labels.number(each.label) for each in facts], fact.uid)

    @classmethod
    def unrelated(cls, document: Document, pair: Pair, labels: LabelSet) -> "Drawn":
        """A pair without a relation."""
        number = negative_number(labels)
        return cls(Instance(document, *pair, labels.names[number], instance_uid(document, *pair)), number, [number], None)


class Asked:
    """The pairs that a split asks about, by document, without decoding one.

    documents: places of the documents with a related pair. related, unrelated: [N] which pairs are such, for `pairs`.
    gives_unrelated: whether there is an unrelated pair at all.
    """

    def __init__(self, data: Split):
        columns = pairs_of(data.instances, data.documents)
        rows = np.argsort(columns.document, kind="stable")
        place, label = columns.document[rows], columns.label[rows]
        negative = np.array([*(name in data.labels.negative for name in columns.labels), False])[label]  # -1, no label, is the last
        self.related, self.unrelated = (label >= 0) & ~negative, negative
        self.gives_unrelated = bool(negative.any())
        self.documents: List[int] = np.unique(place[self.related & (place >= 0)]).tolist()
        self._head, self._tail = columns.head[rows], columns.tail[rows]
        self._first = np.searchsorted(place, np.arange(len(data.documents) + 1))

    def pairs(self, place: int, which: np.ndarray) -> List[Pair]:
        """The pairs of a document that are asked about and `which` [N] is true of."""
        rows = np.arange(self._first[place], self._first[place + 1])
        rows = rows[which[rows]]
        return list(zip(self._head[rows].tolist(), self._tail[rows].tolist(), strict=True))


def negative_number(labels: LabelSet) -> int:
    """The class number of the one label that means 'no relation'; RelconError where there is none, or several."""
    if len(labels.negative) != 1:
        declared = ", ".join(f"'{name}'" for name in sorted(labels.negative)) or "none"
        raise RelconError(
            f"relcon.DocumentPairs.v1 needs the one label of unrelated pairs, but [data] negative declares {declared}. "
            'Write for example negative = ["Na"].'
        )
    return labels.number(next(iter(labels.negative)))
