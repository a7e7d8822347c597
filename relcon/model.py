"""Models on disk and in use: saving what a stage trained, handing it on, predicting with it.

A saved model is a folder that needs nothing else to be loaded:

    model.json          what is inside: label set, config blocks of all parts, which task classifies
    NAME/               each encoder as `save_pretrained` leaves it; NAME_momentum/ is a momentum tower's copy of it
    parts.safetensors   poolers and heads, those over word pieces included
"""

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from relcon import __version__
from relcon.config import resolve
from relcon.contrast import Contrast, Pairing, Span, Text, View
from relcon.data.document import Instance
from relcon.data.labels import LabelSet
from relcon.data.sequences import labels_of, take
from relcon.encoding import EVALUATION_TOKENS, encode
from relcon.errors import RelconError, did_you_mean
from relcon.files import link_tree, read_object, whole_folder, write_json
from relcon.interfaces import Encoder, Model, Parts, PieceHead, Points, Pooler, Renderer, Split, Task, Tower
from relcon.poolers.spans import SpanPool
from relcon.tasks.piece_heads import description, restored_head

log = logging.getLogger(__name__)

SCHEMA = 1

UNCHOSEN = 0.5
"""The threshold of a multi-label model for which none was chosen."""

UNTYPED = "untyped"
"""The label of an entity whose data have no types."""


class TrainedModel(Model):
    """A classification task's tower with the renderer it was trained with.

    tower: its vectors are one logit per label. renderer: instances -> views. labels: in the order of the logits.
    tokens: how many positions are encoded at a time, padding included.
    """

    def __init__(self, tower: Tower, renderer: Renderer, labels: LabelSet, tokens: int = EVALUATION_TOKENS):
        self.tower, self.renderer, self.labels, self.tokens = tower, renderer, labels, tokens

    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        """[N, labels] class probabilities; a view whose arguments were cropped away is 'no relation' for certain."""
        if not instances:
            return torch.zeros(0, len(self.labels))
        logits, alive = encode(self.tower, self.renderer(instances), self.tokens)
        probabilities = self._scores(logits.float()).cpu()  # [N, labels]
        self.lost_views += int((~alive).sum())
        probabilities[~alive.cpu()] = self._no_relation()
        return probabilities

    def embed(self, instances: Sequence[Instance]) -> Tensor:
        """[N, D] pooled vectors before the head; those of pairs whose arguments were cropped away are counted in `lost_views`."""
        vectors, alive = self._pooled(instances)
        self.lost_views += int((~alive).sum())
        return vectors

    def spaces(self) -> List[str]:
        """`relations`: labelled pairs, by their gold label. `entities`: entities, by their type."""
        return ["relations", "entities"]

    def points(self, space: str, data: Split) -> Points:
        """The points of a split.

        relations: [N, D] `embed` of the pairs that have a label. entities: [N, H] of every entity of the documents the mean state of
        its first mention (of its fragments' means, where it is discontinuous) in the text as it stands, without markers or blinding,
        from the layer that the classifier's tower reads.
        """
        self.require_space(space)
        return self._relations(data) if space == "relations" else self._entities(data)

    def _relations(self, data: Split) -> Points:
        labelled = [number for number, label in enumerate(labels_of(data.instances)) if label is not None]
        instances: List[Instance] = list(take(data.instances, labelled))
        labels = [str(instance.label) for instance in instances]
        return _seen(*self._pooled(instances), labels, [_pair_name(instance) for instance in instances])

    def _entities(self, data: Split) -> Points:
        views, labels, names = [], [], []
        for document in data.documents:
            text = Text(document.words)
            for entity in document.entities:
                mention = entity.mentions[0]
                views.append(View(text, (tuple(Span(start, end) for start, end in mention.spans),)))
                labels.append(entity.type or UNTYPED)
                names.append(f"{document.mention_text(mention)} ({document.id})")
        tower = Tower(self.tower.encoder, SpanPool("mean", slots=1), None, self.tower.depth)
        return _seen(*self._encoded(tower, views), labels, names)

    def _pooled(self, instances: Sequence[Instance]) -> Tuple[Tensor, Tensor]:
        """Vectors [N, D] before the head, and alive [N]."""
        bare = Tower(self.tower.encoder, self.tower.pooler, None, self.tower.depth)
        return self._encoded(bare, self.renderer(instances) if instances else [])

    def _encoded(self, tower: Tower, views: Sequence[View]) -> Tuple[Tensor, Tensor]:
        """Vectors [U, D] of a tower without a head, and alive [U], on the CPU; of no views, too."""
        if not views:
            return torch.zeros(0, tower.pooler.width(tower.encoder.width)), torch.zeros(0, dtype=torch.bool)
        vectors, alive = encode(tower, views, self.tokens)
        return vectors.float().cpu(), alive.cpu()

    def _scores(self, logits: Tensor) -> Tensor:
        """Probabilities [N, labels] from logits."""
        return logits.softmax(1)

    def _no_relation(self) -> Tensor:
        """One row of probabilities for a pair that the encoder could not see."""
        row = torch.full((len(self.labels),), 1 / len(self.labels))
        if self.labels.negative:
            row = torch.tensor([float(name in self.labels.negative) for name in self.labels.names])
            row = row / row.sum()
        return row


