"""Labelled instances, one by one: the sampler of classification."""

from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

import torch

from relcon.contrast import Batch, Labelled, Text, View
from relcon.data.document import Instance
from relcon.errors import RelconError
from relcon.interfaces import Augmenter, Draw, Renderer, Sampler, Split
from relcon.samplers.common import at_least, changed, count_batches, cut, generator_of, label_of, order


class Instances(Sampler):
    """Every labelled instance once per epoch, and, where asked for, changed copies of it that carry its label.

    Gives the value `instances`. The last batch may be incomplete; nothing is dropped. With `augmenter` and `copies` it is plain
    data augmentation: an epoch has (1 + copies) times as many instances (CLRE's table 4: copies = 3; Su et al. 2021, arXiv
    2104.13913).

    renderer: instances -> views. batch_size: instances (copies included) per batch. shuffle: shuffle anew in each epoch.
    pool: of so many batches, drawn at random, each gets instances of like length, so that there is little padding; 1: batches
    are random altogether, as they must be where a batch is a sample of its own. Without shuffle there are no pools.
    augmenter, copies: how to change an instance, and how many changed copies of it; 0 for none.
    resample: draw the copies anew in each epoch; otherwise every epoch has the same ones. seed: draws those; it
        does not follow the config's seed.

    RelconError where an instance has no label, or there is no instance.

    Config::

        [sampler]
        @samplers = "relcon.Instances.v1"
        batch_size = 16
        [sampler.renderer]
        @renderers = "relcon.Blinded.v1"
    """

    def __init__(
        self,
        renderer: Renderer,
        batch_size: int = 16,
        shuffle: bool = True,
        augmenter: Optional[Augmenter] = None,
        copies: int = 0,
        resample: bool = False,
        seed: int = 0,
        pool: int = 16,
    ):
        self.renderer, self.batch_size, self.shuffle = renderer, at_least("batch_size", batch_size, 1), shuffle
        self.pool = at_least("pool", pool, 1) if shuffle else 1
        self.augmenter, self.copies, self.resample, self.seed = augmenter, at_least("copies", copies, 0), resample, seed
        if (augmenter is None) != (copies == 0):
            raise ValueError("augmenter and copies go together: name an augmenter and set copies to 1 or more, or leave both out")

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        return count_batches(data, len(data.instances) * (1 + self.copies), self.batch_size)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `instances`; `uids` are those of the instances, `UID~N` that of copy N."""
        self.length(data)
        items = order(len(data.instances) * (1 + self.copies), self.shuffle, draw.generator)
        for pool in cut(items, self.pool * self.batch_size):
            yield from self._pooled([divmod(item, 1 + self.copies) for item in pool], data, draw)

    def _pooled(self, items: List[Tuple[int, int]], data: Split, draw: Draw) -> Iterator[Batch]:
        """The batches of a pool, each of instances of like length, in random order."""
        instances = [self._copy(data.instances[number], copy, draw) for number, copy in items]
        uids = [f"{instance.uid}~{copy}" if copy else instance.uid for instance, (_, copy) in zip(instances, items, strict=True)]
        labels = [label_of(instance, data) for instance in instances]
        views = self.renderer(instances)
        if len(views) != len(instances):
            made = f"{len(views)} views of {len(instances)} instances"
            raise RelconError(f"{type(self.renderer).__name__} made {made}: a defect of its package.")
        places = by_length(views) if self.pool > 1 else range(len(views))
        batches = list(cut(places, self.batch_size))
        for number in order(len(batches), self.pool > 1, draw.generator):
            chosen = sorted(batches[number])  # in the order drawn
            tensor = torch.tensor([labels[place] for place in chosen], dtype=torch.long)
            yield {"instances": Labelled([views[place] for place in chosen], tensor, uids=[uids[place] for place in chosen])}

    def _copy(self, instance: Instance, copy: int, draw: Draw) -> Instance:
        """The instance itself (copy 0) or a changed copy of it."""
        if copy == 0 or self.augmenter is None:
            return instance
        generator = draw.generator if self.resample else generator_of(instance, copy, self.seed)
        return changed(instance, self.augmenter, generator)


def by_length(views: Sequence[View]) -> List[int]:
    """The numbers of the views, those with the shortest texts first."""
    lengths = [len(view.input.words) + len(view.input.second) if isinstance(view.input, Text) else 0 for view in views]
    return sorted(range(len(views)), key=lengths.__getitem__)
