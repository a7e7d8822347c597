"""What a classifier predicts for all that its stream shows, between two epochs of its training."""

from typing import Any, Iterator, List, NamedTuple

from torch import Tensor

from relcon.contrast import Labelled
from relcon.encoding import encode
from relcon.interfaces import Draw, Task
from relcon.training.loop import Loop
from relcon.training.seeding import generator


class Predicted(NamedTuple):
    """Predictions of a batch, as a `Recorder` takes them. uids: [n] whose they are. logits: [n, labels]. labels: [n] class numbers."""

    uids: List[Any]
    logits: Tensor
    labels: Tensor


def predictions(loop: Loop, task: Task, epoch: int, purpose: str) -> Iterator[Predicted]:
    """A pass over the classifier's stream in evaluation mode, batch by batch. Its random stream is its own: training goes on as if nobody
    had looked. Every process gets all of them.

    task: the classifier. epoch: the running one, from 0. purpose: names the random stream. Views that cropping took are left out, and
    batches whose views have no labels or no uids.
    """
    stream = loop.streams[task.stream]
    draw = Draw(epoch, generator(loop.seed, loop.name, purpose, epoch), stream.vocabulary)
    for batch in stream.sampler.batches(stream.data, draw):
        value = batch[task.reads]
        if isinstance(value, Labelled) and value.views and value.uids is not None and value.labels is not None:
            logits, alive = encode(task.classifier(), value.views)
            kept = alive.nonzero().flatten().tolist()
            yield Predicted([value.uids[at] for at in kept], logits[kept], value.labels[kept])
