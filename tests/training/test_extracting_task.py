"""A task that finds entities and relations by itself: trained by `relcon.Finetune.v1`, saved, opened, measured and predicted with."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from relcon.config import load_config, resolve
from relcon.contrast import Batch, Labelled, Span, Text, View
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.json import write_jsonl
from relcon.data.labels import LabelSet
from relcon.dry_run import dry_run
from relcon.encoding import evaluating, looks
from relcon.errors import RelconError
from relcon.evaluation import evaluate
from relcon.files import read_json
from relcon.interfaces import Draw, Extractor, Parts, Request, Sampler, Split, Task, Tower
from relcon.model import SavedModel
from relcon.pipeline import train
from relcon.poolers.spans import SpanPool
from relcon.prediction import Predictor
from relcon.testing import tiny_encoder_folder

CONFIG = """
[training]
seed = 0

[data]
@corpora = "relcon.Corpus.v1"
train = "{folder}/data.jsonl"
dev = "{folder}/data.jsonl"
cache = "none"

[data.reader]
@readers = "relcon.JSONLines.v1"

[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[stages.find]
@stages = "relcon.Finetune.v1"
epochs = 3
classifier = "finder"

[stages.find.encoders.text]
@encoders = "relcon.Transformer.v1"
path = "{folder}/bert"

[stages.find.poolers]

[stages.find.optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 1e-2

[stages.find.streams.words]
@samplers = "toyextract.Words.v1"

[stages.find.tasks.finder]
@tasks = "toyextract.Finder.v1"
stream = "words"

[stages.find.selection]
@evaluators = "relcon.Extraction.v1"
primary = "entity"

[stages.evaluate]
@stages = "relcon.Evaluate.v1"
model = "find"
split = "dev"

[stages.evaluate.evaluators.extraction]
@evaluators = "relcon.Extraction.v1"
"""


def word_views(documents: Sequence[Document]) -> List[View]:
    return [
        View(text, ((Span(word, word + 1),),))
        for document in documents
        for text in [Text(document.words)]
        for word in range(len(document.words))
    ]


@Sampler.register("toyextract.Words.v1")
class Words(Sampler):
    """All words of all documents, and whether each begins an entity."""

    def length(self, data: Split) -> int:
        return 1

    def batches(self, data: Split, draw: Draw) -> Iterator[Batch]:
        begins = [{entity.mentions[0].start for entity in document.entities} for document in data.documents]
        labels = [int(word in own) for document, own in zip(data.documents, begins, strict=True) for word in range(len(document.words))]
        yield {"words": Labelled(word_views(data.documents), torch.tensor(labels))}


@Task.register("toyextract.Finder.v1")
class Finder(Task):
    """Which words are entities."""

    joint, extracts = False, True

    def __init__(self, stream: str, shy: bool = False):
        super().__init__()
        self.stream, self.reads, self.shy = stream, "words", shy

    def check(self, data: Split) -> None:
        if self.shy:
            raise RelconError(f"does not like the {len(data.documents)} documents.")

    def build(self, parts: Parts) -> None:
        encoder = parts.encoders["text"]
        self.tower = Tower(encoder, SpanPool("first", slots=1), nn.Linear(encoder.width, 2))

    def requests(self, value: Any) -> Dict[str, Request]:
        return {"words": Request(self.tower, value.views)}

    def part(self, value: Any, vectors: Tensor, numbers: Tensor, more: Any) -> Tensor:
        return functional.cross_entropy(vectors, value.labels[numbers], reduction="sum")

    def extractor(self, labels: LabelSet) -> Extractor:
        return Found(self.tower, labels)


class Found(Extractor):
    """Words as entities; each is related to the next."""

    def __init__(self, tower: Tower, labels: LabelSet):
        self.tower, self.labels = tower, labels

    def extract(self, documents: Sequence[Document]) -> List[Document]:
        views = word_views(documents)
        table = torch.zeros(len(views), 2)
        for look in looks(self.tower, views):
            table[look.numbers] = look.vectors.softmax(1)
        return [
            self.changed(document, scores)
            for document, scores in zip(documents, table.split([len(each.words) for each in documents]), strict=True)
        ]

    def changed(self, document: Document, scores: Tensor) -> Document:
        entities = [
            Entity((Mention(word, word + 1),), "Thing", score=score)
            for word, score in enumerate(scores[:, 1].tolist())
            if score > 0.5
        ]
        relations = [Relation(head, head + 1, "beside", score=1.0) for head in range(len(entities) - 1)]
        return Document(document.id, document.words, tuple(entities), tuple(relations), document.sentences)

    def probabilities(self, instances: Sequence[Instance]) -> Tensor:
        with evaluating(self.tower):
            return torch.full((len(instances), len(self.labels)), 1 / len(self.labels))

    def embed(self, instances: Sequence[Instance]) -> Tensor:
        raise NotImplementedError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extracting")
    names = ["abirol", "KAP2", "TORN1", "duvate", "elprin", "MELB"]
    documents = []
    for number, name in enumerate(names):
        words = (name, "rose", "beside", names[number - 1], ".")
        entities = (Entity((Mention(0, 1),), "Thing"), Entity((Mention(3, 4),), "Thing"))
        documents.append(Document(f"d{number}", words, entities, (Relation(0, 1, "beside"),)))
    write_jsonl(documents, folder / "data.jsonl")
    tiny_encoder_folder(folder / "bert", layers=1)
    (folder / "find.cfg").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    return folder


def run(place: Path, name: str, *words: str) -> Path:
    train(load_config(place / "find.cfg", list(words)), place / name)
    return place / name


def looked(folder: Path) -> List[int]:
    """After which epochs the selection looked."""
    lines = (json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [line["epoch"] for line in lines if line["event"] == "dev"]


def test_from_training_to_prediction(place: Path) -> None:
    folder = run(place, "run", "--stages.find.epochs", "12", "--stages.find.look_from", "3")
    figures = read_json(folder / "metrics.json")
    assert looked(folder) == list(range(3, 13))
    assert figures["find"]["dev"] == figures["evaluate"]["extraction.entity_f1"] == 1 and figures["find"]["epoch"] >= 3
    assert evaluate(folder, split="dev")["extraction.strict_f1"] == figures["evaluate"]["extraction.strict_f1"] == 1
    model = SavedModel(folder / "model").load()
    assert isinstance(model, Extractor) and read_json(folder / "model/model.json")["renderer"] is None
    predictor = Predictor(folder)
    (found,) = predictor.predict([Document("new", ("duvate", "fell"))])
    assert [each.mentions[0] for each in found.entities] == [Mention(0, 1)] and found.entities[0].score is not None


def test_a_training_that_ends_before_the_first_look_is_looked_at_once(place: Path) -> None:
    folder = run(place, "short", "--stages.find.look_from", "9")
    assert looked(folder) == [3] and read_json(folder / "metrics.json")["find"]["epoch"] == 3


def test_a_dry_run_counts_the_looks(place: Path) -> None:
    words = ["--stages.find.epochs", "7", "--stages.find.look_from", "3"]
    plan = dry_run(load_config(place / "find.cfg", words))
    assert plan.stages["find"].figures["epoch"] == 7


@pytest.mark.parametrize(
    "words, message",
    [
        (["--stages.find.look_from", "0"], "look_from must be at least 1"),
        (["--stages.find.tasks.finder.shy", "true"], r"\[stages.find.tasks.finder\] does not like the 6 documents"),
    ],
)
def test_mistakes_are_said_before_training(place: Path, words: List[str], message: str) -> None:
    with pytest.raises(RelconError, match=message):
        run(place, "wrong", *words)
    assert not (place / "wrong").exists()


def test_a_classifier_whose_stream_has_no_renderer(place: Path) -> None:
    tower = "--stages.find.tasks.finder.tower"
    words = ["--stages.find.tasks.finder.@tasks", "relcon.Classification.v1", "--stages.find.tasks.finder.reads", "words"]
    words += [f"{tower}.@towers", "relcon.Tower.v1", f"{tower}.encoder", "text", f"{tower}.pooler", "cls"]
    words += ["--stages.find.poolers.cls.@poolers", "relcon.CLS.v1"]
    with pytest.raises(RelconError, match=r"\[stages.find.streams.words\] has no renderer, by which the classifier 'finder'"):
        run(place, "wrong", *words)
    assert not (place / "wrong").exists()


def test_only_a_task_that_extracts_has_an_extractor() -> None:
    task = resolve({"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "s", "encoder": "text"}, "[task]")
    with pytest.raises(TypeError, match="extracts nothing"):
        task.extractor(LabelSet(()))
