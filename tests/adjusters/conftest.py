"""A queue, and batches of bare vectors for it."""

import pytest
import torch

from relcon.contrast import WHOLE, Contrast, Pairing, Tags, Text, View
from relcon.interfaces import Adjuster


class Bare:
    """Contrasts over bare tensors."""

    @staticmethod
    def queue(size, **arguments):
        return Adjuster.registry.get("relcon.Queue.v1")(size, **arguments).train()

    @staticmethod
    def views(count):
        return [View(Text((f"w{number}",)), ((WHOLE,),)) for number in range(count)]

    @staticmethod
    def tags(lane, key=None, label=None):
        unknown = [-1] * len(lane)
        columns = (lane, unknown if key is None else key, unknown if label is None else label)
        return Tags(*(torch.as_tensor(column, dtype=torch.long) for column in columns))

    def contrast(self, anchor_tags, candidate_tags, pairing=None):
        """Anchor n attracts candidate n, and there are no negatives, unless a pairing is given."""
        rows, columns = len(anchor_tags.lane), len(candidate_tags.lane)
        pairing = pairing or Pairing.of(torch.eye(rows, columns), torch.zeros(rows, columns))
        return Contrast(self.views(rows), pairing, self.views(columns), anchor_tags, candidate_tags)

    def push(self, queue, vectors, tags):
        """One training step whose candidates are these."""
        vectors = torch.as_tensor(vectors, dtype=torch.float)
        contrast = self.contrast(tags, tags)
        queue(vectors, vectors, contrast, contrast.pairing)
        queue.after_step()


@pytest.fixture(scope="session")
def bare():
    """See `Bare`."""
    return Bare()
