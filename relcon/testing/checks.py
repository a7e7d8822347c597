"""Checks for components that work on data: augmenters, renderers, samplers, evaluators, extractors."""

import copy
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Sized, Tuple

import torch
from torch import Tensor

from relcon.contrast import WHOLE, Batch, Contrast, Encoded, Labelled, Spans, Text, View
from relcon.data.document import Document, Instance, instance_uid
from relcon.data.labels import LabelSet
from relcon.encoding import encode
from relcon.interfaces import Augmenter, Draw, Evaluator, Extractor, Model, Pooler, Renderer, Sampler, Split, Tower
from relcon.testing.corpora import tiny_split
from relcon.testing.encoders import tiny_encoder
from relcon.testing.promises import (
    bare,
    check_sound,
    copies,
    expect,
    generator,
    no_global_randomness,
    other_global_randomness,
    same_figures,
)


def check_augmenter(augmenter: Augmenter, documents: Sequence[Document]) -> None:
    """A changed copy is a sound document with the same entities and relations, mentions where they were among each other; the input stays
    as it is; randomness comes from the generator alone.

    documents: with relations; their pairs are protected. Parsed where the augmenter needs parses (as `tiny_corpus()` is).
    """
    augmenter.prepare([_instance(document, relation.head, relation.tail) for document in documents for relation in document.relations])
    before = copies(documents)
    with no_global_randomness("the augmenter"):
        changed = [_copies(augmenter, document) for document in documents]
    expect(list(documents) == before, "the augmenter modified its input")
    with other_global_randomness():
        again = [_copies(augmenter, document) for document in documents]
    for document, mine, theirs in zip(documents, changed, again, strict=True):
        expect(mine == theirs, f"the same generator gave two different copies of document '{document.id}'")
        for each in mine:
            _check_copy(document, each)


def _copies(augmenter: Augmenter, document: Document) -> List[Document]:
    """What two seeds make of a document."""
    pairs = [(relation.head, relation.tail) for relation in document.relations]
    return [augmenter(document, pairs, generator(seed)) for seed in (0, 1)]


def _check_copy(document: Document, changed: Document) -> None:
    """What stays the same under every augmentation."""
    check_sound(changed, f"the copy of '{document.id}'")
    expect(changed.relations == document.relations, f"the copy of '{document.id}' has other relations")
    expect(len(changed.entities) == len(document.entities), f"the copy of '{document.id}' has another number of entities")
    for old, new in zip(document.entities, changed.entities, strict=True):
        expect(len(old.mentions) == len(new.mentions), f"the copy of '{document.id}' lost or gained a mention")
    expect(_apart(document) == _apart(changed), f"mentions that were apart overlap in the copy of '{document.id}', or the other way round")


def _apart(document: Document) -> List[bool]:
    """Of every two mentions, whether they share no word."""
    mentions = [mention for entity in document.entities for mention in entity.mentions]
    return [not one.overlaps(other) for number, one in enumerate(mentions) for other in mentions[:number]]


def check_renderer(renderer: Renderer, instances: Sequence[Instance]) -> None:
    """One view per instance, in order and the same each time; spans and words to keep inside the text; one number of slots;
    an encoder that was given the special tokens finds every unit."""
    views, again = renderer(instances), renderer(instances)
    expect(len(views) == len(instances), f"{len(instances)} instances gave {len(views)} views")
    expect([_shown(view) for view in views] == [_shown(view) for view in again], "two calls gave different views")
    backwards = renderer(list(reversed(instances)))
    expect([_shown(view) for view in reversed(backwards)] == [_shown(view) for view in views], "a view depends on the other instances")
    expect(len({len(view.unit) for view in views}) == 1, "units must have one number of slots")
    for view in views:
        _check_view(view)
    encoder = tiny_encoder()
    encoder.add_tokens(renderer.special_tokens)
    whole = [encoder.vocabulary.pieces(token) for token in renderer.special_tokens]
    expect(all(len(pieces) == 1 for pieces in whole), "a special token is not one piece")
    alive = encode(Tower(encoder, _Nothing()), views)[1]
    expect(bool(alive.all()), "a unit was not found among the encoder's positions")


def _shown(view: View) -> Any:
    text = view.input
    return (text.words, text.second, text.edits, text.keep, view.unit) if isinstance(text, Text) else view.unit