class MultiLabelModel(TrainedModel):
    """A classification task's tower whose logits each answer for one label: a pair may have several, or none.

    threshold: what a positive label must score to hold; None: not chosen yet, and `decide` takes 0.5 and says so.
    Other arguments: as of `TrainedModel`. The score of the negative label is not looked at.
    """

    multi_label = True

    def __init__(
        self, tower: Tower, renderer: Renderer, labels: LabelSet, threshold: Optional[float] = None, tokens: int = EVALUATION_TOKENS
    ):
        super().__init__(tower, renderer, labels, tokens)
        self.threshold = threshold
        self._told = False

    def decide(self, instances: Sequence[Instance]) -> List[List[Tuple[str, float]]]:
        """The positive labels of each instance that score the threshold or more, the best first."""
        scores = self.probabilities(instances)
        positive = torch.tensor([name not in self.labels.negative for name in self.labels.names])
        held: List[List[Tuple[str, float]]] = [[] for _ in instances]
        for row, column in ((scores >= self._threshold()) & positive).nonzero().tolist():
            held[row].append((self.labels.names[column], float(scores[row, column])))
        return [sorted(labels, key=lambda each: -each[1]) for labels in held]

    def _threshold(self) -> float:
        """The threshold; where none was chosen 0.5, said once."""
        if self.threshold is None and not self._told:
            self._told = True
            log.warning(
                "No threshold was chosen for this model: every label that scores %g or more is predicted. "
                "A stage relcon.ChooseThreshold.v1 chooses it on development data.",
                UNCHOSEN,
            )
        return UNCHOSEN if self.threshold is None else self.threshold

    def _scores(self, logits: Tensor) -> Tensor:
        """A score of each label by itself [N, labels]."""
        return logits.sigmoid()

    def _no_relation(self) -> Tensor:
        """Scores of a pair that the encoder could not see: the negative label for certain, no other."""
        return torch.tensor([float(name in self.labels.negative) for name in self.labels.names])


def model_of(task: Task, renderer: Optional[Renderer], labels: LabelSet, threshold: Optional[float] = None) -> Model:
    """The model of a task that predicts relations. renderer: of a task that does not extract. threshold: of a multi-label one."""
    if task.extracts:
        return task.extractor(labels)
    if renderer is None:
        raise RelconError(f"{type(task).__name__} predicts relations of pairs as a renderer shows them, and its stream has no renderer.")
    if task.multi_label:
        return MultiLabelModel(task.classifier(), renderer, labels, threshold)
    return TrainedModel(task.classifier(), renderer, labels)


def _pair_name(instance: Instance) -> str:
    """A pair in words."""
    head, tail = (instance.document.mention_text(mention) for mention in instance.mentions)
    return f"{head} -> {tail} ({instance.document.id})"


def _seen(vectors: Tensor, alive: Tensor, labels: Sequence[str], names: Sequence[str]) -> Points:
    """The points that cropping left; alive: [N] bool. How many it took is said in the log."""
    kept = alive.nonzero().flatten().tolist()
    if len(kept) < len(alive):
        log.warning("%d of %d points are left out: their words were cropped to the encoder's limit.", len(alive) - len(kept), len(alive))
    return Points(vectors[alive], [labels[number] for number in kept], [names[number] for number in kept])


class PretrainedModel(Model):
    """What a stage without a classifier handed on: encoders, poolers and tasks, for evaluators that look at these.

    saved: where they lie.
    """

    def __init__(self, saved: "SavedModel"):
        self.saved, self.labels = saved, saved.labels
        self._tasks: Dict[str, Task] = {}

    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        """RelconError: it predicts nothing."""
        raise self.saved.nothing_predicted()

    def embed(self, instances: Sequence[Instance]) -> Tensor:
        """RelconError: which of its vectors stands for a pair is not said."""
        raise self.saved.nothing_predicted()

    def contrasted(self, task: str, contrast: Contrast) -> Tuple[Tensor, Tensor, Pairing]:
        """As `Model.contrasted`, by the trained towers with their heads."""
        if task not in self._tasks:
            self._tasks[task] = self.saved.task(task)
        found = {name: encode(request.tower, request.views) for name, request in self._tasks[task].requests(contrast).items()}
        anchors, alive = found["anchors"]
        candidates, living = found.get("candidates", found["anchors"])
        return anchors.float().cpu(), candidates.float().cpu(), contrast.pairing.keep(alive.cpu(), living.cpu())


