"""Prediction: documents of any reader in, relations, and of a model that finds them entities, written back on to them out."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from relcon.config import resolve
from relcon.data.document import Document, Instance, Relation
from relcon.errors import RelconError
from relcon.interfaces import CandidateRule, DatasetReader, Extractor, Model, Neighbour
from relcon.model import SavedModel
from relcon.runs import models_below

BATCH = 64
"""Documents that are predicted together."""


class Predictor:
    """A saved model with the reader and the candidate rule that it was trained with.

    folder: a run's folder (of a run over folds or seeds, that of one of them), or a model folder.
    reader: a config block instead of the run's own. candidates: likewise. stage: the stage that handed the model on.
    """

    def __init__(self, folder: Path, reader: Optional[Dict[str, Any]] = None, candidates: Optional[Dict[str, Any]] = None):
        saved = SavedModel(model_folder(folder))
        self.model: Model = saved.load()
        self.stage: Optional[str] = saved.about.get("stage")
        where = f"{saved.folder}/model.json"
        self.reader: DatasetReader = resolve(reader or saved.about["reader"], f"{where}: reader")
        self.candidates: CandidateRule = resolve(candidates or saved.about["candidates"], f"{where}: candidates")

    def read(self, path: Path) -> Iterator[Document]:
        """The documents of a file or folder; RelconError where it holds none."""
        empty = True
        for document in self.reader.read(path):
            empty = False
            yield document
        if empty:
            raise RelconError(f"{path} holds no document that {type(self.reader).__name__} can read.")

    def predict(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Each document with a predicted relation, and its probability, for every candidate pair; gold ones are dropped. A multi-label
        model predicts every label that holds as a relation of its own, and for a pair without any the negative label, if it has one,
        without a probability. An extractor asks about no candidates: it replaces the entities too."""
        batch: List[Document] = []
        for document in documents:
            batch.append(document)
            if len(batch) == BATCH:
                yield from self._predict(batch)
                batch = []
        yield from self._predict(batch)

    def neighbours(self, document: Document, count: int) -> List[List[Neighbour]]:
        """The nearest training examples of each relation of a predicted document. RelconError where the model keeps none."""
        return self.model.neighbours([Instance(document, each.head, each.tail) for each in document.relations], count)

    def records(self, document: Document, keep_negative: bool = True, neighbours: int = 0) -> Iterator[Dict[str, Any]]:
        """A predicted document as JSON objects: one for each relation, or, of an extractor, one for the document.

        keep_negative: with the pairs that have no relation. neighbours: so many training examples with each relation.
        """
        near = self.neighbours(document, neighbours) if neighbours else None
        if isinstance(self.model, Extractor):
            yield as_extraction(document, near)
        else:
            yield from as_records(document, self.model.labels.negative, keep_negative, near)

    def _predict(self, documents: Sequence[Document]) -> Iterator[Document]:
        if isinstance(self.model, Extractor):
            yield from self.model.extract(documents)
            return
        pairs = [self.candidates.instances(unlabelled(document))[0] for document in documents]
        flat: List[Instance] = [instance for group in pairs for instance in group]
        relations = iter(self._relations(flat))
        for document, group in zip(documents, pairs, strict=True):
            yield replace(document, relations=tuple(relation for _ in group for relation in next(relations)))

    def _relations(self, instances: Sequence[Instance]) -> List[List[Relation]]:
        """The relations of each instance."""
        none: List[Tuple[str, Optional[float]]] = [(name, None) for name in sorted(self.model.labels.negative)[:1]]
        return [
            [Relation(instance.head, instance.tail, label, score=score) for label, score in held or none]
            for instance, held in zip(instances, self.model.decide(instances), strict=True)
        ]


def model_folder(folder: Path) -> Path:
    """Where the model of a run lies; the folder itself where it is a model's. RelconError for a run that has several."""
    if (folder / "model" / "model.json").exists():
        return folder / "model"
    several = models_below(folder)
    if several:
        some = ", ".join(map(str, several[:3])) + (", ..." if len(several) > 3 else "")
        raise RelconError(f"{folder} is a run over {len(several)} {several[0].parent.name}; give one of them: {some}.")
    return folder


def unlabelled(document: Document) -> Document:
    """The document with the pairs that it asks about, but without their labels."""
    return replace(document, relations=tuple(Relation(relation.head, relation.tail) for relation in document.relations))


def related(document: Document, negative: Iterable[str]) -> Document:
    """The document without the relations whose label is one of these, which mean 'no relation'."""
    left_out = frozenset(negative)
    return replace(document, relations=tuple(relation for relation in document.relations if relation.label not in left_out))


def as_records(
    document: Document,
    negative: Iterable[str] = (),
    keep_negative: bool = True,
    neighbours: Optional[Sequence[Sequence[Neighbour]]] = None,
) -> Iterator[Dict[str, Any]]:
    """One JSON object per predicted relation: words, spans (and character offsets where known), label, probability (null for the negative
    label of a pair for which no label of a multi-label model holds).

    negative: labels that mean 'no relation'; such predictions are left out unless `keep_negative`. neighbours: of each relation, the
    training examples to show with it.
    """
    negative = set(negative)
    for number, relation in enumerate(document.relations):
        if relation.label in negative and not keep_negative:
            continue
        ends = argument(document, relation.head), argument(document, relation.tail)
        yield {"document": document.id, **_relation(relation, *ends, None if neighbours is None else neighbours[number])}


def as_extraction(document: Document, neighbours: Optional[Sequence[Sequence[Neighbour]]] = None) -> Dict[str, Any]:
    """What an extractor finds in a document as one JSON object: its text (where known), its entities as `argument` has them, and its
    relations, which name entities by number; each with its probability (null where the model gives none).

    neighbours: of each relation, the training examples to show with it.
    """
    return {
        "document": document.id,
        **({} if document.text is None else {"text": document.text}),
        "entities": [
            argument(document, number) | {"probability": _rounded(entity.score)} for number, entity in enumerate(document.entities)
        ],
        "relations": [
            _relation(relation, relation.head, relation.tail, None if neighbours is None else neighbours[number])
            for number, relation in enumerate(document.relations)
        ],
    }


def _relation(relation: Relation, head: Any, tail: Any, neighbours: Optional[Sequence[Neighbour]]) -> Dict[str, Any]:
    """A relation between what stands for its arguments."""
    record = {"head": head, "tail": tail, "label": relation.label, "probability": _rounded(relation.score)}
    return record if neighbours is None else record | {"neighbours": [each._asdict() for each in neighbours]}


def _rounded(score: Optional[float]) -> Optional[float]:
    return None if score is None else round(score, 6)


def argument(document: Document, entity: int) -> Dict[str, Any]:
    """An entity as prediction writes it."""
    first = document.entities[entity].mentions[0]
    found: Dict[str, Any] = {
        "entity": entity,
        "text": document.mention_text(first),
        "type": document.entities[entity].type,
        "words": [[start, end] for mention in document.entities[entity].mentions for start, end in mention.spans],
    }
    if document.offsets is not None:
        found["characters"] = [
            [document.offsets[start][0], document.offsets[end - 1][1]]
            for mention in document.entities[entity].mentions
            for start, end in mention.spans
        ]
    return found
