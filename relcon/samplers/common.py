"""What samplers share: order and number of batches, changed copies of instances, what makes two instances duplicates."""

import hashlib
import math
import zlib
from dataclasses import replace
from typing import Hashable, Iterator, List, Optional, Sequence, TypeVar

import torch

from relcon.contrast import Tags
from relcon.data.document import Instance
from relcon.data.sequences import labels_of
from relcon.errors import RelconError
from relcon.interfaces import Augmenter, Split

Item = TypeVar("Item")


def order(count: int, shuffle: bool, generator: torch.Generator) -> List[int]:
    """The numbers below `count`, shuffled or as they are."""
    return torch.randperm(count, generator=generator).tolist() if shuffle else list(range(count))


def cut(items: Sequence[Item], size: int, drop_last: bool = False) -> Iterator[Sequence[Item]]:
    """Consecutive batches of `size`; the last may be smaller, unless it is dropped."""
    for start in range(0, len(items) - size + 1 if drop_last else len(items), size):
        yield items[start : start + size]


def count_batches(data: Split, count: int, size: int, drop_last: bool = False, items: str = "instances") -> int:
    """How many batches `count` items make. items: what they are called. RelconError where that is none."""
    batches = count // size if drop_last else math.ceil(count / size)
    if not batches:
        what = f"has {count} {items}, fewer than one batch of {size} (batch_size)" if count else f"has no {items}"
        advice = " Lower batch_size, or set drop_last = false." if count else ""
        raise RelconError(f"The split '{data.name}' {what}: there is nothing to train on.{advice}")
    return batches


def at_least(name: str, value: int, least: int) -> int:
    """The value, or ValueError naming the argument where it is too small."""
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    return value


def changed(instance: Instance, augmenter: Augmenter, generator: torch.Generator) -> Instance:
    """The instance on an augmented copy of its document, in which its pair still expresses what it did."""
    return replace(instance, document=augmenter(instance.document, [(instance.head, instance.tail)], generator))


def generator_of(instance: Instance, copy: int, seed: int) -> torch.Generator:
    """A random stream that depends on nothing but seed, instance and number of the copy: the same copy in every epoch."""
    return torch.Generator().manual_seed(zlib.crc32(f"{seed}/{copy}/{instance.uid}".encode()))


def label_of(instance: Instance, data: Split) -> int:
    """The class number of an instance. RelconError where it has no label."""
    if instance.label is None:
        raise RelconError(
            f"Instance '{instance.uid}' of the split '{data.name}' has no label, but this sampler needs one for each. "
            "Train on labelled data, or use a sampler that needs none (relcon.TwoViews.v1)."
        )
    return data.labels.number(instance.label)


def classes_of(data: Split) -> List[int]:
    """The class number of each instance. RelconError where one has no label."""
    labels, index = labels_of(data.instances), data.labels.index
    return [index[label] if label in index else label_of(data.instances[at], data) for at, label in enumerate(labels)]


def sentence_of(instance: Instance) -> Hashable:
    """The words of the sentences that hold the pair: equal for two instances of one sentence, wherever it stands."""
    document, (head, tail) = instance.document, instance.mentions
    first = document.sentence_of(min(head.start, tail.start))
    last = document.sentence_of(max(head.end, tail.end) - 1)
    return document.words[document.sentences[first][0] : document.sentences[last][1]]


def content_of(instance: Instance) -> Hashable:
    """What two duplicates have in common: the words and where the pair stands in them, whatever their labels."""
    head, tail = instance.document.entities[instance.head], instance.document.entities[instance.tail]
    return instance.document.words, head.mentions, tail.mentions


def key_of(instance: Instance, kind: str) -> Optional[Hashable]:
    """What an instance shares with those that must not repel it: its `label` (None where unknown) or its `sentence`."""
    return instance.label if kind == "label" else sentence_of(instance)


def tags_of(keys: Sequence[Hashable], labels: Optional[Sequence[Optional[int]]] = None) -> Tags:
    """Tags [N] of one lane. keys: what the views of one sentence or instance share, any values that print alike in every run.

    labels: class numbers, None where unknown; all unknown unless given.
    """
    known = [-1] * len(keys) if labels is None else [-1 if label is None else label for label in labels]
    numbers = [_number_of(key) for key in keys]
    return Tags(torch.zeros(len(keys), dtype=torch.long), torch.tensor(numbers, dtype=torch.long), torch.tensor(known, dtype=torch.long))


def _number_of(key: Hashable) -> int:
    """63 bits that depend on the value alone, unlike `hash`: a queue compares them across batches, processes and resumed runs."""
    digest = hashlib.blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
