"""Labelled instances, one by one: the sampler of classification."""

from typing import Iterable, List, Optional, Tuple

import torch

from relcon.contrast import Batch, Labelled
from relcon.data.document import Instance
from relcon.interfaces import Augmenter, Draw, Renderer, Sampler, Split
from relcon.samplers.common import at_least, changed, count_batches, cut, generator_of, label_of, order


class Instances(Sampler):
    """Every labelled instance once per epoch, and, where asked for, changed copies of it that carry its label.

    Gives the value `instances`. The last batch may be incomplete; nothing is dropped. With `augmenter` and `copies` it is plain
    data augmentation: an epoch has (1 + copies) times as many instances (CLRE's table 4: copies = 3; Su et al. 2021, arXiv
    2104.13913).

    renderer: instances -> views. batch_size: instances (copies included) per batch. shuffle: shuffle anew in each epoch.
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
    ):
        self.renderer, self.batch_size, self.shuffle = renderer, at_least("batch_size", batch_size, 1), shuffle
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
        for chosen in cut(items, self.batch_size):
            yield {"instances": self._labelled([divmod(item, 1 + self.copies) for item in chosen], data, draw)}

    def _labelled(self, items: List[Tuple[int, int]], data: Split, draw: Draw) -> Labelled:
        instances = [self._copy(data.instances[number], copy, draw) for number, copy in items]
        labels = torch.tensor([label_of(instance, data) for instance in instances], dtype=torch.long)
        uids = [f"{instance.uid}~{copy}" if copy else instance.uid for instance, (_, copy) in zip(instances, items, strict=True)]
        return Labelled(self.renderer(instances), labels, uids=uids)

    def _copy(self, instance: Instance, copy: int, draw: Draw) -> Instance:
        """The instance itself (copy 0) or a changed copy of it."""
        if copy == 0 or self.augmenter is None:
            return instance
        generator = draw.generator if self.resample else generator_of(instance, copy, self.seed)
        return changed(instance, self.augmenter, generator)
