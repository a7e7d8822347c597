"""Instances of one label attract each other: the sampler of supervised contrast."""

from typing import Any, Iterable, List, Literal, Mapping, Optional

import torch

from relcon.contrast import Batch, Contrast, View
from relcon.data.document import Instance
from relcon.interfaces import Augmenter, Contrasts, Draw, Renderer, Sampler, Split
from relcon.samplers.common import at_least, changed, classes_of, content_of, count_batches, cut, label_of, order, tags_of
from relcon.samplers.pairings import NegativePolicy, by_label, numbered


class SameLabel(Sampler):
    """Batches in which views of one label attract and views of different labels repel each other.

    Gives the value `contrast`, with labels and contents as tags for a queue. For relcon.SupCon.v1, relcon.InfoNCE.v1 and the
    pairwise objectives (Khosla et al. 2020, arXiv 2004.11362). An epoch has every labelled instance once; the last batch may be
    incomplete.

    renderer: instances -> views. batch_size: instances per batch.
    per_label: put so many instances of one label side by side, so that a batch has few labels and each has company; labels with
    fewer stay as they are. 0: plain shuffling.
    negative: what labels that mean 'no relation' do. `ignore`: they take no part. `own`: each is a class like any other.
    `negatives`: they repel the others, but neither attract each other nor are anchors.
    augmenter: every instance twice, the second time changed, so that a label's only instance has a positive too.
    duplicates: `once` lets only the first of several equal instances of a batch take part in the loss, which is then exactly
    that of the batch without them. `keep` makes them each other's positives, the easiest there are.

    RelconError where an instance has no label, or there is no instance.

    Config::

        [sampler]
        @samplers = "relcon.SameLabel.v1"
        batch_size = 32
        per_label = 4
        [sampler.renderer]
        @renderers = "relcon.EntityMarkers.v1"
    """

    def __init__(
        self,
        renderer: Renderer,
        batch_size: int = 32,
        per_label: int = 0,
        negative: Literal["ignore", "own", "negatives"] = "ignore",
        augmenter: Optional[Augmenter] = None,
        duplicates: Literal["keep", "once"] = "once",
    ):
        self.renderer, self.batch_size = renderer, at_least("batch_size", batch_size, 2)
        self.per_label = at_least("per_label", per_label, 0)
        self.negative: NegativePolicy = negative
        self.augmenter, self.duplicates = augmenter, duplicates

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Contrasts:
        """Several positives, the batch's other labels as negatives."""
        return Contrasts(several=True)

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        return count_batches(data, len(data.instances), self.batch_size)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        self.length(data)
        for chosen in cut(self._order(data, draw.generator), self.batch_size):
            yield {"contrast": self._contrast([data.instances[number] for number in chosen], data, draw)}

    def _order(self, data: Split, generator: torch.Generator) -> List[int]:
        """All instance numbers, shuffled; those of one label in runs of `per_label`."""
        numbers = order(len(data.instances), True, generator)
        if self.per_label < 2:
            return numbers
        by_class: List[List[int]] = [[] for _ in range(len(data.labels))]
        classes = classes_of(data)
        for number in numbers:
            by_class[classes[number]].append(number)
        runs = [run for members in by_class for run in cut(members, self.per_label)]
        return [number for place in order(len(runs), True, generator) for number in runs[place]]

    def _contrast(self, instances: List[Instance], data: Split, draw: Draw) -> Contrast:
        views: List[View] = self.renderer(instances)
        contents = [content_of(instance) for instance in instances]
        keys = [2 * key for key in numbered(contents)]
        labels = [label_of(instance, data) for instance in instances]
        if self.augmenter is not None:
            augmenter = self.augmenter
            views = views + self.renderer([changed(instance, augmenter, draw.generator) for instance in instances])
            keys, labels, contents = keys + [key + 1 for key in keys], labels * 2, contents * 2
        pairing = by_label(labels, negative=[data.labels.number(name) for name in data.labels.negative], policy=self.negative)
        pairing = pairing.distinct(torch.tensor(keys)) if self.duplicates == "once" else pairing
        return Contrast(views, pairing, anchor_tags=tags_of(contents, labels))
