"""Two views of every instance: the sampler of contrastive learning without labels."""

from typing import Any, Iterable, List, Literal, Mapping, Optional, Sequence, TypeVar

import torch

from relcon.contrast import Batch, Contrast, Pairing, Tags, View
from relcon.data.document import Instance
from relcon.interfaces import Augmenter, Contrasts, Draw, Renderer, Sampler, Split
from relcon.samplers.common import at_least, changed, content_of, count_batches, cut, generator_of, key_of, order, sentence_of, tags_of
from relcon.samplers.pairings import mask_same, numbered, partners

Key = TypeVar("Key")


class TwoViews(Sampler):
    """N instances, each seen twice: 2N views, of which rows 2k and 2k + 1 attract each other and repel all others.

    Gives the value `contrast`, with tags for a queue. SimCLR (Chen et al. 2020, arXiv 2002.05709); with blinded sentences and
    path-preserving synonyms CLRE (Su et al. 2021, arXiv 2104.13913, algorithm 1). Labels are not needed.

    renderer: instances -> views. augmenter: makes the changed views.
    batch_size: N, instances per batch; a batch has 2N views. (CLRE's "batch size" 256 counts views: N = 128.)
    views: two changed views, or the original and one changed view (CLRE's released code).
    resample: draw the changed views anew in each epoch; otherwise every epoch has the same ones. seed: draws those; it
        does not follow the config's seed.
    shuffle: batches of shuffled instances; otherwise in the order of the data. drop_last: leave the last, incomplete batch out.
    mask: views of different instances that do not repel each other: those with the same `label`, of the same `sentence`. It
    holds for vectors of earlier batches too: tags tell a queue which are the same instance (or sentence, where masked), and the
    labels only where they are masked.
    duplicates: `once` lets only the first of several equal instances of a batch take part in the loss, which is then exactly
    that of the batch without them.

    Changed views that come out equal stay two inputs, so that dropout still tells them apart (SimCSE). RelconError where the
    data do not fill one batch.

    Config::

        [sampler]
        @samplers = "relcon.TwoViews.v1"
        batch_size = 32
        [sampler.renderer]
        @renderers = "relcon.Blinded.v1"
        [sampler.augmenter]
        @augmenters = "relcon.RandomSwap.v1"
    """

    def __init__(
        self,
        renderer: Renderer,
        augmenter: Augmenter,
        batch_size: int = 32,
        views: Literal["two_augmented", "original_and_one"] = "two_augmented",
        resample: bool = True,
        shuffle: bool = True,
        drop_last: bool = True,
        mask: Optional[List[Literal["label", "sentence"]]] = None,
        duplicates: Literal["keep", "once"] = "keep",
        seed: int = 0,
    ):
        self.renderer, self.augmenter, self.batch_size = renderer, augmenter, at_least("batch_size", batch_size, 2)
        self.views, self.resample, self.shuffle, self.drop_last = views, resample, shuffle, drop_last
        self.mask, self.duplicates, self.seed = mask or [], duplicates, seed

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Contrasts:
        """One positive, the batch's other views as negatives."""
        return Contrasts()

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        return count_batches(data, len(data.instances), self.batch_size, self.drop_last)

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        self.length(data)
        numbers = order(len(data.instances), self.shuffle, draw.generator)
        for chosen in cut(numbers, self.batch_size, self.drop_last):
            yield {"contrast": self._contrast([data.instances[number] for number in chosen], data, draw)}

    def _contrast(self, instances: List[Instance], data: Split, draw: Draw) -> Contrast:
        sides = [self.renderer([self._copy(instance, side, draw) for instance in instances]) for side in (0, 1)]
        views: List[View] = [view for pair in zip(*sides, strict=True) for view in pair]
        return Contrast(views, self._pairing(instances), anchor_tags=self._tags(instances, data))

    def _copy(self, instance: Instance, side: int, draw: Draw) -> Instance:
        if side == 0 and self.views == "original_and_one":
            return instance
        generator = draw.generator if self.resample else generator_of(instance, side, self.seed)
        return changed(instance, self.augmenter, generator)

    def _pairing(self, instances: List[Instance]) -> Pairing:
        pairing = partners(2 * len(instances))
        for kind in self.mask:
            pairing = mask_same(pairing, twice(numbered([key_of(instance, kind) for instance in instances])))
        if self.duplicates == "once":
            key = torch.tensor(twice(numbered([content_of(instance) for instance in instances])))
            pairing = pairing.distinct(2 * key + torch.arange(len(key)) % 2)
        return pairing

    def _tags(self, instances: List[Instance], data: Split) -> Tags:
        keys = [sentence_of(instance) if "sentence" in self.mask else content_of(instance) for instance in instances]
        known = [None if instance.label is None else data.labels.number(instance.label) for instance in instances]
        return tags_of(twice(keys), twice(known) if "label" in self.mask else None)


def twice(keys: Sequence[Key]) -> List[Key]:
    """[N] -> [2N]: the key of each instance for both of its views."""
    return [key for key in keys for _ in range(2)]