def _check_view(view: View) -> None:
    if not isinstance(view.input, Text):
        return
    first, size = len(view.input.words), len(view.input.words) + len(view.input.second)
    for span in (span for slot in view.unit for span in slot if span != WHOLE):
        expect(0 <= span.start < span.end <= size, f"a unit has the span {tuple(span)} in a text of {size} words")
    for start, end in view.input.keep:
        expect(0 <= start < end <= first, f"the words to keep are [{start}, {end}) in a first segment of {first} words")


class _Nothing(Pooler):
    """A pooler whose vectors do not matter."""

    def width(self, state: int) -> int:
        """1"""
        return 1

    def forward(self, encoded: Encoded, spans: Spans) -> Tensor:
        """Zeros [U, 1]."""
        return encoded.states.new_zeros(spans.units, 1)


def check_sampler(sampler: Sampler, data: Optional[Split] = None, covers: bool = True, epoch_dependent: bool = True) -> None:
    """Exactly `length` batches; the same for the same epoch and generator, others for another; sound pairings; no global
    randomness; every labelled instance seen. Nothing is left over from what was drawn before, and a copy in another process draws the
    same, whatever its own random streams give: processes that share a batch rely on it, and so does a run that goes on.

    data: the tiny corpus unless given. covers: labelled views of an epoch must name every instance (False where the sampler
    leaves some out by design). epoch_dependent: False for a sampler that is meant to repeat itself.
    """
    data = data or tiny_split()
    sampler.check(data)
    sampler.prepare(data)
    twin, vocabulary = copy.deepcopy(sampler), tiny_encoder().vocabulary
    with no_global_randomness("the sampler"):
        first, later = (_epoch(sampler, data, epoch, vocabulary) for epoch in (0, 1))
    next(iter(sampler.batches(data, Draw(1, generator(1), vocabulary))), None)  # an epoch that is left in the middle
    expect(len(first) == sampler.length(data), f"length says {sampler.length(data)} batches, but there were {len(first)}")
    expect(len(first) == len(later), f"epoch 0 has {len(first)} batches, epoch 1 {len(later)}")
    again = _fingerprint(_epoch(sampler, data, 0, vocabulary))
    expect(_fingerprint(first) == again, "the same epoch and generator gave different batches")
    twin.prepare(data)
    with other_global_randomness():
        expect(_fingerprint(_epoch(twin, data, 0, vocabulary)) == again, "a copy of the sampler, in another process, draws other batches")
    if epoch_dependent:
        expect(_fingerprint(first) != _fingerprint(later), "two epochs had the same batches")
    for value in (value for batch in first for value in batch.values()):
        if isinstance(value, Contrast):
            _check_contrast(value)
        else:
            _check_labelled(value)
    if covers:
        _check_covers(first, data)


def _epoch(sampler: Sampler, data: Split, epoch: int, vocabulary: Any) -> List[Batch]:
    return list(sampler.batches(data, Draw(epoch, generator(epoch), vocabulary)))


def _check_covers(batches: Sequence[Batch], data: Split) -> None:
    """Where views name their instances, all are named."""
    named = {uid for batch in batches for value in batch.values() for uid in getattr(value, "uids", None) or ()}
    missing = {instance.uid for instance in data.instances} - named
    expect(not named or not missing, f"an epoch left out {sorted(missing)[:3]}")


def _check_contrast(value: Contrast) -> None:
    value.pairing.check()
    candidates = value.anchors if value.candidates is None else value.candidates
    shape = (len(value.anchors), len(candidates))
    expect(tuple(value.pairing.positives.shape) == shape, f"a pairing of {tuple(value.pairing.positives.shape)} for {shape} views")
    expect(bool((value.pairing.positives > 0).any()), "a batch has no positive at all")
    for tags, count in ((value.anchor_tags, shape[0]), (value.candidate_tags, shape[1])):
        fits = tags is None or all(column.shape == (count,) and not column.is_floating_point() for column in tags)
        expect(fits, f"the tags must be {count} whole numbers each, one per view")
    for view in (*value.anchors, *candidates):
        _check_view(view)


def _check_labelled(value: Labelled) -> None:
    columns: Dict[str, Optional[Sized]] = {"labels": value.labels, "uids": value.uids, **value.extra}
    for name, column in columns.items():
        expect(column is None or len(column) == len(value.views), f"{name} has another length than the views")
    for view in value.views:
        _check_view(view)


def _fingerprint(batches: Sequence[Batch]) -> Any:
    """Everything about batches that training could notice."""
    return [
        (
            name,
            [_shown(view) for view in value.anchors],
            [_shown(view) for view in value.candidates or ()],
            value.pairing.positives.tolist(),
            [column.tolist() for tags in (value.anchor_tags, value.candidate_tags) for column in tags or ()],
        )
        if isinstance(value, Contrast)
        else (name, [_shown(view) for view in value.views], None if value.labels is None else value.labels.tolist())
        for batch in batches
        for name, value in batch.items()
    ]


