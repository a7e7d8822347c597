"""What the baselines share: how they say how fast they were, how texts are sorted into micro-batches, where entities stand in them."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, List, Sequence, Tuple


class Clock:
    """Times of the ends of steps. warm_up: steps that do not count."""

    def __init__(self, warm_up: int):
        self.warm_up = warm_up
        self.ends: List[float] = [time.perf_counter()]

    def tick(self) -> None:
        """A step has ended."""
        self.ends.append(time.perf_counter())

    def tell(self, instances: float, **more: float) -> None:
        """One JSON object: instances per second of the steps that count, so many in each, and the peak resident memory."""
        seconds = self.ends[-1] - self.ends[self.warm_up]
        steps = len(self.ends) - 1 - self.warm_up
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        json.dump({"instances_per_second": steps * instances / seconds, "peak_mib": memory, **more}, sys.stdout)


def read(path: str) -> List[Any]:
    """The records of a JSON-lines file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def parts(lengths: Sequence[int], tokens: int) -> List[List[int]]:
    """Numbers of texts, sorted by length, in micro-batches of at most so many positions, padding included."""
    found: List[List[int]] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if found and (len(found[-1]) + 1) * lengths[number] <= tokens:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def positions(inputs: Any, text: int, start: int, end: int) -> Tuple[int, int]:
    """[first, end) positions of the words [start, end) of a text. inputs: of a fast tokenizer."""
    return inputs.word_to_tokens(text, start).start, inputs.word_to_tokens(text, end - 1).end


def entity_vectors(states: Any, inputs: Any, entities: Sequence[Any]) -> Any:
    """[E, H] of each entity, [text, word spans], the mean over its spans of the mean of their states. states: [B, L, H]."""
    shares = states.new_zeros(len(entities), *states.shape[:2])
    for number, (text, spans) in enumerate(entities):
        for start, end in spans:
            first, last = positions(inputs, text, start, end)
            shares[number, text, first:last] += 1 / (last - first) / len(spans)
    return shares.flatten(1) @ states.flatten(0, 1)
