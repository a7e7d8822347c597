"""The contract on one page. A plugin author starts here.

Six interfaces carry the project: DatasetReader, Augmenter, Sampler, Encoder, ContrastiveObjective, Evaluator. The others
support them. Each is an abstract class with a registry of its own (`Augmenter.registry`; in a config `@augmenters = "..."`).

Rules for a component: constructor arguments are annotated with plain types, `List`, `Dict`, `Optional`, `Literal` or an
interface of this page; no `**kwargs`; defaults survive JSON; the constructor reads no file and loads no model (the encoder,
whose weights are its value, is the exception); its docstring ends with a config block that works. Randomness comes from the
generator that is passed in, from nowhere else.

Sizes in shapes: see `relcon.contrast`.
"""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import (
    Any,
    Callable,
    ClassVar,
    Container,
    Dict,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import torch
from torch import Tensor, nn

from relcon.contrast import Batch, Contrast, Encoded, Input, Pairing, Prepared, Spans, View
from relcon.data.document import Document, Instance
from relcon.data.glimpse import Glimpse
from relcon.data.labels import LabelSet
from relcon.data.sequences import hashes_of, pairs_of
from relcon.errors import RelconError
from relcon.plans import StagePlan
from relcon.registry import Registrable

# ---- data --------------------------------------------------------------------------------------------------------------


class DatasetReader(Registrable, ABC, kind="readers"):
    """A path -> a stream of documents, labelled or not.

    last_resort: whether it takes whatever is text, so that it is named only for a path that no other reader knows.
    """

    last_resort: ClassVar[bool] = False

    @property
    def cacheable(self) -> bool:
        """Whether documents kept from an earlier reading may stand in for reading again. Not where reading has something to say
        that must be said in every run: which records it skipped. True unless overridden."""
        return True

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Why a path looks like this format, in words ("an array of objects with 'tokens', 'entities' and 'relations'"); None where it
        does not, and unless overridden. Whoever asks reads the first documents as well, so a likeness is enough."""
        return None

    @abstractmethod
    def read(self, path: Path) -> Iterator[Document]:
        """Documents of a file or folder, one by one. Bad records raise DataError with file and line."""


class Writer(Registrable, ABC, kind="writers"):
    """Documents -> a file or folder of a format, for `relcon convert` and `relcon predict`.

    reader: the name of the registered reader that reads what it writes. options: the arguments with which that reader gives back what was
        written, where they are not its defaults. folder: whether it writes a folder, not a file.
    """

    reader: ClassVar[str]
    options: Mapping[str, Any] = {}
    folder: ClassVar[bool] = False

    @abstractmethod
    def losses(self, document: Document) -> Dict[str, int]:
        """What of a document the format cannot hold: cause, in words ("mention after the first of an entity"), -> number. {} where it
        comes back as it was."""

    def unfit(self, document: Document) -> str:
        """Why the format cannot hold a document at all ("document without words"), so that `write` leaves it out; "" where it can, and
        unless overridden."""
        return ""

    @abstractmethod
    def write(self, documents: Iterable[Document], path: Path) -> int:
        """Write them, whole or not at all; how many. What the format cannot hold is left out. RelconError where a document cannot be
        written at all, or the path cannot."""


class Lost(NamedTuple):
    """A gold relation that never became a candidate; it counts against recall.

    document: its id. head, tail: entity numbers. label: the gold label. cause: one of a few fixed phrases
    ("head and tail in different sentences", "second label of the pair", ...).
    """

    document: str
    head: int
    tail: int
    label: str
    cause: str


class CandidateRule(Registrable, ABC, kind="candidates"):
    """Which pairs of a document's entities are asked about.

    gives_negative: whether it may give a negative label to pairs that the data say nothing of. Where it never does, such a label
        that the data do not have either is a mistyped one.
    complete_annotation: whether a pair that the data say nothing of is unrelated; the splits hand it on (`Split.complete_annotation`).
    """

    gives_negative: bool = True
    complete_annotation: bool = True

    @abstractmethod
    def instances(self, document: Document, labels: Optional[LabelSet] = None) -> Tuple[List[Instance], List[Lost]]:
        """Candidate pairs with their gold labels (None for unlabelled documents), and the gold relations that were missed.

        labels: tells which label to give to a pair without a relation and which labels are symmetric.
        """


class Parser(Registrable, ABC, kind="parsers"):
    """Documents -> the same documents with dependency parses.

    cache: the folder in which it keeps them, as `relcon.data.store.cache_folder` takes it; what follows from parses is kept there too.
        "none", unless a parser has one.
    """

    cache: Optional[str] = "none"

    @abstractmethod
    def parse(self, documents: Sequence[Document]) -> List[Document]:
        """Each document with `parse` set; in batches, cached by content. RelconError where the model is missing."""


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a corpus as samplers and evaluators get it.

    name: train, dev, test, ... documents: all of them. instances: their candidate pairs. lost: gold relations without a
    candidate. labels: the task's label set. complete_annotation: whether pairs of entities that the documents say nothing of are unrelated;
    where not, what draws unrelated pairs from whole documents must leave them alone (`relcon.data.relations.unrelated_pairs`). whole: of a
    share that a protocol took, the split that it was taken of: what an evaluator counts as known does not depend on the share. partial:
    whether other pairs of its documents belong to another part (divided by instance, few shots).

    documents and instances may be lists, or sequences that decode an item when it is asked for: an instance is then made anew each time,
    on the one object of its document. Labels, ids and parts of all come cheaper from `relcon.data.sequences`.
    """

    name: str
    documents: Sequence[Document]
    instances: Sequence[Instance]
    labels: LabelSet
    lost: Sequence[Lost] = ()
    complete_annotation: bool = True
    whole: Optional["Split"] = field(default=None, repr=False, compare=False)
    partial: bool = False

    def fingerprint(self) -> str:
        """A hash of what training and evaluation see of it: labels, documents with parses, candidates; not where it was read."""
        digest = hashlib.sha256(repr((self.labels.names, sorted(self.labels.negative), sorted(self.labels.symmetric))).encode())
        digest.update(b"".join(hashes_of(self.documents)))
        digest.update(b"" if self.complete_annotation else b"incomplete")
        pairs = pairs_of(self.instances, self.documents)
        digest.update(repr(pairs.labels).encode("utf-8", "surrogatepass"))
        for column in pairs[:4]:
            digest.update(column.tobytes())
        return digest.hexdigest()[:16]


class Corpus(Registrable, ABC, kind="corpora"):
    """What a config's `[data]` section builds: named splits with one label set."""

    @property
    @abstractmethod
    def labels(self) -> LabelSet:
        """The label set, the same for every split."""

    @abstractmethod
    def splits(self) -> List[str]:
        """The names of the splits that there are (`train`, `dev`, `test`)."""

    @abstractmethod
    def split(self, name: str) -> Split:
        """A split, read on first use. RelconError where the corpus has none of that name."""

    def rewritten(
        self, name: str, documents: Callable[[], Iterable[Document]], key: Any, labels: Optional[LabelSet] = None
    ) -> Split:
        """A split with other documents in place of its own, and their candidate pairs by the corpus's own rule; for corpora that change
        what another one read (noise, other labels).

        documents: yields them, each time from the beginning. key: plain values that say what was done to those of the split, since what
        is made may be kept on disk. labels: the label set that they have then; None for the corpus's own. RelconError unless overridden.
        """
        raise RelconError(f"{type(self).__name__} finds no candidate pairs in changed documents. Wrap the corpus that reads the files.")

    def fingerprints(self) -> Dict[str, str]:
        """A hash of each split by its name; reads them all."""
        return {name: self.split(name).fingerprint() for name in self.splits()}


class SynonymSource(Registrable, ABC, kind="synonyms"):
    """Words that may stand in for a word."""

    @abstractmethod
    def synonyms(self, word: str) -> List[str]:
        """Replacements for a word form (each one or several words), sorted, without the word itself; [] where it has none.

        The same word gives the same list. RelconError where the source's data is missing (it says how to get them).
        """

    def look_up(self, words: Sequence[str]) -> Dict[str, List[str]]:
        """The `synonyms` of many words. Override where a source answers faster together, or keeps its answers on disk."""
        return {word: self.synonyms(word) for word in words}


def of_first_document(instances: Sequence[Instance]) -> List[Instance]:
    """The first instances, those of one document: enough to see whether what is looked up is there."""
    first = instances[0].document if instances else None
    return list(takewhile(lambda each: each.document is first, instances))


class Augmenter(Registrable, ABC, kind="augmenters"):
    """A document -> a changed document in which the given pairs still express what they did."""

    def prepare(self, instances: Sequence[Instance]) -> None:
        """Called with all instances before the first epoch: parse, look up, cache. Nothing unless overridden.

        Where a stage validates, called with the held-out instances first; what is drawn from later is gathered from the training ones.
        """

    def check(self, instances: Sequence[Instance]) -> None:
        """RelconError where it could not change these instances, as far as that is quickly known; asked before any training.

        Unless overridden: what it looks things up in must be there, so the first document is prepared. Override where more is
        needed of every document (a parse), and call this as well.
        """
        self.prepare(of_first_document(instances))

    @property
    def special_tokens(self) -> Sequence[str]:
        """Tokens that it writes and the encoder's vocabulary must hold whole. None unless overridden."""
        return ()

    @abstractmethod
    def __call__(self, document: Document, pairs: Sequence[Tuple[int, int]], generator: torch.Generator) -> Document:
        """A changed copy; entity spans are repaired, relations kept. The input is never modified.

        pairs: (head, tail) entity numbers whose relation must survive. generator: the only source of randomness.
        """


# ---- from instances to batches -----------------------------------------------------------------------------------------


class Renderer(Registrable, ABC, kind="renderers"):
    """Instances -> views: plain text, markers, blinding, a prompt. Training and prediction call the same one."""

    @property
    def special_tokens(self) -> Sequence[str]:
        """Tokens that the encoder's vocabulary must hold whole (`[E1]`, `relcon.contrast.MASK`); they are added before training."""
        return ()

    def check(self, data: Split) -> None:
        """RelconError where it could not show these instances as it is meant to; asked before any training. Nothing unless overridden."""

    @abstractmethod
    def __call__(self, instances: Sequence[Instance]) -> List[View]:
        """One view per instance, in order. Instances of one document may share an input object."""


class Vocabulary(ABC):
    """What samplers may know of an encoder's tokenizer.

    size: how many ids there are. mask: the id of the mask token. limit: the largest number of pieces of an input. separator: the
    token that parts two segments, as it is written; a word that is nothing else is that one piece. None where there is no such token.
    """

    size: int
    mask: Optional[int]
    limit: int
    separator: Optional[str] = None

    @abstractmethod
    def pieces(self, word: str) -> List[int]:
        """The word-piece ids of one word."""


class Recorder(nn.Module, ABC):
    """Is told every prediction that a classification task makes in training; the task keeps it in its `recorders`.

    What it remembers stands in buffers: checkpoints keep them, saved models do not. It must change nothing of the training: it draws no
    random numbers and leaves what it is given as it is.
    """

    @abstractmethod
    def forward(self, uids: Sequence[Any], logits: Tensor, labels: Tensor) -> None:
        """Predictions of a step, made before its update, with dropout on.

        uids: [n] whose they are; None for what is not to be recorded, `UID~N` for changed copy N of an instance. logits: [n, labels]
        without a graph. labels: [n] class numbers. Of several processes each is told of its own share; views that were cropped away are
        not told.
        """

    def begin_epoch(self) -> None:
        """Called when an epoch begins, not where a resumed run goes on within one. Nothing unless overridden."""

    def merge(self) -> None:
        """Take over what other processes were told; all of them call it, before a checkpoint and where somebody is to read. Nothing unless
        overridden."""


class Draw(NamedTuple):
    """What a sampler may depend on beside its data.

    epoch: counted from 0. generator: the epoch's own random stream. vocabulary: the tokenizer of the encoder in use, or None.
    """

    epoch: int
    generator: torch.Generator
    vocabulary: Optional[Vocabulary] = None


class Contrasts(NamedTuple):
    """What a sampler's contrasts are like, whatever the data: `relcon check` holds it against what adjusters, objectives and encoders need.

    several: an anchor may have several positives. negatives: an anchor that has a positive has negatives in its batch. tags: they have
    tags. candidates: what their candidates are, in the word of `Encoder.reads`. advice: how anchors get negatives, a whole sentence.
    """

    several: bool = False
    negatives: bool = True
    tags: bool = True
    candidates: str = "texts"
    advice: str = ""


class Sampler(Registrable, ABC, kind="samplers"):
    """Data, an epoch and a generator -> a stream of batches. It writes the sentence 'who attracts and who repels whom'.

    takes: arguments that name an earlier stage of the run, whose artifacts `hand_over` brings. `relcon check` looks whether it is there.
    """

    takes: ClassVar[Sequence[str]] = ()

    @property
    def special_tokens(self) -> Sequence[str]:
        """Tokens that its renderer and its augmenter need in the vocabulary."""
        parts = [getattr(self, name, None) for name in ("renderer", "augmenter")]
        return [token for part in parts if part is not None for token in part.special_tokens]

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Optional[Contrasts]:
        """What the value `contrast` of a sampler of this config block is like, so that `relcon check` finds what cannot work with it; None
        where that cannot be told, and unless overridden."""
        return None

    def hand_over(self, artifacts: Mapping[str, "Artifacts"]) -> None:
        """What earlier stages of the run handed on, by stage name; called before `prepare`. Nothing unless overridden; a sampler that
        wraps another passes it on."""

    def prepare(self, data: Split) -> None:
        """Called before the first epoch. Lets the augmenter, where there is one, parse and look up in one go.

        Where a stage validates, called with the held-out data first; batches are then drawn from both in turn.
        """
        augmenter = getattr(self, "augmenter", None)
        if augmenter is not None:
            augmenter.prepare(data.instances)

    def check(self, data: Split) -> None:
        """RelconError where it could not work on these data, as far as that is quickly known; asked before any training.

        Unless overridden: lets renderer and augmenter, where there are any, look at them, and prepares the first document.
        """
        renderer = getattr(self, "renderer", None)
        if renderer is not None:
            renderer.check(data)
        augmenter = getattr(self, "augmenter", None)
        if augmenter is not None:
            augmenter.check(data.instances)
        self.prepare(replace(data, instances=of_first_document(data.instances)))

    @property
    def follows_predictions(self) -> bool:
        """Whether batches depend on what the stage's classifier predicted in the epoch. Such a sampler has a `recorder`, and its stream
        comes after the epoch's other streams, in a phase of its own. False unless overridden; one that wraps another passes it on."""
        return False

    def recorder(self, data: Split) -> Recorder:
        """Of a sampler that follows predictions: who is to be told of them. Called once for the data of a stage, before `prepare`."""
        raise NotImplementedError(f"{type(self).__name__} follows no predictions")

    def figures(self, data: Split) -> Dict[str, float]:
        """What the log says at the end of an epoch of the batches that it had, beside what tasks say. Nothing unless overridden."""
        return {}

    def why_empty(self, data: Split) -> Optional[str]:
        """Of a sampler that follows predictions: why an epoch that is drawn now has no batch, in words. None unless overridden."""
        return None

    @abstractmethod
    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """The batches of one epoch, the same for the same data, epoch and generator, and the same predictions where it follows them."""

    @abstractmethod
    def length(self, data: Split) -> int:
        """Exactly how many batches an epoch over these data has; where it follows predictions, one that is drawn now."""


# ---- from inputs to vectors --------------------------------------------------------------------------------------------


class Encoder(Registrable, nn.Module, ABC, kind="encoders"):
    """Inputs -> states of tokens or nodes.

    width: H, the width of a state. An encoder of word pieces also has `vocabulary`. reads: what its inputs are, in a word.
    """

    width: int
    reads: ClassVar[str] = "texts"

    @property
    def vocabulary(self) -> Optional[Vocabulary]:
        """The tokenizer as samplers see it; None for an encoder without word pieces."""
        return None

    def add_tokens(self, tokens: Sequence[str]) -> None:
        """Make sure that each of these is one piece of the vocabulary, with an embedding row."""
        if tokens:
            raise TypeError(f"{type(self).__name__} has no vocabulary to add {list(tokens)} to")

    def layers(self) -> Sequence[nn.Module]:
        """Its stack of layers, the lowest first, for rates that fall from layer to layer. None unless overridden."""
        return ()

    def embeddings(self) -> Sequence[nn.Module]:
        """What lies below the layers. Nothing unless overridden."""
        return ()

    def lengths(self, inputs: Sequence[Input]) -> List[int]:
        """How many positions each input takes, so that those of like length are encoded together; zeros: in any order."""
        return [0] * len(inputs)

    @abstractmethod
    def prepare(self, inputs: Sequence[Input]) -> Prepared:
        """Inputs as tensors on the CPU. Touches no parameter, so that it may run in a worker."""

    @abstractmethod
    def forward(self, prepared: Prepared, depth: Optional[int] = None) -> Encoded:
        """States of all rows. depth: 0 stops after the embedding layer; None runs all layers."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write weights and tokenizer, so that `AutoModel` and `AutoTokenizer` load the folder where the encoder is theirs."""

    def block(self, folder: str) -> Dict[str, Any]:
        """The config block that builds this encoder anew from what `save` wrote to `folder` (`{"@encoders": ..., "path": ...}`)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is built from a saved folder: override block()")


class Pooler(Registrable, nn.Module, ABC, kind="poolers"):
    """States and spans -> one vector per unit. May have parameters; a stage then hands it on with its encoders."""

    @abstractmethod
    def width(self, state: int) -> int:
        """D, the width of a vector made from states of width `state`."""

    @abstractmethod
    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, D]."""


class Tower(nn.Module):
    """An encoder (shared), a pooler (may be shared) and a head (the task's own): views in, vectors out."""

    def __init__(self, encoder: Encoder, pooler: Pooler, head: Optional[nn.Module] = None, depth: Optional[int] = None):
        super().__init__()
        self.encoder, self.pooler, self.head, self.depth = encoder, pooler, head, depth

    def pool(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Vectors [U, D] of units, through the head."""
        vectors = self.pooler(encoded, spans)
        return vectors if self.head is None else self.head(vectors)

    def after_step(self) -> None:
        """Called after each optimizer step."""


class PieceHead(nn.Module):
    """What stands between an encoder's states and guesses of word pieces, beside its embeddings (Devlin et al. 2019, arXiv 1810.04805).

    states: [n, H] -> [n, H] to compare with the embeddings. bias: [vocabulary], added to what the comparisons give. start: what it started
    with. design: plain values from which `relcon.tasks.piece_heads` makes the same layers again.
    """

    def __init__(self, states: nn.Sequential, bias: Tensor, start: str, design: Mapping[str, Any]):
        super().__init__()
        self.states, self.bias, self.start, self.design = states, nn.Parameter(bias), start, design


@dataclass
class Parts:
    """What the tasks of a stage share: encoders and poolers by name, and the label set of the data.

    copies: name -> the name of the part that it is a copy of, for parts that a tower added (see `TowerPlan.follows`). saved_copies: the
        same of a saved model, whose towers take up the copies that lie there.
    heads: encoder name -> the head over its word pieces, which the first task that uses one makes and the others share; the stage hands
        it on with the encoder. handed_on: those that earlier stages handed on, for tasks to take up.
    restored: the weights of a saved model will be put in after `build`, so that no task needs initial values, nor the files of theirs.
    """

    encoders: Dict[str, Encoder]
    poolers: Dict[str, Pooler]
    labels: LabelSet
    copies: Dict[str, str] = field(default_factory=dict)
    saved_copies: Mapping[str, str] = field(default_factory=dict)
    heads: Dict[str, PieceHead] = field(default_factory=dict)
    handed_on: Mapping[str, PieceHead] = field(default_factory=dict)
    restored: bool = False


class TowerPlan(Registrable, ABC, kind="towers"):
    """A tower as a config names it: encoders and poolers are named, not nested, because several tasks share them.

    follows: the argument of the task whose tower this one is made from (`anchors`); None for a tower that stands by itself. One
    that follows has an argument `suffix` and adds copies of the other's encoder and pooler to the stage's parts, as NAME_SUFFIX,
    which the stage hands on like its own.
    """

    follows: ClassVar[Optional[str]] = None

    @abstractmethod
    def build(self, parts: Parts, out: Optional[int] = None) -> Tower:
        """The tower over the stage's shared parts. out: append a linear layer to so many classes, for a classifier."""

    def build_beside(self, parts: Parts, other: Tower) -> Tower:
        """The tower for the other side of a contrast. other: the one that is built. By itself, unless overridden."""
        return self.build(parts)


# ---- learning ----------------------------------------------------------------------------------------------------------


class ContrastiveObjective(Registrable, nn.Module, ABC, kind="objectives"):
    """Vectors and a pairing -> one scalar. It never sees an encoder.

    competes: whether a positive teaches something only where its term has negatives that it must win against. one_positive: whether an
    anchor may have one positive at most.
    """

    competes: ClassVar[bool] = False
    one_positive: ClassVar[bool] = False

    @abstractmethod
    def forward(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Tensor:
        """The loss, a scalar. anchors [A, D], candidates [C, D], both float32 or float64."""

    def idle(self, pairing: Pairing) -> int:
        """How many terms of this pairing teach nothing. Unless overridden: those without a positive or without a negative."""
        return pairing.idle()

    def figures(self, anchors: Tensor, candidates: Tensor, pairing: Pairing) -> Dict[str, float]:
        """What the log shows beside the loss (a margin, mean similarities). Nothing unless overridden."""
        return {}


class Adjuster(Registrable, nn.Module, ABC, kind="adjusters"):
    """A step between vectors and objective: a queue adds candidates, a miner takes negatives away.

    What it remembers stands in buffers, which checkpoints keep and saved models leave out.

    needs_tags: whether it reads the contrast's tags. adds_negatives: whether it brings candidates that repel.
    """

    needs_tags: ClassVar[bool] = False
    adds_negatives: ClassVar[bool] = False

    @abstractmethod
    def forward(self, anchors: Tensor, candidates: Tensor, contrast: Contrast, pairing: Pairing) -> Tuple[Tensor, Pairing]:
        """Candidates [C', D], those it was given first and unchanged, and the pairing [A, C'] that fits them.

        contrast: what the sampler wrote, tags included. pairing: without the views that were cropped away, and as adjusters in
        front of this one left it. Called once per batch, also by losses that nothing learns from (then in evaluation mode).
        """

    def why_idle(self) -> Optional[str]:
        """Where no term of an epoch had both a positive and a negative: how this adjuster may be the cause and what to do, in whole
        sentences. None, unless overridden: it is not."""
        return None

    def after_step(self) -> None:
        """Called after each optimizer step."""


class Request(NamedTuple):
    """What a task wants encoded: views through a tower."""

    tower: Tower
    views: List[View]


class Task(Registrable, nn.Module, ABC, kind="tasks"):
    """One term of a stage's loss. It declares what it wants encoded; the engine shares, chunks and distributes it.

    stream: the name of the stage's stream (sampler) that feeds it. reads: which value of the stream's batches.
    weight: its factor in the stage's loss. joint: True where the loss needs every vector of the batch at once (contrast);
    False where it is a mean over views and may be computed chunk by chunk (classification). multi_label: of a task that predicts
    relations: whether a pair may have several, each with a score of its own (sigmoid), or has exactly one label (softmax).
    extracts: of a task that finds entities and relations by itself: its model is an `extractor`, and needs no renderer.
    """

    stream: str
    reads: str
    weight: float = 1.0
    joint: bool = True
    multi_label: bool = False
    extracts: bool = False

    def special_tokens(self, labels: LabelSet) -> Sequence[str]:
        """Tokens that the vocabulary must hold whole for it; they are added before `build`. None unless overridden."""
        return ()

    def check(self, data: Split) -> None:
        """RelconError where it could not learn from these data, as far as that is quickly known; asked before any training. Nothing unless
        overridden."""

    @abstractmethod
    def build(self, parts: Parts) -> None:
        """Make towers and heads over the stage's shared parts. Called once, before training or loading."""

    @abstractmethod
    def requests(self, value: Any) -> Dict[str, Request]:
        """What to encode for this value of a batch, by a name of the task's own."""

    def loss(self, value: Any, vectors: Mapping[str, Tensor], alive: Mapping[str, Tensor]) -> Tensor:
        """Of a joint task: the loss from the vectors [U, D] of each request; alive [U] is False where cropping took a view."""
        raise NotImplementedError

    def part(self, value: Any, vectors: Tensor, numbers: Tensor, more: Callable[[Tower, List[View]], Tensor]) -> Tensor:
        """Of a separable task: the summed loss of some views. vectors [n, D]; numbers [n] which views; more pools other views
        of the same states."""
        raise NotImplementedError

    def classifier(self) -> Tower:
        """The tower whose vectors are one logit per label, after `build`; TypeError for a task that predicts no relations."""
        raise TypeError(f"{type(self).__name__} predicts no relations")

    def extractor(self, labels: LabelSet) -> "Extractor":
        """The model of a task that extracts, after `build`; TypeError for any other. labels: those of the data that it was trained on."""
        raise TypeError(f"{type(self).__name__} extracts nothing")

    def figures(self) -> Dict[str, float]:
        """What the log shows of the last step beside the loss."""
        return {}

    def why_idle(self) -> str:
        """Where none of the `terms` that `figures` counted in an epoch taught anything: what to do, in whole sentences."""
        return "Take a larger batch_size, or a sampler that pairs instances of one label."

    def after_step(self) -> None:
        """Called after each optimizer step."""

    def training_only(self) -> Sequence[nn.Module]:
        """Modules that mean nothing once training is over (a queue): checkpoints keep them, saved models leave them out."""
        return ()


# ---- running -----------------------------------------------------------------------------------------------------------


class Points(NamedTuple):
    """Vectors of one of a model's spaces, with what each of them stands for.

    vectors: [N, D]. labels: [N] the class of each. names: [N] what each is in words ("aspirin -> headache (doc 12)").
    """

    vectors: Tensor
    labels: List[str]
    names: List[str]


class Neighbour(NamedTuple):
    """A training example near to something predicted. distance: in the model's space. label: its own. text: it in words."""

    distance: float
    label: str
    text: str


class Model(ABC):
    """A trained relation classifier as evaluators and prediction see it.

    lost_views: how many pairs it could not see so far, because the encoder's limit cropped their arguments away; of an extractor how many
        words. lost_unit: what these are.
    multi_label: whether a pair may have several labels; `probabilities` are then scores from 0 to 1 of each label by itself.
    threshold: of a multi-label model, the score that a label needs to hold; None where none has been chosen.
    """

    labels: LabelSet
    lost_views: int = 0
    lost_unit: ClassVar[Literal["pairs", "words"]] = "pairs"
    multi_label: bool = False
    threshold: Optional[float] = None

    @abstractmethod
    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        """[N, number of labels] class probabilities, in evaluation mode. A lost view (cropped away) gets the negative label,
        or a uniform row where the task has none, and is counted."""

    @abstractmethod
    def embed(self, instances: Sequence[Instance]) -> Tensor:
        """[N, D] pooled vectors before any head, in evaluation mode."""

    def predict(self, instances: Sequence[Instance]) -> List[str]:
        """The most probable label of each instance."""
        return [self.labels.names[n] for n in self.probabilities(instances).argmax(1).tolist()]

    def decide(self, instances: Sequence[Instance]) -> List[List[Tuple[str, float]]]:
        """The labels that hold for each instance, with their scores, the best first; [] where none holds.

        Unless overridden exactly one each: the most probable one. A multi-label model gives the positive ones that score its threshold.
        """
        if not instances:
            return []
        scores, classes = self.probabilities(instances).max(1)
        return [[(self.labels.names[number], score)] for number, score in zip(classes.tolist(), scores.tolist(), strict=True)]

    def contrasted(self, task: str, contrast: Contrast) -> Tuple[Tensor, Tensor, Pairing]:
        """Anchors [A, D] and candidates [C, D] of a contrast through the towers of a task, in evaluation mode, on the CPU, and the pairing
        without the views that were cropped away. RelconError unless the model keeps the tasks that it was trained by."""
        raise RelconError("This model keeps no contrastive task. Name the stage that trained one (relcon.Pretrain.v1) as `model`.")

    def neighbours(self, instances: Sequence[Instance], count: int) -> List[List[Neighbour]]:
        """The nearest training examples of each instance, nearest first. RelconError unless the model keeps its training examples."""
        raise RelconError(
            "This model keeps no training examples, so it has no neighbours to show. One that reads relations off its neighbours does "
            "(cldr.Neighbours.v1 of relcon-cldr)."
        )

    def spaces(self) -> List[str]:
        """The names of the embedding spaces that `points` can show. None unless overridden, together with `points`."""
        return []

    def require_space(self, space: str) -> None:
        """RelconError that names the model's spaces where it has none of that name."""
        if space not in self.spaces():
            known = ", ".join(f"'{name}'" for name in self.spaces()) or "none"
            raise RelconError(f"The model has no space '{space}'. Its spaces: {known}.")

    def points(self, space: str, data: Split) -> Points:
        """What a split puts into one of the model's `spaces`, in evaluation mode, on the CPU; `relcon plot` draws it.

        Points that the encoder could not see (cropped away) are left out, and their number is logged. RelconError that names the
        model's spaces where it has none of that name.
        """
        self.require_space(space)
        raise NotImplementedError(f"{type(self).__name__} names the space '{space}' but does not give its points: override points()")


class Extractor(Registrable, Model, ABC, kind="extractors"):
    """A model that finds a document's entities and their relations by itself.

    A stage saves it as a folder whose `model.json` has its config block under `extractor` (`relcon.model.save_extractor`); its constructor
    gets that folder as `path` and reads what the stage wrote there. Or a task makes it (`Task.extractor`): then it is registered under no
    name, and saved as any model of a task is. `probabilities` and `embed` are those of pairs of given entities.
    """

    lost_unit = "words"

    @abstractmethod
    def extract(self, documents: Sequence[Document]) -> List[Document]:
        """The documents with what the model finds in place of what is annotated; each relation with a score, and each entity where the
        model gives one."""


class Evaluator(Registrable, ABC, kind="evaluators"):
    """A trained model and data -> named figures; tables and pictures go to a folder.

    primary: the figure that model selection and summaries look at. higher_is_better: its direction.
    """

    primary: str
    higher_is_better: bool = True

    @abstractmethod
    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Named figures. folder: where tables, pictures and per-instance files go (None: nowhere).
        train: the training split, for evaluators that fit something (kNN, a probe)."""

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """RelconError where this split cannot be measured, whatever the model; asked before any training. Nothing unless overridden.
        train: the training split, as for `evaluate`."""


class OptimizerPlan(Registrable, ABC, kind="optimizers"):
    """An optimizer as a config names it."""

    @abstractmethod
    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer over the module's trainable parameters."""


class Schedule(Registrable, ABC, kind="schedules"):
    """The learning rate over the steps."""

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """What the learning rate is multiplied with at optimizer step `step` (from 0) of `steps`."""


@dataclass(frozen=True)
class Artifacts:
    """What a stage hands on, as it lies on disk, so that a resumed run and an uninterrupted one read the same bytes.

    folder: the stage's own folder; a training stage writes `model/` into it and perhaps `snapshots/EPOCH/`.
    figures: what it measured.
    """

    folder: Path
    figures: Mapping[str, float] = field(default_factory=dict)


class Stage(Registrable, ABC, kind="stages"):
    """One step of a run: artifacts of earlier stages in, artifacts out.

    takes: arguments that are a text "STAGE.NAME", what an earlier stage hands on, with the section of that stage in which NAME stands; or
        None: the argument is the name of the stage alone.
    counts_on: arguments that may be a text "STAGE.FIGURE", what an earlier stage measures. `relcon check` looks whether they are there.
    """

    takes: ClassVar[Mapping[str, Optional[str]]] = {}
    counts_on: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def run(self, context: Any) -> Artifacts:
        """Do the work. context: a `relcon.stages.context.StageContext` (folder, data, earlier artifacts, settings, log)."""

    def check(self, corpus: Corpus, where: str) -> None:
        """RelconError where the stage could not work with this data; asked before the first stage runs. Nothing unless overridden.

        where: the stage's section, `[stages.NAME]`, for messages.
        """

    @classmethod
    def measures(cls, block: Mapping[str, Any]) -> Optional[List[str]]:
        """The names of the figures that a stage of this config block will measure, so that `relcon check` finds a wrong one where another
        stage names it (`epochs = "tuning.epoch"`); None where they cannot be told, and unless overridden."""
        return None

    def plan(self, context: Any) -> Optional[StagePlan]:
        """What `run` would do, from a few steps of it, for `relcon train --dry-run`; None: the stage cannot say.

        context: as of `run`, in a temporary folder. What later stages load must lie in it afterwards, as `run` leaves it.
        """
        return None


class Protocol(Registrable, ABC, kind="protocols"):
    """Runs all stages of a config several times over: folds, shots, seeds, shares."""

    @abstractmethod
    def runs(self, corpus: Corpus, seed: int) -> Iterator[Tuple[str, Corpus, int]]:
        """(subfolder name or "", the corpus of this run, its seed), one by one."""


class PairBuilder(Registrable, ABC, kind="builders"):
    """Builds training data for `relcon build-pairs`: a knowledge base and text with entities in, candidate pairs out."""

    @abstractmethod
    def build(self) -> Iterator[Document]:
        """Documents to write as relcon JSON-lines."""

    def skipped(self) -> Dict[str, int]:
        """How many sentences or pairs the last `build` left out, by cause. Nothing unless overridden."""
        return {}


class KnowledgeBase(NamedTuple):
    """What text is linked to. names: surface form, lower-cased with single spaces -> id. entities: the ids that its triples are about."""

    names: Mapping[str, str]
    entities: Container[str]


class Linked(NamedTuple):
    """A document whose entities a knowledge base knows.

    keys: for each entity the ids under which its triples are looked up; () where the knowledge base does not know it.
    """

    document: Document
    keys: Sequence[Tuple[str, ...]]


class Rejected(NamedTuple):
    """A document that cannot be used. cause: one of a few fixed phrases, under which it is counted."""

    cause: str


class DistantBuilder(Registrable, ABC, kind="distant"):
    """Finds the entities of a knowledge base in text, for `relcon build-distant`, which labels every pair of them with its triples."""

    def check(self, base: KnowledgeBase) -> None:
        """RelconError where it could not work with this knowledge base, or lacks a model; asked before any text is read. Nothing unless
        overridden."""

    @abstractmethod
    def link(self, documents: Sequence[Document], base: KnowledgeBase) -> List[Union[Linked, Rejected]]:
        """What becomes of each document, in order. Several processes may ask, each for documents of its own; the answer for a document
        must not depend on the others."""