# ---- saving ------------------------------------------------------------------------------------------------------------


@dataclass
class Trained:
    """Everything that a training stage made, as it is saved.

    parts: shared encoders and poolers. tasks: by name. blocks: the config blocks of poolers, tasks and renderer.
    tokens: special tokens that were added to the vocabularies. classifier: the name of the task that predicts relations. renderer: how
    it sees pairs; None of a task that extracts. about: further facts for users of the model (candidate rule, reader).
    """

    parts: Parts
    tasks: Dict[str, Task]
    blocks: Mapping[str, Any]
    tokens: Sequence[str] = ()
    classifier: Optional[str] = None
    renderer: Optional[Renderer] = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def modules(self) -> nn.ModuleDict:
        """All of it as one module, for optimizers, devices and checkpoints."""
        return nn.ModuleDict(
            {
                "encoders": nn.ModuleDict(self.parts.encoders),
                "poolers": nn.ModuleDict(self.parts.poolers),
                "tasks": nn.ModuleDict(self.tasks),
            }
        )

    def model(self) -> Model:
        """The relation classifier or extractor, for evaluation."""
        if self.classifier is None:
            raise RelconError("This stage trains no relation classifier, so there is nothing to evaluate or predict with.")
        return model_of(self.tasks[self.classifier], self.renderer, self.parts.labels)

    def heads(self) -> Dict[str, Tensor]:
        """Parameters and buffers of poolers, heads over word pieces and tasks that belong to no encoder and outlive training. One that
        several have is written once, for the first of them."""
        elsewhere = [*self.parts.encoders.values(), *(module for task in self.tasks.values() for module in task.training_only())]
        left_out = {id(tensor) for module in elsewhere for tensor in module.state_dict(keep_vars=True).values()}
        shared: Dict[str, Mapping[str, nn.Module]] = {"poolers": self.parts.poolers, "heads": self.parts.heads}
        state = {
            f"{kind}.{name}.{key}": tensor
            for kind, modules in shared.items()
            for name, module in modules.items()
            for key, tensor in module.state_dict(keep_vars=True).items()
        }
        written = {id(tensor) for tensor in state.values()}
        for name, task in self.tasks.items():
            for key, tensor in task.state_dict(keep_vars=True).items():
                if id(tensor) not in left_out | written:
                    state[f"tasks.{name}.{key}"] = tensor
        return {key: tensor.detach().cpu().contiguous().clone() for key, tensor in state.items()}

    def save(self, folder: Path) -> None:
        """Write the model folder, whole or not at all, in place of what was there. WriteError where the disk refuses."""
        with whole_folder(folder) as temporary:
            for name, encoder in self.parts.encoders.items():
                encoder.save(temporary / name)
            save_file(self.heads(), temporary / "parts.safetensors")
            write_json(temporary / "model.json", self.description())

    def description(self) -> Dict[str, Any]:
        """What `model.json` says."""
        labels = self.parts.labels
        return {
            "schema": SCHEMA,
            "relcon": __version__,
            "labels": {"names": list(labels.names), "negative": sorted(labels.negative), "symmetric": sorted(labels.symmetric)},
            "classifier": self.classifier,
            "tokens": list(self.tokens),
            "encoders": {name: encoder.block(name) for name, encoder in self.parts.encoders.items()},
            "copies": dict(self.parts.copies),
            "heads": {name: description(head) for name, head in self.parts.heads.items()},
            **self.blocks,
            **self.about,
        }


def save_extractor(
    folder: Path, block: Mapping[str, Any], labels: LabelSet, about: Mapping[str, Any], write: Callable[[Path], None]
) -> None:
    """Write the folder of an `Extractor`, whole or not at all.

    block: its config block without `path`. about: further facts (reader, candidate rule). write: puts its files into the folder.
    WriteError where the disk refuses.
    """
    bare = Trained(Parts({}, {}, labels), {}, {"poolers": {}, "tasks": {}}, about={"extractor": dict(block), **about})
    with whole_folder(folder) as temporary:
        write(temporary)
        write_json(temporary / "model.json", bare.description())


# ---- loading -----------------------------------------------------------------------------------------------------------


