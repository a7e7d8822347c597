"""Plain parts and data for sampler tests: what is sampled can be read off the words."""

from dataclasses import replace

import pytest
import torch

from relcon.contrast import WHOLE, Text, View
from relcon.data.document import Document, Entity, Instance, Mention, instance_uid
from relcon.data.labels import LabelSet
from relcon.interfaces import Augmenter, Draw, Renderer, Split, Vocabulary

LABELS = ("none", "binds", "blocks")


class Sharing(Renderer):
    """One input per document of a call, as a renderer without marks gives it."""

    def __call__(self, instances):
        texts = {id(i.document): Text(i.document.words) for i in instances}
        return [View(texts[id(i.document)], ((WHOLE,),)) for i in instances]


class Numbered(Augmenter):
    """Puts a random number in place of the last word, and remembers for which pairs."""

    def __init__(self):
        self.pairs = []
        self.prepared = 0

    def prepare(self, instances):
        self.prepared += len(instances)

    def __call__(self, document, pairs, generator):
        self.pairs += pairs
        number = int(torch.randint(10**9, (), generator=generator))
        return replace(document, words=document.words[:-1] + (str(number),))


class Nothing(Augmenter):
    """Changes nothing: the very same document."""

    def __call__(self, document, pairs, generator):
        return document


class Letters(Vocabulary):
    """A word's pieces are its letters."""

    size, mask, limit = 128, 1, 64

    def pieces(self, word):
        return [ord(letter) for letter in word]


def instance(number, label="binds", words=None):
    words = words or (f"A{number}", "meets", f"B{number}", "end")
    document = Document(f"d{number}", tuple(words), (Entity((Mention(0, 1),)), Entity((Mention(2, 3),))))
    return Instance(document, 0, 1, label, instance_uid(document, 0, 1))


def split(instances):
    return Split("train", [i.document for i in instances], instances, LabelSet(LABELS, frozenset(["none"])))


@pytest.fixture
def make():
    """`make(count, labels)`: a split of instances, labelled in turn."""
    return lambda count, labels=LABELS: split([instance(n, labels[n % len(labels)]) for n in range(count)])


@pytest.fixture
def parts():
    """The parts and helpers above, by name."""

    class Box:
        renderer, augmenter, nothing, vocabulary = Sharing(), Numbered(), Nothing(), Letters()
        instance, split = staticmethod(instance), staticmethod(split)

        @staticmethod
        def draw(epoch=0, vocabulary=None):
            return Draw(epoch, torch.Generator().manual_seed(1000 + epoch), vocabulary)

    return Box()
