"""Components that the tests of configs name: a `--code` file as a user would write it. They keep what they were given."""

from typing import Any, Dict, List, Literal, Optional, Union

from relcon.interfaces import (
    Augmenter,
    ContrastiveObjective,
    Corpus,
    DatasetReader,
    Encoder,
    Evaluator,
    Pooler,
    Protocol,
    Sampler,
    Stage,
    Task,
    TowerPlan,
)


@DatasetReader.register("toy.Lines.v1")
class Lines(DatasetReader):
    """Reads lines."""

    def __init__(self, separator: str = "\t", on_error: Literal["raise", "skip"] = "raise"):
        self.separator, self.on_error = separator, on_error

    def read(self, path: Any) -> Any:
        return iter(())


@Corpus.register("toy.Corpus.v1")
class ToyCorpus(Corpus):
    """A corpus."""

    def __init__(self, train: str, reader: DatasetReader, dev: Optional[str] = None, weights: Optional[Dict[str, float]] = None):
        self.train, self.reader, self.dev, self.weights = train, reader, dev, weights

    labels: Any = None

    def splits(self) -> List[str]:
        return []

    def split(self, name: str) -> Any:
        raise NotImplementedError


@Augmenter.register("toy.Drop.v1")
class Drop(Augmenter):
    """Drops words."""

    def __init__(self, rate: float = 0.1, seed: int = 0):
        if not 0 <= rate <= 1:
            raise ValueError(f"rate must lie between 0 and 1, got {rate}")
        self.rate, self.seed = rate, seed

    def __call__(self, document: Any, pairs: Any, generator: Any) -> Any:
        return document


@Augmenter.register("toy.Swap.v1")
class Swap(Augmenter):
    """Swaps words."""

    def __init__(self, seed: int = 0, times: int = 1):
        self.seed, self.times = seed, times

    def __call__(self, document: Any, pairs: Any, generator: Any) -> Any:
        return document


@Augmenter.register("toy.Liar.v1")
def liar() -> Augmenter:
    """Says that it makes an augmenter and does not."""
    return 3  # type: ignore[return-value]


@Augmenter.register("toy.Stray.v1")
class Stray:
    """Registered under the wrong interface."""


@Sampler.register("toy.Views.v1")
class Views(Sampler):
    """Two views."""

    def __init__(self, size: int, augmenter: Augmenter, shuffle: bool = True):
        self.size, self.augmenter, self.shuffle = size, augmenter, shuffle

    def batches(self, data: Any, draw: Any) -> Any:
        return []

    def length(self, data: Any) -> int:
        return 0


@Encoder.register("toy.Encoder.v1")
class ToyEncoder(Encoder):
    """An encoder."""

    def __init__(self, path: str = "small", layers: Optional[List[int]] = None):
        super().__init__()
        self.path, self.layers = path, layers

    def prepare(self, inputs: Any) -> Any: ...

    def forward(self, prepared: Any, depth: Any = None) -> Any: ...

    def save(self, folder: Any) -> None: ...


@Pooler.register("toy.First.v1")
class First(Pooler):
    """The first position. It has no constructor of its own."""

    def width(self, state: int) -> int:
        return state

    def forward(self, encoded: Any, spans: Any) -> Any: ...


@TowerPlan.register("toy.Tower.v1")
class ToyTower(TowerPlan):
    """A tower."""

    def __init__(self, encoder: str, pooler: str, head: Optional[List[int]] = None):
        self.encoder, self.pooler, self.head = encoder, pooler, head

    def build(self, parts: Any, out: Any = None) -> Any: ...


@ContrastiveObjective.register("toy.Loss.v1")
class Loss(ContrastiveObjective):
    """A loss."""

    def __init__(self, temperature: float, similarity: Literal["cosine", "dot"] = "cosine", several: Union[int, str] = "mean"):
        super().__init__()
        self.temperature, self.similarity, self.several = temperature, similarity, several

    def forward(self, anchors: Any, candidates: Any, pairing: Any) -> Any: ...


@Task.register("toy.Contrast.v1")
class Contrast(Task):
    """A task."""

    def __init__(self, stream: str, anchors: TowerPlan, objective: ContrastiveObjective, weight: float = 1.0):
        super().__init__()
        self.stream, self.anchors, self.objective, self.weight = stream, anchors, objective, weight

    def build(self, parts: Any) -> None: ...

    def requests(self, value: Any) -> Any: ...


@Stage.register("toy.Train.v1")
class Train(Stage):
    """A stage."""

    def __init__(
        self,
        encoders: Dict[str, Union[str, Encoder]],
        poolers: Dict[str, Union[str, Pooler]],
        streams: Dict[str, Sampler],
        tasks: Dict[str, Task],
        max_steps: int = 0,
        notes: Optional[List[str]] = None,
        selection: Optional[Evaluator] = None,
    ):
        self.encoders, self.poolers, self.streams, self.tasks = encoders, poolers, streams, tasks
        self.max_steps, self.notes, self.selection = max_steps, notes, selection

    def run(self, context: Any) -> Any: ...


@Stage.register("toy.Measure.v1")
class Measure(Stage):
    """A stage that uses an earlier one's model."""

    def __init__(self, model: str, augmenters: Optional[List[Augmenter]] = None):
        self.model, self.augmenters = model, augmenters

    def run(self, context: Any) -> Any: ...


@Protocol.register("toy.Seeds.v1")
class Seeds(Protocol):
    """Several seeds."""

    def __init__(self, seeds: List[int]):
        self.seeds = seeds

    def runs(self, corpus: Any, seed: int) -> Any: ...