def check_evaluator(
    make: Callable[[], Evaluator], data: Optional[Split] = None, models: Optional[Callable[[Split], Tuple[Model, Model]]] = None
) -> None:
    """Finite named figures with the primary one among them, which is better for a model that is always right than for one
    that is always wrong; the same each time, with and without a folder for tables.

    make: builds the evaluator, as a config would. data: labelled; the tiny corpus unless given. models: makes one that is always right and
    one that is always wrong, where models that know the labels of the data, and nothing else, will not do.
    """
    data = data or tiny_split()
    make().check(data, data)
    models = models or _knowing
    right, wrong = (make().evaluate(model, data, None, data) for model in models(data))
    evaluator = make()
    expect(evaluator.primary in right, f"the primary figure '{evaluator.primary}' is not among {sorted(right)}")
    for name, figure in right.items():
        expect(isinstance(figure, float) and torch.isfinite(torch.tensor(figure)), f"the figure '{name}' is {figure!r}, not a finite float")
    better = right[evaluator.primary] - wrong[evaluator.primary]
    expect(better * (1 if evaluator.higher_is_better else -1) > 0, f"'{evaluator.primary}' is no better for a model that is always right")
    with other_global_randomness(), tempfile.TemporaryDirectory() as folder:
        again = make().evaluate(models(data)[0], data, Path(folder), data)
        expect(again == right, f"two evaluations of one model gave different figures: {same_figures(right, again)}")


def check_extractor(extractor: Extractor, documents: Sequence[Document]) -> None:
    """The documents come back in order, their text as it was, with sound entities and scored relations that depend on the text alone: not
    on what was annotated, nor on the other documents, nor on the call; nothing modified.

    documents: some in which it finds something.
    """
    before = copies(documents)
    found = extractor.extract(documents)
    expect(list(documents) == before, "the extractor modified a document")
    expect([bare(each) for each in found] == [bare(each) for each in documents], "other documents came back than were given")
    expect(any(document.entities for document in found), "the extractor finds nothing")
    for document in found:
        check_sound(document, f"what was found in '{document.id}'")
        for relation in document.relations:
            fits = relation.score is not None and 0 <= relation.score <= 1 and relation.label in extractor.labels.positive
            expect(fits, f"{relation} of '{document.id}' needs a positive label and a score from 0 to 1")
    expect(extractor.extract(documents) == found, "two calls found different things")
    expect(extractor.extract([bare(each) for each in documents]) == found, "what is found depends on what was annotated")
    expect(extractor.extract(documents[-1:]) == found[-1:], "what is found in a document depends on the others")


def _knowing(data: Split) -> Tuple[Model, Model]:
    return _Knowing(data, 0), _Knowing(data, 1)


class _Knowing(Extractor):
    """A model that knows the gold labels: always right, or with `shift` = 1 always wrong and with vectors that mean nothing. It finds the
    entities and relations that are annotated, or nothing."""

    def __init__(self, data: Split, shift: int):
        self.labels: LabelSet = data.labels
        self.gold = {instance.uid: instance.label for instance in data.instances}
        self.shift = shift

    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        """0.9 for the answer, the rest for the other labels."""
        count = len(self.labels)
        answers = torch.tensor([(self._number(instance) + self.shift) % count for instance in instances])
        rows = torch.full((len(instances), count), 0.1 / max(count - 1, 1))
        return rows.scatter(1, answers[:, None], 0.9)

    def embed(self, instances: Sequence[Instance]) -> Tensor:
        """Noise that depends on the instance, and less of it around the label's own direction where the model is right."""
        seeds = [zlib.crc32(instance.uid.encode()) for instance in instances]
        noise = torch.stack([torch.randn(len(self.labels), generator=generator(seed)) for seed in seeds])
        return noise if self.shift else self.probabilities(instances) + 0.01 * noise

    def extract(self, documents: Sequence[Document]) -> List[Document]:
        """The documents as they are, or without everything that is to be found."""
        return [replace(each, entities=(), relations=()) for each in documents] if self.shift else list(documents)

    def _number(self, instance: Instance) -> int:
        return self.labels.number(self.gold[instance.uid] or "")


def _instance(document: Document, head: int, tail: int) -> Instance:
    return Instance(document, head, tail, uid=instance_uid(document, head, tail))