class SavedModel:
    """A model folder: its parts are built on demand.

    folder: where `model.json` lies. RelconError where it is missing, incomplete or of a newer schema.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        if not (folder / "model.json").exists():
            raise RelconError(f"{folder} holds no relcon model (no model.json). Give the folder of a finished run.")
        self.about: Dict[str, Any] = read_object(folder / "model.json")
        missing = [key for key in ("schema", "labels", "classifier", "encoders", "poolers", "tasks") if key not in self.about]
        if missing:
            raise RelconError(f"{folder / 'model.json'} is not whole: it has no {', '.join(missing)}. Train again, or take another copy.")
        if self.about["schema"] > SCHEMA:
            raise RelconError(f"{folder} was written by relcon {self.about['relcon']}; this relcon {__version__} is too old. Upgrade it.")

    @property
    def labels(self) -> LabelSet:
        """The label set that the model was trained on."""
        labels = self.about["labels"]
        return LabelSet(tuple(labels["names"]), frozenset(labels["negative"]), frozenset(labels["symmetric"]))

    def encoder(self, name: str) -> Encoder:
        """An encoder with its trained weights."""
        return resolve(self._placed(self._block("encoders", name)), f"{self.folder}/model.json: encoder '{name}'")

    def _placed(self, block: Mapping[str, Any]) -> Dict[str, Any]:
        """A block whose `path`s, its own and those of the encoders in it, lead to this folder."""
        placed = {key: self._placed(value) if isinstance(value, Mapping) else value for key, value in block.items()}
        return placed | {"path": str(self.folder / block["path"])} if "path" in block else placed

    def pooler(self, name: str) -> Pooler:
        """A pooler with its trained parameters."""
        pooler: Pooler = resolve(self._block("poolers", name), f"{self.folder}/model.json: pooler '{name}'")
        pooler.load_state_dict(self._state(f"poolers.{name}."))
        return pooler

    def head(self, name: str) -> Optional[PieceHead]:
        """The head over the word pieces of an encoder that goes with it; None where none does."""
        about = self.about.get("heads", {}).get(name)
        return None if about is None else restored_head(about, self._state(f"heads.{name}."))

    @property
    def predicts(self) -> bool:
        """Whether it can be predicted with."""
        return bool(self.about["classifier"] or self.about.get("extractor"))

    def load(self) -> Model:
        """The relation classifier or extractor. RelconError where it is neither (a contrastive stage alone)."""
        if not self.predicts:
            raise self.nothing_predicted()
        return self.open()

    def open(self) -> Model:
        """Whatever it is: a classifier, an extractor, or a `PretrainedModel`."""
        if self.about.get("extractor"):
            model: Model = resolve({**self.about["extractor"], "path": str(self.folder)}, f"{self.folder}/model.json: extractor")
            return model
        classifier = self.about["classifier"]
        if classifier is None:
            return PretrainedModel(self)
        block = self.about["renderer"]
        renderer: Optional[Renderer] = None if block is None else resolve(block, f"{self.folder}/model.json: renderer")
        return model_of(self.task(classifier), renderer, self.labels, self.about.get("threshold"))

    def task(self, name: str) -> Task:
        """A task with its towers and trained heads, in evaluation mode."""
        parts = Parts(
            {name: self.encoder(name) for name in self.about["encoders"]},
            {name: self.pooler(name) for name in self.about["poolers"]},
            self.labels,
            saved_copies=self.about.get("copies", {}),
            heads={name: head for name in self.about["encoders"] if (head := self.head(name)) is not None},
            restored=True,
        )
        task: Task = resolve(self._block("tasks", name), f"{self.folder}/model.json: task '{name}'")
        task.build(parts)
        task.load_state_dict(self._state(f"tasks.{name}."), strict=False)
        return task.eval()

    def nothing_predicted(self) -> RelconError:
        """What to say to those who would predict with it nevertheless."""
        return RelconError(f"{self.folder} holds encoders but no relation classifier. Add a relcon.Finetune.v1 stage to the config.")

    def hand_on(self, folder: Path, **about: Any) -> None:
        """The same model under another folder, with further facts in its `model.json` (`threshold`, `stage`)."""
        link_tree(self.folder, folder)
        write_json(folder / "model.json", {**self.about, **about})

    def fingerprint(self) -> str:
        """A short hash of all weights: tells one trained model from another."""
        digest = hashlib.sha256()
        for file in sorted(self.folder.rglob("*.safetensors")):
            digest.update(file.read_bytes())
        return digest.hexdigest()[:16]

    def _block(self, kind: str, name: str) -> Dict[str, Any]:
        if name not in self.about[kind]:
            raise RelconError(f"{self.folder} has no {kind[:-1]} '{name}'.{did_you_mean(name, self.about[kind])}")
        return self.about[kind][name]

    def _state(self, prefix: str) -> Dict[str, Tensor]:
        try:
            state = load_file(self.folder / "parts.safetensors")
        except (OSError, SafetensorError) as error:
            raise RelconError(
                f"{self.folder / 'parts.safetensors'} cannot be read ({error}). Train again, or take another copy."
            ) from error
        return {key[len(prefix) :]: tensor for key, tensor in state.items() if key.startswith(prefix)}
